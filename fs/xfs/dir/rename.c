// SPDX-License-Identifier: MIT
/*
 * Renaming, in one transaction. What may fail for lack of space or because of what is there comes
 * first. An inode that is left behind under the old name (RENAME_WHITEOUT) is made before, without
 * a name.
 */
#include "fs/xfs/dir/priv.h"
#include <linux/fs.h>

struct renaming {
	struct xfs_name from, to;
	struct inode *what;		/* is at FROM */
	struct inode *other;		/* is at TO, or NULL */
	struct inode *white;		/* comes to FROM, or NULL */
};

static bool is_dir(const struct inode *inode)
{
	return inode && S_ISDIR(inode->i_mode);
}

static void add_links(struct inode *inode, int by)
{
	xfs_set_links(inode, inode->i_nlink + (u32)by);
}

/* Both names have changed: times and links of all inodes that took part are logged. */
static void log_all(struct xfs_tx *tx, const struct renaming *r)
{
	xfs_dir_changed(r->from.dir);
	if (r->to.dir != r->from.dir)
		xfs_dir_changed(r->to.dir);
	inode_set_ctime_current(r->what);
	if (r->other)
		inode_set_ctime_current(r->other);
	xfs_log_vfs(tx, r->what);
	if (r->other)
		xfs_log_vfs(tx, r->other);
	if (r->white)
		xfs_log_vfs(tx, r->white);
	xfs_log_vfs(tx, r->from.dir);
	if (r->to.dir != r->from.dir)
		xfs_log_vfs(tx, r->to.dir);
}

static int exchange(struct xfs_tx *tx, const struct renaming *r)
{
	struct xfs_ino *a = xfs_ino_of(r->what), *b = xfs_ino_of(r->other);
	bool moves = r->from.dir != r->to.dir;
	int e = xfs_name_give(tx, &r->from, a, b);

	e = e ?: xfs_name_give(tx, &r->to, b, a);
	if (!e && moves && is_dir(r->what))
		e = xfs_set_dotdot(tx, r->what, r->to.dir);
	if (!e && moves && is_dir(r->other))
		e = xfs_set_dotdot(tx, r->other, r->from.dir);
	if (e)
		return e;
	if (moves && is_dir(r->what) != is_dir(r->other)) {
		add_links(r->from.dir, is_dir(r->other) ? 1 : -1);
		add_links(r->to.dir, is_dir(r->what) ? 1 : -1);
	}
	log_all(tx, r);
	return 0;
}

/* 0: the inode at the new name may be replaced. -ENOTEMPTY, -errno. */
static int check_other(const struct renaming *r)
{
	int e;

	if (!is_dir(r->other))
		return 0;
	e = xfs_dirent_empty(xfs_ino_of(r->other));
	if (e <= 0)
		return e ?: -ENOTEMPTY;
	return r->other->i_nlink == 2 ? 0 : -ENOTEMPTY;
}

/* The inode that is moved gets the new name. */
static int take_name(struct xfs_tx *tx, const struct renaming *r, bool last)
{
	struct xfs_ino *ip = xfs_ino_of(r->what);
	int e;

	if (!r->other)
		return xfs_name_add(tx, &r->to, ip);
	e = xfs_name_give(tx, &r->to, xfs_ino_of(r->other), ip);
	if (!e && last)
		e = xfs_list_unlinked(tx, r->other);
	if (!e)
		xfs_set_links(r->other, last ? 0 : r->other->i_nlink - 1);
	return e;
}

/* The old name goes, or becomes the whiteout's. */
static int leave_name(struct xfs_tx *tx, const struct renaming *r)
{
	int e;

	if (!r->white)
		return xfs_name_remove(tx, &r->from, xfs_ino_of(r->what));
	e = xfs_name_give(tx, &r->from, xfs_ino_of(r->what), xfs_ino_of(r->white));
	e = e ?: xfs_unlist(tx, r->white);
	if (!e)
		xfs_set_links(r->white, 1);
	return e;
}

