/* SPDX-License-Identifier: MIT */
/*
 * Exchanging the extents of two inodes' data forks, which may be one inode with two ranges
 * (exchange.c has the theory). Both are locked for writing until the transaction ends, over all its
 * rolls. Blocks that are only promised, and copies that are staged, are the caller's to settle.
 */
#pragma once

#include "fs/xfs/bmap/bmap.h"
#include "fs/xfs/format/logitem.h"

/*
 * So many blocks trees may take until X is done. -EFBIG: too many extents then; -ENOSPC: more than
 * any file system has; -EINTR.
 */
int __must_check xfs_exchange_room(struct xfs_ino *const ip[2], const struct xfs_lexch *x,
				   u32 *blocks);
/*
 * Queues X in TX, which has room for it. Both inodes are TX's from now on. What one shares with
 * other files, and how many extents it may have, is true of both.
 */
int __must_check xfs_exchange_later(struct xfs_tx *tx, struct xfs_ino *const ip[2],
				    const struct xfs_lexch *x);
/* For recovery: the inodes are those of X, an intent, and may be exchanged. -EUCLEAN. */
int __must_check xfs_exchange_check(struct xfs_tx *tx, struct xfs_ino *const ip[2],
				    const struct xfs_lexch *x);
