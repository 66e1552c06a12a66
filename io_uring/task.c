// SPDX-License-Identifier: MIT
/*
 * Tasks that submit. Each has a list of requests to which something happened, and runs it before it
 * returns to user mode, or while it waits in io_uring_enter(2); of a ring with
 * IORING_SETUP_DEFER_TASKRUN the list is the ring's and is run when the program asks for events.
 *
 * A task that ends, or replaces its program, has its requests stopped and waits for those that
 * cannot be, before its files and its memory go: no request has a task that is gone.
 */
#include <lib/err.h>
#include <alloc/slab.h>
#include <ipc/eventfd.h>
#include <kernel/bug.h>
#include <proc/upcalls.h>
#include <vfs/file.h>
#include <vfs/poll.h>
#include <abi/errno.h>
#include "io_uring/ring_priv.h"

static void run_work(struct task_work *w)
{
	struct uring_task *t = current->uring;

	(void)w;
	if (!t)
		return;		/* it came late, and there is no request any more */
	clear_bit(0, &t->work_queued);
	smp_mb__after_atomic();	/* what comes from here on is seen, or queues this again */
	uring_run_tasks_own(t);
}

struct uring_task *uring_task_get(const struct uring *u)
{
	struct uring_task *t = current->uring;

	if (likely(t))
		return t;
	t = kzalloc(sizeof(*t), GFP_KERNEL_ACCOUNT);
	if (!t)
		return NULL;
	t->task = current;
	xa_init(&t->rings);
	init_waitqueue_head(&t->idle);
	uring_pool_init(&t->pool, u->sq_entries);
	current->uring_work.func = run_work;
	current->uring = t;
	return t;
}

/* ---- which rings ---- */

void uring_set_submitter(struct uring *u)
{
	get_task_struct(current);
	u->submitter = current;
}

int uring_task_join(struct uring *u, struct uring_task *t)
{
	struct uring_node *n;
	int e;

	uring_assert(u);
	if (u->flags & IORING_SETUP_SINGLE_ISSUER) {
		if (u->submitter && u->submitter != current)
			return -EEXIST;
		if (!u->submitter)
			uring_set_submitter(u);
	}
	if (likely(t->last_ring == u) || xa_load(&t->rings, (unsigned long)u >> 3)) {
		t->last_ring = u;
		return 0;
	}
	n = kmalloc(sizeof(*n), GFP_KERNEL_ACCOUNT);
	if (!n)
		return -ENOMEM;
	n->ring = u;
	n->task = t;
	e = xa_insert(&t->rings, (unsigned long)u >> 3, n, GFP_KERNEL_ACCOUNT);
	if (e) {
		kfree(n);
		return e;
	}
	list_add(&n->list, &u->tasks);
	uring_pool_used(t);
	uring_pool_limits(&t->pool, u->worker_limits, NULL);
	t->last_ring = u;
	return 0;
}

static void leave(struct uring_node *n)
{
	struct uring *u = n->ring;

	uring_assert(u);
	/* Another ring may come to where this one was. */
	cmpxchg(&n->task->last_ring, u, NULL);
	rcu_read_lock();	/* from here on the task may go */
	xa_erase(&n->task->rings, (unsigned long)n->ring >> 3);
	uring_pool_used(n->task);
	rcu_read_unlock();
	list_del(&n->list);
	kfree(n);
}

static void uring_tasks_leave(struct uring *u)
{
	struct uring_node *n, *next;

	list_for_each_entry_safe(n, next, &u->tasks, list)
		leave(n);
}

/* A ring that T is in, from *AT on, referenced; NULL. */
static struct uring *next_ring(struct uring_task *t, unsigned long *at)
{
	struct uring_node *n;
	struct uring *u = NULL;

	xa_lock(&t->rings);
	n = xa_find(&t->rings, at, ULONG_MAX, XA_PRESENT);
	/* Its file is open: who closes it takes the node out first, under this lock. */
	if (n) {
		u = n->ring;
		uring_get(u);
	}
	xa_unlock(&t->rings);
	return u;
}

/* ---- work ---- */

void uring_work_came(struct uring_task *t)
{
	/* A task that takes no more work waits for its requests, or has none. */
	if (!test_and_set_bit(0, &t->work_queued))
		(void)task_work_add(t->task, &t->task->uring_work, true);
	else
		task_work_interrupt(t->task);
	if (READ_ONCE(t->ends))
		wake_up_all(&t->idle);
}

/* The ring is closed: nobody asks it for events any more. */
static void move_deferred(struct uring *u)
{
	struct llist_node *n = llist_reverse_order(llist_del_all(&u->work)), *next;

	for (; n; n = next) {
		struct uring_task *t = container_of(n, struct uring_req, run_node)->task;

		next = n->next;
		if (llist_add(n, &t->work))
			uring_work_came(t);
	}
}

void uring_tasks_close(struct uring *u)
{
	uring_assert(u);
	uring_tasks_leave(u);
	WRITE_ONCE(u->closed, true);
	uring_close_reqs(u);
	smp_mb(); /* pairs with uring_deferred_came()'s */
	rcu_read_lock();
	move_deferred(u);
	rcu_read_unlock();
}

