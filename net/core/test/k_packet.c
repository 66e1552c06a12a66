// SPDX-License-Identifier: MIT
/* Packets: bytes in head and pieces, clones that share, sums, recycling. */
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/page.h>
#include <alloc/slab.h>
#include <kernel/ktest.h>
#include <net/packet.h>
#include <abi/errno.h>
#include "net/wire/csum.h"

static void fill(u8 *b, size_t n, unsigned int seed)
{
	for (size_t i = 0; i < n; i++)
		b[i] = (u8)(i * 7 + seed + (i >> 8));
}

static struct packet *with(const u8 *b, u32 n)
{
	struct kvec v = { (void *)b, n };
	struct packet *p = packet_alloc(GFP_KERNEL);
	struct iter it;

	iter_init_kvec(&it, ITER_SOURCE, &v, 1, n);
	if (p && packet_from_iter(p, &it, n, GFP_KERNEL)) {
		packet_consume(p);
		return NULL;
	}
	return p;
}

static bool holds(const struct packet *p, const u8 *b, u32 n, u8 *room)
{
	return p->len == n && packet_read(p, 0, room, n) && !memcmp(room, b, n);
}

KTEST(packet_bytes)
{
	static const u32 sizes[] = { 0, 1, 100, 160, 161, 1000, 5000, 65535 };
	u8 *b = kvmalloc(65536, GFP_KERNEL), *room = kvmalloc(65536, GFP_KERNEL);

	KT_ASSERT(b && room);
	fill(b, 65536, 3);
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		u32 n = sizes[i], cut = n / 3;
		struct packet *p = with(b, n), *c, *d;

		KT_ASSERT(p && holds(p, b, n, room));
		KT_ASSERT(p->truesize >= sizeof(*p) + (p->nr_pieces ? n : 0));
		c = packet_clone(p, GFP_ATOMIC);
		d = packet_copy(p, GFP_KERNEL);
		KT_ASSERT(c && d);
		packet_drop_front(p, cut);
		KT_ASSERT(holds(p, b + cut, n - cut, room));
		packet_trim(p, (n - cut) / 2);
		KT_ASSERT(holds(p, b + cut, (n - cut) / 2, room));
		packet_consume(p);
		KT_ASSERT(holds(c, b, n, room) && holds(d, b, n, room));
		KT_EQ(csum_fold(packet_sum(c, 0, n, 0)), csum_fold(csum_bytes(b, n, 0)));
		packet_consume(c);
		KT_EQ(csum_fold(packet_sum(d, cut, n - cut, 0)),
		      csum_fold(csum_bytes(b + cut, n - cut, 0)));
		packet_consume(d);
	}
	kvfree(b);
	kvfree(room);
}

KTEST(packet_too_many_bytes)
{
	u8 *b = kvmalloc(1 << 20, GFP_KERNEL);
	struct kvec v = { b, 1 << 20 };
	struct packet *p = packet_alloc(GFP_KERNEL);
	struct iter it;

	KT_ASSERT(b && p);
	memset(b, 1, 1 << 20);
	iter_init_kvec(&it, ITER_SOURCE, &v, 1, 1 << 20);
	KT_EQ(packet_from_iter(p, &it, 1 << 20, GFP_KERNEL), -EMSGSIZE);
	KT_EQ(p->len, 0);
	KT_EQ(p->nr_pieces, 0);
	KT_EQ(p->truesize, sizeof(*p));
	KT_EQ(iter_count(&it), 1 << 20);
	packet_consume(p);
	kvfree(b);
}

KTEST(packet_headers)
{
	u8 b[300];
	struct packet *p;

	fill(b, sizeof(b), 9);
	p = with(b, sizeof(b));
	KT_ASSERT(p && p->nr_pieces && !p->linear);
	KT_ASSERT(packet_need(p, 60));
	KT_ASSERT(p->linear == 60 && p->len == 300 && !memcmp(packet_data(p), b, 60));
	KT_ASSERT(!packet_need(p, 200));
	packet_set_net(p);
	packet_pull(p, 20);
	packet_set_transport(p);
	packet_push(p, 20);
	memset(packet_push(p, 8), 0, 8);
	KT_ASSERT(packet_want_headroom(p, PACKET_HEADROOM + 60));
	KT_ASSERT(!packet_want_headroom(p, PACKET_BUF));
	KT_ASSERT(!memcmp(packet_net(p), b, 60) && packet_transport(p) == packet_net(p) + 20);
	p->csum_state = PACKET_CSUM_PARTIAL;
	p->csum_start = p->transport_at;
	p->csum_off = 4;
	memset(packet_transport(p) + 4, 0, 2);
	KT_ASSERT(packet_csum_finish(p));
	KT_EQ(csum_fold(packet_sum(p, 28, p->len - 28, 0)), 0);
	p->csum_state = PACKET_CSUM_PARTIAL;
	p->csum_off = 200;
	KT_ASSERT(!packet_csum_finish(p));
	packet_consume(p);
}

/* A piece that is added behind the one before it in the same page makes it longer. */
KTEST(packet_pieces_join)
{
	struct packet *p = packet_alloc(GFP_KERNEL);
	struct page *page = alloc_page(GFP_KERNEL);

	KT_ASSERT(p && page);
	get_page(page);
	KT_ASSERT(packet_add_piece(p, page, 0, 100, 128) && packet_add_piece(p, page, 100, 50, 64));
	KT_EQ(p->nr_pieces, 1);
	KT_EQ(p->len, 150);
	KT_EQ(page_ref_count(page), 1);
	packet_consume(p);
}
