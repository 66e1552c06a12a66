// SPDX-License-Identifier: MIT
/*
 * Linux AIO: requests. Reads and writes run in io_submit(2) until they return or, direct ones of a
 * disk, say that they go on alone
 * (-EIOCBQUEUED, vfs/file.h); fsync runs in a worker with the rights of its submitter; a poll waits
 * by callbacks.
 *
 * A request has two references: the submitter's, as the file is used after the operation has
 * returned, and its own, until its event is in the ring.
 *
 * A poll is ended by its work alone, which runs once at a time: it asks the file, and ends the
 * request where there is something to tell or it was cancelled. Wake-ups and cancellation only
 * queue it, each with a reference of the request. While the submitter puts the request on the
 * file's queues the work does nothing (armed); a wake-up in that time is found afterwards (woken).
 * The submitter asks first without any of that; most polls that are ready at once end there.
 */
#include <lib/err.h>
#include <alloc/slab.h>
#include <ipc/eventfd.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <mm/iter.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <sched/task.h>
#include <sched/work.h>
#include <vfs/file.h>
#include <vfs/poll.h>
#include <abi/errno.h>
#include <linux/fs.h>
#include "ipc/aio_priv.h"

#define POLL_QUEUES 2	/* a file has one to read and one to write at most */

struct aio_req {
	union {
		struct kiocb rw;
		struct {
			struct work_struct work;
			const struct cred *cred;	/* c */
			bool datasync;			/* c */
		} sync;
		struct {
			struct work_struct work;
			struct poll_entry {
				struct wait_queue_entry entry;
				wait_queue_head_t *queue;	/* NULL: not on one, or that went */
				struct aio_req *req;		/* c */
			} on[POLL_QUEUES];
			/* ctx->ring_lock: of what can be cancelled; empty: it cannot */
			struct rb_node node;
			__poll_t events;	/* c */
			unsigned int nr; /* the submitter's until it is armed: entries in use */
			bool too_many;		/* the submitter's */
			bool armed, woken, cancelled;
			bool over;		/* the work's: the event was told */
		} poll;
	};
	struct file *file;	/* c */
	struct aio_ctx *ctx;	/* c; until aio_leave() */
	struct io_event event;	/* c, but for the result */
	struct eventfd *signal;	/* c; NULL */
	refcount_t refs;
};

#define SYNCS_AT_ONCE 64	/* each may have a worker wait for a disk for long */

static struct kmem_cache *req_cache __ro_after_init;
static struct workqueue_struct *sync_queue __ro_after_init;

static void req_put(struct aio_req *r)
{
	if (!refcount_dec_and_test(&r->refs))
		return;
	if (r->file)
		fput(r->file);
	if (r->signal)
		eventfd_put(r->signal);
	/* The file is closed before the context can have ended. */
	aio_leave(r->ctx);
	kmem_cache_free(req_cache, r);
}

/* Its event, and its own reference. Interrupts on, no spinlock held. */
static void req_end(struct aio_req *r, long res)
{
	r->event.res = res;
	aio_event(r->ctx, &r->event);
	if (r->signal)
		eventfd_signal(r->signal, 1, 0);
	req_put(r);
}

/* ---- read and write ---- */

static void rw_done(struct aio_req *r, long res)
{
	/* Nobody is here to be restarted. */
	if (res == -ERESTARTSYS || res == -ERESTARTNOINTR || res == -ERESTARTNOHAND ||
	    res == -ERESTART_RESTARTBLOCK)
		res = -EINTR;
	vfs_iocb_done(&r->rw, res);
	req_end(r, res);
}

static void rw_complete(struct kiocb *k, long res)
{
	rw_done(container_of(k, struct aio_req, rw), res);
}

