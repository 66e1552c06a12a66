// SPDX-License-Identifier: MIT
/* One CPU made ready: entry points, the per-CPU areas; what is told of it to users. */
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/elf.h>
#include <arch/irqflags.h>
#include <arch/smp.h>
#include <kernel/init.h>
#include <lib/format.h>
#include "arch/shared/percpu_areas.h"
#include "arch/alpha/alpha_priv.h"

void alpha_entry_points(void)
{
	static void (*const entries[])(void) = { alpha_ent_int, alpha_ent_arith, alpha_ent_mm, alpha_ent_if, alpha_ent_una, alpha_ent_sys };
	register unsigned long gp __asm__("$29");

	for (unsigned int i = 0; i < ARRAY_SIZE(entries); i++)
		pal_call2(PAL_wrent, entries[i], i);
	__asm__ volatile("" : "=r"(gp));
	pal_call1(PAL_wrkgp, gp);
	pal_call1(PAL_wrmces, 7);	/* forgets machine checks of before */
}

void __init alpha_setup_percpu(void)
{
	unsigned long *top = (unsigned long *)(boot_stack + THREAD_SIZE - STACK_TOP_WORDS);

	percpu_make_areas(machine.nr_cpus);
	top[1] = __per_cpu_offset[0];
	__asm__ volatile("mov %0, $7" : : "r"(__per_cpu_offset[0]) : "memory");
}

unsigned int arch_smp_count(void)
{
	return machine.nr_cpus;
}

void arch_cpu_halt(void)
{
	for (;;) {
		arch_irq_disable();
		pal_call1(0x3e, 0);	/* wtint */
	}
}

/* The CPU has no such instruction. */
bool arch_random_u64(u64 *out)
{
	return false;
}

int arch_cpuinfo_show(char *buf, size_t size, unsigned int cpu)
{
	u64 hz = machine.cycle_hz;

	if (cpu)
		return 0;	/* one text for all, as programs know it */
	return snprintf(buf, size, "cpu\t\t\t: Alpha\ncpu model\t\t: %s\ncpu variation\t\t: 0\ncpu revision\t\t: 0\ncpu serial number\t: %s\n"
			"system type\t\t: %s\nsystem variation\t: %llu\nsystem revision\t\t: 0\nsystem serial number\t: %s\n"
			"cycle frequency [Hz]\t: %llu\ntimer frequency [Hz]\t: 1024.00\npage size [bytes]\t: %lu\nphys. address bits\t: 44\n"
			"max. addr. space #\t: 255\nBogoMIPS\t\t: %llu.%02llu\nplatform string\t\t: N/A\ncpus detected\t\t: %u\n",
			alpha_cpu_name(), machine.serial, machine.system_type == 34 ? "Tsunami" : "Unknown", machine.system_variation,
			machine.serial, hz, PAGE_SIZE, hz / 500000, hz / 5000 % 100, machine.nr_cpus);
}

/* BWX, FIX, CIX, MVI: as amask tells them. */
unsigned long arch_elf_hwcap(void)
{
	unsigned long lacks;

	__asm__("amask %1, %0" : "=r"(lacks) : "r"(-1L));
	return ~lacks;
}

unsigned long arch_elf_hwcap2(void)
{
	return 0;
}

/* The CPU says nothing about them, and nothing is mitigated in software here. */
static const char *const bugs[] = { "meltdown", "spec_store_bypass", "spectre_v1", "spectre_v2" };

const char *arch_vulnerability_name(unsigned int i)
{
	return i < ARRAY_SIZE(bugs) ? bugs[i] : NULL;
}

int arch_vulnerability_show(char *buf, size_t size, unsigned int i)
{
	return snprintf(buf, size, i == 0 ? "Not affected\n" : "Vulnerable\n");
}
