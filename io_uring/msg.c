// SPDX-License-Identifier: MIT
/*
 * IORING_OP_MSG_RING: a completion in another ring. Two rings that tell each other hold their own
 * locks: the other's is only tried, and where that fails a worker takes it.
 */
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <vfs/file.h>
#include <abi/errno.h>
#include "io_uring/ring_priv.h"

struct told {
	struct work_struct work;
	struct uring *to;		/* referenced */
	u64 user_data;
	s32 res;
	u32 flags;
};

static bool tell(struct uring *to, u64 user_data, s32 res, u32 flags)
{
	bool ok = uring_post(to, user_data, res, flags);

	uring_settle(to);
	return ok;
}

static void tell_later(struct work_struct *w)
{
	struct told *m = container_of(w, struct told, work);

	mutex_lock(&m->to->lock);
	tell(m->to, m->user_data, m->res, m->flags);
	mutex_unlock(&m->to->lock);
	uring_put(m->to);
	kfree(m);
}

int uring_msg_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	if (sqe->buf_index || sqe->personality)
		return -EINVAL;
	if (sqe->addr == IORING_MSG_SEND_FD)
		return -EOPNOTSUPP;
	if (sqe->addr != IORING_MSG_DATA)
		return -EINVAL;
	if (sqe->addr3 || sqe->msg_ring_flags & ~IORING_MSG_RING_FLAGS_PASS)
		return -EINVAL;
	if (!(sqe->msg_ring_flags & IORING_MSG_RING_FLAGS_PASS) && sqe->file_index)
		return -EINVAL;
	r->msg.user_data = sqe->off;
	r->msg.res = (s32)sqe->len;
	r->msg.flags = sqe->file_index;
	return 0;
}

int uring_msg_issue(struct uring_req *r, bool nowait)
{
	struct uring *to = uring_of(r->file);
	struct told *m;
	bool ok;

	(void)nowait;
	if (!to || READ_ONCE(to->disabled))
		return -EBADFD;
	if (to == r->ring)
		return -EINVAL;
	if (mutex_trylock(&to->lock)) {
		ok = tell(to, r->msg.user_data, r->msg.res, r->msg.flags);
		mutex_unlock(&to->lock);
		return ok ? URING_DONE : -EOVERFLOW;
	}
	m = kmalloc(sizeof(*m), GFP_KERNEL_ACCOUNT);
	if (!m)
		return -ENOMEM;
	INIT_WORK(&m->work, tell_later);
	uring_get(to);
	m->to = to;
	m->user_data = r->msg.user_data;
	m->res = r->msg.res;
	m->flags = r->msg.flags;
	schedule_work(&m->work);
	return URING_DONE;
}
