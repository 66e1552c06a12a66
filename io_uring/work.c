// SPDX-License-Identifier: MIT
/*
 * Workers: threads of the submitter's process that do what would make io_uring_enter(2) sleep.
 *
 * They are threads like its others (they have its memory, files, limits and namespaces, stop and
 * end with it, and /proc shows them) but stay in the kernel. A task has a pool of its own, made as
 * work comes: where none is idle another one is made, as many as RLIMIT_NPROC lets it for what may
 * wait for ever, 4 a CPU for files on disks. One that finds nothing to do for some seconds ends.
 * They end before their task does.
 *
 * While a worker has a request (R_RUNNING) the ring's lock is free and nobody else touches the
 * request: it cannot be stopped, but its worker is told, which ends a wait that a signal would.
 *
 * Locks: ring->lock > pool->lock.
 */
#include <lib/err.h>
#include <lib/format.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/cpumask.h>
#include <proc/cred.h>
#include <proc/pid.h>
#include <proc/signal.h>
#include <proc/upcalls.h>
#include <vfs/file.h>
#include <vfs/inode.h>
#include <linux/stat.h>
#include <abi/errno.h>
#include "io_uring/ring_priv.h"

#define IDLE_MS 5000
#define BOUNDED_A_CPU 4u

struct worker {
	struct uring_task *of;		/* c: it ends after its workers */
	bool idle;			/* pool lock */
};

void uring_pool_init(struct uring_pool *p)
{
	spin_lock_init(&p->lock);
	INIT_LIST_HEAD(&p->queue);
	INIT_LIST_HEAD(&p->running);
	init_waitqueue_head(&p->more);
	init_waitqueue_head(&p->gone);
}

/* ---- a worker ---- */

static void run(struct uring_req *r)
{
	const struct cred *old = override_creds(r->cred);
	struct uring_pool *p = &r->task->pool;
	struct uring *u = r->ring;
	int e;

	e = uring_op(r)->issue(r, false);
	revert_creds(old);
	uring_get(u);
	mutex_lock(&u->lock);
	spin_lock(&p->lock);
	list_del(&r->list);
	spin_unlock(&p->lock);
	r->worker = NULL;
	r->flags &= ~R_RUNNING;
	uring_del_later(r);
	if (e == URING_LATER) {
		uring_add_later(r);	/* a disk has it now, or had it */
		if (atomic_read(&r->run))
			uring_kick(r, 0);
	} else {
		if (e < 0) {
			r->res = e;
			r->flags |= R_FAIL;
		}
		uring_complete(r);
	}
	uring_settle(u);
	mutex_unlock(&u->lock);
	uring_put(u);
}

/* The next request of W's pool, which is running from here on; NULL. */
static struct uring_req *next(struct uring_pool *p)
{
	struct uring_req *r;

	spin_lock(&p->lock);
	r = list_first_entry_or_null(&p->queue, struct uring_req, list);
	if (r) {
		p->nr_queued--;
		r->worker = current;
		list_move(&r->list, &p->running);
	}
	spin_unlock(&p->lock);
	return r;
}

static void set_idle(struct uring_pool *p, struct worker *w, bool idle)
{
	spin_lock(&p->lock);
	if (w->idle != idle)
		p->nr_idle += idle ? 1 : -1u;
	w->idle = idle;
	spin_unlock(&p->lock);
}

/* Waits for work. False: it is to end. */
static bool wait(struct uring_pool *p, struct worker *w)
{
	long left;

	set_idle(p, w, true);
	left = wait_event_interruptible_exclusive_timeout(
		p->more, !list_empty(&p->queue) || READ_ONCE(p->ends), msecs_to_jiffies(IDLE_MS));
	set_idle(p, w, false);
	if (signal_pending(current) && !fatal_signal_pending(current))
		proc_worker_signal();
	return !fatal_signal_pending(current) && !READ_ONCE(p->ends) &&
	       (left || !list_empty(&p->queue));
}

