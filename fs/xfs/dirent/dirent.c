// SPDX-License-Identifier: MIT
/*
 * Each operation goes to the form that the directory has, and to the next larger when it is full.
 */
#include "fs/xfs/dirent/dirent_priv.h"

static struct xfs_dop op_of(struct xfs_tx *tx, struct xfs_ino *dp, const u8 *name, u32 len, u64 ino,
			    u8 ftype)
{
	return (struct xfs_dop){ .tx = tx,
				 .dp = dp,
				 .sb = &tx->fs->vol.sb,
				 .name = name,
				 .len = len,
				 .hash = xfs_da_hash(name, len),
				 .ino = ino,
				 .ftype = ftype };
}

int xfs_dform_of(struct xfs_dop *o, enum xfs_dform *f)
{
	struct xfs_txbuf *b;
	int has;

	*f = XFS_DFORM_SHORT;
	if (o->dp->node.core.format == XFS_FMT_LOCAL)
		return 0;
	has = xfs_fork_has(o->tx, o->dp, false, xfs_dir_leaf_off(o->sb));
	if (has <= 0) {
		*f = XFS_DFORM_BLOCK;
		return has;
	}
	has = xfs_fork_get(o->tx, o->dp, false, xfs_dir_leaf_off(o->sb), XFS_BLK_DIR_HASH, 0, &b);
	if (has)
		return has;
	if (xfs_da_owner(b->data) != o->dp->node.core.ino)
		return xfs_dop_bad(o, "owner", xfs_da_owner(b->data));
	*f = xfs_da_magic(b->data) == XFS_DIR_LEAF1_MAGIC ? XFS_DFORM_LEAF : XFS_DFORM_NODE;
	return 0;
}

int xfs_dirent_add(struct xfs_tx *tx, struct xfs_ino *dp, const u8 *name, u32 len, u64 ino,
		   u8 ftype)
{
	struct xfs_dop o = op_of(tx, dp, name, len, ino, ftype);
	enum xfs_dform f;
	int e = xfs_dform_of(&o, &f);

	if (!e && f == XFS_DFORM_SHORT) {
		e = xfs_dirsf_add(&o);
		if (e != -EFBIG)
			return e;
		e = xfs_dirsf_to_block(&o);
		f = XFS_DFORM_BLOCK;
	}
	if (!e && f == XFS_DFORM_BLOCK) {
		e = xfs_dirblk_add(&o);
		if (e != -EFBIG)
			return e;
		e = xfs_dirblk_to_leaf(&o);
		f = XFS_DFORM_LEAF;
	}
	if (!e && f == XFS_DFORM_LEAF) {
		e = xfs_dirleaf_add(&o);
		if (e != -EFBIG)
			return e;
		e = xfs_dirleaf_to_node(&o);
	}
	return e ?: xfs_dirnode_add(&o);
}

int xfs_dirent_remove(struct xfs_tx *tx, struct xfs_ino *dp, const u8 *name, u32 len, u64 ino)
{
	struct xfs_dop o = op_of(tx, dp, name, len, ino, 0);
	enum xfs_dform f;
	int e = xfs_dform_of(&o, &f);

	if (e)
		return e;
	switch (f) {
	case XFS_DFORM_SHORT:
		return xfs_dirsf_remove(&o);
	case XFS_DFORM_BLOCK:
		return xfs_dirblk_remove(&o);
	case XFS_DFORM_LEAF:
		return xfs_dirleaf_remove(&o);
	default:
		return xfs_dirnode_remove(&o);
	}
}

int xfs_dirent_replace(struct xfs_tx *tx, struct xfs_ino *dp, const u8 *name, u32 len, u64 ino,
		       u8 ftype)
{
	struct xfs_dop o = op_of(tx, dp, name, len, ino, ftype);
	enum xfs_dform f;
	int e = xfs_dform_of(&o, &f);

	if (e)
		return e;
	switch (f) {
	case XFS_DFORM_SHORT:
		e = xfs_dirsf_replace(&o);
		if (e != -EFBIG)
			return e;
		e = xfs_dirsf_to_block(&o);
		return e ?: xfs_dirblk_replace(&o);
	case XFS_DFORM_BLOCK:
		return xfs_dirblk_replace(&o);
	case XFS_DFORM_LEAF:
		return xfs_dirleaf_replace(&o);
	default:
		return xfs_dirnode_replace(&o);
	}
}

/* A block of names, one of free space, and one of each level of the tree. */
u32 xfs_dirent_room(struct xfs_tx *tx, const struct xfs_ino *dp, u32 len)
{
	(void)dp;
	(void)len;
	return xfs_fork_room(&tx->fs->vol.sb, false, XFS_DA_DEPTH + 2);
}

int xfs_dirent_unshort(struct xfs_tx *tx, struct xfs_ino *dp)
{
	struct xfs_dop o = op_of(tx, dp, (const u8 *)"", 0, 0, 0);

	return dp->node.core.format == XFS_FMT_LOCAL ? xfs_dirsf_to_block(&o) : 0;
}

static bool is_dot(void *ctx, const struct xfs_dirent *d)
{
	bool dot = d->name[0] == '.' && (d->len == 1 || (d->len == 2 && d->name[1] == '.'));

	*(bool *)ctx = dot;
	return dot;
}

int xfs_dirent_empty(struct xfs_ino *dp)
{
	bool only = true;
	u32 cookie = 0;
	int e;

	if (dp->node.core.format == XFS_FMT_LOCAL)
		return !dp->node.literal[0];
	e = xfs_dir_walk(&dp->fs->vol, &dp->node, &cookie, is_dot, &only);
	return e ?: only;
}
