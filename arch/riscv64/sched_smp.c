// SPDX-License-Identifier: MIT
/*
 * Starting other CPUs (SBI HSM) and interrupting them (SBI IPI). The one kind of software interrupt means what the target's word says.
 * The starting CPU does not wait.
 */
#include <arch/smp.h>
#include <arch/clock.h>
#include <arch/fpu.h>
#include <arch/preempt.h>
#include <abi/errno.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <sched/task.h>
#include "arch/shared/ipi.h"
#include "arch/riscv64/rv_priv.h"

static DEFINE_PER_CPU(u32, ipi_reasons);	/* atomic: 1 << enum ipi */

int __init arch_smp_prepare(void)
{
	if (machine.nr_cpus > 1 && !sbi_has(SBI_EXT_HSM)) {
		pr_warn("smp: the firmware cannot start other CPUs (no SBI HSM)\n");
		return -ENODEV;
	}
	return 0;
}

int arch_smp_boot_cpu(unsigned int cpu, struct task *idle)
{
	struct sbi_ret r;

	if (cpu >= machine.nr_cpus)
		return -EIO;
	/* Its count starts out as the boot CPU's did. */
	idle->thread.preempt = (struct arch_preempt){ .count = 1, .no_resched = 1 };
	idle->thread.percpu = __per_cpu_offset[cpu];
	*per_cpu_ptr(&current_task, cpu) = idle;
	__asm__ volatile("fence iorw, iorw" : : : "memory");
	r = sbi_call(SBI_EXT_HSM, 0, machine.hart[cpu], image_to_phys(secondary_entry), cpu, 0, 0);
	if (r.error)
		pr_warn("smp: SBI cannot start CPU %u, hart %u (%ld)\n", cpu, machine.hart[cpu], r.error);
	return r.error ? -EIO : 0;
}

void __noreturn rv_secondary_start(unsigned int cpu)
{
	__asm__ volatile("fence.i" : : : "memory");
	rv_cpu_registers();
	arch_fpu_init_cpu();
	rv_irq_init_cpu();
	arch_timer_init_cpu();
	smp_start_secondary(cpu);
}

void ipi_send(unsigned int cpu, enum ipi what)
{
	/* Whoever finds a bit there already knows that an interrupt is on its way. Release: pairs with rv_soft_interrupt's acquire. */
	if (!__atomic_fetch_or(per_cpu_ptr(&ipi_reasons, cpu), 1U << what, __ATOMIC_SEQ_CST))
		rv_sbi_ipi(cpu);
}

void rv_soft_interrupt(void)
{
	csr_clear(sip, 1UL << IRQ_SOFT);	/* before the word is taken: a later bit interrupts again */
	ipi_take(__atomic_exchange_n(this_cpu_ptr(&ipi_reasons), 0, __ATOMIC_SEQ_CST));
}
