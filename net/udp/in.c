// SPDX-License-Identifier: MIT
/*
 * Receiving UDP: the header is checked, the socket found, the payload queued. Groups and broadcasts
 * go to all who want them (net/inet/many.h).
 */
#include <lib/minmax.h>
#include <lib/string.h>
#include <kernel/time.h>
#include <abi/errno.h>
#include <linux/icmp.h>
#include "net/core/stats.h"
#include "net/inet/many.h"
#include "net/inet/mcast.h"
#include "net/udp/udp.h"
#include "net/wire/csum.h"
#include "net/wire/icmp6.h"
#include "net/wire/udp.h"

/* COUNT is of IPv4's; IPv6's stand in the same order. */
static void count(struct net *net, const struct packet *p, enum net_counter count)
{
	net_count(net, packet_is_ip6(p) ? count - UDP_IN_DATAGRAMS + UDP6_IN_DATAGRAMS : count);
}

static void drop(struct net *net, struct packet *p, enum net_counter what, enum drop_reason why)
{
	count(net, p, what);
	if (what != UDP_IN_ERRORS && what != UDP_NO_PORTS && what != UDP_IGNORED_MULTI)
		count(net, p, UDP_IN_ERRORS);
	packet_free(p, why);
}

/* P's sum is right, or there is none, which IPv6 does not allow (RFC 8200, 8.1). */
static bool sum_is_right(struct packet *p, u32 len)
{
	const struct udp_wire *h = (const struct udp_wire *)packet_data(p);
	const struct ip4_wire *ip = (const struct ip4_wire *)packet_net(p);
	const struct ip6_wire *ip6 = (const struct ip6_wire *)packet_net(p);
	bool six = packet_is_ip6(p);

	if ((!h->csum.v && !six) || p->csum_state == PACKET_CSUM_VERIFIED ||
	    p->csum_state == PACKET_CSUM_PARTIAL)
		return true;
	if (!h->csum.v)
		return false;
	return !csum_fold(packet_sum(p, 0, len,
				     six ? csum_pseudo6(&ip6->src, &ip6->dst, IPPROTO_UDP, len, 0) :
					   csum_pseudo4(ip->src, ip->dst, IPPROTO_UDP, len, 0)));
}

static void filter_and_queue(struct sock *sk, struct packet *p)
{
	struct inet_sock *s = inet_sk(sk);
	struct net *net = sk->net;

	if (unlikely(inet_is_far(s, p))) {
		drop(net, p, UDP_IN_ERRORS, DROP_FILTER);
		return;
	}
	if (unlikely(!sk_filter(&s->sk, p, UDP_HEADER))) {
		atomic_inc(&s->sk.drops);
		drop(net, p, UDP_IN_ERRORS, DROP_FILTER);
		return;
	}
	packet_pull(p, UDP_HEADER);
	if ((sock_flag(&s->sk, SOCK_F_TIMESTAMP) || unlikely(sock_stamps_rx(&s->sk))) &&
	    !p->tstamp_ns)
		p->tstamp_ns = ktime_get_real_ns();
	/* Its reader counts it (RFC 4113: those that were delivered to a program). */
	if (sock_queue_rx(&s->sk, p))
		drop(net, p, UDP_RCVBUF_ERRORS, DROP_RCVBUF);
}

/* P, a datagram with its header, for S. Consumes P. */
static void queue(struct inet_sock *s, struct packet *p)
{
	if (unlikely(rcu_access_pointer(s->sk.filter)) && sock_filter_searches(&s->sk))
		sock_later(&s->sk, p, filter_and_queue);
	else
		filter_and_queue(&s->sk, p);
}

static struct inet_sock *find(struct net *net, const struct inet_key *k)
{
	struct inet_table *t = udp_table(net);
	struct inet_entry *e = NULL;

	if (ghash_count(&t->connected))
		e = inet_connected_find(t, k);
	return e ? inet_of_entry(e) : inet_bound_find(t, k);
}

/* ---- groups and broadcasts ---- */

