/* SPDX-License-Identifier: MIT */
/* ICMP of IPv4 (RFC 792; RFC 1122, 3.2.2). Numbers: <linux/icmp.h>. */
#pragma once

#include <lib/byteorder.h>
#include "net/wire/ip6.h"

#define ICMP_HEADER 8

struct icmp_wire {
	u8 type, code;
	be16 csum;
	union {
		struct {
			be16 id, seq;
		} echo;
		be32 gateway;
		struct {
			be16 unused, mtu;
		} frag;
		be32 rest;
	};
} __packed;
_Static_assert(sizeof(struct icmp_wire) == ICMP_HEADER, "as on the wire");

/* An error that quotes a packet of ours. */
struct icmp_quote {
	u8 type, code;
	u32 info;			/* next hop's MTU, or the pointer of a parameter problem */
	be32 src, dst;			/* of the quoted packet */
	bool six;			/* of IPv6: src6 and dst6 instead */
	struct ip6_addr src6, dst6;
	u8 protocol, tos, ttl;
	/*
	 * of the quoted transport header, from the ICMP header's begin; at least 8 bytes of it are
	 * there
	 */
	u32 transport_at;
};
/*
 * The N bytes at P from the ICMP header on, whose checksum is right. 0; -1: not an error, or it
 * quotes too little or a later fragment.
 */
int icmp_decode_error(struct icmp_quote *q, const u8 *p, u32 n) __must_check;
/* An error may not be the answer to TYPE (RFC 1122, 3.2.2): it is one itself, or unknown. */
bool icmp_is_error(u8 type);
