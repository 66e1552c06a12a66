// SPDX-License-Identifier: MIT
/*
 * Timeouts: IORING_OP_TIMEOUT ends at a time or after a number of completions,
 * IORING_OP_LINK_TIMEOUT limits the request before it in its chain.
 *
 * A timeout that limits another stands behind it (head->next) until one of the two ends. Then it is
 * taken out of the chain, which goes on behind it by its head's result.
 */
#include <io_uring/uring.h>
#include <kernel/bug.h>
#include <mm/uaccess.h>
#include <abi/errno.h>
#include <linux/time.h>
#include "io_uring/ring_priv.h"

static enum hrtimer_restart fired(struct hrtimer *h)
{
	uring_kick(container_of(h, struct uring_req, timeout.timer), RUN_TIMER);
	return HRTIMER_NORESTART;
}

static int clock_of(u32 flags, clockid_t *clock)
{
	switch (flags & IORING_TIMEOUT_CLOCK_MASK) {
	case 0:
		*clock = CLOCK_MONOTONIC;
		return 0;
	case IORING_TIMEOUT_BOOTTIME:
		*clock = CLOCK_BOOTTIME;
		return 0;
	case IORING_TIMEOUT_REALTIME:
		*clock = CLOCK_REALTIME;
		return 0;
	}
	return -EINVAL;
}

/* What ARG says: where a time is, or, with IMMEDIATE_ARG, nanoseconds. */
static int read_time(u64 arg, u32 flags, ktime_t *at)
{
	struct __kernel_timespec t;

	if (flags & IORING_TIMEOUT_IMMEDIATE_ARG) {
		*at = (ktime_t)arg;
		return *at < 0 ? -EINVAL : 0;
	}
	if (copy_from_user(&t, UPTR((unsigned long)arg), sizeof(t)))
		return -EFAULT;
	if (t.tv_sec < 0 || t.tv_nsec < 0)
		return -EINVAL;
	*at = uring_ns(&t);
	return 0;
}

/* ---- TIMEOUT ---- */

static int prep(struct uring_req *r, const struct io_uring_sqe *sqe, u32 known)
{
	struct uring_timeout *t = &r->timeout;
	u32 flags = sqe->timeout_flags;
	clockid_t clock;
	int e = clock_of(flags, &clock);

	if (e || sqe->buf_index || sqe->len != 1 || sqe->splice_fd_in || flags & ~known)
		return -EINVAL;
	e = read_time(sqe->addr, flags, &t->at);
	if (e)
		return e;
	t->mode = flags & IORING_TIMEOUT_ABS ? HRTIMER_MODE_ABS : HRTIMER_MODE_REL;
	t->multi = flags & IORING_TIMEOUT_MULTISHOT;
	t->good = flags & IORING_TIMEOUT_ETIME_SUCCESS;
	t->counts = false;
	t->head = NULL;
	hrtimer_init(&t->timer, clock, fired);
	return 0;
}

#define TIMES (IORING_TIMEOUT_ABS | IORING_TIMEOUT_CLOCK_MASK | IORING_TIMEOUT_ETIME_SUCCESS | \
	       IORING_TIMEOUT_IMMEDIATE_ARG)

int uring_timeout_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	int e = prep(r, sqe, TIMES | IORING_TIMEOUT_MULTISHOT);

	if (e)
		return e;
	if (r->timeout.multi && r->timeout.mode == HRTIMER_MODE_ABS)
		return -EINVAL;
	r->timeout.repeats = (u32)sqe->off;
	r->timeout.counts = sqe->off && !r->timeout.multi;
	return 0;
}

/* Completions so far, without those of timeouts. */
static u32 completions(const struct uring *u)
{
	return u->cq_tail + u->nr_late - u->timeouts_fired;
}

/* Most come in order: from the end. */
static void insert_counted(struct uring *u, struct uring_req *r)
{
	struct uring_req *o;

	list_for_each_entry_reverse(o, &u->counted, list) {
		if ((s32)(o->timeout.target - r->timeout.target) <= 0) {
			list_add(&r->list, &o->list);
			return;
		}
	}
	list_add(&r->list, &u->counted);
}

int uring_timeout_issue(struct uring_req *r, bool nowait)
{
	struct uring_timeout *t = &r->timeout;

	(void)nowait;
	if (t->counts) {
		t->target = completions(r->ring) + t->repeats;
		insert_counted(r->ring, r);
	}
	uring_add_later(r);
	hrtimer_start(&t->timer, t->at, t->mode);
	return URING_LATER;
}

static void forget(struct uring_req *r)
{
	hrtimer_cancel(&r->timeout.timer);
	if (r->timeout.counts)
		list_del(&r->list);
	r->timeout.counts = false;
}

void uring_timeout_event(struct uring_req *r, u32 run)
{
	struct uring_timeout *t = &r->timeout;
	struct uring *u = r->ring;

	if (run & RUN_DONE) {	/* removed */
		uring_complete(r);
		return;
	}
	if (!(run & RUN_TIMER) || hrtimer_is_queued(&t->timer))
		return;		/* it was given another time */
	WRITE_ONCE(u->timeouts_fired, u->timeouts_fired + 1);
	if (t->multi && t->repeats != 1 && uring_post(u, r->user_data, -ETIME, IORING_CQE_F_MORE)) {
		if (t->repeats)
			t->repeats--;
		hrtimer_start(&t->timer, t->at, t->mode);
		return;
	}
	forget(r);
	uring_del_later(r);
	r->res = -ETIME;
	if (!t->good)
		r->flags |= R_FAIL;
	uring_complete(r);
}

