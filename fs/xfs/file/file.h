/* SPDX-License-Identifier: MIT */
/* Regular files, flags of files, ioctls. */
#pragma once

#include "fs/xfs/inode/inode.h"
#include <vfs/fileattr.h>

extern const struct file_operations xfs_file_fops;
extern const struct mapping_ops xfs_mapping_ops;
extern const struct extent_ops xfs_extent_ops;
int xfs_fiemap(struct inode *inode, struct fiemap_extent_info *info, u64 start, u64 len);
int xfs_fileattr_get(struct dentry *dentry, struct fileattr *fa);
long xfs_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
