// SPDX-License-Identifier: MIT
/*
 * Starting other CPUs (SBI HSM) and interrupting them (SBI IPI). The one kind of software interrupt means what the target's word says.
 * The starting CPU does not wait.
 */
#include <arch/smp.h>
#include <arch/clock.h>
#include <arch/fpu.h>
#include <arch/irq.h>
#include <arch/preempt.h>
#include <arch/stacktrace.h>
#include <abi/errno.h>
#include <kernel/ksyms.h>
#include <kernel/cpumask.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <sched/task.h>
#include "arch/riscv64/rv_priv.h"

enum { IPI_RESCHED = 1, IPI_CALL = 2, IPI_STOP = 4, IPI_BACKTRACE = 8 };
static DEFINE_PER_CPU(u32, ipi_reasons);	/* atomic */

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
	rv_plic_init_cpu();
	arch_timer_init_cpu();
	smp_start_secondary(cpu);
}

static void send(unsigned int cpu, u32 reason)
{
	/* Whoever finds a bit there already knows that an interrupt is on its way. Release: pairs with rv_soft_interrupt's acquire. */
	if (!__atomic_fetch_or(per_cpu_ptr(&ipi_reasons, cpu), reason, __ATOMIC_SEQ_CST))
		rv_sbi_ipi(cpu);
}

void arch_send_reschedule(unsigned int cpu)
{
	send(cpu, IPI_RESCHED);
}

void arch_send_call(const struct cpumask *mask)
{
	unsigned int cpu;

	for_each_cpu(cpu, mask)
		send(cpu, IPI_CALL);
}

/* By an ordinary interrupt: a CPU that keeps them off goes on. */
void arch_smp_stop_others(void)
{
	unsigned int cpu;

	if (num_online_cpus() <= 1)
		return;
	for_each_online_cpu(cpu)
		if (cpu != arch_cpu_number())
			send(cpu, IPI_STOP);
	arch_udelay(1000);
}

void arch_smp_nmi_backtrace(unsigned int cpu)
{
	send(cpu, IPI_BACKTRACE);
}

static void backtrace_here(struct pt_regs *regs)
{
	pr_emerg("backtrace for cpu %u\n", arch_cpu_number());
	if (!regs)
		return;
	arch_show_regs(regs);
	dump_stack_from(regs);
}

void rv_soft_interrupt(void)
{
	u32 why;

	csr_clear(sip, 1UL << IRQ_SOFT);	/* before the word is taken: a later bit interrupts again */
	why = __atomic_exchange_n(this_cpu_ptr(&ipi_reasons), 0, __ATOMIC_SEQ_CST);
	if (why & IPI_STOP)
		arch_cpu_halt();
	if (why & IPI_RESCHED)
		sched_ipi();
	if (why & IPI_CALL)
		smp_call_interrupt();
	if (why & IPI_BACKTRACE)
		backtrace_here(get_irq_regs());
}
