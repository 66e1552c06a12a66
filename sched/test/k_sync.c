// SPDX-License-Identifier: MIT
/*
 * What waits for what: mutexes, read-write semaphores, wait queues, RCU, SRCU, work queues. Threads on all CPUs; no test depends on how
 * long something takes: what must not happen is looked for while it could, what must happen is waited for.
 */
#include <lib/types.h>
#include <alloc/kasan.h>
#include <alloc/slab.h>
#include <arch/stacktrace.h>
#include <kernel/cpumask.h>
#include <kernel/ktest.h>
#include <kernel/rcu.h>
#include <kernel/time.h>
#include <lib/atomic.h>
#include <sched/completion.h>
#include <sched/kthread.h>
#include <sched/mutex.h>
#include <sched/sched.h>
#include <sched/wait.h>
#include <sched/work.h>
#include <linux/time.h>

#define TEAM 6

/* Threads of a test, one after the other over the CPUs; DONE comes with the last. */
struct team {
	void (*fn)(struct team *t, int me);
	atomic_t left, wrong;
	struct completion done;		/* made once: who completes it may still be at its lock */
	struct member {
		struct team *team;
		int me;
	} m[TEAM];
};

static int member_main(void *arg)
{
	struct member *m = arg;
	struct team *t = m->team;

	t->fn(t, m->me);
	if (atomic_dec_and_test(&t->left))
		complete(&t->done);
	return 0;
}

/* Starts N threads; false where there is no memory for them. */
static bool team_start(struct team *t, int n, void (*fn)(struct team *t, int me))
{
	struct task *task[TEAM];
	unsigned int cpu = 0;
	int made;

	t->fn = fn;
	atomic_set(&t->left, n);
	atomic_set(&t->wrong, 0);
	reinit_completion(&t->done);
	for (made = 0; made < n; made++) {
		t->m[made] = (struct member){ t, made };
		task[made] = kthread_create(member_main, &t->m[made], "ktest/%d", made);
		if (IS_ERR(task[made]))
			return false;
		kthread_bind(task[made], cpu);
		do
			cpu = (cpu + 1) % nr_cpu_ids;
		while (!cpu_online(cpu));
	}
	for (int i = 0; i < n; i++)
		wake_up_process(task[i]);
	return true;
}

static int team_join(struct team *t)
{
	wait_for_completion(&t->done);
	return atomic_read(&t->wrong);
}

static void expect(struct team *t, bool ok)
{
	if (!ok)
		atomic_inc(&t->wrong);
}

static struct team team = { .done = COMPLETION_INITIALIZER(team.done) };

/* For a while in which what must not happen could. */
static bool stays_zero(const int *what)
{
	u64 end = ktime_get_ns() + 20 * NSEC_PER_MSEC;

	while (ktime_get_ns() < end)
		if (READ_ONCE(*what))
			return false;
	return true;
}

/* ---- mutexes ---- */

static DEFINE_MUTEX(test_mutex);
static int inside, total;

static void take_turns(struct team *t, int me)
{
	for (int i = 0; i < 300; i++) {
		mutex_lock(&test_mutex);
		WRITE_ONCE(inside, READ_ONCE(inside) + 1);
		if (!(i % 7))
			cond_resched();
		if (!(i % 50))
			schedule_timeout_uninterruptible(1);
		expect(t, READ_ONCE(inside) == 1);
		WRITE_ONCE(total, READ_ONCE(total) + 1);
		WRITE_ONCE(inside, READ_ONCE(inside) - 1);
		mutex_unlock(&test_mutex);
	}
}

KTEST(sync_mutex_excludes)
{
	total = inside = 0;
	KT_ASSERT(team_start(&team, TEAM, take_turns));
	KT_EQ(team_join(&team), 0);
	KT_EQ(total, TEAM * 300);
}

static DEFINE_SPINLOCK(test_spin);

