// SPDX-License-Identifier: MIT
/*
 * Sums of bytes. Words of 64 bits are added with their carries, four at a time; a sum of such
 * words, folded, is that of 16-bit words, because 2^16 is 1 modulo 2^16 - 1. The bytes at the end
 * are one more word, padded with zeroes behind them.
 */
#include <lib/string.h>
#include "net/wire/csum.h"

static inline u64 load64(const u8 *p)
{
	u64 v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline u64 add64(u64 a, u64 b)
{
	u64 s = a + b;

	return s + (s < b);
}

static inline u32 fold64(u64 s)
{
	s = (s & 0xffffffff) + (s >> 32);
	s = (s & 0xffffffff) + (s >> 32);
	return (u32)s;
}

/* The last N bytes, fewer than 8. */
static inline u64 tail(const u8 *p, size_t n)
{
	u64 v = 0;

	memcpy(&v, p, n);
	return v;
}

u32 csum_bytes(const void *bytes, size_t len, u32 sum)
{
	const u8 *p = bytes;
	u64 a = sum, b = 0;

	for (; len >= 32; len -= 32, p += 32) {
		a = add64(add64(a, load64(p)), load64(p + 8));
		b = add64(add64(b, load64(p + 16)), load64(p + 24));
	}
	for (; len >= 8; len -= 8, p += 8)
		a = add64(a, load64(p));
	if (len)
		b = add64(b, tail(p, len));
	return fold64(add64(a, b));
}

u32 csum_copy(void *to, const void *from, size_t len, u32 sum)
{
	memcpy(to, from, len);
	return csum_bytes(to, len, sum);
}
