/* SPDX-License-Identifier: MIT */
/*
 * The Internet checksum (RFC 1071): a ones' complement sum of 16-bit words.
 *
 * A sum is a u32 of words as they lie in memory, so that it needs no swap on any CPU: end-around
 * carry makes the sum of swapped words the swapped sum. What csum_fold() gives is stored as it is.
 * A sum begins at an even byte; csum_at() turns that of a block for where the block begins.
 */
#pragma once

#include <lib/byteorder.h>

/* SUM and that of the LEN bytes at P, which need not be aligned. */
u32 csum_bytes(const void *p, size_t len, u32 sum);
/* As csum_bytes(), and copies them to TO. */
u32 csum_copy(void *to, const void *from, size_t len, u32 sum);

static inline u32 csum_add(u32 a, u32 b)
{
	u32 s = a + b;

	return s + (s < b);
}

static inline u32 csum_sub(u32 a, u32 b)
{
	return csum_add(a, ~b);
}

static inline u16 csum_fold_raw(u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (u16)sum;
}

/* What a checksum field holds for SUM; 0 when SUM takes in a right field. */
static inline u16 csum_fold(u32 sum)
{
	return (u16)~csum_fold_raw(sum);
}

/* The part that a block has in a sum where it begins OFF bytes behind the first. */
static inline u32 csum_at(u32 sum, size_t off)
{
	return off & 1 ? sum >> 8 | sum << 24 : sum;
}

static inline u32 csum_add_at(u32 sum, u32 block, size_t off)
{
	return csum_add(sum, csum_at(block, off));
}

/*
 * Adds the pseudo header (RFC 9293, 3.1; RFC 768). LEN: bytes of the transport header and what
 * follows.
 */
static inline u32 csum_pseudo4(be32 src, be32 dst, u8 protocol, u32 len, u32 sum)
{
	return csum_add(csum_add(csum_add(sum, src.v), dst.v), be32_raw(protocol + len));
}

/* RFC 8200, 8.1; the addresses have 16 bytes. */
static inline u32 csum_pseudo6(const void *src, const void *dst, u8 protocol, u32 len, u32 sum)
{
	return csum_add(csum_bytes(src, 16, csum_bytes(dst, 16, sum)),
			csum_add(be32_raw(len), be32_raw(protocol)));
}

/* The field FIELD after a 16-bit word under it became NOW from WAS (RFC 1624). */
static inline u16 csum_replace(u16 field, u16 was, u16 now)
{
	return csum_fold(csum_add(csum_add((u16)~field, (u16)~was), now));
}
