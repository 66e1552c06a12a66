// SPDX-License-Identifier: MIT
/* Requests that others stop: IORING_OP_ASYNC_CANCEL, the end of a task or of a ring. */
#include <kernel/bug.h>
#include <vfs/file.h>
#include <abi/errno.h>
#include "io_uring/ring_priv.h"

/* What ASYNC_CANCEL looks for. */
struct match {
	u64 user_data;
	u32 flags;
	struct file *file;
	u8 op;
	const struct uring_task *task;	/* NULL: of any */
};

#define BY_KEY (IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_OP)

static bool matches(const struct uring_req *r, const struct match *m)
{
	if (m->task && r->task != m->task)
		return false;
	if (m->flags & IORING_ASYNC_CANCEL_ANY)
		return true;
	if (m->flags & IORING_ASYNC_CANCEL_FD && r->file != m->file)
		return false;
	if (m->flags & IORING_ASYNC_CANCEL_OP && r->op != m->op)
		return false;
	if (m->flags & IORING_ASYNC_CANCEL_USERDATA || !(m->flags & BY_KEY))
		return r->user_data == m->user_data;
	return true;
}

/* Whether one of the bucket was stopped; *BUSY: one cannot be. */
static bool stop_one_of(struct hlist_head *h, const struct match *m, bool *busy)
{
	struct uring_req *r;

	hlist_for_each_entry(r, h, later) {
		if (!matches(r, m))
			continue;
		if (uring_stop(r, -ECANCELED))
			return true;
		*busy = true;
	}
	return false;
}

/* How many were stopped; -ENOENT, -EALREADY where one was to be. */
static int stop_matching(struct uring *u, const struct match *m)
{
	bool all = m->flags & (IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_ANY), busy = false;
	struct uring_req *r;
	int n = 0;

	if (!(m->flags & BY_KEY) && !all) {
		r = uring_find_later(u, m->user_data, IORING_OP_LAST);
		if (!r)
			return -ENOENT;
		return uring_stop(r, -ECANCELED) ? 0 : -EALREADY;
	}
	/* Stopping one may end others of the list: from its beginning again. */
	for (u32 i = 0; i <= u->later_mask; i++) {
		while (stop_one_of(&u->later[i], m, &busy)) {
			n++;
			if (!all)
				return 0;
			cond_resched();
		}
	}
	if (all)
		return n;
	return busy ? -EALREADY : -ENOENT;
}

void uring_cancel_all(struct uring *u, const struct uring_task *t)
{
	struct match m = { .flags = IORING_ASYNC_CANCEL_ANY, .task = t };

	uring_assert(u);
	uring_cancel_drained(u, t);
	stop_matching(u, &m);
}

int uring_cancel_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	u32 known = IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_ANY |
		    IORING_ASYNC_CANCEL_FD_FIXED | IORING_ASYNC_CANCEL_USERDATA |
		    IORING_ASYNC_CANCEL_OP;

	if (sqe->off || sqe->splice_fd_in)
		return -EINVAL;
	r->change.user_data = sqe->addr;
	r->change.flags = sqe->cancel_flags;
	r->change.op = 0;
	if (r->change.flags & ~known)
		return -EINVAL;
	if (r->change.flags & IORING_ASYNC_CANCEL_FD && r->change.flags & IORING_ASYNC_CANCEL_ANY)
		return -EINVAL;
	if (r->change.flags & IORING_ASYNC_CANCEL_OP) {
		if (r->change.flags & IORING_ASYNC_CANCEL_ANY)
			return -EINVAL;
		r->change.op = (u8)sqe->len;
	}
	return 0;
}

int uring_cancel_issue(struct uring_req *r, bool nowait)
{
	struct match m = { .user_data = r->change.user_data,
			   .flags = r->change.flags,
			   .op = r->change.op };
	int e = 0;

	(void)nowait;
	if (m.flags & IORING_ASYNC_CANCEL_FD) {
		if (m.flags & IORING_ASYNC_CANCEL_FD_FIXED || r->flags & IOSQE_FIXED_FILE)
			e = uring_fixed_file(r, (unsigned int)r->fd);
		else
			r->file = fget((unsigned int)r->fd);
		if (e || !r->file)
			return -EBADF;
		m.file = r->file;
	}
	r->res = stop_matching(r->ring, &m);
	if (r->res < 0)
		r->flags |= R_FAIL;
	return URING_DONE;
}