/* Member 0 changes how one waits while the others do. */
static void spin_in_turns(struct team *t, int me)
{
	for (int i = 0; i < 3000; i++) {
		if (!me && !(i % 10))
			WRITE_ONCE(spin_unfair, !spin_unfair);
		spin_lock(&test_spin);
		WRITE_ONCE(inside, READ_ONCE(inside) + 1);
		expect(t, READ_ONCE(inside) == 1);
		WRITE_ONCE(total, READ_ONCE(total) + 1);
		WRITE_ONCE(inside, READ_ONCE(inside) - 1);
		spin_unlock(&test_spin);
		cond_resched();
	}
}

KTEST(sync_spinlock_excludes)
{
	bool was = spin_unfair;

	total = inside = 0;
	KT_ASSERT(team_start(&team, TEAM, spin_in_turns));
	KT_EQ(team_join(&team), 0);
	KT_EQ(total, TEAM * 3000);
	WRITE_ONCE(spin_unfair, was);
}

static int tried;

static void try_it(struct team *t, int me)
{
	tried = mutex_trylock(&test_mutex);
	if (tried)
		mutex_unlock(&test_mutex);
}

KTEST(sync_mutex_trylock)
{
	mutex_lock(&test_mutex);
	KT_ASSERT(mutex_is_locked(&test_mutex));
	KT_ASSERT(team_start(&team, 1, try_it));
	team_join(&team);
	mutex_unlock(&test_mutex);
	KT_EQ(tried, 0);
	KT_ASSERT(team_start(&team, 1, try_it));
	team_join(&team);
	KT_EQ(tried, 1);
	KT_ASSERT(!mutex_is_locked(&test_mutex));
}

/* ---- read-write semaphores ---- */

static DECLARE_RWSEM(test_rwsem);
static atomic_t readers, writers;

static void read_or_write(struct team *t, int me)
{
	for (int i = 0; i < 300; i++) {
		if ((i + me) % 4) {
			down_read(&test_rwsem);
			atomic_inc(&readers);
			if (!(i % 5))
				cond_resched();
			expect(t, !atomic_read(&writers));
			atomic_dec(&readers);
			up_read(&test_rwsem);
			continue;
		}
		down_write(&test_rwsem);
		expect(t, atomic_inc_return(&writers) == 1 && !atomic_read(&readers));
		WRITE_ONCE(total, READ_ONCE(total) + 1);
		if (!(i % 8))
			schedule_timeout_uninterruptible(1);
		atomic_dec(&writers);
		if (i % 3) {
			up_write(&test_rwsem);
			continue;
		}
		downgrade_write(&test_rwsem);
		expect(t, !atomic_read(&writers));
		up_read(&test_rwsem);
	}
}

KTEST(sync_rwsem_excludes)
{
	total = 0;
	KT_ASSERT(team_start(&team, TEAM, read_or_write));
	KT_EQ(team_join(&team), 0);
	KT_EQ(total, TEAM * 300 / 4);
	KT_ASSERT(!rwsem_is_locked(&test_rwsem));
}

static struct completion both[2];

/* Each stays inside until the other is: they can only end together. */
static void read_together(struct team *t, int me)
{
	down_read(&test_rwsem);
	complete(&both[me]);
	wait_for_completion(&both[!me]);
	expect(t, !down_write_trylock(&test_rwsem));
	up_read(&test_rwsem);
}

KTEST(sync_rwsem_shares)
{
	init_completion(&both[0]);
	init_completion(&both[1]);
	KT_ASSERT(team_start(&team, 2, read_together));
	KT_EQ(team_join(&team), 0);
	KT_ASSERT(down_write_trylock(&test_rwsem));
	KT_ASSERT(!down_read_trylock(&test_rwsem));
	up_write(&test_rwsem);
}

/* ---- wait queues ---- */

static DECLARE_WAIT_QUEUE_HEAD(test_wait);
static atomic_t tokens;
static int turn;

/* Two who wait for each other 1000 times: a lost wake-up is for ever. */
static void ping_pong(struct team *t, int me)
{
	for (int i = 0; i < 1000; i++) {
		wait_event(test_wait, READ_ONCE(turn) == me);
		WRITE_ONCE(turn, !me);
		wake_up(&test_wait);
	}
}

KTEST(sync_wait_no_wakeup_is_lost)
{
	turn = 0;
	KT_ASSERT(team_start(&team, 2, ping_pong));
	team_join(&team);
	KT_EQ(turn, 0);
}

