// SPDX-License-Identifier: MIT
/*
 * Received packets go to taps (taps.c) and to the protocol of their EtherType. All of this runs in
 * RCU read sections of at most NET_BATCH packets; handlers are added at boot.
 */
#include <lib/hash.h>
#include <lib/format.h>
#include <lib/string.h>
#include <kernel/bug.h>
#include <kernel/export.h>
#include <kernel/ksyms.h>
#include <kernel/percpu.h>
#include <kernel/rcu.h>
#include <vfs/seq_file.h>
#include "net/dev/dev_priv.h"
#include "net/dev/if_flags.h"
#include "net/wire/eth.h"

#define TYPES_SHIFT 4

static struct list_head types[1 << TYPES_SHIFT];	/* at boot, types_lock; RCU */

static struct list_head *types_of(be16 protocol)
{
	return &types[hash_32(be16_get(protocol), TYPES_SHIFT)];
}

void packet_handler_add(struct packet_type *t)
{
	struct list_head *l = types_of(t->protocol);

	if (!l->next)
		INIT_LIST_HEAD(l);
	list_add_tail_rcu(&t->list, l);
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
EXPORT(eth_type_trans);

static void count_received(struct netdev *d, const struct packet *p)
{
	this_cpu_inc(d->stats->rx_packets);
	this_cpu_add(d->stats->rx_bytes,
		     p->len + (d->flags & IFF_LOOPBACK ? 0u : d->hard_header_len));
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

		if (t->protocol.v != p->protocol.v)
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

static bool to_master(struct packet *p, struct netdev *d)
{
	const struct netdev *master = rcu_dereference(d->master);

	return master && master->kind->receive(d, p);
}

void netdev_receive(struct packet *p)
{
	struct netdev *d = p->dev;
	bool seen = false;

	if (likely(p->pkt_type != PACKET_LOOPBACK))
		count_received(d, p);
	p->iif = (u32)d->ifindex;
	packet_set_net(p);
	if (unlikely(!(READ_ONCE(d->flags) & IFF_UP))) {
		packet_free(p, DROP_DEV_DOWN);
		return;
	}
	if (unlikely(netdev_has_taps(d)))
		seen = netdev_tap_received(p, d);
	if (unlikely(rcu_access_pointer(d->master)) && to_master(p, d))
		return;
	if (to_protocols(p, d))
		return;
	if (seen) {
		packet_consume(p);
	} else {
		this_cpu_inc(d->stats->rx_nohandler);
		packet_free(p, DROP_NO_PROTOCOL);
	}
}
EXPORT(netdev_receive);

/* ---- /proc/net/ptype ---- */

void packet_type_show(struct seq_file *m, be16 protocol, const char *dev, const void *function)
{
	unsigned long start, len;
	char name[64] = "";

	if (be16_get(protocol) == ETH_P_ALL)
		seq_puts(m, "ALL ");
	else
		seq_printf(m, "%04x", be16_get(protocol));
	ksym_lookup((unsigned long)function, &start, &len, name, sizeof(name));
	seq_printf(m, " %-8s %s\n", dev, name);
}

void packet_handlers_show(struct seq_file *m)
{
	struct packet_type *t;

	rcu_read_lock();
	for (unsigned int i = 0; i < ARRAY_SIZE(types); i++) {
		if (!READ_ONCE(types[i].next))
			continue;
		list_for_each_entry_rcu(t, &types[i], list)
			packet_type_show(m, t->protocol, "", (const void *)t->receive);
	}
	rcu_read_unlock();
}
