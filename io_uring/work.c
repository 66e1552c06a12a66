// SPDX-License-Identifier: MIT
/*
 * Workers: threads of the submitter's process that do what would make io_uring_enter(2) sleep.
 *
 * They are threads like its others (they have its memory, files, limits and namespaces, stop and
 * end with it, and /proc shows them) but stay in the kernel. A task has a pool of its own, with two
 * accounts, as io_uring_register(2) names them: bounded workers, 4 a CPU, for what ends by itself
 * (files on disks, names), and unbounded ones, as many as RLIMIT_NPROC lets it have, for what may
 * wait for ever. A request that finds no idle worker of its account gets a new one up to that
 * limit, and waits in the account's queue at the limit. A worker that finds nothing to do for some
 * seconds ends, and at once when its task is in no ring any more. All of them end before their task
 * does.
 *
 * While a worker has a request (R_RUNNING) the ring's lock is free, and the worker owns the request
 * but for its flags, its chain and its place in ring->later, which are the ring's lock's. It cannot
 * be stopped then, but its worker is interrupted, which ends a wait that a signal would end.
 *
 * Locks: ring->lock > pool->lock.
 */
#include <lib/err.h>
#include <lib/format.h>
#include <lib/minmax.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/cpumask.h>
#include <proc/cred.h>
#include <proc/pid.h>
#include <proc/signal.h>
#include <proc/upcalls.h>
#include <sched/sched.h>
#include <vfs/file.h>
#include <vfs/inode.h>
#include <linux/resource.h>
#include <linux/stat.h>
#include <abi/errno.h>
#include "io_uring/ring_priv.h"

#define IDLE_MS 5000
#define BOUNDED_A_CPU 4u

struct worker {
	struct uring_task *of;		/* c: it ends after its workers */
	struct uring_account *account;	/* c */
	bool idle;			/* pool lock */
	bool leaves;			/* pool lock: its account counts it no more */
	u32 cpus_seq;			/* its own: of the pool's mask that it has taken over */
};

void uring_pool_init(struct uring_pool *p, u32 entries)
{
	spin_lock_init(&p->lock);
	INIT_LIST_HEAD(&p->running);
	init_waitqueue_head(&p->gone);
	for (unsigned int i = 0; i < URING_ACCOUNTS; i++) {
		INIT_LIST_HEAD(&p->account[i].queue);
		init_waitqueue_head(&p->account[i].more);
	}
	p->account[IO_WQ_BOUND].most = min(entries, BOUNDED_A_CPU * num_online_cpus());
	p->account[IO_WQ_UNBOUND].most = (unsigned int)min(rlimit(RLIMIT_NPROC), INT_MAX + 0ul);
}

void uring_pool_free(struct uring_pool *p)
{
	kfree(p->cpus);
}

void uring_pool_limits(struct uring_pool *p, const u32 *new, u32 *old)
{
	spin_lock(&p->lock);
	for (unsigned int i = 0; i < URING_ACCOUNTS; i++) {
		if (old)
			old[i] = p->account[i].most;
		if (new[i])
			p->account[i].most = (unsigned int)min(new[i] + 0ul, rlimit(RLIMIT_NPROC));
	}
	spin_unlock(&p->lock);
}

int uring_pool_cpus(struct uring_pool *p, const struct cpumask *mask)
{
	struct cpumask *now = NULL, *old;

	if (mask) {
		if (!cpumask_subset(mask, cpu_online_mask))
			return -EINVAL;
		now = kmalloc(cpumask_size(), GFP_KERNEL_ACCOUNT);
		if (!now)
			return -ENOMEM;
		cpumask_copy(now, mask);
	}
	spin_lock(&p->lock);
	old = p->cpus;
	p->cpus = now;
	WRITE_ONCE(p->cpus_seq, p->cpus_seq + 1);
	spin_unlock(&p->lock);
	kfree(old);
	return 0;
}

/* ---- a worker ---- */

