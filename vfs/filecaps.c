// SPDX-License-Identifier: MIT
/*
 * File capabilities (capabilities(7), "Namespaced file capabilities"). The attribute is version 2 where they count in the namespace of the file system, version 3 where
 * they count in those whose user 0 is ROOT, a number of the file system's namespace. A task that may not set the first kind stores the second, with its own
 * user 0, by writing version 2; who reads in that namespace is told version 2 again.
 */
#include <lib/fcaps.h>
#include <vfs/fs.h>
#include <vfs/xattr.h>
#include <proc/cred.h>
#include <linux/capability.h>

/* ROOT is user 0 of the caller's namespace or of one above it. */
static bool roots_here(kuid_t root)
{
	for (struct user_namespace *ns = current_user_ns(); ns; ns = ns->parent)
		if (uid_eq(make_kuid(ns, 0), root))
			return true;
	return false;
}

static ssize_t read_stored(struct dentry *d, u8 stored[FCAPS_MAX], struct fcaps *c)
{
	ssize_t n = __vfs_getxattr(d, d->d_inode, XATTR_NAME_CAPS, stored, FCAPS_MAX);

	if (n == -EOPNOTSUPP)
		return -ENODATA;
	if (n == -ERANGE)
		return -EINVAL;
	return n < 0 ? n : fcaps_decode(stored, (size_t)n, c) ?: n;
}

int vfs_file_caps(struct dentry *d, struct fcaps *out)
{
	u8 stored[FCAPS_MAX];
	ssize_t n = read_stored(d, stored, out);
	kuid_t root;

	if (n < 0)
		return (int)n;
	root = make_kuid(d->d_inode->i_sb->s_user_ns, out->root);
	if (!uid_valid(root) || !roots_here(root))
		return -ENODATA;
	out->permitted &= CAP_VALID_MASK;
	out->inheritable &= CAP_VALID_MASK;
	return 0;
}

ssize_t filecaps_to_store(struct mnt_idmap *idmap, const struct inode *inode, const void **value, size_t size, u8 *out)
{
	struct user_namespace *fs_ns = inode->i_sb->s_user_ns;
	struct fcaps c;
	uid_t root;

	if (!capable_wrt_inode_uidgid(idmap, inode, CAP_SETFCAP))
		return -EPERM;
	if (fcaps_decode(*value, size, &c) || c.version == 1)
		return -EINVAL;
	if (c.version == 2 && ns_capable(fs_ns, CAP_SETFCAP))
		return (ssize_t)size;
	root = from_kuid(fs_ns, make_kuid(current_user_ns(), c.root));
	if (root == (uid_t)-1)
		return -EINVAL;
	c.version = 3;
	c.root = root;
	*value = out;
	return (ssize_t)fcaps_encode(&c, out);
}

ssize_t filecaps_get(struct dentry *d, void *value, size_t size)
{
	u8 stored[FCAPS_MAX];
	struct fcaps c;
	ssize_t n = read_stored(d, stored, &c);
	kuid_t root;
	uid_t here;

	if (n < 0)
		return n;
	if (c.version == 1)
		return -EINVAL;
	root = make_kuid(d->d_inode->i_sb->s_user_ns, c.root);
	here = from_kuid(current_user_ns(), root);
	if (here != (uid_t)-1 && here != 0) {
		c.version = 3;
		c.root = here;
		n = (ssize_t)fcaps_encode(&c, stored);
	} else if (!uid_valid(root) || !roots_here(root)) {
		return -EOVERFLOW;
	} else if (c.version == 3) {
		c.version = 2;
		n = (ssize_t)fcaps_encode(&c, stored);
	}
	if (!value || !size)
		return n;
	if (size < (size_t)n)
		return -ERANGE;
	memcpy(value, stored, (size_t)n);
	return n;
}
