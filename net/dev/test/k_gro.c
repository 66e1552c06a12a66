// SPDX-License-Identifier: MIT
/* Received segments that are joined: which, and that cutting them gives the same bytes again. */
#include <lib/minmax.h>
#include <lib/string.h>
#include <kernel/ktest.h>
#include <net/gso.h>
#include <linux/if_packet.h>
#include "net/dev/dev_priv.h"
#include "net/wire/csum.h"
#include "net/wire/eth.h"
#include "net/wire/ip4.h"
#include "net/wire/ip6.h"
#include "net/wire/tcp.h"

#define MSS 1000u
#define OPTIONS 12u			/* two NOPs and timestamps */
#define MOST 200u			/* segments of a run */
#define FRAME (ETH_HEADER + IP6_HEADER + TCP_HEADER + OPTIONS + MSS)

/* What is put wrong in one segment. */
enum wrong {
	NOTHING,
	SEQ,
	FLAG,
	ACK,
	WINDOW,
	STAMP,
	TTL,
	TOS,
	FRAG,
	MAC,
	PORT,
	ID,
	SUM,
	IP_SUM,
	PADDED,
	EMPTY,
	LONGER,
	WRONGS
};

struct frame {
	u32 i;				/* which segment */
	bool v6, same_id, no_df, linear;
	u8 flags;
	u32 len, step;			/* of the payload; of each before it */
	enum wrong wrong;
};

static u8 frames[MOST][FRAME], cut[FRAME];
static u32 lens[MOST];
static u32 packets;			/* that the last run's segments became */

static void set_sums(u8 *net, bool v6, u32 len)
{
	struct ip4_wire *ip = (struct ip4_wire *)net;
	struct ip6_wire *ip6 = (struct ip6_wire *)net;
	u32 hdr = v6 ? IP6_HEADER : IP4_HEADER, n = len - hdr;
	struct tcp_wire *t = (struct tcp_wire *)(net + hdr);
	u32 pseudo = v6 ? csum_pseudo6(&ip6->src, &ip6->dst, 6, n, 0) :
			  csum_pseudo4(ip->src, ip->dst, 6, n, 0);

	t->csum.v = 0;
	t->csum.v = csum_fold(csum_bytes(t, n, pseudo)) ?: 0xffff;
	if (!v6)
		ip4_set_csum(ip, IP4_HEADER);
}

static void spoil_network(u8 *frame, const struct frame *f)
{
	struct ip4_wire *ip = (struct ip4_wire *)(frame + ETH_HEADER);
	u8 *six = frame + ETH_HEADER;

	if (f->wrong == TTL)
		six[f->v6 ? 7 : 8]--;
	if (f->wrong == TOS)
		six[1] ^= 0x10;
	if (f->wrong == FRAG && !f->v6)
		ip->frag.v ^= be16_make(IP4_DF).v;
	if (f->wrong == FRAG && f->v6)
		six[3] ^= 1;		/* the flow label */
	if (f->wrong == MAC)
		frame[11] ^= 1;
	if (f->wrong == ID)
		ip->id.v ^= be16_make(0x100).v;
}

static void spoil(struct tcp_wire *t, const struct frame *f)
{
	if (f->wrong == SEQ)
		t->seq = be32_make(be32_get(t->seq) + 1);
	if (f->wrong == FLAG)
		t->flags |= TCP_ECE;
	if (f->wrong == ACK)
		t->ack = be32_make(8);
	if (f->wrong == WINDOW)
		t->window = be16_make(5);
	if (f->wrong == STAMP)
		((u8 *)(t + 1))[7]++;
	if (f->wrong == PORT)
		t->src = be16_make(99);
}

