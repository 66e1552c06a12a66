// SPDX-License-Identifier: MIT
/*
 * Sizes of regular files. The new size is logged first, so that what is cut off is never seen
 * again.
 */
#include "fs/xfs/inode/priv.h"
#include "fs/xfs/bmap/bmap.h"
#include <lib/minmax.h>

/* Extents that one transaction removes: its reservation is for so many. */
#define PIECE 2u
/* Blocks of the largest file. */
#define END(sb) (1ull << (63 - (sb)->blocklog))

int xfs_unmap_rest(struct xfs_tx *tx, struct xfs_ino *ip, u64 from)
{
	u64 end = END(&tx->fs->vol.sb), left = end - from;
	int e = 0;

	while (!e && left) {
		e = xfs_bmap_unmap(tx, ip, false, end - left, left, PIECE, &left);
		e = e ?: xfs_defer_finish(tx);
		if (!e && left)
			e = xfs_tx_roll(tx);
		cond_resched();
	}
	return e;
}

int xfs_truncate_blocks(struct inode *inode, u64 size, bool cut)
{
	struct xfs_mount *mp = XFS_M(inode->i_sb);
	struct xfs_ino *ip = xfs_ino_of(inode);
	u64 from = DIV_ROUND_UP(size, mp->fs.vol.sb.blocksize);
	struct xfs_locked l;
	struct xfs_tx *tx;
	int e = cut ? xfs_copy_drop(inode, from, U64_MAX) : 0;

	e = e ?: xfs_begin(mp, XFS_RES_TRUNCATE, 0, 0, XFS_TX_RESERVE | xfs_sync_of(inode), &tx);
	if (e)
		return e;
	xfs_lock_inodes(&l, &inode, 1);
	ip->node.core.size = size;
	xfs_log_vfs(tx, inode);
	if (cut) {
		xfs_delay_drop(inode, from, U64_MAX);
		e = xfs_unmap_rest(tx, ip, from);
		xfs_map_changed(inode);
	}
	inode->i_blocks = ip->node.core.nblocks << (mp->fs.vol.sb.blocklog - 9);
	e = xfs_end(tx, e);
	xfs_unlock_inodes(&l);
	return e;
}

/*
 * The cache's part comes first. Data below the new size that the disk's size does not cover are
 * written before it does, so that no stale bytes are seen after a crash. As on Linux, a file that
 * keeps its size loses the blocks behind its end, which fallocate(2) may have made.
 */
int xfs_setsize_locked(struct inode *inode, loff_t size)
{
	bool grows = size > i_size_read(inode);
	loff_t disk;
	int e = extent_resize(&XFS_I(inode)->file, size);

	lockdep_assert_held(&inode->i_data.invalidate_lock);
	xfs_read_lock(inode);
	disk = (loff_t)xfs_node_of(inode)->core.size;
	xfs_read_unlock(inode);
	if (!e && disk < size)
		e = filemap_write_and_wait_range(&inode->i_data, disk, size - 1);
	return e ?: xfs_truncate_blocks(inode, (u64)size, !grows);
}

int xfs_setsize(struct inode *inode, loff_t size)
{
	int e;

	if (!S_ISREG(inode->i_mode))
		return -EINVAL;
	if (!XFS_M(inode->i_sb)->live)
		return -EROFS;
	inode_dio_wait(inode);
	filemap_invalidate_lock(&inode->i_data);
	e = xfs_setsize_locked(inode, size);
	filemap_invalidate_unlock(&inode->i_data);
	return e;
}
