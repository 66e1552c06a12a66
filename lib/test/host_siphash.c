// SPDX-License-Identifier: MIT
/* SipHash against the paper's vectors (key 00..0f, message 00..n-1). sources: lib/siphash.c */
#include <assert.h>
#include <lib/byteorder.h>
#include <lib/siphash.h>

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
	return 0;
}
