// SPDX-License-Identifier: MIT
/*
 * Tasks that run guests. The guest is a fake one: a thread that enters and leaves guest mode, and
 * lets interrupts in where a real one's arrive as exits. A time is compared with in one place
 * alone, by a guest that nobody stopped and that would hang the test otherwise.
 */
#include <lib/types.h>
#include <arch/irqflags.h>
#include <kernel/cpumask.h>
#include <kernel/ktest.h>
#include <kernel/lockdep.h>
#include <kernel/rcu.h>
#include <kernel/time.h>
#include <linux/time.h>
#include <sched/completion.h>
#include <sched/guest.h>
#include <sched/kthread.h>
#include <sched/sched_priv.h>
#include <sched/task_life.h>

static struct completion guest_runs;

/* A thread that completes guest_runs; NULL: no memory. On CPU, or (-1) anywhere. */
static struct task *start(int (*fn)(void *), int cpu)
{
	struct task *t = kthread_create(fn, NULL, "guest");

	if (IS_ERR(t))
		return NULL;
	init_completion(&guest_runs);
	if (cpu >= 0)
		kthread_bind(t, (unsigned int)cpu);
	wake_up_process(t);
	wait_for_completion(&guest_runs);
	return t;
}

static void until_stopped(void)
{
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
}

/* ---- hooks ---- */

static struct watched {
	struct guest_hooks hooks;
	struct task *task;
	int outs, ins, wrong;
	bool is_out;
} watched;

static void note(struct watched *w, bool ok)
{
	if (!ok)
		w->wrong++;
}

static void note_out(struct guest_hooks *g)
{
	struct watched *w = container_of(g, struct watched, hooks);

	w->outs++;
	note(w, current == w->task && irqs_disabled() && !w->is_out && this_rq()->curr != w->task);
	note(w, spin_is_locked(&this_rq()->lock) && !(current->flags & PF_EXITING));
	w->is_out = true;
}

static void note_in(struct guest_hooks *g)
{
	struct watched *w = container_of(g, struct watched, hooks);

	w->ins++;
	note(w, current == w->task && !irqs_disabled() && preempt_count() == 1 && w->is_out &&
			this_rq()->curr == w->task);
	w->is_out = false;
}

/* How often the running task had been given a CPU by then: no switch is between the two. */
static u64 set_hooks(struct guest_hooks *g)
{
	u64 arrivals;

	preempt_disable();
	guest_hooks_set(g);
	arrivals = current->pcount;
	preempt_enable();
	return arrivals;
}

static u64 watch_current(void)
{
	guest_hooks_prepare();
	watched = (struct watched){ .hooks = { note_out, note_in }, .task = current };
	return set_hooks(&watched.hooks);
}

/* Switches: asleep, given away, preempted by one that shares the CPU, from CPU to CPU. */
static int switch_often(void *unused)
{
	struct cpumask one;
	unsigned int cpu;

	for (int i = 0; i < 20; i++)
		schedule_timeout_uninterruptible(1);
	/* A timer that is as fast as its sleeper makes no switch. */
	while (current == watched.task && READ_ONCE(watched.outs) <= 20)
		schedule_timeout_uninterruptible(1);
	for (int i = 0; i < 200; i++)
		yield();
	for_each_online_cpu(cpu) {
		cpumask_clear(&one);
		cpumask_set_cpu(cpu, &one);
		set_cpus_allowed(current, &one);
		for (u64 end = ktime_get_ns() + 5 * TICK_NSEC; ktime_get_ns() < end;)
			cond_resched();
	}
	return 0;
}

static int switch_watched(void *unused)
{
	u64 before = watch_current(), after;

	complete(&guest_runs);
	switch_often(NULL);
	after = set_hooks(NULL);
	note(&watched, watched.ins == watched.outs && (u64)watched.ins == after - before);
	until_stopped();
	return 0;
}

KTEST(guest_hooks_at_each_switch)
{
	struct task *t = start(switch_watched, -1), *others[2];

	KT_ASSERT(t);
	for (unsigned int i = 0; i < ARRAY_SIZE(others); i++) {
		others[i] = kthread_create(switch_often, NULL, "other/%u", i);
		KT_ASSERT(!IS_ERR(others[i]));
		wake_up_process(others[i]);
	}
	KT_EQ(kthread_stop(t), 0);
	KT_EQ(watched.wrong, 0);
	KT_EQ(watched.outs, watched.ins);
	KT_ASSERT(watched.outs > 20);
}

static int exit_watched(void *unused)
{
	watch_current();
	complete(&guest_runs);
	until_stopped();
	return 0;
}

