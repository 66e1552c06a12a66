/* SPDX-License-Identifier: MIT */
/* Decompression of whole buffers: gzip members (RFC 1952, 1951) and zstd frames (RFC 8878). */
#pragma once

#include <lib/types.h>

#define DECOMP_STRETCH (64u << 10)

/* Where output goes. When it is full GROW makes it larger (contents kept) or says -ENOMEM. */
struct decomp_out {
	u8 *buf;
	size_t len, cap;
	int (*grow)(struct decomp_out *out, size_t at_least);
	void (*pause)(void);	/* for others to run, each DECOMP_STRETCH bytes or a few more; may be NULL */
};

/*
 * Unpack the one member or frame that starts at IN; *USED is where it ended. 0; -EINVAL (not this format, or broken),
 * -EBADMSG (checksum), -ENODATA (cut short), what GROW said.
 */
int gunzip(const u8 *in, size_t len, size_t *used, struct decomp_out *out);
int unzstd(const u8 *in, size_t len, size_t *used, struct decomp_out *out, void *workspace);
/* Bytes that unzstd needs as workspace. */
size_t unzstd_workspace(void);
u32 crc32_le(u32 crc, const u8 *p, size_t n);
