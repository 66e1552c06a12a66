// SPDX-License-Identifier: MIT
/* The parts of all operations on names: an entry, and the pointer from the inode to it. */
#include "fs/xfs/dir/priv.h"
#include <lib/hash.h>
#include <lib/minmax.h>

u32 xfs_name_room(struct xfs_mount *mp, u32 n)
{
	struct xfs_tx tx = { .fs = &mp->fs };

	return n * xfs_dirent_room(&tx, NULL, 255);
}

u32 xfs_parent_room(struct xfs_mount *mp, u32 n)
{
	return xfs_has_parents(mp) ? n * xfs_xattr_room(&mp->fs.vol.sb, 12) : 0;
}

u8 xfs_ftype_of(umode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return 1;
	case S_IFDIR:
		return 2;
	case S_IFCHR:
		return 3;
	case S_IFBLK:
		return 4;
	case S_IFIFO:
		return 5;
	case S_IFSOCK:
		return 6;
	case S_IFLNK:
		return 7;
	}
	return 0;
}

u64 xfs_name_key(const struct qstr *name)
{
	u64 h = name->len;

	for (u32 i = 0; i < name->len; i++) {
		h = (h ^ (u8)name->name[i]) * GOLDEN_RATIO_64;
		h ^= h >> 29;
	}
	return h;
}

static struct xfs_parent parent_of(const struct xfs_name *n)
{
	const struct xfs_core *c = &xfs_node_of(n->dir)->core;

	return (struct xfs_parent){ c->ino, c->gen, n->len, n->name };
}

static bool has_parents(const struct xfs_tx *tx)
{
	return tx->fs->vol.sb.incompat & XFS_IN_PARENT;
}

static int parent_add(struct xfs_tx *tx, const struct xfs_name *n, struct xfs_ino *ip)
{
	struct xfs_parent p = parent_of(n);

	return has_parents(tx) ? xfs_parent_add(tx, ip, p.ino, p.gen, p.name, p.len) : 0;
}

static int parent_remove(struct xfs_tx *tx, const struct xfs_name *n, struct xfs_ino *ip)
{
	struct xfs_parent p = parent_of(n);

	return has_parents(tx) ? xfs_parent_remove(tx, ip, p.ino, p.gen, p.name, p.len) : 0;
}

/* An entry and its pointer exist together: where one is missing the file system is damaged. */
static int missing(struct xfs_tx *tx, const struct xfs_name *n, const struct xfs_ino *ip, int e)
{
	if (e == -ENOENT)
		return xfs_tx_bad_ino(tx, xfs_ino_of(n->dir), XFS_SICK_INO_DIR, "directory",
				      "entry", ip->node.core.ino);
	if (e == -ENODATA || e == -EEXIST)
		return xfs_tx_bad_ino(tx, ip, XFS_SICK_INO_PARENT, "inode",
				      "pointer to its directory", n->dir->i_ino);
	return e;
}

int xfs_name_add(struct xfs_tx *tx, const struct xfs_name *n, struct xfs_ino *ip)
{
	int e = xfs_dirent_add(tx, xfs_ino_of(n->dir), n->name, n->len, ip->node.core.ino,
			       xfs_ftype_of(ip->node.core.mode));

	return e ?: missing(tx, n, ip, parent_add(tx, n, ip));
}

int xfs_name_remove(struct xfs_tx *tx, const struct xfs_name *n, struct xfs_ino *ip)
{
	/* The pointer first: it is the one that may find no space. */
	int e = parent_remove(tx, n, ip);

	e = e ?: xfs_dirent_remove(tx, xfs_ino_of(n->dir), n->name, n->len, ip->node.core.ino);
	return missing(tx, n, ip, e);
}

int xfs_name_give(struct xfs_tx *tx, const struct xfs_name *n, struct xfs_ino *from,
		  struct xfs_ino *ip)
{
	int e = xfs_dirent_replace(tx, xfs_ino_of(n->dir), n->name, n->len, ip->node.core.ino,
				   xfs_ftype_of(ip->node.core.mode));

	e = e ?: parent_remove(tx, n, from);
	e = e ?: parent_add(tx, n, ip);
	return missing(tx, n, ip, e);
}

int xfs_set_dotdot(struct xfs_tx *tx, struct inode *inode, const struct inode *parent)
{
	int e = xfs_dirent_replace(tx, xfs_ino_of(inode), (const u8 *)"..", 2, parent->i_ino,
				   xfs_ftype_of(S_IFDIR));

	return e == -ENOENT ? xfs_tx_bad_ino(tx, xfs_ino_of(inode), XFS_SICK_INO_DIR, "directory",
					     "..", 0) :
			      e;
}

void xfs_dir_changed(struct inode *dir)
{
	dir->i_mtime = inode_set_ctime_current(dir);
}

bool xfs_same_project(const struct inode *dir, const struct inode *inode)
{
	const struct xfs_core *d = &xfs_node_of(dir)->core, *c = &xfs_node_of(inode)->core;

	return !(d->flags & XFS_DIFLAG_PROJINHERIT) || d->projid == c->projid;
}

int xfs_lock_agis(struct xfs_tx *tx, struct inode *const *inodes, u32 n)
{
	const struct xfs_sb *sb = &tx->fs->vol.sb;
	u32 done = 0;			/* AGs below are locked, or not needed */

	for (;;) {
		u32 agno = XFS_NULL32;
		struct xfs_txbuf *agi;
		int e;

		for (u32 i = 0; i < n; i++) {
			u32 a = inodes[i] ? xfs_ino_ag(sb, inodes[i]->i_ino) : XFS_NULL32;

			if (a >= done)
				agno = min(agno, a);
		}
		if (agno == XFS_NULL32)
			return 0;
		e = xfs_ag_agi(tx, agno, 0, &agi);
		if (e)
			return e;
		done = agno + 1;
	}
}