KTEST(guest_hooks_end_with_the_task)
{
	struct task *t = start(exit_watched, -1);
	bool none;

	KT_ASSERT(t);
	get_task_struct(t);
	KT_EQ(kthread_stop(t), 0);
	while (READ_ONCE(t->state) != TASK_DEAD || READ_ONCE(t->on_cpu))
		schedule_timeout_uninterruptible(1);
	none = !t->guest;
	put_task_struct(t);
	KT_ASSERT(none);
	KT_EQ(watched.wrong, 0);
	KT_EQ(watched.outs, watched.ins);
}

KTEST(guest_hooks_are_not_inherited)
{
	struct task *child;
	bool none = false;

	watch_current();
	child = task_dup(current);
	if (child) {
		none = !child->guest && !child->gtime_ns;
		task_dup_undo(child);
	}
	set_hooks(NULL);
	KT_ASSERT(none);
	KT_EQ(watched.wrong, 0);
}

/* ---- time ---- */

struct times {
	u64 user, system, guest;			/* of the thread */
	u64 all_guest;					/* of its process */
	struct cpu_times cpu;
};

static void read_times(struct times *t)
{
	*t = (struct times){ current->utime_ns, current->stime_ns, task_guest_time(current),
			     (u64)atomic64_read(&current->group_times->gtime_ns),
			     this_rq()->times };
}

/* Three ticks in C, by a task of that nice value: what they change. */
static struct times three_ticks(enum cpu_context c, int nice)
{
	struct rq *rq;
	struct times a, b;
	int old = current->nice;

	local_irq_disable();
	rq = this_rq();
	spin_lock(&rq->lock);
	current->nice = nice;
	read_times(&a);
	for (int i = 0; i < 3; i++)
		account_tick(c);
	read_times(&b);
	current->nice = old;
	spin_unlock(&rq->lock);
	local_irq_enable();
	return (struct times){ b.user - a.user,
			       b.system - a.system,
			       b.guest - a.guest,
			       b.all_guest - a.all_guest,
			       { .user = b.cpu.user - a.cpu.user,
				 .nice = b.cpu.nice - a.cpu.nice,
				 .system = b.cpu.system - a.cpu.system,
				 .guest = b.cpu.guest - a.cpu.guest,
				 .guest_nice = b.cpu.guest_nice - a.cpu.guest_nice } };
}

#define THREE (3 * TICK_NSEC)

KTEST(guest_ticks_are_user_and_guest_time)
{
	struct times t = three_ticks(CONTEXT_GUEST, 0);

	KT_ASSERT(t.user == THREE && t.guest == THREE && t.system == 0);
	KT_ASSERT(t.cpu.user == THREE && t.cpu.guest == THREE && !t.cpu.nice && !t.cpu.guest_nice &&
		  !t.cpu.system);
	t = three_ticks(CONTEXT_GUEST, 5);
	KT_ASSERT(t.user == THREE && t.guest == THREE && t.system == 0);
	KT_ASSERT(t.cpu.nice == THREE && t.cpu.guest_nice == THREE && !t.cpu.user && !t.cpu.guest &&
		  !t.cpu.system);
	t = three_ticks(CONTEXT_USER, 0);
	KT_ASSERT(t.user == THREE && !t.guest && !t.all_guest && t.cpu.user == THREE &&
		  !t.cpu.guest);
	t = three_ticks(CONTEXT_KERNEL, 0);
	KT_ASSERT(!t.user && !t.guest && !t.all_guest && t.system == THREE &&
		  t.cpu.system == THREE && !t.cpu.guest);
}

/* ---- a guest that runs ---- */

static int guest_stop;
static u64 guest_entries;

/* Interrupts come while the guest runs: each tick of this thread is the guest's. */
static void run_in_guest(void)
{
	local_irq_disable();
	guest_enter();
	WRITE_ONCE(guest_entries, guest_entries + 1);
	local_irq_enable();
	for (int i = 0; i < 1000; i++)
		barrier();
	guest_leave();
}

/* On each CPU until three ticks came, all of them in the guest. */
static int guest_takes_time(void *unused)
{
	struct times a, b;
	int wrong = 0;

	complete(&guest_runs);
	preempt_disable();
	local_irq_disable();
	read_times(&a);
	do {
		guest_enter();
		local_irq_enable();
		for (int i = 0; i < 1000; i++)
			barrier();
		local_irq_disable();
		guest_leave();
		read_times(&b);
	} while (b.user + b.system - a.user - a.system < THREE);
	local_irq_enable();
	preempt_enable();
	wrong += b.user - a.user != b.guest - a.guest || b.system != a.system ||
		 b.all_guest - a.all_guest < THREE;
	wrong += b.cpu.user - a.cpu.user != b.guest - a.guest ||
		 b.cpu.guest - a.cpu.guest != b.guest - a.guest;
	until_stopped();
	return wrong;
}

KTEST(guest_time_by_the_tick)
{
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		struct task *t = start(guest_takes_time, (int)cpu);

		KT_ASSERT(t);
		KT_EQ(kthread_stop(t), 0);
	}
}

/* ---- grace periods ---- */

