// SPDX-License-Identifier: MIT
/*
 * IPv6 headers: checks of what came in, and kinds of addresses.
 *
 * Extension headers are a chain that a sender makes as long as it likes. ip6_walk() looks at
 * IP6_EXTS_MOST of them within the bytes that it is given, and refuses the rest.
 */
#include "net/wire/ip6.h"

enum { OPT_PAD1 = 0, OPT_PADN = 1, OPT_ALERT = 5, OPT_JUMBO = 0xc2 };

enum ip6_bad ip6_check(const u8 *p, u32 linear, u32 len)
{
	const struct ip6_wire *h = (const struct ip6_wire *)p;

	if (len < IP6_HEADER || linear < IP6_HEADER)
		return IP6_SHORT;
	if (be32_get(h->ver_class_flow) >> 28 != 6)
		return IP6_BAD_HEADER;
	return be16_get(h->payload) > len - IP6_HEADER ? IP6_SHORT : IP6_OK;
}

static int refuse(struct ip6_exts *e, u32 at, u8 code)
{
	e->bad_at = (u16)at;
	e->bad_code = code;
	return -1;
}

/* An option that is not known: its two high bits say what follows (RFC 8200, 4.2). */
static int unknown_option(struct ip6_exts *e, const u8 *p, u32 at)
{
	const struct ip6_wire *h = (const struct ip6_wire *)p;

	switch (p[at] >> 6) {
	case 0:
		return 0;
	case 1:
		return refuse(e, at, IP6_BAD_SILENT);
	case 2:
		return refuse(e, at, IP6_BAD_OPTION);
	}
	return refuse(e, at, ip6_is_multicast(&h->dst) ? IP6_BAD_SILENT : IP6_BAD_OPTION);
}

/* Options of the header at AT, LEN bytes. */
static int options(struct ip6_exts *e, const u8 *p, u32 at, u32 len, bool hop)
{
	u32 end = at + len;

	for (at += 2; at < end;) {
		u32 n;

		if (p[at] == OPT_PAD1) {
			at++;
			continue;
		}
		if (end - at < 2)
			return refuse(e, at, IP6_BAD_SILENT);
		n = p[at + 1] + 2u;
		if (n > end - at)
			return refuse(e, at, IP6_BAD_SILENT);
		if (p[at] == OPT_ALERT && hop && n == 4)
			e->alert = true;
		else if (p[at] != OPT_PADN && unknown_option(e, p, at))
			return -1;
		at += n;
	}
	return 0;
}

/* One header at AT of kind NEXT, LEN bytes. */
static int one_ext(struct ip6_exts *e, const u8 *p, u8 next, u32 at, u32 len)
{
	switch (next) {
	case IP6_HOPOPTS:
		if (at != IP6_HEADER)	/* only directly behind the header */
			return refuse(e, e->next_at, IP6_BAD_NEXT);
		e->hop_at = (u16)at;
		return options(e, p, at, len, true);
	case IP6_DSTOPTS:
		e->dst_at = (u16)at;
		return options(e, p, at, len, false);
	}
	/* Routing headers are not followed (RFC 5095); what has arrived is passed over. */
	e->route_at = (u16)at;
	return p[at + 3] ? refuse(e, at + 2, IP6_BAD_FIELD) : 0;
}

int ip6_walk(struct ip6_exts *e, const u8 *p, u32 n)
{
	const struct ip6_wire *h = (const struct ip6_wire *)p;
	u32 at = IP6_HEADER;
	u8 next = h->next;

	*e = (struct ip6_exts){ .next_at = 6 };
	for (unsigned int i = 0; i <= IP6_EXTS_MOST; i++) {
		u32 len;

		if (next == IP6_FRAGMENT)
			e->frag_at = (u16)at;
		if (next != IP6_HOPOPTS && next != IP6_DSTOPTS && next != IP6_ROUTING) {
			e->protocol = next;
			e->transport_at = (u16)at;
			return 0;
		}
		if (n < at || n - at < 8)
			break;
		len = (p[at + 1] + 1u) * 8;
		if (len > n - at)
			break;
		if (one_ext(e, p, next, at, len))
			return -1;
		e->next_at = (u16)at;
		next = p[at];
		at += len;
	}
	return refuse(e, at, IP6_BAD_SILENT);
}

/* ---- addresses ---- */

unsigned int ip6_common_bits(const struct ip6_addr *a, const struct ip6_addr *b)
{
	for (unsigned int i = 0; i < 4; i++) {
		u32 x = be32_get(a->w[i]) ^ be32_get(b->w[i]);

		if (x)
			return i * 32 + (unsigned int)__builtin_clz(x);
	}
	return 128;
}

struct ip6_addr ip6_prefix(const struct ip6_addr *a, unsigned int bits)
{
	struct ip6_addr p = *a;

	for (unsigned int i = 0; i < 4; i++) {
		unsigned int n = bits > i * 32 ? bits - i * 32 : 0;

		if (!n)
			p.w[i] = be32_make(0);
		else if (n < 32)
			p.w[i] = be32_make(be32_get(p.w[i]) & (0xffffffffu << (32 - n)));
	}
	return p;
}

u8 ip6_scope(const struct ip6_addr *a)
{
	if (ip6_is_multicast(a))
		return ip6_mc_scope(a);
	if (ip6_is_link_local(a) || ip6_is_loopback(a))
		return 2;
	return ip6_is_site_local(a) ? 5 : 14;
}

struct ip6_policy ip6_policy(const struct ip6_addr *a)
{
	static const struct {
		u32 w[3];
		u8 bits;
		struct ip6_policy is;
	} rows[] = {
		{ { 0, 0, 0xffff }, 96, { 35, 4 } }, { { 0, 0, 0 }, 96, { 1, 3 } },
		{ { 0x20010000 }, 32, { 5, 5 } },    { { 0x20020000 }, 16, { 30, 2 } },
		{ { 0x3ffe0000 }, 16, { 1, 12 } },   { { 0xfec00000 }, 10, { 1, 11 } },
		{ { 0xfc000000 }, 7, { 3, 13 } },
	};

	if (ip6_is_loopback(a))
		return (struct ip6_policy){ 50, 0 };
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct ip6_addr p = ip6_make(rows[i].w[0], rows[i].w[1], rows[i].w[2], 0);

		if (ip6_common_bits(a, &p) >= rows[i].bits)
			return rows[i].is;
	}
	return (struct ip6_policy){ 40, 1 };
}

void ip6_eui64(u8 *id, const u8 *mac)
{
	id[0] = mac[0] ^ 2;
	id[1] = mac[1];
	id[2] = mac[2];
	id[3] = 0xff;
	id[4] = 0xfe;
	id[5] = mac[3];
	id[6] = mac[4];
	id[7] = mac[5];
}

void ip6_group_mac(u8 *mac, const struct ip6_addr *group)
{
	mac[0] = mac[1] = 0x33;
	memcpy(mac + 2, group->b + 12, 4);
}
