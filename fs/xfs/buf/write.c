// SPDX-License-Identifier: MIT
/* The lock of a buffer, and its way to the disk (wbuf.h). */
#include "fs/xfs/buf/buf_priv.h"
#include "fs/xfs/format/stamp.h"
#include <alloc/page.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <abi/errno.h>

/* ---- the lock ---- */

bool xfs_buf_trylock(struct xfs_buf *b)
{
	return !READ_ONCE(b->taken) && !cmpxchg_acquire(&b->taken, 0u, 1u);
}

void xfs_buf_lock(struct xfs_buf *b)
{
	might_sleep();
	if (!xfs_buf_trylock(b))
		(void)___wait_event(b->wait, xfs_buf_trylock(b), TASK_UNINTERRUPTIBLE, 1, 0,
				    schedule());
}

void xfs_buf_unlock(struct xfs_buf *b)
{
	smp_store_release(&b->taken, 0u);	/* pairs with the acquire in xfs_buf_trylock() */
	if (wq_has_sleeper(&b->wait))
		wake_up(&b->wait);
}

void xfs_buf_hold(struct xfs_buf *b)
{
	spin_lock(&b->cache->lock);
	b->refs++;
	spin_unlock(&b->cache->lock);
}

/* ---- writing ---- */

struct transfer {
	struct xfs_buf *b;
	u64 lsn;
	xfs_buf_done done;
	atomic_t left;			/* bios, and one while they are made */
	int status;			/* atomic: of the first that failed */
	struct work_struct work;
	u32 nr;
	struct page *pages[];		/* the copy */
};

static void finish(struct work_struct *w)
{
	struct transfer *t = container_of(w, struct transfer, work);
	struct xfs_buf *b = t->b;
	struct xfs_cache *c = b->cache;

	for (u32 i = 0; i < t->nr; i++)
		__free_page(t->pages[i]);
	t->done(b, t->lsn, READ_ONCE(t->status));
	smp_store_release(&b->writing, false);	/* pairs with the acquire in xfs_buf_land() */
	if (wq_has_sleeper(&b->wait))
		wake_up_all(&b->wait);
	kfree(t);
	xfs_buf_rele(b);
	/* The worker is waited for after this: C is still there. */
	if (atomic_dec_and_test(&c->transfers))
		wake_up_all(&c->settled);
}

static void one_less(struct transfer *t)
{
	if (atomic_dec_and_test(&t->left))
		queue_work(t->b->cache->wq, &t->work);
}

static void end_io(struct bio *bio)
{
	struct transfer *t = bio->private;

	if (bio->status)
		(void)cmpxchg(&t->status, 0, bio->status);
	bio_free(bio);
	one_less(t);
}

static struct transfer *copy(struct xfs_buf *b)
{
	u32 nr = (b->tx.len + (u32)PAGE_SIZE - 1) / (u32)PAGE_SIZE;
	struct transfer *t =
		kzalloc(sizeof(*t) + nr * sizeof(t->pages[0]), GFP_NOFS | __GFP_NOFAIL);

	t->nr = nr;
	for (u32 i = 0; i < nr; i++) {
		u32 at = i * (u32)PAGE_SIZE, n = min((u32)PAGE_SIZE, b->tx.len - at);

		t->pages[i] = alloc_page(GFP_NOFS | __GFP_NOFAIL);
		memcpy(page_address(t->pages[i]), b->tx.data + at, n);
	}
	return t;
}

/* LEN bytes at AT of the copy to DADDR, as few bios as the disk allows. */
static void send(struct transfer *t, u64 daddr, u32 at, u32 len)
{
	while (len) {
		struct bio *bio = bio_alloc(t->b->cache->bdev, REQ_WRITE, 0, GFP_NOIO);

		bio->sector = daddr;
		bio->private = t;
		bio->end_io = end_io;
		while (len) {
			u32 off = at % (u32)PAGE_SIZE, n = min(len, (u32)PAGE_SIZE - off);

			if (!bio_add_page(bio, t->pages[at / (u32)PAGE_SIZE], n, off))
				break;
			at += n;
			len -= n;
			daddr += n >> SECTOR_SHIFT;
		}
		atomic_inc(&t->left);
		submit_bio(bio);
	}
}

void xfs_buf_write(struct xfs_buf *b, const struct xfs_sb *sb, u64 lsn, xfs_buf_done done)
{
	const struct xfs_run *runs = xfs_buf_runs(b);
	struct transfer *t;
	u32 at = 0;

	WARN_ON(!READ_ONCE(b->taken) || b->stale || READ_ONCE(b->writing));
	WARN_ON(atomic_read(&b->pins));
	WRITE_ONCE(b->writing, true);
	b->changed |= !xfs_block_stamp(sb, b->tx.kind, b->tx.data, b->tx.len, lsn);
	t = copy(b);
	t->b = b;
	t->lsn = lsn;
	t->done = done;
	INIT_WORK(&t->work, finish);
	atomic_set(&t->left, 1);
	atomic_inc(&b->cache->transfers);
	xfs_buf_hold(b);
	for (u32 i = 0; i < b->nr_runs; i++) {
		send(t, runs[i].daddr, at, runs[i].bbs << SECTOR_SHIFT);
		at += runs[i].bbs << SECTOR_SHIFT;
	}
	one_less(t);
}

void xfs_buf_land(struct xfs_buf *b)
{
	if (smp_load_acquire(&b->writing))
		wait_event(b->wait, !smp_load_acquire(&b->writing));
}

void xfs_cache_settle(struct xfs_cache *c)
{
	wait_event(c->settled, !atomic_read(&c->transfers));
	flush_workqueue(c->wq);
}

int xfs_cache_writable(struct xfs_cache *c)
{
	c->wq = alloc_workqueue("xfs-buf", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return c->wq ? 0 : -ENOMEM;
}

void xfs_cache_set_force(struct xfs_cache *c, void (*force)(void *ctx), void *ctx)
{
	c->force_ctx = ctx;
	c->force = force;
}