static int worker_main(void *arg)
{
	struct worker *w = arg;
	struct uring_pool *p = &w->of->pool;
	struct uring_req *r;

	do {
		while (!fatal_signal_pending(current) && (r = next(p)))
			run(r);
	} while (wait(p, w));
	do_exit(0);
}

void uring_worker_exit(struct task *t)
{
	struct worker *w = t->uring;
	struct uring_pool *p = &w->of->pool;

	t->uring = NULL;
	set_idle(p, w, false);
	kfree(w);
	rcu_read_lock();	/* the pool goes with its task, which waits for this */
	spin_lock(&p->lock);
	if (!--p->nr)
		wake_up_all(&p->gone);
	spin_unlock(&p->lock);
	rcu_read_unlock();
}

/* ---- the pool ---- */

/* One more: the pool has NR of them counted already. */
static int make_worker(struct uring_task *t)
{
	struct worker *w = kzalloc(sizeof(*w), GFP_KERNEL_ACCOUNT);
	char name[TASK_COMM_LEN];
	struct task *task;

	if (!w)
		return -ENOMEM;
	w->of = t;
	snprintf(name, sizeof(name), "iou-wrk-%d", task_pid_vnr(current));
	task = proc_worker_create(worker_main, w, name);
	if (IS_ERR(task)) {
		kfree(w);
		return (int)PTR_ERR(task);
	}
	wake_up_new_task(task);
	return 0;
}

static bool is_bounded(const struct uring_req *r)
{
	return r->file &&
	       (S_ISREG(file_inode(r->file)->i_mode) || S_ISBLK(file_inode(r->file)->i_mode));
}

bool uring_hand_over(struct uring_req *r)
{
	struct uring_task *t = r->task;
	struct uring_pool *p = &t->pool;
	bool make;
	int e = 0;

	uring_assert(r->ring);
	if (!r->cred)
		r->cred = get_current_cred();
	r->flags |= R_RUNNING;
	uring_add_later(r);
	spin_lock(&p->lock);
	list_add_tail(&r->list, &p->queue);
	p->nr_queued++;
	make = p->nr_idle < p->nr_queued &&
	       (!is_bounded(r) || p->nr < BOUNDED_A_CPU * num_possible_cpus());
	if (make)
		p->nr++;
	spin_unlock(&p->lock);
	wake_up(&p->more);
	if (make)
		e = make_worker(t);
	if (!e)
		return true;
	spin_lock(&p->lock);
	p->nr--;
	/* With no worker at all, and it is still there: the caller does it. */
	make = p->nr || r->worker;
	if (!make) {
		list_del(&r->list);
		p->nr_queued--;
	}
	spin_unlock(&p->lock);
	if (make)
		return true;
	r->flags &= ~R_RUNNING;
	uring_del_later(r);
	return false;
}

static void nothing(struct task_work *w)
{
	kfree(w);
}

/* TASK, a worker, has its wait end. */
static void interrupt(struct task *task)
{
	struct task_work *w = kmalloc(sizeof(*w), GFP_ATOMIC);

	if (!w)
		return;
	w->func = nothing;
	if (task_work_add(task, w, true))
		kfree(w);
}

bool uring_take_back(struct uring_req *r)
{
	struct uring_pool *p = &r->task->pool;
	bool mine;

	uring_assert(r->ring);
	spin_lock(&p->lock);
	mine = !r->worker;
	if (mine) {
		list_del(&r->list);
		p->nr_queued--;
	} else {
		interrupt(r->worker);
	}
	spin_unlock(&p->lock);
	if (mine)
		r->flags &= ~R_RUNNING;
	return mine;
}

void uring_pool_end(struct uring_task *t)
{
	struct uring_pool *p = &t->pool;

	spin_lock(&p->lock);
	p->ends = true;
	spin_unlock(&p->lock);
	wake_up_all(&p->more);
	wait_event(p->gone, !READ_ONCE(p->nr));
	p->ends = false;
}
