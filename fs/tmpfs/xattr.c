// SPDX-License-Identifier: MIT
/* tmpfs: user., trusted. and security. attributes, in memory, made when the first one is set. */
#include "tmpfs_priv.h"
#include <alloc/slab.h>

static int tmpfs_xattr_get(const struct xattr_handler *h, struct dentry *d, struct inode *inode,
			   const char *name, void *buf, size_t size)
{
	struct simple_xattrs *x = smp_load_acquire(&TMPFS_I(inode)->xattrs);

	(void)d;
	return x ? (int)simple_xattr_get(x, xattr_full_name(h, name), buf, size) : -ENODATA;
}

static int tmpfs_xattr_set(const struct xattr_handler *h, struct mnt_idmap *idmap, struct dentry *d,
			   struct inode *inode, const char *name, const void *value, size_t size, int flags)
{
	struct tmpfs_inode *ti = TMPFS_I(inode);
	size_t space = value ? simple_xattr_space(xattr_full_name(h, name), size) : 0;
	ssize_t delta;
	int err;

	(void)idmap;
	(void)d;
	if (!ti->xattrs) {
		struct simple_xattrs *x;

		if (!value)
			return -ENODATA;
		x = kmalloc(sizeof(*x), GFP_KERNEL_ACCOUNT);
		if (!x)
			return -ENOMEM;
		simple_xattrs_init(x);
		smp_store_release(&ti->xattrs, x);
	}
	err = tmpfs_reserve_xattr(inode->i_sb, space);
	if (err)
		return err;
	err = simple_xattr_set(ti->xattrs, xattr_full_name(h, name), value, size, flags, &delta);
	/* What was replaced comes back, all of it where nothing was set. */
	tmpfs_release_xattr(inode->i_sb, (size_t)((ssize_t)space - delta));
	if (!err)
		inode_set_ctime_current(inode);
	return err;
}

ssize_t tmpfs_listxattr(struct dentry *d, char *list, size_t size)
{
	struct simple_xattrs *x = smp_load_acquire(&TMPFS_I(d->d_inode)->xattrs);

	return x ? simple_xattr_list(x, list, size) : 0;
}

size_t tmpfs_free_xattrs(struct tmpfs_inode *ti)
{
	size_t bytes;

	if (!ti->xattrs)
		return 0;
	bytes = simple_xattrs_free(ti->xattrs);
	kfree(ti->xattrs);
	ti->xattrs = NULL;
	return bytes;
}

static const struct xattr_handler security_handler = {
	.prefix = XATTR_SECURITY_PREFIX, .get = tmpfs_xattr_get, .set = tmpfs_xattr_set,
};
static const struct xattr_handler trusted_handler = {
	.prefix = XATTR_TRUSTED_PREFIX, .get = tmpfs_xattr_get, .set = tmpfs_xattr_set,
};
static const struct xattr_handler user_handler = {
	.prefix = XATTR_USER_PREFIX, .get = tmpfs_xattr_get, .set = tmpfs_xattr_set,
};

const struct xattr_handler *const tmpfs_xattr_handlers[] = {
	&security_handler, &trusted_handler, &user_handler, NULL,
};
