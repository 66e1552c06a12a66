// SPDX-License-Identifier: MIT
/*
 * user., trusted. and security. attributes are kept under their names without prefix, in name
 * spaces told by flags. ACLs are two attributes of trusted.'s space, in a form of their own;
 * programs see them both ways, as under Linux.
 */
#include "fs/xfs/attr/attr.h"
#include <alloc/slab.h>
#include <alloc/vmalloc.h>
#include <vfs/posix_acl.h>
#include <linux/capability.h>
#include <linux/limits.h>

static int get(const struct xattr_handler *h, struct dentry *d, struct inode *inode,
	       const char *name, void *buf, size_t size)
{
	(void)d;
	return (int)xfs_attr_get(&XFS_M(inode->i_sb)->vol, &XFS_I(inode)->node, (const u8 *)name,
				 (u32)strlen(name), (u8)h->flags, buf, buf ? size : 0);
}

static const struct xattr_handler user_handler = { .prefix = XATTR_USER_PREFIX,
						   .flags = 0,
						   .get = get };
static const struct xattr_handler trusted_handler = { .prefix = XATTR_TRUSTED_PREFIX,
						      .flags = XFS_ATTR_ROOT,
						      .get = get };
static const struct xattr_handler security_handler = { .prefix = XATTR_SECURITY_PREFIX,
						       .flags = XFS_ATTR_SECURE,
						       .get = get };

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
	int e = xfs_attr_walk(&XFS_M(inode->i_sb)->vol, &XFS_I(inode)->node, add_name, &l);

	return e ? e : l.total;
}

/* ---- ACLs ---- */

/* The ACL called NAME; an inode without it gets none. */
static int load_one(struct xfs_mount *mp, struct xfs_inode *xi, const char *name, int type)
{
	struct xfs_vol *v = &mp->vol;
	long n = xfs_attr_get(v, &xi->node, (const u8 *)name, (u32)strlen(name), XFS_ATTR_ROOT,
			      NULL, 0),
	     m;
	u8 *raw, *acl;
	int e;

	if (n == -ENODATA)
		return 0;
	if (n <= 0)
		return n ? (int)n : -XFS_CORRUPT;
	raw = kvmalloc(2 * (size_t)n, GFP_KERNEL);
	if (!raw)
		return -ENOMEM;
	acl = raw + n;
	n = xfs_attr_get(v, &xi->node, (const u8 *)name, (u32)strlen(name), XFS_ATTR_ROOT, raw,
			 (size_t)n);
	m = n > 0 ? xfs_acl_decode(raw, (u32)n, acl, (size_t)n) : n;
	e = m < 0 ? (int)m : posix_acl_load(&xi->vfs, type, acl, (size_t)m);
	kvfree(raw);
	if (e == -EINVAL || e == -EOPNOTSUPP || e == -ERANGE) {
		struct xfs_fault f = { "ACL", name, xi->vfs.i_ino, (u64)type };

		v->report(v, &f);
		e = -XFS_CORRUPT;
	}
	return e;
}

int xfs_acl_load(struct xfs_mount *mp, struct xfs_inode *xi)
{
	int e;

	if (!xi->node.core.forkoff || S_ISLNK(xi->vfs.i_mode))
		return 0;
	e = load_one(mp, xi, XFS_ACL_FILE, ACL_TYPE_ACCESS);
	if (!e && S_ISDIR(xi->vfs.i_mode))
		e = load_one(mp, xi, XFS_ACL_DEFAULT, ACL_TYPE_DEFAULT);
	return e;
}
