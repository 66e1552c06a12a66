// SPDX-License-Identifier: MIT
/*
 * Direct reads: past the page cache, into the caller's pages, one bio after the other. Offsets,
 * lengths and memory are multiples of the device's logical block; a hole or an unwritten extent is
 * zeroed by hand. Pages of the cache that are dirty are the caller's business.
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

/* Up to MAX bytes from byte ADDR of the device. Bytes that were read, -errno. */
static ssize_t read_piece(struct extent_file *x, struct iter *it, u64 addr, u64 max)
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
	b = n ? bio_alloc(x->bdev, REQ_READ, 0, GFP_KERNEL) : NULL;
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
	put_pages(it, pages, got, true);
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
			n = read_piece(x, it, at.addr + in, max);
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
