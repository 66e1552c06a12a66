// SPDX-License-Identifier: MIT
/*
 * Local delivery: packets from loopback, veth and tun to this machine itself.
 *
 * A task in a socket operation has a context (current->net_ctx): packets wait there, and when the
 * outermost operation ends, with no lock held, it delivers them itself, and those that they caused,
 * up to CTX_BUDGET. So a datagram comes to its reader without a switch to a kernel thread, and from
 * a clean stack. An operation that goes on for long, or touches user memory after it sent, delivers
 * before (net_ctx_flush()), perhaps as the owner of a sock: delivery takes spinlocks alone, and
 * what is for that sock goes to its backlog. What is beyond the budget, and what is sent without a
 * context, waits in this CPU's list for its wheel thread. While something waits there, or that
 * thread delivers, new packets queue behind it: order is kept for each CPU.
 *
 * What packets cause that would make their section too long (struct net_after: segments that an
 * acknowledgement lets go) is done between sections, by the same task and within the same budget.
 *
 * A packet that many sockets want (struct net_rest) goes to them behind its section, one after the
 * other, before the next packet: however many there are, their sender pays for it.
 *
 * Packets hold no reference to their device. Those of a CPU's list are purged when one goes; those
 * of contexts, and those that the wheel thread delivers, lie within a section of `flight`, a
 * sleepable RCU domain. The purge waits for it twice: a context's end may put packets into a CPU's
 * list, and the wheel thread may have taken some out.
 *
 * Locks: backlog->lock, innermost.
 */
#include <lib/minmax.h>
#include <kernel/bug.h>
#include <kernel/cpumask.h>
#include <kernel/init.h>
#include <kernel/percpu.h>
#include <kernel/rcu.h>
#include <sched/task.h>
#include <sched/wheel.h>
#include "net/dev/dev_priv.h"

#define CTX_BUDGET 64
#define BACKLOG_MOST 1000		/* net/core/netdev_max_backlog's default */

struct backlog {
	spinlock_t lock;
	struct packet_list list;	/* lock */
	bool active;			/* lock to change: the thread has, or will get, packets */
	struct wheel_timer timer;	/* due at once */
};

static DEFINE_PER_CPU(struct backlog, backlogs);
static struct srcu_struct flight;
int netdev_max_backlog = BACKLOG_MOST;

/* Each piece of work that C has now, once; it stays where there is more. */
static void run_after(struct net_ctx *c)
{
	struct net_after *a, *last;

	if (list_empty(&c->after))
		return;
	last = list_last_entry(&c->after, struct net_after, node);
	do {
		a = list_first_entry(&c->after, struct net_after, node);
		list_del_init(&a->node);
		if (a->run(a))
			list_add_tail(&a->node, &c->after);
	} while (a != last);
}

/* ---- what is left of a packet ---- */

static void run_rest(struct net_ctx *c)
{
	struct net_rest *r;

	while (unlikely(!list_empty(&c->rest))) {
		r = list_first_entry(&c->rest, struct net_rest, node);
		list_del_init(&r->node);
		while (r->step(r))
			;
	}
}

void net_rest_run(void)
{
	if (current->net_ctx)
		run_rest(current->net_ctx);
}

static void rest_work(struct work_struct *w)
{
	struct net_rest *r = container_of(w, struct net_rest, work);
	struct net_ctx c;

	net_ctx_begin(&c);
	while (r->step(r))
		;
	net_ctx_end(&c);
}

void net_rest_add(struct net_rest *r)
{
	struct net_ctx *c = in_task() ? current->net_ctx : NULL;

	if (c) {
		list_add_tail(&r->node, &c->rest);
		return;
	}
	INIT_WORK(&r->work, rest_work);
	schedule_work(&r->work);
}

/* ---- delivery ---- */

/*
 * At most N packets of L, each in a section of its own, and the work of C between each NET_BATCH of
 * them or of segments.
 */
static void deliver(struct net_ctx *c, struct packet_list *l, unsigned int n)
{
	unsigned int done = 0, i, segments;
	struct packet *p;

	run_rest(c);
	while (done < n && (!packet_list_empty(l) || !list_empty(&c->after))) {
		segments = 0;
		for (i = 0; segments < NET_BATCH && done + i < n && (p = packet_list_take(l));
		     i++) {
			segments += p->gso_segs ?: 1;
			rcu_read_lock();
			netdev_receive(p);
			rcu_read_unlock();
			run_rest(c);
		}
		run_after(c);
		run_rest(c);
		done += i ?: NET_BATCH;
	}
}

/* Preemption is off. False: too many wait. */
static bool to_backlog(struct packet *p)
{
	struct backlog *b = this_cpu_ptr(&backlogs);
	bool wake = false, ok;

	spin_lock(&b->lock);
	ok = b->list.nr < (u32)READ_ONCE(netdev_max_backlog);
	if (ok) {
		packet_list_add(&b->list, p);
		wake = !b->active;
		b->active = true;
	}
	spin_unlock(&b->lock);
	if (wake)
		wheel_arm(&b->timer, 0);
	return ok;
}

