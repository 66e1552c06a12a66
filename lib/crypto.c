// SPDX-License-Identifier: MIT
/* ChaCha20 (RFC 8439) and BLAKE2s (RFC 7693). Words are little-endian in memory. */
#include <lib/crypto.h>
#include <lib/bits.h>
#include <lib/minmax.h>
#include <lib/string.h>

static inline u32 get_le32(const u8 *p)
{
	return (u32)p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24;
}

static inline void put_le32(u8 *p, u32 v)
{
	p[0] = (u8)v;
	p[1] = (u8)(v >> 8);
	p[2] = (u8)(v >> 16);
	p[3] = (u8)(v >> 24);
}

#define QUARTER(a, b, c, d) do {				\
	x[a] += x[b]; x[d] = rol32(x[d] ^ x[a], 16);		\
	x[c] += x[d]; x[b] = rol32(x[b] ^ x[c], 12);		\
	x[a] += x[b]; x[d] = rol32(x[d] ^ x[a], 8);		\
	x[c] += x[d]; x[b] = rol32(x[b] ^ x[c], 7);		\
} while (0)

void chacha20_block(const u32 key[8], u64 counter, u64 nonce, u8 out[CHACHA_BLOCK_SIZE])
{
	u32 s[16] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 }, x[16];

	for (int i = 0; i < 8; i++)
		s[4 + i] = key[i];
	s[12] = (u32)counter;
	s[13] = (u32)(counter >> 32);
	s[14] = (u32)nonce;
	s[15] = (u32)(nonce >> 32);
	memcpy(x, s, sizeof(x));
	for (int i = 0; i < 10; i++) {
		QUARTER(0, 4, 8, 12);
		QUARTER(1, 5, 9, 13);
		QUARTER(2, 6, 10, 14);
		QUARTER(3, 7, 11, 15);
		QUARTER(0, 5, 10, 15);
		QUARTER(1, 6, 11, 12);
		QUARTER(2, 7, 8, 13);
		QUARTER(3, 4, 9, 14);
	}
	for (int i = 0; i < 16; i++)
		put_le32(out + 4 * i, x[i] + s[i]);
	memzero_explicit(x, sizeof(x));
	memzero_explicit(s, sizeof(s));
}

static const u32 blake2s_iv[8] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static const u8 sigma[10][16] = {
	{ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
	{ 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3 },
	{ 11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4 },
	{ 7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8 },
	{ 9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13 },
	{ 2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9 },
	{ 12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11 },
	{ 13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10 },
	{ 6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5 },
	{ 10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0 },
};

#define MIX(a, b, c, d, m, n) do {				\
	v[a] += v[b] + (m); v[d] = ror32(v[d] ^ v[a], 16);	\
	v[c] += v[d]; v[b] = ror32(v[b] ^ v[c], 12);		\
	v[a] += v[b] + (n); v[d] = ror32(v[d] ^ v[a], 8);	\
	v[c] += v[d]; v[b] = ror32(v[b] ^ v[c], 7);		\
} while (0)

static void compress(struct blake2s *s, const u8 *block, bool last)
{
	u32 v[16], m[16];

	for (int i = 0; i < 16; i++)
		m[i] = get_le32(block + 4 * i);
	for (int i = 0; i < 8; i++) {
		v[i] = s->h[i];
		v[i + 8] = blake2s_iv[i];
	}
	v[12] ^= (u32)s->count;
	v[13] ^= (u32)(s->count >> 32);
	if (last)
		v[14] = ~v[14];
	for (int r = 0; r < 10; r++) {
		const u8 *g = sigma[r];

		MIX(0, 4, 8, 12, m[g[0]], m[g[1]]);
		MIX(1, 5, 9, 13, m[g[2]], m[g[3]]);
		MIX(2, 6, 10, 14, m[g[4]], m[g[5]]);
		MIX(3, 7, 11, 15, m[g[6]], m[g[7]]);
		MIX(0, 5, 10, 15, m[g[8]], m[g[9]]);
		MIX(1, 6, 11, 12, m[g[10]], m[g[11]]);
		MIX(2, 7, 8, 13, m[g[12]], m[g[13]]);
		MIX(3, 4, 9, 14, m[g[14]], m[g[15]]);
	}
	for (int i = 0; i < 8; i++)
		s->h[i] ^= v[i] ^ v[i + 8];
}

void blake2s_init(struct blake2s *s, size_t out_len, const void *key, size_t key_len)
{
	memset(s, 0, sizeof(*s));
	memcpy(s->h, blake2s_iv, sizeof(s->h));
	s->h[0] ^= 0x01010000U ^ (u32)key_len << 8 ^ (u32)out_len;
	s->outlen = (u8)out_len;
	if (key_len) {
		memcpy(s->buf, key, key_len);
		s->used = 64;
	}
}

void blake2s_update(struct blake2s *s, const void *in, size_t len)
{
	const u8 *p = in;

	while (len) {
		size_t n;

		if (s->used == 64) {	/* more follows, so this one is not the last */
			s->count += 64;
			compress(s, s->buf, false);
			s->used = 0;
		}
		n = min(len, (size_t)64 - s->used);
		memcpy(s->buf + s->used, p, n);
		s->used += (unsigned int)n;
		p += n;
		len -= n;
	}
}

void blake2s_final(struct blake2s *s, u8 *out)
{
	u8 full[32];

	s->count += s->used;
	memset(s->buf + s->used, 0, 64 - s->used);
	compress(s, s->buf, true);
	for (int i = 0; i < 8; i++)
		put_le32(full + 4 * i, s->h[i]);
	memcpy(out, full, s->outlen);
	memzero_explicit(s, sizeof(*s));
	memzero_explicit(full, sizeof(full));
}
