// SPDX-License-Identifier: MIT
/*
 * Sending IPv4: the header, what loops back of groups and broadcasts, fragments, the next hop.
 *
 * Identification matters for what may be fragmented (RFC 6864): such packets take it from one of
 * IDENTS counters, chosen by a keyed hash of addresses and protocol, so that one peer learns
 * nothing of the traffic with another.
 */
#include <lib/siphash.h>
#include <lib/string.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/random.h>
#include <net/gso.h>
#include <abi/errno.h>
#include "net/core/stats.h"
#include "net/dev/if_flags.h"
#include "net/ip4/addr.h"
#include "net/ip4/ip4_priv.h"
#include "net/ip4/options.h"
#include "net/neigh/neigh.h"
#include "net/wire/csum.h"

#define IDENTS 2048u

static atomic_t idents[IDENTS];
static struct siphash_key ident_key __ro_after_init;

u16 ip4_next_id(const struct net *net, be32 src, be32 dst, u8 protocol)
{
	const u64 w[2] = { (u64)src.v << 32 | dst.v, net->cookie << 8 | protocol };

	return (u16)atomic_inc_return(&idents[siphash_13(&ident_key, w, 2) % IDENTS]);
}

/* To the link. P has its IP header. */
static int finish(struct net *net, struct packet *p, const struct ip4_route *r)
{
	net_count(net, IP_OUT_TRANSMITS);
	net_count_add(net, IPEXT_OUT_OCTETS, p->len);
	if (r->type == RTN_LOCAL)
		p->routed = RTN_LOCAL;
	return arp_send(net, p, r->dev, r->next);
}

/* A fragment of P, which has HDR bytes of header: LEN bytes of payload from OFF on. NULL. */
static struct packet *slice(const struct packet *p, u32 hdr, u32 off, u32 len)
{
	struct packet *f = packet_clone_front(p, (u16)hdr, GFP_ATOMIC);

	if (!f || !packet_append(f, p, hdr + off, len)) {
		packet_free(f, DROP_NOMEM);
		return NULL;
	}
	packet_set_net(f);
	f->csum_state = PACKET_CSUM_NONE;
	return f;
}

static int fragment(struct net *net, struct packet *p, const struct ip4_route *r)
{
	struct ip4_wire *h = (struct ip4_wire *)packet_data(p);
	u32 hdr = ip4_header_len(h), payload = p->len - hdr, room = (r->mtu - hdr) & ~7u,
	    base = be16_get(h->frag);
	int err = 0;

	if (!packet_csum_finish(p) || r->mtu < hdr + 8) {
		packet_free(p, DROP_BAD_HEADER);
		return -EINVAL;
	}
	for (u32 off = 0; off < payload && !err; off += room) {
		u32 len = payload - off < room ? payload - off : room;
		struct packet *f = slice(p, hdr, off, len);
		struct ip4_wire *w;

		if (!f) {
			err = -ENOMEM;
			break;
		}
		w = (struct ip4_wire *)packet_data(f);
		w->tot_len = be16_make((u16)(hdr + len));
		w->frag = be16_make((u16)((base & ~(u32)IP4_DF) + off / 8) |
				    (off + len < payload ? IP4_MF : 0));
		ip4_set_csum(w, hdr);
		if (!off)
			ip4_options_for_fragments(packet_data(p) + IP4_HEADER, hdr - IP4_HEADER);
		net_count(net, IP_FRAG_CREATES);
		err = finish(net, f, r);
	}
	net_count(net, err ? IP_FRAG_FAILS : IP_FRAG_OKS);
	packet_free(p, err ? DROP_FRAG : DROP_CONSUMED);
	return err;
}

/* Those here that have joined the group, and hear broadcasts, get a copy. */
static void loop_back(struct net *net, struct packet *p, const struct ip4_route *r)
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
	c->protocol = be16_make(ETH_P_IP);
	c->csum_state = PACKET_CSUM_VERIFIED;
	c->mac_at = c->data;
	c->routed = r->type;		/* our own address as source is right here */
	net_local_receive(c);
}

