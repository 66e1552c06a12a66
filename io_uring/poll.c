// SPDX-License-Identifier: MIT
/* IORING_OP_POLL_ADD, once or many times, and IORING_OP_POLL_REMOVE, which also changes one. */
#include <kernel/bug.h>
#include <vfs/file.h>
#include <vfs/poll.h>
#include <abi/errno.h>
#include "io_uring/ring_priv.h"

static __poll_t events_of(const struct io_uring_sqe *sqe)
{
	/* The lower half comes first on every CPU. */
	const u16 *half = (const u16 *)&sqe->poll32_events;
	u32 e = half[0] | (u32)half[1] << 16;

	return (__poll_t)(e & ~(u32)(EPOLLET | EPOLLONESHOT | EPOLLEXCLUSIVE)) | EPOLLERR |
	       EPOLLHUP;
}

int uring_poll_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	u32 flags = sqe->len;

	if (sqe->buf_index || sqe->off || sqe->addr)
		return -EINVAL;
	if (flags & ~IORING_POLL_ADD_MULTI)
		return -EINVAL;
	r->poll.multi = flags & IORING_POLL_ADD_MULTI;
	if (r->poll.multi && r->flags & IOSQE_CQE_SKIP_SUCCESS)
		return -EINVAL;
	r->poll.events = events_of(sqe);
	return 0;
}

/* MASK is told. True: more may come. */
static bool tell(struct uring_req *r, __poll_t mask)
{
	return r->poll.multi &&
	       uring_post(r->ring, r->user_data, (s32)(u32)mask, IORING_CQE_F_MORE);
}

int uring_poll_issue(struct uring_req *r, bool nowait)
{
	int got = uring_hook(r, r->poll.events, r->poll.multi);

	(void)nowait;
	if (got < 0)
		return got;
	/* Once; or a file without a queue: its state does not change. */
	if (!(r->flags & R_HOOKED)) {
		r->res = got;
		return URING_DONE;
	}
	uring_add_later(r);
	/* What is ready comes as an event, together with what becomes ready before that is run. */
	if (got) {
		atomic_or(got, &r->wait->woken);
		uring_kick(r, RUN_POLL);
	}
	return URING_LATER;
}

void uring_poll_event(struct uring_req *r, u32 run)
{
	__poll_t mask, woken;

	if (!(run & RUN_POLL) || !(r->flags & R_HOOKED))
		return;
	/* Of one of many, what its wake-ups were for: the rest was told, or has not changed. */
	woken = (__poll_t)atomic_xchg(&r->wait->woken, 0);
	mask = woken ? uring_look(r, r->poll.events) : 0;
	if (r->poll.multi && !(woken & WOKEN_ANY))
		mask &= woken | EPOLLERR | EPOLLHUP;
	/* What its completion wakes may be its own queue: it would go on for ever. */
	if (run & RUN_OWN_WAKE)
		r->poll.multi = false;
	if (!mask || tell(r, mask))
		return;
	uring_unhook(r);
	uring_del_later(r);
	r->res = (s32)(u32)mask;
	uring_complete(r);
}

/* ---- POLL_REMOVE ---- */

int uring_poll_remove_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	u32 flags = sqe->len;

	if (sqe->buf_index || sqe->splice_fd_in)
		return -EINVAL;
	if (flags & ~(IORING_POLL_UPDATE_EVENTS | IORING_POLL_UPDATE_USER_DATA |
		      IORING_POLL_ADD_MULTI) ||
	    flags == IORING_POLL_ADD_MULTI)
		return -EINVAL;
	r->poll.old_user_data = sqe->addr;
	r->poll.new_user_data = sqe->off;
	r->poll.set_events = flags & IORING_POLL_UPDATE_EVENTS;
	r->poll.set_user_data = flags & IORING_POLL_UPDATE_USER_DATA;
	r->poll.multi = flags & IORING_POLL_ADD_MULTI;
	if (!r->poll.set_user_data && sqe->off)
		return -EINVAL;
	if (!r->poll.set_events && sqe->poll32_events)
		return -EINVAL;
	r->poll.events = events_of(sqe);
	return 0;
}

/* O waits for what C says. */
static void change(struct uring_req *o, const struct uring_poll *c)
{
	int e;

	uring_unhook(o);
	uring_del_later(o);
	if (c->set_events) {
		o->poll.events = c->events;
		o->poll.multi = c->multi;
	}
	if (c->set_user_data)
		o->user_data = c->new_user_data;
	e = uring_poll_issue(o, true);
	if (e == URING_LATER)
		return;
	if (e < 0) {
		o->res = e;
		o->flags |= R_FAIL;
	}
	uring_complete(o);
}

int uring_poll_remove_issue(struct uring_req *r, bool nowait)
{
	struct uring_req *o = uring_find_later(r->ring, r->poll.old_user_data, IORING_OP_POLL_ADD);

	(void)nowait;
	if (!o)
		return -ENOENT;
	if (r->poll.set_events || r->poll.set_user_data)
		change(o, &r->poll);
	else
		uring_stop(o, -ECANCELED);
	return URING_DONE;
}
