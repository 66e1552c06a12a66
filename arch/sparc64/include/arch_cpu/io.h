/* SPDX-License-Identifier: MIT */
/*
 * Device registers are reached by their physical addresses (ASI 0x15 and, byte by byte the other way round as PCI wants it, 0x1d): an
 * __iomem pointer is one. These accesses stay in order among themselves; a barrier keeps normal memory on its side.
 */
#pragma once

#define __MMIO(type, suffix, ld, st, asi)							\
static inline type read##suffix(const volatile void __iomem *p)				\
{											\
	type v;										\
	__asm__ volatile(ld " [%1] " asi ", %0\n\tmembar #Sync" : "=r"(v) : "r"(p) : "memory");	\
	return v;									\
}											\
static inline void write##suffix(type v, volatile void __iomem *p)			\
{											\
	__asm__ volatile("membar #Sync\n\t" st " %0, [%1] " asi : : "r"(v), "r"(p) : "memory");	\
}
__MMIO(u8, b, "lduba", "stba", "0x15")
__MMIO(u16, w, "lduha", "stha", "0x1d")
__MMIO(u32, l, "lduwa", "stwa", "0x1d")
__MMIO(u64, q, "ldxa", "stxa", "0x1d")
#undef __MMIO
