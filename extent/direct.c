// SPDX-License-Identifier: MIT
/*
 * Direct reads and writes: past the page cache, from and to the caller's pages, one bio after the
 * other where the caller waits, all at once where it does not (block/direct.h). Offsets, lengths
 * and memory are multiples of the device's logical block. A read zeroes a hole or an unwritten
 * extent by hand; it leaves dirty pages of the cache to its caller. A write has the cache written
 * first, and dropped before and after. What it writes into new blocks is recorded only when it is
 * there: until then they are unwritten. One that does not consist of whole blocks of the filesystem
 * goes through the cache, which knows the rest of them.
 *
 * The inode's lock, shared for reads and for writes that change bytes alone, keeps truncation away
 * from the blocks: writers of written blocks do not wait for each other, so that a device gets as
 * many writes at a time as there are threads. Of two writes to the same place, each byte comes from
 * one of them, as on Linux. Asynchronous transfers outlast the lock: they count in i_dio_count, and
 * a task that changes blocks under the lock waits for them (inode_dio_wait()). A write that makes
 * the file larger is synchronous: the next one must find the file's end behind it.
 */
#include <lib/minmax.h>
#include <alloc/slab.h>
#include <block/blk.h>
#include <block/direct.h>
#include <extent/file.h>
#include <mm/iter.h>
#include <mm/mm.h>
#include <sched/task.h>
#include <vfs/file.h>
#include <vfs/inode.h>
#include <abi/errno.h>

/* A transfer that nobody waits for. */
struct queued {
	struct direct d;
	struct extent_file *x;	/* c */
	bool unwritten;		/* the submitter's: some blocks are, until finish() */
};

static struct queued *queued_alloc(struct extent_file *x, struct kiocb *k, const struct iter *it)
{
	struct queued *q = kmalloc(sizeof(*q), GFP_KERNEL);

	if (!q)
		return NULL;
	direct_init(&q->d, k, it);
	q->x = x;
	q->unwritten = false;
	inode_dio_begin(x->inode);
	return q;
}

static ssize_t queued_submitted(struct queued *q, int error)
{
	struct inode *inode = q->x->inode;
	ssize_t n = direct_submitted(&q->d, error);

	if (n != -EIOCBQUEUED)
		inode_dio_end(inode);
	return n;
}

static ssize_t read_finish(struct direct *d, ssize_t n)
{
	inode_dio_end(container_of(d, struct queued, d)->x->inode);
	return n;
}

/*
 * At most MOST bytes at POS of the file, which ends at SIZE: what one extent has of them. Q NULL:
 * it is waited for. Bytes or -errno.
 */
static ssize_t read_extent(struct extent_file *x, struct queued *q, struct iter *it, loff_t pos,
			   loff_t size)
{
	u32 block = x->bdev->disk->block_size;
	struct extent at;
	u64 in, max;
	ssize_t n;
	int e = fatal_signal_pending(current) ?
			-EINTR :
			x->ops->map(x->inode, pos, iter_count(it), false, &at);

	if (e)
		return e;
	in = (u64)(pos - at.off);
	max = min3(at.len - in, (u64)iter_count(it), round_up((u64)(size - pos), (u64)block));
	if (at.type == EXTENT_MAPPED)
		return direct_piece(q ? &q->d : NULL, x->bdev, it, at.addr + in, max, REQ_READ, 0);
	n = (ssize_t)iter_zero((size_t)max, it);
	if (q)
		q->d.bytes += n;
	return n ?: -EFAULT;
}

