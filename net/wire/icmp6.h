/* SPDX-License-Identifier: MIT */
/*
 * ICMPv6 (RFC 4443), neighbour discovery (RFC 4861) and listener discovery (RFC 3810) as they lie
 * in packets.
 */
#pragma once

#include "net/wire/eth.h"
#include "net/wire/icmp.h"
#include "net/wire/igmp.h"
#include "net/wire/ip6.h"

enum icmp6_type {
	ICMP6_UNREACH = 1,
	ICMP6_TOO_BIG = 2,
	ICMP6_TIME_EXCEEDED = 3,
	ICMP6_PARAMETER = 4,
	ICMP6_ECHO = 128,
	ICMP6_ECHO_REPLY = 129,
	ICMP6_MLD_QUERY = 130,
	ICMP6_MLD_REPORT = 131,
	ICMP6_MLD_DONE = 132,
	ICMP6_RS = 133,
	ICMP6_RA = 134,
	ICMP6_NS = 135,
	ICMP6_NA = 136,
	ICMP6_REDIRECT = 137,
	ICMP6_MLD2_REPORT = 143,
};
enum icmp6_unreach { ICMP6_NO_ROUTE, ICMP6_ADMIN, ICMP6_BEYOND_SCOPE, ICMP6_ADDRESS, ICMP6_PORT };

/* Errors are the types below 128. */
static inline bool icmp6_is_error(u8 type)
{
	return type < 128;
}

/*
 * The N bytes at P from the ICMPv6 header on, whose checksum is right. 0: *Q, of family 6, with
 * transport_at as of icmp_decode_error(). -1: no error, or it quotes too little or a later fragment.
 */
int icmp6_decode_error(struct icmp_quote *q, const u8 *p, u32 n) __must_check;

/* ---- neighbour discovery ---- */

/* Options that are understood; NULL or false: not there. They point into the message. */
struct nd_options {
	const u8 *source_hw, *target_hw;	/* ETH_ADDR bytes */
	u32 mtu;				/* 0 */
};
/* The options of N bytes at P. 0; -1: malformed, the message is dropped (RFC 4861, 6.1). */
int nd_options(struct nd_options *o, const u8 *p, u32 n) __must_check;

/* A solicitation or an advertisement. */
struct nd_neighbour {
	struct ip6_addr target;
	bool router, solicited, override;	/* of an advertisement */
	struct nd_options opt;
};
/* The message of N bytes from its ICMPv6 header on. 0; -1. */
int nd_decode_neighbour(struct nd_neighbour *m, const u8 *p, u32 n) __must_check;
#define ND_NEIGHBOUR_LEN 24		/* without option */
#define ND_HW_OPTION 8
/* Without checksum; HW (ETH_ADDR bytes): the option that goes with TYPE; NULL: none. Bytes. */
u32 nd_encode_neighbour(u8 *p, u8 type, const struct nd_neighbour *m, const u8 *hw);
/* A router solicitation. Bytes: 8 or 16. */
u32 nd_encode_rs(u8 *p, const u8 *hw);

struct nd_prefix {
	struct ip6_addr prefix;
	u8 bits;
	bool on_link, autonomous;
	u32 valid_s, preferred_s;	/* U32_MAX: for ever */
};
/* A router advertisement. */
struct nd_router {
	u8 hops;			/* 0: not said */
	u8 preference;			/* RFC 4191: 0 medium, 1 high, 3 low */
	u16 lifetime_s;			/* as default router; 0: it is none */
	u32 reachable_ms, retrans_ms;	/* 0: not said */
	struct nd_options opt;
};
int nd_decode_router(struct nd_router *m, const u8 *p, u32 n) __must_check;
/*
 * The next prefix of the advertisement of N bytes at P, from *AT (0 at first) on. False: there is
 * no other. The message was taken by nd_decode_router().
 */
bool nd_next_prefix(struct nd_prefix *out, const u8 *p, u32 n, u32 *at);

/* ---- listener discovery ---- */

#define MLD_QUERY_V1 24u		/* bytes of a query, with the ICMPv6 header */
#define MLD_QUERY_V2 28u		/* without sources */
/* As igmp_decode_query(); 28 bytes are enough. */
int mld_decode_query(struct mc_query *q, const u8 *p, u32 n, u32 len) __must_check;