static int rw_prep(struct aio_req *r, const struct iocb *u, bool write)
{
	struct kiocb *k = &r->rw;
	int e;

	init_sync_kiocb(k, r->file);
	k->ki_complete = rw_complete;
	k->ki_pos = (loff_t)u->aio_offset;
	if (u->aio_flags & IOCB_FLAG_IOPRIO) {
		e = ioprio_check(u->aio_reqprio);
		if (e)
			return e;
		k->ki_ioprio = (u16)u->aio_reqprio;
	}
	e = kiocb_set_rw_flags(k, (int)u->aio_rw_flags, write);
	k->ki_flags &= ~IOCB_HIPRI;
	return e ?: vfs_iocb_check(k, write);
}

static int rw_submit(struct aio_req *r, const struct iocb *u, bool write, bool vector)
{
	struct iovec fast[UIO_FASTIOV], *iov = fast;
	unsigned int dir = write ? ITER_SOURCE : ITER_DEST;
	struct iter it;
	ssize_t n;
	int e = rw_prep(r, u, write);

	if (e)
		return e;
	if (vector)
		n = import_iovec(dir, UPTR(u->aio_buf), u->aio_nbytes, UIO_FASTIOV, &iov, &it);
	else
		n = import_ubuf(dir, UPTR(u->aio_buf), u->aio_nbytes, &it);
	if (n < 0)
		return (int)n;
	e = rw_verify_area(write, r->file, &r->rw.ki_pos, iter_count(&it));
	if (!e) {
		n = !iter_count(&it) ? 0 :
		    write	     ? vfs_iocb_write(&r->rw, &it) :
				       vfs_iocb_read(&r->rw, &it);
		if (n != -EIOCBQUEUED)
			rw_done(r, n);
	}
	if (vector)
		kfree(iov);
	return e;
}

/* ---- fsync ---- */

static void sync_work(struct work_struct *w)
{
	struct aio_req *r = container_of(w, struct aio_req, sync.work);
	const struct cred *cred = r->sync.cred, *old = override_creds(cred);
	int e = vfs_fsync(r->file, r->sync.datasync);

	revert_creds(old);
	put_cred(cred);
	req_end(r, e);
}

static int sync_submit(struct aio_req *r, const struct iocb *u, bool datasync)
{
	if (u->aio_buf || u->aio_offset || u->aio_nbytes || u->aio_rw_flags ||
	    !r->file->f_op->fsync)
		return -EINVAL;
	r->sync.datasync = datasync;
	r->sync.cred = get_current_cred();
	INIT_WORK(&r->sync.work, sync_work);
	queue_work(sync_queue, &r->sync.work);
	return 0;
}

/* ---- poll ---- */

/* Has the work run, or run again. Any context. */
static void poll_kick(struct aio_req *r)
{
	refcount_inc(&r->refs);
	/* Queued already: that run has a reference of its own. */
	if (!schedule_work(&r->poll.work))
		WARN_ON(refcount_dec_and_test(&r->refs));
}

static int poll_wake(struct wait_queue_entry *e, unsigned int mode, int flags, void *key)
{
	struct poll_entry *p = container_of(e, struct poll_entry, entry);
	u32 got = key_to_poll(key);

	if (got && !(got & (p->req->poll.events | POLL_FREED)))
		return 0;
	WRITE_ONCE(p->req->poll.woken, true);
	poll_kick(p->req);
	if (got & POLL_FREED) {
		list_del_init(&e->entry);
		/* After this the queue is not touched by us: pairs with poll_unhook(). */
		smp_store_release(&p->queue, (wait_queue_head_t *)NULL);
	}
	return 1;
}

static void poll_unhook(struct aio_req *r)
{
	for (unsigned int i = 0; i < r->poll.nr; i++) {
		struct poll_entry *p = &r->poll.on[i];
		wait_queue_head_t *q;

		rcu_read_lock();
		q = smp_load_acquire(&p->queue);
		if (q)
			remove_wait_queue(q, &p->entry);
		rcu_read_unlock();
	}
}

static void poll_forget(struct aio_req *r)
{
	struct aio_ctx *c = r->ctx;

	spin_lock(&c->ring_lock);
	if (!RB_EMPTY_NODE(&r->poll.node))
		rb_erase(&r->poll.node, &c->polls);
	spin_unlock(&c->ring_lock);
}

