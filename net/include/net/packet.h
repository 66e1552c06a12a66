/* SPDX-License-Identifier: MIT */
/*
 * Packets. A packet is a small head, with the headers and short payloads in the object itself, and
 * a list of page pieces with the rest of the payload. Pieces are counted: a clone has a head of its
 * own (the headers are copied) and shares the pieces, so that TCP can send a segment again, and a
 * tap can look at one, without copying payload.
 *
 * buf: [ headroom | linear bytes: data .. data + linear | tailroom ], then pieces 0 .. nr_pieces -
 * 1 len = linear + the lengths of all pieces
 *
 * Life: packet_alloc(), then push/put/add_piece, then one owner after the other; the last one calls
 * packet_free() with the reason for the drop, or packet_consume() when the packet did its work. A
 * packet has one owner at a time and is in one list.
 *
 * Accounting: truesize is all that the packet holds: its head, and each piece's whole share of its
 * page. A socket that a packet is charged to is packet->sk; packet->uncharge() gives the charge
 * back and is called once, by packet_orphan().
 *
 * Nothing here sleeps unless its GFP flags say so. No function here is for hard interrupts.
 */
#pragma once

#include <lib/byteorder.h>
#include <lib/list.h>
#include <alloc/gfp.h>
#include <mm/iter.h>

struct netdev;
struct page;
struct sock;

#define PACKET_BUF 256			/* bytes of the head for headers and short payloads */
/* of these before the first byte of a packet that packet_alloc() makes: link, IP, options */
#define PACKET_HEADROOM 96
/* the most that packet_want_headroom() makes by moving payload to a piece */
#define PACKET_HEADERS_MOST 128
#define PACKET_PIECES 17		/* 64 KiB from pages of 4 KiB, anyhow aligned */
#define PACKET_CB 64

struct packet_piece {
	struct page *page;		/* referenced */
	u32 off, len;
};

/* What is known of the checksum of the bytes from csum_start on. */
enum packet_csum {
	PACKET_CSUM_NONE,		/* in: not checked yet. out: complete in the bytes */
	PACKET_CSUM_VERIFIED,		/* in: the device, or the machine itself, vouches for it */
	PACKET_CSUM_COMPLETE,  /* in: csum is the sum of all bytes from the network header on */
	/* out: the sum of the pseudo header is in place; whoever sends it adds the rest */
	PACKET_CSUM_PARTIAL,
};

/* PACKET_HOST and its like: to whom the link layer addressed a packet, <linux/if_packet.h>. */

enum drop_reason {
	DROP_CONSUMED,			/* not a drop */
	DROP_NOT_SPECIFIED,
	DROP_NO_SOCKET,
	DROP_TOO_SHORT,
	DROP_BAD_HEADER,
	DROP_CSUM,
	DROP_RCVBUF,
	DROP_NOMEM,
	DROP_FILTER,
	DROP_OTHER_HOST,
	DROP_NO_PROTOCOL,
	DROP_NO_ROUTE,
	DROP_MARTIAN,
	DROP_TTL,
	DROP_FRAG,
	DROP_NEIGH,
	DROP_TX,
	DROP_DEV_DOWN,
	DROP_BACKLOG,
	DROP_TCP,
	DROP_QUEUE_FLUSH,
	DROP_TOO_BIG,
	DROP_REASONS
};

