// SPDX-License-Identifier: MIT
/*
 * A timer wheel for each CPU: <sched/wheel.h>.
 *
 * Time is counted in ticks of 2^20 ns. LEVELS wheels of 64 slots: a slot of level n is 8^n ticks
 * wide, and a timer lies where the distance to its tick, when it was armed, is less than 63 such
 * slots. It stays there until it is due: nothing cascades, at the price of coming up to a slot
 * late. `now` is the first tick that was not looked at yet; `next` is not later than the first slot
 * that holds something, so that `now` may jump ahead while next lies ahead too. One hrtimer a wheel
 * is set for `next`; its interrupt does nothing but wake the thread.
 *
 * Arming: one lock, one list, one bit; the hrtimer is set only for a timer that is due before all
 * others. A timer that is put off leaves `next` as it was: the thread wakes up once for nothing.
 *
 * A timer that is due at once, or that the thread has taken out, is in the list `firing`. Locks: a
 * wheel's lock, alone, never taken by interrupts.
 */
#include <lib/bits.h>
#include <lib/minmax.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/cpumask.h>
#include <kernel/init.h>
#include <kernel/percpu.h>
#include <kernel/spinlock.h>
#include <kernel/time.h>
#include <sched/kthread.h>
#include <sched/task.h>
#include <sched/wheel.h>
#include <linux/time.h>

#define LEVELS 9			/* 63 * 8^8 ticks: 12 days; later ones come then, and are armed anew */
#define SLOTS 64u
#define FIRING 0xfffeu
#define FOREVER U64_MAX

struct wheel {
	spinlock_t lock;
	u16 cpu;			/* c */
	u64 now, next;			/* lock: ticks */
	u64 set_for;			/* lock: what the hrtimer is set for */
	u64 pending[LEVELS];		/* lock: a bit for each slot that is not empty */
	struct list_head firing;	/* lock */
	struct wheel_timer *running;	/* lock */
	struct task *thread;		/* c */
	struct hrtimer hr;
	wait_queue_head_t idle;		/* waiters for the end of `running` */
	struct list_head slot[LEVELS][SLOTS];	/* lock */
};

static DEFINE_PER_CPU(struct wheel *, wheels);

static inline u64 tick_of(u64 ns)
{
	return ns >> WHEEL_TICK_SHIFT;
}

/* Preemption is off. A CPU that came late has the first one's. */
static struct wheel *this_wheel(void)
{
	struct wheel *w = this_cpu_read(wheels);

	return likely(w) ? w : per_cpu(wheels, 0);
}

static enum hrtimer_restart wheel_interrupt(struct hrtimer *hr)
{
	wake_up_process(container_of(hr, struct wheel, hr)->thread);
	return HRTIMER_NORESTART;
}

/* W's lock is held: the thread is to look at tick `next`. */
static void set_alarm(struct wheel *w)
{
	if (w->next >= w->set_for)
		return;
	w->set_for = w->next;
	hrtimer_start(&w->hr, (ktime_t)(w->next << WHEEL_TICK_SHIFT), HRTIMER_MODE_ABS);
}

static void put_in(struct wheel *w, struct wheel_timer *t, unsigned int level)
{
	u64 slot_time = (t->due + (1ull << (3 * level)) - 1) >> (3 * level);
	unsigned int i = (unsigned int)slot_time & (SLOTS - 1);

	t->slot = (u16)(level * SLOTS + i);
	list_add_tail(&t->list, &w->slot[level][i]);
	w->pending[level] |= 1ull << i;
	slot_time <<= 3 * level;
	if (slot_time < w->next) {
		w->next = slot_time;
		set_alarm(w);
	}
}

