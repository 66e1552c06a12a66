// SPDX-License-Identifier: MIT
/* io_uring_enter(2): submits, runs what waits for the task, waits for completions. */
#include <lib/err.h>
#include <io_uring/uring.h>
#include <kernel/bug.h>
#include <kernel/time.h>
#include <proc/signal.h>
#include <sched/task.h>
#include <vfs/file.h>
#include <abi/errno.h>
#include <linux/time.h>
#include "io_uring/ring_priv.h"

#define ENTER_KNOWN (IORING_ENTER_GETEVENTS | IORING_ENTER_SQ_WAKEUP | IORING_ENTER_SQ_WAIT | \
		     IORING_ENTER_EXT_ARG | IORING_ENTER_REGISTERED_RING | IORING_ENTER_ABS_TIMER | \
		     IORING_ENTER_NO_IOWAIT)

/* ---- waiting ---- */

struct waiter {
	struct wait_queue_entry entry;
	struct uring *u;
	u32 to;			/* the tail that it waits for */
	u32 fired;		/* timeouts that had fired */
};

static bool is_enough(const struct waiter *w)
{
	return (s32)(READ_ONCE(w->u->shared->cq_tail) - w->to) >= 0 ||
	       READ_ONCE(w->u->timeouts_fired) != w->fired;
}

static int wake(struct wait_queue_entry *e, unsigned int mode, int flags, void *key)
{
	const struct waiter *w = container_of(e, struct waiter, entry);

	if (!is_enough(w) && !(atomic_read(&w->u->shared->sq_flags) & IORING_SQ_CQ_OVERFLOW))
		return 0;
	return autoremove_wake_function(e, mode, flags, key);
}

/* A request of the current task was kicked, by itself or, with TIF_NOTIFY_SIGNAL, by others. */
static bool has_own_work(void)
{
	const struct uring_task *t = current->uring;

	return test_thread_flag(TIF_NOTIFY_SIGNAL) || (t && !llist_empty(&t->work));
}

static __always_inline void run_work(struct uring *u)
{
	struct uring_task *t = current->uring;

	if (u->flags & IORING_SETUP_DEFER_TASKRUN && !llist_empty(&u->work)) {
		mutex_lock(&u->lock);
		uring_run_deferred(u);
		mutex_unlock(&u->lock);
	}
	if (t && !llist_empty(&t->work))
		uring_run_tasks_own(t);
	if (unlikely(test_thread_flag(TIF_NOTIFY_SIGNAL)))
		proc_ran_task_work();
}

void uring_run_work(struct uring *u)
{
	run_work(u);
}

static void flush_late(struct uring *u)
{
	if (likely(!(atomic_read(&u->shared->sq_flags) & IORING_SQ_CQ_OVERFLOW)))
		return;
	mutex_lock(&u->lock);
	uring_late_flush(u);
	uring_settle(u);
	mutex_unlock(&u->lock);
}

/* Until something happens. 0; -ETIME, -EINTR. */
static int sleep(struct uring *u, struct waiter *w, const ktime_t *until, clockid_t clock)
{
	int e = 0;

	prepare_to_wait(&u->cq_wait, &w->entry, TASK_INTERRUPTIBLE);
	/* Pairs with uring_deferred_came(): one of the two sees what the other has written. */
	WRITE_ONCE(u->waiter, true);
	smp_mb();
	if (!is_enough(w) && llist_empty(&u->work)) {
		/* A signal first: task work that comes with it is left to the way out. */
		if (test_thread_flag(TIF_SIGPENDING))
			e = -EINTR;
		else if (!has_own_work() && !schedule_hrtimeout_until(until, clock))
			e = -ETIME;
	}
	finish_wait(&u->cq_wait, &w->entry);
	WRITE_ONCE(u->waiter, false);
	return e;
}

int uring_sleep(struct uring *u, u32 seen, const ktime_t *until)
{
	DEFINE_WAIT(w);
	int e = 0;

	prepare_to_wait(&u->cq_wait, &w, TASK_INTERRUPTIBLE);
	WRITE_ONCE(u->waiter, true);
	smp_mb();	/* as in sleep() */
	if (uring_posted(u) == seen && llist_empty(&u->work)) {
		if (test_thread_flag(TIF_SIGPENDING))
			e = -EINTR;
		else if (!has_own_work() && !schedule_hrtimeout_until(until, CLOCK_MONOTONIC))
			e = -ETIME;
	}
	finish_wait(&u->cq_wait, &w);
	WRITE_ONCE(u->waiter, false);
	return e;
}

