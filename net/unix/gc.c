// SPDX-License-Identifier: MIT
/*
 * Cycles of descriptors under way. A socket whose file is held by nothing but messages that wait in
 * sockets of the same kind can never be reached again; nor can its queue be read.
 *
 * The collector takes as candidates all sockets whose file has exactly as many references as
 * messages carry it. It subtracts the references that come from candidates' own queues; what is
 * left over comes from outside and is reachable, and so is everything in its queue, and so on. The
 * messages of the rest are thrown away, which closes the files.
 *
 * Who receives a descriptor could receive, through it, one that the collector has counted already,
 * which would then seem to be held by nobody. So descriptors become a process's own only between
 * two runs: they are taken off the counts under gc_lock first (or, when they are only peeked at,
 * referenced).
 *
 * gc_lock guards the list of sockets under way and all counts. It sleeps, for there may be as many
 * of them as a user has descriptors. A socket lists what its queue carries. Nothing leaves that
 * list without gc_lock, so the collector walks it without the socket's own lock, which is taken
 * inside gc_lock to change it.
 *
 * Any close may call for a run, and a run looks at all: it rests ten times as long as it took, so
 * that a tenth of the time is what any number of closes costs those who send and receive.
 */
#include <lib/types.h>
#include <lib/list.h>
#include <alloc/slab.h>
#include <kernel/spinlock.h>
#include <kernel/init.h>
#include <kernel/time.h>
#include <lib/minmax.h>
#include <sched/mutex.h>
#include <sched/task.h>
#include <sched/work.h>
#include <vfs/file.h>
#include "net/unix/unix_priv.h"

static LIST_HEAD(sockets);		/* g: those whose file is under way */
static DEFINE_MUTEX(gc_lock);
static atomic_t under_way = ATOMIC_INIT(0);

static struct delayed_work gc_work;
static u64 rest_until;			/* the next run begins no earlier: ns, monotonic */

/* The AF_UNIX socket whose file F is. NULL: another file; other sockets carry none. */
static struct unix_sock *unix_of(struct file *f)
{
	struct socket *s = sock_from_file(f);

	return s && ((const struct sock *)s->sk)->family == AF_UNIX ? s->sk : NULL;
}

void unix_fds_attach(struct unix_fds *f)
{
	mutex_lock(&gc_lock);
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
	mutex_unlock(&gc_lock);
	atomic_long_add(f->count, &f->user->unix_inflight);
}

void unix_enqueue(struct unix_sock *to, struct unix_msg *m)
{
	list_add_tail(&m->list, &to->queue);
	if (m->fds) {
		m->fds->at = to;
		m->fds->msg = m;
		list_add_tail(&m->fds->all, &to->carried);
	}
}

/* gc_lock held. */
static void leave_queue(struct unix_fds *f)
{
	struct unix_sock *at = f->at;

	if (!at)
		return;
	spin_lock(&at->sk.lock);
	list_del_init(&f->all);
	f->at = NULL;
	spin_unlock(&at->sk.lock);
}

void unix_fds_detach(struct unix_fds *f)
{
	if (!f->attached)
		return;
	mutex_lock(&gc_lock);
	leave_queue(f);
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
	mutex_unlock(&gc_lock);
	f->attached = false;
	atomic_long_sub(f->count, &f->user->unix_inflight);
}

void unix_gc_pass(void)
{
	mutex_lock(&gc_lock);
	mutex_unlock(&gc_lock);
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
	u64 now, until;

	if (!atomic_read(&under_way))
		return;
	now = ktime_get_coarse_ns();
	until = READ_ONCE(rest_until);
	queue_delayed_work(system_unbound_wq, &gc_work,
			   now < until ? DIV_ROUND_UP(until - now, TICK_NSEC) : 0);
}

/*
 * What is carried behind F (NULL: the first) in the queue of U, NULL: no more. gc_lock keeps F
 * listed.
 */
static struct unix_fds *next_carried(struct unix_sock *u, struct unix_fds *f)
{
	spin_lock(&u->sk.lock);
	f = f ? list_next_entry(f, all) : list_first_entry(&u->carried, struct unix_fds, all);
	spin_unlock(&u->sk.lock);
	return &f->all == &u->carried ? NULL : f;
}

