// SPDX-License-Identifier: MIT
/* SipHash against the paper's vectors (key 00..0f, message 00..n-1). sources: lib/siphash.c */
#include <assert.h>
#include <lib/byteorder.h>
#include <lib/siphash.h>

/* The place of W in a table of 256. */
static u32 bucket(const struct siphash_key *key, u64 w)
{
	return hash_word(key, w) * 0x61c88647u >> 24;
}

/* Words that are in one bucket by one key are not by another. */
static void words_of_a_bucket(void)
{
	const struct siphash_key chosen = { { 0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull } },
				 secret = { { 0x243f6a8885a308d3ull, 0x13198a2e03707344ull } };
	unsigned int nr[256] = { 0 }, n = 0, most = 0;

	for (u64 w = 0; n < 2560; w += 256) {	/* prefixes of /32, as fib4 has them */
		if (bucket(&chosen, w | 32))
			continue;
		n++;
		nr[bucket(&secret, w | 32)]++;
	}
	for (int i = 0; i < 256; i++)
		most = nr[i] > most ? nr[i] : most;
	assert(most < 60);	/* 10 are expected */
}

int main(void)
{
	const struct siphash_key key = { { 0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull } };
	const u64 words[] = { 0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull };
	u8 m[16];

	for (u8 i = 0; i < sizeof(m); i++)
		m[i] = i;
	assert(siphash(&key, m, 0) == 0x726fdb47dd0e0e31ull);
	assert(siphash(&key, m, 1) == 0x74f839c593dc67fdull);
	assert(siphash(&key, m, 8) == 0x93f5f5799a932462ull);
	assert(siphash(&key, m, 15) == 0xa129ca6149be45e5ull);
	assert(siphash_words(&key, words, 2) == siphash(&key, m, 16));
	assert(siphash_13(&key, words, 2) != siphash_words(&key, words, 2));
	words_of_a_bucket();
	return 0;
}
