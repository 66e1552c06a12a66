// SPDX-License-Identifier: MIT
/* ICMP messages. */
#include "net/wire/icmp.h"
#include "net/wire/ip4.h"

enum {
	DEST_UNREACH = 3,
	SOURCE_QUENCH = 4,
	REDIRECT = 5,
	TIME_EXCEEDED = 11,
	PARAMETERPROB = 12,
	TYPES = 18,
	FRAG_NEEDED = 4
};
#define QUOTED 8		/* bytes of the transport header that each error quotes */

bool icmp_is_error(u8 type)
{
	return type == DEST_UNREACH || type == SOURCE_QUENCH || type == REDIRECT ||
	       type == TIME_EXCEEDED || type == PARAMETERPROB || type > TYPES;
}

int icmp_decode_error(struct icmp_quote *q, const u8 *p, u32 n)
{
	const struct icmp_wire *h = (const struct icmp_wire *)p;
	const struct ip4_wire *ip = (const struct ip4_wire *)(p + ICMP_HEADER);
	u32 hdr;

	if (n < ICMP_HEADER + IP4_HEADER || h->type > TYPES || !icmp_is_error(h->type))
		return -1;
	hdr = ip4_header_len(ip);
	if (ip->ver_ihl >> 4 != 4 || hdr < IP4_HEADER || n < ICMP_HEADER + hdr + QUOTED ||
	    ip4_offset(ip))
		return -1;
	*q = (struct icmp_quote){ .type = h->type,
				  .code = h->code,
				  .src = ip->src,
				  .dst = ip->dst,
				  .protocol = ip->protocol,
				  .tos = ip->tos,
				  .ttl = ip->ttl,
				  .transport_at = ICMP_HEADER + hdr };
	if (h->type == DEST_UNREACH && h->code == FRAG_NEEDED)
		q->info = be16_get(h->frag.mtu);
	else if (h->type == PARAMETERPROB)
		q->info = be32_get(h->rest) >> 24;
	return 0;
}
