// SPDX-License-Identifier: MIT
/*
 * Fragments of IPv6 (RFC 8200, 4.5; RFC 6946: one that is whole is no fragment to others). The
 * queues are those of IPv4; what is put together has lost its fragment header.
 */
#include <alloc/slab.h>
#include <abi/errno.h>
#include "net/ip4/frags.h"
#include "net/ip6/addr6.h"
#include "net/wire/icmp6.h"

static void finish(struct packet *out, const struct frag_info *f)
{
	struct ip6_wire *h = (struct ip6_wire *)packet_data(out);
	u32 payload = out->len - IP6_HEADER;

	h->payload = be16_make((u16)(payload > 65535 ? 0 : payload));
	packet_data(out)[f->next_at] = f->next;
}

static void expired(struct packet *first)
{
	icmp6_send(first, ICMP6_TIME_EXCEEDED, 1, 0);
}

static const struct frag_family family = { .timeout = IP6_REASM_TIMEOUT,
					   .oks = IP6_REASM_OKS,
					   .fails = IP6_REASM_FAILS,
					   .overlaps = IP6_IN_DISCARDS,
					   .exact = true,
					   .finish = finish,
					   .expired = expired };

static struct packet *fail(struct net *net, struct packet *p)
{
	net_count(net, IP6_REASM_FAILS);
	packet_free(p, DROP_FRAG);
	return NULL;
}

struct packet *ip6_reassemble(struct net *net, struct packet *p, const struct ip6_exts *e)
{
	const struct ip6_wire *h = (const struct ip6_wire *)packet_data(p);
	struct ip6_cb cb = *ip6_cb(p);
	struct ip6_net *n = net->ip6;
	struct frag_key k = { .src = h->src, .dst = h->dst };
	struct ip6_frag_wire w;
	struct frag_info f;
	struct packet *out;
	u32 longest, end;

	net_count(net, IP6_REASM_REQDS);
	if (!packet_need(p, (u16)(e->frag_at + sizeof(w))))
		return fail(net, p);
	memcpy(&w, packet_data(p) + e->frag_at, sizeof(w));
	f = (struct frag_info){ .off = be16_get(w.off) & IP6_OFFSET,
				.more = be16_get(w.off) & IP6_MF,
				.hdr = e->frag_at,
				.next_at = e->next_at,
				.next = w.next };
	k.id = w.id.v;
	if (ip6_needs_scope(&k.src) || ip6_needs_scope(&k.dst))
		k.iif = (int)p->iif;
	end = f.off + p->len - e->frag_at - (u32)sizeof(w);
	if (f.more && (p->len - e->frag_at) & 7) {
		icmp6_send(p, ICMP6_PARAMETER, IP6_BAD_FIELD, 4);
		return fail(net, p);
	}
	if (end + e->frag_at - IP6_HEADER > 65535) {
		icmp6_send(p, ICMP6_PARAMETER, IP6_BAD_FIELD, e->frag_at + 2u);
		return fail(net, p);
	}
	packet_pull(p, (u16)(e->frag_at + sizeof(w)));
	out = frags_add(n->frags, &k, p, &f, READ_ONCE(n->frag_high), READ_ONCE(n->frag_time_s),
			&longest);
	if (out) {
		cb.flags |= IP4_CB_REASSEMBLED;
		cb.frag_size = (u16)(longest + f.hdr + sizeof(w));
		*ip6_cb(out) = cb;
	}
	return out;
}

int ip6_frags_begin(struct net *net)
{
	struct frags *f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	int err;

	if (!f)
		return -ENOMEM;
	err = frags_begin(f, net, &family);
	if (err) {
		kfree(f);
		return err;
	}
	net->ip6->frags = f;
	return 0;
}

void ip6_frags_end(struct net *net)
{
	frags_end(net->ip6->frags);
	kfree(net->ip6->frags);
}
