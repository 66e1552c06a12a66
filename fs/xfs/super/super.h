/* SPDX-License-Identifier: MIT */
/* Between the files of this part. */
#pragma once

#include "fs/xfs/inode/inode.h"

int xfs_setup_inode(struct xfs_mount *mp, struct xfs_inode *xi);
/*
 * Replays a dirty log, where `norecovery` was not asked for; mp->vol.sb is what the superblock says
 * afterwards. Nothing of the device is cached yet. Says in one line what it did, or why not.
 * -EROFS: the device is read-only; -EUCLEAN, -EINVAL, -ENOMEM, -EINTR, -errno of the device.
 */
int xfs_recover(struct xfs_mount *mp);
