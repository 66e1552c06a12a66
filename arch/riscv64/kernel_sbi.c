// SPDX-License-Identifier: MIT
/* The supervisor binary interface: what the firmware in M mode does for us (RISC-V SBI specification 2.0). */
#include <kernel/cpumask.h>
#include <kernel/init.h>
#include <kernel/percpu.h>
#include "arch/riscv64/rv_priv.h"

DEFINE_PER_CPU(unsigned int, rv_fences);
static bool v02 __ro_after_init, has_ipi __ro_after_init, has_rfence __ro_after_init;

struct sbi_ret sbi_call(unsigned long ext, unsigned long fn, unsigned long arg0, unsigned long arg1, unsigned long arg2,
			unsigned long arg3, unsigned long arg4)
{
	register unsigned long a0 __asm__("a0") = arg0;
	register unsigned long a1 __asm__("a1") = arg1;
	register unsigned long a2 __asm__("a2") = arg2;
	register unsigned long a3 __asm__("a3") = arg3;
	register unsigned long a4 __asm__("a4") = arg4;
	register unsigned long a6 __asm__("a6") = fn;
	register unsigned long a7 __asm__("a7") = ext;

	__asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a3), "r"(a4), "r"(a6), "r"(a7) : "memory");
	return (struct sbi_ret){ (long)a0, (long)a1 };
}

bool sbi_has(unsigned long ext)
{
	struct sbi_ret r;

	if (!v02)
		return false;
	r = sbi_call(SBI_EXT_BASE, 3, ext, 0, 0, 0, 0);
	return !r.error && r.value;
}

void __init rv_sbi_init(void)
{
	struct sbi_ret r = sbi_call(SBI_EXT_BASE, 0, 0, 0, 0, 0, 0);

	v02 = !r.error && r.value >= 2;
	has_ipi = sbi_has(SBI_EXT_IPI);
	has_rfence = sbi_has(SBI_EXT_RFENCE);
}

void rv_sbi_ipi(unsigned int cpu)
{
	if (has_ipi)
		sbi_call(SBI_EXT_IPI, 0, 1, machine.hart[cpu], 0, 0, 0);
}

/* FN for all harts of MASK, as many a call as one word of harts takes. */
static void fence(unsigned long fn, const struct cpumask *mask, unsigned long start, unsigned long size)
{
	unsigned long harts = 0, base = 0;
	unsigned int cpu;

	if (!has_rfence)
		return;
	this_cpu_inc(rv_fences);
	for_each_cpu(cpu, mask) {
		unsigned long h = machine.hart[cpu];

		if (harts && (h < base || h - base >= 64)) {
			sbi_call(SBI_EXT_RFENCE, fn, harts, base, start, size, 0);
			harts = 0;
		}
		if (!harts)
			base = h & ~63UL;
		harts |= 1UL << (h - base);
	}
	if (harts)
		sbi_call(SBI_EXT_RFENCE, fn, harts, base, start, size, 0);
}

void rv_sbi_fence_i(const struct cpumask *mask)
{
	fence(0, mask, 0, 0);
}

void rv_sbi_sfence(const struct cpumask *mask, unsigned long start, unsigned long size)
{
	fence(1, mask, start, size);
}
