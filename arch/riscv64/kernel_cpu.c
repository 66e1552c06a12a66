// SPDX-License-Identifier: MIT
/* One CPU made ready: its control registers, the per-CPU areas, waiting and stopping. */
#include <arch/cpu.h>
#include <arch/irqflags.h>
#include <arch/preempt.h>
#include <arch/smp.h>
#include <kernel/init.h>
#include <lib/format.h>
#include "arch/shared/percpu_areas.h"
#include "arch/riscv64/rv_priv.h"

unsigned int rv_nr_asids __ro_after_init = 1;

/* Programs read cycles, time and retired instructions where M mode lets them. */
#define COUNTERS 7

static void __init count_asids(void)
{
	unsigned long satp = csr_read(satp), got;

	csr_write(satp, satp | SATP_ASID_MASK << SATP_ASID_SHIFT);
	got = csr_read(satp) >> SATP_ASID_SHIFT & SATP_ASID_MASK;
	csr_write(satp, satp);
	__asm__ volatile("sfence.vma" : : : "memory");
	rv_nr_asids = (unsigned int)got + 1;
}

/* The same on each CPU. */
void rv_cpu_registers(void)
{
	if (!arch_cpu_number())
		count_asids();
	csr_write(scounteren, COUNTERS);
	csr_write(sie, 1UL << IRQ_SOFT);
}

void __init rv_setup_percpu(void)
{
	percpu_make_areas(machine.nr_cpus);
	__asm__ volatile("mv gp, %0" : : "r"(__per_cpu_offset[0]) : "memory");
}

unsigned int arch_smp_count(void)
{
	return machine.nr_cpus;
}

/* WFI ends with a pending interrupt although they are off, so none is slept through. */
void arch_cpu_idle(void)
{
	__asm__ volatile("fence rw, rw; wfi" : : : "memory");
	arch_irq_enable();
}

void arch_cpu_halt(void)
{
	arch_irq_disable();
	csr_write(sie, 0);
	for (;;)
		__asm__ volatile("wfi" : : : "memory");
}

/* The seed register of Zkr is M mode's to give: it is not tried. */
bool arch_random_u64(u64 *out)
{
	return false;
}

static const char *const bugs[] = { "meltdown", "spec_store_bypass", "spectre_v1", "spectre_v2" };

const char *arch_vulnerability_name(unsigned int i)
{
	return i < ARRAY_SIZE(bugs) ? bugs[i] : NULL;
}

/* Nothing tells what a CPU does speculatively, and nothing is mitigated in software here. */
int arch_vulnerability_show(char *buf, size_t size, unsigned int i)
{
	return snprintf(buf, size, "%s\n", "Vulnerable");
}
