// SPDX-License-Identifier: MIT
/* One CPU made ready: what it can do (the ID registers), its control registers, the per-CPU areas, what is told to users. */
#include <arch/cpu.h>
#include <arch/irqflags.h>
#include <arch/preempt.h>
#include <arch/smp.h>
#include <kernel/init.h>
#include <lib/format.h>
#include "arch/shared/percpu_areas.h"
#include "arch/aarch64/a64_priv.h"

bool a64_has_pan __ro_after_init, a64_has_bti __ro_after_init, a64_has_mops __ro_after_init;
unsigned int a64_asid_bits __ro_after_init = 8;
static u64 isar0 __ro_after_init, pfr0 __ro_after_init, midr __ro_after_init;


static unsigned int field(u64 reg, unsigned int shift)
{
	return reg >> shift & 15;
}

void __init a64_detect_cpu(void)
{
	midr = read_sysreg(midr_el1);
	isar0 = read_sysreg(id_aa64isar0_el1);
	pfr0 = read_sysreg(id_aa64pfr0_el1);
	a64_has_pan = field(read_sysreg(id_aa64mmfr1_el1), 20);
	a64_asid_bits = field(read_sysreg(id_aa64mmfr0_el1), 4) == 2 ? 16 : 8;
	a64_detect_caches();
	a64_detect_features();
}

#define SCTLR_SPAN (1UL << 23)
#define SCTLR_MSCEN (1ULL << 33)	/* programs may use FEAT_MOPS */
#define SCTLR_BT (3ULL << 35)		/* PACIASP is no landing place for br but by x16, x17 */

/* The same on each CPU. User mode may use the FPU and read the virtual counter; nothing else of the timer, no debug. */
void a64_cpu_registers(void)
{
	write_sysreg(3UL << 20, cpacr_el1);
	write_sysreg(2, cntkctl_el1);
	write_sysreg(0, mdscr_el1);
	write_sysreg(0, osdlr_el1);
	write_sysreg(0, oslar_el1);
	write_sysreg(0, tpidr_el0);
	write_sysreg(0, tpidrro_el0);
	if (a64_has_pan) {
		write_sysreg(read_sysreg(sctlr_el1) & ~SCTLR_SPAN, sctlr_el1);
		__asm__ volatile(".inst 0xd500419f" : : : "memory");	/* msr pan, #1 */
	}
	if (a64_has_mops)
		write_sysreg(read_sysreg(sctlr_el1) | SCTLR_MSCEN, sctlr_el1);
	if (a64_has_bti)
		write_sysreg(read_sysreg(sctlr_el1) | SCTLR_BT, sctlr_el1);
	a64_sve_init_cpu();
	isb();
	__asm__ volatile("msr daifclr, #4" : : : "memory");		/* SError */
}

void __init a64_setup_percpu(void)
{
	percpu_make_areas(machine.nr_cpus);
	write_sysreg(__per_cpu_offset[0], tpidr_el1);
}

unsigned int arch_smp_count(void)
{
	return machine.nr_cpus;
}

/* WFI ends with a pending interrupt although it is masked, so none is slept through. */
void arch_cpu_idle(void)
{
	__asm__ volatile("dsb sy; wfi" : : : "memory");
	arch_irq_enable();
}

void arch_cpu_halt(void)
{
	__asm__ volatile("msr daifset, #15" : : : "memory");
	for (;;)
		__asm__ volatile("wfi" : : : "memory");
}

/* RNDR (FEAT_RNG); it may have nothing for the moment and then sets Z. */
bool arch_random_u64(u64 *out)
{
	bool ok = false;

	if (field(isar0, 60) == 0)
		return false;
	for (int i = 0; i < 10 && !ok; i++)
		__asm__ volatile("mrs %0, s3_3_c2_c4_0; cset %w1, ne" : "=r"(*out), "=r"(ok) : : "cc");
	return ok;
}

int arch_cpuinfo_show(char *buf, size_t size, unsigned int cpu)
{
	u64 hz = read_sysreg(cntfrq_el0);
	size_t at = (size_t)snprintf(buf, size, "processor\t: %u\nBogoMIPS\t: %llu.%02llu\nFeatures\t:", cpu,
				     hz / 500000, hz / 5000 % 100);

	at += a64_show_features(at < size ? buf + at : NULL, at < size ? size - at : 0);
	at += (size_t)snprintf(at < size ? buf + at : NULL, at < size ? size - at : 0,
		"\nCPU implementer\t: 0x%02llx\nCPU architecture: 8\nCPU variant\t: 0x%llx\nCPU part\t: 0x%03llx\n"
		"CPU revision\t: %llu\n\n", midr >> 24 & 0xff, midr >> 20 & 15, midr >> 4 & 0xfff, midr & 15);
	return (int)at;
}

static const char *const bugs[] = { "meltdown", "spec_store_bypass", "spectre_v1", "spectre_v2" };

const char *arch_vulnerability_name(unsigned int i)
{
	return i < ARRAY_SIZE(bugs) ? bugs[i] : NULL;
}

/* What the CPU says of itself (CSV3, CSV2); nothing is mitigated in software here. */
int arch_vulnerability_show(char *buf, size_t size, unsigned int i)
{
	bool safe = (i == 0 && field(pfr0, 60)) || (i == 3 && field(pfr0, 56));

	return snprintf(buf, size, "%s\n", safe ? "Not affected" : "Vulnerable");
}
