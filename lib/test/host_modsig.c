// SPDX-License-Identifier: MIT
/* sources: lib/modsig.c lib/rsa.c lib/sha2.c */
/*
 * Signatures of modules: digests of FIPS 180-4, files that others signed, and each byte of them
 * wrong.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/test/modsig_made.h"
#include <lib/modsig.h>
#include <lib/rsa.h>

static void hex(char *out, const u8 *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sprintf(out + 2 * i, "%02x", p[i]);
}

/* The digest of N bytes at P, handed over in steps of STEP. */
static void digest(enum sha2_kind kind, const void *p, size_t n, size_t step, u8 *out)
{
	struct sha2 s;

	sha2_init(&s, kind);
	for (size_t at = 0; at < n; at += step)
		sha2_update(&s, (const u8 *)p + at, n - at < step ? n - at : step);
	sha2_final(&s, out);
}

static void is_digest(enum sha2_kind kind, const void *p, size_t n, const char *want)
{
	static const size_t steps[] = { 1, 7, 64, 127, 128, 129, 1u << 30 };
	char text[2 * SHA2_MAX_SIZE + 1];
	u8 out[SHA2_MAX_SIZE];

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		digest(kind, p, n, steps[i], out);
		hex(text, out, sha2_size(kind));
		if (strncmp(text, want, strlen(want))) {
			fprintf(stderr, "%zu bytes by %zu: %s\n", n, steps[i], text);
			abort();
		}
	}
}

