/* SPDX-License-Identifier: MIT */
/*
 * Timers for protocols: many, armed and put off often, seldom due. Arming takes constant time,
 * whatever else is armed. A function runs in its CPU's wheel thread, with no lock held and
 * preemption on; it may take spinlocks and sleeping locks that are held for short, as others wait
 * for it.
 *
 * A timer comes up to an eighth of its time late (1 ms for those of up to 63 ms), never early. Time
 * is ktime_get_ns()'s. The timer belongs to the CPU that armed it last.
 *
 * One that may be armed while its function runs, or freed by others, needs a reference of its own:
 * wheel_arm() that says false begins it, the function, or wheel_cancel() that says true, ends it.
 */
#pragma once

#include <lib/list.h>

struct wheel_timer {
	struct list_head list;		/* its wheel's lock */
	u64 due;			/* ticks; that lock */
	void (*fn)(struct wheel_timer *t);	/* c */
	u16 cpu;			/* of the wheel that it is in; that wheel's lock */
	u16 slot;			/* WHEEL_IDLE: not armed; that lock */
};

#define WHEEL_IDLE 0xffff
#define WHEEL_TICK_SHIFT 20		/* a tick is 2^20 ns: 1.05 ms */

void wheel_init_timer(struct wheel_timer *t, void (*fn)(struct wheel_timer *t));
/*
 * Armed for DELAY_NS from now, also if it was armed for something else. True: it was. Not from hard
 * interrupts.
 */
bool wheel_arm(struct wheel_timer *t, u64 delay_ns);
/* For WHEN, a time of ktime_get_ns(); NOW is what that said lately. */
bool wheel_arm_as_of(struct wheel_timer *t, u64 when_ns, u64 now_ns);
/*
 * True: it was armed, and its function will not run for that. False: it was not, or its function
 * runs or is about to.
 */
bool wheel_cancel(struct wheel_timer *t);
/*
 * As wheel_cancel(), and its function does not run any more; the caller sees to it that nobody arms
 * it again. Sleeps.
 */
bool wheel_cancel_sync(struct wheel_timer *t);
static inline bool wheel_is_armed(const struct wheel_timer *t)
{
	return READ_ONCE(t->slot) != WHEEL_IDLE;
}

/* What is left until T is due; 0: not armed, or due. */
u64 wheel_left_ns(const struct wheel_timer *t);
