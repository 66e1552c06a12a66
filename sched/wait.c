// SPDX-License-Identifier: MIT
/* Wait queues and completions. */
#include <lib/types.h>
#include <arch/irqflags.h>
#include <kernel/bug.h>
#include <kernel/preempt.h>
#include <sched/completion.h>
#include <sched/task.h>
#include <sched/upcalls.h>
#include <sched/wait.h>
#include <abi/errno.h>

#define WAKE_AT_ONCE 64		/* of those that wait, before others on this CPU have their turn */

int default_wake_function(struct wait_queue_entry *e, unsigned int mode, int flags, void *key)
{
	return try_to_wake_up(e->private, mode, flags);
}

int autoremove_wake_function(struct wait_queue_entry *e, unsigned int mode, int flags, void *key)
{
	int ok = default_wake_function(e, mode, flags, key);

	if (ok)
		list_del_init(&e->entry);	/* finish_wait() looks without the lock: pairs with its careful test */
	return ok;
}

void add_wait_queue(wait_queue_head_t *q, struct wait_queue_entry *e)
{
	unsigned long flags;

	e->flags &= ~(unsigned int)WQ_FLAG_EXCLUSIVE;
	spin_lock_irqsave(&q->lock, flags);
	list_add(&e->entry, &q->head);
	spin_unlock_irqrestore(&q->lock, flags);
}

void add_wait_queue_exclusive(wait_queue_head_t *q, struct wait_queue_entry *e)
{
	unsigned long flags;

	e->flags |= WQ_FLAG_EXCLUSIVE;
	spin_lock_irqsave(&q->lock, flags);
	list_add_tail(&e->entry, &q->head);
	spin_unlock_irqrestore(&q->lock, flags);
}

void remove_wait_queue(wait_queue_head_t *q, struct wait_queue_entry *e)
{
	unsigned long flags;

	spin_lock_irqsave(&q->lock, flags);
	list_del(&e->entry);
	spin_unlock_irqrestore(&q->lock, flags);
}

static void queue_entry(wait_queue_head_t *q, struct wait_queue_entry *e)
{
	if (!list_empty(&e->entry))
		return;
	if (e->flags & WQ_FLAG_EXCLUSIVE)
		list_add_tail(&e->entry, &q->head);
	else
		list_add(&e->entry, &q->head);
}

void prepare_to_wait(wait_queue_head_t *q, struct wait_queue_entry *e, int state)
{
	unsigned long flags;

	e->flags &= ~(unsigned int)WQ_FLAG_EXCLUSIVE;
	spin_lock_irqsave(&q->lock, flags);
	queue_entry(q, e);
	set_current_state((unsigned int)state);
	spin_unlock_irqrestore(&q->lock, flags);
}

void prepare_to_wait_exclusive(wait_queue_head_t *q, struct wait_queue_entry *e, int state)
{
	unsigned long flags;

	e->flags |= WQ_FLAG_EXCLUSIVE;
	spin_lock_irqsave(&q->lock, flags);
	queue_entry(q, e);
	set_current_state((unsigned int)state);
	spin_unlock_irqrestore(&q->lock, flags);
}

static bool signal_wants(int state)
{
	if (!(state & (TASK_INTERRUPTIBLE | TASK_WAKEKILL)) || !signal_pending(current))
		return false;
	return (state & TASK_INTERRUPTIBLE) || fatal_signal_pending(current);
}

long prepare_to_wait_event(wait_queue_head_t *q, struct wait_queue_entry *e, int state)
{
	unsigned long flags;
	long ret = 0;

	spin_lock_irqsave(&q->lock, flags);
	if (signal_wants(state)) {
		/* An exclusive waker must not have chosen us in vain: it removes who it wakes, so being off is being chosen;
		 * the caller looks at its condition once more before it gives up. */
		list_del_init(&e->entry);
		ret = -ERESTARTSYS;
	} else {
		queue_entry(q, e);
		set_current_state((unsigned int)state);
	}
	spin_unlock_irqrestore(&q->lock, flags);
	return ret;
}

