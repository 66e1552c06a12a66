// SPDX-License-Identifier: MIT
/* io_uring_enter(2): submits, runs what waits for the task, waits for completions. */
#include <lib/err.h>
#include <io_uring/uring.h>
#include <kernel/bug.h>
#include <kernel/time.h>
#include <lib/minmax.h>
#include <mm/uaccess.h>
#include <proc/signal.h>
#include <sched/task.h>
#include <vfs/file.h>
#include <abi/errno.h>
#include <linux/time.h>
#include "io_uring/flags.h"
#include "io_uring/ring_priv.h"

/* ---- waiting ---- */

struct waiter {
	struct wait_queue_entry entry;
	struct uring *u;
	u32 to;			/* the tail that it waits for */
	u32 fired;		/* timeouts that had fired */
	bool io;		/* it counts as a wait for I/O */
};

static bool is_enough(const struct waiter *w)
{
	return (s32)(READ_ONCE(w->u->shared->cq_tail) - w->to) >= 0 ||
	       READ_ONCE(w->u->timeouts_fired) != w->fired;
}

static int wake(struct wait_queue_entry *e, unsigned int mode, int flags, void *key)
{
	const struct waiter *w = container_of(e, struct waiter, entry);

	if (!is_enough(w) && !READ_ONCE(w->u->lost) &&
	    !(atomic_read(&w->u->shared->sq_flags) & IORING_SQ_CQ_OVERFLOW))
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
	if (!is_enough(w) && !READ_ONCE(u->lost) && llist_empty(&u->work)) {
		/* A signal first: task work that comes with it is left to the way out. */
		if (test_thread_flag(TIF_SIGPENDING))
			e = -EINTR;
		else if (!has_own_work() && !(w->io ? io_schedule_hrtimeout_until(until, clock) :
						      schedule_hrtimeout_until(until, clock)))
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

/* How a call waits. */
struct waits {
	u32 min;		/* events */
	ktime_t timeout;  /* ns by the ring's clock, or, if ABSOLUTE, its time; KTIME_MAX: none */
	bool absolute;
	s64 min_timeout; /* ns in which MIN are waited for, afterwards one is enough; 0: none */
	struct uptr mask;	/* of signals, while it waits; NULL: as it is */
	size_t mask_size;
	bool no_iowait;
};

/* What ARG says, of SIZE bytes. 0, -EINVAL, -EFAULT. */
static int read_waits(struct uptr arg, size_t size, u32 flags, struct waits *how)
{
	struct io_uring_getevents_arg a;
	struct __kernel_timespec t;

	how->mask = arg;
	how->mask_size = size;
	if (!(flags & IORING_ENTER_EXT_ARG))
		return 0;
	if (size != sizeof(a))
		return -EINVAL;
	if (copy_from_user(&a, arg, sizeof(a)))
		return -EFAULT;
	how->mask = UPTR((unsigned long)a.sigmask);
	how->mask_size = a.sigmask_sz;
	how->min_timeout = (s64)a.min_wait_usec * 1000;
	if (!a.ts)
		return 0;
	if (copy_from_user(&t, UPTR((unsigned long)a.ts), sizeof(t)))
		return -EFAULT;
	how->timeout = uring_ns(&t);
	how->absolute = flags & IORING_ENTER_ABS_TIMER;
	return 0;
}

/* 0; -ETIME, -EINTR; -EBADR: a completion was lost, and what comes may be too few. */
static int wait_more(struct uring *u, struct waiter *w, const struct waits *how)
{
	bool short_of = how->min_timeout != 0;
	ktime_t until = how->timeout, min_until = 0, at;
	clockid_t clock = READ_ONCE(u->clock);
	int e;

	if (until != KTIME_MAX && !how->absolute)
		until = ktime_add_safe(now(clock), until);
	if (short_of)
		min_until = ktime_add_safe(now(clock), how->min_timeout);
	init_waitqueue_func_entry(&w->entry, wake);
	w->entry.private = current;
	do {
		at = short_of ? min_until : until;
		e = sleep(u, w, at == KTIME_MAX ? NULL : &at, clock);
		uring_run_work(u);
		flush_late(u);
		if (e == -ETIME && short_of && min_until < until && until != KTIME_MAX) {
			/* From here on one event is enough. */
			short_of = false;
			w->to = READ_ONCE(u->shared->cq_head) + 1;
			e = 0;
		}
		if (!e && unlikely(READ_ONCE(u->lost)))
			e = -EBADR;
		if (e || atomic_read(&u->shared->sq_flags) & IORING_SQ_CQ_OVERFLOW)
			break;
	} while (!is_enough(w));
	return e;
}

/* Of the current task, in any ring. */
static bool has_requests(void)
{
	const struct uring_task *t = current->uring;

	return t && atomic_read(&t->in_flight) != (int)t->ahead;
}

/* Until the CQ's tail is TO. */
static noinline long wait_for(struct uring *u, const struct waits *how, u32 to)
{
	struct waiter w = { .u = u,
			    .to = to,
			    .fired = READ_ONCE(u->timeouts_fired),
			    .io = !how->no_iowait && has_requests() };
	int e = set_user_sigmask(how->mask, how->mask_size);

	if (e)
		return e;
	e = wait_more(u, &w, how);
	/* The handler of a signal that ended it runs before the mask is the old one again. */
	restore_saved_sigmask_unless(e == -EINTR);
	return uring_cq_events(u) ? 0 : e;
}

static long wait(struct uring *u, const struct waits *how)
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

/* The ring's file, referenced. -EBADF; -EINVAL: an index that none can have. */
static struct file *ring_file(unsigned int fd, u32 flags)
{
	struct uring_task *t = current->uring;
	struct file *f;

	if (!(flags & IORING_ENTER_REGISTERED_RING))
		f = fget(fd);
	else if (fd >= URING_RING_FDS)
		return ERR_PTR(-EINVAL);
	else
		f = t && t->fds[fd] ? get_file(t->fds[fd]) : NULL;
	return f ?: ERR_PTR(-EBADF);
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

static long enter(struct uring *u, u32 n, u32 min, u32 flags, struct uptr arg, size_t size)
{
	struct waits how = { .min = min,
			     .timeout = KTIME_MAX,
			     .no_iowait = flags & IORING_ENTER_NO_IOWAIT };
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
	e = read_waits(arg, size, flags, &how);
	if (!e && u->flags & IORING_SETUP_DEFER_TASKRUN && u->submitter != current)
		e = -EEXIST;
	if (!e)
		e = wait(u, &how);
	if (unlikely(e == -EBADR) && !done)
		WRITE_ONCE(u->lost, false);	/* told */
	return done ?: e;
}

long uring_enter(unsigned int fd, u32 n, u32 min, u32 flags, struct uptr arg, size_t size)
{
	struct file *f;
	struct uring *u;
	long r;

	if (flags & ~URING_ENTER_KNOWN)
		return -EINVAL;
	f = ring_file(fd, flags);
	if (IS_ERR(f))
		return PTR_ERR(f);
	u = uring_of(f);
	r = u ? enter(u, n, min, flags, arg, size) : -EOPNOTSUPP;
	fput(f);
	return r;
}
