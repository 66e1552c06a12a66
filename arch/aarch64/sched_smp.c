// SPDX-License-Identifier: MIT
/* Starting other CPUs (PSCI CPU_ON) and stopping them. The starting CPU does not wait. */
#include <arch/smp.h>
#include <arch/clock.h>
#include <arch/fpu.h>
#include <arch/preempt.h>
#include <abi/errno.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <sched/task.h>
#include "arch/aarch64/a64_priv.h"

int __init arch_smp_prepare(void)
{
	if (machine.nr_cpus > 1 && !machine.psci) {
		pr_warn("smp: the device tree names no PSCI to start other CPUs by\n");
		return -ENODEV;
	}
	return 0;
}

int arch_smp_boot_cpu(unsigned int cpu, struct task *idle)
{
	long err;

	if (cpu >= machine.nr_cpus)
		return -EIO;
	/* Its count starts out as the boot CPU's did. */
	idle->thread.preempt = (struct arch_preempt){ .count = 1, .no_resched = 1 };
	*per_cpu_ptr(&current_task, cpu) = idle;
	__asm__ volatile("dsb sy" : : : "memory");
	err = a64_psci(machine.psci_cpu_on, machine.mpidr[cpu], image_to_phys(secondary_entry), cpu);
	if (err)
		pr_warn("smp: PSCI cannot start CPU %u (%ld)\n", cpu, err);
	return err ? -EIO : 0;
}

static DEFINE_PER_CPU(bool, unfit);

/* The kernel's text was patched for what the boot CPU has, and programs run everywhere: another kind of CPU stays off. It cannot even say so itself. */
void __noreturn a64_secondary_start(unsigned int cpu)
{
	if (!a64_fits_alternatives() || (a64_has_sve && !(read_sysreg(id_aa64pfr0_el1) >> 32 & 15))) {
		WRITE_ONCE(*per_cpu_ptr(&unfit, cpu), true);
		arch_cpu_halt();
	}
	write_sysreg(image_to_phys(empty_root), ttbr0_el1);
	isb();
	__asm__ volatile("tlbi vmalle1; dsb nsh; isb" : : : "memory");
	a64_cpu_registers();
	a64_check_caches();
	a64_check_features();
	arch_fpu_init_cpu();
	a64_gic_init_cpu();
	arch_timer_init_cpu();
	smp_start_secondary(cpu);
}

static int __init say_unfit(void)
{
	for (unsigned int cpu = 1; cpu < machine.nr_cpus; cpu++)
		if (READ_ONCE(*per_cpu_ptr(&unfit, cpu)))
			pr_err("smp: CPU %u lacks LSE atomics, MOPS or SVE, which the boot CPU has: it stays off\n", cpu);
	return 0;
}
INITCALL(late, say_unfit);
