// SPDX-License-Identifier: MIT
/*
 * Attributes that another system had begun to change when it stopped. It changes them in several
 * transactions, each of which leaves a whole tree: an entry may be there, be gone, or be marked
 * incomplete, without its value. So incomplete entries of the name go first, and then the change is
 * made where it was not made yet. Blocks of a value that has no entry stay in the fork, as they do
 * there, until the inode goes.
 */
#include "fs/xfs/xattr/xattr_priv.h"

u32 xfs_xattr_redo_room(const struct xfs_sb *sb, const struct xfs_lattr *a)
{
	return xfs_xattr_room(sb, a->valuelen) * (a->new_name ? 2 : 1);
}

/* The directory that a parent pointer's value names may be one. */
static bool good_parent(const struct xfs_sb *sb, const u8 *value)
{
	return xfs_ino_ok(sb, xfs_get64(value));
}

static int check(struct xfs_tx *tx, struct xfs_ino *ip, const struct xfs_lattr *a)
{
	const struct xfs_sb *sb = &tx->fs->vol.sb;
	u64 ino = ip->node.core.ino;

	if (!(a->space & XFS_ATTR_PARENT))
		return 0;
	if (a->gen != ip->node.core.gen)
		return xfs_tx_bad(tx, "ATTRI", "generation", ino, a->gen);
	if (!good_parent(sb, a->value) || (a->new_value && !good_parent(sb, a->new_value)))
		return xfs_tx_bad(tx, "ATTRI", "directory", ino, xfs_get64(a->value));
	return 0;
}

/* One incomplete entry of the name: -EAGAIN: it is gone, and there may be more. */
static int drop_torn(struct xfs_tx *tx, struct xfs_ino *ip, const struct xfs_xattr *x)
{
	struct xfs_xop o = xfs_xop_of(tx, ip, x);
	int e;

	o.torn = true;
	e = xfs_xop_in_inode(&o) ? -ENODATA : xfs_xattr_remove_in_tree(&o);
	return e == -ENODATA ? 0 : e ?: -EAGAIN;
}

static int set(struct xfs_tx *tx, struct xfs_ino *ip, const struct xfs_xattr *x)
{
	/* There is one parent pointer of each value. */
	u32 how = x->space & XFS_ATTR_PARENT ? XFS_XATTR_CREATE : 0;
	int e = xfs_xattr_set(tx, ip, x, how);

	return e == -EEXIST ? 0 : e;
}

static int drop(struct xfs_tx *tx, struct xfs_ino *ip, const struct xfs_xattr *x)
{
	int e = xfs_xattr_remove(tx, ip, x);

	return e == -ENODATA ? 0 : e;
}

int xfs_xattr_redo(struct xfs_tx *tx, struct xfs_ino *ip, const struct xfs_lattr *a)
{
	struct xfs_xattr x = { a->name, a->value, a->len, a->valuelen, a->space };
	struct xfs_xattr new = { a->new_name, a->new_value, a->new_len, a->valuelen, a->space };
	int e = check(tx, ip, a);

	e = e ?: drop_torn(tx, ip, &x);
	if (!e && a->new_name)
		e = drop_torn(tx, ip, &new);
	if (e)
		return e;
	switch (a->op) {
	case XFS_LATTR_SET:
	case XFS_LATTR_REPLACE:
	case XFS_LATTR_PARENT_SET:
		return set(tx, ip, &x);
	case XFS_LATTR_PARENT_REPLACE:
		e = drop(tx, ip, &x);
		return e ?: set(tx, ip, &new);
	}
	return drop(tx, ip, &x);
}
