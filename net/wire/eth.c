// SPDX-License-Identifier: MIT
/* Ethernet frames: what is in them. */
#include <lib/string.h>
#include "net/wire/eth.h"

#define FIRST_TYPE 0x0600	/* below: a length */
#define TYPE_802_3 0x0001
#define TYPE_802_2 0x0004

be16 eth_protocol(const u8 *frame, size_t len)
{
	u16 type = (u16)(frame[12] << 8 | frame[13]);

	if (type >= FIRST_TYPE)
		return be16_make(type);
	if (len >= ETH_HEADER + 2 && frame[14] == 0xff && frame[15] == 0xff)
		return be16_make(TYPE_802_3);
	return be16_make(TYPE_802_2);
}

void eth_encode(u8 *frame, const u8 *dst, const u8 *src, be16 type)
{
	struct eth_wire *h = (struct eth_wire *)frame;

	memcpy(h->dst, dst, ETH_ADDR);
	memcpy(h->src, src, ETH_ADDR);
	h->type = type;
}
