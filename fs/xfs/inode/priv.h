/* SPDX-License-Identifier: MIT */
/* Between the files of this part. */
#pragma once

#include "fs/xfs/inode/inode.h"

/* -ENOMEM: at boot. */
int xfs_lino_cache_init(void);
/* LI is left in an unlinked list: its last reference stays until the mount ends. */
void xfs_lino_park(struct xfs_lino *li);
/*
 * Unmaps and frees all blocks of the data fork of a file from block FROM on, in as many
 * transactions as it takes; TX has truncate's reservation.
 */
int __must_check xfs_unmap_rest(struct xfs_tx *tx, struct xfs_ino *ip, u64 from);
