// SPDX-License-Identifier: MIT
/*
 * Received segments of TCP become super-packets (<net/gso.h>), so that the layers above pay once
 * for many. Each queue holds the beginnings of NET_GRO_HELD flows; what came in one RCU section of
 * a poll is received in that section, so nothing waits for segments that may come later.
 *
 * Segments are joined only where gso_segment() makes the same bytes of the result again: same link
 * header, same IP and TCP headers with their options, the next sequence number, no flag but ACK and
 * PSH, and a sum that is right. All but the last have the first one's size and no PSH. The
 * identification of IPv4 counts, or stays the same where DF is set (GSO_SAME_ID). The sum of TCP is
 * made anew, so it must not be the other form of zero.
 *
 * Order: a segment that cannot be joined goes up behind what is held of its flow. TCP that is not
 * understood here, as fragments, goes up behind all that is held.
 */
#include <lib/string.h>
#include <kernel/bug.h>
#include <kernel/cpumask.h>
#include <kernel/init.h>
#include <kernel/percpu.h>
#include <kernel/show.h>
#include <lib/format.h>
#include <net/gso.h>
#include <linux/if_packet.h>
#include "net/dev/dev_priv.h"
#include "net/wire/csum.h"
#include "net/wire/eth.h"
#include "net/wire/ip4.h"
#include "net/wire/ip6.h"
#include "net/wire/tcp.h"

#define TCP_PROTOCOL 6

struct gro_counts {
	u64 segments;			/* that were joined to another */
	u64 supers;			/* packets that became of them */
	u64 full;			/* flows that went early, for others */
};
static DEFINE_PER_CPU(struct gro_counts, counts);

/* In p->cb: what is known of a segment, and of those that were joined to it. */
struct gro_cb {
	u32 next;			/* the sequence number that goes on */
	u16 net, hdr;			/* bytes of the IP header; of it and TCP's */
	u16 size;			/* payload of the first */
	u16 segs;
	u16 id;				/* of the first */
	bool same_id;
};

static struct gro_cb *cb(struct packet *p)
{
	_Static_assert(sizeof(struct gro_cb) <= PACKET_CB, "fits");
	return (struct gro_cb *)p->cb;
}

static struct ip4_wire *ip4(struct packet *p)
{
	return (struct ip4_wire *)packet_data(p);
}

static struct ip6_wire *ip6(struct packet *p)
{
	return (struct ip6_wire *)packet_data(p);
}

static struct tcp_wire *tcp(struct packet *p)
{
	return (struct tcp_wire *)(packet_data(p) + cb(p)->net);
}

static bool is_six(const struct packet *p)
{
	return be16_get(p->protocol) == ETH_P_IPV6;
}

enum found { FOUND_OTHER, FOUND_ODD, FOUND_TCP };

/* P's IPv4 header; a sum of 0xffff is not what ip4_set_csum() makes. */
static enum found find_ip4(struct packet *p)
{
	const struct ip4_wire *h = ip4(p);
	u32 hdr;

	if (!packet_need(p, IP4_HEADER) || h->protocol != TCP_PROTOCOL)
		return FOUND_OTHER;
	if (h->ver_ihl != 0x45 || ip4_is_fragment(h) || be16_get(h->tot_len) != p->len ||
	    h->csum.v == 0xffff || ip4_check(packet_data(p), p->linear, p->len, &hdr) != IP4_OK)
		return FOUND_ODD;
	cb(p)->net = IP4_HEADER;
	cb(p)->id = be16_get(h->id);
	return FOUND_TCP;
}

static enum found find_ip6(struct packet *p)
{
	const struct ip6_wire *h = ip6(p);

	if (!packet_need(p, IP6_HEADER) || h->next != TCP_PROTOCOL)
		return FOUND_OTHER;
	if (be32_get(h->ver_class_flow) >> 28 != 6 || be16_get(h->payload) != p->len - IP6_HEADER)
		return FOUND_ODD;
	cb(p)->net = IP6_HEADER;
	return FOUND_TCP;
}

/* Fills cb where P is a segment of TCP with plain headers, which are linear then. */
static enum found find(struct packet *p)
{
	struct gro_cb *c = cb(p);
	enum found f = FOUND_OTHER;
	u32 hdr;

