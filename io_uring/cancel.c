// SPDX-License-Identifier: MIT
/* Requests that others stop: IORING_OP_ASYNC_CANCEL, the end of a task or of a ring. */
#include <lib/string.h>
#include <io_uring/uring.h>
#include <kernel/bug.h>
#include <kernel/time.h>
#include <mm/uaccess.h>
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

#define CANCEL_KNOWN (IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_ANY | \
		      IORING_ASYNC_CANCEL_FD_FIXED | IORING_ASYNC_CANCEL_USERDATA | \
		      IORING_ASYNC_CANCEL_OP)
#define BY_KEY (IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_OP)

static bool matches(const struct uring_req *r, const struct match *m)
{
	/* A limit of another's time goes with that alone. */
	if (r->op == IORING_OP_LINK_TIMEOUT || (m->task && r->task != m->task))
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

/*
 * Whether the newest of the bucket that can be stopped was; *BUSY: one cannot be, and if it was
 * with a worker that was told, and no other one is.
 */
static bool stop_one_of(struct hlist_head *h, const struct match *m, bool *busy)
{
	struct uring_req *r;

	hlist_for_each_entry(r, h, later) {
		if (!matches(r, m) || (*busy && r->flags & R_RUNNING))
			continue;
		if (uring_stop(r, -ECANCELED))
			return true;
		*busy = true;
	}
	return false;
}

/*
 * How many of the bucket were stopped, or are with a worker, which is told, the oldest first.
 * Stopping one may end others of the list, visited or not, and adds none: each is moved to a list
 * of those to be visited, and moved back as it is, so that none is visited twice.
 */
static int stop_all_of(struct hlist_head *h, const struct match *m)
{
	struct hlist_head todo = HLIST_HEAD_INIT;
	struct uring_req *r;
	bool told;
	int n = 0;

	while (!hlist_empty(h)) {
		r = hlist_entry(h->first, struct uring_req, later);
		hlist_del(&r->later);
		hlist_add_head(&r->later, &todo);
		cond_resched();
	}
	while (!hlist_empty(&todo)) {
		r = hlist_entry(todo.first, struct uring_req, later);
		hlist_del(&r->later);
		hlist_add_head(&r->later, h);
		if (matches(r, m)) {
			told = r->flags & R_RUNNING;
			n += uring_stop(r, -ECANCELED) || told;
		}
		cond_resched();
	}
	return n;
}

/* How many were stopped; -ENOENT, -EALREADY where one was to be. */
static int stop_matching(struct uring *u, const struct match *m)
{
	bool all = m->flags & (IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_ANY), busy = false;
	int n = 0;

	if (!(m->flags & BY_KEY) && !all) {
		if (stop_one_of(uring_later_of(u, m->user_data), m, &busy))
			return 0;
		return busy ? -EALREADY : -ENOENT;
	}
	for (u32 i = 0; i <= u->later_mask; i++) {
		if (all)
			n += stop_all_of(&u->later[i], m);
		else if (stop_one_of(&u->later[i], m, &busy))
			return 0;
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
	if (sqe->off || sqe->splice_fd_in)
		return -EINVAL;
	r->change.user_data = sqe->addr;
	r->change.flags = sqe->cancel_flags;
	r->change.op = 0;
	if (r->change.flags & ~CANCEL_KNOWN)
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

/* ---- IORING_REGISTER_SYNC_CANCEL ---- */

static int sync_once(struct uring *u, struct match *m, s32 fd)
{
	const struct uring_table *t = &u->files;
	unsigned int at = (unsigned int)fd;

	if (m->flags & IORING_ASYNC_CANCEL_FD && m->flags & IORING_ASYNC_CANCEL_FD_FIXED) {
		if (at >= t->nr || !t->at[at])
			return -EBADF;
		m->file = t->at[at]->file;
	}
	return stop_matching(u, m);
}

/* Until none is left that cannot be stopped, or UNTIL. */
static int sync_wait(struct uring *u, struct match *m, s32 fd, const ktime_t *until)
{
	u32 seen;
	int e;

	for (;;) {
		e = sync_once(u, m, fd);
		if (e != -EALREADY)
			return e == -ENOENT || e > 0 ? 0 : e;
		seen = uring_posted(u);
		uring_settle(u);
		mutex_unlock(&u->lock);
		e = uring_sleep(u, seen, until);
		uring_run_work(u);
		mutex_lock(&u->lock);
		if (e)
			return e;
	}
}

int uring_sync_cancel(struct uring *u, struct uptr arg)
{
	struct io_uring_sync_cancel_reg c;
	ktime_t until = KTIME_MAX;
	struct match m;
	int e;

	if (copy_from_user(&c, arg, sizeof(c)))
		return -EFAULT;
	if (c.flags & ~CANCEL_KNOWN || memchr_inv(c.pad, 0, sizeof(c.pad)) ||
	    memchr_inv(c.pad2, 0, sizeof(c.pad2)))
		return -EINVAL;
	m = (struct match){ .user_data = c.addr, .flags = c.flags, .op = c.opcode };
	if (c.flags & IORING_ASYNC_CANCEL_FD && !(c.flags & IORING_ASYNC_CANCEL_FD_FIXED)) {
		m.file = fget((unsigned int)c.fd);
		if (!m.file)
			return -EBADF;
	}
	if (c.timeout.tv_sec != -1 || c.timeout.tv_nsec != -1)
		until = ktime_add_safe((ktime_t)ktime_get_ns(), uring_ns(&c.timeout));
	e = sync_once(u, &m, c.fd);
	if (e == -EALREADY)
		e = sync_wait(u, &m, c.fd, until == KTIME_MAX ? NULL : &until);
	if (m.file && !(c.flags & IORING_ASYNC_CANCEL_FD_FIXED))
		fput(m.file);
	return e;
}

/* ---- IORING_OP_ASYNC_CANCEL ---- */

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
	return r->res < 0 ? r->res : URING_DONE;
}
