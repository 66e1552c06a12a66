// SPDX-License-Identifier: MIT
/*
 * fallocate(2): blocks for a range, holes and zeroes in one; shifting: shift.c, unsharing: remap.c.
 *
 * What is taken away is written back first, in whole pages and blocks, and leaves the cache while
 * invalidate_lock keeps faults out; then the blocks go, and the parts of blocks at both ends are
 * zeroed through the cache.
 *
 * Locks: inode lock > invalidate_lock > transactions > li->lock.
 */
#include "fs/xfs/file/priv.h"
#include "fs/xfs/bmap/bmap.h"
#include <lib/minmax.h>
#include <sched/task.h>
#include <vfs/file.h>
#include <linux/falloc.h>

static loff_t down(loff_t n, loff_t unit)
{
	return n & -unit;
}

static loff_t up(loff_t n, loff_t unit)
{
	return (n + unit - 1) & -unit;
}

static int allocate(struct inode *inode, loff_t off, loff_t end)
{
	u8 bits = inode->i_blkbits;
	const struct extent_ops *ops = XFS_I(inode)->file.ops;
	struct extent at;
	int e = 0;

	while (!e && off < end) {
		u64 b = (u64)off >> bits, n;

		if (fatal_signal_pending(current))
			return -EINTR;
		e = ops->map(inode, off, (u64)(end - off), false, &at);
		if (!e && at.type == EXTENT_HOLE) {
			n = min((u64)(at.off + (loff_t)min(at.len, (u64)(LLONG_MAX - at.off))),
				(u64)up(end, 1ll << bits)) -
			    (b << bits);
			e = xfs_fill(inode, b, min(max(n >> bits, 1ull), (u64)XFS_EXT_MOST), true,
				     &at);
		}
		if (!e)
			off = at.len > (u64)(end - at.off) ? end : at.off + (loff_t)at.len;
	}
	return e;
}

/* As on Linux the inode says that blocks may lie behind its size: XFS_IOC_GETBMAP looks there. */
static int mark(struct inode *inode)
{
	struct xfs_core *c = &xfs_node_of(inode)->core;
	struct xfs_locked l;
	struct xfs_tx *tx;
	int e;

	if (READ_ONCE(c->flags) & XFS_DIFLAG_PREALLOC)
		return 0;
	e = xfs_begin(XFS_M(inode->i_sb), XFS_RES_CHANGE, 0, 0, xfs_sync_of(inode), &tx);
	if (e)
		return e;
	xfs_lock_inodes(&l, &inode, 1);
	c->flags |= XFS_DIFLAG_PREALLOC;
	xfs_log_vfs(tx, inode);
	e = xfs_end(tx, 0);
	xfs_unlock_inodes(&l);
	return e;
}

int xfs_unmap(struct inode *inode, u64 first, u64 end)
{
	struct xfs_mount *mp = XFS_M(inode->i_sb);
	struct xfs_lino *li = XFS_I(inode)->li;
	u64 left = end > first ? end - first : 0;
	struct xfs_tx *tx;
	int e = left ? xfs_copy_drop(inode, first, left) : 0;

	while (!e && left) {
		e = xfs_begin_freeing(mp, XFS_RES_TRUNCATE, 0,
				      xfs_bmap_tree_room(&mp->fs.vol.sb, false), 0, &tx);
		if (e)
			return e;
		down_write(&li->lock);
		xfs_delay_drop(inode, end - left, left);
		e = xfs_bmap_unmap(tx, xfs_ino_of(inode), false, end - left, left, 2, &left);
		xfs_map_changed(inode);
		inode->i_blocks = xfs_node_of(inode)->core.nblocks << (inode->i_blkbits - 9);
		e = xfs_end(tx, e);
		up_write(&li->lock);
		cond_resched();
	}
	return e;
}

static int punch(struct inode *inode, loff_t off, loff_t end)
{
	loff_t block = 1ll << inode->i_blkbits, unit = max(block, (loff_t)PAGE_SIZE),
	       size = i_size_read(inode);
	struct address_space *m = &inode->i_data;
	loff_t from = up(off, block), to = down(end, block), in = min(end, size);
	struct extent_file *x = &XFS_I(inode)->file;
	int e = filemap_write_and_wait_range(m, down(off, unit), up(end, unit) - 1);

	if (e)
		return e;
	truncate_pagecache_range(m, down(off, unit), up(end, unit) - 1);
	if (from >= to)
		return off < in ? extent_zero(x, off, in) : 0;
	e = xfs_unmap(inode, (u64)from >> inode->i_blkbits, (u64)to >> inode->i_blkbits);
	if (!e && off < min(from, in))
		e = extent_zero(x, off, min(from, in));
	if (!e && to < in)
		e = extent_zero(x, to, in);
	return e;
}

static int change(struct inode *inode, int mode, loff_t off, loff_t end)
{
	loff_t block = 1ll << inode->i_blkbits;
	int e = 0;

	if (mode & FALLOC_FL_COLLAPSE_RANGE)
		return xfs_collapse(inode, off, end - off);
	if (mode & FALLOC_FL_INSERT_RANGE)
		return xfs_insert(inode, off, end - off);
	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		e = punch(inode, off, end);
	else if (mode & FALLOC_FL_UNSHARE_RANGE)
		e = xfs_unshare(inode, off, end);
	if (!e && !(mode & FALLOC_FL_PUNCH_HOLE))
		e = allocate(inode, down(off, block), end) ?: mark(inode);
	return e;
}

#define SHIFTS (FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE)
#define KNOWN (FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE | \
	       FALLOC_FL_UNSHARE_RANGE | SHIFTS)

long xfs_fallocate(struct file *file, int mode, loff_t off, loff_t len)
{
	struct inode *inode = file_inode(file);
	bool grow = !(mode & (FALLOC_FL_KEEP_SIZE | SHIFTS));
	loff_t end = off + len;
	int e;

	if (mode & ~KNOWN)
		return -EOPNOTSUPP;
	inode_lock(inode);
	inode_dio_wait(inode);
	grow = grow && end > i_size_read(inode);
	e = grow ? inode_newsize_ok(inode, end) : 0;
	e = e ?: file_modified(file);
	if (!e) {
		filemap_invalidate_lock(&inode->i_data);
		e = change(inode, mode, off, end);
		filemap_invalidate_unlock(&inode->i_data);
	}
	if (!e && grow)
		e = xfs_setsize(inode, end);
	inode_unlock(inode);
	if (!e && (file->f_flags & O_DSYNC || xfs_sync_of(inode)))
		e = xfs_fsync(file, 0, LLONG_MAX, 0);
	return e;
}
