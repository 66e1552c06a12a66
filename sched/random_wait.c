// SPDX-License-Identifier: MIT
/*
 * Waiting for the random-number generator's seed.
 *
 * Where neither the CPU nor the hypervisor gives one and interrupts are rare, those who wait would wait for ever. So one of them at a
 * time collects what the machine's timing gives: it counts how far the CPU comes until a timer of a millisecond goes off, again and
 * again. Each count differs from what went before by caches, memory, interrupts, and on a virtual machine by everything that the host
 * does beside. A count is credited with one bit, and only where it, its change and the change of its change are all new.
 */
#include <lib/types.h>
#include <abi/errno.h>
#include <arch/cpu.h>
#include <kernel/random.h>
#include <kernel/time.h>
#include <linux/time.h>
#include <kernel/upcalls.h>
#include <sched/mutex.h>
#include <sched/task.h>
#include <sched/wait.h>

static DECLARE_WAIT_QUEUE_HEAD(seed_wait);
static DEFINE_MUTEX(collector);		/* one task collects, the others sleep */

void random_ready(void)
{
	wake_up_all(&seed_wait);
}

struct round {
	struct hrtimer timer;
	bool over;
};

static enum hrtimer_restart round_over(struct hrtimer *t)
{
	WRITE_ONCE(container_of(t, struct round, timer)->over, true);
	return HRTIMER_NORESTART;
}

/* Until there is a seed or a signal. */
static void collect(void)
{
	struct round r;
	s64 was = 0, change_was = 0, change2_was = 0;

	hrtimer_init(&r.timer, CLOCK_MONOTONIC, round_over);
	while (!rng_is_seeded() && !signal_pending(current)) {
		u64 sample[4] = { 0 };
		s64 count = 0, change, change2;

		r.over = false;
		hrtimer_start(&r.timer, ktime_get_ns() + NSEC_PER_MSEC, HRTIMER_MODE_ABS);
		while (!READ_ONCE(r.over)) {
			sample[count++ & 3] ^= arch_cycles();
			cpu_relax();
			cond_resched();
		}
		change = count - was;
		change2 = change - change_was;
		add_entropy(sample, sizeof(sample), count && change && change2 && change2 != change2_was);
		was = count;
		change_was = change;
		change2_was = change2;
	}
	hrtimer_cancel(&r.timer);
}

int wait_for_random(void)
{
	while (!rng_is_seeded()) {
		if (signal_pending(current))
			return -ERESTARTSYS;
		if (mutex_trylock(&collector)) {
			collect();
			mutex_unlock(&collector);
			wake_up_all(&seed_wait);	/* another goes on where a signal ended this one's turn */
		} else if (wait_event_interruptible(seed_wait, rng_is_seeded() || !mutex_is_locked(&collector))) {
			return -ERESTARTSYS;
		}
	}
	return 0;
}