/* The bytes of F at AT; how many. */
static u32 write_frame(u8 *at, const struct frame *f)
{
	u32 hdr = f->v6 ? IP6_HEADER : IP4_HEADER, len = hdr + TCP_HEADER + OPTIONS + f->len;
	struct ip4_wire *ip = (struct ip4_wire *)(at + ETH_HEADER);
	struct ip6_wire *ip6 = (struct ip6_wire *)(at + ETH_HEADER);
	struct tcp_wire *t = (struct tcp_wire *)(at + ETH_HEADER + hdr);
	static const u8 options[OPTIONS] = { 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2 };

	memset(at, 0, FRAME);
	memset(at, 2, 2 * ETH_ADDR);
	((struct eth_wire *)at)->type = be16_make(f->v6 ? ETH_P_IPV6 : ETH_P_IP);
	memset(at + ETH_HEADER + (f->v6 ? 8 : 12), 0x42, f->v6 ? 32 : 8);
	if (f->v6) {
		ip6->ver_class_flow = be32_make(0x60012345);
		ip6->payload = be16_make((u16)(len - hdr));
		ip6->next = 6;
		ip6->hops = 9;
	} else {
		*ip = (struct ip4_wire){ .ver_ihl = 0x45,
					 .tos = 4,
					 .ttl = 9,
					 .protocol = 6,
					 .src = ip->src,
					 .dst = ip->dst };
		ip->tot_len = be16_make((u16)len);
		ip->frag = be16_make(f->no_df ? 0 : IP4_DF);
		ip->id = be16_make((u16)(f->same_id ? 7 : 0xfffe + f->i));
	}
	t->src = be16_make(1);
	t->dst = be16_make(2);
	t->seq = be32_make(0xfffff000u + f->i * f->step); /* wraps */
	t->ack = be32_make(7);
	t->off = (TCP_HEADER + OPTIONS) / 4 << 4;
	t->flags = f->flags;
	t->window = be16_make(1234);
	memcpy(t + 1, options, OPTIONS);
	for (u32 i = 0; i < f->len; i++)
		((u8 *)(t + 1))[OPTIONS + i] = (u8)(i ^ i >> 7 ^ f->i);
	spoil_network(at, f);
	spoil(t, f);
	set_sums(at + ETH_HEADER, f->v6, len);
	t->csum.v ^= f->wrong == SUM ? 0x55 : 0;
	if (!f->v6)
		ip->csum.v ^= f->wrong == IP_SUM ? 0x55 : 0;
	return ETH_HEADER + len + (f->wrong == PADDED ? 4 : 0);
}

/* A received packet of the LEN bytes at AT. NULL: no memory. */
static struct packet *receive(const u8 *at, u32 len, const struct frame *f)
{
	u32 hdr = ETH_HEADER + (f->v6 ? IP6_HEADER : IP4_HEADER) + TCP_HEADER + OPTIONS;
	struct packet *p = packet_alloc(GFP_KERNEL);
	struct kvec v;
	struct iter it;

	if (!p)
		return NULL;
	if (f->linear)
		hdr = min_t(u32, len, hdr + 40);
	memcpy(packet_put(p, (u16)hdr), at, hdr);
	v = (struct kvec){ (void *)(at + hdr), len - hdr };
	iter_init_kvec(&it, ITER_SOURCE, &v, 1, v.iov_len);
	if (v.iov_len && packet_from_iter(p, &it, (u32)v.iov_len, GFP_KERNEL)) {
		packet_consume(p);
		return NULL;
	}
	packet_set_mac(p);
	p->protocol = ((const struct eth_wire *)at)->type;
	packet_pull(p, ETH_HEADER);
	return p;
}

/* Q is what frame I was, byte by byte. */
static void check_same(struct ktest_run *__kt, struct packet *q, u32 i)
{
	packet_push(q, ETH_HEADER);
	KT_ASSERT(packet_csum_finish(q));
	KT_EQ(q->len, lens[i]);
	KT_ASSERT(q->len <= FRAME && packet_read(q, 0, cut, q->len));
	KT_ASSERT(!memcmp(cut, frames[i], q->len));
	packet_consume(q);
}

/* The packets of OUT are cut up again: frames 0 .. N - 1 in order. */
static void check_out(struct ktest_run *__kt, struct packet_list *out, u32 n)
{
	struct packet *p;
	u32 at = 0;

	for (packets = 0; (p = packet_list_take(out));) {
		packets++;
		if (!p->gso_size) {
			check_same(__kt, p, at++);
			continue;
		}
		KT_EQ(p->gso_segs, gso_segments(p));
		for (u32 i = 0; i < p->gso_segs; i++) {
			struct packet *q = gso_segment(p, i, GFP_KERNEL);

			KT_ASSERT(q);
			check_same(__kt, q, at++);
		}
		packet_consume(p);
	}
	KT_EQ(at, n);
}

/*
 * One run of N segments as F, of which segment WHICH is wrong; `packets` is how many they become.
 */
