/* SPDX-License-Identifier: MIT */
/* UDP's header (RFC 768). */
#pragma once

#include <lib/byteorder.h>

#define UDP_HEADER 8

struct udp_wire {
	be16 src, dst, len, csum;
} __packed;
_Static_assert(sizeof(struct udp_wire) == UDP_HEADER, "as on the wire");

/*
 * The datagram that begins at P, of which LINEAR bytes lie there and AVAILABLE are in the packet:
 * its length with the header, at most AVAILABLE, at least UDP_HEADER; 0: malformed. IPv6 lets a
 * length of 0 mean "all" in jumbograms alone, which are not taken.
 */
u32 udp_check(const u8 *p, u32 linear, u32 available) __must_check;
void udp_encode(u8 *p, be16 src, be16 dst, u32 len);