static void run(struct uring_req *r)
{
	const struct cred *old = override_creds(r->cred);
	struct uring_pool *p = &r->task->pool;
	struct uring *u = r->ring;
	/* A wait for a file that can be polled is no worker's business, unless polling fails. */
	bool poll = uring_op(r)->poll && file_can_poll(r->file) && r->retries < URING_RETRIES;
	int e = uring_op(r)->issue(r, poll);

	revert_creds(old);
	uring_get(u);
	mutex_lock(&u->lock);
	spin_lock(&p->lock);
	list_del(&r->list);
	r->worker = NULL;	/* nobody interrupts this worker for R any more */
	spin_unlock(&p->lock);
	r->flags &= ~R_RUNNING;
	uring_del_later(r);
	if (e == URING_LATER) {
		uring_add_later(r);	/* a disk has it now, or had it */
		if (atomic_read(&r->run))
			uring_kick(r, 0);
	} else if (e == -EAGAIN && poll && !r->nowait_only) {
		r->flags = (r->flags & ~IOSQE_ASYNC) | R_AGAIN;
		uring_add_later(r);
		uring_kick(r, RUN_START);
	} else {
		uring_issued(r, e);
	}
	uring_settle(u);
	mutex_unlock(&u->lock);
	uring_put(u);
}

/* The next request of W's account, which is running from here on; NULL. */
static struct uring_req *next(struct uring_pool *p, struct worker *w)
{
	struct uring_req *r;

