// SPDX-License-Identifier: MIT
/*
 * Sending IPv6: the header, what loops back of groups, fragments, the next hop. Only who sends
 * fragments (RFC 8200, 4.5); identifications are random, so that nobody learns of other traffic.
 */
#include <lib/minmax.h>
#include <lib/string.h>
#include <kernel/bug.h>
#include <kernel/random.h>
#include <net/gso.h>
#include <abi/errno.h>
#include "net/core/stats.h"
#include "net/dev/if_flags.h"
#include "net/ip6/addr6.h"
#include "net/wire/csum.h"

/* To the link. P has its IP header. */
static int finish(struct net *net, struct packet *p, const struct ip6_route *r)
{
	net_count(net, IP6_OUT_TRANSMITS);
	net_count_add(net, IP6_OUT_OCTETS, p->len);
	/* An address of loopback's own: the receiver need not ask whose it is. */
	if (r->type == RTN_LOCAL && r->local_index == r->dev->ifindex)
		p->routed = RTN_LOCAL;
	return nd_send(net, p, r->dev, &r->next);
}

/* A fragment of P: LEN bytes of payload from OFF on, with the header of ID. NULL: no memory. */
static struct packet *slice(struct packet *p, u32 off, u32 len, bool more, be32 id)
{
	struct packet *f = packet_clone_front(p, IP6_HEADER, GFP_ATOMIC);
	struct ip6_frag_wire *w;
	struct ip6_wire *h;

	if (!f || !packet_append(f, p, IP6_HEADER + off, len)) {
		packet_free(f, DROP_NOMEM);
		return NULL;
	}
	packet_pull(f, IP6_HEADER);
	if (packet_headroom(f) < IP6_HEADER + sizeof(*w) &&
	    !packet_want_headroom(f, IP6_HEADER + sizeof(*w) + ETH_HLEN)) {
		packet_free(f, DROP_NOMEM);
		return NULL;
	}
	w = (struct ip6_frag_wire *)packet_push(f, sizeof(*w));
	*w = (struct ip6_frag_wire){ .next = ((struct ip6_wire *)packet_data(p))->next,
				     .off = be16_make((u16)(off | (more ? IP6_MF : 0))),
				     .id = id };
	h = (struct ip6_wire *)packet_push(f, IP6_HEADER);
	memcpy(h, packet_data(p), IP6_HEADER);
	h->next = IP6_FRAGMENT;
	h->payload = be16_make((u16)(len + sizeof(*w)));
	packet_set_net(f);
	f->csum_state = PACKET_CSUM_NONE;
	return f;
}

static int fragment(struct net *net, struct packet *p, const struct ip6_route *r)
{
	u32 payload = p->len - IP6_HEADER,
	    room = (r->mtu - IP6_HEADER - (u32)sizeof(struct ip6_frag_wire)) & ~7u;
	be32 id = be32_make(get_random_u32());
	int err = 0;

	if (!packet_csum_finish(p) || r->mtu < IP6_MTU_LEAST) {
		packet_free(p, DROP_BAD_HEADER);
		return -EINVAL;
	}
	for (u32 off = 0; off < payload && !err; off += room) {
		u32 len = min(payload - off, room);
		struct packet *f = slice(p, off, len, off + len < payload, id);

		if (!f) {
			err = -ENOMEM;
			break;
		}
		net_count(net, IP6_FRAG_CREATES);
		err = finish(net, f, r);
	}
	net_count(net, err ? IP6_FRAG_FAILS : IP6_FRAG_OKS);
	packet_free(p, err ? DROP_FRAG : DROP_CONSUMED);
	return err;
}

/* Those here that have joined the group get a copy. */
static void loop_back(struct packet *p, const struct ip6_route *r)
{
	struct packet *c;

	if (r->dev->flags & IFF_LOOPBACK)
		return;
	c = packet_clone(p, GFP_ATOMIC);
	if (!c)
		return;
	if (!packet_csum_finish(c)) {
		packet_free(c, DROP_BAD_HEADER);
		return;
	}
	c->dev = r->dev;
	c->pkt_type = PACKET_LOOPBACK;
	c->protocol = be16_make(ETH_P_IPV6);
	c->csum_state = PACKET_CSUM_VERIFIED;
	c->mac_at = c->data;
	net_local_receive(c);
}

/* Segments of P that are too long for R, one by one. */
static int output_segments(struct net *net, struct packet *p, const struct ip6_route *r)
{
	u32 nr = gso_segments(p);
	int err = 0;

	for (u32 i = 0; i < nr && !err; i++) {
		struct packet *q = gso_segment(p, i, GFP_ATOMIC);

		err = q ? fragment(net, q, r) : -ENOMEM;
	}
	packet_free(p, err ? DROP_FRAG : DROP_CONSUMED);
	return err;
}

int ip6_output(struct net *net, struct packet *p, const struct ip6_route *r)
{
	packet_set_net(p);
	p->protocol = be16_make(ETH_P_IPV6);
	p->dev = r->dev;
	if (r->type == RTN_MULTICAST)
		net_count(net, IP6_OUT_MCAST);
	if (packet_wire_len(p) > r->mtu) {
		if (p->iif && !p->sk) {		/* forwarded: nobody but its sender may */
			packet_free(p, DROP_TOO_BIG);
			return -EMSGSIZE;
		}
		return unlikely(p->gso_size) ? output_segments(net, p, r) : fragment(net, p, r);
	}
	return finish(net, p, r);
}

static u8 hops_of(struct net *net, const struct ip6_route *r, const struct ip6_tx *t)
{
	const struct in6_device *in = in6_dev(r->dev);
	int hops;

	if (t->hops >= 0)
		return (u8)t->hops;
	if (r->type == RTN_MULTICAST)
		return 1;
	hops = r->hoplimit ? (int)r->hoplimit :
	       in	   ? READ_ONCE(in->conf.hop_limit) :
			     READ_ONCE(net->ip6->conf_all.hop_limit);
	return (u8)clamp(hops, 1, 255);
}

int ip6_send(struct net *net, struct packet *p, const struct ip6_route *r, const struct ip6_tx *t)
{
	u32 len = p->len + IP6_HEADER;
	const struct in6_device *in = in6_dev(r->dev);
	struct ip6_wire *h;
	int err = 0;

	if (p->len > 65535 || (packet_wire_len(p) + IP6_HEADER > r->mtu && !t->fragment))
		err = -EMSGSIZE;
	else if (packet_headroom(p) < IP6_HEADER && !packet_want_headroom(p, IP6_HEADER + ETH_HLEN))
		err = -ENOMEM;
	net_count(net, IP6_OUT_REQUESTS);
	if (err) {
		packet_free(p, DROP_TOO_BIG);
		return err;
	}
	packet_set_transport(p);
	h = (struct ip6_wire *)packet_push(p, IP6_HEADER);
	*h = (struct ip6_wire){ .ver_class_flow = ip6_first_word(t->tclass, t->label),
				.payload = be16_make((u16)(len - IP6_HEADER)),
				.next = t->protocol,
				.hops = hops_of(net, r, t),
				.src = t->src,
				.dst = t->dst };
	packet_set_net(p);
	if (r->type == RTN_MULTICAST) {
		if (t->mc_loop && in && in6_group_joined(in, &t->dst, &t->src))
			loop_back(p, r);
		/* Of what lives for no hop, or stays in this machine, only the copy was meant. */
		if (!h->hops || (ip6_mc_scope(&t->dst) <= 1 && !(r->dev->flags & IFF_LOOPBACK))) {
			packet_consume(p);
			return 0;
		}
	}
	return ip6_output(net, p, r);
}
