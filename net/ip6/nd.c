// SPDX-License-Identifier: MIT
/*
 * Neighbour discovery (RFC 4861): IPv6's way to ask for link addresses, with the states and the
 * table of net/neigh. Every message must have come over no router: its hop limit is still 255.
 */
#include <lib/err.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <abi/errno.h>
#include "net/core/stats.h"
#include "net/dev/if_flags.h"
#include "net/ip6/addr6.h"
#include "net/wire/csum.h"
#include "net/wire/icmp6.h"

#define MSG_MOST 256u		/* bytes of a solicitation or advertisement that is looked at */
#define RAS_MOST 8u		/* advertisements that wait for a device's work */

int nd_send(struct net *net, struct packet *p, struct netdev *d, const struct ip6_addr *next)
{
	u32 key[4];

	if (!d->hard_header_len || d->flags & IFF_LOOPBACK) {
		p->dev = d;
		if (dev_hard_header(p, d, ETH_P_IPV6, d->addr, NULL)) {
			packet_free(p, DROP_NOMEM);
			return -ENOMEM;
		}
		return dev_queue_xmit(p);
	}
	memcpy(key, next, sizeof(key));
	return neigh_send(nd_table(net), d, key, p);
}

void icmp6_emit(struct net *net, struct packet *p, struct netdev *d, const struct ip6_addr *src,
		const struct ip6_addr *dst, u8 hops)
{
	struct ip6_route r = { .dev = d,
			       .mtu = d->mtu,
			       .type = ip6_is_multicast(dst) ? RTN_MULTICAST : RTN_UNICAST,
			       .dst = *dst,
			       .next = *dst };
	struct ip6_tx t = { .protocol = IP6_ICMP, .hops = hops, .src = *src, .dst = *dst };

	icmp6_finish(net, p, &t);
	ip6_send(net, p, &r, &t);
}

/* ---- asking ---- */

static void solicit_to(struct netdev *d, const struct ip6_addr *src, const struct ip6_addr *dst,
		       const struct ip6_addr *target)
{
	struct nd_neighbour m = { .target = *target };
	struct packet *p = packet_alloc(GFP_ATOMIC);
	u8 *at;

	if (!p)
		return;
	at = packet_put(p, ND_NEIGHBOUR_LEN + ND_HW_OPTION);
	packet_trim(p, nd_encode_neighbour(at, ICMP6_NS, &m, ip6_is_any(src) ? NULL : d->addr));
	icmp6_emit(d->net, p, d, src, dst, 255);
}

/*
 * The source of a question: that of the packet that waits, if D has it, else one that goes with the
 * target.
 */
static bool question_source(struct netdev *d, const struct ip6_addr *target, const struct packet *p,
			    struct ip6_addr *src)
{
	if (p && p->net_at != PACKET_NO_HEADER && packet_is_ip6(p)) {
		*src = ((const struct ip6_wire *)(p->buf + p->net_at))->src;
		if (in6_is_local(d->net, src, d))
			return true;
	}
	return in6_link_local(d, src) || in6_select_source(d->net, d, target, 0, src);
}

static void nd_solicit(struct neigh *n, const u8 *dst, struct packet *p)
{
	struct ip6_addr target, src, to;

	memcpy(&target, n->key, sizeof(target));
	if (!question_source(n->dev, &target, p, &src))
		return;
	/* Asked directly, the entry's own address is used: it is in PROBE, so it is known. */
	to = dst ? target : ip6_solicited_node(&target);
	solicit_to(n->dev, &src, &to, &target);
}

void nd_probe(struct netdev *d, const struct ip6_addr *a)
{
	struct ip6_addr to = ip6_solicited_node(a), none = IP6_ANY;

	solicit_to(d, &none, &to, a);
}

void nd_solicit_routers(struct netdev *d)
{
	struct ip6_addr src, to = IP6_ALL_ROUTERS;
	struct packet *p = packet_alloc(GFP_ATOMIC);
	u8 *at;

	if (!p)
		return;
	if (!in6_link_local(d, &src))
		src = IP6_ANY;
	at = packet_put(p, ICMP_HEADER + ND_HW_OPTION);
	packet_trim(p, nd_encode_rs(at, ip6_is_any(&src) ? NULL : d->addr));
	icmp6_emit(d->net, p, d, &src, &to, 255);
}

/* Nobody answers for P. */
static void nd_give_up(struct packet *p)
{
	if (p->iif && !p->sk)
		icmp6_send(p, ICMP6_UNREACH, ICMP6_ADDRESS, 0);
	else
		icmp6_tell_sender(p, ICMP6_UNREACH, ICMP6_ADDRESS);
	packet_free(p, DROP_NEIGH);
}

static bool nd_fixed(struct netdev *d, const u32 *key, u8 *hw, u8 *state)
{
	struct ip6_addr a;

	memcpy(&a, key, sizeof(a));
	if (d->flags & (IFF_NOARP | IFF_LOOPBACK) || !d->hard_header_len) {
		*state = NUD_NOARP;
		return true;
	}
	if (ip6_is_multicast(&a)) {
		ip6_group_mac(hw, &a);
		*state = NUD_NOARP;
		return true;
	}
	return false;
}

void nd_init(void)
{
	nd_set_functions(nd_solicit, nd_give_up, nd_fixed);
}

/* ---- hearing ---- */

