// SPDX-License-Identifier: MIT
/*
 * A writer may give one large frame of TCP for many segments (VIRTIO_NET_HDR_GSO_TCPV4). It is
 * split at once, so that no other code sees a packet that is longer than its device's MTU.
 * Segments share the frame's payload; their headers follow RFC 9293 and what network cards do: the
 * sequence number goes on, FIN and PSH are in the last, CWR in the first, the IPv4 identification
 * counts.
 */
#include <lib/minmax.h>
#include <lib/string.h>
#include <abi/errno.h>
#include <net/packet.h>
#include "net/virt/tun.h"
#include "net/wire/csum.h"
#include "net/wire/ip4.h"
#include "net/wire/tcp.h"

#define IP6_HEADER 40
#define IP6_LEN_AT 4
#define IP6_NEXT_AT 6
#define IP6_SRC_AT 8
#define IP6_DST_AT 24
#define TCP_PROTOCOL 6

/* Bytes of the network header; 0: there is none before TCP. */
static u16 network_header(struct packet *p, u16 at, bool v6)
{
	const u8 *h;
	u16 len = v6 ? IP6_HEADER : IP4_HEADER;

	if (!packet_need(p, at + len))
		return 0;
	h = packet_data(p) + at;
	if (v6)
		return h[0] >> 4 == 6 && h[IP6_NEXT_AT] == TCP_PROTOCOL ? len : 0;
	len = (u16)ip4_header_len((const struct ip4_wire *)h);
	if (h[0] >> 4 != 4 || len < IP4_HEADER || !packet_need(p, at + len))
		return 0;
	h = packet_data(p) + at;
	if (((const struct ip4_wire *)h)->protocol != TCP_PROTOCOL ||
	    ip4_is_fragment((const struct ip4_wire *)h))
		return 0;
	return len;
}

int tun_super_decode(struct tun_super *s, struct packet *p, u16 net_at, bool v6, u16 size)
{
	u16 len = network_header(p, net_at, v6);
	u32 tcp, payload;

	if (!len || !size || !packet_need(p, net_at + len + TCP_HEADER))
		return -EINVAL;
	tcp = tcp_header_len(packet_data(p) + net_at + len, p->linear - net_at - len,
			     p->len - net_at - len);
	if (!tcp || !packet_need(p, (u16)(net_at + len + tcp)))
		return -EINVAL;
	*s = (struct tun_super){
		.net_at = net_at,
		.tcp_at = net_at + len,
		.payload_at = (u16)(net_at + len + tcp),
		.size = size,
		.v6 = v6,
	};
	payload = p->len - s->payload_at;
	s->nr = payload ? (payload + size - 1) / size : 1;
	return s->nr > TUN_SEGMENTS_MOST || p->len - net_at > U16_MAX ? -EINVAL : 0;
}

static void fix_network(const struct tun_super *s, struct packet *q, u32 i)
{
	u8 *h = packet_data(q) + s->net_at;
	struct ip4_wire *ip = (struct ip4_wire *)h;

	if (s->v6) {
		be16 len = be16_make((u16)(q->len - s->net_at - IP6_HEADER));

		memcpy(h + IP6_LEN_AT, &len, sizeof(len));
		return;
	}
	ip->tot_len = be16_make((u16)(q->len - s->net_at));
	ip->id = be16_make((u16)(be16_get(ip->id) + i));
	ip4_set_csum(ip, s->tcp_at - s->net_at);
}

static void fix_tcp(const struct tun_super *s, struct packet *q, u32 i)
{
	const u8 *h = packet_data(q) + s->net_at;
	const struct ip4_wire *ip = (const struct ip4_wire *)h;
	struct tcp_wire *t = (struct tcp_wire *)(packet_data(q) + s->tcp_at);
	u32 len = q->len - s->tcp_at;

	t->seq = be32_make(be32_get(t->seq) + i * s->size);
	if (i != s->nr - 1)
		t->flags &= (u8) ~(TCP_FIN | TCP_PSH);
	if (i)
		t->flags &= (u8)~TCP_CWR;
	t->csum.v = csum_fold_raw(
		s->v6 ? csum_pseudo6(h + IP6_SRC_AT, h + IP6_DST_AT, TCP_PROTOCOL, len, 0) :
			csum_pseudo4(ip->src, ip->dst, TCP_PROTOCOL, len, 0));
	q->csum_state = PACKET_CSUM_PARTIAL;
	q->csum_start = (u16)(q->data + s->tcp_at);
	q->csum_off = offsetof(struct tcp_wire, csum);
}

struct packet *tun_super_segment(const struct tun_super *s, const struct packet *p, u32 i)
{
	u32 at = s->payload_at + i * s->size;
	struct packet *q = packet_clone(p, GFP_KERNEL);

	if (!q)
		return NULL;
	packet_drop_front(q, at);
	packet_trim(q, min_t(u32, q->len, s->size));
	memcpy(packet_push(q, s->payload_at), p->buf + p->data, s->payload_at);
	fix_network(s, q, i);
	fix_tcp(s, q, i);
	return q;
}
