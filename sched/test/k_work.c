// SPDX-License-Identifier: MIT
/* Work queues: flushes that end, items that run in order and never too many at once. */
#include <alloc/slab.h>
#include <kernel/ktest.h>
#include <linux/time.h>
#include <kernel/time.h>
#include <sched/completion.h>
#include <sched/sched_priv.h>
#include <sched/task.h>
#include <sched/work.h>

static struct workqueue_struct *queue;
static bool stop;
static int rounds;

static void again(struct work_struct *w)
{
	WRITE_ONCE(rounds, rounds + 1);
	if (!READ_ONCE(stop))
		queue_work(queue, w);
}

/* A flush waits for items queued before it, not for those queued meanwhile. */
KTEST(work_flush_ends)
{
	static DECLARE_WORK(endless, again);
	int before;

	queue = alloc_workqueue("ktest", WQ_UNBOUND, 1);
	KT_ASSERT(queue);
	stop = false;
	before = rounds;
	queue_work(queue, &endless);
	flush_workqueue(queue);
	KT_EQ(READ_ONCE(rounds) > before, 1);
	flush_workqueue(queue);
	WRITE_ONCE(stop, true);
	destroy_workqueue(queue);
}

#define ITEMS 12

static struct numbered {
	struct work_struct work;
	int number;
} items[ITEMS];
static int order[ITEMS], begun, running, most;

static void in_order(struct work_struct *w)
{
	struct numbered *n = container_of(w, struct numbered, work);
	int now = __atomic_add_fetch(&running, 1, __ATOMIC_RELAXED);

	if (now > READ_ONCE(most))
		WRITE_ONCE(most, now);
	order[__atomic_fetch_add(&begun, 1, __ATOMIC_RELAXED)] = n->number;
	schedule_timeout_uninterruptible(1);	/* others may begin meanwhile */
	__atomic_fetch_sub(&running, 1, __ATOMIC_RELAXED);
}

static void run_all(unsigned int flags, int max_active)
{
	queue = alloc_workqueue("ktest", flags, max_active);
	begun = running = most = 0;
	for (int i = 0; i < ITEMS && queue; i++) {
		items[i].number = i;
		INIT_WORK(&items[i].work, in_order);
		queue_work_on(flags & WQ_UNBOUND ? -1 : 0, queue, &items[i].work);
	}
	if (queue)
		flush_workqueue(queue);
}

KTEST(work_one_at_a_time)
{
	run_all(WQ_UNBOUND, 1);
	KT_EQ(begun, ITEMS);
	KT_EQ(most, 1);
	for (int i = 0; i < ITEMS; i++)
		KT_EQ(order[i], i);
	destroy_workqueue(queue);
}

KTEST(work_three_at_a_time)
{
	run_all(0, 3);
	KT_EQ(begun, ITEMS);
	KT_EQ(most <= 3, 1);
	destroy_workqueue(queue);
	run_all(0, 0);
	KT_EQ(begun, ITEMS);
	destroy_workqueue(queue);
}

/* An item that waits behind others can be cancelled, and leaves its place to the next. */
KTEST(work_cancel_of_one_that_waits)
{
	queue = alloc_workqueue("ktest", WQ_UNBOUND, 1);
	KT_ASSERT(queue);
	begun = running = most = 0;
	for (int i = 0; i < 3; i++) {
		items[i].number = i;
		INIT_WORK(&items[i].work, in_order);
		queue_work(queue, &items[i].work);
	}
	cancel_work_sync(&items[1].work);
	flush_workqueue(queue);
	KT_EQ(order[0], 0);
	KT_EQ(order[begun - 1], 2);
	destroy_workqueue(queue);
}

#define MANY 300		/* more than a pool has workers */

static struct completion may_end;
static int ended;

static void wait_for_the_last(struct work_struct *w)
{
	wait_for_completion(&may_end);
	__atomic_fetch_add(&ended, 1, __ATOMIC_RELAXED);
}

static void be_the_last(struct work_struct *w)
{
	complete_all(&may_end);
}