ssize_t extent_direct_read(struct extent_file *x, struct kiocb *k, struct iter *it)
{
	u32 block = x->bdev->disk->block_size;
	loff_t size = i_size_read(x->inode), start = k->ki_pos, pos = start;
	struct queued *q = NULL;
	ssize_t n = 0;

	if ((pos | (loff_t)iter_count(it)) & (block - 1) || iter_alignment(it) & (block - 1))
		return -EINVAL;
	if (!is_sync_kiocb(k)) {
		q = queued_alloc(x, k, it);
		if (!q)
			return -ENOMEM;
		q->d.finish = read_finish;
		q->d.light = true;
		q->d.most = size > pos ? (u64)(size - pos) : 0;
	}
	while (iter_count(it) && pos < size) {
		n = read_extent(x, q, it, pos, size);
		if (n < 0)
			break;
		pos += n;
	}
	if (q)
		return queued_submitted(q, n < 0 ? (int)n : 0);
	/* The last block was read whole; the file's end is the end. */
	if (pos > start && pos > size)
		pos = size;
	k->ki_pos = pos;
	return pos - start ?: n < 0 ? n : 0;
}

/* ---- writes ---- */

static void write_queue(struct direct *d)
{
	struct queued *q = container_of(d, struct queued, d);

	q->x->ops->later(q->x->inode, &d->work);
}

static ssize_t write_finish(struct direct *d, ssize_t n)
{
	struct queued *q = container_of(d, struct queued, d);
	struct extent_file *x = q->x;
	loff_t start = d->iocb->ki_pos - (n > 0 ? n : 0);
	int e = 0;

	if (n > 0 && (q->unwritten || x->ops->grows(x->inode, (u64)d->iocb->ki_pos)))
		e = x->ops->written(x->inode, start, (u64)n, q->unwritten);
	invalidate_inode_pages2_range(&x->inode->i_data, (pgoff_t)(start >> PAGE_SHIFT),
				      (pgoff_t)((start + d->bytes - 1) >> PAGE_SHIFT));
	inode_dio_end(x->inode);
	return e ?: n;
}

/*
 * All bytes of FROM, within the file, in whole blocks, while nobody waits. Blocks that an error
 * leaves half written stay unwritten, or have old bytes and new ones, as after any failed write.
 */
static ssize_t write_queued(struct extent_file *x, struct kiocb *k, struct iter *from)
{
	struct queued *q = queued_alloc(x, k, from);
	loff_t pos = k->ki_pos, end = pos + (loff_t)iter_count(from);
	ssize_t n = 0;

	if (!q)
		return -ENOMEM;
	q->d.finish = write_finish;
	if (x->ops->grows(x->inode, (u64)end))
		q->d.queue = write_queue;
	while (n >= 0 && iter_count(from)) {
		struct extent at;
		u64 in;
		int e = fatal_signal_pending(current) ?
				-EINTR :
				x->ops->map_direct(x->inode, pos, iter_count(from), &at);

		if (!e && at.type != EXTENT_MAPPED && at.type != EXTENT_UNWRITTEN)
			e = q->d.bios ? -EIO : -ENOTBLK;
		if (e) {
			n = e;
			break;
		}
		if (at.type == EXTENT_UNWRITTEN) {
			q->unwritten = true;
			q->d.queue = write_queue;
		}
		for (in = (u64)(pos - at.off); in < at.len && iter_count(from); in += (u64)n) {
			n = direct_piece(&q->d, x->bdev, from, at.addr + in, at.len - in, REQ_WRITE,
					 0);
			if (n < 0)
				break;
			pos += n;
		}
	}
	return queued_submitted(q, n < 0 ? (int)n : 0);
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
		n = direct_piece(NULL, x->bdev, from, at.addr + in + done, max - done, REQ_WRITE,
				 0);
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

bool extent_direct_overwrites(struct extent_file *x, const struct kiocb *k, const struct iter *from)
{
	u64 pos = (u64)k->ki_pos, end = pos + iter_count(from), block = 1ull << x->inode->i_blkbits;
	struct extent at;

	if ((pos | end) & (block - 1) || end > (u64)i_size_read(x->inode) ||
	    x->ops->grows(x->inode, end))
		return false;
	for (; pos < end; pos = (u64)at.off + at.len) {
		if (x->ops->map(x->inode, (loff_t)pos, end - pos, false, &at) ||
		    at.type != EXTENT_MAPPED)
			return false;
	}
	return true;
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
	if (!is_sync_kiocb(k) && last < i_size_read(x->inode))
		return write_queued(x, k, from);
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
