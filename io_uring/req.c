// SPDX-License-Identifier: MIT
/*
 * Requests: from an SQE to a completion, one after the other in a chain (IOSQE_IO_LINK), and behind
 * what was submitted before (IOSQE_IO_DRAIN).
 *
 * An SQE is copied once; everything afterwards reads the copy. A chain hangs on its first request,
 * and its next one is issued when that is complete. Once a drain waits, everything that is
 * submitted waits behind it, in order (ring->drain).
 *
 * What becomes ready while a request completes is put onto ring->ready and issued by the holder of
 * the lock when it is back at the bottom of its stack (uring_settle()); a request whose task is
 * another one is given to that.
 */
#include <lib/err.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <proc/cred.h>
#include <vfs/file.h>
#include <abi/errno.h>
#include "io_uring/flags.h"
#include "io_uring/ring_priv.h"
#include "io_uring/rules.h"

static struct kmem_cache *req_cache __ro_after_init;

/* Requests that a task counts as in flight ahead, so as not to count each. */
#define AHEAD 32u
#define MOST_SPARE 32u	/* that a ring keeps */

static noinline struct uring_req *req_new(struct uring *u)
{
	struct uring_req *r = kmem_cache_alloc(req_cache, GFP_KERNEL_ACCOUNT);

	if (!r)
		return NULL;
	memset(&r->ring, 0, sizeof(*r) - offsetof(struct uring_req, ring));
	r->ring = u;
	return r;
}

/*
 * For the current task, which is T's. What prepare() does not set is zero, but for lists' links: a
 * spare one has no file, wait, nodes, worker and cred.
 */
static __always_inline struct uring_req *req_alloc(struct uring *u, struct uring_task *t)
{
	struct uring_req *r = u->spare;

	if (likely(r)) {
		u->spare = r->next;
		u->nr_spare--;
	} else {
		r = req_new(u);
		if (!r)
			return NULL;
	}
	DEBUG_ON(r->file || r->wait || r->file_node || r->buffer_node || r->worker || r->cred);
	r->task = t;
	r->res = 0;
	r->cqe_flags = 0;
	r->retries = 0;
	r->nowait_only = r->cur_pos = r->fell_short = false;
	atomic_set(&r->run, 0);
	r->next = NULL;
	u->nr_reqs++;
	if (unlikely(!t->ahead)) {
		atomic_add(AHEAD, &t->in_flight);
		t->ahead = AHEAD;
	}
	t->ahead--;
	return r;
}

static noinline void count_out_of(struct uring_task *t)
{
	rcu_read_lock();	/* T may go as soon as it has no request */
	if (atomic_dec_and_test(&t->in_flight))
		wake_up_all(&t->idle);
	rcu_read_unlock();
}

static __always_inline void req_free_now(struct uring_req *r)
{
	struct uring *u = r->ring;

	uring_assert(u);
	if (likely(r->task == current->uring))
		r->task->ahead++;
	else
		count_out_of(r->task);
	u->nr_reqs--;
	if (likely(!u->closed && u->nr_spare < MOST_SPARE)) {
		r->next = u->spare;
		u->spare = r;
		u->nr_spare++;
		return;
	}
	kmem_cache_free(req_cache, r);
	if (u->closed && !u->nr_reqs)
		uring_put(u);
}

void uring_close_reqs(struct uring *u)
{
	struct uring_req *r, *next;

	uring_assert(u);
	if (u->nr_reqs)
		uring_get(u);
	for (r = u->spare; r; r = next) {
		next = r->next;
		kmem_cache_free(req_cache, r);
	}
	u->spare = NULL;
}

/*
 * No callback is left, so only the run of a list changes R->run, under the lock. An event that came
 * before they were taken away has R on a list: its run frees R.
 */
static __always_inline void req_free(struct uring_req *r)
{
	if (unlikely(atomic_read(&r->run) & RUN_QUEUED))
		atomic_or(RUN_DEAD, &r->run);
	else
		req_free_now(r);
}

/* ---- events ---- */

