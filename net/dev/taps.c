// SPDX-License-Identifier: MIT
/*
 * Taps: packet sockets, which see the packets of one device, or of all devices of a namespace.
 *
 * Each device and each namespace has a list of its taps, so that a packet costs nothing for the
 * taps of other devices, and nothing at all where its namespace has none. A tap is lent the
 * packet; it clones the packet if its filter accepts it.
 *
 * Up to TAPS_HERE taps are called within the RCU section that the packet is received in. If there
 * are more, a clone is queued (struct net_rest) and each tap is called in an RCU section of its
 * own. That walk keeps its place by a mark in struct packet_taps's second list, which no RCU
 * reader follows.
 *
 * Locks: types_lock, innermost.
 */
#include <lib/list.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/rcu.h>
#include <vfs/seq_file.h>
#include "net/dev/dev_priv.h"
#include "net/dev/if_flags.h"

#define TAPS_HERE 2u
#define STEP 16u		/* taps that are passed under one hold of types_lock */

static DEFINE_SPINLOCK(types_lock);

static struct packet_taps *taps_of(const struct packet_type *t)
{
	return t->dev ? &t->dev->taps : &t->net->taps;
}

void packet_type_add(struct packet_type *t)
{
	struct packet_taps *l;

	spin_lock(&types_lock);
	if (t->net) {
		l = taps_of(t);
		list_add_tail_rcu(&t->list, &l->list);
		list_add_tail(&t->order, &l->order);
		WRITE_ONCE(l->nr, l->nr + 1);
		WRITE_ONCE(t->net->nr_taps, t->net->nr_taps + 1);
	} else {
		packet_handler_add(t);
	}
	spin_unlock(&types_lock);
}

void packet_type_del(struct packet_type *t)
{
	struct packet_taps *l;

	spin_lock(&types_lock);
	list_del_rcu(&t->list);
	if (t->net) {
		l = taps_of(t);
		list_del(&t->order);
		WRITE_ONCE(l->nr, l->nr - 1);
		WRITE_ONCE(t->net->nr_taps, t->net->nr_taps - 1);
	}
	spin_unlock(&types_lock);
}

/* FROM: the socket that sent P, or NULL. */
static bool wants(const struct packet_type *t, const struct packet *p, const struct sock *from)
{
	if (be16_get(t->protocol) != ETH_P_ALL)
		return t->protocol.v == p->protocol.v && p->pkt_type != PACKET_OUTGOING;
	return p->pkt_type != PACKET_OUTGOING || (!t->no_outgoing && (!from || t->sk != from));
}

/* ---- walks ---- */

/* A walk over the taps of a list, which may change meanwhile. */
struct tap_walk {
	struct packet_taps *taps;
	struct packet_type mark;	/* the place; its net is NULL, a tap's is not */
};

static void walk_begin(struct tap_walk *w, struct packet_taps *l)
{
	w->taps = l;
	w->mark.net = NULL;
	spin_lock(&types_lock);
	list_add(&w->mark.order, &l->order);
	spin_unlock(&types_lock);
}

static void walk_end(struct tap_walk *w)
{
	spin_lock(&types_lock);
	list_del(&w->mark.order);
	spin_unlock(&types_lock);
}

/* Within RCU. FOUND: a tap, or NULL if the next STEP entries are none. False at the end. */
static bool walk_next(struct tap_walk *w, struct packet_type **found)
{
	unsigned int n = 0;
	bool more = true;

	*found = NULL;
	spin_lock(&types_lock);
	while (more && !*found && n++ < STEP) {
		more = !list_is_last(&w->mark.order, &w->taps->order);
		if (more) {
			struct packet_type *t = list_next_entry(&w->mark, order);

			list_move(&w->mark.order, &t->order);
			*found = t->net ? t : NULL;
		}
	}
	spin_unlock(&types_lock);
	return more;
}

/* ---- packets ---- */

