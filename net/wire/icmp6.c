// SPDX-License-Identifier: MIT
/*
 * ICMPv6 messages: errors, neighbour discovery, listener queries. All lengths are the wire's word.
 */
#include "net/wire/icmp6.h"

#define QUOTED 8	/* bytes of the transport header that an error must quote to be of use */

int icmp6_decode_error(struct icmp_quote *q, const u8 *p, u32 n)
{
	const struct icmp_wire *h = (const struct icmp_wire *)p;
	const struct ip6_wire *ip = (const struct ip6_wire *)(p + ICMP_HEADER);
	u32 at, left = n > ICMP_HEADER ? n - ICMP_HEADER : 0;
	struct ip6_exts e;

	if (left < IP6_HEADER || !icmp6_is_error(h->type) ||
	    be32_get(ip->ver_class_flow) >> 28 != 6)
		return -1;
	/* What a router refused is no reason not to find who sent it. */
	if (ip6_walk(&e, p + ICMP_HEADER, left) && e.bad_code == IP6_BAD_SILENT)
		return -1;
	at = e.transport_at ?: e.bad_at;
	if (e.protocol == IP6_FRAGMENT && e.frag_at) {
		const struct ip6_frag_wire *f;

		if (left < at + sizeof(*f))
			return -1;
		f = (const struct ip6_frag_wire *)(p + ICMP_HEADER + at);
		if (be16_get(f->off) & IP6_OFFSET)
			return -1;
		e.protocol = f->next;
		at += (u32)sizeof(*f);
	}
	if (left < at + QUOTED)
		return -1;
	*q = (struct icmp_quote){ .six = true,
				  .type = h->type,
				  .code = h->code,
				  .src6 = ip->src,
				  .dst6 = ip->dst,
				  .protocol = e.protocol,
				  .tos = ip6_tclass(ip),
				  .ttl = ip->hops,
				  .transport_at = ICMP_HEADER + at };
	if (h->type == ICMP6_TOO_BIG || h->type == ICMP6_PARAMETER)
		q->info = be32_get(h->rest);
	return 0;
}

/* ---- neighbour discovery ---- */

enum { OPT_SOURCE_HW = 1, OPT_TARGET_HW = 2, OPT_PREFIX = 3, OPT_MTU = 5 };

struct prefix_wire {
	u8 type, len8, bits, flags;
	be32 valid_s, preferred_s, reserved;
	struct ip6_addr prefix;
} __packed;
_Static_assert(sizeof(struct prefix_wire) == 32, "as on the wire");

struct neighbour_wire {
	u8 type, code;
	be16 csum;
	be32 flags;
	struct ip6_addr target;
} __packed;
_Static_assert(sizeof(struct neighbour_wire) == ND_NEIGHBOUR_LEN, "as on the wire");

struct router_wire {
	u8 type, code;
	be16 csum;
	u8 hops, flags;
	be16 lifetime_s;
	be32 reachable_ms, retrans_ms;
} __packed;
_Static_assert(sizeof(struct router_wire) == 16, "as on the wire");

