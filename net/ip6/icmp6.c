// SPDX-License-Identifier: MIT
/*
 * ICMPv6 (RFC 4443): questions are answered, errors handed to the protocol of the packet that they
 * quote, and errors sent. Limits of rate are those of net/ip4/icmp.c, for errors alone.
 */
#include <lib/minmax.h>
#include <lib/string.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <abi/errno.h>
#include "net/core/stats.h"
#include "net/dev/if_flags.h"
#include "net/ip6/addr6.h"
#include "net/wire/csum.h"
#include "net/wire/icmp6.h"

static bool (*reply_to_sockets)(struct packet *p);
static struct inet_protocol icmp6_protocol;

void icmp6_register_reply(bool (*fn)(struct packet *p),
			  void (*error)(struct packet *p, const struct icmp_quote *q, int err,
					bool fatal))
{
	reply_to_sockets = fn;
	icmp6_protocol.error = error;
}

int icmp6_counter(bool in, u8 type)
{
	if (type >= ICMP6_UNREACH && type <= ICMP6_PARAMETER)
		return (in ? ICMP6_IN_ERROR_TYPE : ICMP6_OUT_ERROR_TYPE) + type;
	if (type >= ICMP6_ECHO && type < ICMP6_ECHO + 16)
		return (in ? ICMP6_IN_INFO_TYPE : ICMP6_OUT_INFO_TYPE) + (type - ICMP6_ECHO);
	return -1;
}

int icmp6_errno(u8 type, u8 code, bool *fatal)
{
	static const struct {
		u8 err;
		bool fatal;
	} unreach[] = {
		{ ENETUNREACH, false },	 { EACCES, true },	 { EHOSTUNREACH, false },
		{ EHOSTUNREACH, false }, { ECONNREFUSED, true }, { EACCES, true },
		{ EACCES, true },
	};

	*fatal = false;
	switch (type) {
	case ICMP6_UNREACH:
		if (code >= ARRAY_SIZE(unreach)) {
			*fatal = true;
			return EPROTO;
		}
		*fatal = unreach[code].fatal;
		return unreach[code].err;
	case ICMP6_TOO_BIG:
		return EMSGSIZE;
	case ICMP6_PARAMETER:
		*fatal = true;
		return EPROTO;
	case ICMP6_TIME_EXCEEDED:
		return EHOSTUNREACH;
	}
	return 0;
}

/* ---- sending ---- */

void icmp6_finish(struct net *net, struct packet *p, const struct ip6_tx *t)
{
	struct icmp_wire *h = (struct icmp_wire *)packet_data(p);
	int n = icmp6_counter(false, h->type);

	h->csum.v = 0;
	h->csum.v = csum_fold(
		packet_sum(p, 0, p->len, csum_pseudo6(&t->src, &t->dst, IP6_ICMP, p->len, 0)));
	net_count(net, ICMP6_OUT_MSGS);
	if (n >= 0)
		net_count(net, n);
}

/* P is a message from its ICMPv6 header on, without a sum. */
static void transmit(struct net *net, struct packet *p, const struct ip6_route *r,
		     const struct ip6_tx *t)
{
	icmp6_finish(net, p, t);
	ip6_send(net, p, r, t);
}

/* The way back to P's sender: 0 or -errno. SRC is any: one that goes with it is chosen. */
static int way_back(struct net *net, const struct packet *p, const struct ip6_wire *h,
		    const struct ip6_addr *src, struct ip6_route *r)
{
	struct ip6_flow f = { .dst = h->src, .src = *src, .protocol = IP6_ICMP };

	if (ip6_needs_scope(&h->src))
		f.oif = (int)p->iif;
	return route6_out(net, &f, r);
}

/* The address that P was sent to, if it is ours alone. */
static struct ip6_addr own_of(struct net *net, const struct packet *p, const struct ip6_addr *dst)
{
	return !ip6_is_multicast(dst) && in6_is_local(net, dst, NULL) ? *dst : IP6_ANY;
}

/* The first byte of what P's transport header is, if that is ICMPv6's. */
static bool is_icmp_error(struct packet *p)
{
	const struct ip6_cb *cb = ip6_cb(p);
	u32 at = (u32)p->net_at + cb->transport_off;
	u8 type;

	if (cb->protocol != IP6_ICMP || !cb->transport_off)
		return false;
	if (at < (u32)p->data + p->linear)
		return icmp6_is_error(p->buf[at]) || p->buf[at] == ICMP6_REDIRECT;
	return !packet_read(p, at - p->data, &type, 1) || icmp6_is_error(type);
}

