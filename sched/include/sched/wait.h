/* SPDX-License-Identifier: MIT */
/*
 * Wait queues: tasks (or callbacks) that wait for a condition. A waiter puts its entry on the queue, sets its state,
 * checks the condition and sleeps; a waker changes the condition and then calls wake_up, which runs each entry's
 * function under the queue's lock.
 */
#pragma once

#include <lib/list.h>
#include <kernel/spinlock.h>
#include <kernel/current.h>

struct task;
struct wait_queue_entry;
typedef int (*wait_queue_func_t)(struct wait_queue_entry *e, unsigned int mode, int flags, void *key);

#define WQ_FLAG_EXCLUSIVE 0x01
#define WQ_FLAG_PRIORITY 0x10

struct wait_queue_entry {
	unsigned int flags;
	void *private;
	wait_queue_func_t func;		/* <0: stop waking; 0: did not wake; >0: woke */
	struct list_head entry;		/* queue lock */
};
typedef struct wait_queue_entry wait_queue_entry_t;

typedef struct wait_queue_head {
	spinlock_t lock;
	struct list_head head;
} wait_queue_head_t;

#define __WAIT_QUEUE_HEAD_INIT(n) { .lock = __SPIN_LOCK_UNLOCKED(n), .head = LIST_HEAD_INIT((n).head) }
#define DECLARE_WAIT_QUEUE_HEAD(n) wait_queue_head_t n = __WAIT_QUEUE_HEAD_INIT(n)
#define init_waitqueue_head(q) do { spin_lock_init(&(q)->lock); INIT_LIST_HEAD(&(q)->head); } while (0)
#define DECLARE_WAITQUEUE(n, t) \
	struct wait_queue_entry n = { .private = (t), .func = default_wake_function, .entry = LIST_HEAD_INIT((n).entry) }
#define DEFINE_WAIT_FUNC(n, f) \
	struct wait_queue_entry n = { .private = current, .func = (f), .entry = LIST_HEAD_INIT((n).entry) }
#define DEFINE_WAIT(n) DEFINE_WAIT_FUNC(n, autoremove_wake_function)

static inline void init_waitqueue_func_entry(struct wait_queue_entry *e, wait_queue_func_t f)
{
	e->flags = 0;
	e->private = NULL;
	e->func = f;
	INIT_LIST_HEAD(&e->entry);
}

int default_wake_function(struct wait_queue_entry *e, unsigned int mode, int flags, void *key);
int autoremove_wake_function(struct wait_queue_entry *e, unsigned int mode, int flags, void *key);

void add_wait_queue(wait_queue_head_t *q, struct wait_queue_entry *e);
void add_wait_queue_exclusive(wait_queue_head_t *q, struct wait_queue_entry *e);
void remove_wait_queue(wait_queue_head_t *q, struct wait_queue_entry *e);
void prepare_to_wait(wait_queue_head_t *q, struct wait_queue_entry *e, int state);
void prepare_to_wait_exclusive(wait_queue_head_t *q, struct wait_queue_entry *e, int state);
/* 0, or -ERESTARTSYS (and E is off the queue) when a signal that STATE heeds is pending. */
long prepare_to_wait_event(wait_queue_head_t *q, struct wait_queue_entry *e, int state);
void finish_wait(wait_queue_head_t *q, struct wait_queue_entry *e);

void __wake_up(wait_queue_head_t *q, unsigned int mode, int nr_exclusive, void *key);
/* Q->lock was taken with spin_lock_irq() and nothing else around it; it is let go, in between too if many wait. */
void __wake_up_unlock_irq(wait_queue_head_t *q, unsigned int mode, int nr_exclusive, void *key) __releases(q->lock);
/* Any context. Wakes all waiters if they are few. False: they are many, and none was woken: a worker has to do it. */
bool wake_up_few(wait_queue_head_t *q, unsigned int mode, void *key);
/* Q->lock held: few enough wait that they may be woken up where interrupts are off. */
bool waitqueue_is_short(wait_queue_head_t *q);
void __wake_up_locked(wait_queue_head_t *q, unsigned int mode, int nr_exclusive, void *key);
void __wake_up_sync(wait_queue_head_t *q, unsigned int mode, int nr_exclusive, void *key);

#define TASK_RUNNING 0x0000
#define TASK_INTERRUPTIBLE 0x0001
#define TASK_UNINTERRUPTIBLE 0x0002
#define TASK_STOPPED_ 0x0004
#define TASK_TRACED_ 0x0008
#define TASK_DEAD 0x0080
#define TASK_WAKEKILL 0x0100
#define TASK_NOLOAD 0x0400
#define TASK_NEW 0x0800
#define TASK_KILLABLE (TASK_WAKEKILL | TASK_UNINTERRUPTIBLE)
#define TASK_STOPPED (TASK_WAKEKILL | TASK_STOPPED_)
#define TASK_TRACED TASK_TRACED_		/* SIGKILL wakes it by name, unless its tracer holds it */
#define TASK_IDLE (TASK_UNINTERRUPTIBLE | TASK_NOLOAD)
#define TASK_NORMAL (TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE)

/* A barrier orders the waiter's state before its look at the condition: pairs with try_to_wake_up. */
static inline bool waitqueue_active(wait_queue_head_t *q) { return !list_empty(&q->head); }
static inline bool wq_has_sleeper(wait_queue_head_t *q) { smp_mb(); return waitqueue_active(q); }

