/* SPDX-License-Identifier: MIT */
/* Single-register accesses; fences keep normal memory on its side (before a write, after a read). */
#pragma once

#define __MMIO(type, suffix, ld, st)							\
static inline type read##suffix(const volatile void __iomem *p)				\
{											\
	type v;										\
	__asm__ volatile(ld " %0, 0(%1)\n\tfence i, ir" : "=r"(v) : "r"(p) : "memory");	\
	return v;									\
}											\
static inline void write##suffix(type v, volatile void __iomem *p)			\
{											\
	__asm__ volatile("fence w, o\n\t" st " %z0, 0(%1)" : : "rJ"(v), "r"(p) : "memory");	\
}
__MMIO(u8, b, "lbu", "sb")
__MMIO(u16, w, "lhu", "sh")
__MMIO(u32, l, "lwu", "sw")
__MMIO(u64, q, "ld", "sd")
#undef __MMIO
