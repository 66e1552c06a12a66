// SPDX-License-Identifier: MIT
/*
 * Read-copy update.
 *
 * A grace period has a number. Each CPU remembers the last number for which it has passed a quiescent state (a context
 * switch, an entry into a guest, a tick that interrupted user code, a guest or preemptible kernel code, or idle). A grace period ends when every online CPU
 * that is not idle has done so; idle CPUs carry an even "dynticks" count that the grace-period thread reads from outside, so
 * they are never woken.
 *
 * Callbacks wait on their CPU in segments: next (after the coming grace period) and wait (after the one under way). One
 * thread runs grace periods; callbacks run in a thread too, in batches, so that they may take sleeping-free locks
 * and never delay an interrupt.
 *
 * Memory order: publishing "CPU passed" is a release after the CPU's reads; the grace-period thread acquires it.
 */
#include <lib/types.h>
#include <kernel/export.h>
#include <kernel/rcu.h>
#include <kernel/percpu.h>
#include <kernel/cpumask.h>
#include <kernel/init.h>
#include <kernel/irq.h>
#include <kernel/printk.h>
#include <kernel/bug.h>
#include <kernel/upcalls.h>
#include <arch/smp.h>

struct rcu_cpu {
	u64 passed;			/* own CPU writes, release: last grace period it is clear of */
	u64 dynticks;			/* own CPU writes: odd while in the kernel, even while idle */
	struct rcu_head *next, **next_tail;	/* irqs off, own CPU or lock */
	struct rcu_head *wait, **wait_tail;
	u64 wait_gp;			/* the grace period that frees wait */
	struct rcu_head *done, **done_tail;
	unsigned long queued;		/* callbacks not run yet */
	spinlock_t lock;
};

static DEFINE_PER_CPU_ALIGNED(struct rcu_cpu, rcu_cpu);
static u64 gp_started;			/* gp thread writes */
static u64 gp_completed;		/* gp thread writes, release */
static u64 gp_wanted;			/* atomic: highest number somebody waits for */
static bool rcu_threads_up;

static void list_init(struct rcu_head **head, struct rcu_head ***tail)
{
	*head = NULL;
	*tail = head;
}

void rcu_init_cpu(int cpu)
{
	struct rcu_cpu *r = per_cpu_ptr(&rcu_cpu, cpu);

	spin_lock_init(&r->lock);
	list_init(&r->next, &r->next_tail);
	list_init(&r->wait, &r->wait_tail);
	list_init(&r->done, &r->done_tail);
	r->dynticks = 1;
	r->passed = gp_started;
}

static void ask_for_gp(u64 gp)
{
	u64 cur = READ_ONCE(gp_wanted);

	do {
		if (cur >= gp)
			return;
	} while (!try_cmpxchg(&gp_wanted, &cur, gp));
	if (rcu_threads_up)
		rcu_wake_gp();
}

/* Moves what the last completed grace period frees to done, and next to wait. Lock held. True when done has something. */
static bool advance(struct rcu_cpu *r)
{
	u64 completed = smp_load_acquire(&gp_completed);

	if (r->wait && r->wait_gp <= completed) {
		*r->done_tail = r->wait;
		r->done_tail = r->wait_tail;
		list_init(&r->wait, &r->wait_tail);
	}
	if (!r->wait && r->next) {
		r->wait = r->next;
		r->wait_tail = r->next_tail;
		list_init(&r->next, &r->next_tail);
		/*
		 * One may be under way that began before these were queued: the one after it is safe. What they free was
		 * unpublished before the number is read; pairs with rcu_gp_begin().
		 */
		smp_mb();
		r->wait_gp = READ_ONCE(gp_started) + 1;
		ask_for_gp(r->wait_gp);
	}
	return r->done != NULL;
}

void call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head))
{
	struct rcu_cpu *r;
	unsigned long flags;

	head->func = func;
	head->next = NULL;
	local_irq_save(flags);
	r = this_cpu_ptr(&rcu_cpu);
	spin_lock(&r->lock);
	*r->next_tail = head;
	r->next_tail = &head->next;
	r->queued++;
	if (!r->wait)
		advance(r);
	spin_unlock(&r->lock);
	local_irq_restore(flags);
}
EXPORT(call_rcu);

void rcu_note_context_switch(void)
{
	struct rcu_cpu *r = this_cpu_ptr(&rcu_cpu);
	u64 gp = smp_load_acquire(&gp_started);		/* the sections that follow see what was updated before it began */

	if (r->passed != gp) {
		smp_store_release(&r->passed, gp);
		if (rcu_threads_up)
			rcu_wake_gp_deferred();
	}
}

/*
 * A read section disables preemption: what a tick interrupted with a preemption count of 0 was outside of every section of this
 * CPU, in the kernel as in user mode. The interrupt's own part of the count is HARDIRQ_OFFSET. Guests run with preemption off.
 */
static bool tick_is_quiescent(enum cpu_context c)
{
	return context_is_outside(c) || preempt_count() == HARDIRQ_OFFSET;
}