static bool wants(struct inet_sock *s, const struct inet_many *m)
{
	const struct inet_key *k = &m->k;

	if (inet_is_six(s) != !!k->v6 && (k->v6 || s->e.local.v || inet_flag(s, INET_V6ONLY)))
		return false;
	if (s->e.local.v &&
	    (s->e.local.v != k->local.v || (k->v6 && !ip6_equal(&s->v6.local, &k->v6->local))))
		return false;
	if (s->e.peer.v && (s->e.peer.v != k->peer.v || s->e.peer_port.v != k->peer_port.v ||
			    (k->v6 && !ip6_equal(&s->v6.peer, &k->v6->peer))))
		return false;
	return (!s->sk.bound_dev || s->sk.bound_dev == k->dif) && inet_mc_wants_packet(s, m->p);
}

static void queue_copy(struct inet_sock *s, struct inet_many *m)
{
	struct packet *c = packet_clone(m->p, GFP_ATOMIC);

	if (c)
		queue(s, c);
}

static void end(struct inet_many *m)
{
	if (m->given)
		packet_consume(m->p);
	else
		drop(m->net, m->p, UDP_IGNORED_MULTI, DROP_NO_SOCKET);
}

static const struct inet_many_kind to_many = { wants, queue_copy, end };

static void to_all(struct net *net, struct packet *p, const struct inet_key *k)
{
	struct inet_many m = {
		.kind = &to_many, .table = udp_table(net), .p = p, .k = *k, .port = k->local_port
	};
	struct inet_sock *one;

	if (k->v6)
		m.k.v6 = &m.k.pair;
	switch (inet_many_ask(&m, &one)) {
	case INET_MANY_NONE:
		drop(net, p, UDP_IGNORED_MULTI, DROP_NO_SOCKET);
		break;
	case INET_MANY_ONE:
		queue(one, p);
		sock_put(&one->sk);
		break;
	case INET_MANY_LATER:
		packet_consume(p);	/* they share a clone */
	}
}

/* ---- packets ---- */

void udp_receive(struct packet *p)
{
	struct net *net = p->dev->net;
	const struct udp_wire *h;
	struct inet_sock *s;
	struct inet_key k;
	u32 len;

	len = packet_need(p, UDP_HEADER) ? udp_check(packet_data(p), p->linear, p->len) : 0;
	if (unlikely(!len)) {
		drop(net, p, UDP_IN_ERRORS, DROP_TOO_SHORT);
		return;
	}
	packet_trim(p, len);
	if (unlikely(!sum_is_right(p, len))) {
		drop(net, p, UDP_IN_CSUM_ERRORS, DROP_CSUM);
		return;
	}
	h = (const struct udp_wire *)packet_data(p);
	inet_key_received(&k, p, net, h->dst, h->src);
	if (unlikely(ip4_cb(p)->dst_type != RTN_LOCAL)) {	/* of both families */
		to_all(net, p, &k);
		return;
	}
	s = find(net, &k);
	if (likely(s)) {
		queue(s, p);
		sock_put(&s->sk);
		return;
	}
	if (packet_is_ip6(p))
		icmp6_send(p, ICMP6_UNREACH, ICMP6_PORT, 0);
	else
		icmp_send(p, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0);
	drop(net, p, UDP_NO_PORTS, DROP_NO_SOCKET);
}

void udp_error(struct packet *p, const struct icmp_quote *q, int err, bool fatal)
{
	const struct udp_wire *h = (const struct udp_wire *)(packet_data(p) + q->transport_at);
	struct net *net = p->dev->net;
	struct inet_sock *s;
	struct inet_key k;

	inet_key_quoted(&k, p, net, q, h->src, h->dst);
	s = find(net, &k);
	if (!s) {
		net_count(net, q->six ? ICMP6_IN_ERRORS : ICMP_IN_ERRORS);
		return;
	}
	inet_dgram_error(s, p, q, err, fatal, h->dst, q->transport_at + UDP_HEADER);
	sock_put(&s->sk);
}
