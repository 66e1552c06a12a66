/* SPDX-License-Identifier: MIT */
/*
 * Clocks and timers. Everything is nanoseconds in 64 bits. One clock source per machine (arch); CLOCK_MONOTONIC is
 * it, REALTIME and BOOTTIME are offsets, adjusted under a sequence lock. Timers are one-shot, kept in per-CPU trees;
 * the hardware is programmed for the earliest, and an idle CPU has no tick.
 */
#pragma once

#include <lib/types.h>
#include <lib/rbtree.h>
#include <lib/time.h>

#define HZ 250			/* ticks a second on a busy CPU; also the unit of jiffies */
#define TICK_NSEC (NSEC_PER_SEC / HZ)
#define USER_HZ 100		/* the unit of clock_t in the ABI */
#define MAX_SCHEDULE_TIMEOUT LONG_MAX

u64 ktime_get_ns(void);			/* CLOCK_MONOTONIC */
u64 ktime_get_real_ns(void);
u64 ktime_get_boottime_ns(void);
u64 ktime_get_coarse_ns(void);		/* as of the last tick; no hardware access */
u64 ktime_get_real_coarse_ns(void);	/* for file timestamps; at most a tick old */
s64 ktime_real_offset_ns(void);		/* REALTIME - MONOTONIC */
/* Sets CLOCK_REALTIME; wakes TFD_TIMER_CANCEL_ON_SET readers through the upcall below. -EINVAL: out of range, or less than CLOCK_MONOTONIC. Sleeps. */
int ktime_set_real_ns(u64 ns);
bool ktime_may_be_set(u64 ns);		/* is it in range? */
void clock_was_set(void);		/* upcall, ipc/ */
static inline ktime_t ktime_get(void) { return (ktime_t)ktime_get_ns(); }
static inline u64 ktime_get_seconds(void) { return ktime_get_ns() / NSEC_PER_SEC; }
static inline u64 ktime_get_real_seconds(void) { return ktime_get_real_ns() / NSEC_PER_SEC; }
static inline unsigned long jiffies_now(void) { return ktime_get_coarse_ns() / TICK_NSEC; }
#define jiffies jiffies_now()
#define time_after(a, b) ((long)((b) - (a)) < 0)
#define time_before(a, b) time_after(b, a)
static inline unsigned long msecs_to_jiffies(unsigned int ms) { return ((u64)ms * HZ + 999) / 1000; }
static inline u64 nsec_to_clock_t(u64 ns) { return ns / (NSEC_PER_SEC / USER_HZ); }

static inline ktime_t ktime_add_safe(ktime_t a, ktime_t b)
{
	ktime_t r;

	return __builtin_add_overflow(a, b, &r) ? KTIME_MAX : r;
}

enum hrtimer_restart { HRTIMER_NORESTART, HRTIMER_RESTART };
enum hrtimer_mode { HRTIMER_MODE_ABS = 0, HRTIMER_MODE_REL = 1 };

/* base: CLOCK_MONOTONIC, CLOCK_REALTIME or CLOCK_BOOTTIME (<linux/time.h>). The function runs in hard interrupt context. */
struct hrtimer {
	struct rb_node node;		/* base lock */
	s64 expires;			/* base lock; on the timer's own clock */
	enum hrtimer_restart (*function)(struct hrtimer *t);
	u8 clock;			/* 0 monotonic, 1 realtime, 2 boottime */
	u8 state;			/* base lock; queued, or callback being run */
	u16 cpu;			/* whose tree */
};

void hrtimer_init(struct hrtimer *t, clockid_t clock, enum hrtimer_restart (*fn)(struct hrtimer *));
/* Of one that is neither pending nor running. */
void hrtimer_set_clock(struct hrtimer *t, clockid_t clock);
void hrtimer_start(struct hrtimer *t, ktime_t when, enum hrtimer_mode mode);
/* 1 when it was pending, 0 when not, -1 when its function runs right now. */
int hrtimer_try_to_cancel(struct hrtimer *t);
/* Waits for a running function. 1 when it was pending. */
int hrtimer_cancel(struct hrtimer *t);
bool hrtimer_active(const struct hrtimer *t);
/* Not: its function runs. */
bool hrtimer_is_queued(const struct hrtimer *t);
/* Time left, maybe negative. */
ktime_t hrtimer_get_remaining(const struct hrtimer *t);
/* Moves the expiry past NOW by whole INTERVALs; how many, 0 of one that is queued. For use by the function, before HRTIMER_RESTART. */
u64 hrtimer_forward(struct hrtimer *t, ktime_t now, ktime_t interval);
ktime_t hrtimer_cb_get_time(const struct hrtimer *t);	/* now, on the timer's clock */

/* Coarse timers, to the tick, cheap to restart; run in hard interrupt context. */
struct timer_list {
	struct hrtimer hr;
	void (*function)(struct timer_list *t);
};

void timer_setup(struct timer_list *t, void (*fn)(struct timer_list *), unsigned int flags);
/* EXPIRES in jiffies. Nonzero when it was pending. */
int mod_timer(struct timer_list *t, unsigned long expires);
int timer_delete(struct timer_list *t);
int timer_delete_sync(struct timer_list *t);
bool timer_pending(const struct timer_list *t);
#define from_timer(var, t, field) container_of(t, __typeof__(*(var)), field)

/* From the scheduler. */
void tick_start(void);			/* this CPU got something to run */
void tick_stop_idle(void);		/* it idles: program only the next timer */
u64 sched_clock(void);			/* ns, this CPU, no locks */

/* Delays that burn cycles: only for hardware that asks for them. */
void udelay(unsigned long us);
void ndelay(unsigned long ns);
