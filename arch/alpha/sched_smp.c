// SPDX-License-Identifier: MIT
/*
 * Starting other CPUs (by a message in the HWRPB, which the firmware's parked CPUs look at) and stopping them. The starting CPU does not wait,
 * except that one message is taken before the next is left. Interrupts between CPUs are
 * of one kind; what is meant lies in a word of each CPU.
 */
#include <arch/smp.h>
#include <arch/clock.h>
#include <arch/fpu.h>
#include <arch/preempt.h>
#include <arch/switch.h>
#include <abi/errno.h>
#include <kernel/init.h>
#include <sched/task.h>
#include "arch/shared/ipi.h"
#include "arch/alpha/alpha_priv.h"

static DEFINE_PER_CPU_ALIGNED(unsigned int, ipi_pending);	/* atomic: 1 << enum ipi */

int __init arch_smp_prepare(void)
{
	return 0;
}

/* A parked CPU looks for its message once in a millisecond. */
static bool wait_for_firmware(void)
{
	for (int ms = 0; !alpha_hwrpb_taken(); ms++) {
		if (ms == 1000)
			return false;
		msleep(1);
	}
	return true;
}

int arch_smp_boot_cpu(unsigned int cpu, struct task *idle)
{
	unsigned long *top = (unsigned long *)(task_pt_regs(idle) + 1);
	struct pcb pcb = { .ksp = (unsigned long)top, .ptbr = PFN_DOWN(virt_to_phys(kernel_root)), .fen = 1 };

	if (cpu >= machine.nr_cpus)
		return -EIO;
	/* Its count starts out as the boot CPU's did. */
	idle->thread.preempt = (struct arch_preempt){ .count = 1, .no_resched = 1 };
	*per_cpu_ptr(&current_task, cpu) = idle;
	top[0] = (unsigned long)idle;
	top[1] = __per_cpu_offset[cpu];
	return wait_for_firmware() && alpha_hwrpb_start(machine.core[cpu], alpha_secondary_entry, &pcb) ? 0 : -EIO;
}

void __noreturn alpha_secondary_start(void)
{
	unsigned int cpu = arch_cpu_number();

	alpha_entry_points();
	alpha_pcb_init_cpu(cpu);
	arch_fpu_init_cpu();
	arch_timer_init_cpu();
	smp_start_secondary(cpu);
}

void ipi_send(unsigned int cpu, enum ipi what)
{
	/* What the other side is to see, then the bit, then the interrupt: pairs with the exchange in alpha_ipi_handle. */
	__atomic_fetch_or(per_cpu_ptr(&ipi_pending, cpu), 1U << what, __ATOMIC_SEQ_CST);
	smp_mb();
	pal_call1(PAL_wripir, machine.core[cpu]);
}

void alpha_ipi_handle(void)
{
	unsigned int bits = __atomic_exchange_n(this_cpu_ptr(&ipi_pending), 0, __ATOMIC_SEQ_CST);

	smp_mb();
	ipi_take(bits);
}
