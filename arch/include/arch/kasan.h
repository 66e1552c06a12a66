/* SPDX-License-Identifier: MIT */
/*
 * The sanitizer's shadow: one byte for 8 of the kernel's memory. It can always be read: what has no shadow of its own shares a page of
 * zeros (all may be touched). <arch_cpu/kasan.h> gives
 *   KASAN_SHADOW_START, KASAN_SHADOW_END     where it lies, multiples of a page; KASAN_SHADOW_END is the first byte behind it
 *   bool kasan_has_shadow(unsigned long a)   an address of the kernel's
 *   s8 *kasan_shadow(unsigned long a)        of such an address
 *   unsigned long kasan_unshadow(const s8 *) the first of the 8 addresses that it is of
 */
#pragma once

#include <lib/types.h>

#ifdef CONFIG_KASAN
#include <arch_cpu/kasan.h>

static inline bool kasan_is_shadow(unsigned long a)
{
	return a >= KASAN_SHADOW_START && a < KASAN_SHADOW_END;
}

/* Shadow of its own for [start, start + size). 0 or -ENOMEM. Sleeps once the scheduler runs. */
int arch_kasan_populate(unsigned long start, size_t size);
#else
static inline bool kasan_is_shadow(unsigned long a) { return false; }
static inline int arch_kasan_populate(unsigned long start, size_t size) { return 0; }
#endif
