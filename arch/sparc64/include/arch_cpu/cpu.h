/* SPDX-License-Identifier: MIT */
#pragma once

extern unsigned int __cpu_number;		/* per-CPU */

static __always_inline unsigned int arch_cpu_number(void)
{
	unsigned long base;

	__asm__ volatile("mov %%g7, %0" : "=r"(base));
	return *(const unsigned int *)((const char *)&__cpu_number + base);
}

static __always_inline void cpu_relax(void)
{
	__asm__ volatile("rd %%ccr, %%g0" : : : "memory");
}

static inline u64 arch_cycles(void)
{
	u64 v;

	__asm__ volatile("rd %%tick, %0" : "=r"(v));
	return v & ~(1ULL << 63);
}

static inline void prefetch(const void *p)
{
	__builtin_prefetch(p);
}
