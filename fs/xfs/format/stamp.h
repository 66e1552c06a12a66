/* SPDX-License-Identifier: MIT */
/*
 * Where the LSN, the UUID and the checksum of a block lie, setting them before it is written, and
 * the log's number for its kind. Pure code.
 */
#pragma once

#include "fs/xfs/format/logitem.h"
#include "fs/xfs/format/walk.h"

/* Of a magic number: where things are in that structure, and the log's number for it. */
struct xfs_layout {
	u32 magic;
	u16 lsn, uuid, crc;
	bool da;		/* the number is the 16-bit one behind two pointers */
	u8 bt;			/* enum xfs_bt plus 1; 0: of no AG's tree */
	u8 lkind;		/* enum xfs_lkind */
};

static inline u32 xfs_magic_of(const u8 *p)
{
	return be32_get(*(const be32 *)p);
}

/* NULL: no kind has the magic number of P, or it has its own for each inode, dquot or value. */
const struct xfs_layout *xfs_layout_of(const u8 *p);
/* Sets the checksum of the LEN bytes at P, which lies at AT of them. */
void xfs_put_crc(u8 *p, u32 len, u32 at);

/*
 * Sets the LSN (0: leaves it) and the checksum of a whole block that is to be written. Inodes have
 * their own each, set when they are changed: others beside them may be damaged and must stay so.
 * False: its magic number fits no kind.
 */
bool xfs_block_stamp(const struct xfs_sb *sb, enum xfs_kind kind, u8 *p, u32 len, u64 lsn);
/* The checksum of one inode, sb->inodesize bytes. */
void xfs_inode_stamp(const struct xfs_sb *sb, u8 *p);
/* The log's number for a block of KIND with these bytes: enum xfs_lkind. */
u8 xfs_block_lkind(enum xfs_kind kind, const u8 *p);
