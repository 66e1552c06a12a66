// SPDX-License-Identifier: MIT
/*
 * Verification of RSA signatures. Numbers are arrays of 64-bit limbs, the lowest first, and are
 * multiplied by Montgomery's method (Handbook of Applied Cryptography, 14.36): mont(a, b) is
 * a * b / R mod n, where R is 2 to the number of the modulus's bits.
 */
#include <lib/rsa.h>
#include <lib/string.h>

typedef unsigned __int128 u128;

static void get(u64 *out, const u8 *p, u32 limbs)
{
	for (u32 i = 0; i < limbs; i++) {
		const u8 *at = p + 8 * (limbs - 1 - i);

		out[i] = 0;
		for (int j = 0; j < 8; j++)
			out[i] = out[i] << 8 | at[j];
	}
}

static void put(u8 *out, const u64 *v, u32 limbs)
{
	for (u32 i = 0; i < limbs; i++)
		for (int j = 0; j < 8; j++)
			out[8 * (limbs - 1 - i) + j] = (u8)(v[i] >> (56 - 8 * j));
}

static bool is_below(const u64 *a, const u64 *b, u32 limbs)
{
	for (u32 i = limbs; i--;)
		if (a[i] != b[i])
			return a[i] < b[i];
	return false;
}

/* A -= B; what is borrowed beyond the end is lost. */
static void subtract(u64 *a, const u64 *b, u32 limbs)
{
	u64 borrow = 0;

	for (u32 i = 0; i < limbs; i++) {
		u128 d = (u128)a[i] - b[i] - borrow;

		a[i] = (u64)d;
		borrow = (u64)(d >> 64) & 1;
	}
}

/* A = 2 * A mod n, for A below n. */
static void twice(const struct rsa_work *m, u64 *a)
{
	u64 carry = 0;

	for (u32 i = 0; i < m->limbs; i++) {
		u64 top = a[i] >> 63;

		a[i] = a[i] << 1 | carry;
		carry = top;
	}
	if (carry || !is_below(a, m->n, m->limbs))
		subtract(a, m->n, m->limbs);
}

/* T += B * BY, N limbs of both; what is carried beyond them. */
static u64 add_row(u64 *t, const u64 *b, u64 by, size_t n)
{
	u64 carry = 0;
	size_t i = 0;

#define LIMB(i)                                                    \
	do {                                                       \
		u128 v = (u128)b[i] * by + t[i] + carry;           \
								   \
		t[i] = (u64)v;                                     \
		carry = (u64)(v >> 64);                            \
	} while (0)
	for (; i + 4 <= n; i += 4) {
		LIMB(i);
		LIMB(i + 1);
		LIMB(i + 2);
		LIMB(i + 3);
	}
	for (; i < n; i++)
		LIMB(i);
#undef LIMB
	return carry;
}

/* OUT = T / R mod n, for a T of twice the limbs below n * R, which is used up. */
static void reduce(struct rsa_work *m, u64 *out)
{
	u32 limbs = m->limbs;
	u64 *t = m->t, top = 0;

	for (u32 i = 0; i < limbs; i++) {
		u64 carry = add_row(t + i, m->n, t[i] * m->inverse, limbs);
		u128 v = (u128)t[i + limbs] + carry + top;

		t[i + limbs] = (u64)v;
		top = (u64)(v >> 64);
	}
	if (top || !is_below(t + limbs, m->n, limbs))
		subtract(t + limbs, m->n, limbs);
	memcpy(out, t + limbs, limbs * sizeof(*t));
}

/* OUT = A * B / R mod n, for A and B below n. OUT may be A or B. */
static void mont(struct rsa_work *m, u64 *out, const u64 *a, const u64 *b)
{
	u32 limbs = m->limbs;

	memset(m->t, 0, limbs * sizeof(*m->t));
	for (u32 i = 0; i < limbs; i++)
		m->t[i + limbs] = add_row(m->t + i, b, a[i], limbs);
	reduce(m, out);
}

