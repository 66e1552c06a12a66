// SPDX-License-Identifier: MIT
/* Segments in software: their bytes, headers and sums, of both families; headers from outside. */
#include <lib/string.h>
#include <kernel/ktest.h>
#include <net/gso.h>
#include <net/netdev.h>
#include <abi/errno.h>
#include "net/wire/csum.h"
#include "net/wire/ip4.h"
#include "net/wire/ip6.h"
#include "net/wire/tcp.h"
#include "net/wire/vnet.h"

#define PAYLOAD 5000u
#define SIZE 1200u
#define SEQ 0xfffff000u			/* wraps */
#define FLAGS (TCP_ACK | TCP_PSH | TCP_FIN | TCP_CWR)

static u8 payload[PAYLOAD];

/* Headers, then PAYLOAD bytes in pieces. NULL: no memory. */
static struct packet *frame(bool v6)
{
	struct packet *p = packet_alloc(GFP_KERNEL);
	u32 net = v6 ? IP6_HEADER : IP4_HEADER;
	struct kvec v = { payload, PAYLOAD };
	struct tcp_wire *t;
	struct iter it;
	u8 *h;

	if (!p)
		return NULL;
	for (u32 i = 0; i < PAYLOAD; i++)
		payload[i] = (u8)(i ^ i >> 7);
	h = packet_put(p, (u16)(net + TCP_HEADER));
	memset(h, 0, net + TCP_HEADER);
	h[0] = v6 ? 0x60 : 0x45;
	h[v6 ? 6 : 9] = 6;
	memset(h + (v6 ? 8 : 12), 0x5a, v6 ? 32 : 8);
	if (!v6)
		((struct ip4_wire *)h)->id = be16_make(0xfffe);
	t = (struct tcp_wire *)(h + net);
	t->seq = be32_make(SEQ);
	t->off = TCP_HEADER / 4 << 4;
	t->flags = FLAGS;
	iter_init_kvec(&it, ITER_SOURCE, &v, 1, PAYLOAD);
	if (packet_from_iter(p, &it, PAYLOAD, GFP_KERNEL)) {
		packet_consume(p);
		return NULL;
	}
	return p;
}

static struct vnet_wire header(bool v6)
{
	return (struct vnet_wire){ .flags = VNET_NEEDS_CSUM,
				   .gso_type = v6 ? VNET_GSO_TCP6 : VNET_GSO_TCP4,
				   .gso_size = SIZE,
				   .csum_start = v6 ? IP6_HEADER : IP4_HEADER,
				   .csum_off = offsetof(struct tcp_wire, csum) };
}

static u32 pseudo(struct packet *q, bool v6, u32 len)
{
	const struct ip4_wire *ip = (const struct ip4_wire *)packet_net(q);
	const struct ip6_wire *ip6 = (const struct ip6_wire *)packet_net(q);

	return v6 ? csum_pseudo6(&ip6->src, &ip6->dst, 6, len, 0) :
		    csum_pseudo4(ip->src, ip->dst, 6, len, 0);
}

static void check_segment(struct ktest_run *__kt, struct packet *p, u32 i, bool v6)
{
	u32 net = v6 ? IP6_HEADER : IP4_HEADER, hdr = net + TCP_HEADER,
	    len = i < PAYLOAD / SIZE ? SIZE : PAYLOAD % SIZE;
	struct packet *q = gso_segment(p, i, GFP_KERNEL);
	static u8 bytes[SIZE];
	struct tcp_wire *t;

	KT_ASSERT(q);
	KT_EQ(q->len, hdr + len);
	KT_EQ(q->gso_size, 0);
	KT_ASSERT(packet_read(q, hdr, bytes, len));
	KT_ASSERT(!memcmp(bytes, payload + i * SIZE, len));
	t = (struct tcp_wire *)packet_transport(q);
	KT_EQ(be32_get(t->seq), SEQ + i * SIZE);
	KT_EQ(t->flags & (TCP_FIN | TCP_PSH), i == PAYLOAD / SIZE ? TCP_FIN | TCP_PSH : 0);
	KT_EQ(t->flags & TCP_CWR, i ? 0 : TCP_CWR);
	KT_EQ(q->csum_state, PACKET_CSUM_PARTIAL);
	KT_ASSERT(packet_csum_finish(q));
	KT_EQ(csum_fold(packet_sum(q, net, q->len - net, pseudo(q, v6, q->len - net))), 0);
	if (v6) {
		KT_EQ(be16_get(((struct ip6_wire *)packet_net(q))->payload), TCP_HEADER + len);
	} else {
		const struct ip4_wire *ip = (const struct ip4_wire *)packet_net(q);

		KT_EQ(be16_get(ip->tot_len), hdr + len);
		KT_EQ(be16_get(ip->id), (u16)(0xfffe + i));
		KT_EQ(csum_fold(csum_bytes(ip, IP4_HEADER, 0)), 0);
	}
	packet_consume(q);
}

KTEST(gso_segments)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct packet *p = frame(v6);
		struct vnet_wire h = header(v6), told;

		KT_ASSERT(p);
		KT_EQ(gso_heed_vnet(p, &h, 0), 0);
		KT_EQ(p->gso_segs, 5);
		KT_EQ(gso_segments(p), 5);
		KT_EQ(packet_wire_len(p), (v6 ? 40u : 20u) + TCP_HEADER + SIZE);
		for (u32 i = 0; i < 5; i++)
			check_segment(__kt, p, i, v6);
		gso_tell_vnet(p, &told);
		h.hdr_len = (u16)gso_header_len(p);
		KT_ASSERT(!memcmp(&told, &h, sizeof(h)));
		packet_consume(p);
	}
}

/* What is not true of the packet is refused. */
KTEST(gso_lies)
{
	struct vnet_wire lies[] = { header(false), header(false), header(false), header(true),
				    header(false), header(false), header(false) };

	lies[0].gso_size = 0;
	lies[1].gso_size = 4;		/* too many */
	lies[2].csum_start = 40;
	lies[3].csum_start = 20;
	lies[4].csum_off = 6;
	lies[5].gso_type = 3;		/* UDP's */
	lies[6].csum_start = 65000;
	for (unsigned int i = 0; i < ARRAY_SIZE(lies); i++) {
		struct packet *p = frame(false);

		KT_ASSERT(p);
		KT_EQ(gso_heed_vnet(p, &lies[i], 0), -EINVAL);
		packet_consume(p);
	}
}
