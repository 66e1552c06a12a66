/* SPDX-License-Identifier: MIT */
/* Directories: looking names up, listing them. */
#pragma once

#include "fs/xfs/inode/inode.h"

struct dentry *xfs_lookup(struct inode *dir, struct dentry *dentry, unsigned int flags);
extern const struct file_operations xfs_dir_fops;
