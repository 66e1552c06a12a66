// SPDX-License-Identifier: MIT
/*
 * Writeback to one device: how many of its pages are dirty, when tasks that dirty more have to
 * wait, and the work that writes.
 *
 * vm.dirty_ratio limits the pages that are dirty or under writeback, as a percentage of free memory
 * and page cache. Above the limit a task waits if its device has more than an equal share of the
 * limit. The shares are those of the devices that have such pages, so a slow or dead device fills
 * its own share and does not delay writers to others. Above vm.dirty_background_ratio the work
 * starts, before any task has to wait.
 *
 * The work runs every vm.dirty_writeback_centisecs and writes data that is older than
 * vm.dirty_expire_centisecs; all data if backing_flush() asked for it. It keeps about a second's
 * worth of writes in flight, by the rate that was measured while the device was busy: a read that
 * comes meanwhile waits that long.
 */
#include "mm_priv.h"
#include "filemap_priv.h"
#include <mm/backing.h>
#include <kernel/init.h>
#include <kernel/time.h>

#define MIN_ROOM	64ul		/* pages in flight that every device may have */
#define FIRST_RATE	256ul
#define PATIENCE	(10 * HZ)	/* for a device that writes nothing */

int sysctl_dirty_ratio = 20;
int sysctl_dirty_background_ratio = 10;
int sysctl_dirty_writeback_centisecs = 500, sysctl_dirty_expire_centisecs = 3000;
struct backing default_backing;
static LIST_HEAD(backings);			/* backings_lock */
static DEFINE_SPINLOCK(backings_lock);
static atomic_t busy;				/* backings with pages above 0 */
static atomic64_t written;			/* pages, by all devices */
static DECLARE_WAIT_QUEUE_HEAD(written_wait);
static struct workqueue_struct *flush_wq __ro_after_init;

/* ---- counting ---- */

/* A page may be counted clean before it is counted dirty: then b->pages is below 0 for a moment. */
static void count(struct backing *b, long n)
{
	s64 now = atomic64_add_return(n, &b->pages), before = now - n;

	if (now > 0 && before <= 0)
		atomic_inc(&busy);
	else if (now <= 0 && before > 0)
		atomic_dec(&busy);
}

int backings_busy(void)
{
	return atomic_read(&busy);
}

static void wake(struct backing *b)
{
	if (wq_has_sleeper(&b->wait))
		wake_up_all(&b->wait);
}

void backing_dirtied(struct address_space *m, unsigned long n)
{
	mod_stat(NR_DIRTY, (long)n);
	count(m->backing, (long)n);
}

void backing_cleaned(struct address_space *m, unsigned long n)
{
	mod_stat(NR_DIRTY, -(long)n);
	count(m->backing, -(long)n);
}

void backing_writing(struct address_space *m, unsigned long n)
{
	struct backing *b = m ? m->backing : &default_backing;

	mod_stat(NR_WRITEBACK, (long)n);
	atomic64_add((s64)n, &b->writing);
	atomic64_add((s64)n, &b->started);
	count(b, (long)n);
}

void backing_written(struct address_space *m, unsigned long n)
{
	struct backing *b = m ? m->backing : &default_backing;
	s64 left;

	mod_stat(NR_WRITEBACK, -(long)n);
	count(b, -(long)n);
	atomic64_add((s64)n, &b->written);
	left = atomic64_sub_return((s64)n, &b->writing);
	atomic64_add((s64)n, &written);
	/* Not for each page: the waiters sum up the counts of all CPUs. */
	if (!(left & 15))
		wake(b);
	if (wq_has_sleeper(&written_wait))
		wake_up_all(&written_wait);
}

/* ---- limits ---- */

static unsigned long part_of_memory(int percent)
{
	return (nr_free_pages() + lru_nr(LRU_ACTIVE_FILE) + lru_nr(LRU_INACTIVE_FILE)) *
	       (unsigned long)percent / 100;
}

static bool over_background(struct backing *b)
{
	return atomic64_read(&b->pages) > atomic64_read(&b->writing) &&
	       vm_stat_sum(NR_DIRTY) > part_of_memory(READ_ONCE(sysctl_dirty_background_ratio));
}

static bool over_limit(struct backing *b)
{
	unsigned long limit = part_of_memory(READ_ONCE(sysctl_dirty_ratio));

	if (vm_stat_sum(NR_DIRTY) + vm_stat_sum(NR_WRITEBACK) <= limit)
		return false;
	return atomic64_read(&b->pages) > (s64)(limit / (unsigned long)max(atomic_read(&busy), 1));
}

static DEFINE_PER_CPU(unsigned int, dirtied);

