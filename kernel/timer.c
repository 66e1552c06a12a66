// SPDX-License-Identifier: MIT
/*
 * Timers: one red-black tree a CPU and a clock, ordered by expiry; the hardware is armed for the earliest of all. The
 * tick is one more deadline, present only while the CPU has something to run.
 *
 * Lock: timer_base.lock (irq-safe), one a CPU. A timer is queued on the CPU that starts it and remembers it. A callback runs
 * with interrupts off and the lock released; "running" tells cancel to wait. Between two trees a timer has no lock: its cpu says
 * CPU_MOVING, and who wants it waits. State and running are looked at under the lock only: a timer that fires goes from one to the other.
 */
#include <lib/types.h>
#include <arch/smp.h>
#include <kernel/irq.h>
#include <lib/minmax.h>
#include <lib/rbtree.h>
#include <kernel/bug.h>
#include <kernel/context.h>
#include <kernel/cpumask.h>
#include <kernel/init.h>
#include <kernel/percpu.h>
#include <kernel/rcu.h>
#include <kernel/spinlock.h>
#include <kernel/time.h>
#include <kernel/time_priv.h>
#include <kernel/upcalls.h>
#include <arch/clock.h>
#include <arch/ptrace.h>
#include <arch/irq.h>
#include <arch/upcalls.h>
#include <linux/time.h>

enum { TB_MONOTONIC, TB_REALTIME, TB_CLOCKS };
#define STATE_QUEUED 1
#define CPU_MOVING 0xffff		/* hrtimer.cpu: on its way from one tree to another */

struct timer_base {
	spinlock_t lock;
	struct rb_root_cached queue[TB_CLOCKS];	/* lock */
	struct hrtimer *running;		/* lock: whose function runs */
	u64 armed_ns;				/* irqs off: what the hardware is set to */
	u64 next_tick_ns;			/* irqs off: U64_MAX when stopped */
	bool in_interrupt;			/* irqs off */
};

static DEFINE_PER_CPU_ALIGNED(struct timer_base, timer_base) = { .next_tick_ns = U64_MAX, .armed_ns = U64_MAX };

static inline int base_index(const struct hrtimer *t)
{
	return t->clock == TB_REALTIME ? TB_REALTIME : TB_MONOTONIC;
}

static bool hrtimer_less(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct hrtimer, node)->expires < rb_entry((struct rb_node *)b, struct hrtimer, node)->expires;
}

static u64 earliest(struct timer_base *b)
{
	u64 first = b->next_tick_ns;

	for (int i = 0; i < TB_CLOCKS; i++) {
		struct rb_node *n = rb_first_cached(&b->queue[i]);
		s64 e;

		if (!n)
			continue;
		e = rb_entry(n, struct hrtimer, node)->expires;
		if (i == TB_REALTIME)
			e = e == KTIME_MAX ? e : e - ktime_real_offset_ns();
		first = min(first, (u64)max(e, (s64)0));
	}
	return first;
}

/* Own CPU, interrupts off. */
static void rearm(struct timer_base *b)
{
	u64 when = earliest(b);

	if (when == b->armed_ns || b->in_interrupt)
		return;
	b->armed_ns = when;
	arch_timer_set_deadline(when);
}

void hrtimer_set_clock(struct hrtimer *t, clockid_t clock)
{
	t->clock = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_ALARM || clock == CLOCK_TAI ? TB_REALTIME : TB_MONOTONIC;
}

void hrtimer_init(struct hrtimer *t, clockid_t clock, enum hrtimer_restart (*fn)(struct hrtimer *))
{
	t->expires = 0;
	t->function = fn;
	hrtimer_set_clock(t, clock);
	t->state = 0;
	t->cpu = (u16)raw_smp_processor_id();
}

ktime_t hrtimer_cb_get_time(const struct hrtimer *t)
{
	return (ktime_t)(t->clock == TB_REALTIME ? ktime_get_real_ns() : ktime_get_ns());
}

/* Locks the base that T is on; it may move meanwhile. */
static struct timer_base *lock_base(const struct hrtimer *t, unsigned long *flags) __acquires(b->lock)
{
	for (;;) {
		u16 cpu = READ_ONCE(t->cpu);
		struct timer_base *b;

		if (unlikely(cpu == CPU_MOVING)) {
			cpu_relax();
			continue;
		}
		b = per_cpu_ptr(&timer_base, cpu);
		spin_lock_irqsave(&b->lock, *flags);
		if (likely(READ_ONCE(t->cpu) == cpu))
			return b;
		spin_unlock_irqrestore(&b->lock, *flags);
	}
}

