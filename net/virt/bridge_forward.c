// SPDX-License-Identifier: MIT
/* Where a bridge's packets go: bridge.h. All of this runs within RCU. */
#include <lib/string.h>
#include <kernel/percpu.h>
#include <kernel/rcu.h>
#include <net/gso.h>
#include "net/dev/if_flags.h"
#include "net/virt/bridge.h"

#define VLAN_TAG 4

/* 01:80:c2:00:00:0x: what IEEE 802.1D keeps on one link. */
static bool is_link_local(const u8 *a)
{
	static const u8 first[] = { 0x01, 0x80, 0xc2, 0, 0 };

	return !memcmp(a, first, sizeof(first)) && !(a[5] & 0xf0);
}

static bool is_forwarding(const struct bridge_port *to)
{
	return READ_ONCE(to->dev->flags) & IFF_UP && READ_ONCE(to->dev->carrier);
}

/* P, with its link header, leaves by TO. */
static void send(struct bridge_port *to, struct packet *p)
{
	if (!is_forwarding(to) ||
	    packet_wire_len(p) > READ_ONCE(to->dev->mtu) + ETH_HEADER + VLAN_TAG) {
		packet_free(p, DROP_TOO_BIG);
		return;
	}
	p->dev = to->dev;
	p->routed = 0;
	if (p->csum_state != PACKET_CSUM_PARTIAL)
		p->csum_state = PACKET_CSUM_NONE;
	(void)dev_queue_xmit(p);	/* it counts what it drops */
}

/* Copies of P to all ports but FROM; P stays the caller's. */
static void flood(struct bridge *b, const struct bridge_port *from, const struct packet *p)
{
	struct bridge_port *to;

	list_for_each_entry_rcu(to, &b->ports, list) {
		struct packet *c;

		if (to == from || !is_forwarding(to))
			continue;
		c = packet_clone(p, GFP_ATOMIC);
		if (c)
			send(to, c);
		else
			this_cpu_inc(b->dev->stats->tx_dropped);
	}
}

/* P, with its link header, is received by the bridge itself. */
static void deliver(struct bridge *b, struct packet *p)
{
	eth_type_trans(p, b->dev);
	netdev_receive(p);
}

/* P has its link header; FROM is where it came in. */
static void forward(struct bridge *b, struct bridge_port *from, struct packet *p)
{
	const u8 *dst = packet_data(p);
	struct bridge_station *s;
	struct bridge_port *to;

	if (eth_is_multicast(dst)) {
		flood(b, from, p);
		deliver(b, p);
		return;
	}
	s = bridge_look_up(b, dst);
	if (s && READ_ONCE(s->flags) & BRIDGE_LOCAL) {
		deliver(b, p);
		return;
	}
	to = s ? rcu_dereference(s->port) : NULL;
	if (READ_ONCE(b->dev->flags) & IFF_PROMISC) {
		struct packet *c = packet_clone(p, GFP_ATOMIC);

		if (c)
			deliver(b, c);
	}
	if (to == from)
		packet_consume(p);	/* its receiver is on that link */
	else if (to)
		send(to, p);
	else {
		flood(b, from, p);
		packet_consume(p);
	}
}

bool bridge_receive(struct netdev *port, struct packet *p)
{
	struct bridge_port *from = rcu_dereference(port->port);
	struct bridge *b;
	const u8 *h;

	if (!from || p->pkt_type == PACKET_LOOPBACK || p->mac_at == PACKET_NO_HEADER ||
	    p->data - p->mac_at != ETH_HEADER)
		return false;
	b = from->bridge;
	h = packet_mac(p);
	if (is_link_local(h) && h[5] > 1)
		return false;		/* the port's own protocols */
	if (!eth_is_station(h + ETH_ADDR) || (is_link_local(h) && h[5] == 1) ||
	    !(READ_ONCE(b->dev->flags) & IFF_UP) || !READ_ONCE(port->carrier)) {
		this_cpu_inc(port->stats->rx_dropped);
		packet_free(p, DROP_OTHER_HOST);
		return true;
	}
	bridge_learn(b, h + ETH_ADDR, from);
	packet_push(p, ETH_HEADER);
	forward(b, from, p);
	return true;
}

enum netdev_xmit bridge_xmit(struct netdev *d, struct packet *p, u16 queue, bool more)
{
	struct bridge *b = d->priv;
	struct bridge_station *s;
	struct bridge_port *to;

	if (!packet_need(p, ETH_HEADER)) {
		packet_free(p, DROP_TOO_SHORT);
		return NETDEV_XMIT_OK;
	}
	s = eth_is_multicast(packet_data(p)) ? NULL : bridge_look_up(b, packet_data(p));
	if (!s) {
		flood(b, NULL, p);
		packet_consume(p);
		return NETDEV_XMIT_OK;
	}
	to = rcu_dereference(s->port);
	if (to)
		send(to, p);
	else
		packet_free(p, DROP_TX);	/* the bridge's own address: it is behind no port */
	return NETDEV_XMIT_OK;
}
