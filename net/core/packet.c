// SPDX-License-Identifier: MIT
/* The life of packets, and their headers: <net/packet.h>. Payload: pieces.c. */
#include <lib/format.h>
#include <lib/string.h>
#include <alloc/page.h>
#include <kernel/bug.h>
#include <kernel/cpumask.h>
#include <kernel/export.h>
#include <kernel/init.h>
#include <kernel/percpu.h>
#include <kernel/show.h>
#include <linux/if_packet.h>
#include "net/core/packet_priv.h"

struct drop_counts {
	u64 n[DROP_REASONS];
};
static DEFINE_PER_CPU(struct drop_counts, drops);

static const char *const drop_names[DROP_REASONS] = {
	[DROP_CONSUMED] = "consumed",
	[DROP_NOT_SPECIFIED] = "not_specified",
	[DROP_NO_SOCKET] = "no_socket",
	[DROP_TOO_SHORT] = "too_short",
	[DROP_BAD_HEADER] = "bad_header",
	[DROP_CSUM] = "checksum",
	[DROP_RCVBUF] = "receive_buffer",
	[DROP_NOMEM] = "no_memory",
	[DROP_FILTER] = "filter",
	[DROP_OTHER_HOST] = "other_host",
	[DROP_NO_PROTOCOL] = "no_protocol",
	[DROP_NO_ROUTE] = "no_route",
	[DROP_MARTIAN] = "martian",
	[DROP_TTL] = "ttl",
	[DROP_FRAG] = "fragment",
	[DROP_NEIGH] = "neighbour",
	[DROP_TX] = "transmit",
	[DROP_DEV_DOWN] = "device_down",
	[DROP_BACKLOG] = "backlog",
	[DROP_TCP] = "tcp",
	[DROP_QUEUE_FLUSH] = "queue_flush",
	[DROP_TOO_BIG] = "too_big",
};

/* What a packet says of itself, cb included, lies together: it is zeroed, or copied, as one. */
#define ABOUT_BYTES (offsetof(struct packet, pieces) - offsetof(struct packet, dev))
_Static_assert(offsetof(struct packet, pieces) ==
		       offsetof(struct packet, cb) + sizeof_field(struct packet, cb),
	       "cb is the last of it");

/* All but the list, the pieces and the bytes, as a packet has it that was just made. */
static void reset(struct packet *p)
{
	memset(&p->dev, 0, ABOUT_BYTES);
	p->truesize = sizeof(*p);
	p->data = PACKET_HEADROOM;
	p->mac_at = p->net_at = p->transport_at = PACKET_NO_HEADER;
	p->pkt_type = PACKET_HOST;
}

struct packet *packet_alloc(gfp_t gfp)
{
	struct packet *p = packet_head_get(gfp);

	if (likely(p))
		reset(p);
	return p;
}

/* Where what is worth a copy begins in buf. */
static u16 first_byte(const struct packet *p)
{
	u16 at = p->data;

	if (p->mac_at < at)
		at = p->mac_at;
	if (p->net_at < at)
		at = p->net_at;
	return p->transport_at < at ? p->transport_at : at;
}

static struct packet *copy_head(const struct packet *p, gfp_t gfp)
{
	struct packet *n = packet_head_get(gfp);
	u16 at = first_byte(p);

	if (unlikely(!n))
		return NULL;
	memcpy(&n->dev, &p->dev, ABOUT_BYTES);
	memcpy(n->buf + at, p->buf + at, (size_t)(p->data + p->linear - at));
	n->sk = NULL;
	n->uncharge = NULL;
	return n;
}

struct packet *packet_clone_front(const struct packet *p, u16 hdr, gfp_t gfp)
{
	struct packet *n = copy_head(p, gfp);

	if (!n)
		return NULL;
	DEBUG_ON(hdr > p->linear);
	n->nr_pieces = 0;
	n->linear = hdr;
	n->len = hdr;
	n->truesize = sizeof(*n);
	return n;
}

struct packet *packet_clone(const struct packet *p, gfp_t gfp)
{
	struct packet *n = copy_head(p, gfp);

	if (!n)
		return NULL;
	for (unsigned int i = 0; i < p->nr_pieces; i++) {
		n->pieces[i] = p->pieces[i];
		get_page(n->pieces[i].page);
	}
	return n;
}
EXPORT(packet_clone);

struct packet *packet_copy(const struct packet *p, gfp_t gfp)
{
	struct packet *n = copy_head(p, gfp);
	struct kvec v[PACKET_PIECES];
	struct iter it;

