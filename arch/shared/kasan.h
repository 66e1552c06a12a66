/* SPDX-License-Identifier: MIT */
/*
 * The shadow where all of the kernel's addresses are one range: of address a at (a >> 3) + KASAN_SHADOW_OFFSET, which the compiler is told too
 * (config/CPU.mk). arch_cpu/kasan.h defines KASAN_SHADOW_OFFSET and KASAN_COVERED_START, the lowest address.
 */
#pragma once

#include <lib/types.h>

#define KASAN_SHADOW_START ((KASAN_COVERED_START >> 3) + KASAN_SHADOW_OFFSET)
#define KASAN_SHADOW_END ((1UL << 61) + KASAN_SHADOW_OFFSET)

static inline bool kasan_has_shadow(unsigned long a) { return a >= KASAN_COVERED_START; }
static inline s8 *kasan_shadow(unsigned long a) { return (s8 *)((a >> 3) + KASAN_SHADOW_OFFSET); }
static inline unsigned long kasan_unshadow(const s8 *s) { return ((unsigned long)s - KASAN_SHADOW_OFFSET) << 3; }