/* The values are those of sha256sum and sha512sum, the first half of them or less. */
static void digests(void)
{
	static const struct {
		size_t n;
		const char *d256, *d512;
	} of_letters[] = {
		{ 0, "e3b0c44298fc1c149afbf4c8996fb924", "cf83e1357eefb8bdf1542850d66d8007" },
		{ 1, "ca978112ca1bbdcafac231b39a23dc4d", "1f40fc92da241694750979ee6cf582f2" },
		{ 55, "9f4390f8d30c2dd92ec9f095b65e2b9a", "b0220c772cbf6c1822e2cb38a437d0e1" },
		{ 56, "b35439a4ac6f0948b6d6f9e3c6af0f5f", "962b64aae357d2a4fee3ded8b539bdc9" },
		{ 63, "7d3e74a05d7db15bce4ad9ec0658ea98", "c1b0f5c6d3b03dfe4a2602e67242f54e" },
		{ 64, "ffe054fe7ae0cb6dc65c3af9b61d5209", "01d35c10c6c38c2dcf48f7eebb3235fb" },
		{ 111, "6374f73208854473827f6f6a3f43b1f5", "fa9121c7b32b9e01733d034cfc78cbf6" },
		{ 112, "f54353008a2553262ecdc4a34749563b", "c01d080efd492776a1c43bd23dd99d0a" },
		{ 119, "31eba51c313a5c08226adf18d4a359cf", "130396a75cb483f2eee8c56d8a668bb3" },
		{ 120, "2f3d335432c70b580af0e8e1b3674a7c", "f241de612b01aa2fa3cf01531d2a8e5e" },
		{ 127, "c57e9278af78fa3cab38667bef4ce29d", "828613968b501dc00a97e08c73b118aa" },
		{ 128, "6836cf13bac400e9105071cd6af47084", "b73d1929aa615934e61a871596b3f3b3" },
		{ 129, "c12cb024a2e5551cca0e08fce8f1c5e3", "4f681e0bd53cda4b5a2041cc8a06f2ea" },
		{ 1000, "41edece42d63e8d9bf515a9ba6932e1c", "67ba5535a46e3f86dbfbed8cbbaf0125" },
	};
	static u8 a[1000];

	memset(a, 'a', sizeof(a));
	is_digest(SHA2_256, "abc", 3,
		  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	is_digest(SHA2_512, "abc", 3,
		  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a8"
		  "36ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
	for (size_t i = 0; i < sizeof(of_letters) / sizeof(*of_letters); i++) {
		is_digest(SHA2_256, a, of_letters[i].n, of_letters[i].d256);
		is_digest(SHA2_512, a, of_letters[i].n, of_letters[i].d512);
	}
}

static const char *why;

static int verify(const u8 *file, size_t size, const u8 *n, size_t n_size, struct modsig *s)
{
	static struct rsa_work w;
	u8 d[SHA2_MAX_SIZE];
	int err = modsig_find(s, file, size, &why);

	if (!err)
		err = modsig_decode(s, &why);
	if (err)
		return err;
	digest(s->digest, file, s->signed_size, 100, d);
	return rsa_verify(&w, n, n_size, s->signature.p, s->signature.n, s->digest, d) ?
		       0 :
		       -EKEYREJECTED;
}

static void good(void)
{
	struct modsig s;

	assert(!verify(file_2048, sizeof(file_2048), modulus_2048, sizeof(modulus_2048), &s));
	assert(s.signed_size == 12 && s.digest == SHA2_256 && s.signature.n == 256);
	assert(s.key_id.n == sizeof(key_id_2048) && !s.issuer.n && !s.serial.n);
	assert(!memcmp(s.key_id.p, key_id_2048, s.key_id.n));
	assert(!verify(file_3072, sizeof(file_3072), modulus_3072, sizeof(modulus_3072), &s));
	assert(s.signed_size == 12 && s.digest == SHA2_512 && s.signature.n == 384);
	assert(s.serial.n == sizeof(serial_3072) && !memcmp(s.serial.p, serial_3072, s.serial.n));
	assert(!s.key_id.n && s.issuer.n > 8 && s.issuer.p[0] == 0x30 &&
	       s.issuer.p[1] == s.issuer.n - 2);
	assert(verify(file_3072, sizeof(file_3072), modulus_2048, sizeof(modulus_2048), &s) ==
	       -EKEYREJECTED);
}

/*
 * Each bit of a file flipped: never taken, unless it is one that says whose key it is, and refused
 * for the reason that its place gives.
 */
static void each_bit(const u8 *file, size_t size, const u8 *n, size_t n_size)
{
	u8 *copy = malloc(size);
	struct modsig s, was;
	size_t passed = 0;

	assert(!verify(file, size, n, n_size, &was));
	for (size_t i = 0; i < 8 * size; i++) {
		size_t at = i / 8;
		int err;

		memcpy(copy, file, size);
		copy[at] ^= (u8)(1u << i % 8);
		err = verify(copy, size, n, n_size, &s);
		assert(!err || err == -EBADMSG || err == -ENOPKG || err == -ENODATA ||
		       err == -EKEYREJECTED);
		if (at < 12 ||
		    (file + at >= was.signature.p && file + at < was.signature.p + was.signature.n))
			assert(err == -EKEYREJECTED);
		if (at >= size - 28)
			assert(err == -ENODATA);
		passed += !err;
	}
	/* The name, the number, the key's id, and the set of digests, which nobody reads. */
	assert(passed <= 8 * (was.issuer.n + was.serial.n + was.key_id.n + 24));
	for (size_t len = 0; len < size; len++) {
		memcpy(copy, file, len);
		assert(verify(copy, len, n, n_size, &s) == -ENODATA);
	}
	free(copy);
}

/* The last LEN bytes of a good file, which ends with a trailer that says another length or kind. */
static void trailers(void)
{
	u8 copy[sizeof(file_2048)];
	struct modsig s;
	u8 *t = copy + sizeof(copy) - 40;

	assert(verify(file_2048 + sizeof(file_2048) - 28, 28, modulus_2048, 256, &s) == -EBADMSG);
	assert(verify(file_2048 + sizeof(file_2048) - 40, 40, modulus_2048, 256, &s) == -EBADMSG);
	memcpy(copy, file_2048, sizeof(copy));
	t[8] = 0xff;
	assert(verify(copy, sizeof(copy), modulus_2048, 256, &s) == -EBADMSG);
	memcpy(copy, file_2048, sizeof(copy));
	t[2] = 1;
	assert(verify(copy, sizeof(copy), modulus_2048, 256, &s) == -ENOPKG);
	memcpy(copy, file_2048, sizeof(copy));
	t[6] = 1;
	assert(verify(copy, sizeof(copy), modulus_2048, 256, &s) == -EBADMSG);
	memcpy(copy, file_2048, sizeof(copy));
	t[11]--;
	assert(verify(copy, sizeof(copy), modulus_2048, 256, &s) == -EBADMSG);
}

/* Keys that are not supported, and a number that is not below the modulus. */
static void keys(void)
{
	static struct rsa_work w;
	u8 n[RSA_MAX_BYTES + 8], d[SHA2_MAX_SIZE] = { 0 };

	memset(n, 0xff, sizeof(n));
	assert(!rsa_verify(&w, n, 248, n, 248, SHA2_512, d));
	assert(!rsa_verify(&w, n, 520, n, 520, SHA2_512, d));
	assert(!rsa_verify(&w, n, 260, n, 260, SHA2_512, d));
	assert(!rsa_verify(&w, n, 256, n, 264, SHA2_512, d));
	assert(!rsa_verify(&w, n, 256, n, 256, SHA2_512, d));
	n[255] = 0xfe;
	assert(!rsa_verify(&w, n, 256, n + 256, 256, SHA2_512, d));
	n[255] = 0xff;
	n[0] = 0x7f;
	assert(!rsa_verify(&w, n, 256, n + 256, 256, SHA2_512, d));
}

int main(void)
{
	digests();
	good();
	each_bit(file_2048, sizeof(file_2048), modulus_2048, sizeof(modulus_2048));
	each_bit(file_3072, sizeof(file_3072), modulus_3072, sizeof(modulus_3072));
	trailers();
	keys();
	return 0;
}
