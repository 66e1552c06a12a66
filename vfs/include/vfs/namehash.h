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
	return w & ((1ull << 8 * n) - 1);
}

/* Where the word has a '/' or NUL: a bit in each such byte, of which the lowest is exact. */
static __always_inline u64 nh_stops(u64 w)
{
	return nh_zero_bytes(w) | nh_zero_bytes(w ^ NH_ONES * '/');
}

/* With the last word @w, @len bytes into the name, which has a stop. *tail: what is below its byte. */
static __always_inline u64 nh_end(u64 h, u64 w, u64 stop, u32 len, u64 *tail)
{
	*tail = w & ((stop - 1) & ~stop) >> 7;
	h = nh_mix(h, *tail);
	return (u64)(len + ((u32)__builtin_ctzll(stop) >> 3)) << 32 | nh_fold(h);
}

/* A name whose first word @w has no stop. */
u64 nh_hashlen_long(u64 h, u64 w, const char *name, u64 *tail);

/* Hash and length up to '/' or NUL, as hashlen_string() makes them. *tail: the name's last, partial word, zero-padded. */
static __always_inline u64 nh_hashlen(const void *salt, const char *name, u64 *tail)
{
	u64 w = nh_load(name), stop = nh_stops(w), hashlen, t;

	if (likely(stop))
		return nh_end((unsigned long)salt, w, stop, 0, tail);
	hashlen = nh_hashlen_long((unsigned long)salt, w, name, &t);
	*tail = t;
	return hashlen;
}
