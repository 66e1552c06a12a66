/* SPDX-License-Identifier: MIT */
#pragma once

extern unsigned int __cpu_number;		/* per-CPU */

static __always_inline unsigned int arch_cpu_number(void)
{
	unsigned long base;

	__asm__ volatile("move %0, $r21" : "=r"(base));
	return *(const unsigned int *)((const char *)&__cpu_number + base);
}

/* An address inside the calling code. */
#define arch_this_ip() ({ unsigned long __ip; __asm__("pcaddi %0, 0" : "=r"(__ip)); __ip; })

/* There is no hint for it. */
static __always_inline void cpu_relax(void)
{
	__asm__ volatile("" : : : "memory");
}

static inline u64 arch_cycles(void)
{
	u64 v;

	__asm__ volatile("rdtime.d %0, $zero" : "=r"(v));
	return v;
}

static inline void prefetch(const void *p)
{
	__builtin_prefetch(p);
}