	*c = (struct gro_cb){ .segs = 1 };
	if (be16_get(p->protocol) == ETH_P_IP)
		f = find_ip4(p);
	else if (is_six(p))
		f = find_ip6(p);
	if (f != FOUND_TCP)
		return f;
	if (!packet_need(p, (u16)(c->net + TCP_HEADER)))
		return FOUND_ODD;
	hdr = tcp_header_len((u8 *)tcp(p), p->linear - c->net, p->len - c->net);
	if (!hdr || !packet_need(p, (u16)(c->net + hdr)) || p->len > U16_MAX)
		return FOUND_ODD;
	c->hdr = (u16)(c->net + hdr);
	c->size = (u16)(p->len - c->hdr);
	c->next = be32_get(tcp(p)->seq) + c->size;
	return FOUND_TCP;
}

/* TCP's sum is right, and is what packet_csum_finish() makes. */
static bool sum_is_right(struct packet *p)
{
	u32 at = cb(p)->net, len = p->len - at, pseudo;

	if (p->csum_state == PACKET_CSUM_PARTIAL)
		return p->csum_start == p->data + at &&
		       p->csum_off == offsetof(struct tcp_wire, csum);
	if (!tcp(p)->csum.v)
		return false;
	if (p->csum_state == PACKET_CSUM_VERIFIED)
		return true;
	pseudo = is_six(p) ? csum_pseudo6(&ip6(p)->src, &ip6(p)->dst, TCP_PROTOCOL, len, 0) :
			     csum_pseudo4(ip4(p)->src, ip4(p)->dst, TCP_PROTOCOL, len, 0);
	if (csum_fold(packet_sum(p, at, len, pseudo)))
		return false;
	p->csum_state = PACKET_CSUM_VERIFIED;
	return true;
}

/* P may be joined, or be what others are joined to. */
static bool is_joinable(struct packet *p)
{
	return cb(p)->size && (tcp(p)->flags & ~TCP_PSH) == TCP_ACK && !p->gso_size &&
	       sum_is_right(p);
}

static bool same_flow(struct packet *a, struct packet *b)
{
	if (a->protocol.v != b->protocol.v || tcp(a)->src.v != tcp(b)->src.v ||
	    tcp(a)->dst.v != tcp(b)->dst.v)
		return false;
	if (is_six(a))
		return !memcmp(&ip6(a)->src, &ip6(b)->src, 2 * sizeof(struct ip6_addr));
	return ip4(a)->src.v == ip4(b)->src.v && ip4(a)->dst.v == ip4(b)->dst.v;
}

/* The identification goes on as gso_segment() counts it. */
static bool id_goes_on(struct packet *a, struct packet *b)
{
	struct gro_cb *c = cb(a);
	bool counts = cb(b)->id == (u16)(c->id + c->segs),
	     same = be16_get(ip4(a)->frag) & IP4_DF && cb(b)->id == c->id;

	if (c->segs == 1)
		c->same_id = same;
	return c->same_id ? same : counts;
}

static bool same_network(struct packet *a, struct packet *b)
{
	if (is_six(a))
		return ip6(a)->ver_class_flow.v == ip6(b)->ver_class_flow.v &&
		       ip6(a)->hops == ip6(b)->hops;
	return ip4(a)->tos == ip4(b)->tos && ip4(a)->ttl == ip4(b)->ttl &&
	       ip4(a)->frag.v == ip4(b)->frag.v && id_goes_on(a, b);
}

/* B, of A's flow, is A's next segment. */
static bool goes_on(struct packet *a, struct packet *b)
{
	const struct tcp_wire *t = tcp(a), *u = tcp(b);
	u32 options = cb(a)->hdr - cb(a)->net - TCP_HEADER;

	return be32_get(u->seq) == cb(a)->next && u->ack.v == t->ack.v && u->off == t->off &&
	       u->window.v == t->window.v && u->urgent.v == t->urgent.v &&
	       !memcmp(u + 1, t + 1, options) && cb(b)->size <= cb(a)->size &&
	       cb(a)->segs < GSO_SEGMENTS_MOST && a->len + cb(b)->size <= U16_MAX &&
	       a->pkt_type == b->pkt_type && !memcmp(packet_mac(a), packet_mac(b), ETH_HEADER) &&
	       same_network(a, b);
}

/* A and B become one: true. */
static bool join(struct packet *a, struct packet *b)
{
	struct gro_cb c = *cb(b);
	u8 flags = tcp(b)->flags;

	if (!packet_join(a, b, c.hdr, GFP_ATOMIC))
		return false;
	tcp(a)->flags |= flags & TCP_PSH;
	cb(a)->next = c.next;
	cb(a)->segs++;
	this_cpu_inc(counts.segments);
	return true;
}

