// SPDX-License-Identifier: MIT
/*
 * Receiving UDP: the header is checked, the socket found, the payload queued. Groups and broadcasts
 * go to all who want them.
 */
#include <lib/minmax.h>
#include <lib/string.h>
#include <kernel/time.h>
#include <abi/errno.h>
#include <linux/icmp.h>
#include "net/core/stats.h"
#include "net/inet/mcast.h"
#include "net/udp/udp.h"
#include "net/wire/csum.h"
#include "net/wire/icmp.h"
#include "net/wire/udp.h"

#define RECEIVERS 32u		/* of one packet to a group, in one go */

static void drop(struct net *net, struct packet *p, enum net_counter count, enum drop_reason why)
{
	net_count(net, count);
	if (count != UDP_IN_ERRORS && count != UDP_NO_PORTS && count != UDP_IGNORED_MULTI)
		net_count(net, UDP_IN_ERRORS);
	packet_free(p, why);
}

/* P's sum is right, or there is none. */
static bool sum_is_right(struct packet *p, u32 len)
{
	const struct ip4_wire *ip = (const struct ip4_wire *)packet_net(p);
	const struct udp_wire *h = (const struct udp_wire *)packet_data(p);

	if (!h->csum.v || p->csum_state == PACKET_CSUM_VERIFIED ||
	    p->csum_state == PACKET_CSUM_PARTIAL)
		return true;
	return !csum_fold(
		packet_sum(p, 0, len, csum_pseudo4(ip->src, ip->dst, IPPROTO_UDP, len, 0)));
}

/* P, a datagram with its header, for S. Consumes P. */
static void queue(struct inet_sock *s, struct packet *p)
{
	struct net *net = s->sk.net;

	if (unlikely(s->min_ttl && ((struct ip4_wire *)packet_net(p))->ttl < s->min_ttl)) {
		drop(net, p, UDP_IN_ERRORS, DROP_FILTER);
		return;
	}
	if (unlikely(!sk_filter(&s->sk, p, UDP_HEADER))) {
		atomic_inc(&s->sk.drops);
		drop(net, p, UDP_IN_ERRORS, DROP_FILTER);
		return;
	}
	packet_pull(p, UDP_HEADER);
	if (sock_flag(&s->sk, SOCK_F_TIMESTAMP) && !p->tstamp_ns)
		p->tstamp_ns = ktime_get_real_ns();
	if (sock_queue_rx(&s->sk, p)) {
		drop(net, p, UDP_RCVBUF_ERRORS, DROP_RCVBUF);
		return;
	}
	net_count(net, UDP_IN_DATAGRAMS);
}

static struct inet_sock *find(struct net *net, struct packet *p, be32 local, be16 local_port,
			      be32 peer, be16 peer_port)
{
	struct inet_table *t = udp_table(net);
	struct inet_entry *e = NULL;

	if (ghash_count(&t->connected))
		e = inet_connected_find(t, net, local, local_port, peer, peer_port, (int)p->iif);
	return e ? inet_of_entry(e) :
		   inet_bound_find(t, net, local, local_port, peer, peer_port, (int)p->iif);
}

/* ---- groups and broadcasts ---- */

struct wanted {
	be32 dst, src;
	be16 src_port;
	int dif;
};

static bool wants(struct inet_sock *s, const void *arg)
{
	const struct wanted *w = arg;

	if (s->e.local.v && s->e.local.v != w->dst.v)
		return false;
	if (s->e.peer.v && (s->e.peer.v != w->src.v || s->e.peer_port.v != w->src_port.v))
		return false;
	return (!s->sk.bound_dev || s->sk.bound_dev == w->dif) && inet_mc_wants(s, w->dst, w->dif);
}

static void queue_copy(struct inet_sock *s, struct packet *p)
{
	struct packet *c = packet_clone(p, GFP_ATOMIC);

	if (!c)
		return;
	memcpy(c->cb, p->cb, sizeof(c->cb));
	queue(s, c);
}

static void to_all(struct net *net, struct packet *p, const struct ip4_wire *ip,
		   const struct udp_wire *h)
{
	struct wanted w = { ip->dst, ip->src, h->src, (int)p->iif };
	struct inet_sock *to[RECEIVERS], *last = NULL;
	struct inet_owner at = { .sock = NULL };
	be16 port = h->dst;

	/* P itself is for the last. */
	do {
		unsigned int n =
			inet_port_owners(udp_table(net), port, &at, to, RECEIVERS, wants, &w);

		for (unsigned int i = 0; i < n; i++) {
			if (last) {
				queue_copy(last, p);
				sock_put(&last->sk);
			}
			last = to[i];
		}
	} while (at.list.next);
	if (!last) {
		drop(net, p, UDP_IGNORED_MULTI, DROP_NO_SOCKET);
		return;
	}
	queue(last, p);
	sock_put(&last->sk);
}

/* ---- packets ---- */

void udp_receive(struct packet *p)
{
	struct net *net = p->dev->net;
	const struct ip4_wire *ip = (const struct ip4_wire *)packet_net(p);
	const struct udp_wire *h;
	struct inet_sock *s;
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
	if (unlikely(ip4_cb(p)->dst_type != RTN_LOCAL)) {
		to_all(net, p, ip, h);
		return;
	}
	s = find(net, p, ip->dst, h->dst, ip->src, h->src);
	if (likely(s)) {
		queue(s, p);
		sock_put(&s->sk);
		return;
	}
	icmp_send(p, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0);
	drop(net, p, UDP_NO_PORTS, DROP_NO_SOCKET);
}

void udp_error(struct packet *p, const struct icmp_quote *q, int err, bool fatal)
{
	const struct udp_wire *h = (const struct udp_wire *)(packet_data(p) + q->transport_at);
	struct net *net = p->dev->net;
	struct inet_sock *s = find(net, p, q->src, h->src, q->dst, h->dst);

	if (!s) {
		net_count(net, ICMP_IN_ERRORS);
		return;
	}
	inet_dgram_error(s, p, q, err, fatal, h->dst, q->transport_at + UDP_HEADER);
	sock_put(&s->sk);
}