/* ---- waking what another CPU pulls over ---- */

#define PULLED 4
static struct task *pulled[PULLED];
static atomic_t unfinished, wakers;

/*
 * Threads that any CPU may pull say that they will sleep, then give the CPU away: they stand on a queue in a sleeping state, as one
 * preempted there does. Now and then they do sleep, so that CPUs run dry and pull. Meanwhile others wake them.
 */
static void say_sleep(struct team *t, int me)
{
	if (me >= PULLED) {
		while (atomic_read(&unfinished)) {
			for (int i = 0; i < PULLED; i++)
				if (smp_load_acquire(&pulled[i]))
					wake_up_process(pulled[i]);
			yield();
		}
		if (atomic_dec_and_test(&wakers))
			wake_up_all(&test_wait);
		return;
	}
	expect(t, !set_cpus_allowed(current, cpu_online_mask));
	smp_store_release(&pulled[me], current);
	for (int i = 0; i < 2000; i++) {
		set_current_state(TASK_UNINTERRUPTIBLE);
		yield();
		if (!(i % 8))
			schedule();
		__set_current_state(TASK_RUNNING);
	}
	atomic_dec(&unfinished);
	wait_event(test_wait, !atomic_read(&wakers));
}

KTEST(sync_wake_while_pulled)
{
	for (int i = 0; i < PULLED; i++)
		pulled[i] = NULL;
	atomic_set(&unfinished, PULLED);
	atomic_set(&wakers, TEAM - PULLED);
	KT_ASSERT(team_start(&team, TEAM, say_sleep));
	KT_EQ(team_join(&team), 0);
}

/* ---- a read section in an interrupt that found its CPU idle ---- */

static struct hrtimer irq_timer;
static int irq_reads, irq_gp_over;

static enum hrtimer_restart read_in_irq(struct hrtimer *t)
{
	rcu_read_lock();
	WRITE_ONCE(irq_reads, 1);
	for (int i = 0; i < 5; i++)
		if (!stays_zero(&irq_gp_over))
			atomic_inc(&team.wrong);
	rcu_read_unlock();
	return HRTIMER_NORESTART;
}

static void wait_out_irq(struct team *t, int me)
{
	if (me == 1) {		/* its CPU idles when the timer fires */
		hrtimer_init(&irq_timer, CLOCK_MONOTONIC, read_in_irq);
		hrtimer_start(&irq_timer, 5 * NSEC_PER_MSEC, HRTIMER_MODE_REL);
		wait_event(test_wait, READ_ONCE(irq_gp_over));
		hrtimer_cancel(&irq_timer);
		return;
	}
	while (!READ_ONCE(irq_reads))
		schedule_timeout_uninterruptible(1);
	synchronize_rcu();
	WRITE_ONCE(irq_gp_over, 1);
	wake_up_all(&test_wait);
}

/* ---- the coarse clock in an interrupt that found its CPU idle ---- */

static u64 coarse_when_fired;

static enum hrtimer_restart read_coarse(struct hrtimer *t)
{
	coarse_when_fired = ktime_get_coarse_ns();
	WRITE_ONCE(irq_reads, 1);
	wake_up_all(&test_wait);
	return HRTIMER_NORESTART;
}

/* jiffies is at most a tick behind in a timer's function, also where no CPU has ticked for long. */
KTEST(sync_timer_knows_the_time_in_idle)
{
	irq_reads = 0;
	hrtimer_init(&irq_timer, CLOCK_MONOTONIC, read_coarse);
	hrtimer_start(&irq_timer, 20 * TICK_NSEC, HRTIMER_MODE_REL);
	wait_event(test_wait, READ_ONCE(irq_reads));
	KT_ASSERT(coarse_when_fired + TICK_NSEC > (u64)irq_timer.expires);
}

KTEST(sync_rcu_waits_for_irq_in_idle)
{
	for (int i = 0; i < 3; i++) {
		irq_reads = irq_gp_over = 0;
		KT_ASSERT(team_start(&team, 2, wait_out_irq));
		KT_EQ(team_join(&team), 0);
	}
}

