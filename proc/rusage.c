// SPDX-License-Identifier: MIT
/* What processes used (getrusage(2), times(2)). */
#include <lib/types.h>
#include <lib/minmax.h>
#include <mm/mm.h>
#include <proc/signal.h>
#include <proc/threads.h>
#include <proc/wait.h>
#include <sched/sched.h>
#include <linux/resource.h>

/* What was told once is never taken back, though samples change the split. */
static void never_back(struct signal_struct *s, u64 *utime_ns, u64 *stime_ns)
{
	*utime_ns = max(*utime_ns, READ_ONCE(s->told_utime_ns));
	*stime_ns = max(*stime_ns, READ_ONCE(s->told_stime_ns));
	WRITE_ONCE(s->told_utime_ns, *utime_ns);
	WRITE_ONCE(s->told_stime_ns, *stime_ns);
}

void thread_group_cputime(struct task *t, u64 *utime_ns, u64 *stime_ns)
{
	struct signal_struct *s = t->signal;
	u64 us = READ_ONCE(s->utime_ns), ss = READ_ONCE(s->stime_ns), u, st;
	struct task *x;

	if (unlikely(READ_ONCE(s->nr_threads) > THREADS_MOST)) {
		group_cputime(&s->times, &us, &ss);
	} else {
		rcu_read_lock();
		for_each_thread(t, x) {
			task_cputime(x, &u, &st);
			us += u;
			ss += st;
		}
		rcu_read_unlock();
	}
	never_back(s, &us, &ss);
	*utime_ns = us;
	*stime_ns = ss;
}

u64 process_guest_time(const struct signal_struct *s)
{
	return (u64)atomic64_read(&s->times.gtime_ns);
}

static unsigned int add_thread(struct task *t, void *to)
{
	struct rusage_k *r = to;

	r->nvcsw += t->nvcsw;
	r->nivcsw += t->nivcsw;
	r->minflt += t->min_flt;
	r->majflt += t->maj_flt;
	return 1;
}

static void add_live(struct task *t, struct rusage_k *r)
{
	struct signal_struct *s = t->signal;
	struct task *x;

	thread_group_cputime(t, &r->utime_ns, &r->stime_ns);
	r->nvcsw += s->nvcsw;
	r->nivcsw += s->nivcsw;
	r->minflt += s->min_flt;
	r->majflt += s->maj_flt;
	r->inblock += s->inblock;
	r->oublock += s->oublock;
	r->maxrss_pages = max(r->maxrss_pages, s->maxrss);
	if (unlikely(READ_ONCE(s->nr_threads) > THREADS_MOST)) {
		(void)!walk_threads(s, add_thread, r);		/* a killed caller does not see the result */
		return;
	}
	rcu_read_lock();
	for_each_thread(t, x)
		add_thread(x, r);
	rcu_read_unlock();
}

static void add_children(struct task *t, struct rusage_k *r)
{
	struct signal_struct *s = t->signal;

	r->utime_ns += s->cutime_ns;
	r->stime_ns += s->cstime_ns;
	r->nvcsw += s->cnvcsw;
	r->nivcsw += s->cnivcsw;
	r->minflt += s->cmin_flt;
	r->majflt += s->cmaj_flt;
	r->inblock += s->cinblock;
	r->oublock += s->coublock;
	r->maxrss_pages = max(r->maxrss_pages, s->cmaxrss);
}

void proc_getrusage(struct task *t, int who, struct rusage_k *r)
{
	struct mm *mm;

	*r = (struct rusage_k){ 0 };
	switch (who) {
	case PROC_RUSAGE_THREAD:
		task_cputime(t, &r->utime_ns, &r->stime_ns);
		r->nvcsw = t->nvcsw;
		r->nivcsw = t->nivcsw;
		r->minflt = t->min_flt;
		r->majflt = t->maj_flt;
		r->maxrss_pages = t->signal->maxrss;
		break;
	case PROC_RUSAGE_CHILDREN:
		add_children(t, r);
		return;
	case PROC_RUSAGE_BOTH:
		add_live(t, r);
		add_children(t, r);
		return;
	default:
		add_live(t, r);
	}
	mm = get_task_mm(t);
	if (mm) {
		r->maxrss_pages = max(r->maxrss_pages, mm_hiwater_rss(mm));
		mmput(mm);
	}
}