static void add(struct wheel *w, struct wheel_timer *t, u64 due, u64 now)
{
	u64 away;
	unsigned int level = 0;

	if (now < w->next && now > w->now)
		w->now = now;
	t->due = due;
	/* NOW was read before the lock was taken: the thread may have gone past DUE since. */
	if (due <= now || due < w->now) {
		t->slot = FIRING;
		list_add_tail(&t->list, &w->firing);
		wake_up_process(w->thread);
		return;
	}
	away = due - w->now;
	if (away >= SLOTS - 1)
		level = ((unsigned int)fls64(away / (SLOTS - 1)) + 2) / 3;
	if (level >= LEVELS) {
		level = LEVELS - 1;
		t->due = w->now + ((SLOTS - 2ull) << (3 * level));
	}
	put_in(w, t, level);
}

static void take_out(struct wheel *w, struct wheel_timer *t)
{
	unsigned int level = t->slot / SLOTS, i = t->slot % SLOTS;

	list_del(&t->list);
	if (t->slot != FIRING && list_empty(&w->slot[level][i]))
		w->pending[level] &= ~(1ull << i);
	WRITE_ONCE(t->slot, WHEEL_IDLE);
}

/* The wheel that T is in or was in last, locked. */
static struct wheel *lock_wheel_of(const struct wheel_timer *t) __acquires(w -> lock)
{
	for (;;) {
		u16 cpu = READ_ONCE(t->cpu);
		struct wheel *w = per_cpu(wheels, cpu);

		spin_lock(&w->lock);
		if (likely(t->cpu == cpu))
			return w;
		spin_unlock(&w->lock);
	}
}

void wheel_init_timer(struct wheel_timer *t, void (*fn)(struct wheel_timer *t))
{
	*t = (struct wheel_timer){ .fn = fn, .slot = WHEEL_IDLE };
}

bool wheel_arm_as_of(struct wheel_timer *t, u64 when_ns, u64 now_ns)
{
	u64 due = tick_of(when_ns + (1ull << WHEEL_TICK_SHIFT) - 1);
	bool was = false;
	struct wheel *w, *mine;

	preempt_disable();
	mine = this_wheel();
	for (;;) {
		w = lock_wheel_of(t);
		if (t->slot != WHEEL_IDLE) {
			take_out(w, t);
			was = true;
		}
		/* Where its function runs it stays: wheel_cancel_sync() waits there. */
		if (likely(w == mine) || w->running == t)
			break;
		WRITE_ONCE(t->cpu, mine->cpu);
		spin_unlock(&w->lock);
	}
	add(w, t, due, tick_of(now_ns));
	spin_unlock(&w->lock);
	preempt_enable();
	return was;
}

bool wheel_arm(struct wheel_timer *t, u64 delay_ns)
{
	u64 now = ktime_get_ns();

	return wheel_arm_as_of(t, delay_ns ? now + delay_ns : 0, now);
}

bool wheel_cancel(struct wheel_timer *t)
{
	struct wheel *w;
	bool was;

	if (!wheel_is_armed(t))
		return false;
	w = lock_wheel_of(t);
	was = t->slot != WHEEL_IDLE;
	if (was)
		take_out(w, t);
	spin_unlock(&w->lock);
	return was;
}

static bool runs(struct wheel *w, const struct wheel_timer *t)
{
	bool r;

	spin_lock(&w->lock);
	r = w->running == t;
	spin_unlock(&w->lock);
	return r;
}

bool wheel_cancel_sync(struct wheel_timer *t)
{
	struct wheel *w = lock_wheel_of(t);
	bool was = t->slot != WHEEL_IDLE, running = w->running == t;

	if (was)
		take_out(w, t);
	spin_unlock(&w->lock);
	if (running && w->thread != current)
		wait_event(w->idle, !runs(w, t));
	return was;
}

u64 wheel_left_ns(const struct wheel_timer *t)
{
	u64 due = READ_ONCE(t->due) << WHEEL_TICK_SHIFT, now = ktime_get_ns();

	return wheel_is_armed(t) && due > now ? due - now : 0;
}

/* ---- the thread ---- */

