/* SPDX-License-Identifier: MIT */
#pragma once

extern unsigned int __cpu_number;		/* per-CPU */

static __always_inline unsigned int arch_cpu_number(void)
{
	unsigned int n;

	__asm__ volatile("movl %%gs:%1, %0" : "=r"(n) : "m"(__cpu_number));
	return n;
}

/* An address inside the calling code. */
#define arch_this_ip() ({ unsigned long __ip; __asm__("leaq 0(%%rip), %0" : "=r"(__ip)); __ip; })

static __always_inline void cpu_relax(void)
{
	__builtin_ia32_pause();
}

static inline u64 arch_cycles(void)
{
	u32 lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (u64)hi << 32 | lo;
}

static inline void prefetch(const void *p)
{
	__builtin_prefetch(p);
}
