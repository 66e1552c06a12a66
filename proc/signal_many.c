// SPDX-License-Identifier: MIT
/*
 * Signals to a process of many threads (more than THREADS_MOST).
 *
 * A signal to a process goes to a thread that takes it; where most block it all would have to be looked at, under siglock and perhaps in an interrupt. So the
 * sender looks at a few: himself, those from the last taker on, and the first ones. If none of them takes it, a kworker asks the others, some at a time.
 * Nothing is lost meanwhile: the signal is pending for the process, who unblocks it looks for it himself, and who begins to block it, or ends, has others asked.
 *
 * What SIGCONT and stop signals undo in a thread (pending signals of the other kind, a stop that it has not come to) is counted, and heeded by each thread when
 * it, or anybody else, looks at that (settle_signals). Whoever takes a stop signal tells all threads, some at a time (deliver.c); SIGCONT calls that off. It wakes
 * the first ones of those that are stopped, the kworker wakes the others, unless the next stop comes before.
 *
 * All under siglock.
 */
#include <lib/types.h>
#include <lib/bits.h>
#include <proc/proc_priv.h>
#include <proc/ptrace.h>
#include <proc/signal.h>
#include <proc/signal_many.h>
#include <proc/signal_sets.h>
#include <proc/sigqueue.h>
#include <proc/threads.h>
#include <sched/sched.h>
#include <sched/work.h>
#include <linux/signal.h>

#define ASK_MOST 32		/* threads that are asked, or woken, in one critical section */

static void signal_many_work(struct work_struct *w);

static void queue_many_work(struct signal_struct *s)
{
	if (!s->many_work.func)
		INIT_WORK(&s->many_work, signal_many_work);
	refcount_inc(&s->sigcnt);
	if (!queue_work(system_unbound_wq, &s->many_work))
		refcount_dec(&s->sigcnt);	/* queued already, with a reference of its own */
}

/* ---- choosing the thread that takes a signal ---- */

void seek_receivers(struct signal_struct *s, u64 mask)
{
	s->seek_again |= mask;
	queue_many_work(s);
}

/* One of a few from T on. */
static struct task *ask_from(struct task *t, int sig)
{
	for (int n = 0; t && n < ASK_MOST; n++, t = thread_next(t))
		if (wants_signal(sig, t))
			return t;
	return NULL;
}

struct task *choose_of_many(int sig, struct task *p)
{
	struct signal_struct *s = p->signal;
	struct task *t;

	if (same_thread_group(current, p) && wants_signal(sig, current))
		return current;
	t = ask_from(thread_after(s, s->last_taker - 1), sig) ?: ask_from(thread_after(s, 0), sig);
	if (t)
		s->last_taker = t->thread_stamp;
	else
		seek_receivers(s, sigmask_of(sig));
	return t;
}

/* Gives T those of the sought signals that it takes. */
static void ask(struct signal_struct *s, struct task *t)
{
	for (u64 left = s->seek & ~t->blocked; left; left &= left - 1) {
		int sig = (int)__ffs(left) + 1;

		if (!wants_signal(sig, t))
			continue;
		s->seek &= ~sigmask_of(sig);
		s->last_taker = t->thread_stamp;
		signal_chosen(sig, t->group_leader, t);
	}
}

/* True: there are more to be asked. */
static bool seek_some(struct signal_struct *s)
{
	struct task *t;

	if (!s->seek) {
		s->seek = s->seek_again;
		s->seek_again = s->seek_after = 0;
	}
	s->seek &= s->shared_pending.signal;		/* others were taken */
	t = thread_after(s, s->seek_after);
	for (int n = 0; t && s->seek && n < ASK_MOST; n++, t = thread_next(t)) {
		ask(s, t);
		s->seek_after = t->thread_stamp;
	}
	if (!t || (s->flags & SIGNAL_GROUP_EXIT))
		s->seek = 0;
	return s->seek || s->seek_again;
}

/* ---- stopping and going on ---- */

void settle_signals_slow(struct task *t)
{
	struct signal_struct *s = t->signal;
	u64 seen = t->job_seq;

	t->job_seq = s->job_seq;
	if (seen < s->stop_seq)
		flush_mask(sigmask_of(SIGCONT), task_pending(t));
	if (seen < s->cont_seq) {
		flush_mask(SIG_STOP_SET, task_pending(t));
		t->jobctl &= ~(JOBCTL_STOP_PENDING | JOBCTL_STOP_CONSUME | JOBCTL_STOP_DEQUEUED);
	}
}

/* True: there are more. */
static bool continue_some(struct signal_struct *s)
{
	struct task *t;

	if (!s->cont_some) {
		if (!s->cont_again)
			return false;
		s->cont_some = true;
		s->cont_again = false;
		s->cont_after = 0;
	}
	t = thread_after(s, s->cont_after);
	for (int n = 0; t && n < ASK_MOST; n++, t = thread_next(t)) {
		settle_signals(t);
		s->cont_after = t->thread_stamp;
		if (t->ptrace & PT_SEIZED)
			ptrace_trap_notify(t);
		else
			wake_up_state(t, TASK_STOPPED_);
	}
	s->cont_some = t;
	return t || s->cont_again;
}

void continue_threads(struct signal_struct *s)
{
	s->cont_again = true;
	for (int n = 0; n < THREADS_MOST; n += ASK_MOST)
		if (!continue_some(s))
			return;
	queue_many_work(s);
}

/* ---- by and by ---- */

static void signal_many_work(struct work_struct *w)
{
	struct signal_struct *s = container_of(w, struct signal_struct, many_work);
	struct sighand_struct *h;
	unsigned long flags;
	bool more = true;

	while (more && (h = lock_threads(s, &flags))) {
		more = seek_some(s);
		more |= continue_some(s);
		spin_unlock_irqrestore(&h->siglock, flags);
		cond_resched();
	}
	put_signal(s);
}
