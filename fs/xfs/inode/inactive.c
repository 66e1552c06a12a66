// SPDX-License-Identifier: MIT
/*
 * The end of an inode without names. It is in an unlinked list until its last transaction, so that
 * recovery begins anew what was interrupted, anywhere: blocks of data and of attributes are taken
 * away in as many transactions as it takes; the last one takes the inode out of the list and frees
 * it.
 *
 * Blocks that were metadata are cancelled in the log by the transaction that unmaps them. Long
 * values of attributes were never logged, but may be in the cache, as runs of blocks: these are
 * looked for while the attributes can still be read, and are cancelled first.
 *
 * What fails shuts the file system down; the inode stays in its list, on the disk and in memory.
 */
#include "fs/xfs/inode/priv.h"
#include "fs/xfs/ag/ialloc.h"
#include "fs/xfs/bmap/bmap.h"
#include "fs/xfs/da/fork.h"
#include <alloc/slab.h>
#include <lib/minmax.h>

#define BLOCKS_AT_ONCE 8u

/* CHANGE in a transaction of KIND that may use the last free blocks, with INODE locked. */
static int in_tx(struct inode *inode, enum xfs_res kind,
		 int (*change)(struct xfs_tx *tx, struct inode *inode))
{
	struct xfs_locked l;
	struct xfs_tx *tx;
	int e = xfs_begin(XFS_M(inode->i_sb), kind, 0, 0, XFS_TX_RESERVE, &tx);

	if (e)
		return e;
	xfs_lock_inodes(&l, &inode, 1);
	e = xfs_end(tx, change(tx, inode));
	/* Freed: forgotten while nobody can make the next one of its number. */
	if (!e && !xfs_ino_of(inode)->node.core.mode)
		xfs_mark_ino_gone(&XFS_M(inode->i_sb)->health, inode->i_ino);
	xfs_unlock_inodes(&l);
	return e;
}

/* ---- data ---- */

/* The next extent of a fork at or behind *OFF; false with *E 0: there is none. */
static bool next_extent(struct xfs_mount *mp, struct xfs_ino *ip, bool attr, u64 off, u64 end,
			struct xfs_map *m, int *e)
{
	*e = 0;
	while (off < end) {
		*e = xfs_bmap(&mp->fs.vol, &ip->node, attr, off, m);
		if (*e || m->type != XFS_MAP_HOLE)
			return !*e;
		off = m->off + max(m->count, (u64)1);
	}
	return false;
}

/*
 * A metadata fork, BLOCKS_AT_ONCE blocks a transaction; each extent of a symlink is one buffer.
 * Directories have nothing left but what there was no space to remove.
 */
static int free_fork(struct xfs_tx *tx, struct xfs_ino *ip, bool attr, u32 at_once)
{
	struct xfs_mount *mp = container_of(tx->fs, struct xfs_mount, fs);
	const struct xfs_sb *sb = &tx->fs->vol.sb;
	u64 off = 0, end = attr ? 1ull << 32 : 1ull << (63 - sb->blocklog);
	struct xfs_map m;
	int e;

	while (next_extent(mp, ip, attr, off, end, &m, &e)) {
		u32 n = (u32)min(m.count, (u64)(attr ? at_once : 64)), step = attr ? 1 : n;

		for (u32 i = 0; i < n; i += step)
			xfs_tx_kill_at(tx, xfs_fsb_daddr(sb, m.fsb + i),
				       step << (sb->blocklog - 9));
		e = xfs_bmap_unmap(tx, ip, attr, m.off, n, 1, NULL);
		e = e ?: xfs_defer_finish(tx);
		e = e ?: xfs_tx_roll(tx);
		if (e)
			break;
		off = m.off + n;
		cond_resched();
	}
	return e;
}

