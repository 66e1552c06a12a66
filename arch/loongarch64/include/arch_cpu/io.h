/* SPDX-License-Identifier: MIT */
/* Device windows are strongly ordered among themselves; a barrier keeps normal memory on its side. */
#pragma once

#define __MMIO(type, suffix, ld, st)							\
static inline type read##suffix(const volatile void __iomem *p)				\
{											\
	type v;										\
	__asm__ volatile(ld " %0, %1, 0\n\tdbar 0x14" : "=r"(v) : "r"(p) : "memory");	\
	return v;									\
}											\
static inline void write##suffix(type v, volatile void __iomem *p)			\
{											\
	__asm__ volatile("dbar 0x12\n\t" st " %0, %1, 0" : : "r"(v), "r"(p) : "memory");	\
}
__MMIO(u8, b, "ld.bu", "st.b")
__MMIO(u16, w, "ld.hu", "st.h")
__MMIO(u32, l, "ld.wu", "st.w")
__MMIO(u64, q, "ld.d", "st.d")
#undef __MMIO
