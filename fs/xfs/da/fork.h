/* SPDX-License-Identifier: MIT */
/*
 * Metadata in a fork: blocks of directories and attributes at their places. A block of a directory
 * has as many file-system blocks as the superblock says, contiguous or not; one of attributes has
 * one.
 *
 * Mapping and unmapping are the business of `bmap`.
 */
#pragma once

#include "fs/xfs/bmap/bmap.h"

/* File-system blocks of one block of a fork. */
static inline u32 xfs_fork_count(const struct xfs_tx *tx, bool attr)
{
	return attr ? 1 : 1u << tx->fs->vol.sb.dirblklog;
}

static inline u32 xfs_fork_bytes(const struct xfs_tx *tx, bool attr)
{
	return attr ? tx->fs->vol.sb.blocksize : tx->fs->vol.sb.dirblksize;
}

/* Reserved blocks that N new blocks of the fork may take at most. */
static inline u32 xfs_fork_room(const struct xfs_sb *sb, bool attr, u32 n)
{
	u32 blocks = attr ? n : n << sb->dirblklog;

	return blocks + xfs_bmap_tree_room(sb, attr) * (1 + blocks / 16);
}

/*
 * TX may unmap N more blocks of a fork. Where so many are not reserved, blocks that became useless
 * stay in the fork, empty.
 */
static inline bool xfs_fork_may_free(const struct xfs_tx *tx, bool attr, u32 n)
{
	return tx->blocks >= n * xfs_bmap_tree_room(&tx->fs->vol.sb, attr);
}

/* There is a block at OFF: 1; a hole: 0; -errno. */
int __must_check xfs_fork_has(struct xfs_tx *tx, struct xfs_ino *ip, bool attr, u64 off);
/* The block at OFF, as KIND; a hole is damage. FLAGS: XFS_GET_*. */
int __must_check xfs_fork_get(struct xfs_tx *tx, struct xfs_ino *ip, bool attr, u64 off,
			      enum xfs_kind kind, u32 flags, struct xfs_txbuf **out);
/* A new block at OFF, where a hole must be: zeroed, to be filled and logged. */
int __must_check xfs_fork_new(struct xfs_tx *tx, struct xfs_ino *ip, bool attr, u64 off,
			      enum xfs_kind kind, struct xfs_txbuf **out);
/*
 * The first place at or behind *OFF, and before END, where COUNT blocks are a hole. -ENOSPC: there
 * is none.
 */
int __must_check xfs_fork_hole(struct xfs_tx *tx, struct xfs_ino *ip, bool attr, u64 *off, u64 end,
			       u32 count);
/* The block B at OFF is no longer needed: it is unmapped and freed. */
int __must_check xfs_fork_shrink(struct xfs_tx *tx, struct xfs_ino *ip, bool attr, u64 off,
				 struct xfs_txbuf *b);
