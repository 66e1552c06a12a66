/* SPDX-License-Identifier: MIT */
/* Ethernet's header (IEEE 802.3; RFC 894). */
#pragma once

#include <lib/byteorder.h>

#define ETH_ADDR 6
#define ETH_HEADER 14

struct eth_wire {
	u8 dst[ETH_ADDR], src[ETH_ADDR];
	be16 type;
} __packed;
_Static_assert(sizeof(struct eth_wire) == ETH_HEADER, "as on the wire");

/*
 * A frame with a length where others have the type carries 802.2: ETH_P_802_3 (1) for raw IPX, else
 * ETH_P_802_2 (4). LEN: of the frame.
 */
be16 eth_protocol(const u8 *frame, size_t len);
void eth_encode(u8 *frame, const u8 *dst, const u8 *src, be16 type);

static inline bool eth_is_multicast(const u8 *a)
{
	return a[0] & 1;
}

static inline bool eth_is_zero(const u8 *a)
{
	return !(a[0] | a[1] | a[2] | a[3] | a[4] | a[5]);
}

static inline bool eth_is_broadcast(const u8 *a)
{
	return (a[0] & a[1] & a[2] & a[3] & a[4] & a[5]) == 0xff;
}

/* What an interface may have: neither group nor zero. */
static inline bool eth_is_station(const u8 *a)
{
	return !eth_is_multicast(a) && !eth_is_zero(a);
}

static inline bool eth_equal(const u8 *a, const u8 *b)
{
	return !((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]) | (a[4] ^ b[4]) |
		 (a[5] ^ b[5]));
}
