// SPDX-License-Identifier: MIT
/*
 * Receiving IPv4: the header is checked once, the packet cut to its length; then it is for us
 * (whole, or a fragment that waits for the others), or to be forwarded, or nobody's. Protocols and
 * raw sockets get it with the transport header at its data.
 */
#include <lib/string.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <net/gso.h>
#include <abi/errno.h>
#include "net/core/stats.h"
#include "net/dev/if_flags.h"
#include "net/ip4/addr.h"
#include "net/ip4/frags.h"
#include "net/ip4/ip4_priv.h"
#include "net/neigh/neigh.h"
#include "net/wire/icmp.h"

enum {
	UNREACH = 3,
	UNREACH_NET = 0,
	UNREACH_HOST = 1,
	UNREACH_PROTO = 2,
	UNREACH_FRAG = 4,
	UNREACH_ADMIN = 13,
	TIME_EXCEEDED = 11,
	PARAMETER = 12
};

static const struct inet_protocol *protocols[256];	/* set at boot */
static enum raw_answer (*raw_deliver)(struct packet *p);
static void (*raw_error)(struct packet *p, const struct icmp_quote *q, int err, bool fatal);

void inet_register_protocol(u8 number, const struct inet_protocol *p)
{
	WRITE_ONCE(protocols[number], p);
}

const struct inet_protocol *inet_protocol(u8 number)
{
	return READ_ONCE(protocols[number]);
}

void ip4_register_raw(enum raw_answer (*fn)(struct packet *p),
		      void (*error)(struct packet *p, const struct icmp_quote *q, int err,
				    bool fatal))
{
	raw_deliver = fn;
	raw_error = error;
}