static void poll_work(struct work_struct *w)
{
	struct aio_req *r = container_of(w, struct aio_req, poll.work);
	struct poll_table_struct pt = { ._key = r->poll.events };
	__poll_t mask = 0;

	smp_mb();	/* woken before the look at armed: pairs with poll_arm()'s */
	if (READ_ONCE(r->poll.armed) && !r->poll.over) {
		if (!READ_ONCE(r->poll.cancelled))
			mask = vfs_poll(r->file, &pt) & r->poll.events;
		if (mask || READ_ONCE(r->poll.cancelled)) {
			r->poll.over = true;
			poll_unhook(r);
			poll_forget(r);
			req_end(r, (long)(u32)mask);
		}
	}
	req_put(r);
}

static struct aio_req *req_of(struct rb_node *n)
{
	return rb_entry(n, struct aio_req, poll.node);
}

struct poll_hook {
	struct poll_table_struct pt;
	struct aio_req *req;
};

static void poll_queue(struct file *file, wait_queue_head_t *q, struct poll_table_struct *pt)
{
	struct aio_req *r = container_of(pt, struct poll_hook, pt)->req;
	struct poll_entry *p;

	if (r->poll.nr == POLL_QUEUES) {
		r->poll.too_many = true;
		return;
	}
	p = &r->poll.on[r->poll.nr++];
	init_waitqueue_func_entry(&p->entry, poll_wake);
	p->req = r;
	p->queue = q;
	add_wait_queue(q, &p->entry);
}

/* From here on it can be cancelled. False: the context is dead. */
static bool poll_insert(struct aio_req *r)
{
	struct aio_ctx *c = r->ctx;
	struct rb_node **link = &c->polls.node, *parent = NULL;
	bool ok;

	spin_lock(&c->ring_lock);
	ok = !c->dead;
	if (ok) {
		while (*link) {
			parent = *link;
			link = req_of(parent)->event.obj < r->event.obj ? &parent->right :
									  &parent->left;
		}
		rb_link_node(&r->poll.node, parent, link);
		rb_insert_color(&r->poll.node, &c->polls);
	}
	spin_unlock(&c->ring_lock);
	return ok;
}

/*
 * It is on its queues. MASK: what was there then. 0; -EINVAL: it is not armed, nobody will tell of
 * it.
 */
static int poll_arm(struct aio_req *r, __poll_t mask)
{
	if (r->poll.too_many || !poll_insert(r)) {
		poll_unhook(r);
		return -EINVAL;
	}
	WRITE_ONCE(r->poll.armed, true);
	smp_mb(); /* pairs with poll_work()'s: one of the two sees what the other has written */
	if (mask || READ_ONCE(r->poll.woken) || READ_ONCE(r->poll.cancelled))
		poll_kick(r);
	return 0;
}

static int poll_submit(struct aio_req *r, const struct iocb *u)
{
	struct poll_hook h = { .req = r };
	__poll_t mask;

	if ((u16)u->aio_buf != u->aio_buf || u->aio_offset || u->aio_nbytes || u->aio_rw_flags ||
	    !file_can_poll(r->file))
		return -EINVAL;
	r->poll.events = (__poll_t)u->aio_buf | EPOLLERR | EPOLLHUP;
	r->poll.nr = 0;
	r->poll.too_many = r->poll.armed = r->poll.woken = r->poll.cancelled = r->poll.over = false;
	RB_CLEAR_NODE(&r->poll.node);
	INIT_WORK(&r->poll.work, poll_work);
	h.pt._key = r->poll.events;
	mask = vfs_poll(r->file, &h.pt) & r->poll.events;
	if (mask) {
		req_end(r, (long)(u32)mask);
		return 0;
	}
	h.pt._qproc = poll_queue;
	mask = vfs_poll(r->file, &h.pt) & r->poll.events;
	return poll_arm(r, mask);
}