/* ---- one timer, started and cancelled from all CPUs ---- */

static struct hrtimer shared_timer;
static int cancelled;

static enum hrtimer_restart shared_fire(struct hrtimer *t)
{
	if (READ_ONCE(cancelled))
		atomic_inc(&team.wrong);
	return HRTIMER_NORESTART;
}

static void start_and_cancel(struct team *t, int me)
{
	for (int i = 0; i < 2000; i++) {
		hrtimer_start(&shared_timer, (i * 7 + me * 13) % 60 * 1000, HRTIMER_MODE_REL);
		if (i % 3 == me % 3)
			hrtimer_cancel(&shared_timer);
		cond_resched();
	}
}

KTEST(sync_timer_started_everywhere)
{
	hrtimer_init(&shared_timer, CLOCK_MONOTONIC, shared_fire);
	KT_ASSERT(team_start(&team, TEAM, start_and_cancel));
	KT_EQ(team_join(&team), 0);
	hrtimer_cancel(&shared_timer);
}

/* The tree is sorted by the expiry: one that is queued keeps it. */
KTEST(sync_timer_forwarded_while_queued)
{
	ktime_t hour = 3600LL * NSEC_PER_SEC, now;

	hrtimer_init(&shared_timer, CLOCK_MONOTONIC, shared_fire);
	hrtimer_start(&shared_timer, hour, HRTIMER_MODE_REL);
	now = hrtimer_cb_get_time(&shared_timer);
	KT_EQ(hrtimer_forward(&shared_timer, now + 2 * hour, hour), 0);
	KT_ASSERT(hrtimer_get_remaining(&shared_timer) <= hour);
	KT_EQ(hrtimer_cancel(&shared_timer), 1);
	KT_EQ(hrtimer_forward(&shared_timer, now + 2 * hour, hour), 2);
}

static bool take_token(void)
{
	int n = atomic_read(&tokens);

	while (n > 0)
		if (atomic_try_cmpxchg(&tokens, &n, n - 1))
			return true;
	return false;
}

static void wait_for_token(struct team *t, int me)
{
	for (int i = 0; i < 100; i++)
		expect(t, !wait_event_interruptible_exclusive(test_wait, take_token()));
}

/* Each wake-up is for one, and each token finds its taker. */
KTEST(sync_wait_exclusive)
{
	atomic_set(&tokens, 0);
	KT_ASSERT(team_start(&team, 4, wait_for_token));
	for (int i = 0; i < 400; i++) {
		atomic_inc(&tokens);
		wake_up(&test_wait);
		if (!(i % 10))
			cond_resched();
	}
	KT_EQ(team_join(&team), 0);
	KT_EQ(atomic_read(&tokens), 0);
}

KTEST(sync_wait_times_out)
{
	KT_EQ(wait_event_timeout(test_wait, false, 2), 0);
	KT_ASSERT(wait_event_timeout(test_wait, true, 2) > 0);
}

/* ---- RCU ---- */

struct published {
	int alive;
	struct rcu_head rcu;
};

static struct published __rcu *shared;
static int stop_readers, grace_over, section_open;

static void read_published(struct team *t, int me)
{
	while (!READ_ONCE(stop_readers)) {
		struct published *p;

		rcu_read_lock();
		p = rcu_dereference(shared);
		for (int i = 0; i < 50; i++)
			expect(t, READ_ONCE(p->alive) == 1);
		rcu_read_unlock();
		cond_resched();
	}
}

KTEST(sync_rcu_keeps_what_is_read)
{
	struct published *p = kzalloc(sizeof(*p), GFP_KERNEL), *old;

	KT_ASSERT(p);
	p->alive = 1;
	rcu_assign_pointer(shared, p);
	stop_readers = 0;
	KT_ASSERT(team_start(&team, TEAM - 1, read_published));
	for (int i = 0; i < 30; i++) {
		p = kzalloc(sizeof(*p), GFP_KERNEL);
		if (!p)
			break;
		p->alive = 1;
		old = rcu_replace_pointer(shared, p, true);
		synchronize_rcu();
		WRITE_ONCE(old->alive, 0);
		kfree(old);
	}
	WRITE_ONCE(stop_readers, 1);
	KT_EQ(team_join(&team), 0);
	kfree(rcu_dereference_protected(shared, true));
}

