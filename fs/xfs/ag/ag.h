/* SPDX-License-Identifier: MIT */
/*
 * The free space of allocation groups, and who owns what is not free.
 *
 * Free extents lie in two trees, by block and by length. Blocks for these trees and for that of
 * owners come from the free list (AGFL), which is filled before each operation with as many as it
 * may need: so a tree never needs space while it is changed. All is guarded by the AGF's lock,
 * which a transaction keeps until it commits.
 *
 * Blocks of the free list and of those three trees count as free in the superblock; what is
 * allocated by xfs_alloc() does not, and is taken from what the transaction reserved.
 */
#pragma once

#include "fs/xfs/btree/btree.h"
#include "fs/xfs/btree/owner.h"
#include "fs/xfs/tx/defer.h"

/* ---- ag.c ---- */

/*
 * The AGF of AGNO, locked; xfs_ag_of() says what it says. FLAGS: XFS_GET_TRY. -EAGAIN: it is
 * locked, or below one that TX has.
 */
int __must_check xfs_ag_agf(struct xfs_tx *tx, u32 agno, u32 flags, struct xfs_txbuf **out);

/* BY more of the blocks that AG keeps for trees are used. Its AGF is locked. */
static inline void xfs_ag_use_kept(struct xfs_tx *tx, struct xfs_ag *ag, s32 by)
{
	s64 was = ag->used_other, now = was + by < 0 ? 0 : was + by, most = ag->kept_other;

	ag->used_other = (u32)now;
	/* What is kept and not used was never among the free blocks of files. */
	tx->kept += (was < most ? most - was : 0) - (now < most ? most - now : 0);
}

/* An AG whose AGF is locked, with a free list that suffices for one operation. */
struct xfs_agop {
	struct xfs_tx *tx;
	struct xfs_ag *ag;
	struct xfs_txbuf *agf, *agfl;
	struct xfs_bt_cur bno, cnt, rmap;
};
void xfs_agop_open(struct xfs_agop *op, struct xfs_tx *tx, u32 agno, struct xfs_txbuf *agf);
void xfs_agop_close(struct xfs_agop *op);
/* Fills the free list, or gives back what is too much. -ENOSPC: nothing was changed. */
int __must_check xfs_agop_fill(struct xfs_agop *op);
/* Blocks that the free list must have. */
u32 xfs_ag_list_need(const struct xfs_sb *sb, const struct xfs_dagf *d);
static inline struct xfs_dagf *xfs_agop_agf(const struct xfs_agop *op)
{
	void *p = op->agf->data;

	return p;
}

/* ---- alloc.c ---- */

struct xfs_owner {
	u64 owner;		/* XFS_OWN_*, or an inode; XFS_OWN_NULL: none is noted */
	u64 offset;		/* of the file's block, with XFS_RMAP_* */
	bool shared;		/* blocks that other files may have too */
};

enum xfs_alloc_where {
	XFS_ALLOC_ANY,		/* an AG from that of NEAR on that has it all, or else some of it */
	XFS_ALLOC_NEAR,		/* in NEAR's AG, as near as can be; else as ANY */
	XFS_ALLOC_EXACT,	/* at NEAR */
};
struct xfs_alloc {
	u64 near;
	u32 minlen, maxlen;
	u32 align;		/* of the block in its AG; 0, 1: any */
	u32 from, below;	/* blocks of the AG between which it lies; BELOW 0: its end */
	u32 prod, mod;		/* if PROD > 1, the length is MOD modulo PROD, if it can be */
	u32 minleft;		/* blocks that are left in the AG for the same transaction */
	u32 total;		/* the AG must have so many, with MINLEFT */
	u8 where;		/* enum xfs_alloc_where */
	bool same_ag;		/* as NEAR, no other */
	bool metadata;		/* space that was freed as metadata is used at once */
	bool kept;		/* from blocks kept for the trees of references and free inodes */
	struct xfs_owner owner;
	/* out */
	u64 fsb;
	u32 len;
};
/* -ENOSPC: there is no such extent. Takes LEN from tx->blocks unless KEPT. */
int __must_check xfs_alloc(struct xfs_tx *tx, struct xfs_alloc *a);
/* For trees whose blocks are allocated: a block of C's AG, near block NEAR of it. */
int __must_check xfs_tree_block(struct xfs_bt_cur *c, u64 near, const struct xfs_owner *owner,
				bool kept, u64 *ptr);

/* ---- space.c ---- */

/* LEN blocks at FSB, inside an AG, become free; KEEP: they were metadata. At once. */
int __must_check xfs_free(struct xfs_tx *tx, u64 fsb, u32 len, const struct xfs_owner *owner,
			  bool keep, bool kept);
/* Block PTR of C's AG, which xfs_tree_block() gave. */
int __must_check xfs_tree_block_free(struct xfs_bt_cur *c, u64 ptr, const struct xfs_owner *owner,
				     bool kept);
/*
 * As xfs_free(), later (defer.h). -ENOMEM. OWNER:
 * XFS_OWN_NULL where the owner's record is removed by another piece of work.
 */
int __must_check xfs_free_later(struct xfs_tx *tx, u64 fsb, u32 len, const struct xfs_owner *owner,
				bool keep);
extern const struct xfs_work_ops xfs_free_ops;

/* Between the files: in an AG that is open. */
int __must_check xfs_space_take(struct xfs_agop *op, u32 agb, u32 len);
int __must_check xfs_space_give(struct xfs_agop *op, u32 agb, u32 len);
/* The free extent at the position of C, one of the two trees. */
void xfs_space_rec(const struct xfs_bt_cur *c, u32 *agb, u32 *len);
int __must_check xfs_agfl_get(struct xfs_agop *op, bool tree, u32 *agb);
int __must_check xfs_agfl_put(struct xfs_agop *op, bool tree, u32 agb);
void xfs_agf_log(struct xfs_agop *op);

/*
 * ---- rmap.c: the tree of owners; without it nothing is done ----
 *
 * O->shared is for all blocks of a file's data that shares blocks with others, or may.
 */

int __must_check xfs_rmap_map(struct xfs_agop *op, u32 agb, u32 len, const struct xfs_owner *o);
/* Owner XFS_OWN_UNKNOWN: the record of any owner goes, if there is one. */
int __must_check xfs_rmap_unmap(struct xfs_agop *op, u32 agb, u32 len, const struct xfs_owner *o);
/* O's offset says what it is now (XFS_RMAP_UNWRITTEN): it becomes the other. */
int __must_check xfs_rmap_convert(struct xfs_agop *op, u32 agb, u32 len, const struct xfs_owner *o);

/* ---- kept.c ---- */

/*
 * Blocks that AGNO should keep: *RMAP for the tree of owners (struct xfs_ag, kept_rmap), *OTHER for
 * those of references and free inodes (kept_other), those that the trees have already among them.
 * An AG that has less free than that keeps what there is.
 */
void xfs_ag_kept_of(const struct xfs_sb *sb, u32 agno, u32 *rmap, u32 *other);
/*
 * The trees of AGNO may soon have no block to grow by: its blocks are not to get further owners, of
 * whom there may be any number. A look without the AGF's lock.
 */
bool xfs_ag_is_tight(const struct xfs_fs *fs, u32 agno);
