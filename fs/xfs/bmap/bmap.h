/* SPDX-License-Identifier: MIT */
/*
 * Mapping blocks into files and attribute forks.
 *
 * A fork's extents lie in the inode while they fit there, sorted by offset; else in a btree whose
 * root lies in the inode. Both are changed through a list (struct xfs_exts), which turns the one
 * into the other. Neighbours that continue one another are one extent.
 *
 * The inode's metadata lock is held for writing, the inode belongs to the transaction, and all that
 * changes in it is logged here.
 */
#pragma once

#include "fs/xfs/btree/btree.h"

#define XFS_EXT_MOST ((1u << 21) - 1)	/* blocks of one extent */

/* ---- the list ---- */

struct xfs_exts {
	struct xfs_tx *tx;
	struct xfs_ino *ip;
	bool attr, have;
	u32 at;				/* extents in the inode: which; valid if HAVE */
	struct xfs_ext x;		/* at the position, if HAVE */
	struct xfs_bt_cur bt;
};

void xfs_exts_open(struct xfs_exts *l, struct xfs_tx *tx, struct xfs_ino *ip, bool attr);
void xfs_exts_close(struct xfs_exts *l);
/*
 * Goes to the last extent that begins at or before OFF, or else to the first; l->have: there is
 * one.
 */
int __must_check xfs_exts_seek(struct xfs_exts *l, u64 off);
/* Goes to the next; without one l->have becomes false. */
int __must_check xfs_exts_next(struct xfs_exts *l);
/*
 * X, which lies in a hole, becomes mapped: an extent of its own, or part of its neighbours. There
 * is no position afterwards. -EFBIG: too many extents, and nothing was changed.
 */
int __must_check xfs_exts_add(struct xfs_exts *l, const struct xfs_ext *x);
/*
 * Takes what lies in the COUNT blocks from OFF on out of the first extent that has any of them:
 * *CUT, whose count is 0 where all is a hole. There is no position afterwards.
 */
int __must_check xfs_exts_cut(struct xfs_exts *l, u64 off, u64 count, struct xfs_ext *cut);

/*
 * The extent at the position goes to OFF, between the one before it and the one behind it, and
 * becomes part of the one before it where it continues that. There is no position afterwards, but
 * l->x is the extent as it was.
 */
int __must_check xfs_exts_move(struct xfs_exts *l, u64 off);
/* The extent at the position becomes two, the second from OFF on. -EFBIG: too many extents. */
int __must_check xfs_exts_split(struct xfs_exts *l, u64 off);

/* ---- blocks ---- */

/*
 * Blocks that one change of a fork's extents may take at most for its tree, in a fork of any size.
 */
u32 xfs_bmap_tree_room(const struct xfs_sb *sb, bool attr);

/*
 * Allocates LEAST to COUNT contiguous blocks, near NEAR where possible (0: near the inode), and
 * maps them from OFF on, where at least COUNT blocks are a hole. *GOT: what was mapped. -ENOSPC.
 */
int __must_check xfs_bmap_extend(struct xfs_tx *tx, struct xfs_ino *ip, bool attr, u64 off,
				 u32 least, u32 count, u64 near, bool unwritten,
				 struct xfs_ext *got);
/*
 * The same until all COUNT blocks are mapped, in as many extents as it takes. LOGGED: what is
 * written there goes through the log, so they may be blocks whose freeing is not durable yet.
 */
int __must_check xfs_bmap_alloc(struct xfs_tx *tx, struct xfs_ino *ip, bool attr, u64 off,
				u32 count, u64 near, bool logged);
/* X's blocks, which are the caller's, become part of the data fork, where there is a hole. */
int __must_check xfs_bmap_map(struct xfs_tx *tx, struct xfs_ino *ip, const struct xfs_ext *x);
/*
 * Unmaps what is mapped of COUNT blocks from OFF on, at most MOST extents of it, and frees those
 * blocks that no other file shares, as deferred work. *LEFT: blocks that were not looked at; NULL:
 * none may be left.
 */
int __must_check xfs_bmap_unmap(struct xfs_tx *tx, struct xfs_ino *ip, bool attr, u64 off,
				u64 count, u32 most, u64 *left);
int __must_check xfs_bmap_free(struct xfs_tx *tx, struct xfs_ino *ip, bool attr, u64 off,
			       u32 count);
/*
 * What is mapped of COUNT blocks of the data fork becomes unwritten, or written. At most MOST
 * extents.
 */
int __must_check xfs_bmap_mark(struct xfs_tx *tx, struct xfs_ino *ip, u64 off, u64 count,
			       bool unwritten, u32 most, u64 *left);
/*
 * The data fork, of extents or a btree, is made to need BYTES in the inode at most: a list of
 * extents becomes a btree, a root goes to a block of its own. -ENOSPC.
 */
int __must_check xfs_bmap_fit(struct xfs_tx *tx, struct xfs_ino *ip, u32 bytes);

/* ---- shifting the data fork (shift.c); a transaction needs 2 * xfs_bmap_tree_room() ---- */

/* Where the last extent ends; 0: there is none. */
int __must_check xfs_bmap_end(struct xfs_tx *tx, struct xfs_ino *ip, u64 *end);
/* No extent goes over OFF any more. -EFBIG: too many extents, and nothing was changed. */
int __must_check xfs_bmap_split(struct xfs_tx *tx, struct xfs_ino *ip, u64 off);
/*
 * The first extent at or behind *FROM goes BY blocks down, where a hole is. *FROM is its end then;
 * XFS_OFF_MAX: there was none.
 */
int __must_check xfs_bmap_move_down(struct xfs_tx *tx, struct xfs_ino *ip, u64 by, u64 *from);
/*
 * The last extent that begins before *END, and not before FROM, goes BY blocks up, where a hole is.
 * *END is where it began; FROM: there is no other.
 */
int __must_check xfs_bmap_move_up(struct xfs_tx *tx, struct xfs_ino *ip, u64 by, u64 from,
				  u64 *end);
