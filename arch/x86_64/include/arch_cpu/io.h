/* SPDX-License-Identifier: MIT */
#pragma once

#define ARCH_HAS_PORTS 1
#define ARCH_HAS_PIC 1

#define __MMIO(type, suffix, insn, reg)							\
static inline type read##suffix(const volatile void __iomem *p)					\
{											\
	type v;										\
	__asm__ volatile(insn " %1, %0" : "=" reg(v) : "m"(*(const volatile type __force *)p) : "memory");	\
	return v;									\
}											\
static inline void write##suffix(type v, volatile void __iomem *p)				\
{											\
	__asm__ volatile(insn " %0, %1" : : reg(v), "m"(*(volatile type __force *)p) : "memory");	\
}
__MMIO(u8, b, "movb", "q")
__MMIO(u16, w, "movw", "r")
__MMIO(u32, l, "movl", "r")
__MMIO(u64, q, "movq", "r")
#undef __MMIO

#define __PORT(type, suffix)								\
static inline type in##suffix(u16 port)							\
{											\
	type v;										\
	__asm__ volatile("in" #suffix " %1, %0" : "=a"(v) : "Nd"(port) : "memory");	\
	return v;									\
}											\
static inline void out##suffix(type v, u16 port)					\
{											\
	__asm__ volatile("out" #suffix " %0, %1" : : "a"(v), "Nd"(port) : "memory");	\
}
__PORT(u8, b)
__PORT(u16, w)
__PORT(u32, l)
#undef __PORT