/* May an error be sent about P (RFC 4443, 2.4 e)? */
static bool deserves(struct packet *p, const struct ip6_wire *h, u8 type, u8 code)
{
	bool to_groups = type == ICMP6_TOO_BIG ||
			 (type == ICMP6_PARAMETER && code == IP6_BAD_OPTION);

	if (ip6_is_any(&h->src) || ip6_is_multicast(&h->src) || is_icmp_error(p))
		return false;
	return to_groups || (!ip6_is_multicast(&h->dst) && p->pkt_type == PACKET_HOST);
}

/* What path MTUs are found by is never held back. */
static bool allowed(struct net *net, const struct ip6_route *r, u8 type, const struct ip6_addr *dst)
{
	u64 w[2];

	if (type == ICMP6_TOO_BIG || r->dev->flags & IFF_LOOPBACK)
		return true;
	memcpy(w, dst, sizeof(w));
	return icmp_may(net, READ_ONCE(net->ip6->icmp_ratelimit_ms), w, 2, ICMP6_OUT_RATE_HOST);
}

void icmp6_send(struct packet *p, u8 type, u8 code, u32 info)
{
	const struct ip6_wire *h = (const struct ip6_wire *)packet_net(p);
	struct net *net = p->dev->net;
	struct ip6_addr src = own_of(net, p, &h->dst);
	struct ip6_tx t = { .protocol = IP6_ICMP, .hops = -1, .dst = h->src };
	struct ip6_route r;
	struct packet *e;
	struct icmp_wire *w;

	if (!deserves(p, h, type, code) || way_back(net, p, h, &src, &r) ||
	    !allowed(net, &r, type, &h->src))
		return;
	e = packet_alloc(GFP_ATOMIC);
	if (!e)
		return;
	w = (struct icmp_wire *)packet_put(e, ICMP_HEADER);
	*w = (struct icmp_wire){ .type = type, .code = code };
	w->rest = be32_make(info);
	if (!icmp_quote_packet(e, p, IP6_MTU_LEAST - IP6_HEADER - ICMP_HEADER)) {
		packet_free(e, DROP_NOMEM);
		return;
	}
	e->mark = 0;
	t.src = ip6_is_any(&src) ? r.src : src;
	transmit(net, e, &r, &t);
}

void icmp6_tell_sender(struct packet *p, u8 type, u8 code)
{
	u8 msg[ICMP_HEADER + IP6_HEADERS_MOST];
	struct packet *e;
	struct icmp_quote q;
	struct icmp_wire *w;
	bool fatal;
	int err = icmp6_errno(type, code, &fatal);

	if (p->net_at == PACKET_NO_HEADER || !p->dev)
		return;
	e = packet_alloc(GFP_ATOMIC);
	if (!e)
		return;
	w = (struct icmp_wire *)packet_put(e, ICMP_HEADER);
	*w = (struct icmp_wire){ .type = type, .code = code };
	e->dev = p->dev;
	if (icmp_quote_packet(e, p, IP6_HEADERS_MOST)) {
		u32 n = min_t(u32, e->len, sizeof(msg));

		if (packet_read(e, 0, msg, n) && !icmp6_decode_error(&q, msg, n) &&
		    packet_need(e, (u16)(q.transport_at + 8)))
			ip6_error(e, &q, err, fatal);
	}
	packet_consume(e);
}

/* ---- receiving ---- */