struct packet {
	struct list_head list;		/* the lock of the list it is in */
	struct netdev *dev; /* came in by, or goes out by; no reference: see netdev.h, Life */
	struct sock *sk;		/* charged to, or NULL */
	void (*uncharge)(struct packet *p);
	u64 tstamp_ns;			/* CLOCK_REALTIME when it was received; 0: not recorded */
	u32 len;
	u32 truesize;
	u16 data;			/* offset in buf */
	u16 linear;			/* bytes of buf from data on */
	/* offsets in buf of the headers; PACKET_NO_HEADER: not known */
	u16 mac_at, net_at, transport_at;
	u16 csum_start;			/* PARTIAL: offset in buf where the sum begins */
	u16 csum_off;			/* PARTIAL: where it goes, from csum_start */
	u8 csum_state;			/* enum packet_csum */
	u8 pkt_type;			/* PACKET_HOST ... */
	u8 nr_pieces;
	/* made here and to be received here: RTN_* of its destination; 0: to be looked up */
	u8 routed;
	be16 protocol;			/* ETH_P_*: of what is behind the link header */
	u16 queue;			/* receive queue, or chosen send queue */
	/* <net/gso.h>: payload of each segment of a super-packet, and how many; 0: it is none */
	u16 gso_size, gso_segs;
	u8 gso_type;			/* GSO_*; meaningless without gso_size */
	u8 ecn;	/* out: bits for the IP header, beside those of the socket */
	u32 csum;			/* COMPLETE: folded on use */
	u32 hash;			/* of the flow; 0: not known */
	u32 mark, priority;
	u32 iif;			/* index of the device that it came in by; 0: made here */
	u32 napi_id;
	/* of the layer that owns the packet now; never stale: zeroed in a new one, else copied */
	u8 cb[PACKET_CB] __aligned(8);
	struct packet_piece pieces[PACKET_PIECES];
	u8 buf[PACKET_BUF] __aligned(8);
};

#define PACKET_NO_HEADER 0xffff

/* A list with its length; its owner brings the lock. */
struct packet_list {
	struct list_head head;
	u32 nr;
	u32 bytes;			/* truesize of all */
};

/*
 * An empty packet with PACKET_HEADROOM bytes of headroom and a zeroed cb. Recycled per CPU. NULL
 * without memory; GFP_ATOMIC does not sleep.
 */
struct packet *packet_alloc(gfp_t gfp) __must_check;
/*
 * A packet with the same bytes and cb, that shares P's pieces; not charged to anybody, in no list.
 */
struct packet *packet_clone(const struct packet *p, gfp_t gfp) __must_check;
/*
 * A packet of P's first HDR bytes, which are linear, at the same place of buf, with what is known
 * of P. packet_append() may follow.
 */
struct packet *packet_clone_front(const struct packet *p, u16 hdr, gfp_t gfp) __must_check;
/* A packet with the same bytes and nothing shared: for code that changes payload. */
struct packet *packet_copy(const struct packet *p, gfp_t gfp) __must_check;
/*
 * P's pieces, which many pages hold, become few, by copying; P is charged to nobody. False: no
 * memory.
 */
bool packet_compact(struct packet *p, gfp_t gfp) __must_check;
/* The end of P: counted and traced as a drop for REASON (not DROP_CONSUMED). P may be NULL. */
void packet_free(struct packet *p, enum drop_reason reason);
/* The end of P, which has done its work. P may be NULL. */
void packet_consume(struct packet *p);
/* P is charged to no socket any more. */
void packet_orphan(struct packet *p);

static inline u8 *packet_data(struct packet *p)
{
	return p->buf + p->data;
}

static inline u8 *packet_mac(struct packet *p)
{
	return p->buf + p->mac_at;
}

static inline u8 *packet_net(struct packet *p)
{
	return p->buf + p->net_at;
}

static inline u8 *packet_transport(struct packet *p)
{
	return p->buf + p->transport_at;
}

static inline u16 packet_headroom(const struct packet *p)
{
	return p->data;
}

static inline u16 packet_tailroom(const struct packet *p)
{
	return (u16)(PACKET_BUF - p->data - p->linear);
}

static inline void packet_set_mac(struct packet *p)
{
	p->mac_at = p->data;
}

static inline void packet_set_net(struct packet *p)
{
	p->net_at = p->data;
}

static inline void packet_set_transport(struct packet *p)
{
	p->transport_at = p->data;
}

/*
 * N bytes more before the data; the new first byte. Room must be there (asserted):
 * packet_want_headroom() makes it.
 */
u8 *packet_push(struct packet *p, u16 n);
/*
 * The first N bytes, which must be linear (packet_need()), are no part of the packet any more; the
 * new first byte.
 */
u8 *packet_pull(struct packet *p, u16 n);
/*
 * N bytes more after the linear ones, of a packet without pieces; the first of them. NULL: no
 * tailroom, which an empty packet has for N up to PACKET_BUF - PACKET_HEADROOM.
 */
u8 *packet_put(struct packet *p, u16 n) __must_check;
/*
 * Tailroom for N bytes in an empty packet, at the cost of its headroom. False: N is more than
 * PACKET_BUF.
 */
