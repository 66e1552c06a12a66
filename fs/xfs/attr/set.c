// SPDX-License-Identifier: MIT
/*
 * Attributes are set and removed, each in one transaction. An ACL that is set under the name under
 * which it is kept (trusted.SGI_ACL_FILE) becomes the inode's in memory too.
 */
#include "fs/xfs/attr/priv.h"
#include <vfs/posix_acl.h>
#include <linux/xattr.h>

int xfs_change_attr(struct inode *inode, const struct xfs_xattr *x, u32 flags)
{
	struct xfs_mount *mp = XFS_M(inode->i_sb);
	u32 blocks = xfs_xattr_room(&mp->fs.vol.sb, x->valuelen);
	struct xfs_ino *ip = xfs_ino_of(inode);
	struct xfs_locked l;
	struct xfs_tx *tx;
	int e = x->value ? xfs_begin(mp, XFS_RES_ATTR_SET, 1, blocks, xfs_sync_of(inode), &tx) :
			   xfs_begin_freeing(mp, XFS_RES_ATTR_REMOVE, 1, blocks, xfs_sync_of(inode),
					     &tx);

	if (e)
		return e;
	xfs_lock_inodes(&l, &inode, 1);
	e = x->value ? xfs_xattr_set(tx, ip, x, flags) : xfs_xattr_remove(tx, ip, x);
	if (!e) {
		inode_set_ctime_current(inode);
		xfs_log_vfs(tx, inode);
	}
	e = xfs_end(tx, e);
	xfs_unlock_inodes(&l);
	return e;
}

/* Whoever repairs by himself (heal/) obeys an attribute of the root directory. */
static void tell_root(struct inode *inode, const struct xfs_xattr *x)
{
	struct xfs_mount *mp = XFS_M(inode->i_sb);

	if (inode->i_ino == mp->fs.vol.sb.rootino && x->space == XFS_ATTR_ROOT &&
	    x->len == strlen(XFS_AUTOFSCK) && !memcmp(x->name, XFS_AUTOFSCK, x->len))
		mp->autofsck(mp, x->value, x->valuelen);
}

/* The type of the ACL that is kept under NAME, or -1. */
static int acl_type(const struct xattr_handler *h, const char *name)
{
	if (!(h->flags & XFS_ATTR_ROOT))
		return -1;
	return !strcmp(name, XFS_ACL_FILE)    ? ACL_TYPE_ACCESS :
	       !strcmp(name, XFS_ACL_DEFAULT) ? ACL_TYPE_DEFAULT :
						-1;
}

int xfs_attr_change(struct inode *inode, u8 space, const char *name, const void *value, size_t size,
		    int flags)
{
	const struct xattr_handler h = { .flags = space };
	int e;

	inode_lock(inode);
	e = xfs_xattr_handler_set(&h, &nop_mnt_idmap, NULL, inode, name, value, size, flags);
	inode_unlock(inode);
	return e;
}

int xfs_xattr_handler_set(const struct xattr_handler *h, struct mnt_idmap *idmap,
			  struct dentry *dentry, struct inode *inode, const char *name,
			  const void *value, size_t size, int flags)
{
	struct xfs_xattr x = { .name = (const u8 *)name,
			       .value = value,
			       .len = (u32)strlen(name),
			       .valuelen = value ? (u32)size : 0,
			       .space = (u8)h->flags };
	u32 how = (flags & XATTR_CREATE ? XFS_XATTR_CREATE : 0) |
		  (flags & XATTR_REPLACE ? XFS_XATTR_REPLACE : 0);
	int type = acl_type(h, name), e = 0;

	(void)idmap;
	(void)dentry;
	if (type >= 0 && value) {
		if (S_ISLNK(inode->i_mode) || (type == ACL_TYPE_DEFAULT && !S_ISDIR(inode->i_mode)))
			return -EINVAL;
		e = xfs_acl_take(NULL, type, value, (u32)size);
	}
	e = e ?: xfs_change_attr(inode, &x, how);
	if (!e) {
		inode->i_flags &= ~(unsigned int)S_NOSEC;	/* it may be a capability */
		tell_root(inode, &x);
	}
	if (!e && type >= 0)
		e = xfs_acl_take(inode, type, value, (u32)size);
	return e;
}
