/* SPDX-License-Identifier: MIT */
/* Regular files, flags of files, ioctls. */
#pragma once

#include "fs/xfs/inode/inode.h"
#include <vfs/fileattr.h>

extern const struct file_operations xfs_file_fops;
extern const struct mapping_ops xfs_mapping_ops;
extern const struct extent_ops xfs_extent_ops;
/* XFS_IOC_GETBMAP, GETBMAPA and GETBMAPX (bmapx.c); -ENOTTY: CMD is none of them. */
long xfs_getbmap(struct file *file, unsigned int cmd, struct uptr arg);
/* XFS_IOC_EXCHANGE_RANGE, START_COMMIT and COMMIT_RANGE (exchange.c); -ENOTTY: none of them. */
long xfs_exchange_ioctl(struct file *file, unsigned int cmd, struct uptr arg);
int xfs_fiemap(struct inode *inode, struct fiemap_extent_info *info, u64 start, u64 len);