void finish_wait(wait_queue_head_t *q, struct wait_queue_entry *e)
{
	unsigned long flags;

	__set_current_state(TASK_RUNNING);
	/* Off the list on both sides means that the waker is done with the entry. */
	if (smp_load_acquire(&e->entry.next) != &e->entry || READ_ONCE(e->entry.prev) != &e->entry) {
		spin_lock_irqsave(&q->lock, flags);
		list_del_init(&e->entry);
		spin_unlock_irqrestore(&q->lock, flags);
	} else {
		/* The waker holds the lock while it unlinks: wait until it has let go of the queue, which may be on our stack. */
		spin_lock_irqsave(&q->lock, flags);
		spin_unlock_irqrestore(&q->lock, flags);
	}
}

/* From E on. NULL: done; else where to go on, after @budget entries. */
static struct wait_queue_entry *wake_some(wait_queue_head_t *q, struct wait_queue_entry *e, unsigned int mode, int *nr_exclusive,
					  void *key, unsigned int budget)
{
	struct wait_queue_entry *next;

	for (; &e->entry != &q->head; e = next) {
		unsigned int f = e->flags;
		int ret;

		if (unlikely(!budget--))
			return e;
		next = list_next_entry(e, entry);
		ret = e->func(e, mode, 0, key);
		if (ret < 0 || (ret && (f & WQ_FLAG_EXCLUSIVE) && !--*nr_exclusive))
			break;
	}
	return NULL;
}

static void wake_locked(wait_queue_head_t *q, unsigned int mode, int nr_exclusive, void *key)
{
	wake_some(q, list_first_entry(&q->head, struct wait_queue_entry, entry), mode, &nr_exclusive, key, UINT_MAX);
}

static int mark_function(struct wait_queue_entry *e, unsigned int mode, int flags, void *key)
{
	return 0;
}

/*
 * There are many: some at a time, from E on. An entry of ours keeps the place while the lock is not held: who is behind it was there
 * before, or is exclusive and may as well be the one. The queue stays: it is somebody's whom more than a few wait for, not a waiter's.
 */
static noinline void wake_rest(wait_queue_head_t *q, struct wait_queue_entry *e, unsigned int mode, int nr_exclusive, void *key)
	__must_hold(q->lock)
{
	struct wait_queue_entry mark = { .func = mark_function };

	do {
		list_add_tail(&mark.entry, &e->entry);
		spin_unlock_irq(&q->lock);
		spin_lock_irq(&q->lock);
		e = list_next_entry(&mark, entry);
		list_del(&mark.entry);
		e = wake_some(q, e, mode, &nr_exclusive, key, WAKE_AT_ONCE);
	} while (e);
}

void __wake_up(wait_queue_head_t *q, unsigned int mode, int nr_exclusive, void *key)
{
	struct wait_queue_entry *e;
	unsigned long flags;

	spin_lock_irqsave(&q->lock, flags);
	e = wake_some(q, list_first_entry(&q->head, struct wait_queue_entry, entry), mode, &nr_exclusive, key, WAKE_AT_ONCE);
	if (unlikely(e)) {
		/* Nothing but the queue's own lock keeps interrupts and preemption off? */
		if (!arch_irqs_disabled_flags(flags) && preempt_count() == 1)
			wake_rest(q, e, mode, nr_exclusive, key);
		else
			wake_some(q, e, mode, &nr_exclusive, key, UINT_MAX);
	}
	spin_unlock_irqrestore(&q->lock, flags);
}

void __wake_up_unlock_irq(wait_queue_head_t *q, unsigned int mode, int nr_exclusive, void *key) __releases(q->lock)
{
	struct wait_queue_entry *e;

	e = wake_some(q, list_first_entry(&q->head, struct wait_queue_entry, entry), mode, &nr_exclusive, key, WAKE_AT_ONCE);
	if (unlikely(e))
		wake_rest(q, e, mode, nr_exclusive, key);
	spin_unlock_irq(&q->lock);
}

