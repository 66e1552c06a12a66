// SPDX-License-Identifier: MIT
/* TCP headers and options. */
#include <lib/string.h>
#include "net/wire/tcp.h"

#define OPT_END 0
#define OPT_NOP 1
#define OPT_MSS 2
#define OPT_WSCALE 3
#define OPT_SACK_OK 4
#define OPT_SACK 5
#define OPT_TS 8
#define MOST_SHIFT 14		/* RFC 7323, 2.3 */

static u16 get16(const u8 *p)
{
	return (u16)(p[0] << 8 | p[1]);
}

static u32 get32(const u8 *p)
{
	return (u32)get16(p) << 16 | get16(p + 2);
}

static u8 *put32(u8 *p, u32 v)
{
	be32 w = be32_make(v);

	memcpy(p, &w, sizeof(w));
	return p + sizeof(w);
}

u32 tcp_header_len(const u8 *p, u32 linear, u32 len)
{
	u32 hdr;

	if (linear < TCP_HEADER)
		return 0;
	hdr = (u32)(p[12] >> 4) * 4;
	return hdr < TCP_HEADER || hdr > len ? 0 : hdr;
}

static void sack_option(struct tcp_seg *s, const u8 *p, u32 len)
{
	if (len % 8)
		return;
	for (u32 i = 0; i < len / 8 && s->nr_sack < TCP_SACK_BLOCKS; i++)
		s->sack[s->nr_sack++] = (struct tcp_sack){ get32(p + 8 * i), get32(p + 8 * i + 4) };
}

/* One option: LEN bytes of data at P. */
static void option(struct tcp_seg *s, u8 kind, const u8 *p, u32 len)
{
	bool syn = s->flags & TCP_SYN;

	if (kind == OPT_MSS && len == 2 && syn) {
		s->mss = get16(p);
	} else if (kind == OPT_WSCALE && len == 1 && syn) {
		s->has_wscale = true;
		s->wscale = p[0] < MOST_SHIFT ? p[0] : MOST_SHIFT;
	} else if (kind == OPT_SACK_OK && !len && syn) {
		s->sack_ok = true;
	} else if (kind == OPT_TS && len == 8) {
		s->has_ts = true;
		s->ts_val = get32(p);
		s->ts_ecr = get32(p + 4);
	} else if (kind == OPT_SACK && len && !syn) {
		sack_option(s, p, len);
	}
}

static void options(struct tcp_seg *s, const u8 *p, u32 len)
{
	while (len && *p != OPT_END) {
		u32 n;

		if (*p == OPT_NOP) {
			p++;
			len--;
			continue;
		}
		n = len > 1 ? p[1] : 0;
		if (n < 2 || n > len)
			return;
		option(s, p[0], p + 2, n - 2);
		p += n;
		len -= n;
	}
}

void tcp_decode(struct tcp_seg *s, const u8 *p, u32 len)
{
	const struct tcp_wire *h = (const struct tcp_wire *)p;

	*s = (struct tcp_seg){
		.seq = be32_get(h->seq),
		.ack = be32_get(h->ack),
		.window = be16_get(h->window),
		.urgent = be16_get(h->urgent),
		.src = h->src,
		.dst = h->dst,
		.flags = h->flags,
		.hdr = (u8)((h->off >> 4) * 4),
	};
	s->len = len - s->hdr;
	s->end = s->seq + s->len + !!(s->flags & TCP_SYN) + !!(s->flags & TCP_FIN);
	options(s, p + TCP_HEADER, s->hdr - TCP_HEADER);
}

u32 tcp_options_len(const struct tcp_tx_options *o)
{
	u32 n = (o->mss ? 4u : 0) + (o->ts ? 12u : o->sack_ok ? 4u : 0) + (o->wscale ? 4u : 0);

	return n + (o->nr_sack ? 4u + 8u * o->nr_sack : 0);
}

void tcp_options_encode(u8 *p, const struct tcp_tx_options *o)
{
	if (o->mss)
		p = put32(p, OPT_MSS << 24 | 4 << 16 | o->mss);
	if (o->ts) {
		p = put32(p, (o->sack_ok ? OPT_SACK_OK << 24 | 2 << 16 :
					   OPT_NOP << 24 | OPT_NOP << 16) |
				     OPT_TS << 8 | 10);
		p = put32(p, o->ts_val);
		p = put32(p, o->ts_ecr);
	} else if (o->sack_ok) {
		p = put32(p, OPT_NOP << 24 | OPT_NOP << 16 | OPT_SACK_OK << 8 | 2);
	}
	if (o->wscale)
		p = put32(p, OPT_NOP << 24 | OPT_WSCALE << 16 | 3 << 8 | o->shift);
	if (!o->nr_sack)
		return;
	p = put32(p, OPT_NOP << 24 | OPT_NOP << 16 | OPT_SACK << 8 | (2u + 8u * o->nr_sack));
	for (u8 i = 0; i < o->nr_sack; i++)
		p = put32(put32(p, o->sack[i].begin), o->sack[i].end);
}
