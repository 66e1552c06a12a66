// SPDX-License-Identifier: MIT
/*
 * IORING_OP_MSG_RING: a completion in another ring, and with IORING_MSG_SEND_FD a registered file
 * too.
 *
 * The sender's ring is locked, and the other one might be sending to it: its lock is only tried.
 * Where that fails the message is delivered by the workqueue, with all others to that ring by one
 * worker, and the request is later. What becomes ready in the other ring is left to its tasks: a
 * chain of rings is no recursion.
 */
#include <kernel/bug.h>
#include <vfs/file.h>
#include <abi/errno.h>
#include "io_uring/flags.h"
#include "io_uring/ring_priv.h"

static int prep(struct uring_msg *m, const struct io_uring_sqe *sqe)
{
	u32 flags = sqe->msg_ring_flags;

	if (sqe->buf_index || sqe->personality)
		return -EINVAL;
	if (flags & ~(IORING_MSG_RING_CQE_SKIP | IORING_MSG_RING_FLAGS_PASS))
		return -EINVAL;
	m->cmd = sqe->addr;
	m->user_data = sqe->off;
	m->len = sqe->len;
	m->from = sqe->addr3;
	m->to = sqe->file_index;
	m->flags = flags;
	m->file = NULL;
	return 0;
}

int uring_msg_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	return prep(&r->msg, sqe);
}

/* TO is locked. The request's result. */
static int deliver(struct uring_msg *m, struct uring *to)
{
	u32 flags = m->flags & IORING_MSG_RING_FLAGS_PASS ? m->to : 0;
	int e;

	if (m->cmd == IORING_MSG_DATA)
		return uring_post_message(to, m->user_data, (s32)m->len, flags) ? 0 : -EOVERFLOW;
	e = uring_install_in(to, m->file, m->to);
	m->file = NULL;
	if (e < 0 || m->flags & IORING_MSG_RING_CQE_SKIP)
		return e;
	return uring_post(to, m->user_data, e, 0) ? e : -EOVERFLOW;
}

void uring_deliver_msgs(struct work_struct *w)
{
	struct uring *to = container_of(w, struct uring, msg_work);
	struct llist_node *n = llist_reverse_order(llist_del_all(&to->msgs)), *i;

	mutex_lock(&to->lock);
	for (i = n; i; i = i->next) {
		struct uring_req *r = container_of(i, struct uring_req, msg.node);

		r->res = deliver(&r->msg, to);
		cond_resched();
	}
	uring_settle_later(to);
	mutex_unlock(&to->lock);
	/* Each of them has TO's file until here: TO may go with the last. */
	for (; n; n = i) {
		i = n->next;
		uring_kick(container_of(n, struct uring_req, msg.node), RUN_DONE);
	}
}

/* Whether M, which sends data, may come to TO. */
static int check_data(const struct uring_msg *m, const struct uring *to)
{
	if (m->from || m->flags & IORING_MSG_RING_CQE_SKIP)
		return -EINVAL;
	if (!(m->flags & IORING_MSG_RING_FLAGS_PASS) && m->to)
		return -EINVAL;
	return READ_ONCE(to->disabled) ? -EBADFD : 0;
}

/* What M asks of TO, and, with SEND_FD, the file. */
static int check(struct uring_req *r, struct uring *to)
{
	const struct uring_table *t = &r->ring->files;
	struct uring_msg *m = &r->msg;

	if (m->cmd == IORING_MSG_DATA)
		return check_data(m, to);
	if (m->cmd != IORING_MSG_SEND_FD || m->len || to == r->ring)
		return -EINVAL;
	if (READ_ONCE(to->disabled))
		return -EBADFD;
	if (m->from >= t->nr || !t->at[m->from])
		return -EBADF;
	m->file = get_file(t->at[m->from]->file);
	return 0;
}

int uring_msg_issue(struct uring_req *r, bool nowait)
{
	struct uring *to = uring_of(r->file);
	int e = to ? check(r, to) : -EBADFD;

	(void)nowait;
	if (e)
		return e;
	if (to == r->ring) {
		r->res = deliver(&r->msg, to);
	} else if (mutex_trylock(&to->lock)) {
		r->res = deliver(&r->msg, to);
		uring_settle_later(to);
		mutex_unlock(&to->lock);
	} else {
		uring_add_later(r);
		if (llist_add(&r->msg.node, &to->msgs))
			schedule_work(&to->msg_work);
		return URING_LATER;
	}
	return r->res < 0 ? r->res : URING_DONE;
}

void uring_msg_event(struct uring_req *r, u32 run)
{
	if (!(run & RUN_DONE))
		return;
	uring_del_later(r);
	uring_issued(r, r->res < 0 ? r->res : URING_DONE);
}

int uring_msg_send(const struct io_uring_sqe *sqe)
{
	struct uring_msg m;
	struct uring *to;
	struct file *f;
	int e = prep(&m, sqe);

	if (e)
		return e;
	if (m.cmd != IORING_MSG_DATA)
		return -EINVAL;
	f = fget((unsigned int)sqe->fd);
	if (!f)
		return -EBADF;
	to = uring_of(f);
	e = to ? check_data(&m, to) : -EBADFD;
	if (!e) {
		mutex_lock(&to->lock);
		e = deliver(&m, to);
		uring_settle_later(to);
		mutex_unlock(&to->lock);
	}
	fput(f);
	return e;
}
