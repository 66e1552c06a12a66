// SPDX-License-Identifier: MIT
/* One CPU made ready: what it can do (CPUCFG), its control registers, the per-CPU areas, what is told to users. */
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/elf.h>
#include <arch/irqflags.h>
#include <arch/preempt.h>
#include <arch/smp.h>
#include <asm/hwcap.h>
#include <kernel/init.h>
#include <lib/format.h>
#include <lib/string.h>
#include "arch/shared/percpu_areas.h"
#include "arch/loongarch64/la64_priv.h"
#include "arch/shared/fpu.h"
#include <arch_cpu/fpu.h>

static unsigned long hwcap __ro_after_init;
static unsigned int tlb_entries __ro_after_init;

#define CFG1_UAL (1U << 20)
#define CFG2_FP (7U << 0)		/* single and double */
#define CFG2_LSX (1U << 6)
#define CFG2_LASX (1U << 7)

static void __init read_hwcap(void)
{
	static const struct { u8 word, bit; unsigned long cap; } caps[] = {
		{ 1, 20, HWCAP_LOONGARCH_UAL }, { 1, 25, HWCAP_LOONGARCH_CRC32 }, { 2, 6, HWCAP_LOONGARCH_LSX },
		{ 2, 7, HWCAP_LOONGARCH_LASX }, { 2, 8, HWCAP_LOONGARCH_COMPLEX }, { 2, 9, HWCAP_LOONGARCH_CRYPTO },
		{ 2, 22, HWCAP_LOONGARCH_LAM }, { 2, 21, HWCAP_LOONGARCH_LSPW }, { 2, 27, HWCAP_LOONGARCH_LAM_BH },
		{ 2, 30, HWCAP_LOONGARCH_SCQ },
	};

	hwcap = HWCAP_LOONGARCH_CPUCFG;
	if ((cpucfg(2) & CFG2_FP) == CFG2_FP)
		hwcap |= HWCAP_LOONGARCH_FPU;
	for (unsigned int i = 0; i < ARRAY_SIZE(caps); i++)
		if (cpucfg((unsigned int)caps[i].word) >> caps[i].bit & 1)
			hwcap |= caps[i].cap;
}

/* PRCFG3: entries of the fully associative TLB less one, of the other its sets and ways. */
static void __init read_tlb(void)
{
	u64 v = csr_read(CSR_PRCFG3);

	tlb_entries = (unsigned int)(v >> 4 & 0xff) + 1;
	if ((v & 15) == 2)
		tlb_entries += ((unsigned int)(v >> 12 & 0xff) + 1) << (v >> 20 & 0x3f);	/* not a page */
}

enum fpu_width la64_fpu_width(void)
{
	if (!(hwcap & HWCAP_LOONGARCH_FPU))
		return FPU_NONE;
	return hwcap & HWCAP_LOONGARCH_LASX ? FPU_256 : hwcap & HWCAP_LOONGARCH_LSX ? FPU_128 : FPU_64;
}

bool la64_has_vector_256 __ro_after_init;

void __init la64_detect_cpu(void)
{
	read_hwcap();
	la64_has_vector_256 = la64_fpu_width() == FPU_256;
	read_tlb();
}

/* The same on each CPU. Nothing is fetched through windows any more. User mode may read the counter, and who it runs on. */
void la64_cpu_registers(unsigned int cpu)
{
	csr_write(0, CSR_DMW0);
	csr_write(cpu, CSR_TID);
	csr_write(__my_cpu_offset(), KS_PERCPU);
	csr_write(0, CSR_EUEN);
}

void __init la64_setup_percpu(void)
{
	percpu_make_areas(machine.nr_cpus);
	__asm__ volatile("move $r21, %0" : : "r"(__per_cpu_offset[0]) : "memory");
}

unsigned int arch_smp_count(void)
{
	return machine.nr_cpus;
}

void arch_cpu_halt(void)
{
	arch_irq_disable();
	csr_write(VECTOR_SHIFT << 16, CSR_ECFG);	/* no line ends the wait */
	for (;;)
		__asm__ volatile("idle 0" : : : "memory");
}

/* The CPU has no such instruction. */
bool arch_random_u64(u64 *out)
{
	return false;
}

#define IOCSR_NAME 0x20

struct text {
	char *buf;
	size_t size, at;
};

static void __printf(2, 3) put(struct text *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	t->at += (size_t)vsnprintf(t->at < t->size ? t->buf + t->at : NULL, t->at < t->size ? t->size - t->at : 0, fmt, ap);
	va_end(ap);
}

int arch_cpuinfo_show(char *buf, size_t size, unsigned int cpu)
{
	static const struct { const char *name; unsigned long cap; } names[] = {
		{ "cpucfg", HWCAP_LOONGARCH_CPUCFG }, { "lam", HWCAP_LOONGARCH_LAM }, { "lam_bh", HWCAP_LOONGARCH_LAM_BH },
		{ "scq", HWCAP_LOONGARCH_SCQ }, { "ual", HWCAP_LOONGARCH_UAL }, { "fpu", HWCAP_LOONGARCH_FPU },
		{ "lsx", HWCAP_LOONGARCH_LSX }, { "lasx", HWCAP_LOONGARCH_LASX }, { "crc32", HWCAP_LOONGARCH_CRC32 },
		{ "complex", HWCAP_LOONGARCH_COMPLEX }, { "crypto", HWCAP_LOONGARCH_CRYPTO }, { "lspw", HWCAP_LOONGARCH_LSPW },
	};
	struct text t = { buf, size, 0 };
	u32 prid = cpucfg(0), khz = (u32)arch_clock_khz(), cfg1 = cpucfg(1);
	u64 name = iocsr_read64(IOCSR_NAME);
	char model[9] = "";

	memcpy(model, &name, 8);
	if (!cpu)
		put(&t, "system type\t\t: generic-loongson-machine\n\n");
	put(&t, "processor\t\t: %u\npackage\t\t\t: %u\ncore\t\t\t: %u\nglobal_id\t\t: %u\n", cpu, machine.core[cpu] / 4,
	    machine.core[cpu] % 4, machine.core[cpu]);
	put(&t, "CPU Family\t\t: Loongson-64bit\nModel Name\t\t: Loongson-%s\n", model);
	put(&t, "PRID\t\t\t: %s (%08x)\n", (prid & 0xf000) == 0xd000 ? "LA664" : (prid & 0xf000) == 0xc000 ? "LA464" : "Unknown", prid);
	put(&t, "CPU Revision\t\t: 0x%02x\nFPU Revision\t\t: 0x%02x\n", prid & 0xff, cpucfg(2) >> 3 & 7);
	put(&t, "CPU MHz\t\t\t: %u.%02u\nBogoMIPS\t\t: %u.%02u\n", khz / 1000, khz / 10 % 100, khz / 500, khz / 5 % 100);
	put(&t, "TLB Entries\t\t: %u\nAddress Sizes\t\t: %u bits physical, %u bits virtual\n", tlb_entries, (cfg1 >> 4 & 0xff) + 1,
	    (cfg1 >> 12 & 0xff) + 1);	/* not a page */
	put(&t, "ISA\t\t\t: loongarch32r loongarch32s loongarch64\nFeatures\t\t:");
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
		if (hwcap & names[i].cap)
			put(&t, " %s", names[i].name);
	put(&t, "\nHardware Watchpoint\t: no\n\n");
	return (int)t.at;
}

unsigned long arch_elf_hwcap(void)
{
	return hwcap;
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
	return snprintf(buf, size, "Vulnerable\n");
}
