/* SPDX-License-Identifier: MIT */
/*
 * Directories. A directory's blocks (of sb->dirblksize) lie in three ranges of its address space:
 * names from 0, hashes from 32 GiB, free space from 64 GiB.
 *
 *   shortform	names in the inode: xfs_dirsf_*
 *   block	one block with names and, at its end, hashes
 *   leaf, node	blocks of names; one leaf of hashes, or a tree of nodes over leaves (da.h)
 *
 * An entry's cookie is its address in units of 8 bytes; in the inode it is the one that it would
 * have in a block.
 */
#pragma once

#include "fs/xfs/format/sb.h"

struct xfs_dirent {
	u64 ino;
	const u8 *name;
	u32 cookie;		/* of this entry; seeking to it finds it again */
	u8 len, ftype;		/* ftype: xfs_ftype_to_dt() */
};

#define XFS_COOKIE_DOT(sb)	8u
#define XFS_COOKIE_DOTDOT(sb)	10u

/* Shortform: SIZE bytes at P. Its names have ascending cookies. */
int xfs_dirsf_check(const struct xfs_sb *sb, const u8 *p, u32 size, u64 ino, struct xfs_fault *f);
u64 xfs_dirsf_parent(const u8 *p);
/* Walks a checked one: *AT begins at 0. False: no more. */
bool xfs_dirsf_next(const u8 *p, u32 *at, struct xfs_dirent *out);

/* A block of names, with or without hashes at its end: every entry and hole is checked. */
int xfs_dir_data_verify(const struct xfs_sb *sb, u64 daddr, const void *p, struct xfs_fault *f);
bool xfs_dir_data_is_block(const void *p);
/*
 * The entry at byte *AT of the verified block number DB (0, 1, ... in units of directory blocks),
 * or behind holes; *AT moves behind it. False: no more. Begin with sizeof(struct xfs_ddir_data).
 */
bool xfs_dir_data_next(const struct xfs_sb *sb, const void *p, u32 db, u32 *at,
		       struct xfs_dirent *out);
/* The entry that a hash points to: false where none begins at this byte of the verified block. */
bool xfs_dir_data_entry(const struct xfs_sb *sb, const void *p, u32 db, u32 at,
			struct xfs_dirent *out);
/* Hashes of a block with a tail. */
u32 xfs_dir_block_count(const struct xfs_sb *sb, const void *p);
const struct xfs_ddir_ent *xfs_dir_block_ents(const struct xfs_sb *sb, const void *p);

int xfs_dir_free_verify(const struct xfs_sb *sb, u64 daddr, const void *p, struct xfs_fault *f);

static inline u64 xfs_dir_blk_owner(const void *p)
{
	return be64_get(((const struct xfs_ddir_blk *)p)->owner);
}

u8 xfs_ftype_to_dt(u8 ftype);	/* DT_* */
