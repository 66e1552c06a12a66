// SPDX-License-Identifier: MIT
/*
 * ACLs: two attributes of trusted.'s space in a form of their own. They are loaded with the inode,
 * and written when the VFS has changed what is in memory.
 */
#include "fs/xfs/attr/priv.h"
#include <alloc/slab.h>
#include <alloc/vmalloc.h>
#include <lib/byteorder.h>
#include <vfs/posix_acl.h>

/* ---- reading ---- */

int xfs_acl_take(struct inode *inode, int type, const u8 *value, u32 n)
{
	u8 *text;
	long m;
	int e;

	if (!value)
		return posix_acl_load(inode, type, NULL, 0);
	text = kvmalloc((size_t)n + 8, GFP_KERNEL);
	if (!text)
		return -ENOMEM;
	m = xfs_acl_decode(value, n, text, n);
	e = m < 0 ? -EINVAL : inode ? posix_acl_load(inode, type, text, (size_t)m) : 0;
	kvfree(text);
	return e;
}

static int acl_bad(struct xfs_inode *xi, const char *name, int type)
{
	struct xfs_fault f = { "ACL", name, xi->vfs.i_ino, (u64)type };
	struct xfs_vol *v = &XFS_M(xi->vfs.i_sb)->fs.vol;

	xfs_sick_ino(v, &xi->li->ip.node.core, XFS_SICK_INO_XATTR);
	v->report(v, &f);
	return -XFS_CORRUPT;
}

/* The ACL called NAME; an inode without it gets none. Its lock is held for reading. */
static int load_one(struct xfs_mount *mp, struct xfs_inode *xi, const char *name, int type)
{
	struct xfs_vol *v = &mp->fs.vol;
	long n = xfs_attr_get(v, xfs_node_of(&xi->vfs), (const u8 *)name, (u32)strlen(name),
			      XFS_ATTR_ROOT, NULL, 0),
	     m;
	u8 *raw, *acl;
	int e;

	if (n == -ENODATA)
		return 0;
	if (n <= 0)
		return n ? (int)n : acl_bad(xi, name, type);
	raw = kvmalloc(2 * (size_t)n, GFP_KERNEL);
	if (!raw)
		return -ENOMEM;
	acl = raw + n;
	n = xfs_attr_get(v, xfs_node_of(&xi->vfs), (const u8 *)name, (u32)strlen(name),
			 XFS_ATTR_ROOT, raw, (size_t)n);
	m = n > 0 ? xfs_acl_decode(raw, (u32)n, acl, (size_t)n) : n;
	e = m < 0 ? (int)m : posix_acl_load(&xi->vfs, type, acl, (size_t)m);
	kvfree(raw);
	return e == -EINVAL || e == -EOPNOTSUPP || e == -ERANGE ? acl_bad(xi, name, type) : e;
}

int xfs_acl_load(struct xfs_mount *mp, struct xfs_inode *xi)
{
	int e;

	if (!xfs_node_of(&xi->vfs)->core.forkoff || S_ISLNK(xi->vfs.i_mode))
		return 0;
	e = load_one(mp, xi, XFS_ACL_FILE, ACL_TYPE_ACCESS);
	if (!e && S_ISDIR(xi->vfs.i_mode))
		e = load_one(mp, xi, XFS_ACL_DEFAULT, ACL_TYPE_DEFAULT);
	return e;
}

/* ---- writing ---- */

struct disk_acl_entry {
	be32 tag, id;
	be16 perm, pad;
};

/* ACL in the form of the disk, with ids of NS, comes to OUT: its length. */
static u32 encode(struct user_namespace *ns, const struct posix_acl *acl, u8 *out)
{
	be32 count = be32_make(acl->count);

	memcpy(out, &count, sizeof(count));
	for (u32 i = 0; i < acl->count; i++) {
		const struct posix_acl_entry *x = &acl->entry[i];
		u32 id = x->tag == ACL_USER  ? from_kuid(ns, x->uid) :
			 x->tag == ACL_GROUP ? from_kgid(ns, x->gid) :
					       (u32)ACL_UNDEFINED_ID;
		struct disk_acl_entry d = { .tag = be32_make(x->tag),
					    .id = be32_make(id),
					    .perm = be16_make(x->perm) };

		memcpy(out + sizeof(count) + i * sizeof(d), &d, sizeof(d));
	}
	return (u32)(sizeof(count) + acl->count * sizeof(struct disk_acl_entry));
}

int xfs_set_acl(struct inode *inode, int type)
{
	const char *name = type == ACL_TYPE_ACCESS ? XFS_ACL_FILE : XFS_ACL_DEFAULT;
	struct xfs_xattr x = { .name = (const u8 *)name,
			       .len = (u32)strlen(name),
			       .space = XFS_ATTR_ROOT };
	const struct posix_acl *acl;
	u8 *value = NULL;
	int e;

	/* The inode is locked, or new. */
	acl = rcu_dereference_protected(
		*(type == ACL_TYPE_ACCESS ? &inode->i_acl : &inode->i_default_acl), true);
	if (acl) {
		value = kvmalloc(4 + acl->count * sizeof(struct disk_acl_entry), GFP_KERNEL);
		if (!value)
			return -ENOMEM;
		x.valuelen = encode(inode->i_sb->s_user_ns, acl, value);
		x.value = value;
	}
	e = xfs_change_attr(inode, &x, 0);
	kvfree(value);
	return e == -ENODATA && !acl ? xfs_log_inode(inode) : e;
}

int xfs_acl_inherit(struct inode *inode)
{
	int e = 0;

	if (rcu_access_pointer(inode->i_acl))
		e = xfs_set_acl(inode, ACL_TYPE_ACCESS);
	if (!e && rcu_access_pointer(inode->i_default_acl))
		e = xfs_set_acl(inode, ACL_TYPE_DEFAULT);
	return e;
}

int xfs_setattr(struct mnt_idmap *idmap, struct dentry *dentry, struct iattr *attr)
{
	struct inode *inode = dentry->d_inode;
	int e = setattr_prepare(idmap, dentry, attr);

	if (!e && attr->ia_valid & ATTR_SIZE)
		e = xfs_setsize(inode, attr->ia_size);
	if (e)
		return e;
	setattr_copy(idmap, inode, attr);
	e = xfs_log_inode(inode);
	if (!e && attr->ia_valid & ATTR_MODE && rcu_access_pointer(inode->i_acl)) {
		e = posix_acl_chmod(inode);
		e = e ?: xfs_set_acl(inode, ACL_TYPE_ACCESS);
	}
	return e;
}
