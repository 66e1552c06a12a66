// SPDX-License-Identifier: MIT
/*
 * Read-write semaphores. count: bit 0 a writer has it, bit 1 somebody waits, from bit 8 readers. While somebody waits
 * nobody new gets in past the queue, so neither side starves; a writer whose owner runs is spun on first.
 */
#include <lib/types.h>
#include <kernel/bug.h>
#include <kernel/percpu.h>
#include <kernel/rcu.h>
#include <sched/mutex.h>
#include <sched/task.h>
#include <sched/upcalls.h>
#include <abi/errno.h>

#define RW_WRITER_BIT 1L
#define RW_WAIT_BIT 2L
#define RW_ONE_READER 256L

struct rwsem_waiter {
	struct list_head list;
	struct task *task;	/* NULL: the lock is granted, store-released */
	bool writer;
};

/* Grants the head of the queue what can be granted; wait_lock held. */
static void grant(struct rw_semaphore *s)
{
	struct rwsem_waiter *w, *n;
	bool any_reader = false;

	list_for_each_entry_safe(w, n, &s->wait_list, list) {
		struct task *t = w->task;

		if (w->writer) {
			s64 old = RW_WAIT_BIT;

			if (any_reader)
				break;
			if (!try_cmpxchg_acquire(&s->count, &old, RW_WRITER_BIT | RW_WAIT_BIT))
				break;
			s->owner = (unsigned long)t;
		} else if (!any_reader) {
			/* A reader may have slipped in before WAIT was seen; a writer may not have. */
			s64 old = __atomic_fetch_add(&s->count, RW_ONE_READER, __ATOMIC_ACQUIRE);

			if (old & RW_WRITER_BIT) {
				__atomic_fetch_sub(&s->count, RW_ONE_READER, __ATOMIC_RELAXED);
				break;
			}
			any_reader = true;
		} else {
			__atomic_fetch_add(&s->count, RW_ONE_READER, __ATOMIC_ACQUIRE);
		}
		list_del(&w->list);
		get_task_struct(t);
		smp_store_release(&w->task, NULL);	/* W is on T's stack: not ours from here */
		wake_up_process(t);
		put_task_struct(t);
		if (!any_reader)
			break;
	}
	if (list_empty(&s->wait_list))
		__atomic_fetch_and(&s->count, ~RW_WAIT_BIT, __ATOMIC_RELAXED);
}

