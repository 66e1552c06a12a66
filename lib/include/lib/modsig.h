/* SPDX-License-Identifier: MIT */
/*
 * The signature at the end of a module's file, as Linux's sign-file appends it: a PKCS #7 message
 * (RFC 5652) without content and certificates, 12 bytes that say how long it is, and a line of
 * magic. Pure: what comes in is bytes; they are read in place.
 */
#pragma once

#include <lib/sha2.h>

struct modsig_bytes {
	const u8 *p;
	size_t n;
};

struct modsig {
	size_t signed_size;  /* bytes of the file that are signed: all before the message */
	struct modsig_bytes message;
	/* Whose it is: the issuer's name (with its DER header) and a serial number, or a key id. */
	struct modsig_bytes issuer, serial, key_id;
	enum sha2_kind digest;
	struct modsig_bytes signature;	/* RSA */
};

/*
 * Finds the message at the end of FILE, SIZE bytes. 0: signed_size and message are set; -ENODATA:
 * it is not signed; -EBADMSG; -ENOPKG: signed, but not by PKCS #7. *WHY says what is wrong.
 */
int modsig_find(struct modsig *s, const void *file, size_t size, const char **why) __must_check;
/*
 * Decodes the message. 0: the rest of S is set; -EBADMSG: malformed; -ENOPKG: an algorithm that is
 * not supported; -EKEYREJECTED: the signature is not of the file alone. *WHY says what is wrong.
 */
int modsig_decode(struct modsig *s, const char **why) __must_check;
