// SPDX-License-Identifier: MIT
/*
 * Decoder of modules' signatures. The message is DER (X.690): each element is a tag, a length in
 * its shortest form and a value. Its shape is fixed (RFC 5652, 5), so elements are taken one after
 * the other; nothing recurses, and no element is looked at twice.
 */
#include <lib/modsig.h>
#include <lib/string.h>
#include <abi/errno.h>

#define INTEGER 0x02
#define OCTETS 0x04
#define OID 0x06
#define SEQUENCE 0x30
#define SET 0x31
#define KEY_ID 0x80		/* [0], of bytes */
#define OPTION(n) (0xa0 + (n))	/* [n], of elements */

static const u8 magic[] = "~Module signature appended~\n";
#define MAGIC (sizeof(magic) - 1)
#define TRAILER 12		/* algorithm, digest, kind, two lengths, three bytes of 0, size */
#define KIND_PKCS7 2

static int fail(const char **why, int err, const char *what)
{
	*why = what;
	return err;
}

int modsig_find(struct modsig *s, const void *file, size_t size, const char **why)
{
	const u8 *p = file, *t;
	size_t len;

	*s = (struct modsig){ 0 };
	if (size < MAGIC || memcmp(p + size - MAGIC, magic, MAGIC))
		return fail(why, -ENODATA, "no signature");
	size -= MAGIC;
	if (size < TRAILER)
		return fail(why, -EBADMSG, "signature without a trailer");
	size -= TRAILER;
	t = p + size;
	len = (size_t)t[8] << 24 | (size_t)t[9] << 16 | (size_t)t[10] << 8 | t[11];
	if (len >= size)
		return fail(why, -EBADMSG, "signature longer than the file");
	if (t[2] != KIND_PKCS7)
		return fail(why, -ENOPKG, "signature is not PKCS#7");
	if (t[0] | t[1] | t[3] | t[4] | t[5] | t[6] | t[7])
		return fail(why, -EBADMSG, "signature's trailer is malformed");
	s->signed_size = size - len;
	s->message = (struct modsig_bytes){ p + size - len, len };
	return 0;
}

/* Takes the first element of IN, which has TAG: its value to OUT. False: there is none such. */
static bool take(struct modsig_bytes *in, u8 tag, struct modsig_bytes *out)
{
	size_t head = 2, len;

	if (in->n < 2 || in->p[0] != tag)
		return false;
	len = in->p[1];
	if (len >= 0x80) {		/* so many bytes of length follow */
		size_t more = len & 0x7f;

		if (more < 1 || more > 3 || in->n < 2 + more || !in->p[2])
			return false;
		len = 0;
		for (size_t i = 0; i < more; i++)
			len = len << 8 | in->p[2 + i];
		if (len < 0x80)
			return false;
		head += more;
	}
	if (len > in->n - head)
		return false;
	*out = (struct modsig_bytes){ in->p + head, len };
	in->p += head + len;
	in->n -= head + len;
	return true;
}

static bool next_is(const struct modsig_bytes *in, u8 tag)
{
	return in->n && in->p[0] == tag;
}

static bool is(const struct modsig_bytes *v, const u8 *what, size_t n)
{
	return v->n == n && !memcmp(v->p, what, n);
}

static bool small_number(struct modsig_bytes *in, u8 *out)
{
	struct modsig_bytes v;

	if (!take(in, INTEGER, &v) || v.n != 1)
		return false;
	*out = v.p[0];
	return true;
}

/* Takes an AlgorithmIdentifier: its OID to OUT. Parameters are absent or NULL. */
static bool algorithm(struct modsig_bytes *in, struct modsig_bytes *out)
{
	static const u8 null[] = { 0x05, 0x00 };
	struct modsig_bytes seq;

	return take(in, SEQUENCE, &seq) && take(&seq, OID, out) &&
	       (!seq.n || is(&seq, null, sizeof(null)));
}

