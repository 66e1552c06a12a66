/* SPDX-License-Identifier: MIT */
/* min, max, clamp, rounding and overflow-checked arithmetic. */
#pragma once

#include <lib/types.h>

#define min(a, b) ({ __auto_type __a = (a); __auto_type __b = (b); __a < __b ? __a : __b; })
#define max(a, b) ({ __auto_type __a = (a); __auto_type __b = (b); __a > __b ? __a : __b; })
#define min_t(t, a, b) ({ t __ta = (t)(a); t __tb = (t)(b); __ta < __tb ? __ta : __tb; })
#define max_t(t, a, b) ({ t __ta = (t)(a); t __tb = (t)(b); __ta > __tb ? __ta : __tb; })
#define min3(a, b, c) min(min(a, b), c)
#define clamp(v, lo, hi) min(max(v, lo), hi)
#define clamp_t(t, v, lo, hi) min_t(t, max_t(t, v, lo), hi)
#define swap(a, b) do { __auto_type __t = (a); (a) = (b); (b) = __t; } while (0)

#define __round_mask(x, y) ((__typeof__(x))((y) - 1))
#define round_up(x, y) ((((x) - 1) | __round_mask(x, y)) + 1)	/* y: a power of two */
#define round_down(x, y) ((x) & ~__round_mask(x, y))
#define ALIGN(x, a) (((x) + ((__typeof__(x))(a) - 1)) & ~((__typeof__(x))(a) - 1))
#define ALIGN_DOWN(x, a) ((x) & ~((__typeof__(x))(a) - 1))
#define IS_ALIGNED(x, a) (((x) & ((__typeof__(x))(a) - 1)) == 0)
#define PTR_ALIGN(p, a) ((__typeof__(p))ALIGN((unsigned long)(p), (a)))
#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#define roundup(x, y) ((((x) + (y) - 1) / (y)) * (y))

/* Each is true when the result does not fit. */
#define check_add_overflow(a, b, r) __builtin_add_overflow(a, b, r)
#define check_sub_overflow(a, b, r) __builtin_sub_overflow(a, b, r)
#define check_mul_overflow(a, b, r) __builtin_mul_overflow(a, b, r)

/* a * b, or SIZE_MAX (which every allocator refuses) when that does not fit. */
static inline size_t array_size(size_t a, size_t b)
{
	size_t r;

	return check_mul_overflow(a, b, &r) ? SIZE_MAX : r;
}

static inline size_t size_add(size_t a, size_t b)
{
	size_t r;

	return check_add_overflow(a, b, &r) ? SIZE_MAX : r;
}

#define struct_size(p, member, n) \
	size_add(sizeof(*(p)), array_size(sizeof((p)->member[0]), (n)))

/* (a * b) >> shift and a * b / c without losing the high half. */
static inline u64 mul_u64_u32_shr(u64 a, u32 b, unsigned int shift)
{
	return (u64)(((unsigned __int128)a * b) >> shift);
}

static inline u64 mul_u64_u64_shr(u64 a, u64 b, unsigned int shift)
{
	return (u64)(((unsigned __int128)a * b) >> shift);
}