void uring_kick(struct uring_req *r, u32 event)
{
	struct uring_task *t;
	struct uring *u;

	/* Neither the ring nor the task goes before the end of this, though R may. */
	rcu_read_lock();
	t = r->task;
	u = r->ring;
	if (atomic_fetch_or((int)(event | RUN_QUEUED), &r->run) & RUN_QUEUED)
		goto out;
	if (u->flags & IORING_SETUP_DEFER_TASKRUN && !READ_ONCE(u->closed)) {
		if (llist_add(&r->run_node, &u->work))
			uring_deferred_came(u, t, event & RUN_TOLD);
	} else if (llist_add(&r->run_node, &t->work)) {
		uring_work_came(t);
	}
out:
	rcu_read_unlock();
}

void uring_run(struct uring_req *r)
{
	u32 run = (u32)atomic_xchg(&r->run, 0);

	uring_assert(r->ring);
	if (run & RUN_DEAD) {
		req_free_now(r);
	} else if (r->flags & R_RUNNING) {
		/* Its worker kicks it again when it is done with it. */
		atomic_or((int)(run & ~RUN_QUEUED), &r->run);
	} else if (run & RUN_START) {
		if (r->flags & R_AGAIN) {
			r->flags &= ~R_AGAIN;
			uring_del_later(r);
		}
		uring_issue(r);
	} else if (r->flags & R_HOOKED && r->op != IORING_OP_POLL_ADD) {
		if (!uring_look(r, r->wait->events))
			return;
		uring_unhook(r);
		uring_del_later(r);
		uring_issue(r);
	} else if (uring_op(r)->event) {
		uring_op(r)->event(r, run);
	}
}

/* ---- chains ---- */

static void start(struct uring_req *r)
{
	if (r->task->task == current)
		list_add_tail(&r->list, &r->ring->ready);
	else
		uring_kick(r, RUN_START);
}

/* One ends without a completion: those who wait for its end, in uring_sleep(), are told. */
static noinline void end_silently(struct uring *u)
{
	WRITE_ONCE(u->nr_silent, u->nr_silent + 1);
	if (wq_has_sleeper(&u->cq_wait))
		wake_up_all(&u->cq_wait);
}

static __always_inline void post_result(struct uring_req *r)
{
	struct uring *u = r->ring;

	if (unlikely(r->flags & IOSQE_CQE_SKIP_SUCCESS) && !(r->flags & R_FAIL)) {
		end_silently(u);
		return;
	}
	if (unlikely(u->cq_tail == u->cq_room_to || !list_empty(&u->late))) {
		uring_post(u, r->user_data, r->res, r->cqe_flags);
		return;
	}
	u->posted = true;
	uring_put_cqe(u, r->user_data, r->res, r->cqe_flags);
}

/* What few requests have. */
static noinline void release_rest(struct uring_req *r)
{
	if (r->flags & R_CLEAN)
		uring_op(r)->clean(r);
	kfree(r->wait);
	r->wait = NULL;
	if (r->file_node) {
		uring_node_put(r->ring, r->file_node);
		r->file_node = NULL;
		r->file = NULL;		/* it was the node's */
	}
	if (r->buffer_node)
		uring_node_put(r->ring, r->buffer_node);
	r->buffer_node = NULL;
	if (r->cred)
		put_cred(r->cred);
	r->cred = NULL;
}

static __always_inline bool has_rest(const struct uring_req *r)
{
	return r->flags & R_CLEAN || ((unsigned long)r->wait | (unsigned long)r->file_node |
				      (unsigned long)r->buffer_node | (unsigned long)r->cred);
}

/* R has posted what it posts. */
static __always_inline void release(struct uring_req *r)
{
	if (unlikely(has_rest(r)))
		release_rest(r);
	if (r->file) {
		fput(r->file);
		r->file = NULL;
	}
	req_free(r);
}

void uring_end(struct uring_req *r)
{
	uring_assert(r->ring);
	post_result(r);
	release(r);
}

