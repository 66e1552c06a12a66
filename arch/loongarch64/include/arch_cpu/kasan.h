/* SPDX-License-Identifier: MIT */
/*
 * Two pieces, one behind the other: RAM, seen through its window, and what is mapped by pages. The compiler knows the second alone, by
 * KASAN_SHADOW_OFFSET, for the frames of functions (config/loongarch64.mk): every stack lies there. Other accesses are checked by calls.
 * Users' addresses and devices have no shadow.
 */
#pragma once

#include <lib/types.h>

#define KASAN_COVERED_START 0xffff800000000000UL	/* by the compiler */
#define KASAN_SHADOW_OFFSET 0xdffff80000000000UL	/* that at 0xffffe80000000000 */
#define KASAN_RAM_OFFSET 0xedffc80000000000UL		/* 0x9000000000000000 at 0xffffc80000000000 */
#define KASAN_SHADOW_START 0xffffc80000000000UL
#define KASAN_SHADOW_MIDDLE 0xffffe80000000000UL
#define KASAN_SHADOW_END 0xfffff80000000000UL

static inline bool kasan_by_pages(unsigned long a) { return a >= KASAN_COVERED_START; }
static inline bool kasan_has_shadow(unsigned long a) { return kasan_by_pages(a) || a >> 48 == 0x9000; }
static inline s8 *kasan_shadow(unsigned long a) { return (s8 *)((a >> 3) + (kasan_by_pages(a) ? KASAN_SHADOW_OFFSET : KASAN_RAM_OFFSET)); }

static inline unsigned long kasan_unshadow(const s8 *s)
{
	unsigned long at = (unsigned long)s;

	return (at - (at >= KASAN_SHADOW_MIDDLE ? KASAN_SHADOW_OFFSET : KASAN_RAM_OFFSET)) << 3;
}
