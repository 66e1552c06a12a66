// SPDX-License-Identifier: MIT
/*
 * vnet.h: the decoders. Each field is compared with the frame once; nothing that lies outside is
 * read.
 */
#include "net/wire/vnet.h"
#include "net/wire/csum.h"
#include "net/wire/ip4.h"
#include "net/wire/ip6.h"
#include "net/wire/tcp.h"

#define TCP_PROTOCOL 6
#define VERSION(p) (*(p) >> 4)

void vnet_turn(struct vnet_wire *h, bool little)
{
	if (!little)
		return;
	h->hdr_len = le16_raw(h->hdr_len);
	h->gso_size = le16_raw(h->gso_size);
	h->csum_start = le16_raw(h->csum_start);
	h->csum_off = le16_raw(h->csum_off);
}

bool vnet_is_within(const struct vnet_wire *h, size_t len)
{
	u32 end = (u32)h->csum_start + h->csum_off + 2;

	if (h->flags & VNET_NEEDS_CSUM && end > h->hdr_len)
		return end <= len;
	return h->hdr_len <= len;
}

bool vnet_fits(const struct vnet_wire *h, u32 len)
{
	u32 end = (u32)h->csum_start + h->csum_off + 2;
	u8 type = h->gso_type & (u8)~VNET_GSO_ECN;

	if (h->flags & VNET_NEEDS_CSUM && end > len)
		return false;
	if (h->gso_type == VNET_GSO_NONE)
		return true;
	return (type == VNET_GSO_TCP4 || type == VNET_GSO_TCP6) && h->gso_size;
}

/* Bytes of the IPv4 header at P; 0: it is not one before TCP; -1: more must be linear. */
static int ip4_length(const u8 *p, u32 linear)
{
	const struct ip4_wire *h = (const struct ip4_wire *)p;

	if (linear < IP4_HEADER)
		return -1;
	if (VERSION(p) != 4 || ip4_header_len(h) < IP4_HEADER || h->protocol != TCP_PROTOCOL ||
	    ip4_is_fragment(h))
		return 0;
	return (int)ip4_header_len(h);
}

/* The same of IPv6, without extension headers. */
static int ip6_length(const u8 *p, u32 linear)
{
	const struct ip6_wire *h = (const struct ip6_wire *)p;

	if (linear < IP6_HEADER)
		return -1;
	return VERSION(p) == 6 && h->next == TCP_PROTOCOL ? IP6_HEADER : 0;
}

int vnet_super_decode(struct vnet_super *s, const u8 *p, u32 linear, u32 len, u16 net_at, bool v6,
		      u16 size)
{
	u32 least = net_at + (v6 ? IP6_HEADER : IP4_HEADER), tcp, payload, want;
	int net;

	if (len < least || len - net_at > U16_MAX || !size)
		return -1;
	if (linear < least)
		return (int)least;
	net = v6 ? ip6_length(p + net_at, linear - net_at) :
		   ip4_length(p + net_at, linear - net_at);
	if (net <= 0)
		return -1;
	want = net_at + (u32)net + TCP_HEADER;
	if (len < want)
		return -1;
	if (linear < want)
		return (int)want;
	tcp = (u32)(p[net_at + (u32)net + 12] >> 4) * 4;
	want = net_at + (u32)net + tcp;
	if (tcp < TCP_HEADER || len < want)
		return -1;
	if (linear < want)
		return (int)want;
	payload = len - want;
	*s = (struct vnet_super){
		.net_at = net_at,
		.tcp_at = (u16)(net_at + (u32)net),
		.payload_at = (u16)want,
		.size = size,
		.nr = payload ? (payload + size - 1) / size : 1,
		.v6 = v6,
	};
	return s->nr > VNET_SEGMENTS_MOST ? -1 : 0;
}