/* 2.16.840.1.101.3.4.2.N */
static bool digest_of(const struct modsig_bytes *v, enum sha2_kind *out)
{
	static const u8 sha2[] = { 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02 };

	if (v->n != sizeof(sha2) + 1 || memcmp(v->p, sha2, sizeof(sha2)))
		return false;
	*out = v->p[sizeof(sha2)] == 3 ? SHA2_512 : SHA2_256;
	return v->p[sizeof(sha2)] == 1 || v->p[sizeof(sha2)] == 3;
}

/* rsaEncryption, or RSA with the digest that DIGEST is. */
static bool is_rsa(const struct modsig_bytes *v, enum sha2_kind digest)
{
	static const u8 pkcs1[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01 };

	return v->n == sizeof(pkcs1) + 1 && !memcmp(v->p, pkcs1, sizeof(pkcs1)) &&
	       (v->p[sizeof(pkcs1)] == 1 || v->p[sizeof(pkcs1)] == (digest == SHA2_512 ? 13 : 11));
}

/* Who signed. By version (RFC 5652, 5.3): 1 names an issuer and a number, 3 a key. */
static bool signer(struct modsig *s, struct modsig_bytes *in)
{
	struct modsig_bytes id, value;
	u8 version;

	if (!small_number(in, &version))
		return false;
	if (version == 3)
		return take(in, KEY_ID, &s->key_id) && s->key_id.n;
	if (version != 1 || !take(in, SEQUENCE, &id))
		return false;
	s->issuer.p = id.p;
	if (!take(&id, SEQUENCE, &value))
		return false;
	s->issuer.n = (size_t)(id.p - s->issuer.p);
	return take(&id, INTEGER, &s->serial) && s->serial.n && !id.n;
}

static int signer_info(struct modsig *s, struct modsig_bytes *in, const char **why)
{
	struct modsig_bytes info, digest, cipher, ignored;

	if (!take(in, SEQUENCE, &info) || in->n)
		return fail(why, -EBADMSG, "not one signer");
	if (!signer(s, &info))
		return fail(why, -EBADMSG, "malformed signer");
	if (!algorithm(&info, &digest))
		return fail(why, -EBADMSG, "malformed digest");
	if (next_is(&info, OPTION(0)))
		return fail(why, -EKEYREJECTED, "signature has attributes");
	if (!algorithm(&info, &cipher))
		return fail(why, -EBADMSG, "malformed algorithm");
	if (!take(&info, OCTETS, &s->signature))
		return fail(why, -EBADMSG, "malformed signature");
	if (next_is(&info, OPTION(1)) && !take(&info, OPTION(1), &ignored))
		return fail(why, -EBADMSG, "malformed attributes");
	if (info.n)
		return fail(why, -EBADMSG, "more after the signature");
	if (!digest_of(&digest, &s->digest))
		return fail(why, -ENOPKG, "unsupported digest");
	if (!is_rsa(&cipher, s->digest))
		return fail(why, -ENOPKG, "unsupported algorithm");
	return 0;
}

int modsig_decode(struct modsig *s, const char **why)
{
	static const u8 signed_data[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02 };
	static const u8 data[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01 };
	struct modsig_bytes all = s->message, in, body, v, content;
	u8 version;

	if (!take(&all, SEQUENCE, &in) || all.n || !take(&in, OID, &v) ||
	    !is(&v, signed_data, sizeof(signed_data)) || !take(&in, OPTION(0), &body) || in.n ||
	    !take(&body, SEQUENCE, &in) || body.n)
		return fail(why, -EBADMSG, "signature is not PKCS#7 signed data");
	if (!small_number(&in, &version) || !take(&in, SET, &v) || !take(&in, SEQUENCE, &content) ||
	    !take(&content, OID, &v))
		return fail(why, -EBADMSG, "malformed signed data");
	if (!is(&v, data, sizeof(data)) || content.n)
		return fail(why, -EBADMSG, "signature is not detached");
	for (u8 n = 0; n < 2; n++)	/* certificates, revocations: nobody reads them */
		if (next_is(&in, OPTION(n)) && !take(&in, OPTION(n), &v))
			return fail(why, -EBADMSG, "malformed certificates");
	if (!take(&in, SET, &v) || in.n)
		return fail(why, -EBADMSG, "no signers");
	return signer_info(s, &v, why);
}
