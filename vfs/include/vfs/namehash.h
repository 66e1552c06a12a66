// SPDX-License-Identifier: MIT
#pragma once
/*
 * Hashing and comparing path components a word at a time. Reads may touch up to seven bytes after the
 * end of a name but never another page: what lies behind a terminator is masked off.
 */
#include <lib/byteorder.h>
#include <lib/types.h>
#include <arch/page.h>

#define NH_ONES  0x0101010101010101ull
#define NH_HIGHS 0x8080808080808080ull

struct nh_word {
	u64 v;
} __packed __attribute__((may_alias));

/* Reads past the name's end within its page on purpose. Inlined, it would be checked like its caller. */
#ifdef CONFIG_KASAN
static noinline __maybe_unused __no_sanitize_address u64 nh_raw_load(const char *p)
#else
static __always_inline u64 nh_raw_load(const char *p)
#endif
{
	return le64_raw(((const struct nh_word *)p)->v);
}

/* Byte by byte up to the end of the page, the rest zero: only where a word would cross. */
u64 nh_load_edge(const char *p);

static __always_inline __no_sanitize_address u64 nh_load(const char *p)
{
	if (unlikely(((unsigned long)p & (PAGE_SIZE - 1)) > PAGE_SIZE - 8))
		return nh_load_edge(p);
	return nh_raw_load(p);
}

/* High bits set in bytes that are zero; the lowest one set is exact. */
static __always_inline u64 nh_zero_bytes(u64 w)
{
	return (w - NH_ONES) & ~w & NH_HIGHS;
}

static __always_inline u64 nh_mix(u64 h, u64 w)
{
	h = (h ^ w) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 29;
}

static __always_inline u32 nh_fold(u64 h)
{
	return (u32)(h ^ h >> 32);
}

static __always_inline u64 nh_first_bytes(u64 w, unsigned int n)
{
	return n ? w & (~0ull >> (64 - 8 * n)) : 0;
}

/* Hash and length up to '/' or NUL, as hashlen_string() makes them. */
static __always_inline u64 nh_hashlen(const void *salt, const char *name)
{
	u64 h = (unsigned long)salt;
	unsigned int len = 0;

	for (;;) {
		u64 w = nh_load(name + len);
		u64 stop = nh_zero_bytes(w) | nh_zero_bytes(w ^ NH_ONES * '/');
		unsigned int n;

		if (likely(!stop)) {
			h = nh_mix(h, w);
			len += 8;
			continue;
		}
		n = (unsigned int)__builtin_ctzll(stop) >> 3;
		h = nh_mix(h, n ? w & (~0ull >> (64 - 8 * n)) : 0);
		return (u64)(len + n) << 32 | nh_fold(h);
	}
}