	if (!n)
		return NULL;
	n->nr_pieces = 0;
	n->len = n->linear;
	n->truesize = sizeof(*n);
	for (unsigned int i = 0; i < p->nr_pieces; i++) {
		const struct packet_piece *from = &p->pieces[i];

		v[i] = (struct kvec){ (u8 *)page_address(from->page) + from->off, from->len };
	}
	/* In one go, so that the pieces have no room between them. */
	iter_init_kvec(&it, ITER_SOURCE, v, p->nr_pieces, p->len - p->linear);
	if (p->nr_pieces && packet_from_iter(n, &it, p->len - p->linear, gfp)) {
		packet_free(n, DROP_NOMEM);
		return NULL;
	}
	return n;
}

bool packet_compact(struct packet *p, gfp_t gfp)
{
	struct packet *c = packet_copy(p, gfp);

	if (!c)
		return false;
	DEBUG_ON(p->uncharge);
	packet_drop_pieces(p, 0);
	memcpy(p->pieces, c->pieces, c->nr_pieces * sizeof(p->pieces[0]));
	p->nr_pieces = c->nr_pieces;
	p->len = c->len;
	p->truesize = c->truesize;
	c->nr_pieces = 0;		/* they are P's */
	packet_consume(c);
	return true;
}

void packet_orphan(struct packet *p)
{
	void (*uncharge)(struct packet *p) = p->uncharge;

	if (!uncharge)
		return;
	p->uncharge = NULL;
	uncharge(p);
	p->sk = NULL;
}

void packet_consume(struct packet *p)
{
	if (!p)
		return;
	packet_orphan(p);
	if (p->nr_pieces)
		packet_drop_pieces(p, 0);
	packet_head_put(p);
}
EXPORT(packet_consume);

void packet_free(struct packet *p, enum drop_reason reason)
{
	if (!p)
		return;
	this_cpu_inc(drops.n[reason]);
	packet_consume(p);
}
EXPORT(packet_free);

void packet_list_free(struct packet_list *l, enum drop_reason reason)
{
	struct packet *p;

	while ((p = packet_list_take(l)))
		packet_free(p, reason);
}

u8 *packet_push(struct packet *p, u16 n)
{
	BUG_ON(n > p->data);
	p->data = (u16)(p->data - n);
	p->linear = (u16)(p->linear + n);
	p->len += n;
	return packet_data(p);
}
EXPORT(packet_push);

u8 *packet_pull(struct packet *p, u16 n)
{
	BUG_ON(n > p->linear);
	p->data = (u16)(p->data + n);
	p->linear = (u16)(p->linear - n);
	p->len -= n;
	return packet_data(p);
}

u8 *packet_put(struct packet *p, u16 n)
{
	u8 *at = packet_data(p) + p->linear;

	if (p->nr_pieces || n > packet_tailroom(p))
		return NULL;
	p->linear = (u16)(p->linear + n);
	p->len += n;
	return at;
}

bool packet_want_tailroom(struct packet *p, u16 n)
{
	DEBUG_ON(p->len);
	if (n > PACKET_BUF)
		return false;
	if (n > packet_tailroom(p))
		p->data = (u16)(PACKET_BUF - n);
	return true;
}

static void move_at(u16 *at, int by)
{
	if (*at != PACKET_NO_HEADER)
		*at = (u16)(*at + by);
}

bool packet_want_headroom(struct packet *p, u16 n)
{
	u16 at = first_byte(p), end = (u16)(p->data + p->linear);
	int by = n - p->data;

	if (by <= 0)
		return true;
	if (by > PACKET_BUF - end) {
		if (n > PACKET_HEADERS_MOST || !packet_spill(p, (u16)(by - (PACKET_BUF - end))))
			return false;
		end = (u16)(p->data + p->linear);
	}
	memmove(p->buf + at + by, p->buf + at, (size_t)(end - at));
	p->data = (u16)(p->data + by);
	p->csum_start = (u16)(p->csum_start + by);
	move_at(&p->mac_at, by);
	move_at(&p->net_at, by);
	move_at(&p->transport_at, by);
	return true;
}

static ssize_t show_drops(struct show_node *n, char *buf, size_t size)
{
	int len = 0;

	for (unsigned int r = DROP_NOT_SPECIFIED; r < DROP_REASONS; r++) {
		unsigned int cpu;
		u64 sum = 0;

		for_each_possible_cpu(cpu)
			sum += per_cpu(drops, cpu).n[r];
		len += scnprintf(buf + len, size - (size_t)len, "%s %llu\n", drop_names[r], sum);
	}
	return len;
}

static int drops_init(void)
{
	show_attr(show_path(SHOW_DEBUG, "net"), "drops", 0444, show_drops, NULL, NULL);
	return 0;
}
INITCALL(fs, drops_init);
