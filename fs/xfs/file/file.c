// SPDX-License-Identifier: MIT
/*
 * Regular files: the functions of extent/ as theirs (where bytes are: map.c).
 *
 * Reads hold the inode lock shared, as on Linux: a direct one keeps truncation away from its
 * blocks, and a buffered one sees a write as a whole or not at all. Direct writes over bytes that
 * are in blocks of their own hold it shared too, as on Linux, and wait for the device side by side.
 */
#include "fs/xfs/file/priv.h"
#include <block/blk.h>
#include <lib/minmax.h>
#include <vfs/file.h>

const struct mapping_ops xfs_mapping_ops = {
	.read_folio = extent_read_folio,
	.readahead = extent_readahead,
	.writepages = extent_writepages,
	.dirty_folio = extent_dirty_folio,
	.dirty_part = extent_dirty_part,
	.forget_part = extent_forget_part,
	.split_folio = extent_split_folio,
	.invalidate_folio = extent_invalidate_folio,
	.release_folio = extent_release_folio,
};

static ssize_t read_direct(struct kiocb *k, struct iter *to)
{
	struct file *f = k->ki_filp;
	int e;

	if (k->ki_flags & IOCB_NOWAIT)
		return -EAGAIN;		/* the device's answer is waited for */
	e = iter_count(to) ? filemap_write_and_wait_range(f->f_mapping, k->ki_pos,
							  k->ki_pos + (loff_t)iter_count(to) - 1) :
			     0;
	return e ?: extent_direct_read(&XFS_I(file_inode(f))->file, k, to);
}

static ssize_t read_iter(struct kiocb *k, struct iter *to)
{
	struct file *f = k->ki_filp;
	struct inode *inode = file_inode(f);
	ssize_t n;

	if (xfs_is_down(XFS_M(inode->i_sb)))
		return -EIO;
	if (k->ki_flags & IOCB_NOWAIT) {
		if (!inode_trylock_shared(inode))
			return -EAGAIN;
	} else {
		inode_lock_shared(inode);
	}
	if (k->ki_flags & IOCB_DIRECT)
		n = read_direct(k, to);
	else
		n = filemap_read(k, to, f->f_mapping, &f->f_ra);
	inode_unlock_shared(inode);
	if (n != -EAGAIN)
		file_accessed(f);
	return n;
}

/* For a direct write that is not possible: through the cache, and to the device at once. */
static ssize_t write_through(struct extent_file *x, struct kiocb *k, struct iter *from)
{
	struct address_space *m = &x->inode->i_data;
	loff_t start = k->ki_pos;
	ssize_t n = extent_buffered_write(x, k, from);
	int e;

	if (n <= 0)
		return n;
	e = filemap_write_and_wait_range(m, start, k->ki_pos - 1);
	invalidate_mapping_pages(m, (pgoff_t)(start >> PAGE_SHIFT),
				 (pgoff_t)((k->ki_pos - 1) >> PAGE_SHIFT));
	return e ?: n;
}

static ssize_t write_locked(struct extent_file *x, struct kiocb *k, struct iter *from)
{
	ssize_t n = generic_write_checks(k, from);
	int e;

	if (n <= 0)
		return n;
	e = file_modified(k->ki_filp);
	e = e ?: extent_extend(x, k->ki_pos);
	if (e)
		return e;
	if (!(k->ki_flags & IOCB_DIRECT))
		return extent_buffered_write(x, k, from);
	/* Copies are made in the cache. */
	if (xfs_shares(x->inode))
		n = (k->ki_pos | (loff_t)iter_count(from)) & (x->bdev->disk->block_size - 1) ?
			    -EINVAL :
			    -ENOTBLK;
	else
		n = extent_direct_write(x, k, from);
	return n == -ENOTBLK ? write_through(x, k, from) : n;
}

/*
 * The inode is locked, at least shared: true if a write under that lock is allowed. It is not where
 * the write takes rights away (set-id bits, capabilities).
 */
static bool overwrites(struct inode *inode, const struct kiocb *k, const struct iter *from)
{
	return IS_NOSEC(inode) && !xfs_shares(inode) &&
	       extent_direct_overwrites(&XFS_I(inode)->file, k, from);
}

/* Does a direct write if it changes bytes of written blocks alone: true, and *N is its result. */
static bool write_shared(struct inode *inode, struct kiocb *k, struct iter *from, ssize_t *n)
{
	bool yes = true;

	if (!(k->ki_flags & IOCB_DIRECT) || k->ki_flags & IOCB_APPEND)
		return false;
	inode_lock_shared(inode);
	*n = generic_write_checks(k, from);
	if (*n > 0)
		yes = overwrites(inode, k, from);
	if (*n > 0 && yes) {
		*n = file_modified(k->ki_filp) ?: extent_direct_write(&XFS_I(inode)->file, k, from);
		/* A page of the cache is in use, and is to be written to. */
		yes = *n != -ENOTBLK;
	}
	inode_unlock_shared(inode);
	return yes;
}

static ssize_t write_iter(struct kiocb *k, struct iter *from)
{
	struct inode *inode = file_inode(k->ki_filp);
	ssize_t n;

	if (xfs_is_down(XFS_M(inode->i_sb)))
		return -EIO;
	if (k->ki_flags & IOCB_NOWAIT)
		return -EAGAIN;
	if (!write_shared(inode, k, from, &n)) {
		inode_lock(inode);
		n = write_locked(&XFS_I(inode)->file, k, from);
		inode_unlock(inode);
	}
	return n > 0 ? generic_write_sync(k, n) : n;
}

static loff_t llseek(struct file *file, loff_t off, int whence)
{
	struct inode *inode = file_inode(file);

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return generic_file_llseek_size(file, off, whence, inode->i_sb->s_maxbytes,
						i_size_read(inode));
	inode_lock_shared(inode);
	off = extent_seek(&XFS_I(inode)->file, off, whence);
	inode_unlock_shared(inode);
	return off < 0 ? off : vfs_setpos(file, off, inode->i_sb->s_maxbytes);
}

/* FIEMAP_FLAG_SYNC is the VFS's. */
int xfs_fiemap(struct inode *inode, struct fiemap_extent_info *info, u64 start, u64 len)
{
	struct extent_file x = { .ops = &xfs_fiemap_ops, .inode = inode };
	int e;

	inode_lock_shared(inode);
	e = extent_fiemap(&x, info, start, len);
	inode_unlock_shared(inode);
	return e;
}

static int open(struct inode *inode, struct file *file)
{
	if (xfs_is_down(XFS_M(inode->i_sb)))
		return -EIO;
	file->f_mode |= FMODE_CAN_ODIRECT | FMODE_NOWAIT;
	return 0;
}

const struct file_operations xfs_file_fops = {
	.open = open,
	.llseek = llseek,
	.read_iter = read_iter,
	.write_iter = write_iter,
	.mmap = extent_mmap,
	.splice_read = generic_file_splice_read,
	.splice_write = iter_file_splice_write,
	.fsync = xfs_fsync,
	.fallocate = xfs_fallocate,
	.remap_range = xfs_remap_range,
	.ioctl = xfs_ioctl,
};
