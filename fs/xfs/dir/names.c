// SPDX-License-Identifier: MIT
/*
 * Names are added to inodes and taken from them. The VFS has the inodes' i_rwsem and knows who may.
 */
#include "fs/xfs/dir/priv.h"

int xfs_link(struct dentry *old, struct inode *dir, struct dentry *new)
{
	struct inode *inode = old->d_inode, *both[] = { dir, inode }, *nameless;
	struct xfs_mount *mp = XFS_M(dir->i_sb);
	struct xfs_name name = xfs_name_of(dir, &new->d_name);
	struct xfs_locked l;
	struct xfs_tx *tx;
	int e;

	if (name.len > 255)
		return -ENAMETOOLONG;
	e = xfs_begin(mp, XFS_RES_LINK, xfs_has_parents(mp),
		      xfs_name_room(mp, 1) + xfs_parent_room(mp, 1), xfs_sync_of(dir), &tx);
	if (e)
		return e;
	xfs_lock_inodes(&l, both, 2);
	nameless = inode->i_nlink ? NULL : inode;
	e = xfs_same_project(dir, inode) ? 0 : -EXDEV;
	e = e ?: xfs_lock_agis(tx, &nameless, 1);
	e = e ?: xfs_name_add(tx, &name, xfs_ino_of(inode));
	if (!e && nameless)
		e = xfs_unlist(tx, inode);
	if (!e) {
		xfs_set_links(inode, inode->i_nlink + 1);
		inode_set_ctime_current(inode);
		xfs_dir_changed(dir);
		xfs_log_vfs(tx, inode);
		xfs_log_vfs(tx, dir);
	}
	e = xfs_end(tx, e);
	if (!e)
		xfs_tell_name(dir, inode, 1);
	xfs_unlock_inodes(&l);
	if (!e) {
		ihold(inode);
		d_instantiate(new, inode);
	}
	return e;
}

/* 0: INODE, a directory, may be removed. */
static int check_empty(struct inode *inode)
{
	int e = xfs_dirent_empty(xfs_ino_of(inode));

	if (e <= 0)
		return e ?: -ENOTEMPTY;
	return inode->i_nlink == 2 ? 0 : -ENOTEMPTY;
}

static int remove_name(struct xfs_tx *tx, const struct xfs_name *name, struct inode *inode)
{
	bool is_dir = S_ISDIR(inode->i_mode), last = is_dir || inode->i_nlink <= 1;
	struct inode *listed = last ? inode : NULL, *dir = name->dir;
	int e = is_dir ? check_empty(inode) : 0;

	if (!e && !inode->i_nlink)
		e = xfs_tx_bad_ino(tx, xfs_ino_of(inode), XFS_SICK_INO_CORE, "inode", "nlink", 0);
	e = e ?: xfs_lock_agis(tx, &listed, 1);
	e = e ?: xfs_name_remove(tx, name, xfs_ino_of(inode));
	if (!e && last)
		e = xfs_list_unlinked(tx, inode);
	if (e)
		return e;
	xfs_set_links(inode, last ? 0 : inode->i_nlink - 1);
	if (is_dir && dir->i_nlink > 2)
		xfs_set_links(dir, dir->i_nlink - 1);
	inode_set_ctime_current(inode);
	xfs_dir_changed(dir);
	xfs_log_vfs(tx, inode);
	xfs_log_vfs(tx, dir);
	return 0;
}

int xfs_unlink(struct inode *dir, struct dentry *d)
{
	struct inode *inode = d->d_inode, *both[] = { dir, inode };
	struct xfs_mount *mp = XFS_M(dir->i_sb);
	struct xfs_name name = xfs_name_of(dir, &d->d_name);
	struct xfs_locked l;
	struct xfs_tx *tx;
	int e = xfs_begin_freeing(mp, XFS_RES_REMOVE, xfs_has_parents(mp),
				  xfs_name_room(mp, 1) + xfs_parent_room(mp, 1), xfs_sync_of(dir),
				  &tx);

	if (e)
		return e;
	xfs_lock_inodes(&l, both, 2);
	e = xfs_end(tx, remove_name(tx, &name, inode));
	if (!e)
		xfs_tell_name(dir, inode, -1);
	xfs_unlock_inodes(&l);
	return e;
}

int xfs_rmdir(struct inode *dir, struct dentry *d)
{
	return xfs_unlink(dir, d);
}
