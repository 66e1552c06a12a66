// SPDX-License-Identifier: MIT
/* UDP headers. */
#include "net/wire/udp.h"

u32 udp_check(const u8 *p, u32 linear, u32 available)
{
	const struct udp_wire *h = (const struct udp_wire *)p;
	u32 len;

	if (linear < UDP_HEADER || available < UDP_HEADER)
		return 0;
	len = be16_get(h->len);
	return len < UDP_HEADER || len > available ? 0 : len;
}

void udp_encode(u8 *p, be16 src, be16 dst, u32 len)
{
	*(struct udp_wire *)p = (struct udp_wire){ src, dst, be16_make((u16)len), {} };
}