/* All workers wait for an item that none of them can take: the rescuer of its queue does. */
KTEST(work_rescued_where_all_workers_wait)
{
	struct workqueue_struct *saved = alloc_workqueue("ktest", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	struct work_struct *many = kmalloc(MANY * sizeof(*many), GFP_KERNEL);
	static DECLARE_WORK(last, be_the_last);
	bool done;

	queue = alloc_workqueue("ktest", WQ_UNBOUND, 0);
	KT_ASSERT(saved && many && queue);
	init_completion(&may_end);
	ended = 0;
	for (int i = 0; i < MANY; i++) {
		INIT_WORK(&many[i], wait_for_the_last);
		queue_work(queue, &many[i]);
	}
	queue_work(saved, &last);
	done = wait_for_completion_timeout(&may_end, 60 * HZ);
	complete_all(&may_end);
	destroy_workqueue(queue);
	destroy_workqueue(saved);
	kfree(many);
	KT_EQ(done, true);
	KT_EQ(ended, MANY);
}

/* ---- a rescuer that waits ---- */

static atomic_t started;
static struct completion rescued, all_started;
static int wanted;

static void start_and_wait(struct work_struct *w)
{
	if (atomic_inc_return(&started) == wanted)
		complete(&all_started);
	wait_for_completion(&may_end);
}

static void be_rescued(struct work_struct *w)
{
	complete(&rescued);
	wait_for_completion(&may_end);
}

/* While a rescuer waits in an item, workers are made for those that wait in their queue. */
KTEST(work_workers_are_made_while_a_rescuer_waits)
{
	struct workqueue_struct *saved = alloc_workqueue("ktest", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	struct work_struct *items;
	static DECLARE_WORK(one, be_rescued);
	unsigned int n, most;
	bool all;

	queue = alloc_workqueue("ktest", WQ_UNBOUND, 0);
	KT_ASSERT(saved && queue);
	init_completion(&may_end);
	init_completion(&rescued);
	init_completion(&all_started);
	atomic_set(&started, 0);
	most = work_set_most(0, &n);
	wanted = (int)n + 2;
	items = kmalloc((size_t)wanted * sizeof(*items), GFP_KERNEL | __GFP_NOFAIL);
	for (int i = 0; i < wanted - 1; i++) {
		INIT_WORK(&items[i], start_and_wait);
		queue_work(queue, &items[i]);
	}
	queue_work(saved, &one);
	wait_for_completion(&rescued);
	/* Tests before may have left as many workers as there may be. */
	work_set_most((unsigned int)wanted + 8, &n);
	INIT_WORK(&items[wanted - 1], start_and_wait);
	queue_work(queue, &items[wanted - 1]);
	all = wait_for_completion_timeout(&all_started, 60 * HZ);
	work_set_most(most, &n);
	complete_all(&may_end);
	destroy_workqueue(queue);
	destroy_workqueue(saved);
	kfree(items);
	KT_EQ(all, true);
}

static struct delayed_work put_off;
static int put_off_rounds, put_off_runs;

static void put_off_run(struct work_struct *w)
{
	put_off_runs++;
}

static enum hrtimer_restart put_off_in_irq(struct hrtimer *t)
{
	mod_delayed_work(system_wq, &put_off, 100 * HZ);
	WRITE_ONCE(put_off_rounds, put_off_rounds + 1);
	return HRTIMER_NORESTART;
}

/*
 * mod_delayed_work() in an interrupt that meets this CPU anywhere in queueing and cancelling the
 * same item: it spins until the item is on a list, so it must not find one that is on its way.
 */
KTEST(work_put_off_in_an_interrupt)
{
	static struct hrtimer timer;

	INIT_DELAYED_WORK(&put_off, put_off_run);
	hrtimer_init(&timer, CLOCK_MONOTONIC, put_off_in_irq);
	for (int i = 0; i < 2000; i++) {
		int before = READ_ONCE(put_off_rounds);

		hrtimer_start(&timer, (ktime_t)(i % 40) * 500, HRTIMER_MODE_REL);
		while (READ_ONCE(put_off_rounds) == before) {
			queue_delayed_work(system_wq, &put_off, i & 1 ? 100 * HZ : 0);
			cancel_delayed_work(&put_off);
		}
	}
	cancel_delayed_work_sync(&put_off);
	put_off_runs = 0;
	queue_delayed_work(system_wq, &put_off, 100 * HZ);
	KT_EQ(mod_delayed_work(system_wq, &put_off, 0), true);
	flush_work(&put_off.work);
	KT_EQ(put_off_runs, 1);
	KT_EQ(cancel_delayed_work(&put_off), false);
}
