// SPDX-License-Identifier: MIT
/*
 * Completions. Those that find the CQ full are kept, in order, and come into it when the program
 * has made room and enters: none is lost (IORING_FEAT_NODROP). How many may be kept is bounded by
 * the requests in flight, and their memory is charged.
 */
#include <alloc/slab.h>
#include <ipc/eventfd.h>
#include <kernel/bug.h>
#include <vfs/poll.h>
#include "io_uring/ring_priv.h"

static bool has_room(struct uring *u)
{
	if (likely(u->cq_tail != u->cq_room_to))
		return true;
	/* Pairs with the release by which the program gives entries back. */
	u->cq_room_to = smp_load_acquire(&u->shared->cq_head) + u->cq_entries;
	/* A head that is nonsense makes the ring full, or overwrites what the program has there. */
	if (u->cq_room_to - u->cq_tail > u->cq_entries)
		u->cq_room_to = u->cq_tail;
	return u->cq_tail != u->cq_room_to;
}

static bool keep(struct uring *u, u64 user_data, s32 res, u32 flags)
{
	struct uring_late_cqe *c = kmalloc(sizeof(*c), GFP_KERNEL_ACCOUNT);

	if (!c) {
		WRITE_ONCE(u->shared->cq_overflow, u->shared->cq_overflow + 1);
		WRITE_ONCE(u->nr_lost, u->nr_lost + 1);
		WRITE_ONCE(u->lost, true);
		return false;
	}
	c->user_data = user_data;
	c->res = res;
	c->flags = flags;
	if (list_empty(&u->late))
		atomic_fetch_or(IORING_SQ_CQ_OVERFLOW, &u->shared->sq_flags);
	list_add_tail(&c->list, &u->late);
	u->nr_late++;
	return true;
}

bool uring_post(struct uring *u, u64 user_data, s32 res, u32 flags)
{
	uring_assert(u);
	u->posted = true;
	if (likely(list_empty(&u->late) && has_room(u))) {
		uring_put_cqe(u, user_data, res, flags);
		return true;
	}
	/* One of many ends instead, with a completion that is kept. */
	if (flags & IORING_CQE_F_MORE)
		return false;
	return keep(u, user_data, res, flags);
}

bool uring_post_message(struct uring *u, u64 user_data, s32 res, u32 flags)
{
	uring_assert(u);
	u->posted = true;
	if (unlikely(!list_empty(&u->late) || !has_room(u)))
		return keep(u, user_data, res, flags);
	uring_put_cqe(u, user_data, res, flags);
	return true;
}

bool uring_late_flush(struct uring *u)
{
	struct uring_late_cqe *c, *next;

	uring_assert(u);
	if (likely(list_empty(&u->late)))
		return true;
	list_for_each_entry_safe(c, next, &u->late, list) {
		if (!has_room(u))
			return false;
		uring_put_cqe(u, c->user_data, c->res, c->flags);
		u->posted = true;
		list_del(&c->list);
		u->nr_late--;
		kfree(c);
	}
	atomic_fetch_andnot(IORING_SQ_CQ_OVERFLOW, &u->shared->sq_flags);
	return true;
}

bool uring_tells_eventfd(const struct uring *u)
{
	return READ_ONCE(u->eventfd) &&
	       (!READ_ONCE(u->eventfd_async) || current->flags & PF_IO_WORKER) &&
	       !(READ_ONCE(u->shared->cq_flags) & IORING_CQ_EVENTFD_DISABLED);
}

void uring_flush(struct uring *u)
{
	uring_assert(u);
	if (!u->posted)
		return;
	u->posted = false;
	if (unlikely(!list_empty(&u->counted)))
		uring_count_timeouts(u);
	/* The completions are there before the program sees that they are. */
	smp_store_release(&u->shared->cq_tail, u->cq_tail);
	if (wq_has_sleeper(&u->cq_wait))
		wake_up_all(&u->cq_wait);
	if (waitqueue_active(&u->poll_wait))
		wake_up_poll(&u->poll_wait, EPOLLIN | EPOLL_URING_WAKE);
	if (unlikely(u->eventfd) && uring_tells_eventfd(u))
		eventfd_signal(u->eventfd, 1, EPOLL_URING_WAKE);
}