/*
 * Those in the queue of the listener U that carry something, referenced and linked by next_embryo.
 * They are as few as its backlog.
 */
static struct unix_sock *embryos(struct unix_sock *u)
{
	struct unix_sock *list = NULL;
	struct unix_msg *m;

	if (READ_ONCE(u->sk.state) != UNIX_LISTEN)
		return NULL;
	spin_lock(&u->sk.lock);
	list_for_each_entry(m, &u->queue, list) {
		if (!m->embryo || list_empty(&m->embryo->carried))
			continue;
		refcount_inc(&m->embryo->sk.refs);
		m->embryo->next_embryo = list;
		list = m->embryo;
	}
	spin_unlock(&u->sk.lock);
	return list;
}

static void each_fds_of(struct unix_sock *u, void (*fn)(struct unix_fds *f))
{
	struct unix_fds *f, *next = next_carried(u, NULL);

	while ((f = next)) {
		next = next_carried(u, f);
		fn(f);
		cond_resched();
	}
}

/*
 * Calls FN for what each message in the queue of U carries, embryos' queues included. FN may take
 * it off. gc_lock held.
 */
static void each_fds(struct unix_sock *u, void (*fn)(struct unix_fds *f))
{
	struct unix_sock *e, *next = embryos(u);

	each_fds_of(u, fn);
	while ((e = next)) {
		next = e->next_embryo;
		each_fds_of(e, fn);
		unix_put(e);
	}
}

static void uncount(struct unix_fds *f)
{
	for (unsigned int i = 0; i < f->count; i++) {
		struct unix_sock *c = unix_of(f->file[i]);

		if (c && c->candidate)
			c->scan--;
	}
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

static void reach_fds(struct unix_fds *f)
{
	for (unsigned int i = 0; i < f->count; i++) {
		struct unix_sock *c = unix_of(f->file[i]);

		if (c)
			reach(c);
	}
}

/* Each queue is looked at once, however long the chains of sockets in sockets are. gc_lock held. */
static void reach_all(void)
{
	struct unix_sock *u;

	list_for_each_entry(u, &sockets, track) {
		if (u->scan > 0)
			reach(u);
		cond_resched();
	}
	while ((u = to_look_at)) {
		to_look_at = u->next_reached;
		each_fds(u, reach_fds);
		cond_resched();
	}
}

static LIST_HEAD(hit);		/* g while it runs, then the collector's alone */

/* Nobody can receive the message any more. */
static void take(struct unix_fds *f)
{
	struct unix_sock *at = f->at;

	spin_lock(&at->sk.lock);
	f->msg->fds = NULL;
	f->at = NULL;
	list_move(&f->all, &hit);
	spin_unlock(&at->sk.lock);
}

/* gc_lock held. */
static void find_candidates(void)
{
	struct unix_sock *u;

	list_for_each_entry(u, &sockets, track) {
		u->reached = false;
		u->scan = u->inflight;
		/* The file is alive as long as a message carries it. */
		u->candidate = atomic_long_read(&u->file->f_count) == u->inflight;
		cond_resched();
	}
}

static void collect(struct work_struct *w)
{
	u64 began = ktime_get_ns(), took;
	struct unix_sock *u;

	mutex_lock(&gc_lock);
	find_candidates();
	list_for_each_entry(u, &sockets, track) {
		if (u->candidate)
			each_fds(u, uncount);
		cond_resched();
	}
	reach_all();
	list_for_each_entry(u, &sockets, track) {
		if (u->candidate && !u->reached)
			each_fds(u, take);
		cond_resched();
	}
	mutex_unlock(&gc_lock);
	took = ktime_get_ns() - began;
	WRITE_ONCE(rest_until, took < 20000 ? 0 : began + 11 * took);
	while (!list_empty(&hit)) {
		struct unix_fds *f = list_first_entry(&hit, struct unix_fds, all);

		list_del(&f->all);
		unix_fds_free(f);
		cond_resched();
	}
}

static int unix_gc_init(void)
{
	INIT_DELAYED_WORK(&gc_work, collect);
	return 0;
}
INITCALL(core, unix_gc_init);