bool waitqueue_is_short(wait_queue_head_t *q)
{
	struct wait_queue_entry *e;
	int n = 0;

	list_for_each_entry(e, &q->head, entry)
		if (++n > WAKE_AT_ONCE)
			return false;
	return true;
}

bool wake_up_few(wait_queue_head_t *q, unsigned int mode, void *key)
{
	unsigned long flags;
	bool few;

	spin_lock_irqsave(&q->lock, flags);
	few = waitqueue_is_short(q);
	if (likely(few))
		wake_locked(q, mode, 0, key);
	spin_unlock_irqrestore(&q->lock, flags);
	return few;
}

void __wake_up_locked(wait_queue_head_t *q, unsigned int mode, int nr_exclusive, void *key)
{
	wake_locked(q, mode, nr_exclusive, key);
}

void __wake_up_sync(wait_queue_head_t *q, unsigned int mode, int nr_exclusive, void *key)
{
	__wake_up(q, mode, nr_exclusive, key);
}

/* ---- completions ---- */

void complete(struct completion *c)
{
	unsigned long flags;

	spin_lock_irqsave(&c->wait.lock, flags);
	if (c->done != UINT_MAX)
		c->done++;
	wake_locked(&c->wait, TASK_NORMAL, 1, NULL);
	spin_unlock_irqrestore(&c->wait.lock, flags);
}

void complete_all(struct completion *c)
{
	unsigned long flags;

	spin_lock_irqsave(&c->wait.lock, flags);
	c->done = UINT_MAX;
	wake_locked(&c->wait, TASK_NORMAL, 0, NULL);
	spin_unlock_irqrestore(&c->wait.lock, flags);
}

static long wait_common(struct completion *c, long timeout, int state)
{
	DEFINE_WAIT_FUNC(w, default_wake_function);
	long ret = timeout;

	might_sleep();
	w.flags = WQ_FLAG_EXCLUSIVE;
	spin_lock_irq(&c->wait.lock);
	if (!c->done) {
		list_add_tail(&w.entry, &c->wait.head);
		do {
			if (signal_wants(state)) {
				ret = -ERESTARTSYS;
				break;
			}
			__set_current_state((unsigned int)state);
			spin_unlock_irq(&c->wait.lock);
			ret = schedule_timeout(ret);
			spin_lock_irq(&c->wait.lock);
		} while (!c->done && ret);
		__set_current_state(TASK_RUNNING);
		list_del(&w.entry);
	}
	if (c->done) {
		if (c->done != UINT_MAX)
			c->done--;
		if (ret <= 0)
			ret = 1;
	}
	spin_unlock_irq(&c->wait.lock);
	return ret;
}

void wait_for_completion(struct completion *c)
{
	wait_common(c, MAX_SCHEDULE_TIMEOUT, TASK_UNINTERRUPTIBLE);
}

int wait_for_completion_interruptible(struct completion *c)
{
	long r = wait_common(c, MAX_SCHEDULE_TIMEOUT, TASK_INTERRUPTIBLE);

	return r < 0 ? (int)r : 0;
}

int wait_for_completion_killable(struct completion *c)
{
	long r = wait_common(c, MAX_SCHEDULE_TIMEOUT, TASK_KILLABLE);

	return r < 0 ? (int)r : 0;
}

unsigned long wait_for_completion_timeout(struct completion *c, unsigned long timeout)
{
	return (unsigned long)wait_common(c, (long)timeout, TASK_UNINTERRUPTIBLE);
}

bool completion_done(struct completion *c)
{
	unsigned long flags;
	bool done;

	spin_lock_irqsave(&c->wait.lock, flags);
	done = c->done;
	spin_unlock_irqrestore(&c->wait.lock, flags);
	return done;
}