/* R and all behind it end without having been issued. */
static void cancel_chain(struct uring_req *r, bool silent)
{
	struct uring_req *next;

	for (; r; r = next) {
		next = r->next;
		r->res = -ECANCELED;
		r->flags |= R_FAIL;
		if (!silent)
			post_result(r);
		release(r);
	}
}

/* R is complete, and others are behind it. */
static void go_on(struct uring_req *r)
{
	struct uring_req *next = r->next;

	r->next = NULL;
	if (r->flags & R_FAIL && !(r->flags & IOSQE_IO_HARDLINK))
		cancel_chain(next, r->flags & IOSQE_CQE_SKIP_SUCCESS);
	else
		start(next);
}

/* Nothing is live: a drain goes, alone, or all that stand before the next one. */
static void drain(struct uring *u)
{
	struct uring_req *r;

	u->draining = false;
	while (!u->draining && !list_empty(&u->drain)) {
		r = list_first_entry(&u->drain, struct uring_req, list);
		if (r->flags & IOSQE_IO_DRAIN) {
			if (u->live)
				return;
			u->draining = true;
		}
		list_del(&r->list);
		u->live++;
		start(r);
	}
}

void uring_cancel_drained(struct uring *u, const struct uring_task *t)
{
	struct uring_req *r, *next;

	list_for_each_entry_safe(r, next, &u->drain, list) {
		if (t && r->task != t)
			continue;
		list_del(&r->list);
		cancel_chain(r, false);
	}
}

/* A chain counts as one, until its last request is complete. */
static __always_inline void complete(struct uring_req *r)
{
	struct uring *u = r->ring;
	bool last = true;

	uring_assert(u);
	if (unlikely(r->flags & (R_HAS_TIMER | R_TIMED)))
		uring_link_timer_end(r);
	post_result(r);
	if (unlikely(r->next)) {
		last = r->flags & R_FAIL && !(r->flags & IOSQE_IO_HARDLINK);
		go_on(r);
	}
	release(r);
	if (last && !--u->live && unlikely(u->draining || !list_empty(&u->drain)))
		drain(u);
}

void uring_complete(struct uring_req *r)
{
	complete(r);
}

void uring_settle_later(struct uring *u)
{
	struct uring_req *r, *next;

	uring_flush(u);
	list_for_each_entry_safe(r, next, &u->ready, list) {
		list_del(&r->list);
		uring_kick(r, RUN_START);
	}
}

void uring_settle(struct uring *u)
{
	struct uring_req *r;

	do {
		while (unlikely(!list_empty(&u->ready))) {
			r = list_first_entry(&u->ready, struct uring_req, list);
			list_del(&r->list);
			uring_issue(r);
			cond_resched();
		}
		uring_flush(u);	/* which may end timeouts, and start what is behind them */
	} while (unlikely(!list_empty(&u->ready)));
}

/* ---- issuing ---- */

static int find_file(struct uring_req *r)
{
	if (r->file)
		return 0;
	if (r->flags & IOSQE_FIXED_FILE)
		return uring_fixed_file(r, (unsigned int)r->fd);
	r->file = fget((unsigned int)r->fd);
	return r->file ? 0 : -EBADF;
}

/* R is issued where it may sleep. */
static int issue_asleep(struct uring_req *r)
{
	int e = uring_hand_over(r);

	return e == -EAGAIN ? uring_op(r)->issue(r, false) : e;
}

/* R would block. URING_LATER: it is issued again when its file is ready. */
static int would_block(struct uring_req *r)
{
	const struct uring_op *op = uring_op(r);
	int e;

	if (!r->file || !op->poll || !file_can_poll(r->file))
		return issue_asleep(r);
	while (r->retries < URING_RETRIES) {
		r->retries++;
		e = uring_hook(r, op->poll | EPOLLERR | EPOLLHUP, false);
		if (!e) {
			uring_add_later(r);
			return URING_LATER;
		}
		if (e < 0)
			return e;
		e = op->issue(r, true);
		if (e != -EAGAIN)
			return e;
	}
	return issue_asleep(r);
}

/* A worker makes a difference. */
static bool may_be_async(const struct uring_op *op)
{
	return op->poll || op->tries;
}