static void ctx_deliver(struct net_ctx *c)
{
	struct net_after *a;
	struct packet *p;

	deliver(c, &c->pending, CTX_BUDGET);
	preempt_disable();
	while ((p = packet_list_take(&c->pending)))
		if (!to_backlog(p)) {
			this_cpu_inc(p->dev->stats->rx_dropped);
			packet_free(p, DROP_BACKLOG);
		}
	preempt_enable();
	while ((a = list_first_entry_or_null(&c->after, struct net_after, node))) {
		list_del_init(&a->node);
		a->late(a);	/* behind the packets: both are this CPU's wheel thread's now */
	}
	if (c->flight >= 0)
		srcu_read_unlock(&flight, c->flight);
	c->flight = -1;
}

static bool is_idle(const struct net_ctx *c)
{
	return packet_list_empty(&c->pending) && list_empty(&c->after) && list_empty(&c->rest);
}

void net_ctx_begin(struct net_ctx *c)
{
	c->outer = current->net_ctx;
	if (c->outer)
		return;
	packet_list_init(&c->pending);
	INIT_LIST_HEAD(&c->after);
	INIT_LIST_HEAD(&c->rest);
	c->flight = -1;
	current->net_ctx = c;
}

void net_ctx_end(struct net_ctx *c)
{
	if (c->outer)
		return;
	if (!is_idle(c))
		ctx_deliver(c);
	current->net_ctx = NULL;
}

void net_ctx_flush(void)
{
	struct net_ctx *c = current->net_ctx;

	if (c && !is_idle(c))
		ctx_deliver(c);
}

bool net_ctx_after(struct net_after *a)
{
	struct net_ctx *c = in_task() ? current->net_ctx : NULL;

	if (!c)
		return false;
	list_add_tail(&a->node, &c->after);
	return true;
}

void net_local_receive(struct packet *p)
{
	struct net_ctx *c = in_task() ? current->net_ctx : NULL;
	struct netdev *d = p->dev;
	bool ok = true;

	preempt_disable();
	if (c && !READ_ONCE(this_cpu_ptr(&backlogs)->active)) {
		if (c->flight < 0)	/* not while ctx_deliver() has taken the last one out */
			c->flight = srcu_read_lock(&flight);
		packet_list_add(&c->pending, p);
	} else {
		ok = to_backlog(p);
	}
	preempt_enable();
	if (!ok) {
		this_cpu_inc(d->stats->rx_dropped);
		packet_free(p, DROP_BACKLOG);
	}
}

/* The CPU's wheel thread. */
static void backlog_run(struct wheel_timer *t)
{
	struct backlog *b = container_of(t, struct backlog, timer);
	struct packet_list l;
	struct net_ctx c;
	bool more;
	int idx;

	net_ctx_begin(&c);
	packet_list_init(&l);
	idx = srcu_read_lock(&flight);
	spin_lock(&b->lock);
	for (unsigned int i = 0; i < CTX_BUDGET && !packet_list_empty(&b->list); i++)
		packet_list_add(&l, packet_list_take(&b->list));
	spin_unlock(&b->lock);
	deliver(&c, &l, CTX_BUDGET);
	srcu_read_unlock(&flight, idx);
	net_ctx_end(&c);
	spin_lock(&b->lock);
	more = !packet_list_empty(&b->list);
	b->active = more;
	spin_unlock(&b->lock);
	if (more)
		wheel_arm(&b->timer, 0);
}

void net_local_purge(struct list_head *going)
{
	unsigned int cpu;
	struct netdev *d;

	list_for_each_entry(d, going, going)
		d->purging = true;
	synchronize_srcu(&flight);
	for_each_possible_cpu(cpu) {
		struct backlog *b = per_cpu_ptr(&backlogs, cpu);
		struct packet_list gone;
		struct packet *p, *next;

		packet_list_init(&gone);
		spin_lock(&b->lock);
		list_for_each_entry_safe(p, next, &b->list.head, list)
			if (p->dev->purging) {
				packet_list_del(&b->list, p);
				packet_list_add(&gone, p);
			}
		spin_unlock(&b->lock);
		packet_list_free(&gone, DROP_DEV_DOWN);
	}
	synchronize_srcu(&flight);
	list_for_each_entry(d, going, going)
		d->purging = false;
}

static int local_init(void)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		struct backlog *b = per_cpu_ptr(&backlogs, cpu);

		spin_lock_init(&b->lock);
		packet_list_init(&b->list);
		wheel_init_timer(&b->timer, backlog_run);
	}
	return init_srcu_struct(&flight);
}
INITCALL(sched, local_init);
