// SPDX-License-Identifier: MIT
/* Bios: making, submitting through the hardware queues, completing. The rules are in <block/blk.h>. */
#include <lib/types.h>
#include <lib/bitmap.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/page.h>
#include <alloc/slab.h>
#include <block/blk.h>
#include <kernel/bug.h>
#include <kernel/cpumask.h>
#include <kernel/init.h>
#include <kernel/percpu.h>
#include <kernel/printk.h>
#include <kernel/time.h>
#include <sched/completion.h>
#include <sched/fault.h>
#include <abi/errno.h>
#include "block/blk_priv.h"

static struct kmem_cache *bio_cache;
/* So that writeback, which frees memory, can go on when there is none: a few bios that only it may take. */
#define RESERVE 16
static struct bio *reserve[RESERVE];		/* reserve_lock */
static unsigned int reserve_count;		/* reserve_lock */
static DEFINE_SPINLOCK(reserve_lock);
static DECLARE_WAIT_QUEUE_HEAD(reserve_wait);

static struct bio *reserve_take(void)
{
	struct bio *b = NULL;
	unsigned long flags;

	spin_lock_irqsave(&reserve_lock, flags);
	if (reserve_count)
		b = reserve[--reserve_count];
	spin_unlock_irqrestore(&reserve_lock, flags);
	return b;
}

struct bio *bio_alloc(struct bdev *bdev, unsigned int op, unsigned int flags, gfp_t gfp)
{
	bool keep_on = (gfp & GFP_NOIO) == GFP_NOIO;
	struct bio *b = kmem_cache_alloc(bio_cache, keep_on ? gfp | __GFP_NORETRY | __GFP_NOWARN : gfp);

	/* Try the allocator as well as the reserve: all reserved bios may be waiting for a loop device on this disk. */
	while (!b && keep_on && !(b = reserve_take())) {
		wait_event_timeout(reserve_wait, READ_ONCE(reserve_count), HZ / 20);
		b = kmem_cache_alloc(bio_cache, gfp | __GFP_NORETRY | __GFP_NOWARN);
	}
	if (!b)
		return NULL;
	memset(b, 0, offsetof(struct bio, vecs));
	b->bdev = bdev;
	b->op = (u8)op;
	b->flags = (u8)flags;
	b->tag = -1;
	INIT_LIST_HEAD(&b->list);
	return b;
}

void bio_free(struct bio *b)
{
	unsigned long flags;
	bool kept = false;

	if (unlikely(reserve_count < RESERVE)) {
		spin_lock_irqsave(&reserve_lock, flags);
		if (reserve_count < RESERVE) {
			reserve[reserve_count++] = b;
			kept = true;
		}
		spin_unlock_irqrestore(&reserve_lock, flags);
	}
	if (kept)
		wake_up(&reserve_wait);
	else
		kmem_cache_free(bio_cache, b);
}

bool bio_add_page(struct bio *b, struct page *page, unsigned int len, unsigned int offset)
{
	if (b->nvecs == BIO_MAX_VECS || b->len + len > b->bdev->disk->max_bytes)
		return false;
	b->vecs[b->nvecs++] = (struct bio_vec){ page, len, offset };
	b->len += len;
	return true;
}

bool bio_extend(struct bio *b, unsigned int len)
{
	struct bio_vec *v = &b->vecs[b->nvecs - 1];
	const struct disk *d = b->bdev->disk;

	if (b->len + len > d->max_bytes || v->bv_len > d->max_segment - min(len, d->max_segment))
		return false;
	v->bv_len += len;
	b->len += len;
	return true;
}

bool bio_next_segment(struct bio **b, unsigned int *i, u64 *phys, u32 *len)
{
	u32 most = *b ? (*b)->bdev->disk->max_segment : 0;
	u64 end = 0;

	*len = 0;
	for (; *b; *b = (*b)->next, *i = 0) {
		for (; *i < (*b)->nvecs; (*i)++) {
			const struct bio_vec *v = &(*b)->vecs[*i];
			u64 at = page_to_phys(v->bv_page) + v->bv_offset;

			if (*len && (at != end || *len > most || v->bv_len > most - *len))
				return true;
			if (!*len)
				*phys = at;
			*len += v->bv_len;
			end = at + v->bv_len;
		}
	}
	return *len;
}

/* ---- queues ---- */

/* The bio has ended for good: end_io runs in a worker. Queue locked. */
static void finish_locked(struct disk_queue *q, struct bio *b, int status)
{
	b->status = status;
	list_add_tail(&b->list, &q->done);
	queue_work(system_highpri_wq, &q->work);
}