static u32 get32(const u8 *p)
{
	return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

int nd_options(struct nd_options *o, const u8 *p, u32 n)
{
	*o = (struct nd_options){};
	while (n) {
		u32 len;

		if (n < 2)
			return -1;
		len = p[1] * 8u;
		if (!len || len > n)
			return -1;
		if (p[0] == OPT_SOURCE_HW && len == ND_HW_OPTION && !o->source_hw)
			o->source_hw = p + 2;
		else if (p[0] == OPT_TARGET_HW && len == ND_HW_OPTION && !o->target_hw)
			o->target_hw = p + 2;
		else if (p[0] == OPT_MTU && len == 8)
			o->mtu = get32(p + 4);
		p += len;
		n -= len;
	}
	return 0;
}

int nd_decode_neighbour(struct nd_neighbour *m, const u8 *p, u32 n)
{
	const struct neighbour_wire *w = (const struct neighbour_wire *)p;
	u32 flags;

	if (n < sizeof(*w) || w->code || ip6_is_multicast(&w->target))
		return -1;
	flags = be32_get(w->flags);
	*m = (struct nd_neighbour){ .target = w->target,
				    .router = flags >> 31,
				    .solicited = flags >> 30 & 1,
				    .override = flags >> 29 & 1 };
	return nd_options(&m->opt, p + sizeof(*w), n - (u32)sizeof(*w));
}

static u32 put_hw(u8 *p, u8 type, const u8 *hw)
{
	p[0] = type;
	p[1] = 1;
	memcpy(p + 2, hw, ETH_ADDR);
	return ND_HW_OPTION;
}

u32 nd_encode_neighbour(u8 *p, u8 type, const struct nd_neighbour *m, const u8 *hw)
{
	struct neighbour_wire *w = (struct neighbour_wire *)p;

	*w = (struct neighbour_wire){
		.type = type,
		.flags = be32_make((u32)m->router << 31 | (u32)m->solicited << 30 |
				   (u32)m->override << 29),
		.target = m->target,
	};
	return ND_NEIGHBOUR_LEN +
	       (hw ? put_hw(p + ND_NEIGHBOUR_LEN, type == ICMP6_NS ? OPT_SOURCE_HW : OPT_TARGET_HW,
			    hw) :
		     0);
}

u32 nd_encode_rs(u8 *p, const u8 *hw)
{
	memset(p, 0, ICMP_HEADER);
	p[0] = ICMP6_RS;
	return ICMP_HEADER + (hw ? put_hw(p + ICMP_HEADER, OPT_SOURCE_HW, hw) : 0);
}

int nd_decode_router(struct nd_router *m, const u8 *p, u32 n)
{
	const struct router_wire *w = (const struct router_wire *)p;

	if (n < sizeof(*w) || w->code)
		return -1;
	*m = (struct nd_router){ .hops = w->hops,
				 .preference = w->flags >> 3 & 3,
				 .lifetime_s = be16_get(w->lifetime_s),
				 .reachable_ms = be32_get(w->reachable_ms),
				 .retrans_ms = be32_get(w->retrans_ms) };
	if (m->preference == 2)		/* reserved: as medium (RFC 4191, 2.2) */
		m->preference = 0;
	return nd_options(&m->opt, p + sizeof(*w), n - (u32)sizeof(*w));
}

bool nd_next_prefix(struct nd_prefix *out, const u8 *p, u32 n, u32 *at)
{
	if (!*at)
		*at = sizeof(struct router_wire);
	while (n > *at && n - *at >= 8) {
		const struct prefix_wire *w = (const struct prefix_wire *)(p + *at);
		u32 len = p[*at + 1] * 8u;

		if (!len || len > n - *at)
			return false;
		*at += len;
		if (w->type != OPT_PREFIX || len != sizeof(*w) || w->bits > 128)
			continue;
		*out = (struct nd_prefix){ .prefix = ip6_prefix(&w->prefix, w->bits),
					   .bits = w->bits,
					   .on_link = w->flags >> 7,
					   .autonomous = w->flags >> 6 & 1,
					   .valid_s = be32_get(w->valid_s),
					   .preferred_s = be32_get(w->preferred_s) };
		return true;
	}
	return false;
}

/* ---- listener discovery ---- */

int mld_decode_query(struct mc_query *q, const u8 *p, u32 n, u32 len)
{
	u32 code;

	if (n < MLD_QUERY_V1 || len < n)
		return -1;
	code = (u32)p[4] << 8 | p[5];
	*q = (struct mc_query){ .version = 2, .max_delay_ms = code };
	memcpy(&q->group, p + 8, sizeof(q->group));
	q->is_general = ip6_is_any(&q->group);
	if (!q->is_general && !ip6_is_multicast(&q->group))
		return -1;
	if (len == MLD_QUERY_V1)
		return 0;
	if (n < MLD_QUERY_V2)
		return -1;
	q->version = 3;
	q->max_delay_ms = mc_float(code, 12);
	q->qrv = p[24] & 7;
	q->interval_s = mc_float(p[25], 4);
	q->nr_sources = (u32)p[26] << 8 | p[27];
	q->sources_at = MLD_QUERY_V2;
	return q->nr_sources <= (len - MLD_QUERY_V2) / 16 ? 0 : -1;
}