static bool nobody_stops(u64 begun)
{
	return ktime_get_ns() - begun > 30 * NSEC_PER_SEC;
}

/*
 * Interrupts come outside of the guest, with preemption off: only the entries are quiescent states.
 */
static int guest_enters(void *unused)
{
	u64 begun = ktime_get_ns();
	bool hung;

	preempt_disable();
	complete(&guest_runs);
	while (!READ_ONCE(guest_stop) && !nobody_stops(begun)) {
		local_irq_disable();
		guest_enter();
		guest_leave();
		local_irq_enable();
		for (int i = 0; i < 1000; i++)
			barrier();
	}
	hung = !READ_ONCE(guest_stop);
	preempt_enable();
	until_stopped();
	return hung;
}

/* It enters once: only the ticks in it are. */
static int guest_stays(void *unused)
{
	u64 begun = ktime_get_ns();
	bool hung;

	preempt_disable();
	complete(&guest_runs);
	local_irq_disable();
	guest_enter();
	local_irq_enable();
	while (!READ_ONCE(guest_stop) && !nobody_stops(begun))
		barrier();
	hung = !READ_ONCE(guest_stop);
	guest_leave();
	preempt_enable();
	until_stopped();
	return hung;
}

/*
 * As a real loop does: it makes way before an entry. It runs once it has been in: with one CPU and
 * full preemption it would have no turn afterwards.
 */
static int guest_makes_way(void *unused)
{
	bool told = false;

	while (!READ_ONCE(guest_stop)) {
		preempt_disable();
		while (!need_resched() && !READ_ONCE(guest_stop)) {
			run_in_guest();
			if (!told)
				complete(&guest_runs);
			told = true;
		}
		preempt_enable();
		cond_resched();
	}
	until_stopped();
	return 0;
}

/* Three grace periods beside FN, on another CPU where there is one: 0 if it had to be stopped. */
static int grace_periods_beside(int (*fn)(void *), unsigned int cpu)
{
	struct task *t;

	guest_stop = 0;
	t = start(fn, (int)cpu);
	if (!t)
		return -1;
	for (int i = 0; i < 3; i++)
		synchronize_rcu();
	WRITE_ONCE(guest_stop, 1);
	return kthread_stop(t);
}

/* Some CPU that this thread, which the scheduler may not move meanwhile, is not on. */
static unsigned int another_cpu(struct cpumask *old)
{
	struct cpumask here;
	unsigned int cpu, mine = cpumask_first(cpu_online_mask);

	cpumask_copy(old, &current->cpus_mask);
	cpumask_clear(&here);
	cpumask_set_cpu(mine, &here);
	set_cpus_allowed(current, &here);
	for_each_online_cpu(cpu)
		if (cpu != mine)
			return cpu;
	return mine;
}

KTEST(guest_entries_end_grace_periods)
{
	struct cpumask old;
	int r;

	if (num_online_cpus() < 2)
		KT_SKIP("needs two CPUs");
	r = grace_periods_beside(guest_enters, another_cpu(&old));
	set_cpus_allowed(current, &old);
	KT_EQ(r, 0);
}

KTEST(guest_ticks_end_grace_periods)
{
	struct cpumask old;
	int r;

	if (num_online_cpus() < 2)
		KT_SKIP("needs two CPUs");
	r = grace_periods_beside(guest_stays, another_cpu(&old));
	set_cpus_allowed(current, &old);
	KT_EQ(r, 0);
}

KTEST(guest_makes_way_for_grace_periods)
{
	u64 before = guest_entries;
	unsigned int cpu;

	for_each_online_cpu(cpu)
		KT_EQ(grace_periods_beside(guest_makes_way, cpu), 0);
	KT_ASSERT(guest_entries > before);
}

/* ---- the detector of soft lock-ups ---- */

static struct rq fake;

/*
 * A run queue like this CPU's where another task waits, and the same one has the CPU for SECONDS of
 * ticks: for how long the detector thinks that it is stuck.
 */
static u64 stuck_after(enum cpu_context c, int seconds)
{
	fake = (struct rq){ .cpu = (int)raw_smp_processor_id(),
			    .nr_running = 2,
			    .clock_ns = 100 * NSEC_PER_SEC };
	soft_lockup_tick(&fake, current, CONTEXT_USER);
	for (int i = 0; i < seconds; i++) {
		fake.clock_ns += NSEC_PER_SEC;
		soft_lockup_tick(&fake, current, c);
	}
	return fake.clock_ns - fake.last_switch_seen_ns;
}

KTEST(guest_is_no_soft_lockup)
{
	KT_EQ(stuck_after(CONTEXT_KERNEL, 15), 15 * NSEC_PER_SEC);
	KT_EQ(stuck_after(CONTEXT_GUEST, 15), 0);
	KT_EQ(stuck_after(CONTEXT_GUEST, 100), 0);
}