/* 0 reads, 1 waits for the grace period: not over while the section is open. */
static void open_section(struct team *t, int me)
{
	if (me) {
		wait_for_completion(&both[0]);
		synchronize_rcu();
		WRITE_ONCE(grace_over, 1);
		expect(t, !READ_ONCE(section_open));
		return;
	}
	rcu_read_lock();
	WRITE_ONCE(section_open, 1);
	complete(&both[0]);
	expect(t, stays_zero(&grace_over));
	WRITE_ONCE(section_open, 0);
	rcu_read_unlock();
}

KTEST(sync_rcu_waits_for_sections)
{
	grace_over = section_open = 0;
	init_completion(&both[0]);
	KT_ASSERT(team_start(&team, 2, open_section));
	KT_EQ(team_join(&team), 0);
	KT_EQ(grace_over, 1);
}

static struct task *lone_worker;
static unsigned long lone_turns;

static u64 lone_switches(void)
{
	return READ_ONCE(lone_worker->nvcsw) + READ_ONCE(lone_worker->nivcsw);
}

/* A whole grace period in which the worker's CPU was not made to switch. A late tick may miss one, so there are many. */
static bool gp_without_a_switch(void)
{
	for (int i = 0; i < 200; i++) {
		u64 switches = lone_switches();
		unsigned long turns;

		synchronize_rcu();
		turns = READ_ONCE(lone_turns);
		while (READ_ONCE(lone_turns) == turns)	/* a switch under way is counted once it works again */
			schedule_timeout_uninterruptible(1);
		if (lone_switches() == switches)
			return true;
	}
	return false;
}

/* 1 works in the kernel alone on its CPU, 0 waits for grace periods. */
static void work_alone(struct team *t, int me)
{
	if (me) {
		WRITE_ONCE(lone_worker, current);
		complete(&both[0]);
		while (!READ_ONCE(stop_readers))
			WRITE_ONCE(lone_turns, lone_turns + 1);
		return;
	}
	wait_for_completion(&both[0]);
	expect(t, gp_without_a_switch());
	WRITE_ONCE(stop_readers, 1);
}

KTEST(sync_rcu_tick_of_preemptible_code)
{
	if (num_online_cpus() < 2)
		KT_SKIP("needs two CPUs");
	stop_readers = 0;
	init_completion(&both[0]);
	KT_ASSERT(team_start(&team, 2, work_alone));
	KT_EQ(team_join(&team), 0);
}

static atomic_t called;

static void count_call(struct rcu_head *h)
{
	atomic_inc(&called);
	kfree(container_of(h, struct published, rcu));
}

static void call_often(struct team *t, int me)
{
	for (int i = 0; i < 50; i++) {
		struct published *p = kzalloc(sizeof(*p), GFP_KERNEL);

		expect(t, p);
		if (p)
			call_rcu(&p->rcu, count_call);
	}
}

KTEST(sync_rcu_barrier)
{
	atomic_set(&called, 0);
	KT_ASSERT(team_start(&team, TEAM, call_often));
	KT_EQ(team_join(&team), 0);
	rcu_barrier();
	KT_EQ(atomic_read(&called), TEAM * 50);
}

static struct srcu_struct test_srcu;

/* As open_section(), but the reader sleeps. */
static void open_srcu_section(struct team *t, int me)
{
	int idx;

	if (me) {
		wait_for_completion(&both[0]);
		synchronize_srcu(&test_srcu);
		WRITE_ONCE(grace_over, 1);
		expect(t, !READ_ONCE(section_open));
		return;
	}
	idx = srcu_read_lock(&test_srcu);
	WRITE_ONCE(section_open, 1);
	complete(&both[0]);
	for (int i = 0; i < 5; i++) {
		schedule_timeout_uninterruptible(1);
		expect(t, !READ_ONCE(grace_over));
	}
	WRITE_ONCE(section_open, 0);
	srcu_read_unlock(&test_srcu, idx);
}

