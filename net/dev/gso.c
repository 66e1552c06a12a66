// SPDX-License-Identifier: MIT
/*
 * Segments of super-packets (<net/gso.h>) in software, and such packets from outside.
 *
 * Segments share the packet's payload; their headers follow RFC 9293 and what network cards do: the
 * sequence number goes on, FIN and PSH are in the last, CWR is in the first, the IPv4
 * identification counts.
 */
#include <lib/minmax.h>
#include <lib/string.h>
#include <kernel/bug.h>
#include <net/gso.h>
#include <net/netdev.h>
#include <abi/errno.h>
#include "net/wire/csum.h"
#include "net/wire/ip4.h"
#include "net/wire/ip6.h"
#include "net/wire/tcp.h"
#include "net/wire/vnet.h"

#define TCP_PROTOCOL 6

static void fix_network(struct packet *q, u32 i)
{
	struct ip4_wire *ip = (struct ip4_wire *)packet_net(q);
	struct ip6_wire *ip6 = (struct ip6_wire *)packet_net(q);
	u32 len = q->len - (u32)(q->net_at - q->data);

	if (q->gso_type & GSO_TCP6) {
		ip6->payload = be16_make((u16)(len - IP6_HEADER));
		return;
	}
	ip->tot_len = be16_make((u16)len);
	if (!(q->gso_type & GSO_SAME_ID))
		ip->id = be16_make((u16)(be16_get(ip->id) + i));
	ip4_set_csum(ip, ip4_header_len(ip));
}

/* Senders that leave the segments to others may leave out the length. */
static void fix_length(struct packet *p)
{
	const struct ip4_wire *ip = (const struct ip4_wire *)packet_net(p);
	u32 len = p->len - (u32)(p->net_at - p->data);

	if (p->gso_type & GSO_TCP6 || be16_get(ip->tot_len) != len)
		fix_network(p, 0);
}

/* The sum of the pseudo header, which the rest is added to. */
static u16 pseudo_sum(struct packet *q)
{
	const struct ip4_wire *ip = (const struct ip4_wire *)packet_net(q);
	const struct ip6_wire *ip6 = (const struct ip6_wire *)packet_net(q);
	u32 len = q->len - (u32)(q->transport_at - q->data);

	return csum_fold_raw(q->gso_type & GSO_TCP6 ?
				     csum_pseudo6(&ip6->src, &ip6->dst, TCP_PROTOCOL, len, 0) :
				     csum_pseudo4(ip->src, ip->dst, TCP_PROTOCOL, len, 0));
}

static void leave_sum(struct packet *q)
{
	struct tcp_wire *t = (struct tcp_wire *)packet_transport(q);

	t->csum.v = pseudo_sum(q);
	q->csum_state = PACKET_CSUM_PARTIAL;
	q->csum_start = q->transport_at;
	q->csum_off = offsetof(struct tcp_wire, csum);
}

void gso_make_super(struct packet *p, u16 size, u16 segs, u8 type)
{
	p->gso_type = type;
	fix_length(p);
	leave_sum(p);
	p->gso_size = size;
	p->gso_segs = segs;
}

struct packet *gso_segment(const struct packet *p, u32 i, gfp_t gfp)
{
	u32 hdr = gso_header_len(p), off = hdr + i * p->gso_size;
	struct tcp_wire *t;
	struct packet *q;

	DEBUG_ON(off > p->len);
	q = packet_clone_front(p, (u16)hdr, gfp);
	if (!q)
		return NULL;
	if (!packet_append(q, p, off, min_t(u32, p->len - off, p->gso_size))) {
		packet_free(q, DROP_BAD_HEADER);
		return NULL;
	}
	fix_network(q, i);
	t = (struct tcp_wire *)packet_transport(q);
	t->seq = be32_make(be32_get(t->seq) + i * p->gso_size);
	if (off + p->gso_size < p->len)
		t->flags &= (u8) ~(TCP_FIN | TCP_PSH);
	if (i)
		t->flags &= (u8)~TCP_CWR;
	leave_sum(q);
	q->gso_size = q->gso_segs = 0;
	return q;
}