void rcu_tick(enum cpu_context c)
{
	struct rcu_cpu *r = this_cpu_ptr(&rcu_cpu);
	bool work = false;

	DEBUG_ON(!in_hardirq());
	if (tick_is_quiescent(c)) {
		u64 gp = smp_load_acquire(&gp_started);

		if (r->passed != gp) {
			smp_store_release(&r->passed, gp);
			rcu_wake_gp();
		}
	}
	if (r->wait || r->next) {
		spin_lock(&r->lock);
		work = advance(r);
		spin_unlock(&r->lock);
	}
	if (work)
		rcu_wake_callbacks(raw_smp_processor_id());
}

/*
 * Interrupts off. The barriers pair with gp_cpu_clear(): reads of the sections stay on their side of the count. An interrupt ends the idle
 * state before its handler runs, which may open sections; the idle loop then finds it ended.
 */
void rcu_idle_enter(void)
{
	struct rcu_cpu *r = this_cpu_ptr(&rcu_cpu);

	__atomic_fetch_add(&r->dynticks, 1, __ATOMIC_SEQ_CST);
}

void rcu_idle_exit(void)
{
	struct rcu_cpu *r = this_cpu_ptr(&rcu_cpu);

	if (!(r->dynticks & 1)) {
		__atomic_fetch_add(&r->dynticks, 1, __ATOMIC_SEQ_CST);
		__atomic_full();	/* before the sections' reads; pairs with rcu_gp_begin()'s (tests/litmus/rcu-idle-exit) */
	}
}

static bool gp_cpu_clear(int cpu, u64 gp, u64 snap)
{
	struct rcu_cpu *r = per_cpu_ptr(&rcu_cpu, cpu);
	u64 now;

	if (smp_load_acquire(&r->passed) >= gp)
		return true;
	now = __atomic_load_n(&r->dynticks, __ATOMIC_SEQ_CST);
	return !(now & 1) || now != snap;
}

bool rcu_gp_needed(void)
{
	return READ_ONCE(gp_wanted) > READ_ONCE(gp_completed);
}

static DEFINE_PER_CPU(u64, gp_snap);	/* gp thread only: its dynticks when the period began */

void rcu_gp_begin(void)
{
	int cpu;

	/* Updates before this number are seen by every section that starts after it. */
	__atomic_store_n(&gp_started, gp_started + 1, __ATOMIC_SEQ_CST);
	smp_mb();
	for_each_online_cpu(cpu)
		per_cpu(gp_snap, cpu) = __atomic_load_n(&per_cpu_ptr(&rcu_cpu, cpu)->dynticks, __ATOMIC_SEQ_CST);
}

/* The first CPU that still may be in an old section, or -1. NUDGE: make those reschedule. */
int rcu_gp_holdout(bool nudge)
{
	int cpu, first = -1;

	for_each_online_cpu(cpu) {
		if (gp_cpu_clear(cpu, gp_started, per_cpu(gp_snap, cpu)))
			continue;
		if (first < 0)
			first = cpu;
		if (!nudge)
			break;
		rcu_nudge_cpu(cpu);
	}
	return first;
}

void rcu_gp_end(void)
{
	int cpu;

	smp_store_release(&gp_completed, gp_started);
	for_each_online_cpu(cpu) {
		struct rcu_cpu *r = per_cpu_ptr(&rcu_cpu, cpu);
		unsigned long flags;
		bool work;

		if (!READ_ONCE(r->wait) && !READ_ONCE(r->next))
			continue;
		spin_lock_irqsave(&r->lock, flags);
		work = advance(r);
		spin_unlock_irqrestore(&r->lock, flags);
		if (work)
			rcu_wake_callbacks(cpu);
	}
}

/* Runs what is done on CPU; how many. From the callback thread. */
unsigned int rcu_run_callbacks(int cpu)
{
	struct rcu_cpu *r = per_cpu_ptr(&rcu_cpu, cpu);
	struct rcu_head *h, *next;
	unsigned int n = 0;

	spin_lock_irq(&r->lock);
	advance(r);
	h = r->done;
	list_init(&r->done, &r->done_tail);
	spin_unlock_irq(&r->lock);
	for (; h; h = next) {
		next = h->next;
		h->func(h);
		n++;
		rcu_callback_breath();
	}
	if (n) {
		spin_lock_irq(&r->lock);
		r->queued -= n;
		spin_unlock_irq(&r->lock);
	}
	return n;
}

bool rcu_callbacks_ready(int cpu)
{
	return READ_ONCE(per_cpu_ptr(&rcu_cpu, cpu)->done) != NULL;
}

void rcu_threads_started(void)
{
	rcu_threads_up = true;
	if (rcu_gp_needed())
		rcu_wake_gp();
}

bool rcu_is_alone(void)
{
	return !rcu_threads_up;
}

unsigned long rcu_callbacks_queued(void)
{
	unsigned long n = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		n += READ_ONCE(per_cpu_ptr(&rcu_cpu, cpu)->queued);
	return n;
}
