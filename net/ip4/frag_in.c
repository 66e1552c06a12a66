// SPDX-License-Identifier: MIT
/* Fragments of IPv4: what net/ip4/frags.c puts together is a packet with one header again. */
#include <alloc/slab.h>
#include <abi/errno.h>
#include "net/ip4/addr.h"
#include "net/ip4/frags.h"
#include "net/ip4/ip4_priv.h"

static void finish(struct packet *out, const struct frag_info *f)
{
	struct ip4_wire *h = (struct ip4_wire *)packet_data(out);

	/*
	 * What is too long for a header is cut by the check that follows: no such packet was sent.
	 */
	h->tot_len = be16_make((u16)(out->len > 65535 ? 0 : out->len));
	h->frag = be16_make(be16_get(h->frag) & IP4_DF);
	ip4_set_csum(h, f->hdr);
}

static void expired(struct packet *first)
{
	icmp_send(first, 11 /* time exceeded */, 1, 0);
}

static const struct frag_family family = { .timeout = IP_REASM_TIMEOUT,
					   .oks = IP_REASM_OKS,
					   .fails = IP_REASM_FAILS,
					   .overlaps = IPEXT_REASM_OVERLAPS,
					   .finish = finish,
					   .expired = expired };

struct packet *ip4_reassemble(struct net *net, struct packet *p)
{
	struct ip4_wire *h = (struct ip4_wire *)packet_data(p);
	struct ip4_net *n = net->ip4;
	struct ip4_cb cb = *ip4_cb(p);
	struct frag_key k = { ip6_mapped(h->src), ip6_mapped(h->dst), h->id.v, h->protocol,
			      ip4_is_link_local(h->src) || ip4_is_multicast(h->dst) ? (int)p->iif :
										      0 };
	struct frag_info f = { .off = ip4_offset(h),
			       .more = be16_get(h->frag) & IP4_MF,
			       .hdr = (u16)ip4_header_len(h) };
	struct packet *out;
	u32 longest;

	net_count(net, IP_REASM_REQDS);
	packet_pull(p, f.hdr);
	if (f.hdr + f.off + p->len > 65535) {
		net_count(net, IP_REASM_FAILS);
		packet_free(p, DROP_FRAG);
		return NULL;
	}
	out = frags_add(n->frags, &k, p, &f, READ_ONCE(n->frag_high), READ_ONCE(n->frag_time_s),
			&longest);
	if (out) {
		cb.flags |= IP4_CB_REASSEMBLED;
		cb.frag_size = (u16)(longest + IP4_HEADER);
		*ip4_cb(out) = cb;
	}
	return out;
}

/* ---- life ---- */

int ip4_frags_begin(struct net *net)
{
	struct frags *f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);

	if (!f)
		return -ENOMEM;
	net->ip4->frags = f;
	net->ip4->frag_high = 4 << 20;
	net->ip4->frag_low = 3 << 20;
	net->ip4->frag_time_s = 30;
	net->ip4->frag_max_dist = 64;
	return frags_begin(f, net, &family);
}

void ip4_frags_end(struct net *net)
{
	struct frags *f = net->ip4->frags;

	if (!f)
		return;
	frags_end(f);
	net->ip4->frags = NULL;
	kfree(f);
}
