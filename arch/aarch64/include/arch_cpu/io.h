/* SPDX-License-Identifier: MIT */
/* Single-register accesses, so that a hypervisor can decode them; a barrier keeps normal memory on its side. */
#pragma once

#define __MMIO(type, suffix, ld, st, w)							\
static inline type read##suffix(const volatile void __iomem *p)					\
{											\
	type v;										\
	__asm__ volatile(ld " %" w "0, [%1]\n\tdmb oshld" : "=r"(v) : "r"(p) : "memory");	\
	return v;									\
}											\
static inline void write##suffix(type v, volatile void __iomem *p)				\
{											\
	__asm__ volatile("dmb oshst\n\t" st " %" w "0, [%1]" : : "rZ"(v), "r"(p) : "memory");	\
}
__MMIO(u8, b, "ldrb", "strb", "w")
__MMIO(u16, w, "ldrh", "strh", "w")
__MMIO(u32, l, "ldr", "str", "w")
__MMIO(u64, q, "ldr", "str", "x")
#undef __MMIO
