// SPDX-License-Identifier: MIT
/* SipHash-2-4 and, for hash tables, SipHash-1-3. */
#include <lib/byteorder.h>
#include <lib/siphash.h>
#include <lib/string.h>

struct sip {
	u64 a, b, c, d;
};

static inline u64 rotl(u64 v, unsigned int n)
{
	return v << n | v >> (64 - n);
}

static inline void sip_round(struct sip *s)
{
	s->a += s->b;
	s->b = rotl(s->b, 13) ^ s->a;
	s->a = rotl(s->a, 32);
	s->c += s->d;
	s->d = rotl(s->d, 16) ^ s->c;
	s->a += s->d;
	s->d = rotl(s->d, 21) ^ s->a;
	s->c += s->b;
	s->b = rotl(s->b, 17) ^ s->c;
	s->c = rotl(s->c, 32);
}

static inline void sip_begin(struct sip *s, const struct siphash_key *key)
{
	s->a = 0x736f6d6570736575ull ^ key->k[0];
	s->b = 0x646f72616e646f6dull ^ key->k[1];
	s->c = 0x6c7967656e657261ull ^ key->k[0];
	s->d = 0x7465646279746573ull ^ key->k[1];
}

static inline void sip_word(struct sip *s, u64 w, unsigned int rounds)
{
	s->d ^= w;
	for (unsigned int i = 0; i < rounds; i++)
		sip_round(s);
	s->a ^= w;
}

static inline u64 sip_end(struct sip *s, u64 last, unsigned int rounds, unsigned int final)
{
	sip_word(s, last, rounds);
	s->c ^= 0xff;
	for (unsigned int i = 0; i < final; i++)
		sip_round(s);
	return s->a ^ s->b ^ s->c ^ s->d;
}

u64 siphash(const struct siphash_key *key, const void *bytes, size_t len)
{
	const u8 *p = bytes;
	u64 last = (u64)len << 56;
	struct sip s;
	size_t i;

	sip_begin(&s, key);
	for (i = 0; i + 8 <= len; i += 8) {
		u64 w;

		memcpy(&w, p + i, 8);
		sip_word(&s, le64_raw(w), 2);
	}
	for (size_t k = 0; i + k < len; k++)
		last |= (u64)p[i + k] << (8 * k);
	return sip_end(&s, last, 2, 4);
}

static inline u64 of_words(const struct siphash_key *key, const u64 *w, unsigned int n,
			   unsigned int rounds, unsigned int final)
{
	struct sip s;

	sip_begin(&s, key);
	for (unsigned int i = 0; i < n; i++)
		sip_word(&s, w[i], rounds);
	return sip_end(&s, (u64)n << 59, rounds, final);
}

u64 siphash_words(const struct siphash_key *key, const u64 *w, unsigned int n)
{
	return of_words(key, w, n, 2, 4);
}

u64 siphash_13(const struct siphash_key *key, const u64 *w, unsigned int n)
{
	return of_words(key, w, n, 1, 3);
}
