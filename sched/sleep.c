// SPDX-License-Identifier: MIT
/* Sleeping for a time. */
#include <lib/types.h>
#include <kernel/time.h>
#include <sched/sched_priv.h>
#include <sched/task.h>
#include <sched/upcalls.h>
#include <abi/errno.h>
#include <linux/time.h>

struct sleeper {
	struct hrtimer timer;
	struct task *task;	/* NULL once it fired */
};

static enum hrtimer_restart sleeper_fire(struct hrtimer *t)
{
	struct sleeper *s = container_of(t, struct sleeper, timer);
	struct task *task = s->task;

	WRITE_ONCE(s->task, NULL);
	if (task)
		wake_up_process(task);
	return HRTIMER_NORESTART;
}

int schedule_hrtimeout_until(const ktime_t *expires, clockid_t clock)
{
	struct sleeper s = { .task = current };

	if (!expires) {
		schedule();
		return 1;
	}
	hrtimer_init(&s.timer, clock, sleeper_fire);
	hrtimer_start(&s.timer, *expires, HRTIMER_MODE_ABS);
	if (READ_ONCE(s.task))
		schedule();
	hrtimer_cancel(&s.timer);
	__set_current_state(TASK_RUNNING);
	if (!s.task)
		return 0;
	return signal_pending(current) ? -EINTR : 1;
}

long schedule_timeout(long timeout)
{
	ktime_t until;
	s64 left;

	if (timeout == MAX_SCHEDULE_TIMEOUT) {
		schedule();
		return timeout;
	}
	if (timeout <= 0) {
		__set_current_state(TASK_RUNNING);
		return 0;
	}
	until = (ktime_t)ktime_get_ns() + timeout * TICK_NSEC;
	schedule_hrtimeout_until(&until, CLOCK_MONOTONIC);
	left = until - (ktime_t)ktime_get_ns();
	return left > 0 ? left / TICK_NSEC : 0;
}

long schedule_timeout_interruptible(long timeout)
{
	__set_current_state(TASK_INTERRUPTIBLE);
	return schedule_timeout(timeout);
}

long schedule_timeout_uninterruptible(long timeout)
{
	__set_current_state(TASK_UNINTERRUPTIBLE);
	return schedule_timeout(timeout);
}

void msleep(unsigned int ms)
{
	long t = (long)msecs_to_jiffies(ms) + 1;

	while (t > 0)
		t = schedule_timeout_uninterruptible(t);
}

void io_schedule(void)
{
	struct rq *rq = cpu_rq(raw_smp_processor_id());

	__atomic_fetch_add(&rq->nr_iowait, 1, __ATOMIC_RELAXED);
	schedule();
	__atomic_fetch_sub(&rq->nr_iowait, 1, __ATOMIC_RELAXED);
}

long io_schedule_timeout(long timeout)
{
	struct rq *rq = cpu_rq(raw_smp_processor_id());
	long r;

	__atomic_fetch_add(&rq->nr_iowait, 1, __ATOMIC_RELAXED);
	r = schedule_timeout(timeout);
	__atomic_fetch_sub(&rq->nr_iowait, 1, __ATOMIC_RELAXED);
	return r;
}

int io_schedule_hrtimeout_until(const ktime_t *expires, clockid_t clock)
{
	struct rq *rq = cpu_rq(raw_smp_processor_id());
	int r;

	__atomic_fetch_add(&rq->nr_iowait, 1, __ATOMIC_RELAXED);
	r = schedule_hrtimeout_until(expires, clock);
	__atomic_fetch_sub(&rq->nr_iowait, 1, __ATOMIC_RELAXED);
	return r;
}
