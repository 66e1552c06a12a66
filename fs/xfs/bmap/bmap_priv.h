/* SPDX-License-Identifier: MIT */
/* Between the files of the room. */
#pragma once

#include "fs/xfs/bmap/bmap.h"
#include "fs/xfs/btree/owner.h"
#include <lib/minmax.h>
#include <lib/string.h>
#include <abi/errno.h>

/* The bytes of a fork in the inode's literal area. */
u8 *xfs_fork_bytes_at(const struct xfs_ino *ip, bool attr, u32 *size);
u8 *xfs_fork_format(struct xfs_ino *ip, bool attr);
u64 *xfs_fork_nextents(struct xfs_ino *ip, bool attr);

/* Its blocks may be other files' too. */
static inline bool xfs_fork_shares(const struct xfs_ino *ip, bool attr)
{
	return !attr && ip->node.core.flags2 & XFS_DIFLAG2_REFLINK;
}

/* X's offset in records of the tree of owners. */
static inline u64 xfs_owner_offset(bool attr, const struct xfs_ext *x)
{
	return x->off | (attr ? XFS_RMAP_ATTR : 0) | (x->unwritten ? XFS_RMAP_UNWRITTEN : 0);
}

/* The number of extents that the fork can have. */
u64 xfs_most_extents(const struct xfs_ino *ip, bool attr);

/* Where blocks go that have no better place. */
static inline u64 xfs_beside_inode(const struct xfs_ino *ip)
{
	return ip->node.core.ino >> ip->fs->vol.sb.inopblog;
}

/*
 * IP has BY blocks more, of its forks or their trees. -EUCLEAN, and nothing changed: it would have
 * fewer than none, or more than there are: such an inode could not be read again.
 */
int __must_check xfs_bmap_count(struct xfs_tx *tx, struct xfs_ino *ip, s64 by);
/* X was cut out of a fork: its blocks have an owner less, and are freed without another. */
int __must_check xfs_bmap_let_go(struct xfs_tx *tx, struct xfs_ino *ip, bool attr,
				 const struct xfs_ext *x);

/*
 * Cuts what is mapped of COUNT blocks from OFF on out of the fork, at most MOST extents, and gives
 * each to FN; L has no position then. *LEFT (or NULL): blocks that were not looked at.
 */
int __must_check xfs_bmap_each_cut(struct xfs_tx *tx, struct xfs_ino *ip, bool attr, u64 off,
				   u64 count, u32 most, u64 *left,
				   int (*fn)(struct xfs_exts *l, struct xfs_ext *x));

extern const struct xfs_bt_ops xfs_bmap_bt_ops;

/* The extents in the inode become a tree with one leaf. */
int __must_check xfs_bmap_to_tree(struct xfs_tx *tx, struct xfs_ino *ip, bool attr);
/* A tree with one leaf whose records fit into the inode becomes a list there. */
int __must_check xfs_bmap_from_tree(struct xfs_tx *tx, struct xfs_ino *ip, bool attr);