/* The I-th that G holds goes up. */
static void release(struct net_gro *g, unsigned int i, struct packet_list *out)
{
	struct packet *p = g->held[i];
	const struct gro_cb c = *cb(p);

	memmove(g->held + i, g->held + i + 1, (--g->nr - i) * sizeof(g->held[0]));
	if (c.segs > 1) {
		packet_set_net(p);
		p->transport_at = (u16)(p->data + c.net);
		gso_make_super(p, c.size, c.segs,
			       (is_six(p) ? GSO_TCP6 : 0) | (c.same_id ? GSO_SAME_ID : 0));
		this_cpu_inc(counts.supers);
	}
	packet_list_add(out, p);
}

void net_gro_flush(struct net_gro *g, struct packet_list *out)
{
	while (g->nr)
		release(g, 0, out);
}

static void hold(struct net_gro *g, struct packet *p, struct packet_list *out)
{
	if (g->nr == NET_GRO_HELD) {
		this_cpu_inc(counts.full);
		release(g, 0, out);
	}
	g->held[g->nr++] = p;
}

/* P is a segment of TCP, of which cb is filled. */
static void add_segment(struct net_gro *g, struct packet *p, struct packet_list *out)
{
	bool joinable = is_joinable(p);
	bool last = tcp(p)->flags & TCP_PSH;
	u16 size = cb(p)->size;
	unsigned int i = 0;

	while (i < g->nr && !same_flow(g->held[i], p))
		i++;
	if (i < g->nr) {
		struct packet *a = g->held[i];

		if (joinable && goes_on(a, p) && join(a, p)) {
			if (last || size < cb(a)->size)
				release(g, i, out);
			return;
		}
		release(g, i, out);
	}
	if (joinable && !last)
		hold(g, p, out);
	else
		packet_list_add(out, p);
}

void net_gro_add(struct net_gro *g, struct packet *p, struct packet_list *out)
{
	enum found f = FOUND_OTHER;

	if (p->pkt_type == PACKET_HOST || p->pkt_type == PACKET_OTHERHOST)
		f = find(p);
	if (f == FOUND_TCP) {
		add_segment(g, p, out);
		return;
	}
	if (f == FOUND_ODD)
		net_gro_flush(g, out);
	packet_list_add(out, p);
}

/* ---- of queues ---- */

/* What vanished in P counts as received: the headers of its segments but the first. */
static void count_joined(const struct packet *p, u16 segs, u16 hdr)
{
	struct netdev *d = p->dev;

	this_cpu_add(d->stats->rx_packets, (u64)(segs - 1));
	this_cpu_add(d->stats->rx_bytes, (u64)(segs - 1) * (hdr + d->hard_header_len));
}

static void receive_all(struct packet_list *l)
{
	struct packet *p;

	while ((p = packet_list_take(l))) {
		if (p->gso_size && cb(p)->segs > 1)
			count_joined(p, cb(p)->segs, cb(p)->hdr);
		netdev_receive(p);
	}
}

void net_poll_receive(struct net_poll *q, struct packet *p)
{
	struct packet_list out;

	cb(p)->segs = 0;
	if (!(READ_ONCE(q->dev->features) & NETDEV_F_GRO)) {
		netdev_receive(p);
		return;
	}
	packet_list_init(&out);
	net_gro_add(&q->gro, p, &out);
	receive_all(&out);
}

void net_poll_flush(struct net_poll *q)
{
	struct packet_list out;

	if (likely(!q->gro.nr))
		return;
	packet_list_init(&out);
	net_gro_flush(&q->gro, &out);
	receive_all(&out);
}

static ssize_t show_gro(struct show_node *n, char *buf, size_t size)
{
	struct gro_counts sum = { 0 };
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		const struct gro_counts *c = per_cpu_ptr(&counts, cpu);

		sum.segments += READ_ONCE(c->segments);
		sum.supers += READ_ONCE(c->supers);
		sum.full += READ_ONCE(c->full);
	}
	return scnprintf(buf, size, "segments %llu\nsupers %llu\nfull %llu\n", sum.segments,
			 sum.supers, sum.full);
}

static int gro_init(void)
{
	show_attr(show_path(SHOW_DEBUG, "net"), "gro", 0444, show_gro, NULL, NULL);
	return 0;
}
INITCALL(fs, gro_init);
