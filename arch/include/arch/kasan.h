/* SPDX-License-Identifier: MIT */
/*
 * The sanitizer's shadow: one byte for 8, at (address >> 3) + KASAN_SHADOW_OFFSET, for addresses from KASAN_COVERED_START on. It
 * can always be read: what has no shadow of its own shares a page of zeros (all may be touched).
 */
#pragma once

#include <lib/types.h>

#define KASAN_SHADOW_OFFSET 0xdffffc0000000000UL
#define KASAN_COVERED_START 0xffff800000000000UL
#define KASAN_SHADOW_START ((KASAN_COVERED_START >> 3) + KASAN_SHADOW_OFFSET)
#define KASAN_SHADOW_END ((~0UL >> 3) + KASAN_SHADOW_OFFSET)
/* Shadow of its own for [start, start + size). 0 or -ENOMEM. Sleeps once the scheduler runs. */
#ifdef CONFIG_KASAN
#define IS_ENABLED_KASAN 1
int arch_kasan_populate(unsigned long start, size_t size);
#else
#define IS_ENABLED_KASAN 0
static inline int arch_kasan_populate(unsigned long start, size_t size) { return 0; }
#endif
