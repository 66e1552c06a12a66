/* SPDX-License-Identifier: MIT */
/* Hashing of integers and strings for hash tables (not for adversaries: see <lib/siphash.h>). */
#pragma once

#include <lib/types.h>

#define GOLDEN_RATIO_64 0x61c8864680b583ebULL

static inline u32 hash_64(u64 v, unsigned int bits) { return (u32)((v * GOLDEN_RATIO_64) >> (64 - bits)); }
static inline u32 hash_long(unsigned long v, unsigned int bits) { return hash_64(v, bits); }
static inline u32 hash_32(u32 v, unsigned int bits) { return (u32)(v * 0x61c88647U) >> (32 - bits); }
static inline u32 hash_ptr(const void *p, unsigned int bits) { return hash_64((unsigned long)p, bits); }
