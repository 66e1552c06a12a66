// SPDX-License-Identifier: MIT
/*
 * Received packets go to taps (packet sockets of all protocols), to the bridge whose port the
 * device is, and to the protocol of their EtherType. All of this runs in RCU read sections of at
 * most NET_BATCH packets; the lists change under types_lock.
 */
#include <lib/hash.h>
#include <lib/string.h>
#include <kernel/bug.h>
#include <kernel/percpu.h>
#include <kernel/rcu.h>
#include "net/dev/dev_priv.h"
#include "net/dev/if_flags.h"
#include "net/wire/eth.h"

#define TYPES_SHIFT 4

static DEFINE_SPINLOCK(types_lock);
static struct list_head types[1 << TYPES_SHIFT];	/* types_lock, RCU */
static LIST_HEAD(taps);					/* the same: of no one device */
static int nr_taps;					/* types_lock: in all lists */

static struct list_head *types_of(be16 protocol)
{
	return &types[hash_32(be16_get(protocol), TYPES_SHIFT)];
}

void packet_type_add(struct packet_type *t)
{
	spin_lock(&types_lock);
	if (be16_get(t->protocol) == ETH_P_ALL) {
		list_add_tail_rcu(&t->list, t->dev ? &t->dev->taps : &taps);
		WRITE_ONCE(nr_taps, nr_taps + 1);
	} else {
		struct list_head *l = types_of(t->protocol);

		if (!l->next)
			INIT_LIST_HEAD(l);
		list_add_tail_rcu(&t->list, l);
	}
	spin_unlock(&types_lock);
}

void packet_type_del(struct packet_type *t)
{
	spin_lock(&types_lock);
	list_del_rcu(&t->list);
	if (be16_get(t->protocol) == ETH_P_ALL)
		WRITE_ONCE(nr_taps, nr_taps - 1);
	spin_unlock(&types_lock);
}

bool netdev_has_taps(struct netdev *d)
{
	return READ_ONCE(nr_taps);
}

static void tap(struct list_head *l, struct packet *p, struct netdev *d)
{
	struct packet_type *t;
	struct packet *c;

	list_for_each_entry_rcu(t, l, list) {
		if (t->net && t->net != d->net)
			continue;
		c = packet_clone(p, GFP_ATOMIC);
		if (c)
			t->receive(c, d, t);
	}
}

void netdev_tap_sent(struct packet *p, struct netdev *d)
{
	u8 was = p->pkt_type;

	p->pkt_type = PACKET_OUTGOING;
	tap(&taps, p, d);
	tap(&d->taps, p, d);
	p->pkt_type = was;
}

void eth_type_trans(struct packet *p, struct netdev *d)
{
	const u8 *h = packet_data(p);

	p->dev = d;
	packet_set_mac(p);
	p->protocol = eth_protocol(h, p->linear);
	if (likely(eth_equal(h, d->addr)))
		p->pkt_type = PACKET_HOST;
	else if (eth_is_broadcast(h))
		p->pkt_type = PACKET_BROADCAST;
	else if (eth_is_multicast(h))
		p->pkt_type = PACKET_MULTICAST;
	else
		p->pkt_type = PACKET_OTHERHOST;
	packet_pull(p, ETH_HEADER);
}

static void count_received(struct netdev *d, const struct packet *p)
{
	this_cpu_inc(d->stats->rx_packets);
	this_cpu_add(d->stats->rx_bytes, p->len + d->hard_header_len);
	if (p->pkt_type == PACKET_MULTICAST)
		this_cpu_inc(d->stats->multicast);
}

/* The last that takes it gets P itself, those before it clones. */
static bool to_protocols(struct packet *p, struct netdev *d)
{
	struct list_head *l = types_of(p->protocol);
	struct packet_type *t, *last = NULL;

	if (!READ_ONCE(l->next))
		return false;
	list_for_each_entry_rcu(t, l, list) {
		struct packet *c;

		if (t->protocol.v != p->protocol.v || (t->dev && t->dev != d) ||
		    (t->net && t->net != d->net))
			continue;
		if (last) {
			c = packet_clone(p, GFP_ATOMIC);
			if (c)
				last->receive(c, d, last);
		}
		last = t;
	}
	if (last)
		last->receive(p, d, last);
	return last;
}

void netdev_receive(struct packet *p)
{
	struct netdev *d = p->dev;

	if (likely(p->pkt_type != PACKET_LOOPBACK))
		count_received(d, p);
	p->iif = (u32)d->ifindex;
	packet_set_net(p);
	if (unlikely(!(READ_ONCE(d->flags) & IFF_UP))) {
		packet_free(p, DROP_DEV_DOWN);
		return;
	}
	if (unlikely(READ_ONCE(nr_taps))) {
		tap(&taps, p, d);
		tap(&d->taps, p, d);
	}
	if (!to_protocols(p, d)) {
		this_cpu_inc(d->stats->rx_nohandler);
		packet_free(p, DROP_NO_PROTOCOL);
	}
}
