// SPDX-License-Identifier: MIT
/* Segments that no full sock sends: for half-open connections, TIME-WAIT, and for nobody. */
#include <kernel/rcu.h>
#include <net/netdev.h>
#include <linux/if_packet.h>
#include "net/ip4/ip4_priv.h"
#include "net/route/in6_device.h"
#include "net/tcp/tcp_priv.h"

void tcp_reply(const struct inet_entry *e, u32 seq, u32 ack, u8 flags, u16 window,
	       const struct tcp_tx_options *o)
{
	struct packet *p = packet_alloc(GFP_ATOMIC);
	struct inet_way w;

	if (!p)
		return;
	if (inet_reply_way(e, IPPROTO_TCP, &w)) {
		packet_free(p, DROP_NO_ROUTE);
		return;
	}
	tcp_count_net(e->net, TCP_OUT_SEGS);
	if (flags & TCP_RST)
		tcp_count_net(e->net, TCP_OUT_RSTS);
	tcp_put_header(p, e, seq, ack, flags, window, 0, o);
	inet_way_send(e->net, p, &w);
}

/* What a packet was sent to is an address of ours. */
static bool is_ours(struct net *net, const struct inet_key *k)
{
	return k->v6 ? in6_is_local(net, &k->v6->local, NULL) :
		       route4_addr_type(net, k->local, NULL) == RTN_LOCAL;
}

void tcp_reply_reset(struct net *net, struct packet *p, const struct tcp_seg *s)
{
	struct inet_key k;
	struct inet_entry e;
	struct tcp_tx_options none = { 0 };

	if (s->flags & TCP_RST || p->pkt_type != PACKET_HOST)
		return;
	inet_key_received(&k, p, net, s->dst, s->src);
	if (!is_ours(net, &k))
		return;
	e = (struct inet_entry){ .net = net,
				 .local = k.local,
				 .peer = k.peer,
				 .local_port = s->dst,
				 .peer_port = s->src,
				 .v6 = k.v6 };
	if (k.v6 && ip6_needs_scope(&k.v6->peer))
		e.bound_dev = k.dif;
	if (s->flags & TCP_ACK)
		tcp_reply(&e, s->ack, 0, TCP_RST, 0, &none);
	else
		tcp_reply(&e, 0, s->end, TCP_RST | TCP_ACK, 0, &none);
}