/* Lock held, R is in the tree: its event comes. */
static void cancel_locked(struct aio_ctx *c, struct aio_req *r)
{
	rb_erase(&r->poll.node, &c->polls);
	RB_CLEAR_NODE(&r->poll.node);
	WRITE_ONCE(r->poll.cancelled, true);
	poll_kick(r);
}

int aio_cancel_one(struct aio_ctx *c, unsigned long iocb)
{
	struct rb_node *n;
	int e = -EINVAL;

	spin_lock(&c->ring_lock);
	for (n = c->polls.node; n; n = req_of(n)->event.obj < iocb ? n->right : n->left) {
		if (req_of(n)->event.obj == iocb) {
			cancel_locked(c, req_of(n));
			e = -EINPROGRESS;
			break;
		}
	}
	spin_unlock(&c->ring_lock);
	return e;
}

void aio_cancel_all(struct aio_ctx *c)
{
	bool more = true;

	/*
	 * One at a time: how many there are is the program's choice. None is added to a dead
	 * context.
	 */
	while (more) {
		spin_lock(&c->ring_lock);
		more = c->polls.node;
		if (more)
			cancel_locked(c, req_of(c->polls.node));
		spin_unlock(&c->ring_lock);
		cond_resched();
	}
}

/* ---- all of them ---- */

static int dispatch(struct aio_req *r, const struct iocb *u)
{
	switch (u->aio_lio_opcode) {
	case IOCB_CMD_PREAD:
		return rw_submit(r, u, false, false);
	case IOCB_CMD_PWRITE:
		return rw_submit(r, u, true, false);
	case IOCB_CMD_PREADV:
		return rw_submit(r, u, false, true);
	case IOCB_CMD_PWRITEV:
		return rw_submit(r, u, true, true);
	case IOCB_CMD_FSYNC:
		return sync_submit(r, u, false);
	case IOCB_CMD_FDSYNC:
		return sync_submit(r, u, true);
	case IOCB_CMD_POLL:
		return poll_submit(r, u);
	}
	return -EINVAL;
}

static int start(struct aio_req *r, const struct iocb *u, struct uptr at)
{
	r->file = fget(u->aio_fildes);
	if (!r->file)
		return -EBADF;
	if (u->aio_flags & IOCB_FLAG_RESFD) {
		struct eventfd *signal = eventfd_get(u->aio_resfd);

		if (IS_ERR(signal))
			return (int)PTR_ERR(signal);
		r->signal = signal;
	}
	if (put_user((u32)0, uptr_add(at, offsetof(struct iocb, aio_key))))
		return -EFAULT;
	return dispatch(r, u);
}

int aio_submit_one(struct aio_ctx *c, struct uptr at)
{
	struct aio_req *r;
	struct iocb u;
	int e;

	if (copy_from_user(&u, at, sizeof(u)))
		return -EFAULT;
	if (u.aio_reserved2 || u.aio_buf != (unsigned long)u.aio_buf ||
	    u.aio_nbytes != (size_t)u.aio_nbytes || (ssize_t)u.aio_nbytes < 0)
		return -EINVAL;
	r = kmem_cache_alloc(req_cache, GFP_KERNEL);
	if (!r)
		return -EAGAIN;
	e = aio_begin(c);
	if (e) {
		kmem_cache_free(req_cache, r);
		return e;
	}
	r->ctx = c;
	r->file = NULL;
	r->signal = NULL;
	r->event = (struct io_event){ .data = u.aio_data, .obj = at.addr };
	refcount_set(&r->refs, 2);
	e = start(r, &u, at);
	if (e) {
		/* No event: its own reference goes as well. */
		aio_give_back(c);
		req_put(r);
	}
	req_put(r);
	return e;
}

static int aio_req_init(void)
{
	req_cache = KMEM_CACHE(aio_req, 0);
	sync_queue = alloc_workqueue("aio_fsync", WQ_UNBOUND, SYNCS_AT_ONCE);
	return req_cache && sync_queue ? 0 : -ENOMEM;
}
INITCALL(subsys, aio_req_init);
