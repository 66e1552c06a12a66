// SPDX-License-Identifier: MIT
/*
 * Who used the CPU. The sum a task ran is exact, taken at each switch and tick; its split into user and system time is
 * sampled by the tick and scaled to that sum. Idle time is exact.
 */
#include <lib/types.h>
#include <lib/minmax.h>
#include <kernel/preempt.h>
#include <kernel/time.h>
#include <sched/sched_priv.h>

u64 account_rt(struct rq *rq, struct task *t)
{
	u64 ns = rq->clock_ns - t->se.exec_start;

	t->se.sum_exec_ns += ns;
	t->se.exec_start = rq->clock_ns;
	atomic64_add((s64)ns, &t->group_times->run_ns);
	return ns;
}

/* PREV leaves the CPU, rq locked, clock fresh. */
void account_switch(struct rq *rq, struct task *prev)
{
	if (prev == rq->idle)
		return;
	if (!task_is_rt(prev)) {
		fair_update_curr(rq);
	} else {
		account_rt(rq, prev);
	}
	if (!rq->nr_running)
		WRITE_ONCE(rq->idle_since_ns, rq->clock_ns);
}

void account_idle_end(struct rq *rq)
{
	u64 d = rq->idle_since_ns ? rq->clock_ns - rq->idle_since_ns : 0;

	if (READ_ONCE(rq->nr_iowait))
		rq->times.iowait += d;
	else
		rq->times.idle += d;
	WRITE_ONCE(rq->idle_since_ns, 0);
}

/* A guest's time is user time too. Rq locked. */
static void account_user_tick(struct rq *rq, struct task *t, bool guest)
{
	u64 g = guest ? TICK_NSEC : 0;

	t->utime_ns += TICK_NSEC;
	atomic64_add(TICK_NSEC, &t->group_times->utime_ns);
	if (guest) {
		WRITE_ONCE(t->gtime_ns, t->gtime_ns + g);
		atomic64_add((s64)g, &t->group_times->gtime_ns);
	}
	if (t->nice > 0) {
		rq->times.nice += TICK_NSEC;
		rq->times.guest_nice += g;
	} else {
		rq->times.user += TICK_NSEC;
		rq->times.guest += g;
	}
}

/* The tick, rq locked. */
void account_tick(enum cpu_context c)
{
	struct rq *rq = this_rq();
	struct task *t = rq->curr;

	loadavg_tick(rq->clock_ns);
	if (t == rq->idle)
		return;
	if (context_is_outside(c)) {
		account_user_tick(rq, t, c == CONTEXT_GUEST);
	} else {
		t->stime_ns += TICK_NSEC;
		atomic64_add(TICK_NSEC, &t->group_times->stime_ns);
		rq->times.system += TICK_NSEC;
	}
}

u64 task_guest_time(const struct task *t)
{
	return READ_ONCE(t->gtime_ns);
}

u64 task_sched_runtime(struct task *t)
{
	unsigned long flags;
	struct rq *rq;
	u64 ns;

	if (!READ_ONCE(t->on_cpu))
		return READ_ONCE(t->se.sum_exec_ns);
	rq = task_rq_lock(t, &flags);
	if (rq->curr == t && t != rq->idle) {
		update_rq_clock(rq);
		if (!task_is_rt(t))
			fair_update_curr(rq);
	}
	ns = t->se.sum_exec_ns;
	if (rq->curr == t && task_is_rt(t))
		ns += rq->clock_ns - t->se.exec_start;
	task_rq_unlock(rq, t, &flags);
	return ns;
}

/* A task of the group on this CPU: what it ran until now is added. */
static void account_running(struct rq *rq, const struct group_times *g)
{
	unsigned long flags;
	struct task *t;
	bool ours;

	rcu_read_lock();
	ours = rcu_dereference_untyped(rq->curr)->group_times == g;
	rcu_read_unlock();
	if (!ours)
		return;
	spin_lock_irqsave(&rq->lock, flags);
	t = rq->curr;
	if (t->group_times == g && t != rq->idle) {
		update_rq_clock(rq);
		if (!task_is_rt(t))
			fair_update_curr(rq);
		else
			rt_update_curr(rq, account_rt(rq, t));
	}
	spin_unlock_irqrestore(&rq->lock, flags);
}

