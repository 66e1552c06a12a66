/* SPDX-License-Identifier: MIT */
/*
 * SHA-256 and SHA-512 (FIPS 180-4). Of public data: time depends on the length alone all the same.
 */
#pragma once

#include <lib/types.h>

#define SHA2_MAX_SIZE 64	/* bytes of the longest digest */

enum sha2_kind { SHA2_256, SHA2_512 };

struct sha2 {
	u64 h[8];		/* SHA-256: 32 bits of each */
	u64 len;		/* bytes so far */
	enum sha2_kind kind;
	u8 buf[128];		/* what is no whole block yet */
};

/* Bytes of KIND's digest. */
static inline u32 sha2_size(enum sha2_kind kind)
{
	return kind == SHA2_512 ? 64 : 32;
}

/*
 * Where the CPU has instructions for it: H, as of SHA-256, after N blocks of 64 bytes at P. NULL:
 * it has none. The CPU's room sets it before the second CPU starts. It does not sleep; not from
 * interrupts.
 */
extern void (*sha2_blocks_256)(u64 *h, const u8 *p, size_t n);

void sha2_init(struct sha2 *s, enum sha2_kind kind);
/* Not from interrupts. */
void sha2_update(struct sha2 *s, const void *p, size_t n);
/* The digest to OUT, sha2_size() bytes; S is used up. */
void sha2_final(struct sha2 *s, u8 *out);