static void dequeue(struct timer_base *b, struct hrtimer *t)
{
	rb_erase_cached(&t->node, &b->queue[base_index(t)]);
	t->state &= (u8)~STATE_QUEUED;
}

static void enqueue(struct timer_base *b, struct hrtimer *t)
{
	t->state |= STATE_QUEUED;
	rb_add_cached(&t->node, &b->queue[base_index(t)], hrtimer_less);
}

void hrtimer_start(struct hrtimer *t, ktime_t when, enum hrtimer_mode mode)
{
	struct timer_base *b, *mine;
	unsigned long flags;

	if (mode == HRTIMER_MODE_REL)
		when = ktime_add_safe(hrtimer_cb_get_time(t), max(when, (ktime_t)0));
	b = lock_base(t, &flags);
	if (t->state & STATE_QUEUED)
		dequeue(b, t);
	mine = this_cpu_ptr(&timer_base);
	if (b != mine && b->running != t) {
		WRITE_ONCE(t->cpu, CPU_MOVING);
		spin_unlock(&b->lock);
		spin_lock(&mine->lock);
		WRITE_ONCE(t->cpu, (u16)raw_smp_processor_id());
		b = mine;
	}
	t->expires = when;
	enqueue(b, t);
	if (b == mine)
		rearm(b);
	else
		arch_send_reschedule((unsigned int)t->cpu);
	spin_unlock_irqrestore(&b->lock, flags);
}

int hrtimer_try_to_cancel(struct hrtimer *t)
{
	struct timer_base *b;
	unsigned long flags;
	int ret = 0;

	b = lock_base(t, &flags);
	if (b->running == t) {
		if (t->state & STATE_QUEUED)
			dequeue(b, t);
		ret = -1;
	} else if (t->state & STATE_QUEUED) {
		dequeue(b, t);
		ret = 1;	/* the hardware may fire for nothing once: cheaper than arming it anew */
	}
	spin_unlock_irqrestore(&b->lock, flags);
	return ret;
}

int hrtimer_cancel(struct hrtimer *t)
{
	int r;

	while ((r = hrtimer_try_to_cancel(t)) < 0)
		cpu_relax();
	return r;
}

bool hrtimer_active(const struct hrtimer *t)
{
	unsigned long flags;
	struct timer_base *b = lock_base(t, &flags);
	bool active = t->state || b->running == t;

	spin_unlock_irqrestore(&b->lock, flags);
	return active;
}

bool hrtimer_is_queued(const struct hrtimer *t)
{
	return READ_ONCE(t->state) & STATE_QUEUED;
}

ktime_t hrtimer_get_remaining(const struct hrtimer *t)
{
	return READ_ONCE(t->expires) - hrtimer_cb_get_time(t);
}

u64 hrtimer_forward(struct hrtimer *t, ktime_t now, ktime_t interval)
{
	struct timer_base *b;
	unsigned long flags;
	u64 n = 0;

	b = lock_base(t, &flags);
	/* Queued, by hrtimer_start() while its function runs: the tree is sorted by what would be changed, and that start wins. */
	if (!(t->state & STATE_QUEUED) && now >= t->expires) {
		n = (u64)(now - t->expires) / (u64)interval + 1;
		t->expires = ktime_add_safe(t->expires,
					    (ktime_t)min(n * (unsigned __int128)interval, (unsigned __int128)KTIME_MAX));
	}
	spin_unlock_irqrestore(&b->lock, flags);
	return n;
}

/* Lock held; dropped round each function. */
static void run_expired(struct timer_base *b, int idx) __must_hold(b->lock)
{
	struct rb_node *n;
	s64 now = (s64)ktime_get_ns() + (idx == TB_REALTIME ? ktime_real_offset_ns() : 0);

	while ((n = rb_first_cached(&b->queue[idx]))) {
		struct hrtimer *t = rb_entry(n, struct hrtimer, node);
		enum hrtimer_restart again;

		if (t->expires > now)
			break;
		dequeue(b, t);
		b->running = t;
		spin_unlock(&b->lock);
		again = t->function(t);
		spin_lock(&b->lock);
		/* hrtimer_start() from elsewhere wins over the function's own wish. */
		if (again == HRTIMER_RESTART && b->running == t && !(t->state & STATE_QUEUED))
			enqueue(b, t);
		WRITE_ONCE(b->running, NULL);
	}
}

