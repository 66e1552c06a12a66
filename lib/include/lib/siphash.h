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
