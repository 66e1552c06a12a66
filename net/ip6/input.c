// SPDX-License-Identifier: MIT
/*
 * Receiving IPv6: the header is checked, the packet cut to its length; then it is for us (its
 * extension headers are walked, fragments wait for the others), or to be forwarded, or nobody's.
 * Protocols and raw sockets get it with the transport header at its data.
 */
#include <lib/minmax.h>
#include <lib/string.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <net/gso.h>
#include <abi/errno.h>
#include "net/core/stats.h"
#include "net/dev/if_flags.h"
#include "net/ip6/addr6.h"
#include "net/wire/icmp6.h"

static const struct inet_protocol *protocols[256];	/* set at boot */
static enum raw_answer (*raw_deliver)(struct packet *p);
static void (*raw_error)(struct packet *p, const struct icmp_quote *q, int err, bool fatal);

void inet6_register_protocol(u8 number, const struct inet_protocol *p)
{
	WRITE_ONCE(protocols[number], p);
}

const struct inet_protocol *inet6_protocol(u8 number)
{
	return READ_ONCE(protocols[number]);
}

void ip6_register_raw(enum raw_answer (*fn)(struct packet *p),
		      void (*error)(struct packet *p, const struct icmp_quote *q, int err,
				    bool fatal))
{
	raw_deliver = fn;
	raw_error = error;
}

void ip6_error(struct packet *p, const struct icmp_quote *q, int err, bool fatal)
{
	const struct inet_protocol *proto = inet6_protocol(q->protocol);

	if (raw_error)
		raw_error(p, q, err, fatal);
	if (proto && proto->error)
		proto->error(p, q, err, fatal);
}

static void drop(struct packet *p, struct net *net, enum net_counter count, enum drop_reason why)
{
	net_count(net, count);
	packet_free(p, why);
}

/* ---- for us ---- */

void ip6_unclaimed(struct packet *p, bool raw)
{
	const struct ip6_cb *cb = ip6_cb(p);
	struct net *net = p->dev->net;

	if (raw || cb->protocol == IP6_NONE) {
		net_count(net, IP6_IN_DELIVERS);
		packet_consume(p);
	} else {
		icmp6_send(p, ICMP6_PARAMETER, IP6_BAD_NEXT, cb->next_off);
		drop(p, net, IP6_IN_UNKNOWN_PROTOS, DROP_NO_PROTOCOL);
	}
}

/* P's headers up to transport's were walked. Consumes P. */
static void deliver(struct net *net, struct packet *p)
{
	const struct ip6_cb *cb = ip6_cb(p);
	const struct inet_protocol *proto = inet6_protocol(cb->protocol);
	enum raw_answer raw;

	packet_pull(p, cb->transport_off);
	packet_set_transport(p);
	raw = raw_deliver ? raw_deliver(p) : RAW_NONE;
	if (proto) {
		net_count(net, IP6_IN_DELIVERS);
		proto->receive(p);
	} else if (raw == RAW_LATER) {
		packet_consume(p);
	} else {
		ip6_unclaimed(p, raw == RAW_TAKEN);
	}
}

/* P's extension headers, which are made linear, into its cb. False: P is gone. */
static bool walk(struct net *net, struct packet *p, struct ip6_exts *e)
{
	const struct ip6_wire *h = (const struct ip6_wire *)packet_data(p);
	struct ip6_cb *cb = ip6_cb(p);

	if ((h->next == IP6_HOPOPTS || h->next == IP6_ROUTING || h->next == IP6_DSTOPTS ||
	     h->next == IP6_FRAGMENT) &&
	    !packet_need(p, (u16)min(p->len, IP6_HEADERS_MOST)) &&
	    !packet_need(p, (u16)min(p->len, IP6_HEADER + 64u))) {
		drop(p, net, IP6_IN_HDR_ERRORS, DROP_BAD_HEADER);
		return false;
	}
	packet_set_net(p);
	if (ip6_walk(e, packet_data(p), p->linear)) {
		if (e->bad_code != IP6_BAD_SILENT)
			icmp6_send(p, ICMP6_PARAMETER, e->bad_code, e->bad_at);
		drop(p, net, IP6_IN_HDR_ERRORS, DROP_BAD_HEADER);
		return false;
	}
	cb->protocol = e->protocol;
	cb->transport_off = e->transport_at;
	cb->next_off = e->next_at;
	return true;
}

static void local(struct net *net, struct packet *p)
{
	struct ip6_exts e;

	if (!walk(net, p, &e))
		return;
	if (unlikely(e.protocol == IP6_FRAGMENT)) {
		p = ip6_reassemble(net, p, &e);
		if (!p || !walk(net, p, &e))
			return;
		if (e.protocol == IP6_FRAGMENT) {	/* a fragment of fragments */
			drop(p, net, IP6_IN_HDR_ERRORS, DROP_BAD_HEADER);
			return;
		}
	}
	deliver(net, p);
}

/* ---- forwarding ---- */