/* Segments of P that are too long for R, one by one. */
static int output_segments(struct net *net, struct packet *p, const struct ip4_route *r)
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

int ip4_output(struct net *net, struct packet *p, const struct ip4_route *r)
{
	struct ip4_wire *h = (struct ip4_wire *)packet_data(p);

	packet_set_net(p);
	p->protocol = be16_make(ETH_P_IP);
	p->dev = r->dev;
	if (r->type == RTN_MULTICAST)
		net_count(net, IPEXT_OUT_MCAST);
	else if (r->type == RTN_BROADCAST)
		net_count(net, IPEXT_OUT_BCAST);
	if (packet_wire_len(p) > r->mtu) {
		if (be16_get(h->frag) & IP4_DF) {
			net_count(net, IP_FRAG_FAILS);
			packet_free(p, DROP_TOO_BIG);
			return -EMSGSIZE;
		}
		return unlikely(p->gso_size) ? output_segments(net, p, r) : fragment(net, p, r);
	}
	return finish(net, p, r);
}

static void header(struct net *net, struct packet *p, const struct ip4_route *r,
		   const struct ip4_tx *t, bool df)
{
	u8 olen = t->opt ? t->opt->len : 0;
	u32 hdr = IP4_HEADER + olen;
	struct ip4_wire *h = (struct ip4_wire *)packet_push(p, (u16)hdr);

	*h = (struct ip4_wire){
		.ver_ihl = (u8)(0x40 | hdr / 4),
		.tos = t->tos,
		.tot_len = be16_make((u16)p->len),
		.protocol = t->protocol,
		.src = t->src,
		.dst = t->dst,
		.frag = be16_make(df ? IP4_DF : 0),
		.ttl = t->ttl >= 0 ? (u8)t->ttl :
				     (u8)(r->hoplimit ?: (u32)READ_ONCE(net->ip4->default_ttl)),
	};
	if (olen)
		memcpy(h + 1, t->opt->bytes, olen);
	/* One that is not fragmented here, but may be (without DF), has an id too, as on Linux. */
	h->id = be16_make(t->id || (df && !t->fragment) ?
				  t->id :
				  ip4_next_id(net, t->src, t->dst, t->protocol));
	ip4_set_csum(h, hdr);
}

int ip4_send(struct net *net, struct packet *p, const struct ip4_route *r, const struct ip4_tx *t)
{
	u32 hdr = IP4_HEADER + (t->opt ? t->opt->len : 0u), len = p->len + hdr;
	bool fits = packet_wire_len(p) + hdr <= r->mtu;
	struct ip4_tx group = *t;
	int err = 0;

	if (len > 65535 || (!fits && !t->fragment))
		err = -EMSGSIZE;
	else if (packet_headroom(p) < hdr && !packet_want_headroom(p, (u16)(hdr + ETH_HLEN)))
		err = -ENOMEM;
	net_count(net, IP_OUT_REQUESTS);
	if (err) {
		packet_free(p, DROP_TOO_BIG);
		return err;
	}
	packet_set_transport(p);
	if (r->type == RTN_MULTICAST && t->ttl < 0)
		group.ttl = 1;
	header(net, p, r, &group, t->df && fits);
	packet_set_net(p);
	if (r->type == RTN_BROADCAST || (r->type == RTN_MULTICAST && t->mc_loop && in_dev(r->dev) &&
					 in_group_joined(in_dev(r->dev), t->dst, t->src)))
		loop_back(net, p, r);
	/* Of what lives for no hop only the copy here was meant. */
	if (r->type == RTN_MULTICAST && !((struct ip4_wire *)packet_data(p))->ttl) {
		packet_consume(p);
		return 0;
	}
	return ip4_output(net, p, r);
}

static int output_init(void)
{
	get_random_bytes(&ident_key, sizeof(ident_key));
	for (unsigned int i = 0; i < IDENTS; i++)
		atomic_set(&idents[i], (int)get_random_u32());
	return 0;
}
INITCALL(fs, output_init);