static void run_frames(struct ktest_run *__kt, struct frame f, u32 n, u32 which, enum wrong wrong)
{
	struct net_gro g = { .nr = 0 };
	struct packet_list out;

	packet_list_init(&out);
	for (u32 i = 0; i < n; i++) {
		struct frame one = f;
		struct packet *p;

		one.i = i;
		one.step = f.len;
		one.wrong = i == which ? wrong : NOTHING;
		one.len = one.wrong == EMPTY ? 0 : one.wrong == LONGER ? f.len + 1 : f.len;
		lens[i] = write_frame(frames[i], &one);
		p = receive(frames[i], lens[i], &one);
		if (!p)
			break;
		net_gro_add(&g, p, &out);
		if (g.nr > NET_GRO_HELD)
			break;
	}
	net_gro_flush(&g, &out);
	check_out(__kt, &out, n);
}

KTEST(gro_joins)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct frame f = { .v6 = v6, .flags = TCP_ACK, .len = MSS };

		run_frames(__kt, f, 16, MOST, NOTHING);
		KT_EQ(packets, 1);
		f.no_df = true;		/* the identification counts, and wraps */
		run_frames(__kt, f, 16, MOST, NOTHING);
		KT_EQ(packets, 1);
		f.no_df = false;
		f.same_id = true;
		run_frames(__kt, f, 16, MOST, NOTHING);
		KT_EQ(packets, 1);
		f.linear = true;	/* payload lies in the heads */
		run_frames(__kt, f, 8, MOST, NOTHING);
		KT_EQ(packets, 1);
		f.len = 20;
		run_frames(__kt, f, 16, MOST, NOTHING);
		KT_ASSERT(packets < 16);
		f.linear = false;
		f.flags = TCP_ACK | TCP_PSH;	/* each goes at once */
		run_frames(__kt, f, 16, MOST, NOTHING);
		KT_EQ(packets, 16);
	}
}

/* Limits of a packet: all of a long run gets through, in order, in few packets. */
KTEST(gro_limits)
{
	struct frame f = { .flags = TCP_ACK, .len = MSS };

	run_frames(__kt, f, MOST, MOST, NOTHING);
	KT_ASSERT(packets <= MOST / 8);
	f.len = 1;
	run_frames(__kt, f, MOST, MOST, NOTHING);
	KT_ASSERT(packets >= 2);
}

/* A segment that differs is not joined, and comes in its place. */
KTEST(gro_refuses)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct frame f = { .v6 = v6, .flags = TCP_ACK, .len = MSS / 2 };

		for (enum wrong w = NOTHING + 1; w < WRONGS; w++) {
			if ((v6 && (w == ID || w == IP_SUM)) || w == PORT)
				continue;
			run_frames(__kt, f, 6, 3, w);
			KT_ASSERT(packets >= 2 && packets <= 4);
		}
	}
	run_frames(__kt,
		   (struct frame){ .no_df = true, .same_id = true, .flags = TCP_ACK, .len = MSS },
		   4, MOST, NOTHING);
	KT_EQ(packets, 4);
}

/* Of two flows each is joined; of more than are held, the oldest goes. */
KTEST(gro_flows)
{
	struct net_gro g = { .nr = 0 };
	struct packet_list out;
	struct packet *p;

	packet_list_init(&out);
	for (u32 i = 0; i < 3 * (NET_GRO_HELD + 1); i++) {
		struct frame f = { .i = i / (NET_GRO_HELD + 1), .flags = TCP_ACK, .len = 10 };
		struct tcp_wire *t = (struct tcp_wire *)(frames[0] + ETH_HEADER + IP4_HEADER);
		u32 flow = i % (NET_GRO_HELD + 1);

		if (flow == NET_GRO_HELD && f.i != 1)
			continue;	/* comes once, in the middle */
		lens[0] = write_frame(frames[0], &f);
		t->src = be16_make((u16)(100 + flow));
		t->seq = be32_make(f.i * 10);
		set_sums(frames[0] + ETH_HEADER, false, lens[0] - ETH_HEADER);
		p = receive(frames[0], lens[0], &f);
		KT_ASSERT(p);
		net_gro_add(&g, p, &out);
		KT_ASSERT(g.nr <= NET_GRO_HELD);
	}
	/* flow 0 went for the last, then each for the one before it */
	KT_EQ(out.nr, 1 + NET_GRO_HELD);
	net_gro_flush(&g, &out);
	KT_EQ(out.nr, 1 + 2 * NET_GRO_HELD);
	packet_list_free(&out, DROP_NOT_SPECIFIED);
}
