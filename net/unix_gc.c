// SPDX-License-Identifier: MIT
/*
 * Cycles of descriptors under way. A socket whose file is held by nothing but messages that wait in sockets of the same kind can
 * never be reached again; nor can its queue be read.
 *
 * The collector takes as candidates all sockets whose file has exactly as many references as messages carry it. It
 * subtracts the references that come from candidates' own queues; what is left over comes from outside and is reachable, and so is
 * everything in its queue, and so on. The messages of the rest are thrown away, which closes the files.
 *
 * Who receives a descriptor could receive, through it, one that the collector has counted already, which would then seem to be held by
 * nobody. So descriptors become a process's own only between two runs: they are taken off the counts under gc_lock first (or, when they
 * are only peeked at, referenced).
 *
 * gc_lock guards the list of sockets under way and all counts; a socket's own lock is taken inside it to walk its queue.
 */
#include <lib/types.h>
#include <lib/list.h>
#include <alloc/slab.h>
#include <kernel/spinlock.h>
#include <sched/work.h>
#include <vfs/file.h>
#include "net/unix_priv.h"

static LIST_HEAD(sockets);		/* g: those whose file is under way */
static DEFINE_SPINLOCK(gc_lock);
static atomic_t under_way = ATOMIC_INIT(0);

static void collect(struct work_struct *w);
static DECLARE_WORK(gc_work, collect);

static struct unix_sock *unix_of(struct file *f)
{
	struct socket *s = sock_from_file(f);

	return s ? s->sk : NULL;
}

void unix_fds_attach(struct unix_fds *f)
{
	spin_lock(&gc_lock);
	for (unsigned int i = 0; i < f->count; i++) {
		struct unix_sock *u = unix_of(f->file[i]);

		if (u) {
			if (!u->inflight++)
				list_add_tail(&u->track, &sockets);
			u->file = f->file[i];
			atomic_inc(&under_way);
		}
	}
	f->attached = true;
	spin_unlock(&gc_lock);
	atomic_long_add(f->count, &f->user->unix_inflight);
}

void unix_fds_detach(struct unix_fds *f)
{
	if (!f->attached)
		return;
	spin_lock(&gc_lock);
	for (unsigned int i = 0; i < f->count; i++) {
		struct unix_sock *u = unix_of(f->file[i]);

		if (u) {
			if (!--u->inflight) {
				list_del_init(&u->track);
				u->file = NULL;
			}
			atomic_dec(&under_way);
		}
	}
	spin_unlock(&gc_lock);
	f->attached = false;
	atomic_long_sub(f->count, &f->user->unix_inflight);
}

void unix_gc_pass(void)
{
	spin_lock(&gc_lock);
	spin_unlock(&gc_lock);
}

void unix_fds_free(struct unix_fds *f)
{
	unix_fds_detach(f);
	for (unsigned int i = 0; i < f->count; i++)
		fput(f->file[i]);
	free_uid(f->user);
	kfree(f);
}

void unix_gc_poke(void)
{
	if (atomic_read(&under_way))
		queue_work(system_unbound_wq, &gc_work);
}

/* Calls FN for each socket whose descriptor waits in the queue of U, embryos' queues included. */
static void each_carried(struct unix_sock *u, void (*fn)(struct unix_sock *carried))
{
	struct unix_msg *m;

	spin_lock(&u->lock);
	list_for_each_entry(m, &u->queue, list) {
		if (m->embryo) {
			struct unix_msg *e;

			spin_lock_nested(&m->embryo->lock, 1);
			list_for_each_entry(e, &m->embryo->queue, list)
				for (unsigned int i = 0; e->fds && i < e->fds->count; i++)
					if (unix_of(e->fds->file[i]))
						fn(unix_of(e->fds->file[i]));
			spin_unlock(&m->embryo->lock);
		}
		for (unsigned int i = 0; m->fds && i < m->fds->count; i++)
			if (unix_of(m->fds->file[i]))
				fn(unix_of(m->fds->file[i]));
	}
	spin_unlock(&u->lock);
}

/* The descriptors in the messages of QUEUE go to HIT. */
static void take_fds(struct list_head *queue, struct list_head *hit)
{
	struct unix_msg *m;

	list_for_each_entry(m, queue, list) {
		if (m->embryo) {
			spin_lock_nested(&m->embryo->lock, 1);
			take_fds(&m->embryo->queue, hit);
			spin_unlock(&m->embryo->lock);
		}
		if (m->fds)
			list_add(&m->fds->all, hit);
		m->fds = NULL;
	}
}

static void uncount(struct unix_sock *c)
{
	if (c->candidate)
		c->scan--;
}

static struct unix_sock *to_look_at;	/* g */

static void reach(struct unix_sock *c)
{
	if (!c->candidate || c->reached)
		return;
	c->reached = true;
	c->next_reached = to_look_at;
	to_look_at = c;
}

/* Each queue is looked at once, however long the chains of sockets in sockets are. gc_lock held. */
static void reach_all(void)
{
	struct unix_sock *u;

	list_for_each_entry(u, &sockets, track)
		if (u->scan > 0)
			reach(u);
	while ((u = to_look_at)) {
		to_look_at = u->next_reached;
		each_carried(u, reach);
	}
}

static void collect(struct work_struct *w)
{
	struct unix_sock *u;
	LIST_HEAD(hit);

	spin_lock(&gc_lock);
	list_for_each_entry(u, &sockets, track) {
		u->reached = false;
		u->scan = u->inflight;
		/* The file is alive as long as a message carries it. */
		u->candidate = atomic_long_read(&u->file->f_count) == u->inflight;
	}
	list_for_each_entry(u, &sockets, track)
		if (u->candidate)
			each_carried(u, uncount);
	reach_all();
	list_for_each_entry(u, &sockets, track) {
		if (!u->candidate || u->reached)
			continue;
		spin_lock(&u->lock);
		take_fds(&u->queue, &hit);
		spin_unlock(&u->lock);
	}
	spin_unlock(&gc_lock);
	while (!list_empty(&hit)) {
		struct unix_fds *f = list_first_entry(&hit, struct unix_fds, all);

		list_del(&f->all);
		unix_fds_free(f);
	}
}
