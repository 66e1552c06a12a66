/* SPDX-License-Identifier: MIT */
/*
 * IPv6's header and extension headers (RFC 8200), and what kinds of addresses there are (RFC 4291).
 */
#pragma once

#include <lib/byteorder.h>
#include <lib/string.h>

#define IP6_HEADER 40
#define IP6_MTU_LEAST 1280u
/*
 * Bytes of the header with its extension headers that are looked at: what lies behind is dropped.
 */
#define IP6_HEADERS_MOST 144u
#define IP6_EXTS_MOST 8u		/* extension headers of a packet */

/* Alignment 1: addresses lie anywhere in packets. */
struct ip6_addr {
	union {
		u8 b[16];
		be32 w[4];
	};
} __packed;

struct ip6_wire {
	be32 ver_class_flow;
	be16 payload;
	u8 next, hops;
	struct ip6_addr src, dst;
} __packed;
_Static_assert(sizeof(struct ip6_wire) == IP6_HEADER, "as on the wire");

struct ip6_frag_wire {
	u8 next, reserved;
	be16 off;			/* in bytes, and below: IP6_MF */
	be32 id;
} __packed;
_Static_assert(sizeof(struct ip6_frag_wire) == 8, "as on the wire");
#define IP6_MF 1
#define IP6_OFFSET 0xfff8

/* Numbers in `next` that are extension headers, and two that end a packet. */
enum ip6_next {
	IP6_HOPOPTS = 0,
	IP6_ROUTING = 43,
	IP6_FRAGMENT = 44,
	IP6_NONE = 59,
	IP6_DSTOPTS = 60,
	IP6_ICMP = 58,
};

static inline u8 ip6_tclass(const struct ip6_wire *h)
{
	return (u8)(be32_get(h->ver_class_flow) >> 20);
}

static inline u32 ip6_flow_label(const struct ip6_wire *h)
{
	return be32_get(h->ver_class_flow) & 0xfffff;
}

static inline be32 ip6_first_word(u8 tclass, u32 label)
{
	return be32_make(6u << 28 | (u32)tclass << 20 | label);
}

enum ip6_bad { IP6_OK, IP6_SHORT, IP6_BAD_HEADER };

/* Is what begins at P, LINEAR bytes of LEN, a header whose length is within LEN? No jumbograms. */
enum ip6_bad ip6_check(const u8 *p, u32 linear, u32 len) __must_check;

/* The headers before the transport header; offsets from the IPv6 header, 0: not there. */
struct ip6_exts {
	u8 protocol;			/* of what is at transport_at */
	u16 transport_at;
	u16 next_at;			/* the byte that says PROTOCOL */
	u16 hop_at, dst_at, route_at, frag_at;
	bool alert;			/* a hop-by-hop option asks routers to look (RFC 2711) */
	/* If it is refused: where, and ICMPv6's code of a parameter problem; 255: no answer. */
	u16 bad_at;
	u8 bad_code;
};
#define IP6_BAD_FIELD 0
#define IP6_BAD_NEXT 1
#define IP6_BAD_OPTION 2
#define IP6_BAD_SILENT 255

/*
 * Walks the headers at P, N bytes of which lie there, up to a fragment header (which PROTOCOL names
 * then) or the transport's. 0; -1: refused (bad_at, bad_code), or they go on behind N bytes
 * (IP6_BAD_SILENT).
 */
int ip6_walk(struct ip6_exts *e, const u8 *p, u32 n) __must_check;

/* ---- addresses ---- */

static inline bool ip6_equal(const struct ip6_addr *a, const struct ip6_addr *b)
{
	return !__builtin_memcmp(a, b, sizeof(*a));
}

static inline bool ip6_is_any(const struct ip6_addr *a)
{
	return !(a->w[0].v | a->w[1].v | a->w[2].v | a->w[3].v);
}

static inline bool ip6_is_loopback(const struct ip6_addr *a)
{
	return !(a->w[0].v | a->w[1].v | a->w[2].v) && be32_get(a->w[3]) == 1;
}

static inline bool ip6_is_multicast(const struct ip6_addr *a)
{
	return a->b[0] == 0xff;
}

/* The scope of a group: 1 interface-local, 2 link-local ... */
static inline u8 ip6_mc_scope(const struct ip6_addr *a)
{
	return a->b[1] & 15;
}

static inline bool ip6_is_link_local(const struct ip6_addr *a)
{
	return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

static inline bool ip6_is_site_local(const struct ip6_addr *a)
{
	return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0xc0;
}

static inline bool ip6_is_mapped(const struct ip6_addr *a)
{
	return !(a->w[0].v | a->w[1].v) && be32_get(a->w[2]) == 0xffff;
}

/* Means something on a link alone: an index of a device goes with it (RFC 4007). */
static inline bool ip6_needs_scope(const struct ip6_addr *a)
{
	return ip6_is_link_local(a) ||
	       (ip6_is_multicast(a) && (ip6_mc_scope(a) == 1 || ip6_mc_scope(a) == 2));
}

static inline struct ip6_addr ip6_mapped(be32 v4)
{
	return (struct ip6_addr){ .w = { {}, {}, be32_make(0xffff), v4 } };
}

static inline struct ip6_addr ip6_make(u32 a, u32 b, u32 c, u32 d)
{
	return (struct ip6_addr){ .w = { be32_make(a), be32_make(b), be32_make(c), be32_make(d) } };
}

/* The group that all neighbours with an address like A listen to (RFC 4291, 2.7.1). */
static inline struct ip6_addr ip6_solicited_node(const struct ip6_addr *a)
{
	return ip6_make(0xff020000, 0, 1, 0xff000000 | (be32_get(a->w[3]) & 0xffffff));
}

#define IP6_ANY ((struct ip6_addr){})
#define IP6_ALL_NODES ip6_make(0xff020000, 0, 0, 1)
#define IP6_ALL_ROUTERS ip6_make(0xff020000, 0, 0, 2)
#define IP6_LOOPBACK ip6_make(0, 0, 0, 1)

/* How many of the first bits are the same: 0..128. */
unsigned int ip6_common_bits(const struct ip6_addr *a, const struct ip6_addr *b);
/* A with all but its first BITS bits zero. */
struct ip6_addr ip6_prefix(const struct ip6_addr *a, unsigned int bits);
/* RT_SCOPE-like classes of RFC 6724, 3.1, as numbers of group scopes: 1, 2, 5, 8, 14. */
u8 ip6_scope(const struct ip6_addr *a);
/* The precedence and label of A by the default table of RFC 6724, 2.1. */
struct ip6_policy {
	u8 precedence, label;
};
struct ip6_policy ip6_policy(const struct ip6_addr *a);
/* The last 8 bytes of an address from a MAC address of 6 bytes (RFC 4291, appendix A). */
void ip6_eui64(u8 *id, const u8 *mac);
/* The MAC address of a group (RFC 2464, 7). */
void ip6_group_mac(u8 *mac, const struct ip6_addr *group);
