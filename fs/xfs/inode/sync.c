// SPDX-License-Identifier: MIT
/* fsync(2): data, then the log up to the inode's last commit, then the device's cache. */
#include "fs/xfs/inode/inode.h"
#include <block/blk.h>
#include <vfs/file.h>

int xfs_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	struct inode *inode = file_inode(file);
	struct xfs_mount *mp = XFS_M(inode->i_sb);
	int e, seen, logged = 0, flushed;
	u64 seq;

	(void)datasync;
	if (!mp->live)
		return 0;
	e = filemap_write_and_wait_range(&inode->i_data, start, end);
	/* The error is in the sequence too: read it, so that it is told once. */
	seen = filemap_check_wb_err(file->f_mapping, &file->f_wb_err);
	xfs_read_lock(inode);
	seq = XFS_I(inode)->li->seq;
	xfs_read_unlock(inode);
	if (seq)
		logged = xfs_journal_force(mp->live->j, seq);
	/* Blocks that were overwritten in their place are in no checkpoint. */
	flushed = bdev_flush(inode->i_sb->s_bdev);
	return e ?: seen ?: logged ?: flushed;
}
