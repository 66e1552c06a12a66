// SPDX-License-Identifier: MIT
/*
 * Mutexes. owner holds the task pointer and two flags: WAITERS (unlock must look at the queue) and HANDOFF (the first
 * waiter was passed over: the next unlock gives it the lock directly). A contender spins while the owner runs on a CPU,
 * since sleeping would cost more than what is left of the section; then it queues.
 */
#include <lib/types.h>
#include <kernel/bug.h>
#include <sched/mutex.h>
#include <sched/task.h>
#include <sched/upcalls.h>
#include <abi/errno.h>

#define F_WAITERS 1UL
#define F_HANDOFF 2UL
#define F_MASK 3UL

struct mutex_waiter {
	struct list_head list;
	struct task *task;
};

static inline struct task *owner_task(unsigned long o)
{
	return (struct task *)(o & ~F_MASK);
}

static bool try_take(struct mutex *m)
{
	unsigned long old = READ_ONCE(m->owner), me = (unsigned long)current;

	for (;;) {
		if (owner_task(old)) {
			if (owner_task(old) != current || !(old & F_HANDOFF))
				return false;
			/* handed to us: clear the mark */
			if (try_cmpxchg_acquire(&m->owner, &old, old & ~F_HANDOFF))
				return true;
			continue;
		}
		if (try_cmpxchg_acquire(&m->owner, &old, me | (old & F_WAITERS)))
			return true;
	}
}

/* True when the lock was taken while its owner ran. */
static bool spin_on_owner(struct mutex *m)
{
	bool got = false;

	preempt_disable();
	rcu_read_lock();
	while (!need_resched()) {
		unsigned long o = READ_ONCE(m->owner);
		struct task *t = owner_task(o);

		if (!t) {
			if (o & F_HANDOFF)
				break;
			if (try_take(m)) {
				got = true;
				break;
			}
			continue;
		}
		/* RCU keeps a task structure that owner pointed to. */
		if ((o & F_HANDOFF) || !READ_ONCE(t->on_cpu))
			break;
		cpu_relax();
	}
	rcu_read_unlock();
	preempt_enable();
	return got;
}

static noinline int lock_slow(struct mutex *m, unsigned int state)
{
	struct mutex_waiter w = { .task = current };
	bool first;

	if (nr_cpu_ids > 1 && spin_on_owner(m))
		return 0;
	spin_lock(&m->wait_lock);
	list_add_tail(&w.list, &m->wait_list);
	__atomic_fetch_or(&m->owner, F_WAITERS, __ATOMIC_RELAXED);
	for (;;) {
		if (try_take(m))
			break;
		if ((state & (TASK_INTERRUPTIBLE | TASK_WAKEKILL)) && signal_pending(current) &&
		    ((state & TASK_INTERRUPTIBLE) || fatal_signal_pending(current))) {
			list_del(&w.list);
			if (list_empty(&m->wait_list))
				__atomic_fetch_and(&m->owner, ~F_MASK, __ATOMIC_RELAXED);
			__set_current_state(TASK_RUNNING);
			spin_unlock(&m->wait_lock);
			return -EINTR;
		}
		set_current_state(state);
		if (try_take(m))
			break;
		spin_unlock(&m->wait_lock);
		schedule();
		spin_lock(&m->wait_lock);
		first = list_first_entry(&m->wait_list, struct mutex_waiter, list) == &w;
		if (first) {		/* woken once and passed over: next time it is ours */
			unsigned long o = READ_ONCE(m->owner);

			while (owner_task(o) && owner_task(o) != current &&
			       !try_cmpxchg_relaxed(&m->owner, &o, o | F_HANDOFF))
				;
		}
	}
	__set_current_state(TASK_RUNNING);
	list_del(&w.list);
	if (list_empty(&m->wait_list))
		__atomic_fetch_and(&m->owner, ~F_MASK, __ATOMIC_RELAXED);
	spin_unlock(&m->wait_lock);
	return 0;
}

#ifdef CONFIG_LOCKDEP
#define dep_acquire(m, sub, try) lock_acquire(&(m)->map, sub, try, 0, true, _RET_IP_)
#define dep_release(m) lock_release(&(m)->map, _RET_IP_)
#else
#define dep_acquire(m, sub, try) do { } while (0)
#define dep_release(m) do { } while (0)
#endif

void mutex_lock_nested(struct mutex *m, unsigned int subclass) __acquires(m)
{
	unsigned long old = 0;

	might_sleep();
	dep_acquire(m, subclass, false);
	if (unlikely(!try_cmpxchg_acquire(&m->owner, &old, (unsigned long)current)))
		lock_slow(m, TASK_UNINTERRUPTIBLE);
	__acquire(m);
}

void mutex_lock(struct mutex *m) __acquires(m)
{
	unsigned long old = 0;

	might_sleep();
	dep_acquire(m, 0, false);
	if (unlikely(!try_cmpxchg_acquire(&m->owner, &old, (unsigned long)current)))
		lock_slow(m, TASK_UNINTERRUPTIBLE);
	__acquire(m);
}

static int lock_signal(struct mutex *m, unsigned int state)
{
	unsigned long old = 0;
	int e = 0;

	might_sleep();
	if (unlikely(!try_cmpxchg_acquire(&m->owner, &old, (unsigned long)current)))
		e = lock_slow(m, state);
	if (!e)
		dep_acquire(m, 0, false);
	return e;
}

int (mutex_lock_interruptible)(struct mutex *m)
{
	return lock_signal(m, TASK_INTERRUPTIBLE);
}

int (mutex_lock_killable)(struct mutex *m)
{
	return lock_signal(m, TASK_KILLABLE);
}

bool (mutex_trylock)(struct mutex *m)
{
	bool ok = try_take(m);

	if (ok)
		dep_acquire(m, 0, true);
	return ok;
}

static noinline void unlock_slow(struct mutex *m)
{
	struct task *next = NULL;
	unsigned long old, new;

	/* Let go first, unless it must be handed over: who spins may have it at once. */
	old = READ_ONCE(m->owner);
	for (;;) {
		if (old & F_HANDOFF)
			break;
		if (try_cmpxchg_release(&m->owner, &old, old & F_WAITERS)) {
			if (!(old & F_WAITERS))
				return;
			break;
		}
	}
	spin_lock(&m->wait_lock);
	if (!list_empty(&m->wait_list)) {
		next = list_first_entry(&m->wait_list, struct mutex_waiter, list)->task;
		get_task_struct(next);
	}
	if (old & F_HANDOFF) {
		new = next ? (unsigned long)next | F_WAITERS | F_HANDOFF : 0;
		__atomic_store_n(&m->owner, new, __ATOMIC_RELEASE);
	}
	spin_unlock(&m->wait_lock);
	if (next) {
		wake_up_process(next);
		put_task_struct(next);
	}
}

void mutex_unlock(struct mutex *m) __releases(m)
{
	unsigned long old = (unsigned long)current;

	dep_release(m);
	DEBUG_ON(owner_task(READ_ONCE(m->owner)) != current);
	if (unlikely(!try_cmpxchg_release(&m->owner, &old, 0UL)))
		unlock_slow(m);
	__release(m);
}