static __always_inline int issue(struct uring_req *r)
{
	const struct uring_op *op = uring_op(r);
	int e = op->file ? find_file(r) : 0;

	if (!e && unlikely(op->buffer))
		e = uring_fixed_buffer(r);
	if (unlikely(e))
		return e;
	if (op->sleeps || unlikely(r->flags & IOSQE_ASYNC && may_be_async(op)))
		return issue_asleep(r);
	e = op->issue(r, true);
	if (unlikely(e == -EAGAIN && !r->nowait_only))
		e = would_block(r);
	return e;
}

static __always_inline void issued(struct uring_req *r, int e)
{
	if (unlikely(e < 0))
		uring_fail(r, e);
	else if (unlikely(r->fell_short))
		r->flags |= R_FAIL;
	complete(r);
}

void uring_issued(struct uring_req *r, int e)
{
	issued(r, e);
}

static __always_inline void issue_it(struct uring_req *r)
{
	const struct cred *old = NULL;
	int e = -ECANCELED;

	uring_assert(r->ring);
	/* Nobody would stop it any more: whoever stops a ring's, a task's requests is behind it. */
	if (unlikely(r->ring->closed || READ_ONCE(r->task->ends)))
		goto done;
	DEBUG_ON(r->task->task != current);
	if (unlikely(r->cred))
		old = override_creds(r->cred);
	e = issue(r);
	if (unlikely(old))
		revert_creds(old);
	if (e == URING_LATER) {
		/* It is the submitter's rights that it goes on with. */
		if (!r->cred)
			r->cred = get_current_cred();
		if (r->flags & R_HAS_TIMER && !(r->flags & R_TIMED))
			uring_link_timer_start(r);
		return;
	}
done:
	issued(r, e);
}

void uring_issue(struct uring_req *r)
{
	issue_it(r);
}

/* ---- submission ---- */

static int prepare(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	const struct uring_rules *rules = r->ring->rules;
	const struct uring_op *op;
	int e;

	r->op = sqe->opcode;
	r->flags = sqe->flags;
	r->user_data = sqe->user_data;
	r->fd = sqe->fd;
	r->buf_index = sqe->buf_index;
	if (r->op >= IORING_OP_LAST || r->flags & ~URING_SQE_FLAGS) {
		r->op = IORING_OP_NOP;
		return sqe->flags & IOSQE_BUFFER_SELECT && sqe->opcode < IORING_OP_LAST ?
			       -EOPNOTSUPP :
			       -EINVAL;
	}
	if (unlikely(r->flags & (IOSQE_CQE_SKIP_SUCCESS | IOSQE_IO_DRAIN))) {
		if (r->flags & IOSQE_CQE_SKIP_SUCCESS)
			r->ring->no_drain = true;
		if (r->flags & IOSQE_IO_DRAIN && r->ring->no_drain)
			return -EOPNOTSUPP;
	}
	op = &uring_ops[r->op];
	if (unlikely(rules) && !uring_rules_take(rules, r->op, (u8)r->flags))
		return -EACCES;
	if (!op->issue)
		return -EOPNOTSUPP;
	if (unlikely(sqe->ioprio && !op->ioprio))
		return -EINVAL;
	if (sqe->personality) {
		r->cred = xa_load(&r->ring->personalities, sqe->personality);
		if (!r->cred)
			return -EINVAL;
		get_cred(r->cred);
	} else if (r->flags & R_LINKS) {
		r->cred = get_current_cred();
	}
	e = op->prep(r, sqe);
	return e ?: unlikely(rules) ? uring_rules_ask(rules, r) : 0;
}

struct chain {
	struct uring_req *first, *last;
};

/* R, alone or first of a chain, is to be issued. */
static __always_inline void queue(struct uring *u, struct uring_req *r)
{
	if (unlikely(u->draining || !list_empty(&u->drain) || r->flags & IOSQE_IO_DRAIN)) {
		if (u->draining || !list_empty(&u->drain) || u->live) {
			list_add_tail(&r->list, &u->drain);
			return;
		}
		u->draining = true;
	}
	u->live++;
	issue_it(r);
}

