/* SPDX-License-Identifier: MIT */
/*
 * Deferred changes of the mappings of data forks (defer.h), whose intents are BUI. The inode is
 * locked for writing until the transaction ends, over its rolls. One change may take
 * xfs_bmap_tree_room() blocks.
 */
#pragma once

#include "fs/xfs/bmap/bmap.h"
#include "fs/xfs/format/logitem.h"

/* X becomes part of the fork, where there is a hole then. -ENOMEM. */
int __must_check xfs_bmap_map_later(struct xfs_tx *tx, struct xfs_ino *ip, const struct xfs_ext *x);
/* X, which is an extent of the fork or lies in one, is unmapped; its blocks are not freed. */
int __must_check xfs_bmap_forget_later(struct xfs_tx *tx, struct xfs_ino *ip,
				       const struct xfs_ext *x);
/* The fork has extents, or may get some. */
bool xfs_fork_has_extents(struct xfs_ino *ip, bool attr);

/* For recovery: of which inode a BUI's mapping is; and what is asked for, done in TX. */
u64 xfs_bmap_intent_ino(const struct xfs_litem *it);
int __must_check xfs_bmap_recover(struct xfs_tx *tx, struct xfs_ino *ip,
				  const struct xfs_litem *it);
