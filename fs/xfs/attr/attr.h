/* SPDX-License-Identifier: MIT */
/* Extended attributes and ACLs of inodes. */
#pragma once

#include "fs/xfs/inode/inode.h"
#include <vfs/xattr.h>

/* Of the root directory, in trusted.'s space: what is to be done with damage (xfs_property(8)). */
#define XFS_AUTOFSCK "xfs:autofsck"

extern const struct xattr_handler *const xfs_xattr_handlers[];
ssize_t xfs_listxattr(struct dentry *dentry, char *list, size_t size);
/*
 * The attribute NAME of a name space (XFS_ATTR_SPACE bits) becomes VALUE, or without one goes. No
 * lock is held, no right is asked for; the mount is written to. FLAGS: XATTR_*.
 */
int xfs_attr_change(struct inode *inode, u8 space, const char *name, const void *value, size_t size,
		    int flags);
/*
 * How far a list of attributes has come, over several calls: NR with the hash HASH were given; of
 * attributes in the inode, NR of all (FORM is 1, in blocks 2, at the beginning 0, as all). What
 * changes between calls may be given twice or not at all.
 */
struct xfs_attr_pos {
	u32 hash, nr, form, zero;
};
/*
 * Attributes from POS on are told to GIVE, until it says false: that one is the next; it must
 * neither sleep for users' memory nor change the inode. -EINVAL: POS makes no sense.
 */
int xfs_attr_list(struct inode *inode, struct xfs_attr_pos *pos, xfs_attr_fn give, void *ctx);
/*
 * For an inode that nobody sees yet, locked for reading: its ACLs. 0 or -errno: then it cannot be
 * used, for its rights are not known.
 */
int xfs_acl_load(struct xfs_mount *mp, struct xfs_inode *xi);
/*
 * The ACL of INODE, locked, that is in memory is written, with its mode. 0, -ENOSPC, -errno:
 * nothing was changed.
 */
int xfs_set_acl(struct inode *inode, int type);
/* INODE is new: the ACLs that it inherited. */
int xfs_acl_inherit(struct inode *inode);
int xfs_setattr(struct mnt_idmap *idmap, struct dentry *dentry, struct iattr *attr);