void uring_deferred_came(struct uring *u, struct uring_task *t, bool told)
{
	if (u->flags & IORING_SETUP_TASKRUN_FLAG)
		atomic_or(IORING_SQ_TASKRUN, &u->shared->sq_flags);
	/* The work is there before the looks: pairs with enter.c's, uring_tasks_close()'s. */
	smp_mb();
	if (unlikely(READ_ONCE(u->closed))) {
		move_deferred(u);
		return;
	}
	if (READ_ONCE(u->waiter))
		wake_up_process(t->task);
	if (READ_ONCE(t->ends))
		wake_up_all(&t->idle);
	told |= !uring_tells_eventfd(u);
	if (!told)
		set_bit(0, &u->tell_eventfd);
	/* Not from here: this may be another file's wait queue. */
	if ((waitqueue_active(&u->poll_wait) || !told) && refcount_inc_not_zero(&u->refs) &&
	    !schedule_work(&u->tell))
		uring_put(u);
}

/* Runs those from N on that are of N's ring. The first of another ring; NULL. */
static struct llist_node *run_one_ring(struct llist_node *n)
{
	struct uring_req *r = container_of(n, struct uring_req, run_node);
	struct uring *u = r->ring;

	uring_get(u);
	mutex_lock(&u->lock);
	do {
		n = n->next;
		uring_run(r);
		cond_resched();
		r = n ? container_of(n, struct uring_req, run_node) : NULL;
	} while (r && r->ring == u);
	uring_settle(u);
	mutex_unlock(&u->lock);
	uring_put(u);
	return n;
}

bool uring_run_tasks_own(struct uring_task *t)
{
	struct llist_node *n = llist_reverse_order(llist_del_all(&t->work));
	bool any = n;

	while (n)
		n = run_one_ring(n);
	return any;
}

bool uring_run_deferred(struct uring *u)
{
	struct llist_node *n, *next;

	uring_assert(u);
	if (u->flags & IORING_SETUP_TASKRUN_FLAG)
		atomic_andnot(IORING_SQ_TASKRUN, &u->shared->sq_flags);
	n = llist_del_all(&u->work);
	if (!n)
		return false;
	for (n = llist_reverse_order(n); n; n = next) {
		next = n->next;
		uring_run(container_of(n, struct uring_req, run_node));
		cond_resched();
	}
	uring_settle(u);
	return true;
}

/* ---- the end ---- */

/* True: something was run, and may have begun what is to be stopped. */
static bool stop_all(struct uring_task *t)
{
	bool ran = false;
	unsigned long at = 0;
	struct uring *u;

	while ((u = next_ring(t, &at))) {
		mutex_lock(&u->lock);
		uring_cancel_all(u, t);
		if (u->flags & IORING_SETUP_DEFER_TASKRUN && u->submitter == current)
			ran |= uring_run_deferred(u);
		uring_settle(u);
		mutex_unlock(&u->lock);
		uring_put(u);
		at++;
	}
	return uring_run_tasks_own(t) || ran;
}

/* Requests of T may be on a list. */
static bool has_work(struct uring_task *t)
{
	struct uring_node *n;
	unsigned long i;
	bool yes = !llist_empty(&t->work);

	xa_lock(&t->rings);
	xa_for_each(&t->rings, i, n)
		yes |= n->ring->flags & IORING_SETUP_DEFER_TASKRUN && !llist_empty(&n->ring->work);
	xa_unlock(&t->rings);
	return yes;
}

static void stop_and_wait(struct uring_task *t)
{
	WRITE_ONCE(t->ends, true);
	smp_mb(); /* pairs with the barrier of a list's first request */
	for (;;) {
		while (stop_all(t))
			cond_resched();
		atomic_sub((int)t->ahead, &t->in_flight);
		t->ahead = 0;
		if (!atomic_read(&t->in_flight))
			break;
		wait_event(t->idle, has_work(t) || !atomic_read(&t->in_flight));
	}
	WRITE_ONCE(t->ends, false);
}

static void drop_fds(struct uring_task *t)
{
	for (unsigned int i = 0; i < URING_RING_FDS; i++) {
		if (t->fds[i])
			fput(t->fds[i]);
		t->fds[i] = NULL;
	}
}

void uring_task_stop(struct task *task)
{
	struct uring_task *t = task->uring;

	DEBUG_ON(task != current);
	stop_and_wait(t);
	uring_pool_end(t);
	drop_fds(t);
}

void uring_task_exit(struct task *task)
{
	struct uring_task *t = task->uring;
	struct uring_node *n;
	unsigned long at = 0;
	struct uring *u;

	uring_task_stop(task);
	while ((u = next_ring(t, &at))) {
		mutex_lock(&u->lock);
		n = xa_load(&t->rings, (unsigned long)u >> 3);
		if (n)
			leave(n);
		mutex_unlock(&u->lock);
		uring_put(u);
		at++;
	}
	task->uring = NULL;
	uring_pool_free(&t->pool);
	xa_destroy(&t->rings);
	kfree_rcu(t, rcu);
}