void balance_dirty_pages(struct address_space *mapping, unsigned int pages)
{
	struct backing *b = mapping->backing;

	if (mapping->flags & 1ul << AS_NO_WRITEBACK || this_cpu_add_return(dirtied, pages) < 32)
		return;
	this_cpu_write(dirtied, 0);
	if (over_background(b))
		backing_flush(b);
	/* The limit may rise without a write to this device: look once a second as well. */
	while (over_limit(b) && !fatal_signal_pending(current)) {
		backing_flush(b);
		wait_event_killable_timeout(b->wait, !over_limit(b), HZ);
	}
}

void backing_wait_for_room(struct backing *b)
{
	u64 done = (u64)atomic64_read(&b->written);
	unsigned long passed = jiffies - b->measured;
	bool crowded = false;

	while ((unsigned long)atomic64_read(&b->writing) > max(b->rate, MIN_ROOM)) {
		crowded = true;
		wait_event_timeout(
			b->wait,
			(unsigned long)atomic64_read(&b->writing) <= max(b->rate, MIN_ROOM), HZ);
		done = (u64)atomic64_read(&b->written);
		passed = jiffies - b->measured;
	}
	if (passed < HZ / 2)
		return;
	/*
	 * Where it had nothing to do in between, the rate says little, unless it is higher still.
	 */
	if (crowded || (done - b->written_then) * HZ / passed > b->rate)
		b->rate = (unsigned long)((done - b->written_then) * HZ / passed);
	b->measured = jiffies;
	b->written_then = done;
}

/* ---- the work ---- */

static void flush(struct work_struct *w)
{
	struct backing *b = container_of(to_delayed_work(w), struct backing, work);
	unsigned int noio = memalloc_noio_save();	/* else reclaim could wait for this work */
	s64 before;
	bool all;

	do {
		before = atomic64_read(&b->started);
		all = xchg(&b->wanted, false) || over_background(b);
		mm_flush_backing(b, all);
	} while (READ_ONCE(b->wanted) ||
		 (atomic64_read(&b->started) != before && over_background(b)));
	memalloc_noio_restore(noio);
}

void backing_flush(struct backing *b)
{
	if (flush_wq && !READ_ONCE(b->wanted) && !xchg(&b->wanted, true))
		mod_delayed_work(flush_wq, &b->work, 0);
}

void backing_flush_later(struct backing *b)
{
	int cs = READ_ONCE(sysctl_dirty_writeback_centisecs);

	if (cs && flush_wq)
		queue_delayed_work(flush_wq, &b->work, max((unsigned long)cs * HZ / 100, 1ul));
}

static void for_each_busy(void (*fn)(struct backing *b))
{
	struct backing *b;

	spin_lock(&backings_lock);
	list_for_each_entry(b, &backings, all)
		if (atomic64_read(&b->pages) > atomic64_read(&b->writing))
			fn(b);
	spin_unlock(&backings_lock);
}

void backing_flush_all(void)
{
	for_each_busy(backing_flush);
}

static void reschedule(struct backing *b)
{
	int cs = READ_ONCE(sysctl_dirty_writeback_centisecs);

	if (cs)
		mod_delayed_work(flush_wq, &b->work, max((unsigned long)cs * HZ / 100, 1ul));
}

void backing_reschedule_all(void)
{
	for_each_busy(reschedule);
}

bool backing_wait_for_any(void)
{
	unsigned long waiting = vm_stat_sum(NR_DIRTY) + vm_stat_sum(NR_WRITEBACK);
	s64 before = atomic64_read(&written);

	if (waiting <= totalreserve_pages() / 2)
		return false;
	backing_flush_all();
	wait_event_killable_timeout(written_wait, atomic64_read(&written) != before, PATIENCE);
	return atomic64_read(&written) != before;
}

/* ---- life ---- */

void backing_init(struct backing *b)
{
	spin_lock_init(&b->lock);
	INIT_LIST_HEAD(&b->dirty);
	mutex_init(&b->walk_lock);
	init_waitqueue_head(&b->wait);
	INIT_DELAYED_WORK(&b->work, flush);
	b->rate = FIRST_RATE;
	b->measured = jiffies;
	spin_lock(&backings_lock);
	list_add_tail(&b->all, &backings);
	spin_unlock(&backings_lock);
}

void backing_destroy(struct backing *b)
{
	spin_lock(&backings_lock);
	list_del(&b->all);
	spin_unlock(&backings_lock);
	cancel_delayed_work_sync(&b->work);
	WARN_ON(!list_empty(&b->dirty));
}

static int backing_start(void)
{
	backing_init(&default_backing);
	flush_wq = alloc_workqueue("writeback", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return flush_wq ? 0 : -ENOMEM;
}
INITCALL(sched, backing_start);
