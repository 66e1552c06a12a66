/* SPDX-License-Identifier: MIT */
/* Between the files of this part. */
#pragma once

#include "fs/xfs/inode/inode.h"

int xfs_setup_inode(struct xfs_mount *mp, struct xfs_inode *xi);
