// SPDX-License-Identifier: MIT
/* sources: lib/modsig.c */
/* with sources: lib/rsa.c lib/sha2.c */
/* fuzz: -max_len=2048 */
/*
 * Modules' signatures: any file is refused with a reason, or what is found lies within it; and only
 * the text that was signed passes.
 */
#include <assert.h>
#include <errno.h>
#include "lib/test/fuzz.h"
#include "lib/test/modsig_made.h"
#include <lib/modsig.h>
#include <lib/rsa.h>

static u64 sum;		/* so that each byte is read */

static void inside(const struct modsig_bytes *b, const struct modsig_bytes *in)
{
	if (!b->p)
		return;
	assert(b->p >= in->p && b->n <= in->n && (size_t)(b->p - in->p) <= in->n - b->n);
	for (size_t i = 0; i < b->n; i++)
		sum += b->p[i];
}

/* What the key of 2048 bits has signed is "hello module", and nothing else. */
static void verify(const struct modsig *s, const u8 *p)
{
	static struct rsa_work w;
	u8 d[SHA2_MAX_SIZE];
	struct sha2 h;

	if (s->signature.n != sizeof(modulus_2048))
		return;
	sha2_init(&h, s->digest);
	sha2_update(&h, p, s->signed_size);
	sha2_final(&h, d);
	if (rsa_verify(&w, modulus_2048, sizeof(modulus_2048), s->signature.p, s->signature.n,
		       s->digest, d))
		assert(s->signed_size == 12 && !memcmp(p, "hello module", 12));
}

static void fuzz_one(const u8 *p, size_t n)
{
	struct modsig_bytes all = { p, n };
	const char *why = NULL;
	struct modsig s;
	int err = modsig_find(&s, p, n, &why);

	assert(!err || ((err == -ENODATA || err == -EBADMSG || err == -ENOPKG) && why));
	if (err)
		return;
	inside(&s.message, &all);
	assert(s.message.p == p + s.signed_size && s.signed_size);
	err = modsig_decode(&s, &why);
	assert(!err || ((err == -EKEYREJECTED || err == -EBADMSG || err == -ENOPKG) && why));
	if (err)
		return;
	inside(&s.issuer, &s.message);
	inside(&s.serial, &s.message);
	inside(&s.key_id, &s.message);
	inside(&s.signature, &s.message);
	assert(s.key_id.n ? !s.issuer.n && !s.serial.n : s.issuer.n && s.serial.n);
	verify(&s, p);
}

static size_t fuzz_seed(unsigned int i, u8 *buf)
{
	switch (i) {
	case 0:
		memcpy(buf, file_2048, sizeof(file_2048));
		return sizeof(file_2048);
	case 1:
		memcpy(buf, file_3072, sizeof(file_3072));
		return sizeof(file_3072);
	}
	return 0;
}
