/* SPDX-License-Identifier: MIT */
/*
 * Inodes of allocation groups. They are made and given back in chunks of 64, which lie in one
 * piece, or with the sparse feature in parts; one tree has all chunks, another those with a free
 * inode. Whatever is changed is guarded by the AGI's lock, which is taken before an AGF's.
 *
 * Inodes that have no name any more but are in use are in lists (64 in an AG, by number), so that
 * recovery finds and frees them. The disk has the way forward; the way back is in memory.
 */
#pragma once

#include "fs/xfs/ag/ag.h"

/* Blocks that xfs_ialloc() may take at most: a chunk, and both trees. */
u32 xfs_ialloc_room(const struct xfs_sb *sb);
/*
 * *INO: an inode that was free, and no longer is: near NEAR, the directory's; IS_DIR: directories
 * are spread over the AGs. Before it is used for the first time, xfs_ino_init(). -ENOSPC.
 */
int __must_check xfs_ialloc(struct xfs_tx *tx, u64 near, bool is_dir, u64 *ino);
/*
 * Inode INO, whose core says that it is free (mode 0), can be allocated again; if nothing of its
 * chunk is in use that goes, unless KEEP, and *GONE: its inodes do not exist any more.
 */
int __must_check xfs_ifree(struct xfs_tx *tx, u64 ino, bool keep, bool *gone);

struct xfs_new {			/* of an inode that is made */
	u16 mode;
	u32 uid, gid, rdev, projid;
	struct xfs_time now;
	const struct xfs_core *parent;	/* gives its flags; NULL: without a directory */
};
/*
 * IP becomes that inode, without a name and without data; a directory's or link's are the caller's.
 */
void xfs_ino_init(struct xfs_tx *tx, struct xfs_ino *ip, u64 ino, const struct xfs_new *how);

/* IP, which has no name any more, comes to a list; leaves it. */
int __must_check xfs_unlinked_add(struct xfs_tx *tx, struct xfs_ino *ip);
int __must_check xfs_unlinked_remove(struct xfs_tx *tx, struct xfs_ino *ip);

/* The AGI of AGNO, locked; xfs_ag_of() says what it says. FLAGS: XFS_GET_TRY. */
int __must_check xfs_ag_agi(struct xfs_tx *tx, u32 agno, u32 flags, struct xfs_txbuf **out);
