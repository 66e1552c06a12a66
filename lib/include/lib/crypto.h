/* SPDX-License-Identifier: MIT */
/* The two primitives under the random-number generator. Constant time. */
#pragma once

#include <lib/types.h>

#define CHACHA_KEY_SIZE 32
#define CHACHA_BLOCK_SIZE 64
/* One block of keystream (RFC 8439, 2.3) with a 64-bit block counter in words 12 and 13 and a 64-bit nonce; 20 rounds. */
void chacha20_block(const u32 key[8], u64 counter, u64 nonce, u8 out[CHACHA_BLOCK_SIZE]);

#define BLAKE2S_HASH_SIZE 32
struct blake2s {
	u32 h[8];
	u64 count;
	u8 buf[64];
	unsigned int used;
	u8 outlen;
};

/* RFC 7693. KEY_LEN 0..32. */
void blake2s_init(struct blake2s *s, size_t out_len, const void *key, size_t key_len);
void blake2s_update(struct blake2s *s, const void *in, size_t len);
void blake2s_final(struct blake2s *s, u8 *out);
