/* SPDX-License-Identifier: MIT */
/* Extended attributes and ACLs of inodes. */
#pragma once

#include "fs/xfs/inode/inode.h"
#include <vfs/xattr.h>

extern const struct xattr_handler *const xfs_xattr_handlers[];
ssize_t xfs_listxattr(struct dentry *dentry, char *list, size_t size);
/*
 * For an inode that nobody sees yet: its ACLs. 0 or -errno: then it cannot be used, for its rights
 * are not known.
 */
int xfs_acl_load(struct xfs_mount *mp, struct xfs_inode *xi);
