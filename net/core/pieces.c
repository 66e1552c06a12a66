// SPDX-License-Identifier: MIT
/*
 * The bytes of packets: those in the head, then the pieces one after the other. Each function here
 * walks them by struct span, which is never longer than PACKET_PIECES + 1 steps.
 *
 * A piece counts in truesize for its share, which is kept nowhere: it is what packet_share() makes
 * of the length that it was added with. So a piece that loses bytes keeps its charge, and
 * packet_drop_pieces() takes off all that the head does not count for.
 */
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/page.h>
#include <kernel/bug.h>
#include <kernel/export.h>
#include <mm/folio.h>
#include <abi/errno.h>
#include "net/core/packet_priv.h"
#include "net/wire/csum.h"

static u8 *piece_at(const struct packet_piece *f)
{
	return (u8 *)page_address(f->page) + f->off;
}

/* The I-th block of P: its first byte and *LEN; 0 is the linear one. */
static u8 *span(const struct packet *p, unsigned int i, u32 *len)
{
	if (!i) {
		*len = p->linear;
		return (u8 *)p->buf + p->data;
	}
	*len = p->pieces[i - 1].len;
	return piece_at(&p->pieces[i - 1]);
}

/*
 * For each block of the LEN bytes from OFF on: AT, N bytes. The walker sees to it that there are as
 * many.
 */
#define for_each_span(p, off, len, at, n)								\
	for (u32 __i = 0, __off = (off), __left = (len), __all; __left && __i <= (p)->nr_pieces; __i++)	\
		if (((at) = span(p, __i, &__all), __off >= __all) ? (__off -= __all, false) :		\
		    ((n) = min(__all - __off, __left), (at) += __off, __off = 0, __left -= (n), true))

static bool has(const struct packet *p, u32 off, u32 len)
{
	return off <= p->len && len <= p->len - off;
}

bool packet_read(const struct packet *p, u32 off, void *to, u32 len)
{
	u8 *at, *out = to;
	u32 n;

	if (!has(p, off, len))
		return false;
	for_each_span(p, off, len, at, n) {
		memcpy(out, at, n);
		out += n;
	}
	return true;
}

bool packet_write(struct packet *p, u32 off, const void *from, u32 len)
{
	const u8 *in = from;
	u8 *at;
	u32 n;

	if (!has(p, off, len))
		return false;
	for_each_span(p, off, len, at, n) {
		memcpy(at, in, n);
		in += n;
	}
	return true;
}

int packet_to_iter(const struct packet *p, u32 off, struct iter *to, u32 len)
{
	u8 *at;
	u32 n;

	if (WARN_ON(!has(p, off, len)))
		return -EFAULT;
	for_each_span(p, off, len, at, n) {
		if (copy_to_iter(at, n, to) != n)
			return -EFAULT;
	}
	return 0;
}

u32 packet_sum(const struct packet *p, u32 off, u32 len, u32 sum)
{
	u32 done = 0, n;
	u8 *at;

	if (WARN_ON(!has(p, off, len)))
		return sum;
	for_each_span(p, off, len, at, n) {
		sum = csum_add_at(sum, csum_bytes(at, n, 0), done);
		done += n;
	}
	return sum;
}

bool packet_csum_finish(struct packet *p)
{
	u32 start = p->csum_start - p->data, field = p->csum_start + p->csum_off;
	u16 v;

	if (p->csum_state != PACKET_CSUM_PARTIAL)
		return true;
	if (p->csum_start < p->data || field + sizeof(v) > (u32)p->data + p->linear)
		return false;
	v = csum_fold(packet_sum(p, start, p->len - start, 0)) ?: 0xffff;
	memcpy(p->buf + field, &v, sizeof(v));
	p->csum_state = PACKET_CSUM_NONE;
	return true;
}

/* ---- growing ---- */

