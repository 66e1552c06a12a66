// SPDX-License-Identifier: MIT
/*
 * SHA-256 and SHA-512 (FIPS 180-4). The constants of SHA-256 are the upper halves of SHA-512's:
 * both are the first bits of the fractions of square and cube roots of the first primes. So one
 * table serves both.
 */
#include <lib/sha2.h>
#include <lib/bits.h>
#include <lib/minmax.h>
#include <lib/string.h>

static const u64 first[8] = {
	0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
	0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

static const u64 k[80] = {
	0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
	0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
	0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
	0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
	0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
	0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
	0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
	0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
	0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
	0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
	0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
	0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
	0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
	0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
	0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
	0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
	0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
	0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
	0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
	0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
};

static u64 get_be(const u8 *p, u32 bytes)
{
	u64 v = 0;

	for (u32 i = 0; i < bytes; i++)
		v = v << 8 | p[i];
	return v;
}

static void put_be(u8 *p, u64 v, u32 bytes)
{
	for (u32 i = bytes; i--; v >>= 8)
		p[i] = (u8)v;
}

/*
 * One of the two: WORD is its word, ROTATE turns one, K(i) is a constant, the rest are distances.
 * The names of the eight words move on by one in each round, not the words, and come round after
 * eight: so the sixteen rounds that share an array of the message are written out, for words to
 * stay in registers. *AB is a ^ b, the next round's b ^ c.
 */
#define DEFINE_BLOCK(name, word, rotate, rounds, K, a1, a2, a3, e1, e2, e3, s1, s2, s3, t1, t2, t3)	\
static __always_inline void name##_round(word a, word b, word *d, word e, word f, word g, word *h,	\
					 word *ab, word x)						\
{												\
	word one = *h + (rotate(e, e1) ^ rotate(e, e2) ^ rotate(e, e3)) + (g ^ (e & (f ^ g))) + x;	\
	word bc = *ab;										\
												\
	*ab = a ^ b;										\
	*d += one;										\
	*h = one + (rotate(a, a1) ^ rotate(a, a2) ^ rotate(a, a3)) + (b ^ (*ab & bc));		\
}												\
												\
/* The message's word of round J, or, in later sixteens, the next one in its place. */		\
static __always_inline word name##_word(word *w, int j, bool later)				\
{												\
	word o = w[(j + 1) & 15], q = w[(j + 14) & 15];						\
												\
	if (later)										\
		w[j] += (rotate(o, s1) ^ rotate(o, s2) ^ o >> s3) + w[(j + 9) & 15] +		\
			(rotate(q, t1) ^ rotate(q, t2) ^ q >> t3);				\
	return w[j];										\
}												\
												\
static __always_inline void name##_eight(word *v, word *w, word *ab, int i, int j, bool later)	\
{												\
	name##_round(v[0], v[1], &v[3], v[4], v[5], v[6], &v[7], ab,				\
		     (word)K(i + j) + name##_word(w, j, later));				\
	name##_round(v[7], v[0], &v[2], v[3], v[4], v[5], &v[6], ab,				\
		     (word)K(i + j + 1) + name##_word(w, j + 1, later));			\
	name##_round(v[6], v[7], &v[1], v[2], v[3], v[4], &v[5], ab,				\
		     (word)K(i + j + 2) + name##_word(w, j + 2, later));			\
	name##_round(v[5], v[6], &v[0], v[1], v[2], v[3], &v[4], ab,				\
		     (word)K(i + j + 3) + name##_word(w, j + 3, later));			\
	name##_round(v[4], v[5], &v[7], v[0], v[1], v[2], &v[3], ab,				\
		     (word)K(i + j + 4) + name##_word(w, j + 4, later));			\
	name##_round(v[3], v[4], &v[6], v[7], v[0], v[1], &v[2], ab,				\
		     (word)K(i + j + 5) + name##_word(w, j + 5, later));			\
	name##_round(v[2], v[3], &v[5], v[6], v[7], v[0], &v[1], ab,				\
		     (word)K(i + j + 6) + name##_word(w, j + 6, later));			\
	name##_round(v[1], v[2], &v[4], v[5], v[6], v[7], &v[0], ab,				\
		     (word)K(i + j + 7) + name##_word(w, j + 7, later));			\
}												\
												\
static void name(u64 *h, const u8 *p)								\
{												\
	word w[16], v[8], ab;									\
												\
	for (int i = 0; i < 16; i++)								\
		w[i] = (word)get_be(p + i * sizeof(word), sizeof(word));			\
	for (int i = 0; i < 8; i++)								\
		v[i] = (word)h[i];								\
	ab = v[1] ^ v[2];									\
	name##_eight(v, w, &ab, 0, 0, false);							\
	name##_eight(v, w, &ab, 0, 8, false);							\
	for (int i = 16; i < rounds; i += 16) {							\
		name##_eight(v, w, &ab, i, 0, true);						\
		name##_eight(v, w, &ab, i, 8, true);						\
	}											\
	for (int i = 0; i < 8; i++)								\
		h[i] = (word)(h[i] + v[i]);							\
}

#define K256(i) (k[i] >> 32)
#define K512(i) (k[i])
DEFINE_BLOCK(block_256, u32, ror32, 64, K256, 2, 13, 22, 6, 11, 25, 7, 18, 3, 17, 19, 10)
DEFINE_BLOCK(block_512, u64, ror64, 80, K512, 28, 34, 39, 14, 18, 41, 1, 8, 7, 19, 61, 6)

void (*sha2_blocks_256)(u64 *h, const u8 *p, size_t n) __ro_after_init;

static u32 block_size(const struct sha2 *s)
{
	return s->kind == SHA2_512 ? 128 : 64;
}

static void block(struct sha2 *s, const u8 *p)
{
	if (s->kind == SHA2_512)
		block_512(s->h, p);
	else
		block_256(s->h, p);
}

void sha2_init(struct sha2 *s, enum sha2_kind kind)
{
	*s = (struct sha2){ .kind = kind };
	for (int i = 0; i < 8; i++)
		s->h[i] = kind == SHA2_512 ? first[i] : first[i] >> 32;
}

void sha2_update(struct sha2 *s, const void *data, size_t n)
{
	u32 size = block_size(s), used = (u32)(s->len % size);
	const u8 *p = data;

	s->len += n;
	if (used) {
		size_t some = min(n, (size_t)(size - used));

		memcpy(s->buf + used, p, some);
		if (used + some < size)
			return;
		block(s, s->buf);
		p += some;
		n -= some;
	}
	if (n >= size && s->kind == SHA2_256 && sha2_blocks_256) {
		sha2_blocks_256(s->h, p, n / size);
		p += n - n % size;
		n %= size;
	}
	for (; n >= size; n -= size, p += size)
		block(s, p);
	if (n)
		memcpy(s->buf, p, n);
}

void sha2_final(struct sha2 *s, u8 *out)
{
	u32 size = block_size(s), word = size / 16, used = (u32)(s->len % size);

	s->buf[used++] = 0x80;
	if (used > size - 2 * word) {
		memset(s->buf + used, 0, size - used);
		block(s, s->buf);
		used = 0;
	}
	memset(s->buf + used, 0, size - used);
	put_be(s->buf + size - 8, s->len << 3, 8);
	if (word == 8)
		s->buf[size - 9] = (u8)(s->len >> 61);
	block(s, s->buf);
	for (int i = 0; i < 8; i++)
		put_be(out + i * word, s->h[i], word);
}