/* An echo request goes back to its sender. Consumes P. */
static void echo(struct net *net, struct packet *p)
{
	const struct ip6_wire *h = (const struct ip6_wire *)packet_net(p);
	struct ip6_tx t = { .protocol = IP6_ICMP,
			    .tclass = ip6_tclass(h),
			    .label = ip6_flow_label(h),
			    .hops = -1,
			    .dst = h->src,
			    .fragment = true };
	struct ip6_addr src = own_of(net, p, &h->dst);
	struct icmp_wire *w = (struct icmp_wire *)packet_data(p);
	const struct ip6_net *n = net->ip6;
	struct ip6_route r;

	if (READ_ONCE(n->echo_ignore_all) || ip6_is_any(&h->src) ||
	    (ip6_cb(p)->dst_type == RTN_MULTICAST && READ_ONCE(n->echo_ignore_multicast)) ||
	    way_back(net, p, h, &src, &r)) {
		packet_free(p, DROP_FILTER);
		return;
	}
	t.src = ip6_is_any(&src) ? r.src : src;
	packet_orphan(p);
	w->type = ICMP6_ECHO_REPLY;
	w->code = 0;
	p->iif = 0;
	p->pkt_type = PACKET_HOST;
	p->csum_state = PACKET_CSUM_NONE;
	p->mac_at = p->net_at = PACKET_NO_HEADER;
	transmit(net, p, &r, &t);
}

void icmp6_learn_mtu(struct net *net, const struct icmp_quote *q)
{
	/* Of what we sent: its source is ours. */
	if (q->type == ICMP6_TOO_BIG && q->info < 65535 && in6_is_local(net, &q->src6, NULL))
		route6_learn_mtu(net, &q->dst6, max(q->info, IP6_MTU_LEAST));
}

static void error(struct net *net, struct packet *p)
{
	u8 msg[ICMP_HEADER + IP6_HEADERS_MOST];
	u32 n = min_t(u32, p->len, sizeof(msg));
	struct icmp_quote q;
	bool fatal;
	int err;

	if (!packet_read(p, 0, msg, n) || icmp6_decode_error(&q, msg, n)) {
		net_count(net, ICMP6_IN_ERRORS);
		packet_free(p, DROP_BAD_HEADER);
		return;
	}
	/* Protocols find the transport header of what is quoted in the linear bytes. */
	if (!packet_need(p, (u16)(q.transport_at + 8))) {
		packet_free(p, DROP_BAD_HEADER);
		return;
	}
	err = icmp6_errno(q.type, q.code, &fatal);
	if (err)
		ip6_error(p, &q, err, fatal);
	packet_consume(p);
}

static bool sum_is_right(struct packet *p)
{
	const struct ip6_wire *h = (const struct ip6_wire *)packet_net(p);

	return p->csum_state == PACKET_CSUM_VERIFIED ||
	       !csum_fold(packet_sum(p, 0, p->len,
				     csum_pseudo6(&h->src, &h->dst, IP6_ICMP, p->len, 0)));
}

static void dispatch(struct net *net, struct packet *p, u8 type)
{
	switch (type) {
	case ICMP6_ECHO:
		echo(net, p);
		return;
	case ICMP6_ECHO_REPLY:
		if (!reply_to_sockets || !reply_to_sockets(p))
			packet_consume(p);
		return;
	case ICMP6_UNREACH:
	case ICMP6_TOO_BIG:
	case ICMP6_TIME_EXCEEDED:
	case ICMP6_PARAMETER:
		error(net, p);
		return;
	case ICMP6_RS:
	case ICMP6_RA:
	case ICMP6_NS:
	case ICMP6_NA:
	case ICMP6_REDIRECT:
		nd_receive(p, type);
		return;
	case ICMP6_MLD_QUERY:
	case ICMP6_MLD_REPORT:
		mld_receive(p, type);
		return;
	}
	packet_free(p, DROP_NO_PROTOCOL);
}

static void icmp6_receive(struct packet *p)
{
	struct net *net = p->dev->net;
	u8 type;
	int n;

	net_count(net, ICMP6_IN_MSGS);
	if (!packet_need(p, ICMP_HEADER)) {
		net_count(net, ICMP6_IN_ERRORS);
		packet_free(p, DROP_TOO_SHORT);
		return;
	}
	if (!sum_is_right(p)) {
		net_count(net, ICMP6_IN_CSUM_ERRORS);
		net_count(net, ICMP6_IN_ERRORS);
		packet_free(p, DROP_CSUM);
		return;
	}
	type = packet_data(p)[0];
	n = icmp6_counter(true, type);
	if (n >= 0)
		net_count(net, n);
	dispatch(net, p, type);
}

static int icmp6_init(void)
{
	icmp6_protocol.receive = icmp6_receive;
	inet6_register_protocol(IP6_ICMP, &icmp6_protocol);
	return 0;
}
INITCALL(fs, icmp6_init);