static void forward(struct net *net, struct packet *p, const struct ip6_route *r)
{
	struct ip6_wire *h = (struct ip6_wire *)packet_data(p);
	struct ip6_exts e;

	if (p->pkt_type != PACKET_HOST || ip6_is_loopback(&h->src) || ip6_is_any(&h->src)) {
		drop(p, net, IP6_IN_DISCARDS, DROP_OTHER_HOST);
		return;
	}
	/* Of the extension headers, those of each hop are for us too. */
	if (h->next == IP6_HOPOPTS && !walk(net, p, &e))
		return;
	if (h->hops <= 1) {
		icmp6_send(p, ICMP6_TIME_EXCEEDED, 0, 0);
		drop(p, net, IP6_IN_HDR_ERRORS, DROP_TTL);
		return;
	}
	if (packet_wire_len(p) > r->mtu) {
		icmp6_send(p, ICMP6_TOO_BIG, 0, r->mtu);
		net_count(net, IP6_IN_TOO_BIG_ERRORS);
		drop(p, net, IP6_FRAG_FAILS, DROP_TOO_BIG);
		return;
	}
	net_count(net, IP6_FORW_DATAGRAMS);
	h = (struct ip6_wire *)packet_data(p);
	h->hops--;
	ip6_cb(p)->flags |= IP4_CB_FORWARDED;
	if (p->csum_state != PACKET_CSUM_PARTIAL)
		p->csum_state = PACKET_CSUM_NONE;
	ip6_output(net, p, r);
}

/* ---- receiving ---- */

static bool addresses_are_sane(const struct netdev *d, const struct packet *p,
			       const struct ip6_wire *h)
{
	bool here = d->flags & IFF_LOOPBACK || p->pkt_type == PACKET_LOOPBACK;

	if (ip6_is_multicast(&h->src) || ip6_is_any(&h->dst))
		return false;
	if (!here && (ip6_is_loopback(&h->src) || ip6_is_loopback(&h->dst)))
		return false;
	if (ip6_is_mapped(&h->src) || ip6_is_mapped(&h->dst))
		return false;
	return here || !ip6_is_multicast(&h->dst) || ip6_mc_scope(&h->dst) > 1;
}

/* The header is right, linear, and all of the packet's length is there. False: P is gone. */
static bool checked(struct net *net, struct packet *p)
{
	enum ip6_bad bad = packet_need(p, IP6_HEADER) ?
				   ip6_check(packet_data(p), p->linear, p->len) :
				   IP6_SHORT;

	if (bad == IP6_OK) {
		packet_trim(p, IP6_HEADER + be16_get(((struct ip6_wire *)packet_data(p))->payload));
		return true;
	}
	if (bad == IP6_SHORT)
		drop(p, net, IP6_IN_TRUNCATED, DROP_TOO_SHORT);
	else
		drop(p, net, IP6_IN_HDR_ERRORS, DROP_BAD_HEADER);
	return false;
}

static void refuse(struct net *net, struct packet *p, int err)
{
	if (err == -EHOSTUNREACH || err == -EINVAL) {
		drop(p, net, IP6_IN_ADDR_ERRORS, DROP_NO_ROUTE);
		return;
	}
	net_count(net, IP6_IN_NO_ROUTES);
	icmp6_send(p, ICMP6_UNREACH, err == -EACCES ? ICMP6_ADMIN : ICMP6_NO_ROUTE, 0);
	packet_free(p, DROP_NO_ROUTE);
}

static void ip6_receive(struct packet *p, struct netdev *d, struct packet_type *t)
{
	const struct ip6_wire *h;
	struct net *net = d->net;
	struct ip6_route r;
	int err;

	if (unlikely(p->pkt_type == PACKET_OTHERHOST)) {
		packet_free(p, DROP_OTHER_HOST);
		return;
	}
	net_count(net, IP6_IN_RECEIVES);
	net_count_add(net, IP6_IN_OCTETS, p->len);
	if (!checked(net, p))
		return;
	h = (const struct ip6_wire *)packet_data(p);
	memset(p->cb, 0, sizeof(struct ip6_cb));
	packet_set_net(p);
	if (!addresses_are_sane(d, p, h)) {
		drop(p, net, IP6_IN_ADDR_ERRORS, DROP_MARTIAN);
		return;
	}
	if (p->routed) {
		ip6_cb(p)->dst_type = p->routed;
		p->routed = 0;
		local(net, p);
		return;
	}
	err = route6_in(net, d, &h->src, &h->dst, &r);
	if (unlikely(err)) {
		refuse(net, p, err);
		return;
	}
	if (r.type == RTN_UNICAST) {
		forward(net, p, &r);
		return;
	}
	if (r.type == RTN_MULTICAST)
		net_count(net, IP6_IN_MCAST);
	/* What came by loopback to an address of a link is as if it had come by that link. */
	p->iif = (u32)r.local_index;
	ip6_cb(p)->dst_type = r.type;
	local(net, p);
}

static struct packet_type ip6_type = { .receive = ip6_receive };

static int input_init(void)
{
	ip6_type.protocol = be16_make(ETH_P_IPV6);
	packet_type_add(&ip6_type);
	return 0;
}
INITCALL(fs, input_init);
