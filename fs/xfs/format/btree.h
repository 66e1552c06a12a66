/* SPDX-License-Identifier: MIT */
/*
 * Blocks of btrees: of allocation groups (short pointers: blocks of the AG) and of files (long
 * ones: fsb). A verified block has a possible level, as many records as fit, in ascending order,
 * and pointers into the AG or the file system.
 */
#pragma once

#include "fs/xfs/format/agheader.h"

enum xfs_bt {
	XFS_BT_BNO,
	XFS_BT_CNT,
	XFS_BT_INO,
	XFS_BT_FINO,
	XFS_BT_RMAP,
	XFS_BT_REFC,
	XFS_BT_KINDS
};

/* Header values of a verified block. */
struct xfs_bt_block {
	u32 level, numrecs;
	u64 left, right, owner;
};

int xfs_bt_verify(const struct xfs_sb *sb, enum xfs_bt kind, u64 daddr, const void *p,
		  struct xfs_fault *f);
int xfs_bmbt_verify(const struct xfs_sb *sb, u64 daddr, const void *p, struct xfs_fault *f);
void xfs_bt_head(const void *p, struct xfs_bt_block *out);
void xfs_bmbt_head(const void *p, struct xfs_bt_block *out);
const char *xfs_bt_name(enum xfs_bt kind);

struct xfs_bt_rec {	/* one record of any of the trees of an AG */
	u32 start, count, refs;
	u64 owner, offset;
	u64 free;		/* inode chunks: mask */
	u16 holemask;		/* each bit four inodes that are not there */
	u8 inodes, freecount;
};
/* The I-th record of a leaf, the I-th pointer of a node. */
void xfs_bt_rec_at(const struct xfs_sb *sb, enum xfs_bt kind, const void *p, u32 i,
		   struct xfs_bt_rec *out);
u32 xfs_bt_ptr_at(const struct xfs_sb *sb, enum xfs_bt kind, const void *p, u32 i);

/* A file's extent. */
struct xfs_ext {
	u64 off, fsb;		/* blocks */
	u32 count;
	bool unwritten;
};
void xfs_ext_get(const void *rec, struct xfs_ext *out);
void xfs_ext_set(void *rec, const struct xfs_ext *x);
/* It lies in the file system and in the file. */
bool xfs_ext_ok(const struct xfs_sb *sb, const struct xfs_ext *x);
void xfs_bmbt_ext_at(const void *p, u32 i, struct xfs_ext *out);
u64 xfs_bmbt_key_at(const void *p, u32 i);
u64 xfs_bmbt_ptr_at(const struct xfs_sb *sb, const void *p, u32 i);
#define XFS_OFF_MAX (1ull << 54)	/* blocks: beyond every file's end */