bool uring_timeout_cancel(struct uring_req *r)
{
	forget(r);
	return true;
}

void uring_count_timeouts(struct uring *u)
{
	struct uring_req *r;

	uring_assert(u);
	while (!list_empty(&u->counted)) {
		r = list_first_entry(&u->counted, struct uring_req, list);
		if ((s32)(completions(u) - r->timeout.target) < 0)
			break;
		WRITE_ONCE(u->timeouts_fired, u->timeouts_fired + 1);
		forget(r);
		uring_del_later(r);
		r->res = 0;
		uring_complete(r);
	}
}

/* ---- LINK_TIMEOUT ---- */

int uring_link_timeout_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	return sqe->off ? -EINVAL : prep(r, sqe, TIMES);
}

/* Only what it is behind of starts it. */
int uring_link_timeout_issue(struct uring_req *r, bool nowait)
{
	(void)r;
	(void)nowait;
	return -EINVAL;
}

void uring_link_timer_start(struct uring_req *r)
{
	struct uring_req *l = r->next;

	uring_assert(r->ring);
	r->flags |= R_TIMED;
	l->timeout.head = r;
	uring_add_later(l);
	hrtimer_start(&l->timeout.timer, l->timeout.at, l->timeout.mode);
}

void uring_link_timer_end(struct uring_req *r)
{
	struct uring_req *l = r->next;

	uring_assert(r->ring);
	if (r->flags & R_TIMED) {
		hrtimer_cancel(&l->timeout.timer);
		uring_del_later(l);
	}
	r->flags &= ~(R_HAS_TIMER | R_TIMED);
	r->next = l->next;
	l->next = NULL;
	l->timeout.head = NULL;
	/* No failure, whatever its result: IOSQE_CQE_SKIP_SUCCESS keeps it silent. */
	l->res = l->res ?: -ECANCELED;
	uring_end(l);
}

/* The time of its head is over. */
void uring_link_timeout_event(struct uring_req *r, u32 run)
{
	struct uring_req *head = r->timeout.head;

	if (!(run & RUN_TIMER) || hrtimer_is_queued(&r->timeout.timer))
		return;
	WRITE_ONCE(r->ring->timeouts_fired, r->ring->timeouts_fired + 1);
	r->res = -ETIME;
	if (uring_stop(head, -ECANCELED))
		return;		/* and this one with it */
	r->res = -EALREADY;
	uring_link_timer_end(head);
}

/* ---- TIMEOUT_REMOVE ---- */

int uring_timeout_remove_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	struct uring_change *c = &r->change;
	clockid_t clock;
	int e;

	if (sqe->buf_index || sqe->len || sqe->splice_fd_in)
		return -EINVAL;
	c->user_data = sqe->addr;
	c->flags = sqe->timeout_flags;
	if (!(c->flags & IORING_TIMEOUT_UPDATE_MASK))
		return c->flags ? -EINVAL : 0;
	e = clock_of(c->flags, &clock);
	if (e || c->flags & ~(IORING_TIMEOUT_UPDATE_MASK | IORING_TIMEOUT_ABS |
			      IORING_TIMEOUT_CLOCK_MASK | IORING_TIMEOUT_IMMEDIATE_ARG))
		return -EINVAL;
	c->clock = clock;
	c->mode = c->flags & IORING_TIMEOUT_ABS ? HRTIMER_MODE_ABS : HRTIMER_MODE_REL;
	return read_time(sqe->addr2, c->flags, &c->at);
}

static int update(struct uring_req *o, const struct uring_change *c)
{
	if (hrtimer_cancel(&o->timeout.timer) != 1)
		return -EALREADY;
	/* From here on its time alone ends it. */
	if (o->timeout.counts)
		list_del(&o->list);
	o->timeout.counts = false;
	/* Unless it is told of another clock it keeps its own. */
	if (c->flags & IORING_TIMEOUT_CLOCK_MASK)
		hrtimer_set_clock(&o->timeout.timer, c->clock);
	o->timeout.at = c->at;
	o->timeout.mode = c->mode;
	hrtimer_start(&o->timeout.timer, c->at, c->mode);
	return 0;
}

int uring_timeout_remove_issue(struct uring_req *r, bool nowait)
{
	const struct uring_change *c = &r->change;
	bool link = c->flags & IORING_LINK_TIMEOUT_UPDATE;
	struct uring_req *o = uring_find_later(r->ring, c->user_data,
					       link ? IORING_OP_LINK_TIMEOUT : IORING_OP_TIMEOUT);

	(void)nowait;
	if (!o)
		return -ENOENT;
	if (c->flags & IORING_TIMEOUT_UPDATE_MASK)
		return update(o, c);
	if (!hrtimer_is_queued(&o->timeout.timer))
		return -EALREADY;	/* it has fired, which is about to be told */
	/* It is told by an event of its own, when R has been. */
	forget(o);
	uring_del_later(o);
	o->res = -ECANCELED;
	o->flags |= R_FAIL;
	uring_kick(o, RUN_DONE);
	return URING_DONE;
}
