/* SPDX-License-Identifier: MIT */
/*
 * For targets of XFS: a small file system's geometry, checksums that always fit (mutations would
 * find nothing behind them), and bytes put into seeds.
 */
#pragma once

#include <assert.h>
#include "lib/test/fuzz.h"
#include "fs/xfs/format/walk.h"

int xfs_bad(struct xfs_fault *f, const char *what, const char *field, u64 place, u64 value)
{
	*f = (struct xfs_fault){ what, field, place, value };
	return -XFS_CORRUPT;
}

bool xfs_crc_ok(const void *p, u32 len, u32 at)
{
	u8 sum = 0;

	for (u32 i = 0; i < len; i++)	/* as far as it would read */
		sum |= ((const volatile u8 *)p)[i];
	return at + 4 <= len || sum;
}

/*
 * Four groups of 4096 blocks of 1 KiB, directory blocks of 2 KiB, inodes of 512 bytes; the UUID is
 * zero.
 */
static const struct xfs_sb geometry = {
	.blocksize = 1024,
	.sectsize = 512,
	.inodesize = 512,
	.dirblksize = 2048,
	.blocklog = 10,
	.sectlog = 9,
	.inodelog = 9,
	.inopblog = 1,
	.agblklog = 12,
	.dirblklog = 1,
	.agblocks = 4096,
	.agcount = 4,
	.logblocks = 1024,
	.dblocks = 16000,
	.logstart = 8200,
	.rootino = 128,
	.ro_compat = XFS_RO_KNOWN,
	.incompat = XFS_IN_KNOWN & ~(u32)XFS_IN_META_UUID,
};

static inline void put_be(u8 *p, u64 v, unsigned int n)
{
	while (n--) {
		p[n] = (u8)v;
		v >>= 8;
	}
}

/* The bytes of an input as a block of N: what is missing is zero. */
static inline u8 *as_block(const u8 *p, size_t n, size_t size)
{
	u8 *b = calloc(1, size);

	memcpy(b, p, n < size ? n : size);
	return b;
}

static inline void answer_ok(int e, const struct xfs_fault *f)
{
	assert(!e || (e == -XFS_CORRUPT && f->what && f->field));
}
