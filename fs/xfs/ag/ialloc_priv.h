/* SPDX-License-Identifier: MIT */
/* Between the files about inodes, and for walks over all of them (admin/bulk.c). */
#pragma once

#include "fs/xfs/ag/ialloc.h"
#include <lib/minmax.h>
#include <lib/string.h>
#include <abi/errno.h>

#define XFS_CHUNK 64u
#define XFS_HOLE_BITS 16u		/* of the mask: each for four inodes */

/* An AG whose AGI is locked, with its trees. */
struct xfs_iop {
	struct xfs_tx *tx;
	struct xfs_ag *ag;
	struct xfs_txbuf *agi;
	bool with_free;			/* there is a tree of chunks with free inodes */
	struct xfs_bt_cur all, free;
};
int __must_check xfs_iop_open(struct xfs_iop *op, struct xfs_tx *tx, u32 agno, u32 flags);
void xfs_iop_close(struct xfs_iop *op);
static inline struct xfs_dagi *xfs_iop_agi(const struct xfs_iop *op)
{
	return (struct xfs_dagi *)op->agi->data;
}

void xfs_agi_log(struct xfs_iop *op);
/* BY inodes more, and FREE of them free, in the AGI and in the superblock. */
void xfs_iop_count(struct xfs_iop *op, int by, int free);

struct xfs_chunk {
	u32 start;			/* inode of the AG */
	u16 holes;			/* parts that do not exist */
	u32 count, nfree;
	u64 free;			/* one bit each; of holes too */
};
/* The record at the position of C, checked. */
int __must_check xfs_chunk_get(struct xfs_bt_cur *c, struct xfs_chunk *out);
int __must_check xfs_chunk_update(struct xfs_bt_cur *c, const struct xfs_chunk *k);
int __must_check xfs_chunk_insert(struct xfs_bt_cur *c, const struct xfs_chunk *k);
/* C goes to the chunk that begins at START; *FOUND. */
int __must_check xfs_chunk_find(struct xfs_bt_cur *c, u32 start, enum xfs_bt_dir dir, bool *found);
/* The chunk that has inode AGINO, or the next one of the AG; *FOUND false: none. */
int __must_check xfs_chunk_from(struct xfs_bt_cur *c, u32 agino, struct xfs_chunk *k, bool *found);
/* The inodes of each bit of a mask of holes. */
u64 xfs_chunk_hole_inodes(u16 holes);
/* Makes inodes in OP's AG, a chunk or a part. -ENOSPC: nothing was changed. */
int __must_check xfs_chunk_make(struct xfs_iop *op);