#define wake_up(q) __wake_up(q, TASK_NORMAL, 1, NULL)
#define wake_up_nr(q, n) __wake_up(q, TASK_NORMAL, n, NULL)
#define wake_up_all(q) __wake_up(q, TASK_NORMAL, 0, NULL)
#define wake_up_interruptible(q) __wake_up(q, TASK_INTERRUPTIBLE, 1, NULL)
#define wake_up_interruptible_all(q) __wake_up(q, TASK_INTERRUPTIBLE, 0, NULL)
#define wake_up_interruptible_sync_poll(q, m) __wake_up_sync(q, TASK_INTERRUPTIBLE, 1, poll_to_key(m))
#define poll_to_key(m) ((void *)(unsigned long)(u32)(m))
#define key_to_poll(k) ((u32)(unsigned long)(k))
/* The queue itself is going: a callback that stays on it must take itself off now. */
#define POLL_FREED 0x4000U
#define wake_up_poll(q, m) __wake_up(q, TASK_NORMAL, 1, poll_to_key(m))
#define wake_up_interruptible_poll(q, m) __wake_up(q, TASK_INTERRUPTIBLE, 1, poll_to_key(m))
#define wake_up_poll_unlock_irq(q, m) __wake_up_unlock_irq(q, TASK_NORMAL, 1, poll_to_key(m))
#define wake_up_locked(q) __wake_up_locked(q, TASK_NORMAL, 1, NULL)
#define wake_up_locked_poll(q, m) __wake_up_locked(q, TASK_NORMAL, 1, poll_to_key(m))

long schedule_timeout(long timeout_jiffies);
void schedule(void);

#define ___wait_event(q, cond, state, exclusive, ret, cmd) ({			\
	DEFINE_WAIT(__we);							\
	long __wr = ret;							\
	if (exclusive)								\
		__we.flags = WQ_FLAG_EXCLUSIVE;					\
	for (;;) {								\
		long __wi = prepare_to_wait_event(&(q), &__we, state);		\
		if (cond)							\
			break;							\
		if (__wi) {							\
			__wr = __wi;						\
			break;							\
		}								\
		cmd;								\
	}									\
	finish_wait(&(q), &__we);						\
	__wr; })

/* Each evaluates COND again after every wake-up. */
#define wait_event(q, cond) do {						\
	might_sleep();								\
	if (!(cond))								\
		(void)___wait_event(q, cond, TASK_UNINTERRUPTIBLE, 0, 0, schedule()); \
} while (0)
/* Of a kernel thread without work: it is no load, and may wait for ever. */
#define wait_event_idle(q, cond) do {						\
	might_sleep();								\
	if (!(cond))								\
		(void)___wait_event(q, cond, TASK_IDLE, 0, 0, schedule());	\
} while (0)
/* 0 or -ERESTARTSYS. */
#define wait_event_interruptible(q, cond) ({					\
	long __r = 0;								\
	might_sleep();								\
	if (!(cond))								\
		__r = ___wait_event(q, cond, TASK_INTERRUPTIBLE, 0, 0, schedule()); \
	(int)__r; })
#define wait_event_interruptible_exclusive(q, cond) ({				\
	long __r = 0;								\
	might_sleep();								\
	if (!(cond))								\
		__r = ___wait_event(q, cond, TASK_INTERRUPTIBLE, 1, 0, schedule()); \
	(int)__r; })
#define wait_event_killable(q, cond) ({						\
	long __r = 0;								\
	might_sleep();								\
	if (!(cond))								\
		__r = ___wait_event(q, cond, TASK_KILLABLE, 0, 0, schedule());	\
	(int)__r; })
/* Jiffies left (at least 1) when COND came true, 0 when the time ran out, or -ERESTARTSYS. */
#define __wait_event_timeout(q, cond, state, t) ___wait_event_timeout(q, cond, state, 0, t)
#define wait_event_killable_timeout(q, cond, t) ___wait_event_timeout(q, cond, TASK_KILLABLE, 0, t)
#define wait_event_interruptible_exclusive_timeout(q, cond, t) ___wait_event_timeout(q, cond, TASK_INTERRUPTIBLE, 1, t)
#define ___wait_event_timeout(q, cond, state, exclusive, t) ({			\
	long __left = (t);							\
	long __e = 0;								\
	might_sleep();								\
	if (!(cond))								\
		__e = ___wait_event(q, ({ bool __c = (cond); if (__c && !__left) __left = 1; __c || !__left; }), \
				    state, exclusive, 0, __left = schedule_timeout(__left)); \
	__e ? __e : ((cond) && !__left ? 1 : __left); })
#define wait_event_timeout(q, cond, t) __wait_event_timeout(q, cond, TASK_UNINTERRUPTIBLE, t)
#define wait_event_interruptible_timeout(q, cond, t) __wait_event_timeout(q, cond, TASK_INTERRUPTIBLE, t)

/* Sleep until absolute EXPIRES (ns, CLOCK); 0 timed out, -EINTR when STATE heeds a signal that came, 1 when woken. NULL: forever. */
int schedule_hrtimeout_until(const ktime_t *expires, clockid_t clock);
/* The same; the CPU counts as waiting for I/O while it is idle. */
int io_schedule_hrtimeout_until(const ktime_t *expires, clockid_t clock);
