// SPDX-License-Identifier: MIT
/* Work queues: flushes that end, items that run in order and never too many at once. */
#include <kernel/ktest.h>
#include <kernel/time.h>
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

/* A flush waits for what was there, and not for what comes. */
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

/* What waits behind others may be taken back, and leaves its place to the next. */
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
