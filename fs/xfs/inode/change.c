// SPDX-License-Identifier: MIT
/*
 * Transactions that change inodes (inode.h): their reservations, locks of several inodes, and what
 * the VFS changes itself: times, modes, owners.
 */
#include "fs/xfs/inode/priv.h"
#include "fs/xfs/ag/ialloc.h"

/* ---- beginning and end ---- */

int xfs_begin(struct xfs_mount *mp, enum xfs_res kind, u32 attrs, u32 blocks, u32 flags,
	      struct xfs_tx **out)
{
	const struct xfs_reserve *r = &mp->res[kind];
	u32 bytes = r->bytes + attrs * mp->res[XFS_RES_ATTR_SET].bytes;

	if (!mp->live)
		return -EROFS;
	/* A chunk of inodes may be made, and the name be added, in one transaction. */
	if (kind == XFS_RES_CREATE || kind == XFS_RES_SYMLINK || kind == XFS_RES_TMPFILE)
		bytes += mp->res[XFS_RES_FREE].bytes;
	return xfs_trans_begin(mp, bytes, attrs ? 1 : r->count, blocks, flags, out);
}

int xfs_begin_look(struct xfs_mount *mp, struct xfs_tx **out)
{
	if (!READ_ONCE(mp->live))
		return xfs_trans_look(mp, out);
	return xfs_begin(mp, XFS_RES_SB, 0, 0, XFS_TX_RESERVE | XFS_TX_FROZEN, out);
}

int xfs_begin_freeing(struct xfs_mount *mp, enum xfs_res kind, u32 attrs, u32 blocks, u32 flags,
		      struct xfs_tx **out)
{
	int e = xfs_begin(mp, kind, attrs, blocks, flags | XFS_TX_RESERVE, out);

	return e == -ENOSPC && blocks ? xfs_begin(mp, kind, attrs, 0, flags | XFS_TX_RESERVE, out) :
					e;
}

int xfs_end(struct xfs_tx *tx, int e)
{
	if (!e)
		return xfs_trans_commit(tx);
	xfs_trans_cancel(tx);
	return e;
}

/* ---- locks ---- */

void xfs_lock_linos(struct xfs_locked *l, struct xfs_lino *const *linos, u32 n)
	__acquires(inode_metadata)
{
	l->n = 0;
	for (u32 i = 0; i < n; i++) {
		struct xfs_lino *li = linos[i];
		u32 at = l->n;

		for (u32 k = 0; li && k < l->n; k++)
			if (l->li[k] == li)
				li = NULL;
		if (!li || WARN_ON(l->n == XFS_LOCK_MOST))
			continue;
		for (; at && l->li[at - 1]->ip.node.core.ino > li->ip.node.core.ino; at--)
			l->li[at] = l->li[at - 1];
		l->li[at] = li;
		l->n++;
	}
	for (u32 i = 0; i < l->n; i++) {
		down_write_nested(&l->li[i]->lock, (int)i);
		__release(l->li[i]->lock);
	}
	__acquire(inode_metadata);
}

void xfs_lock_inodes(struct xfs_locked *l, struct inode *const *inodes, u32 n)
	__acquires(inode_metadata)
{
	struct xfs_lino *li[XFS_LOCK_MOST] = { NULL };

	for (u32 i = 0; i < n && !WARN_ON(n > XFS_LOCK_MOST); i++)
		li[i] = inodes[i] ? XFS_I(inodes[i])->li : NULL;
	xfs_lock_linos(l, li, n);
}

void xfs_unlock_inodes(struct xfs_locked *l) __releases(inode_metadata)
{
	__release(inode_metadata);
	while (l->n--) {
		__acquire(l->li[l->n]->lock);
		up_write(&l->li[l->n]->lock);
	}
}

/* ---- core and VFS ---- */

void xfs_log_vfs(struct xfs_tx *tx, struct inode *inode)
{
	struct xfs_ino *ip = xfs_ino_of(inode);
	struct xfs_core *c = &ip->node.core;
	struct user_namespace *ns = inode->i_sb->s_user_ns;

	c->mode = inode->i_mode;
	c->uid = from_kuid(ns, inode->i_uid);
	c->gid = from_kgid(ns, inode->i_gid);
	c->atime = xfs_time_of(inode->i_atime);
	c->mtime = xfs_time_of(inode->i_mtime);
	c->ctime = xfs_time_of(inode->i_ctime);
	c->changecount++;
	inode->i_version = c->changecount;
	inode->i_blocks = c->nblocks << (tx->fs->vol.sb.blocklog - 9);
	if (S_ISDIR(inode->i_mode))
		i_size_write(inode, (loff_t)c->size);
	xfs_tx_inode(tx, ip, XFS_LI_CORE);
}

void xfs_set_links(struct inode *inode, u32 nlink)
{
	xfs_node_of(inode)->core.nlink = nlink;
	set_nlink(inode, nlink);
}

int xfs_list_unlinked(struct xfs_tx *tx, struct inode *inode)
{
	int e = xfs_unlinked_add(tx, xfs_ino_of(inode));

	if (!e)
		XFS_I(inode)->li->listed = true;
	return e;
}

int xfs_unlist(struct xfs_tx *tx, struct inode *inode)
{
	int e = xfs_unlinked_remove(tx, xfs_ino_of(inode));

	if (!e)
		XFS_I(inode)->li->listed = false;
	return e;
}

/* ---- what the VFS asks for ---- */

int xfs_update_time(struct inode *inode, int flags)
{
	struct timespec64 now = current_time(inode);
	struct xfs_locked l;
	struct xfs_tx *tx;
	int e = xfs_begin(XFS_M(inode->i_sb), XFS_RES_CHANGE, 0, 0, 0, &tx);

	if (e)
		return e;
	xfs_lock_inodes(&l, &inode, 1);
	if (flags & S_ATIME)
		inode->i_atime = now;
	if (flags & S_MTIME)
		inode->i_mtime = now;
	if (flags & S_CTIME)
		inode->i_ctime = now;
	xfs_log_vfs(tx, inode);
	e = xfs_end(tx, 0);
	xfs_unlock_inodes(&l);
	return e;
}

int xfs_log_inode(struct inode *inode)
{
	struct xfs_locked l;
	struct xfs_tx *tx;
	int e = xfs_begin(XFS_M(inode->i_sb), XFS_RES_CHANGE, 0, 0, xfs_sync_of(inode), &tx);

	if (e)
		return e;
	xfs_lock_inodes(&l, &inode, 1);
	xfs_log_vfs(tx, inode);
	e = xfs_end(tx, 0);
	xfs_unlock_inodes(&l);
	return e;
}
