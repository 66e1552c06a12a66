// SPDX-License-Identifier: MIT
/* Bios: making, submitting through the hardware queues, completing. The rules are in <block/blk.h>. */
#include <lib/types.h>
#include <lib/bitmap.h>
#include <lib/minmax.h>
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

	/* Memory is looked for as well as kept bios: those may all be waiting for a disk that lies on this one. */
	while (!b && keep_on && !(b = reserve_take())) {
		wait_event_timeout(reserve_wait, READ_ONCE(reserve_count), HZ / 20);
		b = kmem_cache_alloc(bio_cache, gfp | __GFP_NORETRY | __GFP_NOWARN);
	}
	if (!b)
		return NULL;
	*b = (struct bio){ .bdev = bdev, .op = (u8)op, .flags = (u8)flags, .tag = -1 };
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

/* ---- queues ---- */

static unsigned int stat_of(const struct bio *b)
{
	return b->op == REQ_READ ? 0 : b->op == REQ_WRITE ? 1 : b->op == REQ_FLUSH ? 3 : 2;
}

/* The bio has ended for good: end_io runs in a worker. Queue locked. */
static void finish_locked(struct disk_queue *q, struct bio *b, int status)
{
	b->status = status;
	list_add_tail(&b->list, &q->done);
	queue_work(system_highpri_wq, &q->work);
}

/* As Linux says it, for programs that look for it. What a disk cannot do is no failure of it. */
static void tell_of_failure(const struct bio *b)
{
	static const char *const names[] = { "READ", "WRITE", "DISCARD", "FLUSH" };

	if (b->status == -EOPNOTSUPP || b->status == -EROFS || b->status == -EINVAL)
		return;
	pr_err_ratelimited("I/O error, dev %s, sector %llu op %#x:(%s) len %u: %d\n", b->bdev->disk->name,
			   (u64)b->disk_sector, b->op, names[stat_of(b)], b->len, b->status);
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
		struct disk *d = q->disk;
		unsigned int s = stat_of(b);

		list_del_init(&b->list);
		if (unlikely(b->status))
			tell_of_failure(b);
		__atomic_fetch_add(&d->stats.ios[s], 1, __ATOMIC_RELAXED);
		__atomic_fetch_add(&d->stats.sectors[s], b->len >> SECTOR_SHIFT, __ATOMIC_RELAXED);
		__atomic_fetch_add(&d->stats.ns[s], ktime_get_ns() - b->start_ns, __ATOMIC_RELAXED);
		b->end_io(b);
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

/* Offers what waits to the driver while there are tags. Queue locked. */
static void dispatch(struct disk_queue *q)
{
	struct disk *d = q->disk;

	while (!list_empty(&q->pending)) {
		struct bio *b = list_first_entry(&q->pending, struct bio, list);
		unsigned long tag;
		int e;

		if (d->dead) {
			list_del_init(&b->list);
			finish_locked(q, b, -ENODEV);
			continue;
		}
		tag = find_first_zero_bit(q->tags, q->depth);
		if (tag >= q->depth)
			return;
		__set_bit(tag, q->tags);
		b->tag = (int)tag;
		list_del_init(&b->list);
		e = offer(q, b);
		if (!e) {
			q->used++;
			continue;
		}
		__clear_bit(tag, q->tags);
		b->tag = -1;
		if (e == -EBUSY) {
			list_add(&b->list, &q->pending);
			if (q->used)
				return;		/* a completion brings us back */
			e = -EIO;		/* nothing under way, and still no room: it never fits */
			list_del_init(&b->list);
		}
		finish_locked(q, b, e);
	}
}

static void settle_offered(void);

static void enqueue(struct bio *b)
{
	struct disk_queue *q = b->queue;
	unsigned long flags;

	local_irq_save(flags);
	spin_lock(&q->lock);
	list_add_tail(&b->list, &q->pending);
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
	if (!status)
		next = next_stage(b);
	if (next >= 0) {
		b->split_tag = next == REQ_FLUSH;
		b->stage = (u8)next;
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
	if (b->op != REQ_READ && (v->disk->read_only || v->read_only))
		return -EROFS;
	return 0;
}

void submit_bio(struct bio *b)
{
	struct disk *d = b->bdev->disk;
	int e = check(b);

	b->start_ns = ktime_get_ns();
	b->queue = &d->queues[raw_smp_processor_id() % d->nr_queues];
	b->disk_sector = b->bdev->start + b->sector;
	b->stage = b->op;
	b->split_tag = false;
	if ((b->flags & REQ_PREFLUSH) && d->write_cache)
		b->stage = REQ_FLUSH;
	/* Without a cache that forgets, there is nothing to flush. */
#ifdef CONFIG_FAULT_INJECTION
	if (!e && READ_ONCE(b->bdev->make_it_fail) && fault_make_request(b->len))
		e = -EIO;
#endif
	if (e || (b->op == REQ_FLUSH && !d->write_cache)) {
		spin_lock_irq(&b->queue->lock);
		finish_locked(b->queue, b, e);
		spin_unlock_irq(&b->queue->lock);
		return;
	}
	enqueue(b);
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
