/* SPDX-License-Identifier: MIT */
/*
 * Keyed hashes for tables whose keys an adversary chooses, ports and sequence numbers: SipHash
 * (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012), 2 rounds a word and 4 at the end.
 * siphash_13(): 1 and 3, for tables.
 */
#pragma once

#include <lib/types.h>

struct siphash_key {
	u64 k[2];
};

/* Of the LEN bytes at P, as the paper has it. */
u64 siphash(const struct siphash_key *key, const void *p, size_t len);
/* Of the N words W, as if they lay there little-endian. */
u64 siphash_words(const struct siphash_key *key, const u64 *w, unsigned int n);
u64 siphash_13(const struct siphash_key *key, const u64 *w, unsigned int n);

/*
 * Hashes one word in seven instructions, for tables of ports and prefixes that each packet or
 * connection looks into. It is multiply-shift hashing with secret odd multipliers, a universal
 * family: a sender that knows neither KEY nor how long a look-up takes cannot choose words that
 * share a bucket.
 */
static inline u32 hash_word(const struct siphash_key *key, u64 w)
{
	u64 h = (w + key->k[1]) * (key->k[0] | 1);

	return (u32)((h ^ h >> 32) * (key->k[1] | 1) >> 32);
}