KTEST(sync_srcu_waits_for_sections)
{
	KT_EQ(init_srcu_struct(&test_srcu), 0);
	grace_over = section_open = 0;
	init_completion(&both[0]);
	KT_ASSERT(team_start(&team, 2, open_srcu_section));
	KT_EQ(team_join(&team), 0);
	KT_EQ(grace_over, 1);
	cleanup_srcu_struct(&test_srcu);
}

static struct task *srcu_waiter;
static bool srcu_begun, srcu_over;
static struct completion srcu_ended;

static int wait_for_srcu(void *unused)
{
	WRITE_ONCE(srcu_begun, true);
	synchronize_srcu(&test_srcu);
	WRITE_ONCE(srcu_over, true);
	complete(&srcu_ended);
	return 0;
}

/* No tick wakes it: interrupts are off from the look at the sleeping updater to the look at the woken one. */
KTEST(sync_srcu_last_reader_wakes)
{
	unsigned int asleep = 0;
	bool woken;
	int idx;

	KT_EQ(init_srcu_struct(&test_srcu), 0);
	init_completion(&srcu_ended);
	srcu_begun = srcu_over = false;
	idx = srcu_read_lock(&test_srcu);
	srcu_waiter = kthread_create(wait_for_srcu, NULL, "ktest/srcu");
	KT_ASSERT(!IS_ERR(srcu_waiter));
	get_task_struct(srcu_waiter);
	wake_up_process(srcu_waiter);
	for (;;) {
		local_irq_disable();
		asleep = READ_ONCE(srcu_waiter->state);
		if (READ_ONCE(srcu_begun) && asleep == TASK_UNINTERRUPTIBLE && !READ_ONCE(srcu_waiter->on_cpu))
			break;
		local_irq_enable();
		schedule_timeout_uninterruptible(1);
	}
	srcu_read_unlock(&test_srcu, idx);
	/* It may run on another CPU, and have gone, by now; its state is the sleeper's while it looks again. */
	woken = READ_ONCE(srcu_waiter->on_rq) || READ_ONCE(srcu_over);
	local_irq_enable();
	KT_EQ(asleep, TASK_UNINTERRUPTIBLE);
	KT_ASSERT(woken);
	wait_for_completion(&srcu_ended);
	KT_ASSERT(srcu_over);
	put_task_struct(srcu_waiter);
	cleanup_srcu_struct(&test_srcu);
}

/* ---- work queues ---- */

static atomic_t ran, at_work, overlapped;
static int ran_on;

static void some_work(struct work_struct *w)
{
	if (atomic_inc_return(&at_work) != 1)
		atomic_inc(&overlapped);
	ran_on = (int)raw_smp_processor_id();
	cond_resched();
	atomic_dec(&at_work);
	atomic_inc(&ran);
}

static DECLARE_WORK(test_work, some_work);

static void queue_often(struct team *t, int me)
{
	for (int i = 0; i < 200; i++) {
		queue_work(me & 1 ? system_wq : system_unbound_wq, &test_work);
		if (!(i % 20))
			flush_work(&test_work);
	}
}

KTEST(sync_work_runs_once_at_a_time)
{
	atomic_set(&ran, 0);
	atomic_set(&overlapped, 0);
	KT_ASSERT(team_start(&team, TEAM, queue_often));
	team_join(&team);
	flush_work(&test_work);
	KT_EQ(atomic_read(&overlapped), 0);
	KT_ASSERT(atomic_read(&ran) >= 1 && atomic_read(&ran) <= TEAM * 200);
	KT_ASSERT(!work_pending_or_running(&test_work));
}

KTEST(sync_work_where_it_was_queued)
{
	int cpu;

	for_each_online_cpu(cpu) {
		atomic_set(&ran, 0);
		KT_ASSERT(queue_work_on(cpu, system_wq, &test_work));
		flush_work(&test_work);
		KT_EQ(atomic_read(&ran), 1);
		KT_EQ(ran_on, cpu);
	}
}

static struct completion work_may_end, work_began;

static void long_work(struct work_struct *w)
{
	complete(&work_began);
	wait_for_completion(&work_may_end);
	atomic_inc(&ran);
}