bool packet_add_piece(struct packet *p, struct page *page, u32 off, u32 len, u32 share)
{
	struct packet_piece *last = p->nr_pieces ? &p->pieces[p->nr_pieces - 1] : NULL;

	if (last && last->page == page && last->off + last->len == off) {
		last->len += len;
		put_page(page);
	} else {
		if (p->nr_pieces == PACKET_PIECES)
			return false;
		p->pieces[p->nr_pieces++] = (struct packet_piece){ page, off, len };
	}
	p->len += len;
	p->truesize += share;
	return true;
}

/* How many pieces of P hold the LEN bytes from OFF on, which are behind the linear ones. */
static unsigned int pieces_of(const struct packet *p, u32 off, u32 len)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < p->nr_pieces && len; i++) {
		u32 all = p->pieces[i].len;

		if (off >= all) {
			off -= all;
			continue;
		}
		len -= min(len, all - off);
		off = 0;
		n++;
	}
	return n;
}

static void share_pieces(struct packet *p, const struct packet *from, u32 off, u32 len)
{
	for (unsigned int i = 0; i < from->nr_pieces && len; i++) {
		const struct packet_piece *f = &from->pieces[i];
		u32 n;

		if (off >= f->len) {
			off -= f->len;
			continue;
		}
		n = min(len, f->len - off);
		get_page(f->page);
		BUG_ON(!packet_add_piece(p, f->page, f->off + off, n, packet_share(n)));
		len -= n;
		off = 0;
	}
}

bool packet_append(struct packet *p, const struct packet *from, u32 off, u32 len)
{
	u32 here = off < from->linear ? min_t(u32, from->linear - off, len) : 0,
	    at = here || off < from->linear ? 0 : off - from->linear;
	u8 *to;

	if (!has(from, off, len) || p->nr_pieces + pieces_of(from, at, len - here) > PACKET_PIECES)
		return false;
	if (here) {
		to = packet_put(p, (u16)here);
		if (!to)
			return false;
		memcpy(to, from->buf + from->data + off, here);
	}
	share_pieces(p, from, at, len - here);
	return true;
}

static int linear_from_iter(struct packet *p, struct iter *from, u32 len)
{
	if (!copy_from_iter_full(packet_data(p) + p->linear, len, from))
		return -EFAULT;
	p->linear = (u16)(p->linear + len);
	p->len += len;
	return 0;
}

/* What a packet was before bytes were added to it. */
struct mark {
	u32 len, truesize, last_len;
	u8 nr_pieces;
};

static void back_to(struct packet *p, const struct mark *m)
{
	while (p->nr_pieces > m->nr_pieces)
		put_page(p->pieces[--p->nr_pieces].page);
	if (p->nr_pieces)
		p->pieces[p->nr_pieces - 1].len = m->last_len;
	p->len = m->len;
	p->truesize = m->truesize;
}

int packet_from_iter(struct packet *p, struct iter *from, u32 len, gfp_t gfp)
{
	struct mark m = { p->len, p->truesize, p->nr_pieces ? p->pieces[p->nr_pieces - 1].len : 0,
			  p->nr_pieces };
	u32 done = 0;
	int err = 0;

	if (!p->nr_pieces && len <= packet_tailroom(p))
		return linear_from_iter(p, from, len);
	while (done < len && !err) {
		u32 off, n;
		size_t got;
		struct page *page = packet_share_get(len - done, &off, &n, gfp);

		if (!page) {
			err = -ENOMEM;
			break;
		}
		got = copy_from_iter((u8 *)page_address(page) + off, n, from);
		done += (u32)got;
		if (got != n)
			err = -EFAULT;
		else if (!packet_add_piece(p, page, off, n, packet_share(n)))
			err = -EMSGSIZE;
		if (err)
			put_page(page);
	}
	if (err) {
		iter_revert(from, done);
		back_to(p, &m);
	}
	return err;
}