static void advertise(struct netdev *d, const struct in6_device *in, const struct ip6_addr *target,
		      const struct ip6_addr *to, bool solicited)
{
	struct nd_neighbour m = { .target = *target,
				  .router = READ_ONCE(in->conf.forwarding),
				  .solicited = solicited,
				  .override = true };
	struct packet *p = packet_alloc(GFP_ATOMIC);
	u8 *at;

	if (!p)
		return;
	at = packet_put(p, ND_NEIGHBOUR_LEN + ND_HW_OPTION);
	packet_trim(p, nd_encode_neighbour(at, ICMP6_NA, &m, d->addr));
	icmp6_emit(d->net, p, d, target, to, 255);
}

void nd_announce(struct in6_device *in, const struct ip6_addr *addr)
{
	const struct ip6_addr all = IP6_ALL_NODES;

	advertise(in->dev, in, addr, &all, false);
}

static void set_router(struct neigh *n, bool router)
{
	spin_lock(&n->lock);
	n->flags = (u8)((n->flags & ~NTF_ROUTER) | (router ? NTF_ROUTER : 0));
	spin_unlock(&n->lock);
}

void nd_learn(struct netdev *d, const struct ip6_addr *from, const u8 *hw, bool router)
{
	struct neigh *n;
	u32 key[4];

	if (!hw || !eth_is_station(hw))
		return;
	memcpy(key, from, sizeof(key));
	n = neigh_get(nd_table(d->net), d, key);
	if (IS_ERR(n))
		return;
	neigh_update(n, hw, NUD_STALE, NEIGH_OVERRIDE);
	if (router)
		set_router(n, true);
	neigh_put(n);
}

static void solicitation(struct netdev *d, const struct ip6_wire *ip, const struct nd_neighbour *m)
{
	struct in6_device *in = in6_dev(d);
	struct in6_address *a = in6_address_of(in, &m->target);
	struct ip6_addr all = IP6_ALL_NODES, from = ip->src;
	bool probe = ip6_is_any(&from);

	if (!a)
		return;
	if (probe && (m->opt.source_hw || !ip6_is_multicast(&ip->dst)))
		return;
	if (!in6_is_usable(a)) {
		/* Somebody else probes the same; questions are not answered yet. */
		if (probe && !(READ_ONCE(a->flags) & IFA_F_DADFAILED))
			in6_dad_conflict(in, a);
		return;
	}
	if (probe) {
		advertise(d, in, &m->target, &all, false);
		return;
	}
	nd_learn(d, &from, m->opt.source_hw, false);
	advertise(d, in, &m->target, &from, true);
}

static void advertisement(struct netdev *d, const struct ip6_wire *ip, const struct nd_neighbour *m)
{
	struct in6_device *in = in6_dev(d);
	struct in6_address *a = in6_address_of(in, &m->target);
	const u8 *hw = m->opt.target_hw;
	struct neigh *n;
	u32 key[4];

	if (m->solicited && ip6_is_multicast(&ip->dst))
		return;
	if (a) {
		if (READ_ONCE(a->flags) & IFA_F_TENTATIVE)
			in6_dad_conflict(in, a);
		return;
	}
	memcpy(key, &m->target, sizeof(key));
	n = neigh_find(nd_table(d->net), d, key);
	if (!n || !refcount_inc_not_zero(&n->refs))
		return;
	if (hw ? eth_is_station(hw) : READ_ONCE(n->state) & NEIGH_VALID) {
		neigh_update(n, hw, m->solicited ? NUD_REACHABLE : NUD_STALE,
			     m->override ? NEIGH_OVERRIDE : 0);
		set_router(n, m->router);
	}
	neigh_put(n);
}

/* Changes routes and addresses: the work does it. */
static bool router_advertisement(struct in6_device *in, struct packet *p, const struct ip6_wire *ip)
{
	bool taken = false;

	if (!ip6_is_link_local(&ip->src))
		return false;
	spin_lock(&in->lock);
	if (!in->closed && in->ras.nr < RAS_MOST) {
		packet_orphan(p);
		packet_list_add(&in->ras, p);
		taken = true;
	}
	spin_unlock(&in->lock);
	if (taken)
		in6_kick(in);
	return taken;
}

void nd_receive(struct packet *p, u8 type)
{
	const struct ip6_wire *ip = (const struct ip6_wire *)packet_net(p);
	struct netdev *d = p->dev;
	struct in6_device *in = in6_dev(d);
	struct nd_neighbour m;
	u8 msg[MSG_MOST];

	if (!in || ip->hops != 255 || d->flags & (IFF_LOOPBACK | IFF_NOARP) ||
	    p->pkt_type == PACKET_LOOPBACK)
		goto drop;
	if (type == ICMP6_RA) {
		if (router_advertisement(in, p, ip))
			return;
		goto drop;
	}
	if (type != ICMP6_NS && type != ICMP6_NA)
		goto drop;		/* we are no router, and follow no redirects */
	if (p->len > sizeof(msg) || !packet_read(p, 0, msg, p->len) ||
	    nd_decode_neighbour(&m, msg, p->len))
		goto drop;
	if (type == ICMP6_NS)
		solicitation(d, ip, &m);
	else
		advertisement(d, ip, &m);
	packet_consume(p);
	return;
drop:
	packet_free(p, DROP_NEIGH);
}