/* The part of SUM that was system time, by samples of user and system time. */
static u64 system_part(u64 sum, u64 u, u64 s)
{
	if (!s)
		return 0;
	return u ? (u64)((unsigned __int128)sum * s / (u + s)) : sum;
}

void group_cputime(const struct group_times *g, u64 *utime_ns, u64 *stime_ns)
{
	unsigned int cpu;
	u64 sum;

	for_each_online_cpu(cpu)
		account_running(cpu_rq(cpu), g);
	sum = (u64)atomic64_read(&g->run_ns);
	*stime_ns = system_part(sum, (u64)atomic64_read(&g->utime_ns), (u64)atomic64_read(&g->stime_ns));
	*utime_ns = sum - *stime_ns;
}

void task_cputime(struct task *t, u64 *utime_ns, u64 *stime_ns)
{
	u64 sum = task_sched_runtime(t), u, st = system_part(sum, READ_ONCE(t->utime_ns), READ_ONCE(t->stime_ns));

	/* Neither may go back when the samples change the split. */
	st = max(st, READ_ONCE(t->prev_stime_ns));
	st = min(st, sum - min(sum, READ_ONCE(t->prev_utime_ns)));
	st = max(st, READ_ONCE(t->prev_stime_ns));
	u = max(sum - min(sum, st), READ_ONCE(t->prev_utime_ns));
	WRITE_ONCE(t->prev_stime_ns, st);
	WRITE_ONCE(t->prev_utime_ns, u);
	*utime_ns = u;
	*stime_ns = st;
}

void cpu_times_get(int cpu, struct cpu_times *out)
{
	struct rq *rq = cpu_rq(cpu);
	u64 since;

	*out = rq->times;
	since = READ_ONCE(rq->idle_since_ns);
	if (since) {
		u64 now = sched_clock(), d = now > since ? now - since : 0;

		if (READ_ONCE(rq->nr_iowait))
			out->iowait += d;
		else
			out->idle += d;
	}
}

unsigned int nr_running(void)
{
	unsigned int n = 0, cpu;

	for_each_online_cpu(cpu)
		n += READ_ONCE(cpu_rq(cpu)->nr_running);
	return n;
}

u64 nr_context_switches(void)
{
	unsigned int cpu;
	u64 n = 0;

	for_each_possible_cpu(cpu)
		n += READ_ONCE(cpu_rq(cpu)->nr_switches);
	return n;
}

unsigned int nr_uninterruptible(void)
{
	unsigned int cpu;
	long n = 0;

	for_each_possible_cpu(cpu)
		n += READ_ONCE(cpu_rq(cpu)->nr_uninterruptible);
	return n > 0 ? (unsigned int)n : 0;
}

unsigned int nr_iowait(void)
{
	unsigned int n = 0, cpu;

	for_each_possible_cpu(cpu)
		n += READ_ONCE(cpu_rq(cpu)->nr_iowait);
	return n;
}

/*
 * Load averages over 1, 5 and 15 minutes, in 1/2048: each 5 s, load = load * e + active * (1 - e). Steps that passed
 * while every CPU idled are made up with nothing active.
 */
#define LOAD_STEP_NS (5 * NSEC_PER_SEC)
#define FIXED_1 2048UL
static const unsigned long decay[3] = { 1884, 2014, 2037 };	/* 2048 / exp(5s / 1, 5, 15 min) */
static unsigned long avenrun[3];
static u64 next_step_ns = LOAD_STEP_NS;		/* atomic: who moves it makes the step */

static void load_step(unsigned long active)
{
	for (int i = 0; i < 3; i++) {
		unsigned long v = avenrun[i] * decay[i] + active * FIXED_1 * (FIXED_1 - decay[i]);

		if (active * FIXED_1 >= avenrun[i])
			v += FIXED_1 - 1;
		WRITE_ONCE(avenrun[i], v / FIXED_1);
	}
}

void loadavg_tick(u64 now)
{
	u64 next = READ_ONCE(next_step_ns);

	while (unlikely(now >= next)) {
		if (!try_cmpxchg_relaxed(&next_step_ns, &next, next + LOAD_STEP_NS))
			continue;
		load_step(now - next >= LOAD_STEP_NS ? 0 : nr_running() + nr_uninterruptible());
		next += LOAD_STEP_NS;
	}
}

void get_avenrun(unsigned long out[3])
{
	loadavg_tick(sched_clock());
	for (int i = 0; i < 3; i++)
		out[i] = READ_ONCE(avenrun[i]);
}
