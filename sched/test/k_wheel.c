// SPDX-License-Identifier: MIT
/*
 * The timer wheel: never early, at most an eighth late plus a tick, cancelled for good, the cost of
 * arming.
 */
#include <alloc/slab.h>
#include <kernel/ktest.h>
#include <kernel/random.h>
#include <kernel/time.h>
#include <sched/completion.h>
#include <sched/wheel.h>

static struct completion rang;
static u64 rang_ns;
static int rings;

static void ring(struct wheel_timer *t)
{
	rang_ns = ktime_get_ns();
	rings++;
	complete(&rang);
}

KTEST(wheel_never_early)
{
	static const u32 ms[] = { 0, 1, 3, 20, 63, 64, 65, 100, 300 };
	struct wheel_timer t;

	wheel_init_timer(&t, ring);
	for (unsigned int i = 0; i < ARRAY_SIZE(ms); i++) {
		u64 from = ktime_get_ns(), want = ms[i] * NSEC_PER_MSEC;

		init_completion(&rang);
		KT_ASSERT(!wheel_arm(&t, want));
		wait_for_completion(&rang);
		KT_ASSERT(rang_ns - from >= want);
		wheel_cancel_sync(&t);
	}
}

KTEST(wheel_put_off_and_cancel)
{
	struct wheel_timer t;

	init_completion(&rang);
	rings = 0;
	wheel_init_timer(&t, ring);
	KT_ASSERT(!wheel_cancel(&t));
	KT_ASSERT(!wheel_arm(&t, NSEC_PER_SEC) && wheel_is_armed(&t));
	KT_ASSERT(wheel_arm(&t, 5 * NSEC_PER_MSEC));
	KT_ASSERT(wheel_left_ns(&t) <= 7 * NSEC_PER_MSEC);
	wait_for_completion(&rang);
	KT_ASSERT(!wheel_cancel_sync(&t));
	KT_ASSERT(!wheel_arm(&t, 3600 * NSEC_PER_SEC) && wheel_cancel_sync(&t) &&
		  !wheel_is_armed(&t));
	KT_EQ(rings, 1);
}

/* The caller's clock is from before it was preempted: the thread has gone past the timer's time. */
KTEST(wheel_armed_with_an_old_clock)
{
	struct wheel_timer t;
	u64 now;

	wheel_init_timer(&t, ring);
	for (int i = 0; i < 2; i++) {
		init_completion(&rang);
		if (i) {
			now = ktime_get_ns();
			preempt_disable(); /* the timer before ran on this CPU: no other wheel */
			KT_ASSERT(!wheel_arm_as_of(&t, now - 500 * NSEC_PER_MSEC,
						   now - NSEC_PER_SEC));
			KT_EQ(wheel_left_ns(&t), 0);
			preempt_enable();
		} else {
			KT_ASSERT(!wheel_arm(&t, NSEC_PER_MSEC));
		}
		wait_for_completion(&rang);
	}
}

#define MANY 10000

/* Each of many rings once, none before its time. */
struct one {
	struct wheel_timer t;
	u64 due_ns;
	bool early;
};
static atomic_t left, early;

static void ring_one(struct wheel_timer *t)
{
	struct one *o = container_of(t, struct one, t);

	if (ktime_get_ns() < o->due_ns)
		atomic_inc(&early);
	if (atomic_dec_and_test(&left))
		complete(&rang);
}

KTEST(wheel_many)
{
	struct one *all = kvmalloc(MANY * sizeof(*all), GFP_KERNEL);

	KT_ASSERT(all);
	init_completion(&rang);
	atomic_set(&left, MANY);
	atomic_set(&early, 0);
	for (int i = 0; i < MANY; i++) {
		wheel_init_timer(&all[i].t, ring_one);
		all[i].due_ns = ktime_get_ns() + (u64)get_random_u32_below(400) * NSEC_PER_MSEC +
				1000 * NSEC_PER_SEC;
		wheel_arm_as_of(&all[i].t, all[i].due_ns, ktime_get_ns());
	}
	for (int i = 0; i < MANY; i++) {
		all[i].due_ns -= 1000 * NSEC_PER_SEC;
		KT_ASSERT(wheel_arm_as_of(&all[i].t, all[i].due_ns, ktime_get_ns()));
	}
	wait_for_completion(&rang);
	KT_EQ(atomic_read(&early), 0);
	for (int i = 0; i < MANY; i++)
		wheel_cancel_sync(&all[i].t);
	kvfree(all);
}

/*
 * Says what putting a timer off costs with ten thousand armed; in a machine that counts
 * instructions as nanoseconds (-icount shift=0) these are instructions.
 */
KTEST(wheel_cost)
{
	struct one *all = kvmalloc(MANY * sizeof(*all), GFP_KERNEL);
	u64 from, took;

	KT_ASSERT(all);
	for (int i = 0; i < MANY; i++) {
		wheel_init_timer(&all[i].t, ring_one);
		wheel_arm(&all[i].t, (u64)(i % 1000 + 1000) * NSEC_PER_SEC);
	}
	from = ktime_get_ns();
	for (int i = 0; i < 1000; i++)
		wheel_arm(&all[i].t, 500 * NSEC_PER_SEC + (u64)i * NSEC_PER_MSEC);
	took = ktime_get_ns() - from;
	pr_info("wheel: put off in %llu ns with %d armed\n", took / 1000, MANY);
	for (int i = 0; i < MANY; i++)
		KT_ASSERT(wheel_cancel_sync(&all[i].t));
	kvfree(all);
}
