/* SPDX-License-Identifier: MIT */
/*
 * Counts of references to blocks, where files share them. The tree has an extent for each run of
 * blocks with one count of at least two; a block of a file that is not in it has one reference.
 * Apart from those, with the highest bit of the block's number set, it has the blocks that are
 * staged for copying on write: allocated, and in no file yet, with a count of one.
 *
 * All is guarded by the AGF's lock.
 */
#pragma once

#include "fs/xfs/ag/ag.h"

#define XFS_REFC_STAGED 0x80000000u

/* C works upon the tree of OP's AG, and is closed with xfs_bt_close() before OP. */
void xfs_refc_open(struct xfs_bt_cur *c, struct xfs_agop *op);

/*
 * Adds a reference to LEN blocks from AGB on, or takes one, at most STEPS runs of them; what loses
 * its last one is freed later. *DONE: so many blocks were changed.
 */
int __must_check xfs_refcount_adjust(struct xfs_bt_cur *c, u32 agb, u32 len, bool up, u32 steps,
				     u32 *done);
/* LEN blocks are staged, or no longer are; their owner's record is changed too. */
int __must_check xfs_refcount_stage(struct xfs_bt_cur *c, u32 agb, u32 len, bool staged);
/*
 * The first run of shared blocks among the LEN from AGB on: *N blocks at *FIRST; 0: none is shared.
 */
int __must_check xfs_refcount_shared(struct xfs_bt_cur *c, u32 agb, u32 len, u32 *first, u32 *n);
/* The first run of staged blocks at or behind *AGB: *LEN blocks; 0: there is none. */
int __must_check xfs_refcount_staged(struct xfs_bt_cur *c, u32 *agb, u32 *len);
