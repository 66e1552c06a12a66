// SPDX-License-Identifier: MIT
/* What CPUs send each other, all by ordinary interrupts: a CPU that keeps them off hears nothing. */
#include <arch/smp.h>
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/irq.h>
#include <arch/stacktrace.h>
#include <arch/upcalls.h>
#include <kernel/cpumask.h>
#include <kernel/ksyms.h>
#include <kernel/printk.h>
#include "arch/shared/ipi.h"

void arch_send_reschedule(unsigned int cpu)
{
	ipi_send(cpu, IPI_RESCHED);
}

void arch_send_call(const struct cpumask *mask)
{
	unsigned int cpu;

	for_each_cpu(cpu, mask)
		ipi_send(cpu, IPI_CALL);
}

void arch_smp_stop_others(void)
{
	unsigned int cpu;

	if (num_online_cpus() <= 1)
		return;
	for_each_online_cpu(cpu)
		if (cpu != arch_cpu_number())
			ipi_send(cpu, IPI_STOP);
	arch_udelay(1000);
}

void arch_smp_nmi_backtrace(unsigned int cpu)
{
	ipi_send(cpu, IPI_BACKTRACE);
}

static void backtrace_here(struct pt_regs *regs)
{
	pr_emerg("backtrace for cpu %u\n", arch_cpu_number());
	if (!regs)
		return;
	arch_show_regs(regs);
	dump_stack_from(regs);
}

void ipi_take(unsigned int bits)
{
	if (bits & 1U << IPI_STOP)
		arch_cpu_halt();
	if (bits & 1U << IPI_CALL)
		smp_call_interrupt();
	if (bits & 1U << IPI_RESCHED)
		sched_ipi();
	if (bits & 1U << IPI_BACKTRACE)
		backtrace_here(get_irq_regs());
}