	spin_lock(&p->lock);
	r = list_first_entry_or_null(&w->account->queue, struct uring_req, list);
	if (r) {
		w->account->nr_queued--;
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
		w->account->nr_idle += idle ? 1 : -1u;
	w->idle = idle;
	spin_unlock(&p->lock);
}

/* What was meant for the request before, and a stop of the process. */
static void look_at_signals(void)
{
	if (signal_pending(current) && !fatal_signal_pending(current))
		proc_worker_signal();
}

/*
 * W has waited and is not to STAY. True: it takes no request from here on, and who brings one does
 * not count on it.
 */
static bool leave(struct uring_pool *p, struct worker *w, bool stay)
{
	struct uring_account *a = w->account;

	spin_lock(&p->lock);
	w->leaves = !stay && list_empty(&a->queue);
	if (w->leaves)
		a->nr--;
	spin_unlock(&p->lock);
	return w->leaves;
}

/* Waits for work. False: it is to end. */
static bool wait(struct uring_pool *p, struct worker *w)
{
	struct uring_account *a = w->account;
	long left;

	set_idle(p, w, true);
	left = wait_event_interruptible_exclusive_timeout(
		a->more, !list_empty(&a->queue) || READ_ONCE(p->ends) || READ_ONCE(p->unused),
		msecs_to_jiffies(IDLE_MS));
	set_idle(p, w, false);
	look_at_signals();
	if (fatal_signal_pending(current) || READ_ONCE(p->ends))
		return false;
	return !leave(p, w, left && !READ_ONCE(p->unused));
}

/* Follows the pool's mask. */
static void move_over(struct uring_pool *p, struct worker *w)
{
	struct cpumask *mask;

	if (likely(READ_ONCE(p->cpus_seq) == w->cpus_seq))
		return;
	mask = kmalloc(cpumask_size(), GFP_KERNEL);
	if (!mask)
		return;		/* before the next request, then */
	spin_lock(&p->lock);
	cpumask_copy(mask, p->cpus ?: &w->of->task->cpus_mask);
	w->cpus_seq = p->cpus_seq;
	spin_unlock(&p->lock);
	/* None of them is there any more: it stays where it is. */
	(void)set_cpus_allowed(current, mask);
	kfree(mask);
}

static int worker_main(void *arg)
{
	struct worker *w = arg;
	struct uring_pool *p = &w->of->pool;
	struct uring_req *r;

	do {
		move_over(p, w);
		while (!fatal_signal_pending(current) && (r = next(p, w))) {
			run(r);
			look_at_signals();
			move_over(p, w);
		}
	} while (wait(p, w));
	do_exit(0);
}

void uring_worker_exit(struct task *t)
{
	struct worker *w = t->uring;
	struct uring_pool *p = &w->of->pool;

	t->uring = NULL;
	set_idle(p, w, false);
	rcu_read_lock();	/* the pool goes with its task, which waits for this */
	spin_lock(&p->lock);
	if (!w->leaves)
		w->account->nr--;
	if (!--p->nr)
		wake_up_all(&p->gone);
	spin_unlock(&p->lock);
	rcu_read_unlock();
	kfree(w);
}

/* ---- the pool ---- */

/* One more, which P has counted already. With the task's own rights, not the request's. */
static int make_worker(struct uring_task *t, struct uring_account *a)
{
	const struct cred *old;
	struct worker *w = kzalloc(sizeof(*w), GFP_KERNEL_ACCOUNT);
	char name[TASK_COMM_LEN];
	struct task *task;

	if (!w)
		return -ENOMEM;
	w->of = t;
	w->account = a;
	snprintf(name, sizeof(name), "iou-wrk-%d", task_pid_vnr(current));
	old = override_creds(own_real_cred(current));
	task = proc_worker_create(worker_main, w, name);
	revert_creds(old);
	if (IS_ERR(task)) {
		kfree(w);
		return (int)PTR_ERR(task);
	}
	wake_up_new_task(task);
	return 0;
}

/* Whether R may wait for ever. */
static bool is_unbounded(const struct uring_req *r)
{
	return (uring_op(r)->poll || uring_op(r)->waits) && r->file &&
	       !S_ISREG(file_inode(r->file)->i_mode);
}

static struct uring_account *account_of(struct uring_req *r)
{
	return &r->task->pool.account[is_unbounded(r) ? IO_WQ_UNBOUND : IO_WQ_BOUND];
}

/* R is in A's queue. True: A wants a worker more, which is counted. */
static bool enqueue(struct uring_pool *p, struct uring_account *a, struct uring_req *r)
{
	bool make;

	spin_lock(&p->lock);
	list_add_tail(&r->list, &a->queue);
	a->nr_queued++;
	make = a->nr_idle < a->nr_queued && a->nr < max(a->most, 1u);
	if (make) {
		a->nr++;
		p->nr++;
	}
	spin_unlock(&p->lock);
	return make;
}

/* The worker that was counted could not be made. True: R has one all the same, or will have. */
static bool another_comes(struct uring_pool *p, struct uring_account *a, struct uring_req *r)
{
	bool yes;

	spin_lock(&p->lock);
	p->nr--;
	a->nr--;
	yes = a->nr || r->worker;
	if (!yes) {
		list_del(&r->list);
		a->nr_queued--;
	}
	spin_unlock(&p->lock);
	return yes;
}

int uring_hand_over(struct uring_req *r)
{
	struct uring_pool *p = &r->task->pool;
	struct uring_account *a = account_of(r);
	bool make;

	uring_assert(r->ring);
	if (!r->cred)
		r->cred = get_current_cred();
	r->flags |= R_RUNNING;
	uring_add_later(r);
	make = enqueue(p, a, r);
	wake_up(&a->more);
	if (!make || !make_worker(r->task, a) || another_comes(p, a, r))
		return URING_LATER;
	r->flags &= ~R_RUNNING;
	uring_del_later(r);
	return is_unbounded(r) ? -ECANCELED : -EAGAIN;
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
		account_of(r)->nr_queued--;
	} else {
		task_work_interrupt(r->worker);
	}
	spin_unlock(&p->lock);
	if (mine)
		r->flags &= ~R_RUNNING;
	return mine;
}

void uring_pool_used(struct uring_task *t)
{
	struct uring_pool *p = &t->pool;

	spin_lock(&p->lock);
	/* Whoever comes last sees all that came and left. */
	WRITE_ONCE(p->unused, xa_empty(&t->rings));
	spin_unlock(&p->lock);
	if (READ_ONCE(p->unused))
		for (unsigned int i = 0; i < URING_ACCOUNTS; i++)
			wake_up_all(&p->account[i].more);
}

void uring_pool_end(struct uring_task *t)
{
	struct uring_pool *p = &t->pool;

	spin_lock(&p->lock);
	WRITE_ONCE(p->ends, true);
	spin_unlock(&p->lock);
	for (unsigned int i = 0; i < URING_ACCOUNTS; i++)
		wake_up_all(&p->account[i].more);
	wait_event(p->gone, !READ_ONCE(p->nr));
	WRITE_ONCE(p->ends, false);
}