static noinline void end_chain(struct uring *u, struct chain *c)
{
	struct uring_req *first = c->first;

	c->first = NULL;
	if (first->flags & R_FAIL) {
		/* One of them is wrong: it says how, and none of them is issued. */
		for (struct uring_req *r = first, *next; r; r = next) {
			next = r->next;
			r->next = NULL;
			if (!r->res)
				r->res = -ECANCELED;
			r->flags |= R_FAIL;
			post_result(r);
			release(r);
		}
		return;
	}
	queue(u, first);
}

/*
 * ERR: what is wrong with its SQE. Returns that, or what is wrong with its place; 0 where its chain
 * goes on: the rest of a chain is read, whatever is wrong with one of it.
 */
static int submit_one(struct uring *u, struct uring_req *r, int err, struct chain *c)
{
	bool goes_on = r->flags & R_LINKS;

	/* It limits the one before it. */
	if (unlikely(r->op == IORING_OP_LINK_TIMEOUT && !err &&
		     (!c->first || c->last->op == IORING_OP_LINK_TIMEOUT)))
		err = -EINVAL;
	if (unlikely(err)) {
		r->res = err;
		r->flags |= R_FAIL;
		if (c->first)
			c->first->flags |= R_FAIL;
	}
	if (unlikely(c->first || r->flags & R_LINKS)) {
		if (c->first) {
			c->last->next = r;
			if (r->op == IORING_OP_LINK_TIMEOUT && !err)
				c->last->flags |= R_HAS_TIMER;
			/* A drain of one is a drain of all. */
			c->first->flags |= r->flags & IOSQE_IO_DRAIN;
		} else {
			c->first = r;
		}
		c->last = r;
		if (!goes_on)
			end_chain(u, c);
	} else if (unlikely(err)) {
		uring_end(r);
	} else {
		queue(u, r);
	}
	return goes_on ? 0 : err;
}

/* The next SQE to OUT: false: its place in the array names none. */
static bool next_sqe(struct uring *u, struct io_uring_sqe *out)
{
	u32 at = u->sq_head++ & (u->sq_entries - 1);
	const u64 *from;

	if (u->array) {
		at = READ_ONCE(u->array[at]);
		if (unlikely(at >= u->sq_entries)) {
			WRITE_ONCE(u->shared->sq_dropped, u->shared->sq_dropped + 1);
			return false;
		}
	}
	from = (const void *)((const char *)u->sqes + ((size_t)at << u->sqe_shift));
	for (unsigned int i = 0; i < 8; i++)
		((u64 *)out)[i] = READ_ONCE(from[i]);
	return true;
}

int uring_submit(struct uring *u, struct uring_task *t, u32 n)
{
	u32 ready = smp_load_acquire(&u->shared->sq_tail) - u->sq_head, done = 0;
	struct io_uring_sqe sqe;
	struct chain c = { NULL, NULL };
	struct uring_req *r = NULL;
	int err = 0;

	uring_assert(u);
	n = min3(n, ready, u->sq_entries);
	while (done < n) {
		r = req_alloc(u, t);
		if (!r)
			break;
		if (!next_sqe(u, &sqe)) {
			req_free_now(r);
			break;
		}
		done++;
		err = submit_one(u, r, prepare(r, &sqe), &c);
		if (unlikely(err) && !(u->flags & IORING_SETUP_SUBMIT_ALL))
			break;
		if (unlikely(!list_empty(&u->ready)))
			uring_settle(u);
		cond_resched();
	}
	if (unlikely(c.first))
		end_chain(u, &c);
	uring_settle(u);
	/* The SQEs were read before the program may write them again. */
	smp_store_release(&u->shared->sq_head, u->sq_head);
	if (n && !done && !r)
		return -EAGAIN;
	return (int)done;
}

static int req_init(void)
{
	req_cache = KMEM_CACHE(uring_req, 0);
	return req_cache ? 0 : -ENOMEM;
}
INITCALL(core, req_init);
