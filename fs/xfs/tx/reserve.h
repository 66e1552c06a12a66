/* SPDX-License-Identifier: MIT */
/*
 * How much of the log each operation can need at most, from the geometry: the blocks of every tree
 * that it may change from the root to a leaf, with splits on the way, the headers that it has, the
 * inodes. The format's documentation has these sums; mkfs.xfs makes no log in which the largest
 * does not fit three times. Pure code.
 */
#pragma once

#include "fs/xfs/format/sb.h"

enum xfs_res {
	XFS_RES_WRITE,		/* an extent mapped, allocated, or made written */
	XFS_RES_TRUNCATE,	/* extents of a file taken away */
	XFS_RES_RENAME,		/* with a new and a removed inode */
	XFS_RES_LINK,
	XFS_RES_REMOVE,
	XFS_RES_CREATE,
	XFS_RES_SYMLINK,
	XFS_RES_TMPFILE,
	XFS_RES_FREE,		/* an inode without names */
	XFS_RES_CHANGE,		/* an inode's core */
	XFS_RES_ATTR_FORK,	/* an inode gets an attribute fork */
	XFS_RES_ATTR_SET,
	XFS_RES_ATTR_REMOVE,
	XFS_RES_SB,
	XFS_RES_EXCHANGE,	/* a step of an exchange of two files' extents */
	XFS_RES_KINDS
};

struct xfs_reserve {
	u32 bytes;		/* of one transaction of it */
	u32 count;		/* transactions that it commonly takes */
};

/* Levels that each tree can have at most. */
struct xfs_heights {
	u32 alloc, ino, rmap, refc, data, attr;
};
void xfs_heights_of(const struct xfs_sb *sb, struct xfs_heights *h);
void xfs_reserve_of(const struct xfs_sb *sb, struct xfs_reserve out[XFS_RES_KINDS]);