static ktime_t now(clockid_t clock)
{
	return (ktime_t)(clock == CLOCK_BOOTTIME ? ktime_get_boottime_ns() : ktime_get_ns());
}

/* Until the CQ's tail is TO. */
static noinline long wait_for(struct uring *u, const struct uring_waits *how, u32 to)
{
	struct waiter w = { .u = u, .to = to, .fired = READ_ONCE(u->timeouts_fired) };
	bool short_of = how->min_timeout != 0;
	ktime_t until = how->timeout, min_until = 0, at;
	clockid_t clock = READ_ONCE(u->clock);
	int e = 0;

	if (until != KTIME_MAX && !how->absolute)
		until = ktime_add_safe(now(clock), until);
	if (short_of)
		min_until = ktime_add_safe(now(clock), how->min_timeout);

	init_waitqueue_func_entry(&w.entry, wake);
	w.entry.private = current;
	while (!is_enough(&w)) {
		at = short_of ? min_until : until;
		e = sleep(u, &w, at == KTIME_MAX ? NULL : &at, clock);
		uring_run_work(u);
		flush_late(u);
		if (e == -ETIME && short_of && min_until < until && until != KTIME_MAX) {
			/* From here on one event is enough. */
			short_of = false;
			w.to = READ_ONCE(u->shared->cq_head) + 1;
			e = 0;
		}
		if (e || atomic_read(&u->shared->sq_flags) & IORING_SQ_CQ_OVERFLOW)
			break;
	}
	return uring_cq_events(u) ? 0 : e;
}

static long wait(struct uring *u, const struct uring_waits *how)
{
	u32 to;

	run_work(u);
	flush_late(u);
	to = READ_ONCE(u->shared->cq_head) + min(how->min, u->cq_entries);
	if (likely((s32)(READ_ONCE(u->shared->cq_tail) - to) >= 0))
		return 0;
	return wait_for(u, how, to);
}

/* ---- the call ---- */

static struct file *ring_file(unsigned int fd, u32 flags)
{
	struct uring_task *t = current->uring;

	if (!(flags & IORING_ENTER_REGISTERED_RING))
		return fget(fd);
	if (!t || fd >= URING_RING_FDS || !t->fds[fd])
		return NULL;
	return get_file(t->fds[fd]);
}

static long submit(struct uring *u, u32 n)
{
	struct uring_task *t = uring_task_get(u);
	long e;

	if (!t)
		return -ENOMEM;
	mutex_lock(&u->lock);
	/* It stays in a ring that has taken it. */
	e = likely(t->last_ring == u) ? 0 : uring_task_join(u, t);
	if (!e)
		e = uring_submit(u, t, n);
	mutex_unlock(&u->lock);
	return e;
}

static long enter(struct uring *u, u32 n, u32 flags, const struct uring_waits *w)
{
	long done = 0, e;

	if (u->disabled)
		return -EBADFD;
	if (!(u->flags & IORING_SETUP_DEFER_TASKRUN))
		run_work(u);
	if (n) {
		done = submit(u, n);
		if (done != (long)n)
			return done;
	}
	if (!(flags & IORING_ENTER_GETEVENTS))
		return done;
	if (u->flags & IORING_SETUP_DEFER_TASKRUN && u->submitter != current)
		return done ?: -EEXIST;
	e = wait(u, w);
	return done ?: e;
}

long uring_enter(unsigned int fd, u32 n, u32 flags, const struct uring_waits *w)
{
	struct file *f;
	struct uring *u;
	long r;

	if (flags & ~ENTER_KNOWN)
		return -EINVAL;
	f = ring_file(fd, flags);
	if (!f)
		return -EBADF;
	u = uring_of(f);
	r = u ? enter(u, n, flags, w) : -EOPNOTSUPP;
	fput(f);
	return r;
}
