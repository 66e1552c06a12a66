// SPDX-License-Identifier: MIT
/*
 * Direct reads and writes: past the page cache, from and to the caller's pages, one bio after the
 * other. Offsets, lengths and memory are multiples of the device's logical block. A read zeroes a
 * hole or an unwritten extent by hand; it leaves dirty pages of the cache to its caller. A write
 * has the cache written first, and dropped before and after. What it writes into new blocks is
 * recorded only when it is there: until then they are unwritten. One that does not consist of whole
 * blocks of the filesystem goes through the cache, which knows the rest of them.
 *
 * The inode's lock, shared for reads, keeps truncation away from the blocks.
 */
#include <lib/minmax.h>
#include <block/blk.h>
#include <extent/file.h>
#include <mm/iter.h>
#include <mm/mm.h>
#include <sched/task.h>
#include <vfs/file.h>
#include <vfs/inode.h>
#include <abi/errno.h>

/* iter_get_pages() pins what is a user's and only lends what is the kernel's. */
static void put_pages(struct iter *it, struct page **pages, unsigned int n, bool filled)
{
	while (iter_is_user(it) && n)
		unpin_user_pages_dirty_lock(&pages[--n], 1, filled);
}

/* Up to MAX bytes from or to byte ADDR of the device. Bytes, -errno. */
static ssize_t piece(struct extent_file *x, struct iter *it, u64 addr, u64 max, unsigned int op)
{
	struct page *pages[BIO_MAX_VECS];
	u32 block = x->bdev->disk->block_size;
	unsigned int got, i = 0;
	size_t off = 0, left;
	struct bio *b;
	ssize_t n;
	int e;

	n = iter_get_pages(it, pages, min3((u64)x->bdev->disk->max_bytes, max, (u64)iter_count(it)),
			   BIO_MAX_VECS, &off);
	if (n <= 0)
		return n ?: -EFAULT;
	got = (unsigned int)DIV_ROUND_UP(off + (size_t)n, PAGE_SIZE);
	n = (ssize_t)round_down((size_t)n, (size_t)block);
	b = n ? bio_alloc(x->bdev, op, 0, GFP_KERNEL) : NULL;
	if (!b) {
		put_pages(it, pages, got, false);
		return n ? -ENOMEM : -EFAULT;
	}
	b->sector = addr >> SECTOR_SHIFT;
	for (left = (size_t)n; left; off = 0) {
		unsigned int part = (unsigned int)min(left, PAGE_SIZE - off);

		bio_add_page(b, pages[i++], part, (unsigned int)off);
		left -= part;
	}
	e = submit_bio_wait(b);
	put_pages(it, pages, got, op == REQ_READ);
	if (e)
		return e;
	iter_advance(it, (size_t)n);
	return n;
}

ssize_t extent_direct_read(struct extent_file *x, struct kiocb *k, struct iter *it)
{
	u32 block = x->bdev->disk->block_size;
	loff_t size = i_size_read(x->inode), pos = k->ki_pos;
	ssize_t done = 0, n = 0;

	if ((pos | (loff_t)iter_count(it)) & (block - 1) || iter_alignment(it) & (block - 1))
		return -EINVAL;
	while (iter_count(it) && pos < size) {
		struct extent at;
		u64 in, max;
		int e = fatal_signal_pending(current) ?
				-EINTR :
				x->ops->map(x->inode, pos, iter_count(it), false, &at);

		if (e) {
			n = e;
			break;
		}
		in = (u64)(pos - at.off);
		max = min3(at.len - in, (u64)iter_count(it),
			   round_up((u64)(size - pos), (u64)block));
		if (at.type == EXTENT_MAPPED)
			n = piece(x, it, at.addr + in, max, REQ_READ);
		else
			n = (ssize_t)iter_zero((size_t)max, it) ?: -EFAULT;
		if (n < 0)
			break;
		pos += n;
		done += n;
	}
	/* The last block was read whole; the file's end is the end. */
	if (done && pos > size)
		done -= (ssize_t)(pos - size);
	k->ki_pos += done;
	return done ?: n < 0 ? n : 0;
}

/* Writes the bytes that K has left, at most to the end of one extent. Bytes or -errno. */
static ssize_t write_extent(struct extent_file *x, struct kiocb *k, struct iter *from)
{
	loff_t pos = k->ki_pos;
	struct extent at;
	u64 in, max, done = 0;
	ssize_t n = 0;
	int e = x->ops->map_direct(x->inode, pos, iter_count(from), &at);

	if (e)
		return e;
	if (at.type != EXTENT_MAPPED && at.type != EXTENT_UNWRITTEN)
		return -ENOTBLK;
	in = (u64)(pos - at.off);
	max = min(at.len - in, (u64)iter_count(from));
	while (done < max) {
		n = piece(x, from, at.addr + in + done, max - done, REQ_WRITE);
		if (n <= 0)
			break;
		done += (u64)n;
	}
	/* Whole blocks only: the rest of an unwritten one has old data of the device. */
	if (done & ((1ull << x->inode->i_blkbits) - 1) && at.type == EXTENT_UNWRITTEN) {
		u64 less = done & ((1ull << x->inode->i_blkbits) - 1);

		iter_revert(from, (size_t)less);
		done -= less;
	}
	if (!done)
		return n ?: -EFAULT;
	k->ki_pos = pos + (loff_t)done;
	if (k->ki_pos > i_size_read(x->inode))
		i_size_write(x->inode, k->ki_pos);
	if (at.type == EXTENT_UNWRITTEN || x->ops->grows(x->inode, k->ki_pos))
		e = x->ops->written(x->inode, pos, done, at.type == EXTENT_UNWRITTEN);
	return e ?: n < 0 ? n : (ssize_t)done;
}

ssize_t extent_direct_write(struct extent_file *x, struct kiocb *k, struct iter *from)
{
	struct address_space *m = &x->inode->i_data;
	loff_t start = k->ki_pos, last = start + (loff_t)iter_count(from) - 1;
	u64 block = 1ull << x->inode->i_blkbits;
	unsigned long at = iter_alignment(from) | (unsigned long)start;
	ssize_t n = 0;
	int e;

	if ((at | iter_count(from)) & (x->bdev->disk->block_size - 1))
		return -EINVAL;
	if (k->ki_flags & IOCB_NOWAIT)
		return -EAGAIN;
	if (((u64)start | iter_count(from)) & (block - 1))
		return -ENOTBLK;
	e = filemap_write_and_wait_range(m, start, last);
	if (!e && invalidate_inode_pages2_range(m, (pgoff_t)(start >> PAGE_SHIFT),
						(pgoff_t)(last >> PAGE_SHIFT)))
		e = -ENOTBLK;	/* a page is in use: write to it */
	if (e)
		return e;
	while (iter_count(from)) {
		n = fatal_signal_pending(current) ? -EINTR : write_extent(x, k, from);
		if (n < 0)
			break;
	}
	/*
	 * Pages that a fault or a buffered read brought into the cache during the write may have
	 * the old data. One that is in use cannot be dropped and stays as it is, as on Linux.
	 */
	if (k->ki_pos > start)
		invalidate_inode_pages2_range(m, (pgoff_t)(start >> PAGE_SHIFT),
					      (pgoff_t)((k->ki_pos - 1) >> PAGE_SHIFT));
	return k->ki_pos - start ?: n;
}