static void let_it_end(struct team *t, int me)
{
	schedule_timeout_uninterruptible(2);
	complete(&work_may_end);
}

/* All queued before a worker looks: more items that block than there are workers, then the one that would end them. */
KTEST(sync_work_blocked_before_other)
{
	static struct work_struct slow[12];
	int cpu;

	for_each_online_cpu(cpu) {
		init_completion(&work_may_end);
		init_completion(&work_began);
		atomic_set(&ran, 0);
		preempt_disable();
		for (int i = 0; i < 12; i++) {
			INIT_WORK(&slow[i], long_work);
			queue_work_on(cpu, system_wq, &slow[i]);
		}
		queue_work_on(cpu, system_wq, &test_work);
		preempt_enable();
		flush_work(&test_work);
		complete_all(&work_may_end);
		for (int i = 0; i < 12; i++)
			flush_work(&slow[i]);
		KT_EQ(atomic_read(&ran), 13);
	}
}

/* Blocked work keeps no other waiting; cancelling waits for what runs. */
KTEST(sync_work_blocks_and_is_cancelled)
{
	struct workqueue_struct *wq = alloc_workqueue("ktest", WQ_MEM_RECLAIM, 0);
	struct work_struct slow;

	KT_ASSERT(wq);
	init_completion(&work_may_end);
	init_completion(&work_began);
	atomic_set(&ran, 0);
	INIT_WORK(&slow, long_work);
	KT_ASSERT(queue_work(wq, &slow));
	wait_for_completion(&work_began);
	KT_ASSERT(queue_work(wq, &test_work));
	flush_work(&test_work);
	KT_EQ(atomic_read(&ran), 1);
	KT_ASSERT(team_start(&team, 1, let_it_end));
	cancel_work_sync(&slow);
	KT_EQ(atomic_read(&ran), 2);
	KT_ASSERT(!work_pending_or_running(&slow));
	team_join(&team);
	destroy_workqueue(wq);
}

static struct delayed_work test_delayed;

KTEST(sync_work_delayed)
{
	INIT_DELAYED_WORK(&test_delayed, some_work);
	atomic_set(&ran, 0);
	KT_ASSERT(queue_delayed_work(system_wq, &test_delayed, 100 * HZ));
	KT_ASSERT(!queue_delayed_work(system_wq, &test_delayed, 1));
	KT_ASSERT(cancel_delayed_work_sync(&test_delayed));
	KT_EQ(atomic_read(&ran), 0);
	KT_ASSERT(queue_delayed_work(system_wq, &test_delayed, 1));
	while (!atomic_read(&ran))
		schedule_timeout_uninterruptible(1);
	cancel_delayed_work_sync(&test_delayed);
	KT_EQ(atomic_read(&ran), 1);
}

struct napper {
	struct completion ready, go, done;
};

static int nap(void *arg)
{
	struct napper *n = arg;

	complete(&n->ready);
	wait_for_completion(&n->go);
	complete(&n->done);
	return 0;
}

static bool count_frames(void *arg, unsigned long addr)
{
	return ++*(int *)arg < 64 && addr;
}

/* A task may run again while its stack is walked: what the sanitizer says of the places that are read then is of no meaning. */
KTEST(sync_stack_walk_of_a_changing_stack)
{
	static struct napper n;
	int frames = 0;
	struct task *t;

	init_completion(&n.ready);
	init_completion(&n.go);
	init_completion(&n.done);
	t = kthread_run(nap, &n, "ktest/nap");
	KT_ASSERT(!IS_ERR(t));
	if (IS_ERR(t))
		return;
	wait_for_completion(&n.ready);
	while (READ_ONCE(t->on_cpu) || READ_ONCE(t->state) == TASK_RUNNING)
		schedule_timeout_uninterruptible(1);
	kasan_poison(t->stack, THREAD_SIZE, KASAN_VMALLOC_INVALID);
	arch_stack_walk_task(t, count_frames, &frames);
	kasan_unpoison(t->stack, THREAD_SIZE);
	KT_ASSERT(frames > 2);
	complete(&n.go);
	wait_for_completion(&n.done);
}