/* A = A * A / R mod n, for A below n: products of two limbs count twice and are made once. */
static void square(struct rsa_work *m, u64 *a)
{
	u64 *t = m->t, top = 0, carry = 0;
	u32 limbs = m->limbs;

	memset(t, 0, 2 * limbs * sizeof(*t));
	for (u32 i = 0; i + 1 < limbs; i++)
		t[i + limbs] = add_row(t + 2 * i + 1, a + i + 1, a[i], limbs - 1 - i);
	for (u32 i = 0; i < limbs; i++) {
		u64 low = t[2 * i], high = t[2 * i + 1];
		u128 own = (u128)a[i] * a[i], v;

		v = (u128)(low << 1 | top) + (u64)own + carry;
		t[2 * i] = (u64)v;
		v = (u128)(high << 1 | low >> 63) + (u64)(own >> 64) + (u64)(v >> 64);
		t[2 * i + 1] = (u64)v;
		carry = (u64)(v >> 64);
		top = high >> 63;
	}
	reduce(m, a);
}

/* False: N is no modulus that is supported. */
static bool set_modulus(struct rsa_work *m, const u8 *n, size_t size)
{
	if (size < 256 || size > RSA_MAX_BYTES || size % 8 || !(n[0] & 0x80) || !(n[size - 1] & 1))
		return false;
	m->limbs = (u32)(size / 8);
	get(m->n, n, m->limbs);
	/* Newton: an odd n is its own inverse mod 8, and each step doubles the bits. */
	m->inverse = m->n[0];
	for (int i = 0; i < 5; i++)
		m->inverse *= 2 - m->n[0] * m->inverse;
	m->inverse = -m->inverse;
	return true;
}

/*
 * OUT = R * R mod n: R is doubled by some of the number of bits, which costs little beside a
 * multiplication, and each square doubles how often it was.
 */
static void set_square(struct rsa_work *m, u64 *out)
{
	u32 doubles = m->limbs * 64, squares = 0;

	for (; doubles > 64 && !(doubles & 1); doubles >>= 1)
		squares++;
	memset(out, 0, m->limbs * sizeof(*out));
	subtract(out, m->n, m->limbs);  /* R - n, which is below n: its highest bit is set */
	while (doubles--)
		twice(m, out);
	while (squares--)
		square(m, out);
}

/* OUT = S ^ 65537 mod n. */
static void raise(struct rsa_work *m, u64 *out, const u64 *s)
{
	set_square(m, out);
	mont(m, out, out, s);
	for (int i = 0; i < 16; i++)
		square(m, out);
	mont(m, out, out, s);
}

/* RFC 8017, 9.2: 00 01 FF... 00, the algorithm and the digest. OUT has SIZE bytes. */
static void encode(u8 *out, size_t size, enum sha2_kind kind, const u8 *digest)
{
	static const u8 algorithm[2][19] = {
		{ 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04,
		  0x02, 0x01, 0x05, 0x00, 0x04, 0x20 },
		{ 0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04,
		  0x02, 0x03, 0x05, 0x00, 0x04, 0x40 },
	};
	size_t len = sha2_size(kind), at = size - len - sizeof(*algorithm);

	memset(out, 0xff, size);
	out[0] = 0;
	out[1] = 1;
	out[at - 1] = 0;
	memcpy(out + at, algorithm[kind], sizeof(*algorithm));
	memcpy(out + size - len, digest, len);
}

bool rsa_verify(struct rsa_work *w, const u8 *n, size_t n_size, const u8 *sig, size_t sig_size,
		enum sha2_kind kind, const u8 *digest)
{
	if (sig_size != n_size || !set_modulus(w, n, n_size))
		return false;
	get(w->s, sig, w->limbs);
	if (!is_below(w->s, w->n, w->limbs))
		return false;
	raise(w, w->v, w->s);
	put(w->is, w->v, w->limbs);
	encode(w->should, n_size, kind, digest);
	return !memcmp(w->is, w->should, n_size);
}