static int move(struct xfs_tx *tx, const struct renaming *r)
{
	bool last = r->other && (is_dir(r->other) || r->other->i_nlink <= 1);
	bool moves = r->from.dir != r->to.dir;
	struct inode *lists[] = { last ? r->other : NULL, r->white };
	int e = check_other(r);

	e = e ?: xfs_lock_agis(tx, lists, 2);
	e = e ?: take_name(tx, r, last);
	e = e ?: leave_name(tx, r);
	if (!e && moves && is_dir(r->what))
		e = xfs_set_dotdot(tx, r->what, r->to.dir);
	if (e)
		return e;
	if (is_dir(r->what) && (moves || r->other))
		add_links(r->from.dir, -1);
	if (is_dir(r->what) && moves && !r->other)
		add_links(r->to.dir, 1);
	log_all(tx, r);
	return 0;
}

static void tell(const struct renaming *r, unsigned int flags)
{
	bool exchanged = flags & RENAME_EXCHANGE;

	xfs_tell_name(r->from.dir, r->what, -1);
	if (r->other)
		xfs_tell_name(r->to.dir, r->other, -1);
	xfs_tell_name(r->to.dir, r->what, 1);
	if (exchanged)
		xfs_tell_name(r->from.dir, r->other, 1);
	if (r->white)
		xfs_tell_name(r->from.dir, r->white, 1);
}

static int run(const struct renaming *r, unsigned int flags)
{
	struct inode *all[] = { r->from.dir, r->to.dir, r->what, r->other, r->white };
	struct xfs_mount *mp = XFS_M(r->what->i_sb);
	struct xfs_locked l;
	struct xfs_tx *tx;
	int e = xfs_begin(mp, XFS_RES_RENAME, xfs_has_parents(mp) ? 3 : 0,
			  xfs_name_room(mp, 3) + xfs_parent_room(mp, 4), xfs_sync_of(r->to.dir),
			  &tx);

	if (e)
		return e;
	xfs_lock_inodes(&l, all, 5);
	if (!xfs_same_project(r->to.dir, r->what))
		e = -EXDEV;
	else if (flags & RENAME_EXCHANGE && !xfs_same_project(r->from.dir, r->other))
		e = -EXDEV;
	else
		e = flags & RENAME_EXCHANGE ? exchange(tx, r) : move(tx, r);
	e = xfs_end(tx, e);
	if (!e)
		tell(r, flags);
	xfs_unlock_inodes(&l);
	return e;
}

static void note_places(const struct renaming *r, const struct dentry *old,
			const struct dentry *new, unsigned int flags)
{
	if (is_dir(r->what))
		xfs_dir_moved(XFS_I(r->what), r->to.dir->i_ino, xfs_name_key(&new->d_name));
	if (flags & RENAME_EXCHANGE && is_dir(r->other))
		xfs_dir_moved(XFS_I(r->other), r->from.dir->i_ino, xfs_name_key(&old->d_name));
}

int xfs_rename(struct mnt_idmap *idmap, struct inode *odir, struct dentry *old, struct inode *ndir,
	       struct dentry *new, unsigned int flags)
{
	struct renaming r = { .from = xfs_name_of(odir, &old->d_name),
			      .to = xfs_name_of(ndir, &new->d_name),
			      .what = old->d_inode,
			      .other = new->d_inode };
	int e;

	if (flags & ~(unsigned int)(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT))
		return -EINVAL;
	if (r.to.len > 255)
		return -ENAMETOOLONG;
	if (flags & RENAME_WHITEOUT) {
		r.white = xfs_make_nameless(idmap, odir, S_IFCHR, WHITEOUT_DEV);
		if (IS_ERR(r.white))
			return (int)PTR_ERR(r.white);
		unlock_new_inode(r.white);
	}
	e = run(&r, flags);
	if (!e)
		note_places(&r, old, new, flags);
	iput(r.white);
	return e;
}
