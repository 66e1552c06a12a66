// SPDX-License-Identifier: MIT
/*
 * user., trusted. and security. attributes are kept under their names without prefix, in name
 * spaces told by flags. ACLs are two attributes of trusted.'s space, in a form of their own;
 * programs see them both ways, as under Linux.
 */
#include "fs/xfs/attr/priv.h"
#include <linux/capability.h>
#include <linux/limits.h>

static int get(const struct xattr_handler *h, struct dentry *d, struct inode *inode,
	       const char *name, void *buf, size_t size)
{
	long n;

	(void)d;
	xfs_read_lock(inode);
	n = xfs_attr_get(&XFS_M(inode->i_sb)->fs.vol, xfs_node_of(inode), (const u8 *)name,
			 (u32)strlen(name), (u8)h->flags, buf, buf ? size : 0);
	xfs_read_unlock(inode);
	return (int)n;
}

static const struct xattr_handler user_handler = {
	.prefix = XATTR_USER_PREFIX, .flags = 0, .get = get, .set = xfs_xattr_handler_set
};
static const struct xattr_handler trusted_handler = { .prefix = XATTR_TRUSTED_PREFIX,
						      .flags = XFS_ATTR_ROOT,
						      .get = get,
						      .set = xfs_xattr_handler_set };
static const struct xattr_handler security_handler = { .prefix = XATTR_SECURITY_PREFIX,
						       .flags = XFS_ATTR_SECURE,
						       .get = get,
						       .set = xfs_xattr_handler_set };

const struct xattr_handler *const xfs_xattr_handlers[] = { &user_handler, &trusted_handler,
							   &security_handler, NULL };

/* ---- listing ---- */

struct list {
	char *buf;		/* NULL: only the size is asked for */
	size_t size;
	ssize_t total;		/* -ERANGE: they do not fit */
	bool trusted;
};

static bool add_name(void *arg, const struct xfs_attr *a)
{
	struct list *l = arg;
	u8 space = a->flags & XFS_ATTR_SPACE;
	const char *prefix = space == XFS_ATTR_ROOT   ? XATTR_TRUSTED_PREFIX :
			     space == XFS_ATTR_SECURE ? XATTR_SECURITY_PREFIX :
							XATTR_USER_PREFIX;
	size_t n = strlen(prefix), len = n + a->namelen + 1;

	if (space == XFS_ATTR_PARENT || (space == XFS_ATTR_ROOT && !l->trusted))
		return true;
	if (l->buf && (size_t)l->total + len > l->size) {
		l->total = -ERANGE;
		return false;
	}
	if (l->buf) {
		memcpy(l->buf + l->total, prefix, n);
		memcpy(l->buf + l->total + n, a->name, a->namelen);
		l->buf[l->total + (ssize_t)len - 1] = '\0';
	}
	l->total += (ssize_t)len;
	return l->total <= XATTR_LIST_MAX || l->buf;
}

ssize_t xfs_listxattr(struct dentry *dentry, char *list, size_t size)
{
	struct inode *inode = dentry->d_inode;
	struct list l = { .buf = size ? list : NULL,
			  .size = size,
			  .trusted = capable(CAP_SYS_ADMIN) };
	int e;

	xfs_read_lock(inode);
	e = xfs_attr_walk(&XFS_M(inode->i_sb)->fs.vol, xfs_node_of(inode), add_name, &l);
	xfs_read_unlock(inode);
	return e ? e : l.total;
}
