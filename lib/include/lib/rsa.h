/* SPDX-License-Identifier: MIT */
/*
 * RSA signatures by PKCS #1 v1.5 (RFC 8017, 8.2), verification alone: keys of 2048 to 4096 bits, in
 * steps of 64, whose public exponent is 65537. All numbers are public, so nothing hides its time.
 */
#pragma once

#include <lib/sha2.h>

#define RSA_MAX_BYTES 512

#define RSA_MAX_LIMBS (RSA_MAX_BYTES / 8)

/* What a verification needs: 4 KiB, too much for a stack. Nothing of it means anything outside. */
struct rsa_work {
	u64 n[RSA_MAX_LIMBS], s[RSA_MAX_LIMBS], v[RSA_MAX_LIMBS];
	u64 t[2 * RSA_MAX_LIMBS];	/* a product */
	u64 inverse;		/* -1/n mod 2^64 */
	u32 limbs;
	u8 is[RSA_MAX_BYTES], should[RSA_MAX_BYTES];
};

/*
 * SIG, SIG_SIZE bytes, is the signature of DIGEST (of KIND) by the key with the modulus N. All
 * numbers are big-endian. False also for a key that is not supported.
 */
bool rsa_verify(struct rsa_work *w, const u8 *n, size_t n_size, const u8 *sig, size_t sig_size,
		enum sha2_kind kind, const u8 *digest) __must_check;
