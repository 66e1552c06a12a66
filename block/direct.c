// SPDX-License-Identifier: MIT
/*
 * Direct transfers (block/direct.h). end_io() of a disk's queue runs in one worker after the other
 * and must not wait there for a folio, whose own bio may be behind this one: what has to sleep to
 * end a transfer is done by a worker of its own.
 */
#include <lib/minmax.h>
#include <alloc/slab.h>
#include <block/blk.h>
#include <block/direct.h>
#include <kernel/init.h>
#include <mm/folio.h>
#include <mm/iter.h>
#include <mm/mm.h>
#include <sched/task.h>
#include <vfs/file.h>
#include <vfs/fs.h>
#include <vfs/inode.h>
#include <abi/errno.h>

static struct workqueue_struct *direct_wq;

/*
 * iter_get_pages() pins what is a user's and only lends what is the kernel's. Dirty with its lock:
 * its file may be going.
 */
static void put_pages(bool pinned, struct page **pages, unsigned int n, bool filled)
{
	if (pinned)
		unpin_user_pages_dirty_lock(pages, n, filled);
}

/*
 * One bio's pages, each a vector of its own; also of a read that failed, which may have filled
 * some.
 */
static void put_vecs(const struct direct *d, struct bio *b)
{
	for (unsigned int i = 0; i < b->nvecs; i++)
		put_pages(d->pinned, &b->vecs[i].bv_page, 1, d->filled);
}

/* A page of a file that becomes dirty is locked for it. */
static bool put_sleeps(const struct direct *d)
{
	if (!d->pinned || !d->filled)
		return false;
	for (const struct bio *b = d->done; b; b = b->next)
		for (unsigned int i = 0; i < b->nvecs; i++)
			if (!folio_test_anon(page_folio(b->vecs[i].bv_page)))
				return true;
	return false;
}

static void tell(struct direct *d, ssize_t n)
{
	struct kiocb *k = d->iocb;

	kfree(d);
	k->ki_complete(k, n);
}

/* Waits for writeback, which may need the queue that finish() ran on. */
static void sync_work(struct work_struct *w)
{
	struct direct *d = container_of(w, struct direct, work);

	tell(d, generic_write_sync(d->iocb, d->bytes));
}

static ssize_t result(const struct direct *d)
{
	return (ssize_t)min((u64)d->bytes, d->most);
}

static void direct_over(struct direct *d)
{
	struct kiocb *k = d->iocb;
	ssize_t n = d->error ?: result(d);
	struct bio *b, *next;

	for (b = d->done; b; b = next) {
		next = b->next;
		b->next = NULL;
		put_vecs(d, b);
		bio_free(b);
	}
	if (n > 0)
		k->ki_pos += n;
	if (d->finish)
		n = d->finish(d, n);
	if (n > 0 && !d->filled &&
	    (k->ki_flags & (IOCB_DSYNC | IOCB_SYNC) || IS_SYNC(k->ki_filp->f_mapping->host))) {
		d->bytes = n;
		INIT_WORK(&d->work, sync_work);
		queue_work(direct_wq, &d->work);
		return;
	}
	tell(d, n);
}

static void direct_work(struct work_struct *w)
{
	direct_over(container_of(w, struct direct, work));
}

static void direct_put(struct direct *d)
{
	if (!atomic_dec_and_test(&d->left))
		return;
	if (d->queue)
		d->queue(d);
	else if ((d->finish && !d->light) || put_sleeps(d))
		queue_work(direct_wq, &d->work);
	else
		direct_over(d);
}

static void direct_end(struct bio *b)
{
	struct direct *d = b->private;
	int none = 0;

	if (b->status)
		try_cmpxchg(&d->error, &none, b->status);
	b->next = READ_ONCE(d->done);
	while (!try_cmpxchg(&d->done, &b->next, b))
		;
	direct_put(d);
}

void direct_init(struct direct *d, struct kiocb *k, const struct iter *it)
{
	*d = (struct direct){
		.iocb = k, .filled = !it->data_source, .pinned = iter_is_user(it), .most = U64_MAX
	};
	atomic_set(&d->left, 1);
	INIT_WORK(&d->work, direct_work);
}

ssize_t direct_submitted(struct direct *d, int error)
{
	if (!d->bios) {
		ssize_t n = result(d) ?: error;

		if (n > 0)
			d->iocb->ki_pos += n;
		kfree(d);
		return n;
	}
	if (error) {
		int none = 0;

		try_cmpxchg(&d->error, &none, error);
	}
	direct_put(d);
	return -EIOCBQUEUED;
}

ssize_t direct_piece(struct direct *d, struct bdev *v, struct iter *it, u64 addr, u64 max,
		     unsigned int op, unsigned int flags)
{
	struct page *pages[BIO_MAX_VECS];
	u32 block = v->disk->block_size;
	unsigned int got, used = 0;
	bool pinned = iter_is_user(it);
	size_t off = 0, left;
	struct bio *b;
	ssize_t n;
	int e;

	n = iter_get_pages(it, pages, min3((u64)v->disk->max_bytes, max, (u64)iter_count(it)),
			   BIO_MAX_VECS, &off);
	if (n <= 0)
		return n ?: -EFAULT;
	got = (unsigned int)DIV_ROUND_UP(off + (size_t)n, PAGE_SIZE);
	n = (ssize_t)round_down((size_t)n, (size_t)block);
	b = n ? bio_alloc(v, op, flags, GFP_KERNEL) : NULL;
	if (!b) {
		put_pages(pinned, pages, got, false);
		return n ? -ENOMEM : -EFAULT;
	}
	b->sector = addr >> SECTOR_SHIFT;
	for (left = (size_t)n; left; off = 0) {
		unsigned int part = (unsigned int)min(left, PAGE_SIZE - off);

		bio_add_page(b, pages[used++], part, (unsigned int)off);
		left -= part;
	}
	if (d) {
		put_pages(pinned, pages + used, got - used, false);
		iter_advance(it, (size_t)n);
		d->bytes += n;
		d->bios++;
		atomic_inc(&d->left);
		b->private = d;
		b->end_io = direct_end;
		submit_bio(b);
		return n;
	}
	e = submit_bio_wait(b);
	put_pages(pinned, pages, got, op == REQ_READ);
	if (e)
		return e;
	iter_advance(it, (size_t)n);
	return n;
}

static int direct_start(void)
{
	direct_wq = alloc_workqueue("direct", WQ_MEM_RECLAIM, 0);
	return direct_wq ? 0 : -ENOMEM;
}
INITCALL(subsys, direct_start);
