/* SPDX-License-Identifier: MIT */
/*
 * IPv4's header and its options (RFC 791; RFC 1122, 3.2.1), and what kinds of addresses there are.
 */
#pragma once

#include <lib/byteorder.h>

#define IP4_HEADER 20
#define IP4_HEADER_MOST 60
#define IP4_OPTIONS_MOST 40
#define IP4_DF 0x4000
#define IP4_MF 0x2000
#define IP4_OFFSET 0x1fff

struct ip4_wire {
	u8 ver_ihl, tos;
	be16 tot_len, id, frag;
	u8 ttl, protocol;
	be16 csum;
	be32 src, dst;
} __packed;
_Static_assert(sizeof(struct ip4_wire) == IP4_HEADER, "as on the wire");

enum ip4_bad { IP4_OK, IP4_SHORT, IP4_BAD_HEADER, IP4_BAD_CSUM };

/*
 * Is what begins at P, of which LINEAR bytes lie there and LEN are in the packet, a header whose
 * checksum is right and whose lengths are within LEN? *HDR: bytes of the header; if it is longer
 * than LINEAR the checksum is not looked at yet: IP4_SHORT with *HDR set, and the caller makes that
 * much linear.
 */
enum ip4_bad ip4_check(const u8 *p, u32 linear, u32 len, u32 *hdr) __must_check;
/* The checksum of a header of HDR bytes is computed and stored. */
void ip4_set_csum(struct ip4_wire *h, u32 hdr);
/* One hop less; the checksum follows. */
void ip4_dec_ttl(struct ip4_wire *h);

static inline bool ip4_is_fragment(const struct ip4_wire *h)
{
	return be16_get(h->frag) & (IP4_MF | IP4_OFFSET);
}

static inline u32 ip4_offset(const struct ip4_wire *h)
{
	return (u32)(be16_get(h->frag) & IP4_OFFSET) * 8;
}

static inline u32 ip4_header_len(const struct ip4_wire *h)
{
	return (h->ver_ihl & 15u) * 4;
}

/* What a header's options ask for; offsets from the header's begin, 0: not there. */
struct ip4_options {
	u8 route_at;			/* LSRR or SSRR */
	bool strict;
	u8 record_at, stamp_at, alert_at;
	u8 bad_at;   /* where ip4_options_parse() stopped: for ICMP's parameter problem */
};
/* The LEN bytes behind the 20 fixed ones at OPTS. 0; -1: malformed, at ->bad_at. */
int ip4_options_parse(struct ip4_options *o, const u8 *opts, u32 len) __must_check;
/*
 * Those options of OPTS that are not for every fragment become NOPs (RFC 791, 3.1). OPTS is well
 * formed.
 */
void ip4_options_for_fragments(u8 *opts, u32 len);

static inline u32 ip4_host(be32 a)
{
	return be32_get(a);
}

static inline bool ip4_is_zero(be32 a)
{
	return !a.v;
}

static inline bool ip4_is_broadcast(be32 a)
{
	return a.v == U32_MAX;
}

static inline bool ip4_is_loopback(be32 a)
{
	return ip4_host(a) >> 24 == 127;
}

static inline bool ip4_is_multicast(be32 a)
{
	return ip4_host(a) >> 28 == 14;
}

static inline bool ip4_is_local_multicast(be32 a)
{
	return ip4_host(a) >> 8 == 0xe00000;
}

static inline bool ip4_is_zeronet(be32 a)
{
	return ip4_host(a) >> 24 == 0;
}

static inline bool ip4_is_link_local(be32 a)
{
	return ip4_host(a) >> 16 == 0xa9fe;
}

/* What may stand as a source outside of a link: neither group, broadcast, loopback nor 0/8. */
static inline bool ip4_is_martian_source(be32 a)
{
	return ip4_is_multicast(a) || ip4_is_broadcast(a) || ip4_is_loopback(a) ||
	       ip4_is_zeronet(a);
}

static inline be32 ip4_mask(unsigned int bits)
{
	return be32_make(bits ? U32_MAX << (32 - bits) : 0);
}

/* The prefix length of MASK; -1: it is none. */
static inline int ip4_mask_bits(be32 mask)
{
	u32 m = be32_get(mask);

	if (~m & (~m + 1))
		return -1;
	return m ? 32 - __builtin_ctz(m) : 0;
}
