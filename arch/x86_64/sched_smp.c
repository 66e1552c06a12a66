// SPDX-License-Identifier: MIT
/*
 * Starting and stopping other CPUs. The starting CPU does not wait: each new one finds its number by its APIC id, so that any
 * number of them may come up at once.
 */
#include <arch/smp.h>
#include <arch/clock.h>
#include <arch/fpu.h>
#include <arch/irq.h>
#include <arch/mmu.h>
#include <arch/stacktrace.h>
#include <abi/errno.h>
#include <kernel/ksyms.h>
#include <kernel/cpumask.h>
#include <kernel/init.h>
#include <kernel/preempt.h>
#include <kernel/printk.h>
#include <lib/memblock.h>
#include <lib/string.h>
#include <sched/task.h>
#include "arch/x86_64/x86_priv.h"
#include "arch/x86_64/entry_priv.h"

extern char trampoline_start[], trampoline_end[], trampoline_cr3[], trampoline_efer[], trampoline_entry[];
extern char trampoline_jump[], trampoline_gdt_ptr[], secondary_64[];

DEFINE_PER_CPU(unsigned long, secondary_stack);	/* read by head.S, as machine's first two members are */
static_assert(offsetof(struct x86_machine, nr_cpus) == 0 && offsetof(struct x86_machine, apic_id) == 4, "head.S");
static phys_addr_t trampoline_page;
static bool stopping;
static struct cpumask backtrace_wanted;	/* atomic bits */

/* While memory below 1 MiB is still free. */
void __init x86_smp_reserve(void)
{
	if (machine.nr_cpus > 1)
		trampoline_page = memblock_alloc_range(PAGE_SIZE, PAGE_SIZE, PAGE_SIZE, 0xa0000);
}

int __init arch_smp_prepare(void)
{
	char *t;

	if (machine.nr_cpus == 1)
		return 0;
	if (!trampoline_page) {
		pr_warn("smp: no memory below 1 MiB for the start-up code\n");
		return -ENOMEM;
	}
	t = phys_to_virt(trampoline_page);
	memcpy(t, trampoline_start, (size_t)(trampoline_end - trampoline_start));
#define FIELD(type, sym) (*(type *)(t + (sym - trampoline_start)))
	FIELD(u32, trampoline_cr3) = (u32)image_to_phys(early_root);
	FIELD(u32, trampoline_efer) = 0x101 | (cpu_has(X86_FEATURE_NX) ? 0x800 : 0);
	FIELD(u64, trampoline_entry) = (u64)secondary_64;
	FIELD(u32, trampoline_jump) += (u32)trampoline_page;
	*(u32 *)(t + (trampoline_gdt_ptr - trampoline_start) + 2) += (u32)trampoline_page;
	/* The start-up root: low memory at its own address, and the kernel as it is now. */
	arch_pt_copy_kernel((pte_t *)early_root);
	return 0;
}

#define ICR_INIT 0x4500
#define ICR_STARTUP 0x4600
#define ICR_NMI 0x4400
#define ICR_OTHERS (3U << 18)

int arch_smp_boot_cpu(unsigned int cpu, struct task *idle)
{
	if (!trampoline_page || cpu >= machine.nr_cpus)
		return -EIO;
	per_cpu(secondary_stack, cpu) = (unsigned long)idle->stack + THREAD_SIZE;
	*per_cpu_ptr(&current_task, cpu) = idle;
	smp_mb();
	apic_send_icr(machine.apic_id[cpu], ICR_INIT);
	if (!cpu_has(X86_FEATURE_HYPERVISOR))
		arch_udelay(10000);
	apic_send_icr(machine.apic_id[cpu], ICR_STARTUP | (u32)(trampoline_page >> PAGE_SHIFT));
	if (!cpu_has(X86_FEATURE_HYPERVISOR)) {
		arch_udelay(200);
		apic_send_icr(machine.apic_id[cpu], ICR_STARTUP | (u32)(trampoline_page >> PAGE_SHIFT));
	}
	return 0;
}

void __noreturn x86_secondary_start(unsigned int cpu)
{
	write_cr3(image_to_phys(kernel_pgd));
	x86_cpu_tables(cpu);
	x86_use_ist(cpu);
	x86_cpu_registers();
	x86_mitigate_cpu();
	arch_set_current(current);
	arch_fpu_init_cpu();
	x86_apic_init_cpu();
	arch_timer_init_cpu();
	smp_start_secondary(cpu);
}

void arch_smp_stop_others(void)
{
	if (num_online_cpus() <= 1)
		return;
	WRITE_ONCE(stopping, true);
	smp_mb();
	apic_send_icr(0, ICR_NMI | ICR_OTHERS);
	arch_udelay(1000);
}

void arch_smp_nmi_backtrace(unsigned int cpu)
{
	cpumask_test_and_set_cpu(cpu, &backtrace_wanted);	/* a full barrier: the other CPU sees it */
	apic_send_icr(machine.apic_id[cpu], ICR_NMI);
}

void x86_nmi(struct pt_regs *regs, unsigned long vector)
{
	if (READ_ONCE(stopping)) {
		x86_svm_off();
		arch_cpu_halt();
	}
	__preempt_count_add(NMI_OFFSET);
	if (vector == VEC_MC) {
		die("machine check", regs, 0);
	} else if (cpumask_test_and_clear_cpu(arch_cpu_number(), &backtrace_wanted)) {
		pr_emerg("NMI backtrace for cpu %u\n", arch_cpu_number());
		arch_show_regs(regs);
		dump_stack_from(regs);
	} else {
		pr_emerg("NMI of unknown reason on CPU %u\n", arch_cpu_number());
	}
	__preempt_count_sub(NMI_OFFSET);
}
