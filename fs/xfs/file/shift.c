// SPDX-License-Identifier: MIT
/*
 * fallocate(2) with COLLAPSE_RANGE and INSERT_RANGE: what lies behind a range comes nearer, or goes
 * farther away, by whole blocks, without being copied.
 *
 * All that the cache has from the range on is written back and dropped, and copies and promises
 * there are given up, so that the map is all there is. Then the extents go to their new places, one
 * a transaction. This cannot be broken off: half of a file would be elsewhere.
 *
 * Locks: the inode's and its invalidate_lock are held for writing.
 */
#include "fs/xfs/file/priv.h"
#include "fs/xfs/bmap/bmap.h"
#include <lib/minmax.h>
#include <sched/task.h>

/* Nothing from OFF on, which is in the file, is only in memory, or in the cache. */
static int settle(struct inode *inode, loff_t off)
{
	loff_t unit = max(1ll << inode->i_blkbits, (loff_t)PAGE_SIZE);
	struct address_space *m = &inode->i_data;
	struct xfs_lino *li = XFS_I(inode)->li;
	u64 first = (u64)off >> inode->i_blkbits;
	int e;

	off &= -unit;
	e = filemap_write_and_wait_range(m, off, LLONG_MAX);
	if (e)
		return e;
	truncate_pagecache_range(m, off, (i_size_read(inode) - 1) | (unit - 1));
	e = xfs_copy_drop(inode, first, U64_MAX);
	if (e)
		return e;
	down_write(&li->lock);
	xfs_delay_drop(inode, first, U64_MAX);
	up_write(&li->lock);
	return 0;
}

static int step_down(struct xfs_tx *tx, struct xfs_ino *ip, u64 by, u64 from, u64 *at)
{
	(void)from;
	return xfs_bmap_move_down(tx, ip, by, at);
}

/* Is there room above? Then the extent that is to move in part becomes two. */
static int split(struct xfs_tx *tx, struct xfs_ino *ip, u64 by, u64 from, u64 *at)
{
	u64 most = 1ull << (63 - ip->fs->vol.sb.blocklog);
	int e = xfs_bmap_end(tx, ip, at);

	if (!e && *at > from && by > most - min(*at, most))
		e = -EFBIG;
	return e ?: xfs_bmap_split(tx, ip, from);
}

/* STEP in a transaction of its own, with INODE locked. */
static int in_tx(struct inode *inode, u64 by, u64 from, u64 *at,
		 int (*step)(struct xfs_tx *tx, struct xfs_ino *ip, u64 by, u64 from, u64 *at))
{
	struct xfs_mount *mp = XFS_M(inode->i_sb);
	struct xfs_lino *li = XFS_I(inode)->li;
	struct xfs_tx *tx;
	u32 room = 2 * xfs_bmap_tree_room(&mp->fs.vol.sb, false);
	/* A tree gets no blocks by moving its extents. */
	int e = step == split ? xfs_begin(mp, XFS_RES_WRITE, 0, room, 0, &tx) :
				xfs_begin_freeing(mp, XFS_RES_WRITE, 0, room, 0, &tx);

	if (e)
		return e;
	down_write(&li->lock);
	e = step(tx, &li->ip, by, from, at);
	xfs_map_changed(inode);
	inode->i_blocks = li->ip.node.core.nblocks << (inode->i_blkbits - 9);
	e = xfs_end(tx, e);
	up_write(&li->lock);
	cond_resched();
	return e;
}

int xfs_collapse(struct inode *inode, loff_t off, loff_t len)
{
	u8 bits = inode->i_blkbits;
	u64 at = (u64)(off + len) >> bits;
	loff_t size = i_size_read(inode);
	int e;

	if ((off | len) & ((1ll << bits) - 1) || off + len >= size)
		return -EINVAL;
	e = settle(inode, off);
	e = e ?: xfs_unmap(inode, (u64)off >> bits, at);
	while (!e && at < XFS_OFF_MAX)
		e = in_tx(inode, (u64)len >> bits, 0, &at, step_down);
	return e ?: xfs_setsize_locked(inode, size - len);
}

/*
 * INODE, which has SIZE bytes, gets LEN more at its end; nothing goes over block FROM, *END is
 * where the last extent ends. What fails leaves the size.
 */
static int make_room(struct inode *inode, loff_t size, loff_t len, u64 from, u64 *end)
{
	loff_t off = (loff_t)(from << inode->i_blkbits);
	u64 by = (u64)len >> inode->i_blkbits;
	int e = settle(inode, off);

	/* Where there is no space for that, nothing has changed. */
	e = e ?: in_tx(inode, by, from, end, split);
	if (e)
		return e;
	/* The old end is zeroed by this, perhaps in a copy that continues what is before FROM. */
	e = xfs_setsize_locked(inode, size + len);
	e = e ?: settle(inode, off);
	e = e ?: in_tx(inode, by, from, end, split);
	if (e && i_size_read(inode) > size && xfs_setsize_locked(inode, size))
		pr_debug("xfs: a file stays longer\n");
	return e;
}

int xfs_insert(struct inode *inode, loff_t off, loff_t len)
{
	u8 bits = inode->i_blkbits;
	u64 from = (u64)off >> bits, by = (u64)len >> bits, end;
	loff_t size = i_size_read(inode);
	int e;

	if ((off | len) & ((1ll << bits) - 1))
		return -EINVAL;
	if (inode->i_sb->s_maxbytes - size < len)
		return -EFBIG;
	if (off >= size)
		return -EINVAL;
	e = inode_newsize_ok(inode, size + len);
	e = e ?: make_room(inode, size, len, from, &end);
	while (!e && end > from)
		e = in_tx(inode, by, from, &end, xfs_bmap_move_up);
	return e;
}
