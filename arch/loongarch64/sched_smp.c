// SPDX-License-Identifier: MIT
/* Starting other CPUs (by the mailbox that the firmware parked them at) and stopping them. The starting CPU does not wait. */
#include <arch/smp.h>
#include <arch/clock.h>
#include <arch/fpu.h>
#include <arch/preempt.h>
#include <arch/switch.h>
#include <abi/errno.h>
#include <alloc/vmalloc.h>
#include <kernel/init.h>
#include <sched/task.h>
#include "arch/loongarch64/la64_priv.h"

int __init arch_smp_prepare(void)
{
	return 0;
}

int arch_smp_boot_cpu(unsigned int cpu, struct task *idle)
{
	if (cpu >= machine.nr_cpus)
		return -EIO;
#ifdef CONFIG_KASAN
	overflow_stacks[cpu] = vmalloc(OVERFLOW_STACK_SIZE);
	if (!overflow_stacks[cpu])
		return -ENOMEM;
#endif
	/* Its count starts out as the boot CPU's did. */
	idle->thread.preempt = (struct arch_preempt){ .count = 1, .no_resched = 1 };
	*per_cpu_ptr(&current_task, cpu) = idle;
	la64_ipi_start_core(machine.core[cpu], image_to_phys(secondary_entry), cpu);
	return 0;
}

void __noreturn la64_secondary_start(unsigned int cpu)
{
	csr_write((u64)current, KS_TASK);
	csr_write((u64)task_pt_regs(current), KS_FRAME);
	la64_cpu_registers(cpu);
	arch_fpu_init_cpu();
	la64_irq_init_cpu();
	arch_timer_init_cpu();
	smp_start_secondary(cpu);
}
