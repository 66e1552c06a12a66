/* SPDX-License-Identifier: MIT */
/* Device registers through the superpage: accesses are merged and reordered unless barriers stand between. */
#pragma once

#include <arch_cpu/barrier.h>

#define ARCH_HAS_PORTS 1
#define ALPHA_PORTS 0xfffffd01fc000000UL	/* of Typhoon's first PCI bus; bytes and words go by themselves (BWX) */

#define __MMIO(type, suffix, ld, st)							\
static inline type read##suffix(const volatile void __iomem *p)				\
{											\
	type v;										\
	__asm__ volatile(ld " %0, 0(%1)\n\tmb" : "=r"(v) : "r"(p) : "memory");		\
	return v;									\
}											\
static inline void write##suffix(type v, volatile void __iomem *p)			\
{											\
	__asm__ volatile("mb\n\t" st " %0, 0(%1)" : : "r"(v), "r"(p) : "memory");	\
}
__MMIO(u8, b, "ldbu", "stb")
__MMIO(u16, w, "ldwu", "stw")
__MMIO(u32, l, "ldl", "stl")
__MMIO(u64, q, "ldq", "stq")
#undef __MMIO

#define __PORT(type, suffix)										\
static inline type in##suffix(u16 port)									\
{													\
	return read##suffix((const volatile void __iomem __force *)(ALPHA_PORTS + port));		\
}													\
static inline void out##suffix(type v, u16 port)							\
{													\
	write##suffix(v, (volatile void __iomem __force *)(ALPHA_PORTS + port));			\
	mb();												\
}
__PORT(u8, b)
__PORT(u16, w)
__PORT(u32, l)
#undef __PORT
