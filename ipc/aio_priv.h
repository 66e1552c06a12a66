/* SPDX-License-Identifier: MIT */
/* Between aio.c, which has contexts and their rings, and aio_req.c, which has requests. */
#pragma once

#include <lib/rbtree.h>
#include <alloc/xarray.h>
#include <ipc/aio.h>
#include <kernel/refcount.h>
#include <kernel/rcu.h>
#include <kernel/spinlock.h>
#include <sched/mutex.h>
#include <sched/wait.h>
#include <linux/aio_abi.h>

struct file;
struct mm;

/* What the program sees; it may write anything anywhere. The kernel reads HEAD alone. */
struct aio_ring {
	u32 id, nr;
	u32 head;	/* the next event to be taken, by whom it may be */
	u32 tail;	/* the next event to be written */
	u32 magic, compat, incompat, header_length;
	struct io_event events[];
};
#define AIO_RING_MAGIC 0xa10a10a1u
_Static_assert(sizeof(struct aio_ring) == 32, "programs read it");

struct aio_ctx {
	refcount_t refs;	/* one of the table, of the ring's file, of each call and request */
	/* whose table has it, until it is dead; not referenced: an mm that ends ends it */
	struct mm *mm;
	unsigned long id;	/* table's lock; 0: no longer found */
	struct list_head link;	/* table's lock: of those that are no longer found */
	unsigned int max;	/* c: what it counts in fs.aio-nr */
	unsigned int nr;	/* c: events that the ring has; one is never used */
	size_t size;		/* c: of the ring */
	struct aio_ring *ring;	/* c */
	atomic_t in_flight;	/* requests; whoever makes it 0 wakes END_WAIT */
	wait_queue_head_t end_wait, event_wait;
	struct mutex reading;	/* one takes events at a time */
	bool dead;		/* ring_lock */
	struct rcu_head rcu;

	spinlock_t ring_lock;	/* interrupts on */
	unsigned int tail;	/* ring_lock, read without: of the ring */
	unsigned int written;	/* ring_lock: events whose places were not given back */
	unsigned int free;	/* ring_lock: requests that may still be begun */
	/* ring_lock: struct aio_req that can be cancelled, by the iocb's address */
	struct rb_root polls;
};

/*
 * A request begins, with a place for its event: 0; -EAGAIN: there is none, -EINVAL: the context is
 * dead.
 */
int aio_begin(struct aio_ctx *c);
/* There will be no event. */
void aio_give_back(struct aio_ctx *c);
/* Its event. Interrupts on, no spinlock held. */
void aio_event(struct aio_ctx *c, const struct io_event *e);
/* It has ended, the context may be gone. */
void aio_leave(struct aio_ctx *c);
/* aio_req.c: one request from the user's IOCB. 0 or -errno. */
int aio_submit_one(struct aio_ctx *c, struct uptr iocb);
/* aio_req.c: -EINPROGRESS, -EINVAL. */
int aio_cancel_one(struct aio_ctx *c, unsigned long iocb);
/* aio_req.c: the context is dead. */
void aio_cancel_all(struct aio_ctx *c);

static inline void aio_ctx_get(struct aio_ctx *c)
{
	refcount_inc(&c->refs);
}

void aio_ctx_put(struct aio_ctx *c);
