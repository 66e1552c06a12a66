/* SPDX-License-Identifier: MIT */
#pragma once

extern unsigned int __cpu_number;		/* per-CPU */

static __always_inline unsigned int arch_cpu_number(void)
{
	unsigned long base;

	__asm__ volatile("mov $7, %0" : "=r"(base));
	return *(const unsigned int *)((const char *)&__cpu_number + base);
}

/* There is no hint for it. */
static __always_inline void cpu_relax(void)
{
	__asm__ volatile("" : : : "memory");
}

/* The low half of the register counts. */
static inline u64 arch_cycles(void)
{
	u64 v;

	__asm__ volatile("rpcc %0" : "=r"(v));
	return (u32)v;
}

static inline void prefetch(const void *p)
{
	__builtin_prefetch(p);
}