bool packet_join(struct packet *p, struct packet *from, u32 off, gfp_t gfp)
{
	struct kvec v = { from->buf + from->data + off, from->linear - off };
	u32 share = from->truesize > sizeof(*from) ? from->truesize - (u32)sizeof(*from) : 0;
	struct iter it;

	DEBUG_ON(off > from->linear || from->uncharge);
	/* two for linear bytes that end in the next block */
	if (p->nr_pieces + from->nr_pieces + (v.iov_len ? 2 : 0) > PACKET_PIECES)
		return false;
	iter_init_kvec(&it, ITER_SOURCE, &v, 1, v.iov_len);
	if (v.iov_len && packet_from_iter(p, &it, (u32)v.iov_len, gfp))
		return false;
	for (unsigned int i = 0; i < from->nr_pieces; i++) {
		const struct packet_piece *f = &from->pieces[i];

		BUG_ON(!packet_add_piece(p, f->page, f->off, f->len, i ? 0 : share));
	}
	from->nr_pieces = 0;		/* they are P's */
	packet_consume(from);
	return true;
}

#define HEADERS_KEPT 120		/* linear bytes: the longest headers of IPv4 and TCP */

bool packet_spill(struct packet *p, u16 n)
{
	struct page *page;
	u32 off, len;

	if (!n)
		return true;
	if (p->linear < n + HEADERS_KEPT || p->nr_pieces == PACKET_PIECES)
		return false;
	/* What is left of the block may be too short; the next one is not. */
	page = packet_share_get(n, &off, &len, GFP_ATOMIC);
	if (page && len < n) {
		put_page(page);
		page = packet_share_get(n, &off, &len, GFP_ATOMIC);
	}
	if (!page)
		return false;
	p->linear = (u16)(p->linear - n);
	memcpy((u8 *)page_address(page) + off, packet_data(p) + p->linear, n);
	memmove(p->pieces + 1, p->pieces, p->nr_pieces * sizeof(p->pieces[0]));
	p->pieces[0] = (struct packet_piece){ page, off, n };
	p->nr_pieces++;
	return true;
}

/* ---- shrinking ---- */

void packet_drop_pieces(struct packet *p, unsigned int keep)
{
	while (p->nr_pieces > keep) {
		struct packet_piece *f = &p->pieces[--p->nr_pieces];

		p->len -= f->len;
		put_page(f->page);
	}
}

void packet_trim(struct packet *p, u32 len)
{
	if (len >= p->len)
		return;
	while (p->nr_pieces && p->len - p->pieces[p->nr_pieces - 1].len >= len)
		packet_drop_pieces(p, p->nr_pieces - 1u);
	if (p->len == len)
		return;
	if (p->nr_pieces)
		p->pieces[p->nr_pieces - 1].len -= p->len - len;
	else
		p->linear = (u16)len;
	p->len = len;
}

/* N bytes off the front of the pieces, which have as many. */
static void pieces_drop_front(struct packet *p, u32 n)
{
	unsigned int gone = 0;

	p->len -= n;
	while (gone < p->nr_pieces && n >= p->pieces[gone].len) {
		n -= p->pieces[gone].len;
		put_page(p->pieces[gone++].page);
	}
	if (gone) {
		p->nr_pieces = (u8)(p->nr_pieces - gone);
		memmove(p->pieces, p->pieces + gone, p->nr_pieces * sizeof(p->pieces[0]));
	}
	if (n) {
		p->pieces[0].off += n;
		p->pieces[0].len -= n;
	}
}

void packet_drop_front(struct packet *p, u32 n)
{
	u32 here = min_t(u32, n, p->linear);

	BUG_ON(n > p->len);
	packet_pull(p, (u16)here);
	if (n > here)
		pieces_drop_front(p, n - here);
}

bool packet_need(struct packet *p, u16 n)
{
	u32 more;

	if (likely(n <= p->linear))
		return true;
	more = (u32)n - p->linear;
	if (n > p->len || more > packet_tailroom(p))
		return false;
	if (!packet_read(p, p->linear, packet_data(p) + p->linear, more))
		return false;
	pieces_drop_front(p, more);
	p->linear = n;
	p->len += more;
	return true;
}
EXPORT(packet_need);