bool packet_want_tailroom(struct packet *p, u16 n) __must_check;
/*
 * Makes the first N bytes linear, by copying from the pieces. False: there are not so many, or N is
 * more than fits behind the headroom.
 */
bool packet_need(struct packet *p, u16 n) __must_check;
/*
 * At least N bytes of headroom, by moving the linear bytes, and the last of them to a piece where
 * they do not fit. False: no room, or no memory for that.
 */
bool packet_want_headroom(struct packet *p, u16 n) __must_check;
/*
 * PAGE's bytes are added at the end; the packet takes over the caller's reference. SHARE: what the
 * piece counts for in truesize. False: no room.
 */
bool packet_add_piece(struct packet *p, struct page *page, u32 off, u32 len, u32 share)
	__must_check;
/*
 * LEN bytes of FROM from OFF on are added at the end of P, and share FROM's pages; linear ones are
 * copied. False, with P as it was: there are not so many, linear ones would lie behind a piece, or
 * there is no room.
 */
bool packet_append(struct packet *p, const struct packet *from, u32 off, u32 len) __must_check;
/*
 * FROM's bytes from OFF on, which its linear ones reach, are added at the end of P, which takes
 * over FROM's pieces; linear ones are copied. True: FROM is gone. False, with both as they were: no
 * memory, or no room.
 */
bool packet_join(struct packet *p, struct packet *from, u32 off, gfp_t gfp) __must_check;
/* The packet is cut to LEN bytes (not longer than it is). */
void packet_trim(struct packet *p, u32 len);
/*
 * The first N bytes, linear or not, are no part of the packet any more. For payload: headers are
 * pulled by packet_pull().
 */
void packet_drop_front(struct packet *p, u32 n);

/* LEN bytes from OFF on. False: there are not so many. */
bool packet_read(const struct packet *p, u32 off, void *to, u32 len) __must_check;
bool packet_write(struct packet *p, u32 off, const void *from, u32 len) __must_check;
/* To user or kernel memory: 0, or -EFAULT (some of it may have been copied). */
int packet_to_iter(const struct packet *p, u32 off, struct iter *to, u32 len) __must_check;
/*
 * LEN bytes of FROM are added behind what is there: into the tailroom if they fit there and no
 * piece is there yet, else into pages of the per-CPU page share. 0, -EFAULT, -ENOMEM, -EMSGSIZE
 * (too many pieces); on failure the packet is as it was. May sleep unless GFP is atomic.
 */
int packet_from_iter(struct packet *p, struct iter *from, u32 len, gfp_t gfp) __must_check;
/* The ones' complement sum of LEN bytes from OFF on, added to SUM; not folded. */
u32 packet_sum(const struct packet *p, u32 off, u32 len, u32 sum);
/*
 * PARTIAL becomes NONE: the sum is computed and stored. False: the packet is not what csum_start
 * and csum_off say.
 */
bool packet_csum_finish(struct packet *p) __must_check;

static inline void packet_list_init(struct packet_list *l)
{
	INIT_LIST_HEAD(&l->head);
	l->nr = l->bytes = 0;
}

static inline bool packet_list_empty(const struct packet_list *l)
{
	return !l->nr;
}

static inline void packet_list_add(struct packet_list *l, struct packet *p)
{
	list_add_tail(&p->list, &l->head);
	l->nr++;
	l->bytes += p->truesize;
}

static inline struct packet *packet_list_first(struct packet_list *l)
{
	return list_first_entry_or_null(&l->head, struct packet, list);
}

static inline void packet_list_del(struct packet_list *l, struct packet *p)
{
	list_del(&p->list);
	l->nr--;
	l->bytes -= p->truesize;
}

static inline struct packet *packet_list_take(struct packet_list *l)
{
	struct packet *p = packet_list_first(l);

	if (p)
		packet_list_del(l, p);
	return p;
}

/* All of FROM, which is empty then, becomes TO's. FROM's lock is held. */
static inline void packet_list_move(struct packet_list *to, struct packet_list *from)
{
	packet_list_init(to);
	list_splice_tail_init(&from->head, &to->head);
	to->nr = from->nr;
	to->bytes = from->bytes;
	from->nr = from->bytes = 0;
}

/* Frees all of L, some at a time; the caller alone uses L. */
void packet_list_free(struct packet_list *l, enum drop_reason reason);
