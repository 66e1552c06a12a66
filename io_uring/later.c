// SPDX-License-Identifier: MIT
/* Requests that are later: found by user_data, and stopped. */
#include <kernel/bug.h>
#include <abi/errno.h>
#include "io_uring/ring_priv.h"

struct hlist_head *uring_later_of(struct uring *u, u64 user_data)
{
	return &u->later[(user_data * 0x9E3779B97F4A7C15ull >> 32) & u->later_mask];
}

void uring_add_later(struct uring_req *r)
{
	uring_assert(r->ring);
	DEBUG_ON(r->flags & R_LATER);
	r->flags |= R_LATER;
	hlist_add_head(&r->later, uring_later_of(r->ring, r->user_data));
}

void uring_del_later(struct uring_req *r)
{
	if (!(r->flags & R_LATER))
		return;
	r->flags &= ~R_LATER;
	hlist_del_init(&r->later);
}

struct uring_req *uring_find_later(struct uring *u, u64 user_data, u8 op)
{
	struct uring_req *r;

	uring_assert(u);
	hlist_for_each_entry(r, uring_later_of(u, user_data), later)
		if (r->user_data == user_data && r->op == op)
			return r;
	return NULL;
}

void uring_fail(struct uring_req *r, s32 res)
{
	/* Nobody is here whose call could be restarted. */
	if (res <= -ERESTARTSYS && res >= -ERESTART_RESTARTBLOCK && res != -ENOIOCTLCMD)
		res = -EINTR;
	r->res = res;
	r->flags |= R_FAIL;
	if (uring_op(r)->moved && uring_op(r)->moved(r))
		r->res = (s32)uring_op(r)->moved(r);
}

bool uring_stop(struct uring_req *r, s32 res)
{
	uring_assert(r->ring);
	if (r->flags & R_HOOKED)
		uring_unhook(r);
	else if (r->flags & R_AGAIN)
		r->flags &= ~R_AGAIN;
	else if (r->flags & R_RUNNING ? !uring_take_back(r) :
					!uring_op(r)->cancel || !uring_op(r)->cancel(r))
		return false;
	uring_del_later(r);
	r->res = res;
	if (res < 0)
		uring_fail(r, res);
	uring_complete(r);
	return true;
}