/* The tick of the first slot that holds something. */
static u64 first_slot(const struct wheel *w)
{
	u64 first = FOREVER;

	for (unsigned int level = 0; level < LEVELS; level++) {
		unsigned int shift = 3 * level;
		/* The first slot of the level that begins at now or later. */
		u64 begin = (w->now + (1ull << shift) - 1) >> shift, bits = w->pending[level];
		unsigned int at = (unsigned int)begin & (SLOTS - 1);

		if (!bits)
			continue;
		if (at)
			bits = bits >> at | bits << (SLOTS - at);
		first = min(first, (begin + (u64)__builtin_ctzll(bits)) << shift);
	}
	return first;
}

/* What lies in the slots that begin at tick `now` is fired. */
static void fire_now(struct wheel *w)
{
	for (unsigned int level = 0; level < LEVELS && !(w->now & ((1ull << (3 * level)) - 1));
	     level++) {
		unsigned int i = (unsigned int)(w->now >> (3 * level)) & (SLOTS - 1);
		struct list_head *slot = &w->slot[level][i];

		if (!(w->pending[level] >> i & 1))
			continue;
		w->pending[level] &= ~(1ull << i);
		list_splice_tail_init(slot, &w->firing);
	}
}

/* W's lock is held: the next timer to run; NULL: nothing is due, and the hrtimer is set. */
static struct wheel_timer *next_due(struct wheel *w)
{
	struct wheel_timer *t;

	while (list_empty(&w->firing)) {
		u64 now = tick_of(ktime_get_ns());

		w->next = first_slot(w);
		if (w->next > now) {
			w->set_for = FOREVER;
			if (w->next != FOREVER)
				set_alarm(w);
			return NULL;
		}
		w->now = w->next;
		fire_now(w);
		w->now++;
	}
	t = list_first_entry(&w->firing, struct wheel_timer, list);
	list_del(&t->list);
	WRITE_ONCE(t->slot, WHEEL_IDLE);
	return t;
}

static int wheel_thread(void *data)
{
	struct wheel *w = data;
	struct wheel_timer *t;

	spin_lock(&w->lock);
	for (;;) {
		set_current_state(TASK_IDLE);
		t = next_due(w);
		if (t)
			__set_current_state(TASK_RUNNING);
		w->running = t;
		spin_unlock(&w->lock);
		if (t) {
			t->fn(t);
			cond_resched();
		} else {
			schedule();
		}
		spin_lock(&w->lock);
		w->running = NULL;
		if (t && waitqueue_active(&w->idle))
			wake_up_all(&w->idle);
	}
	return 0;
}

static int wheel_make(unsigned int cpu)
{
	struct wheel *w = kzalloc(sizeof(*w), GFP_KERNEL);

	if (!w)
		return -ENOMEM;
	spin_lock_init(&w->lock);
	w->cpu = (u16)cpu;
	w->now = tick_of(ktime_get_ns());
	w->next = w->set_for = FOREVER;
	INIT_LIST_HEAD(&w->firing);
	init_waitqueue_head(&w->idle);
	for (unsigned int l = 0; l < LEVELS; l++)
		for (unsigned int i = 0; i < SLOTS; i++)
			INIT_LIST_HEAD(&w->slot[l][i]);
	hrtimer_init(&w->hr, CLOCK_MONOTONIC, wheel_interrupt);
	w->thread = kthread_create(wheel_thread, w, "wheel/%u", cpu);
	if (IS_ERR(w->thread)) {
		int err = (int)PTR_ERR(w->thread);

		kfree(w);
		return err;
	}
	kthread_bind(w->thread, cpu);
	per_cpu(wheels, cpu) = w;
	wake_up_process(w->thread);
	return 0;
}

static int wheel_init(void)
{
	unsigned int cpu;
	int err = 0;

	for_each_online_cpu(cpu)
		err = wheel_make(cpu) ?: err;
	BUG_ON(!per_cpu(wheels, 0));
	return err;
}
INITCALL(sched, wheel_init);