static enum xfs_kind dir_kind(const struct xfs_sb *sb, u64 off)
{
	if (off < XFS_DIR_LEAF_START >> sb->blocklog)
		return XFS_BLK_DIR_DATA;
	return off < XFS_DIR_FREE_START >> sb->blocklog ? XFS_BLK_DIR_HASH : XFS_BLK_DIR_FREE;
}

static int free_dir(struct xfs_tx *tx, struct xfs_ino *ip)
{
	struct xfs_mount *mp = container_of(tx->fs, struct xfs_mount, fs);
	const struct xfs_sb *sb = &tx->fs->vol.sb;
	u64 off = 0, end = 2 * (XFS_DIR_FREE_START >> sb->blocklog);
	u32 per = 1u << sb->dirblklog;
	struct xfs_txbuf *b;
	struct xfs_map m;
	int e;

	while (next_extent(mp, ip, false, off, end, &m, &e)) {
		off = max(off, m.off) & ~(u64)(per - 1);
		e = xfs_fork_get(tx, ip, false, off, dir_kind(sb, off), 0, &b);
		e = e ?: xfs_fork_shrink(tx, ip, false, off, b);
		e = e ?: xfs_defer_finish(tx);
		e = e ?: xfs_tx_roll(tx);
		if (e)
			break;
		off += per;
		cond_resched();
	}
	return e;
}

static int free_data(struct xfs_tx *tx, struct inode *inode)
{
	struct xfs_ino *ip = xfs_ino_of(inode);
	struct xfs_core *c = &ip->node.core;

	if (S_ISDIR(c->mode))
		return free_dir(tx, ip);
	if (!S_ISREG(c->mode))
		return free_fork(tx, ip, false, 0);
	c->size = 0;
	xfs_tx_inode(tx, ip, XFS_LI_CORE);
	return xfs_unmap_rest(tx, ip, 0);
}

/* ---- attributes ---- */

static int free_attrs(struct xfs_tx *tx, struct inode *inode)
{
	struct xfs_ino *ip = xfs_ino_of(inode);
	struct xfs_core *c = &ip->node.core;
	int e = 0;

	if (c->aformat != XFS_FMT_LOCAL) {
		e = free_fork(tx, ip, true, BLOCKS_AT_ONCE);
	}
	if (!e) {
		c->forkoff = 0;
		c->aformat = XFS_FMT_EXTENTS;
		c->anextents = 0;
		xfs_tx_inode(tx, ip, XFS_LI_CORE);
	}
	return e;
}

/* ---- the inode ---- */

static int free_inode(struct xfs_tx *tx, struct inode *inode)
{
	struct xfs_ino *ip = xfs_ino_of(inode);
	struct xfs_core *c = &ip->node.core;
	bool gone;
	int e = xfs_unlist(tx, inode);

	if (e)
		return e;
	c->mode = 0;
	c->nlink = 0;
	c->gen++;
	c->size = 0;
	c->flags = 0;
	c->flags2 &= XFS_DIFLAG2_BIGTIME | XFS_DIFLAG2_NREXT64;
	c->extsize = c->cowextsize = c->projid = 0;
	c->format = c->aformat = XFS_FMT_EXTENTS;
	c->rdev = 0;
	c->changecount++;
	memset(xfs_ino_literal(ip), 0, xfs_literal_size(&tx->fs->vol.sb));
	xfs_tx_inode(tx, ip, XFS_LI_CORE);
	return xfs_ifree(tx, c->ino, true, &gone);
}

int xfs_inactivate(struct inode *inode)
{
	const struct xfs_core *c = &xfs_ino_of(inode)->node.core;
	int e = 0;

	if (c->format == XFS_FMT_EXTENTS || c->format == XFS_FMT_BTREE)
		e = in_tx(inode, XFS_RES_TRUNCATE, free_data);
	if (!e && c->forkoff)
		e = in_tx(inode, XFS_RES_TRUNCATE, free_attrs);
	return e ?: in_tx(inode, XFS_RES_FREE, free_inode);
}