struct tap_rest {
	struct net_rest rest;
	struct tap_walk walk;
	struct packet *p;
	struct netdev *d;		/* referenced */
	struct net *net;		/* referenced */
	const struct sock *from;	/* not to be followed */
};

static bool rest_step(struct net_rest *r)
{
	struct tap_rest *m = container_of(r, struct tap_rest, rest);
	struct packet_type *t;
	bool more;

	rcu_read_lock();
	more = walk_next(&m->walk, &t);
	if (t && t->net == m->net && wants(t, m->p, m->from))
		t->look(m->p, m->d, t);
	rcu_read_unlock();
	if (more)
		return true;
	walk_end(&m->walk);
	if (m->walk.taps == &m->net->taps) {
		walk_begin(&m->walk, &m->d->taps);
		return true;
	}
	packet_consume(m->p);
	netdev_put(m->d);
	put_net(m->net);
	kfree(m);
	return false;
}

/* Queues a clone of P for all taps. Without memory none sees it. */
static void tap_later(const struct packet *p, struct netdev *d)
{
	struct tap_rest *m = kzalloc(sizeof(*m), GFP_ATOMIC);
	struct net *net = d->net;

	if (!m)
		return;
	m->p = packet_clone(p, GFP_ATOMIC);
	if (!m->p || !get_net_unless_zero(net)) {
		packet_free(m->p, DROP_NOMEM);
		kfree(m);
		return;
	}
	netdev_get(d);
	m->d = d;
	m->net = net;
	m->from = p->sk;
	m->rest.step = rest_step;
	walk_begin(&m->walk, &net->taps);
	net_rest_add(&m->rest);
}

/* True: one that asked for this protocol saw P. */
static bool tap(struct packet_taps *l, struct packet *p, struct netdev *d)
{
	struct packet_type *t;
	bool found = false;

	list_for_each_entry_rcu(t, &l->list, list) {
		if (!wants(t, p, p->sk))
			continue;
		t->look(p, d, t);
		found |= t->protocol.v == p->protocol.v;
	}
	return found;
}

bool netdev_tap_received(struct packet *p, struct netdev *d)
{
	struct net *net = d->net;
	bool found;

	if (unlikely(READ_ONCE(net->taps.nr) + READ_ONCE(d->taps.nr) > TAPS_HERE)) {
		tap_later(p, d);
		return true;
	}
	found = tap(&net->taps, p, d);
	return tap(&d->taps, p, d) || found;
}

void netdev_tap_sent(struct packet *p, struct netdev *d)
{
	u8 was = p->pkt_type;

	if (d->hard_header_len)
		packet_set_mac(p);
	p->pkt_type = PACKET_OUTGOING;
	netdev_tap_received(p, d);
	p->pkt_type = was;
}

/* ---- /proc/net/ptype ---- */

static void show_taps(struct seq_file *m, struct packet_taps *l)
{
	struct packet_type *t;
	struct tap_walk w;
	bool more;

	if (!READ_ONCE(l->nr))
		return;
	walk_begin(&w, l);
	do {
		const struct netdev *d;

		rcu_read_lock();
		more = walk_next(&w, &t);
		d = t ? READ_ONCE(t->dev) : NULL;
		if (t)
			packet_type_show(m, t->protocol, d ? d->name : "", (const void *)t->look);
		rcu_read_unlock();
	} while (more);
	walk_end(&w);
}

void packet_types_show(struct seq_file *m, struct net *net)
{
	unsigned long index = 0;
	struct netdev *d;

	seq_puts(m, "Type Device      Function\n");
	show_taps(m, &net->taps);
	do {
		rcu_read_lock();
		d = xa_find(&net->dev_by_index, &index, ULONG_MAX, XA_PRESENT);
		if (d)
			netdev_get(d);
		rcu_read_unlock();
		if (!d)
			break;
		show_taps(m, &d->taps);
		netdev_put(d);
		index++;
	} while (index);
	packet_handlers_show(m);
}
