/* SPDX-License-Identifier: MIT */
/*
 * Files that share blocks, and copying when one of them is written (reflink.c has the theory).
 *
 * All inodes are locked for writing. A transaction needs xfs_bmap_remap_room() blocks, and what is
 * staged besides. What a function leaves to be done is deferred work (defer.h).
 */
#pragma once

#include "fs/xfs/bmap/bmap.h"

/* Blocks that one call of xfs_bmap_share() or xfs_cow_finish() may take for trees. */
u32 xfs_bmap_remap_room(const struct xfs_sb *sb);

/*
 * IP's blocks may be other files' too from now on. xfs_bmap_share() does it itself; before, where
 * the transaction that shares is to log no more than one inode's fields.
 */
void xfs_bmap_mark_shared(struct xfs_tx *tx, struct xfs_ino *ip);
/*
 * What FROM has written in COUNT blocks from FOFF on becomes TO's too, from TOFF on, in place of
 * what TO has there; a hole there is a hole in TO. *DONE: so many blocks were done, by one change
 * of TO's extents; the caller goes on in another transaction. Sizes of files are the caller's;
 * where FROM is TO, the ranges do not overlap. -EFBIG: too many extents, and nothing was changed.
 */
int __must_check xfs_bmap_share(struct xfs_tx *tx, struct xfs_ino *from, u64 foff,
				struct xfs_ino *to, u64 toff, u64 count, u64 *done);
/*
 * The first run of blocks that have other owners, among those of X: *SKIP blocks before it, *N
 * blocks; 0: none has. TX has the AGF of X then.
 */
int __must_check xfs_bmap_shared(struct xfs_tx *tx, const struct xfs_ext *x, u32 *skip, u32 *n);

/*
 * Allocates LEAST to COUNT blocks for a copy of IP's blocks from OFF on, near NEAR where possible
 * (0: near the inode), which belong to no file: *GOT. -ENOSPC.
 */
int __must_check xfs_cow_stage(struct xfs_tx *tx, struct xfs_ino *ip, u64 off, u32 least, u32 count,
			       u64 near, struct xfs_ext *got);
/*
 * X, staged and written, takes the place of what IP has there: the first *DONE blocks of it, by one
 * change of IP's extents. -EFBIG: as above.
 */
int __must_check xfs_cow_finish(struct xfs_tx *tx, struct xfs_ino *ip, const struct xfs_ext *x,
				u32 *done);
/* LEN staged blocks at FSB, in one AG, are not wanted: they are freed. */
int __must_check xfs_cow_cancel(struct xfs_tx *tx, u64 fsb, u32 len);
/*
 * For recovery: the first staged blocks of AGNO are freed. *MORE: there were some, perhaps there
 * are more, for another transaction.
 */
int __must_check xfs_cow_cancel_some(struct xfs_tx *tx, u32 agno, bool *more);
