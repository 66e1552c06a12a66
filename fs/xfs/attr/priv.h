/* SPDX-License-Identifier: MIT */
/* Between the files of this part. */
#pragma once

#include "fs/xfs/attr/attr.h"
#include "fs/xfs/xattr/xattr.h"

/* X is set or, without a value, removed, and INODE's change is noted. */
int xfs_change_attr(struct inode *inode, const struct xfs_xattr *x, u32 flags);
int xfs_xattr_handler_set(const struct xattr_handler *h, struct mnt_idmap *idmap,
			  struct dentry *dentry, struct inode *inode, const char *name,
			  const void *value, size_t size, int flags);
/*
 * VALUE is an ACL of TYPE as it lies on the disk, or NULL for none: it becomes INODE's in memory.
 * INODE is NULL where VALUE is only to be checked. -EINVAL, -ENOMEM.
 */
int xfs_acl_take(struct inode *inode, int type, const u8 *value, u32 n);