static noinline int wait_turn(struct rw_semaphore *s, bool writer, unsigned int state)
{
	struct rwsem_waiter w = { .task = current, .writer = writer };
	s64 c;

	spin_lock(&s->wait_lock);
	list_add_tail(&w.list, &s->wait_list);
	c = __atomic_or_fetch(&s->count, RW_WAIT_BIT, __ATOMIC_SEQ_CST);
	/* Whoever held it may have left before the bit was there. */
	if (!(c & RW_WRITER_BIT) && (!writer || c == RW_WAIT_BIT))
		grant(s);
	spin_unlock(&s->wait_lock);
	for (;;) {
		set_current_state(state);
		if (!smp_load_acquire(&w.task))
			break;
		if ((state & (TASK_INTERRUPTIBLE | TASK_WAKEKILL)) && signal_pending(current) &&
		    ((state & TASK_INTERRUPTIBLE) || fatal_signal_pending(current))) {
			spin_lock(&s->wait_lock);
			if (w.task) {
				list_del(&w.list);
				c = READ_ONCE(s->count);
				if (list_empty(&s->wait_list))
					__atomic_fetch_and(&s->count, ~RW_WAIT_BIT, __ATOMIC_RELAXED);
				else if (!(c & RW_WRITER_BIT))
					grant(s);
				spin_unlock(&s->wait_lock);
				__set_current_state(TASK_RUNNING);
				return -EINTR;
			}
			spin_unlock(&s->wait_lock);
			break;
		}
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

static bool spin_for_write(struct rw_semaphore *s)
{
	bool got = false;

	preempt_disable();
	rcu_read_lock();
	while (!need_resched()) {
		s64 c = READ_ONCE(s->count), zero = 0;
		struct task *t = (struct task *)READ_ONCE(s->owner);

		if (!c && try_cmpxchg_acquire(&s->count, &zero, RW_WRITER_BIT)) {
			s->owner = (unsigned long)current;
			got = true;
			break;
		}
		if ((c & RW_WAIT_BIT) || !(c & RW_WRITER_BIT) || !t || !READ_ONCE(t->on_cpu))
			break;
		cpu_relax();
	}
	rcu_read_unlock();
	preempt_enable();
	return got;
}

#ifdef CONFIG_LOCKDEP
#define dep_acquire(s, sub, try, rd) lock_acquire(&(s)->map, sub, try, rd, true, _RET_IP_)
#define dep_release(s) lock_release(&(s)->map, _RET_IP_)
#else
#define dep_acquire(s, sub, try, rd) do { } while (0)
#define dep_release(s) do { } while (0)
#endif

static __always_inline bool read_fast(struct rw_semaphore *s)
{
	s64 c = READ_ONCE(s->count);

	while (!(c & (RW_WRITER_BIT | RW_WAIT_BIT)))
		if (try_cmpxchg_acquire(&s->count, &c, c + RW_ONE_READER))
			return true;
	return false;
}

bool (down_read_trylock)(struct rw_semaphore *s)
{
	bool ok = read_fast(s);

	if (ok)
		dep_acquire(s, 0, true, 1);
	return ok;
}

void down_read(struct rw_semaphore *s) __acquires(s)
{
	might_sleep();
	dep_acquire(s, 0, false, 1);
	if (unlikely(!read_fast(s)))
		wait_turn(s, false, TASK_UNINTERRUPTIBLE);
	__acquire(s);
}

void down_read_nested(struct rw_semaphore *s, int subclass) __acquires(s)
{
	might_sleep();
	dep_acquire(s, subclass, false, 1);
	if (unlikely(!read_fast(s)))
		wait_turn(s, false, TASK_UNINTERRUPTIBLE);
	__acquire(s);
}

static int down_read_state(struct rw_semaphore *s, unsigned int state, int subclass)
{
	int e = 0;

	might_sleep();
	if (unlikely(!read_fast(s)))
		e = wait_turn(s, false, state);
	if (!e)
		dep_acquire(s, subclass, false, 1);
	return e;
}

int (down_read_killable)(struct rw_semaphore *s)
{
	return down_read_state(s, TASK_KILLABLE, 0);
}

int (down_read_killable_nested)(struct rw_semaphore *s, int subclass)
{
	return down_read_state(s, TASK_KILLABLE, subclass);
}

int (down_read_interruptible)(struct rw_semaphore *s)
{
	return down_read_state(s, TASK_INTERRUPTIBLE, 0);
}

static noinline void wake_waiters(struct rw_semaphore *s)
{
	spin_lock(&s->wait_lock);
	if (!(READ_ONCE(s->count) & RW_WRITER_BIT) && !list_empty(&s->wait_list))
		grant(s);
	spin_unlock(&s->wait_lock);
}

void up_read(struct rw_semaphore *s) __releases(s)
{
	dep_release(s);
	if (unlikely(__atomic_sub_fetch(&s->count, RW_ONE_READER, __ATOMIC_RELEASE) == RW_WAIT_BIT))
		wake_waiters(s);
	__release(s);
}

bool (down_write_trylock)(struct rw_semaphore *s)
{
	s64 old = 0;

	if (!try_cmpxchg_acquire(&s->count, &old, RW_WRITER_BIT))
		return false;
	s->owner = (unsigned long)current;
	dep_acquire(s, 0, true, 0);
	return true;
}

static int down_write_state(struct rw_semaphore *s, unsigned int state)
{
	s64 old = 0;

	might_sleep();
	if (likely(try_cmpxchg_acquire(&s->count, &old, RW_WRITER_BIT))) {
		s->owner = (unsigned long)current;
		return 0;
	}
	if (nr_cpu_ids > 1 && spin_for_write(s))
		return 0;
	return wait_turn(s, true, state);
}

void down_write(struct rw_semaphore *s) __acquires(s)
{
	dep_acquire(s, 0, false, 0);
	down_write_state(s, TASK_UNINTERRUPTIBLE);
	__acquire(s);
}

void down_write_nested(struct rw_semaphore *s, int subclass) __acquires(s)
{
	dep_acquire(s, subclass, false, 0);
	down_write_state(s, TASK_UNINTERRUPTIBLE);
	__acquire(s);
}

int (down_write_killable)(struct rw_semaphore *s)
{
	int e = down_write_state(s, TASK_KILLABLE);

	if (!e)
		dep_acquire(s, 0, false, 0);
	return e;
}

void up_write(struct rw_semaphore *s) __releases(s)
{
	dep_release(s);
	WRITE_ONCE(s->owner, 0);
	if (unlikely(__atomic_sub_fetch(&s->count, RW_WRITER_BIT, __ATOMIC_RELEASE) & RW_WAIT_BIT))
		wake_waiters(s);
	__release(s);
}

void downgrade_write(struct rw_semaphore *s)
{
	WRITE_ONCE(s->owner, 0);
	if (__atomic_add_fetch(&s->count, RW_ONE_READER - RW_WRITER_BIT, __ATOMIC_RELEASE) & RW_WAIT_BIT)
		wake_waiters(s);
}

/* ---- per-CPU readers ---- */

int percpu_init_rwsem(struct percpu_rw_semaphore *s)
{
	s->readers = alloc_percpu(int);
	s->writer = false;
	mutex_init(&s->lock);
	init_waitqueue_head(&s->wq);
	return s->readers ? 0 : -ENOMEM;
}

void percpu_free_rwsem(struct percpu_rw_semaphore *s)
{
	free_percpu(s->readers);
}

static bool percpu_try_read(struct percpu_rw_semaphore *s)
{
	bool ok;

	preempt_disable();
	__atomic_fetch_add(this_cpu_ptr(s->readers), 1, __ATOMIC_SEQ_CST);
	ok = !__atomic_load_n(&s->writer, __ATOMIC_SEQ_CST);	/* pairs with the writer's store, then sum */
	if (!ok)
		__atomic_fetch_sub(this_cpu_ptr(s->readers), 1, __ATOMIC_SEQ_CST);
	preempt_enable();
	if (!ok)
		wake_up_all(&s->wq);
	return ok;
}

void percpu_down_read(struct percpu_rw_semaphore *s) __acquires(s)
{
	might_sleep();
	while (!percpu_try_read(s))
		wait_event(s->wq, !READ_ONCE(s->writer));
	__acquire(s);
}

void percpu_up_read(struct percpu_rw_semaphore *s) __releases(s)
{
	preempt_disable();
	__atomic_fetch_sub(this_cpu_ptr(s->readers), 1, __ATOMIC_SEQ_CST);
	preempt_enable();
	if (unlikely(__atomic_load_n(&s->writer, __ATOMIC_SEQ_CST)))
		wake_up_all(&s->wq);
	__release(s);
}

static bool no_readers(struct percpu_rw_semaphore *s)
{
	unsigned int cpu;
	int n = 0;

	for_each_possible_cpu(cpu)
		n += __atomic_load_n(per_cpu_ptr(s->readers, cpu), __ATOMIC_SEQ_CST);
	return n == 0;
}

void percpu_down_write(struct percpu_rw_semaphore *s) __acquires(s)
{
	mutex_lock(&s->lock);
	__atomic_store_n(&s->writer, true, __ATOMIC_SEQ_CST);
	wait_event(s->wq, no_readers(s));
}

void percpu_up_write(struct percpu_rw_semaphore *s) __releases(s)
{
	__atomic_store_n(&s->writer, false, __ATOMIC_SEQ_CST);
	wake_up_all(&s->wq);
	mutex_unlock(&s->lock);
}
