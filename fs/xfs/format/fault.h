/* SPDX-License-Identifier: MIT */
/*
 * What is wrong with a structure, and the checks that all structures share. A verifier returns 0 or
 * an errno and names in its fault the structure, the field and the place; whoever called it prints
 * that once.
 */
#pragma once

#include <lib/types.h>

struct xfs_sb;

struct xfs_fault {
	const char *what;	/* the structure: "inode", "AGF" */
	const char *field;	/* of the disk structure */
	u64 place;		/* an inode's number, else a device address in 512-byte units */
	u64 value;		/* what the field says */
};

#define XFS_CORRUPT 117		/* EUCLEAN, as Linux's XFS says it */
#define XFS_BAD_CRC 74		/* EBADMSG */

/* Fills F in; -EUCLEAN. */
int xfs_bad(struct xfs_fault *f, const char *what, const char *field, u64 place, u64 value);

/* CRC of LEN bytes at P whose own checksum, at offset AT, counts as zero: as it is stored. */
u32 xfs_crc(const void *p, u32 len, u32 at);
bool xfs_crc_ok(const void *p, u32 len, u32 at);
