// SPDX-License-Identifier: MIT
/* sources: lib/crypto.c */
/* The vectors of RFC 8439 (2.3.2, its 32-bit counter and 96-bit nonce laid into ours) and RFC 7693 (appendix B). */
#include <lib/crypto.h>
#include <stdio.h>
#include <string.h>

/* The kernel's own is in lib/string.c, beside names that the C library has. */
void memzero_explicit(void *p, size_t n)
{
	memset(p, 0, n);
}

int main(void)
{
	static const u8 want_blake[32] = {
		0x50, 0x8c, 0x5e, 0x8c, 0x32, 0x7c, 0x14, 0xe2, 0xe1, 0xa7, 0x2b, 0xa3, 0x4e, 0xeb, 0x45, 0x2f,
		0x37, 0x45, 0x8b, 0x20, 0x9e, 0xd6, 0x3a, 0x29, 0x4d, 0x99, 0x9b, 0x4c, 0x86, 0x67, 0x59, 0x82,
	};
	static const u8 want_chacha[16] = {
		0x10, 0xf1, 0xe7, 0xe4, 0xd1, 0x3b, 0x59, 0x15, 0x50, 0x0f, 0xdd, 0x1f, 0xa3, 0x20, 0x71, 0xc4,
	};
	struct blake2s b;
	u8 out[64];
	u32 key[8];

	blake2s_init(&b, 32, NULL, 0);
	blake2s_update(&b, "a", 1);
	blake2s_update(&b, "bc", 2);
	blake2s_final(&b, out);
	if (memcmp(out, want_blake, 32)) {
		printf("blake2s differs\n");
		return 1;
	}
	for (u32 i = 0; i < 8; i++)
		key[i] = (4 * i) | (4 * i + 1) << 8 | (4 * i + 2) << 16 | (4 * i + 3) << 24;
	/* counter 1, nonce 00:00:00:09:00:00:00:4a:00:00:00:00 */
	chacha20_block(key, 1 | (u64)0x09000000 << 32, 0x4a000000ULL, out);
	if (memcmp(out, want_chacha, 16)) {
		printf("chacha20 differs\n");
		return 1;
	}
	return 0;
}
