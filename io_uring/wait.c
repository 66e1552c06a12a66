// SPDX-License-Identifier: MIT
/*
 * Requests on the wait queues of their files. A wake-up only kicks the request: its run asks the
 * file again.
 */
#include <alloc/slab.h>
#include <ipc/eventfd.h>
#include <kernel/bug.h>
#include <vfs/file.h>
#include <vfs/poll.h>
#include <abi/errno.h>
#include "io_uring/ring_priv.h"

static int wake(struct wait_queue_entry *e, unsigned int mode, int flags, void *key)
{
	struct uring_wait_entry *p = container_of(e, struct uring_wait_entry, entry);
	u32 got = key_to_poll(key), run = RUN_POLL;

	if (got && !(got & (READ_ONCE(p->req->wait->events) | POLL_FREED)))
		return 0;
	if (got & POLL_FREED)
		list_del_init(&e->entry);
	if (p->req->op == IORING_OP_POLL_ADD)
		atomic_or(!got || got & POLL_FREED ? WOKEN_ANY : (int)got, &p->req->wait->woken);
	if (got & EPOLL_URING_WAKE) {
		run |= RUN_OWN_WAKE;
		/* It has been counted up: who reads it comes and finds the request. */
		if (eventfd_is(READ_ONCE(p->req->ring->eventfd), p->req->file))
			run |= RUN_TOLD;
	}
	uring_kick(p->req, run);
	/* The request has a hook until here, so it is there: pairs with uring_unhook(). */
	if (got & POLL_FREED)
		smp_store_release(&p->queue, (wait_queue_head_t *)NULL);
	return 1;
}

struct hook {
	struct poll_table_struct pt;
	struct uring_req *req;
};

static void add(struct file *file, wait_queue_head_t *q, struct poll_table_struct *pt)
{
	struct uring_req *r = container_of(pt, struct hook, pt)->req;
	struct uring_wait *w = r->wait;
	struct uring_wait_entry *p;

	if (w->nr == WAIT_QUEUES) {
		w->too_many = true;
		return;
	}
	p = &w->on[w->nr++];
	init_waitqueue_func_entry(&p->entry, wake);
	p->req = r;
	p->queue = q;
	add_wait_queue(q, &p->entry);
}

void uring_unhook(struct uring_req *r)
{
	uring_assert(r->ring);
	for (unsigned int i = 0; i < r->wait->nr; i++) {
		struct uring_wait_entry *p = &r->wait->on[i];
		wait_queue_head_t *q;

		rcu_read_lock();
		q = smp_load_acquire(&p->queue);	/* NULL: wake() is done with P */
		if (q)
			remove_wait_queue(q, &p->entry);
		rcu_read_unlock();
	}
	r->wait->nr = 0;
	r->flags &= ~R_HOOKED;
}

__poll_t uring_look(struct uring_req *r, __poll_t events)
{
	struct poll_table_struct pt = { ._key = events };

	return vfs_poll(r->file, &pt) & events;
}

int uring_hook(struct uring_req *r, __poll_t events, bool stay)
{
	struct hook h = { .pt = { add, events }, .req = r };
	__poll_t got;

	uring_assert(r->ring);
	DEBUG_ON(r->flags & R_HOOKED);
	if (!r->wait)
		r->wait = kmalloc(sizeof(*r->wait), GFP_KERNEL_ACCOUNT);
	if (!r->wait)
		return -ENOMEM;
	r->wait->nr = 0;
	r->wait->too_many = false;
	r->wait->events = events;
	atomic_set(&r->wait->woken, 0);
	r->flags |= R_HOOKED;
	got = vfs_poll(r->file, &h.pt) & events;
	if (r->wait->too_many) {
		uring_unhook(r);
		return -EINVAL;
	}
	if ((!got || stay) && r->wait->nr)
		return (int)(u32)got;
	uring_unhook(r);
	/* No queue, and nothing is ready: nobody would ever tell. */
	return got ? (int)(u32)got : -EINVAL;
}