/* In Linux's words, which programs look for. An operation that the disk does not support is no failure. */
static void tell_of_failure(const struct bio *b)
{
	const char *name = b->op == REQ_READ ? "READ" : b->op == REQ_WRITE ? "WRITE" :
			   b->op == REQ_FLUSH ? "FLUSH" : "DISCARD";

	if (b->status == -EOPNOTSUPP || b->status == -EROFS || b->status == -EINVAL)
		return;
	pr_err_ratelimited("I/O error, dev %s, sector %llu op %#x:(%s) len %u: %d\n", b->bdev->disk->name,
			   (u64)b->disk_sector, b->op, name, b->req_bytes, b->status);
}

/* Calls end_io of each bio of the request; end_io may free its bio. */
static void end_request(struct bio *b)
{
	int status = b->status;

	while (b) {
		struct bio *next = b->next;

		b->next = NULL;
		b->status = status;
		b->end_io(b);
		b = next;
	}
}

static void run_done(struct work_struct *w)
{
	struct disk_queue *q = container_of(w, struct disk_queue, work);
	LIST_HEAD(done);

	spin_lock_irq(&q->lock);
	list_splice_init(&q->done, &done);
	spin_unlock_irq(&q->lock);
	while (!list_empty(&done)) {
		struct bio *b = list_first_entry(&done, struct bio, list);

		list_del_init(&b->list);
		if (unlikely(b->status))
			tell_of_failure(b);
		block_stats_end(b);
		end_request(b);
	}
}

/*
 * What the driver completed from within its queue function, where this CPU holds a queue's lock: it is settled once the lock is free.
 */
struct offering {
	bool now;
	struct list_head done;
};
static DEFINE_PER_CPU(struct offering, offering);	/* own CPU, interrupts off */

static int offer(struct disk_queue *q, struct bio *b)
{
	struct offering *o = this_cpu_ptr(&offering);
	int e;

	o->now = true;
	e = q->disk->ops->queue(q->disk, q->index, b);
	o->now = false;
	return e;
}

/* Offers pending requests to the driver while there are tags. True: it took at least one. Queue locked. */
static bool offer_pending(struct disk_queue *q)
{
	struct disk *d = q->disk;
	bool some = false;

	while (!list_empty(&q->pending)) {
		struct bio *b = list_first_entry(&q->pending, struct bio, list);
		unsigned long tag;
		int e;

		if (d->dead) {
			list_del_init(&b->list);
			finish_locked(q, b, -EIO);
			continue;
		}
		tag = find_first_zero_bit(q->tags, q->depth);
		if (tag >= q->depth)
			break;
		__set_bit(tag, q->tags);
		b->tag = (int)tag;
		list_del_init(&b->list);
		e = offer(q, b);
		if (!e) {
			q->used++;
			some = true;
			continue;
		}
		__clear_bit(tag, q->tags);
		b->tag = -1;
		if (e == -EBUSY) {
			list_add(&b->list, &q->pending);
			if (q->used)
				break;		/* a completion brings us back */
			e = -EIO;		/* nothing under way, and still no room: it never fits */
			list_del_init(&b->list);
		}
		finish_locked(q, b, e);
	}
	return some;
}

/* Offers them, then one commit() for the whole batch. Queue locked. */
static void dispatch(struct disk_queue *q)
{
	if (offer_pending(q) && q->disk->ops->commit)
		q->disk->ops->commit(q->disk, q->index);
}

static void settle_offered(void);

static struct disk_queue *queue_of(struct disk *d)
{
	return &d->queues[(unsigned int)raw_smp_processor_id() % d->nr_queues];
}

void bio_queue(struct disk *d, struct list_head *head)
{
	struct disk_queue *q;
	unsigned long flags;
	struct bio *b;

	local_irq_save(flags);
	q = queue_of(d);
	list_for_each_entry(b, head, list) {
		b->queue = q;
		block_stats_begin(b);
	}
	spin_lock(&q->lock);
	list_splice_tail_init(head, &q->pending);
	dispatch(q);
	spin_unlock(&q->lock);
	settle_offered();
	local_irq_restore(flags);
}

/* After the stage that just ended: what comes next, or -1. */
static int next_stage(const struct bio *b)
{
	struct disk *d = b->bdev->disk;

	if (b->stage == REQ_FLUSH && b->op != REQ_FLUSH)
		return b->split_tag ? -1 : b->op;	/* the flush before, or (split_tag) the one after */
	if (b->stage == b->op && (b->flags & REQ_FUA) && d->write_cache && !d->fua)
		return REQ_FLUSH;
	return -1;
}

/* Interrupts off. */
static void settle(struct bio *b, int status)
{
	struct disk_queue *q = b->queue;
	int next = -1;

	spin_lock(&q->lock);
	if (!WARN_ON(b->tag < 0)) {
		__clear_bit((unsigned long)b->tag, q->tags);
		b->tag = -1;
		q->used--;
	}
	if (b->stage == REQ_FLUSH)
		block_stats_flushed(b);
	if (!status)
		next = next_stage(b);
	if (next >= 0) {
		b->split_tag = next == REQ_FLUSH;
		b->stage = (u8)next;
		b->stage_ns = ktime_get_ns();
		list_add(&b->list, &q->pending);
	} else {
		finish_locked(q, b, status);
	}
	dispatch(q);
	spin_unlock(&q->lock);
}