bool gso_device_takes(const struct packet *p, const struct netdev *d)
{
	u32 need = NETDEV_F_CSUM | NETDEV_F_SG, has = READ_ONCE(d->features);

	need |= p->gso_type & GSO_TCP6 ? NETDEV_F_TSO6 : NETDEV_F_TSO4;
	need |= p->gso_type & GSO_ECN ? NETDEV_F_TSO_ECN : 0;
	/* Devices count the identification. */
	need |= p->gso_type & GSO_SAME_ID ? NETDEV_F_LOCAL : 0;
	return (has & need) == need && p->len <= READ_ONCE(d->gso_max_size) + d->hard_header_len &&
	       p->gso_segs <= GSO_SEGMENTS_MOST;
}

/* ---- from outside ---- */

/* The headers that S found are P's. */
static int heed_super(struct packet *p, const struct vnet_wire *h, u16 net_at)
{
	bool v6 = (h->gso_type & (u8)~VNET_GSO_ECN) == VNET_GSO_TCP6;
	struct vnet_super s;
	int want;

	while ((want = vnet_super_decode(&s, packet_data(p), p->linear, p->len, net_at, v6,
					 h->gso_size)) > 0)
		if (!packet_need(p, (u16)want))
			return -EINVAL;
	if (want < 0)
		return -EINVAL;
	if (h->flags & VNET_NEEDS_CSUM &&
	    (h->csum_start != s.tcp_at || h->csum_off != offsetof(struct tcp_wire, csum)))
		return -EINVAL;
	p->net_at = (u16)(p->data + s.net_at);
	p->transport_at = (u16)(p->data + s.tcp_at);
	gso_make_super(p, s.nr > 1 ? h->gso_size : 0, s.nr > 1 ? (u16)s.nr : 0,
		       (v6 ? GSO_TCP6 : 0) | (h->gso_type & VNET_GSO_ECN ? GSO_ECN : 0));
	return 0;
}

int gso_heed_vnet(struct packet *p, const struct vnet_wire *h, u16 net_at)
{
	u32 end = (u32)h->csum_start + h->csum_off + 2;

	if (!vnet_fits(h, p->len))
		return -EINVAL;
	if (h->gso_type != VNET_GSO_NONE)
		return heed_super(p, h, net_at);
	if (h->flags & VNET_NEEDS_CSUM) {
		if (end > PACKET_BUF || !packet_need(p, (u16)end))
			return -EINVAL;
		p->csum_state = PACKET_CSUM_PARTIAL;
		p->csum_start = (u16)(p->data + h->csum_start);
		p->csum_off = h->csum_off;
	} else if (h->flags & VNET_DATA_VALID) {
		p->csum_state = PACKET_CSUM_VERIFIED;
	}
	return 0;
}

void gso_tell_vnet(const struct packet *p, struct vnet_wire *h)
{
	*h = (struct vnet_wire){ 0 };
	if (p->csum_state == PACKET_CSUM_PARTIAL) {
		h->flags = VNET_NEEDS_CSUM;
		h->csum_start = (u16)(p->csum_start - p->data);
		h->csum_off = p->csum_off;
	} else if (p->csum_state == PACKET_CSUM_VERIFIED) {
		h->flags = VNET_DATA_VALID;
	}
	if (!p->gso_size)
		return;
	h->gso_type = p->gso_type & GSO_TCP6 ? VNET_GSO_TCP6 : VNET_GSO_TCP4;
	h->gso_type |= p->gso_type & GSO_ECN ? VNET_GSO_ECN : 0;
	h->gso_size = p->gso_size;
	h->hdr_len = (u16)gso_header_len(p);
}
