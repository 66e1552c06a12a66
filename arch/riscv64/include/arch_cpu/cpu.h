/* SPDX-License-Identifier: MIT */
#pragma once

extern unsigned int __cpu_number;		/* per-CPU */

static __always_inline unsigned int arch_cpu_number(void)
{
	const unsigned int *p;

	__asm__ volatile("add %0, %1, gp" : "=r"(p) : "r"(&__cpu_number));
	return *p;
}

/* An address inside the calling code. */
#define arch_this_ip() ({ unsigned long __ip; __asm__("auipc %0, 0" : "=r"(__ip)); __ip; })

/* The encoding of Zihintpause's pause: a no-op where the CPU does not know it. */
static __always_inline void cpu_relax(void)
{
	__asm__ volatile(".4byte 0x0100000f" : : : "memory");
}

static inline u64 arch_cycles(void)
{
	u64 v;

	__asm__ volatile("rdtime %0" : "=r"(v));
	return v;
}

static inline void prefetch(const void *p)
{
	__builtin_prefetch(p);
}