void ip4_error(struct packet *p, const struct icmp_quote *q, int err, bool fatal)
{
	const struct inet_protocol *proto = inet_protocol(q->protocol);

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

void ip4_unclaimed(struct packet *p, bool raw)
{
	struct net *net = p->dev->net;

	if (raw) {
		net_count(net, IP_IN_DELIVERS);
		packet_consume(p);
	} else {
		icmp_send(p, UNREACH, UNREACH_PROTO, 0);
		drop(p, net, IP_IN_UNKNOWN_PROTOS, DROP_NO_PROTOCOL);
	}
}

void ip4_deliver(struct packet *p)
{
	struct ip4_wire *h = (struct ip4_wire *)packet_net(p);
	struct net *net = p->dev->net;
	const struct inet_protocol *proto = inet_protocol(h->protocol);
	enum raw_answer raw;

	packet_pull(p, (u16)ip4_header_len(h));
	packet_set_transport(p);
	raw = raw_deliver ? raw_deliver(p) : RAW_NONE;
	if (proto) {
		net_count(net, IP_IN_DELIVERS);
		proto->receive(p);
	} else if (raw == RAW_LATER) {
		packet_consume(p);
	} else {
		ip4_unclaimed(p, raw == RAW_TAKEN);
	}
}

/* ---- forwarding ---- */

static void forward(struct net *net, struct packet *p, const struct ip4_route *r)
{
	struct ip4_wire *h = (struct ip4_wire *)packet_data(p);

	if (p->pkt_type != PACKET_HOST) {
		drop(p, net, IP_IN_DISCARDS, DROP_OTHER_HOST);
		return;
	}
	if (h->ttl <= 1) {
		icmp_send(p, TIME_EXCEEDED, 0, 0);
		drop(p, net, IP_IN_HDR_ERRORS, DROP_TTL);
		return;
	}
	if (packet_wire_len(p) > r->mtu && be16_get(h->frag) & IP4_DF) {
		icmp_send(p, UNREACH, UNREACH_FRAG, r->mtu);
		drop(p, net, IP_FRAG_FAILS, DROP_TOO_BIG);
		return;
	}
	net_count(net, IP_FORW_DATAGRAMS);
	ip4_dec_ttl(h);
	ip4_cb(p)->flags |= IP4_CB_FORWARDED;
	p->csum_state = p->csum_state == PACKET_CSUM_PARTIAL ? PACKET_CSUM_PARTIAL :
							       PACKET_CSUM_NONE;
	ip4_output(net, p, r);
}

/* Nobody's. What route4_in() said. */
static void refuse(struct net *net, struct packet *p, int err)
{
	const struct in_device *in = in_dev(p->dev);

	if (err == -EXDEV || err == -EINVAL || !in || !READ_ONCE(in->conf.forwarding)) {
		drop(p, net, IP_IN_ADDR_ERRORS, err == -EXDEV ? DROP_MARTIAN : DROP_NO_ROUTE);
		return;
	}
	net_count(net, IPEXT_IN_NO_ROUTES);
	icmp_send(p, UNREACH,
		  err == -EACCES      ? UNREACH_ADMIN :
		  err == -ENETUNREACH ? UNREACH_NET :
					UNREACH_HOST,
		  0);
	packet_free(p, DROP_NO_ROUTE);
}

/* ---- receiving ---- */

static void local(struct net *net, struct packet *p)
{
	const struct ip4_wire *h = (const struct ip4_wire *)packet_data(p);

	if (unlikely(ip4_is_fragment(h))) {
		p = ip4_reassemble(net, p);
		if (!p)
			return;
	}
	ip4_deliver(p);
}

/*
 * The header is right, linear and all of the packet's length is there. NULL: it was not, and P is
 * gone.
 */
static struct packet *checked(struct net *net, struct packet *p)
{
	u32 hdr;
	enum ip4_bad bad = packet_need(p, IP4_HEADER) ?
				   ip4_check(packet_data(p), p->linear, p->len, &hdr) :
				   IP4_BAD_HEADER;

	if (bad == IP4_SHORT && hdr <= p->len && packet_need(p, (u16)hdr))
		bad = ip4_check(packet_data(p), p->linear, p->len, &hdr);
	if (likely(bad == IP4_OK)) {
		packet_trim(p, be16_get(((struct ip4_wire *)packet_data(p))->tot_len));
		return p;
	}
	if (bad == IP4_SHORT)
		drop(p, net, IPEXT_IN_TRUNCATED, DROP_TOO_SHORT);
	else if (bad == IP4_BAD_CSUM)
		drop(p, net, IPEXT_IN_CSUM_ERRORS, DROP_CSUM);
	else
		drop(p, net, IP_IN_HDR_ERRORS, DROP_BAD_HEADER);
	return NULL;
}

/* False: P's options are malformed or ask for a way of their own; P is gone. */
static bool heed_options(struct net *net, struct packet *p)
{
	const struct ip4_wire *h = (const struct ip4_wire *)packet_data(p);
	u32 hdr = ip4_header_len(h);
	struct ip4_cb *cb = ip4_cb(p);

	memset(cb, 0, sizeof(*cb));
	if (likely(hdr == IP4_HEADER))
		return true;
	if (ip4_options_parse(&cb->opt, packet_data(p) + IP4_HEADER, hdr - IP4_HEADER)) {
		icmp_send(p, PARAMETER, 0, (u32)cb->opt.bad_at << 24);
		drop(p, net, IP_IN_HDR_ERRORS, DROP_BAD_HEADER);
		return false;
	}
	if (cb->opt.route_at) {		/* source routes are not followed */
		drop(p, net, IP_IN_HDR_ERRORS, DROP_BAD_HEADER);
		return false;
	}
	return true;
}

static int find_way(struct net *net, struct packet *p, struct ip4_route *r)
{
	const struct ip4_wire *h = (const struct ip4_wire *)packet_data(p);
	struct ip4_flow f = { .dst = h->dst,
			      .src = h->src,
			      .iif = (int)p->iif,
			      .mark = p->mark,
			      .tos = h->tos & 0x1c,
			      .protocol = h->protocol };

	if (p->routed) {
		r->type = p->routed;
		r->src = p->routed == RTN_BROADCAST ?
				 in_select_source(p->dev, h->src, RT_SCOPE_LINK) :
				 h->dst;
		r->mtu = U32_MAX;	/* it goes nowhere else */
		p->routed = 0;
		return 0;
	}
	return route4_in(net, p->dev, &f, r);
}

static void ip4_receive(struct packet *p, struct netdev *d, struct packet_type *t)
{
	struct net *net = d->net;
	struct ip4_route r;
	int err;

	if (unlikely(p->pkt_type == PACKET_OTHERHOST)) {
		packet_free(p, DROP_OTHER_HOST);
		return;
	}
	net_count(net, IP_IN_RECEIVES);
	net_count_add(net, IPEXT_IN_OCTETS, p->len);
	p = checked(net, p);
	if (!p || !heed_options(net, p))
		return;
	packet_set_net(p);
	err = find_way(net, p, &r);
	if (unlikely(err)) {
		refuse(net, p, err);
		return;
	}
	if (r.type == RTN_UNICAST) {
		forward(net, p, &r);
		return;
	}
	if (r.type == RTN_MULTICAST)
		net_count(net, IPEXT_IN_MCAST);
	else if (r.type == RTN_BROADCAST)
		net_count(net, IPEXT_IN_BCAST);
	ip4_cb(p)->dst_type = r.type;
	ip4_cb(p)->spec_dst = r.src;
	local(net, p);
}

static struct packet_type ip4_type = { .receive = ip4_receive };

static void give_up(struct packet *p)
{
	if (p->iif && !p->sk)
		icmp_send(p, UNREACH, UNREACH_HOST, 0);
	else
		icmp_tell_sender(p, UNREACH, UNREACH_HOST);
}

static int input_init(void)
{
	ip4_type.protocol = be16_make(ETH_P_IP);
	packet_type_add(&ip4_type);
	arp_set_unreachable(give_up);
	return 0;
}
INITCALL(fs, input_init);
