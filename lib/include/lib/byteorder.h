/* SPDX-License-Identifier: MIT */
/* Between the CPU's byte order and a fixed one. The only place that asks which the CPU has. */
#pragma once

#include <lib/types.h>

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define __fix_le(bits, v) __builtin_bswap##bits(v)
#define __fix_be(bits, v) (v)
/* Where the lowest byte of a word of N bytes lies. */
#define LOW_BYTE_AT(n) ((n) - 1)
/* Two members that are the halves of a word beside them. */
#define LOW_HALF_FIRST(low, high) high low
#else
#define __fix_le(bits, v) (v)
#define __fix_be(bits, v) __builtin_bswap##bits(v)
#define LOW_BYTE_AT(n) 0
#define LOW_HALF_FIRST(low, high) low high
#endif

/* Plain integers that hold another order: for words loaded as they lie. */
static inline u16 le16_raw(u16 v) { return __fix_le(16, v); }
static inline u32 le32_raw(u32 v) { return __fix_le(32, v); }
static inline u64 le64_raw(u64 v) { return __fix_le(64, v); }
static inline u16 be16_raw(u16 v) { return __fix_be(16, v); }
static inline u32 be32_raw(u32 v) { return __fix_be(32, v); }
static inline u64 be64_raw(u64 v) { return __fix_be(64, v); }

/* The typed ones. */
static inline u16 le16_get(le16 v) { return le16_raw(v.v); }
static inline u32 le32_get(le32 v) { return le32_raw(v.v); }
static inline u64 le64_get(le64 v) { return le64_raw(v.v); }
static inline u16 be16_get(be16 v) { return be16_raw(v.v); }
static inline u32 be32_get(be32 v) { return be32_raw(v.v); }
static inline u64 be64_get(be64 v) { return be64_raw(v.v); }
static inline le16 le16_make(u16 v) { return (le16){ le16_raw(v) }; }
static inline le32 le32_make(u32 v) { return (le32){ le32_raw(v) }; }
static inline le64 le64_make(u64 v) { return (le64){ le64_raw(v) }; }
static inline be16 be16_make(u16 v) { return (be16){ be16_raw(v) }; }
static inline be32 be32_make(u32 v) { return (be32){ be32_raw(v) }; }
static inline be64 be64_make(u64 v) { return (be64){ be64_raw(v) }; }