DEFINE_PER_CPU(bool, cpu_in_guest);

static void tick(struct timer_base *b, u64 now)
{
	enum cpu_context c = irq_from_user() ? CONTEXT_USER : this_cpu_read(cpu_in_guest) ? CONTEXT_GUEST : CONTEXT_KERNEL;

	b->next_tick_ns = now + TICK_NSEC;
	time_update_coarse(now);
	rcu_tick(c);
	sched_tick(c);
}

/* Lock held, dropped round each function. */
static void run_due(struct timer_base *b) __must_hold(b->lock)
{
	for (int i = 0; i < TB_CLOCKS; i++)
		if (rb_first_cached(&b->queue[i]))
			run_expired(b, i);
}

/* Own CPU, in hard interrupt context: the deadline passed, or somebody queued a timer here from afar. */
void timer_interrupt(void)
{
	struct timer_base *b = this_cpu_ptr(&timer_base);
	u64 now = ktime_get_ns();

	b->in_interrupt = true;
	b->armed_ns = U64_MAX;
	if (now >= b->next_tick_ns)
		tick(b, now);
	spin_lock(&b->lock);
	run_due(b);
	b->in_interrupt = false;
	rearm(b);
	spin_unlock(&b->lock);
}

/* From the reschedule interrupt: another CPU may have put a timer into our tree. */
void timer_check_remote(void)
{
	struct timer_base *b = this_cpu_ptr(&timer_base);

	spin_lock(&b->lock);
	if (earliest(b) < b->armed_ns)
		rearm(b);
	spin_unlock(&b->lock);
}

/* Interrupts off. */
void tick_start(void)
{
	struct timer_base *b = this_cpu_ptr(&timer_base);
	u64 now;

	if (b->next_tick_ns != U64_MAX)
		return;
	now = ktime_get_ns();
	time_update_coarse(now);
	b->next_tick_ns = now + TICK_NSEC;
	spin_lock(&b->lock);
	rearm(b);
	spin_unlock(&b->lock);
}

/*
 * Where all CPUs idle nobody ticks, and jiffies would be as old as the last tick: a function that
 * starts its timer again some jiffies from now would be due at once, for ever.
 */
void tick_irq_enter(void)
{
	if (unlikely(this_cpu_ptr(&timer_base)->next_tick_ns == U64_MAX))
		time_update_coarse(ktime_get_ns());
}

void tick_stop_idle(void)
{
	struct timer_base *b = this_cpu_ptr(&timer_base);

	if (b->next_tick_ns == U64_MAX)
		return;
	b->next_tick_ns = U64_MAX;
	spin_lock(&b->lock);
	rearm(b);
	spin_unlock(&b->lock);
}

/* CLOCK_REALTIME jumped: what is past now goes off before the call that set the clock returns. Interrupts off. */
static void retrigger(void *unused)
{
	struct timer_base *b = this_cpu_ptr(&timer_base);

	b->in_interrupt = true;
	spin_lock(&b->lock);
	run_due(b);
	b->in_interrupt = false;
	rearm(b);
	spin_unlock(&b->lock);
}

void timers_clock_was_set(void)
{
	on_each_cpu(retrigger, NULL, true);
}

static enum hrtimer_restart timer_list_fire(struct hrtimer *hr)
{
	struct timer_list *t = container_of(hr, struct timer_list, hr);

	t->function(t);
	return HRTIMER_NORESTART;
}

void timer_setup(struct timer_list *t, void (*fn)(struct timer_list *), unsigned int flags)
{
	hrtimer_init(&t->hr, CLOCK_MONOTONIC, timer_list_fire);
	t->function = fn;
}

int mod_timer(struct timer_list *t, unsigned long expires)
{
	int was = timer_pending(t);

	hrtimer_start(&t->hr, (ktime_t)(expires * TICK_NSEC), HRTIMER_MODE_ABS);
	return was;
}

int timer_delete(struct timer_list *t)
{
	return hrtimer_try_to_cancel(&t->hr) > 0;
}

int timer_delete_sync(struct timer_list *t)
{
	return hrtimer_cancel(&t->hr);
}

bool timer_pending(const struct timer_list *t)
{
	return READ_ONCE(t->hr.state) & STATE_QUEUED;
}

static int timers_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		spin_lock_init(&per_cpu_ptr(&timer_base, cpu)->lock);
	return 0;
}
INITCALL(early, timers_init);