/* After a dispatch, with no queue locked; settling one may offer, and complete, the next. Interrupts off. */
static void settle_offered(void)
{
	struct list_head *done = &this_cpu_ptr(&offering)->done;

	while (!list_empty(done)) {
		struct bio *b = list_first_entry(done, struct bio, list);

		list_del_init(&b->list);
		settle(b, b->status);
	}
}

void bio_done(struct bio *b, int status)
{
	struct offering *o;
	unsigned long flags;

	local_irq_save(flags);
	o = this_cpu_ptr(&offering);
	if (unlikely(o->now)) {
		b->status = status;
		list_add_tail(&b->list, &o->done);
	} else {
		settle(b, status);
		settle_offered();
	}
	local_irq_restore(flags);
}

static int check(struct bio *b)
{
	struct bdev *v = b->bdev;
	u64 n = b->len >> SECTOR_SHIFT;

	if (b->op == REQ_FLUSH)
		return 0;
	if (!b->len || (b->len & (v->disk->block_size - 1)) || ((b->sector << SECTOR_SHIFT) & (v->disk->block_size - 1)))
		return -EINVAL;
	if (b->sector >= v->sectors || n > v->sectors - b->sector)
		return -EIO;
	/* BLKROSET keeps new writers out: what was written, and a file system that is mounted, go on as on Linux. */
	if (b->op != REQ_READ && v->disk->read_only)
		return -EROFS;
	return 0;
}

#ifdef CONFIG_FAULT_INJECTION
/* Bits of fail_make_request's ops. */
static unsigned int fault_op(const struct bio *b)
{
	return b->op == REQ_READ ? 0 : b->op == REQ_WRITE ? 1 : b->op == REQ_FLUSH ? 3 : 2;
}
#endif

void submit_bio(struct bio *b)
{
	struct disk *d = b->bdev->disk;
	int e = check(b);
	LIST_HEAD(one);

	b->start_ns = b->stage_ns = ktime_get_ns();
	b->counted = false;
	b->next = NULL;
	b->last = b;
	b->req_bytes = b->len;
	b->req_segs = b->nvecs;
	b->req_bios = 1;
	b->disk_sector = b->bdev->start + b->sector;
	b->stage = b->op;
	b->split_tag = false;
	if ((b->flags & REQ_PREFLUSH) && d->write_cache)
		b->stage = REQ_FLUSH;
	/* Without a cache that forgets, there is nothing to flush. */
#ifdef CONFIG_FAULT_INJECTION
	if (!e && READ_ONCE(b->bdev->make_it_fail) && fault_make_request(b->len, fault_op(b)))
		e = -EIO;
#endif
	if (e || (b->op == REQ_FLUSH && !d->write_cache)) {
		b->queue = queue_of(d);
		spin_lock_irq(&b->queue->lock);
		finish_locked(b->queue, b, e);
		spin_unlock_irq(&b->queue->lock);
		return;
	}
	if (plug_hold(b))
		return;
	list_add_tail(&b->list, &one);
	bio_queue(d, &one);
}

static void wake_waiter(struct bio *b)
{
	complete(b->private);
}

int submit_bio_wait(struct bio *b)
{
	DECLARE_COMPLETION_ONSTACK(done);
	int status;

	b->private = &done;
	b->end_io = wake_waiter;
	submit_bio(b);
	wait_for_completion(&done);
	status = b->status;
	bio_free(b);
	return status;
}

int disk_queue_init(struct disk_queue *q, struct disk *d, unsigned int index)
{
	spin_lock_init(&q->lock);
	q->disk = d;
	q->index = index;
	q->depth = d->depth;
	INIT_LIST_HEAD(&q->pending);
	INIT_LIST_HEAD(&q->done);
	INIT_WORK(&q->work, run_done);
	q->tags = kzalloc(BITS_TO_LONGS(d->depth) * sizeof(long), GFP_KERNEL);
	return q->tags ? 0 : -ENOMEM;
}

void disk_queue_fail_pending(struct disk_queue *q)
{
	local_irq_disable();
	spin_lock(&q->lock);
	dispatch(q);
	spin_unlock(&q->lock);
	settle_offered();
	local_irq_enable();
}

static int bio_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		INIT_LIST_HEAD(&per_cpu_ptr(&offering, cpu)->done);
	bio_cache = kmem_cache_create("bio", sizeof(struct bio), 64, 0, NULL);
	if (!bio_cache)
		return -ENOMEM;
	while (reserve_count < RESERVE) {
		struct bio *b = kmem_cache_alloc(bio_cache, GFP_KERNEL);

		if (!b)
			return -ENOMEM;
		reserve[reserve_count++] = b;
	}
	return 0;
}
INITCALL(subsys, bio_init);
