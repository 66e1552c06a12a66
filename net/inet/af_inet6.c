// SPDX-License-Identifier: MIT
/*
 * What sockets of AF_INET6 have besides (ipv6(7)): names with scopes and mapped addresses, and
 * their part of what is kept for a socket.
 *
 * Ends that are mapped addresses are IPv4's: such a socket is in the tables as one of AF_INET, and
 * only names and control messages show what it was made as.
 */
#include <lib/string.h>
#include <alloc/slab.h>
#include <abi/errno.h>
#include "net/dev/if_flags.h"
#include "net/inet/inet_priv.h"
#include "net/ip6/addr6.h"
#include "net/wire/icmp.h"

be32 inet6_fold(const struct ip6_addr *a)
{
	return be32_make(ip6_is_any(a) ? 0 : in6_hash(a) ?: 1);
}

static void set_ends(struct inet_key *k, const struct ip6_addr *local, const struct ip6_addr *peer)
{
	k->pair.local = *local;
	k->pair.peer = *peer;
	k->v6 = &k->pair;
	k->local = inet6_fold(local);
	k->peer = inet6_fold(peer);
}

void inet6_key_received(struct inet_key *k, struct packet *p)
{
	const struct ip6_wire *ip = (const struct ip6_wire *)packet_net(p);

	set_ends(k, &ip->dst, &ip->src);
}

void inet_key_quoted(struct inet_key *k, const struct packet *p, struct net *net,
		     const struct icmp_quote *q, be16 local_port, be16 peer_port)
{
	*k = (struct inet_key){ .net = net,
				.local = q->src,
				.peer = q->dst,
				.local_port = local_port,
				.peer_port = peer_port,
				.dif = (int)p->iif };
	if (q->six)
		set_ends(k, &q->src6, &q->dst6);
}

int inet6_init_sock(struct inet_sock *s, gfp_t gfp)
{
	struct inet6_sock *six = kzalloc(sizeof(*six), gfp);

	if (!six)
		return -ENOBUFS;
	six->hops = six->mc_hops = -1;
	six->pmtudisc = IPV6_PMTUDISC_WANT;
	six->checksum_at = -1;
	INIT_LIST_HEAD(&six->mc);
	s->six = six;
	s->e.family = AF_INET6;
	s->e.v6 = &s->v6;
	s->flags |= 1ul << INET6_MC_LOOP | 1ul << INET6_MC_ALL;
	if (READ_ONCE(s->sk.net->ip6->bindv6only))
		s->flags |= 1ul << INET_V6ONLY;
	return 0;
}

/* ---- names ---- */

void inet6_put_name(struct sockaddr_in6 *in, const struct ip6_addr *a, be16 port, int device)
{
	memset(in, 0, sizeof(*in));
	in->sin6_family = AF_INET6;
	in->sin6_port = port.v;
	memcpy(&in->sin6_addr, a, sizeof(*a));
	if (ip6_needs_scope(a))
		in->sin6_scope_id = (u32)device;
}

/* IN, of AF_INET6, as a name: 0, -EINVAL, -EAFNOSUPPORT. */
static int decode(const struct sockaddr_in6 *in, int len, struct inet_name *n)
{
	if (len < INET6_NAME_LEAST)
		return -EINVAL;
	if (in->sin6_family != AF_INET6)
		return -EAFNOSUPPORT;
	*n = (struct inet_name){ .six = true, .port = { in->sin6_port } };
	memcpy(&n->v6, &in->sin6_addr, sizeof(n->v6));
	n->label = be32_get((be32){ in->sin6_flowinfo }) & 0xfffff;
	if (len >= (int)sizeof(*in) && ip6_needs_scope(&n->v6))
		n->scope = (int)in->sin6_scope_id;
	if (ip6_is_mapped(&n->v6)) {
		n->six = false;
		n->v4 = n->v6.w[3];
	}
	return 0;
}

/* Raw and ping sockets are of IPv6 alone. */
static bool may_be_mapped(const struct inet_sock *s)
{
	return s->sk.protocol == IPPROTO_UDP || s->sk.protocol == IPPROTO_TCP;
}

/* N, of IPv6, is an address of ours, on the device that goes with it. */
static int check_own(struct inet_sock *s, const struct inet_name *n)
{
	struct net *net = s->sk.net;
	struct netdev *d = NULL;
	int dev = n->scope ?: s->sk.bound_dev, err = 0;

	if (n->scope && s->sk.bound_dev && s->sk.bound_dev != n->scope)
		return -EINVAL;
	if (ip6_is_link_local(&n->v6) && !dev)
		return -EINVAL;
	rcu_read_lock();
	if (dev) {
		d = netdev_by_index(net, dev);
		err = d ? 0 : -ENODEV;
	}
	if (!err && !in6_is_local(net, &n->v6, d) && !READ_ONCE(net->ip6->ip_nonlocal_bind) &&
	    !inet_flag(s, INET_FREEBIND) && !inet_flag(s, INET_TRANSPARENT))
		err = -EADDRNOTAVAIL;
	rcu_read_unlock();
	return err;
}

int inet6_check_bind(struct inet_sock *s, const struct sockaddr_in6 *in, int len,
		     struct inet_name *n)
{
	int err = decode(in, len, n);

	if (err)
		return err;
	if (!n->six)
		return inet_flag(s, INET_V6ONLY) || !may_be_mapped(s) ? -EINVAL : 0;
	if (ip6_is_multicast(&n->v6))
		return s->sk.type == SOCK_STREAM ? -EINVAL : 0;
	return ip6_is_any(&n->v6) ? 0 : check_own(s, n);
}

int inet6_check_peer(struct inet_sock *s, const struct sockaddr_in6 *in, int len,
		     struct inet_name *n)
{
	int err = decode(in, len, n);

	if (err)
		return err;
	if (!n->six && !may_be_mapped(s))
		return -EINVAL;
	if (!n->six && inet_flag(s, INET_V6ONLY))
		return -ENETUNREACH;
	/* "Any" is this host, of the family that the socket is bound to. */
	if (n->six && ip6_is_any(&n->v6)) {
		n->v6 = IP6_LOOPBACK;
		if (!inet_is_six(s) && s->e.local.v) {
			n->six = false;
			n->v4 = be32_make(0x7f000001);
		}
	}
	return 0;
}

/* ---- what is kept ---- */

void inet6_flow_of(const struct inet_sock *s, struct ip6_flow *f)
{
	*f = (struct ip6_flow){ .oif = s->sk.bound_dev,
				.mark = s->sk.mark,
				.prefer = s->six->prefer,
				.tclass = s->six->tclass,
				.protocol = (u8)s->sk.protocol,
				.link = sock_flag(&s->sk, SOCK_F_DONTROUTE),
				.uid = s->sk.uid };
}

int ip6_sock_route(struct inet_sock *s)
{
	struct net *net = s->sk.net;
	struct ip6_flow f;

	if (likely(route6_is_fresh(net, &s->six->route)))
		return 0;
	inet6_flow_of(s, &f);
	f.dst = s->v6.peer;
	f.src = s->six->saddr;
	return route6_out(net, &f, &s->six->route);
}

void inet6_tx_of(const struct inet_sock *s, struct ip6_tx *t)
{
	const struct inet6_sock *six = s->six;

	*t = (struct ip6_tx){
		.tclass = six->tclass,
		.hops = six->hops,
		.protocol = (u8)s->sk.protocol,
		.fragment = six->pmtudisc != IPV6_PMTUDISC_DO &&
			    six->pmtudisc != IPV6_PMTUDISC_PROBE && !inet_flag(s, INET6_DONTFRAG),
		.mc_loop = inet_flag(s, INET6_MC_LOOP),
		.label = inet_flag(s, INET6_FLOWINFO_SEND) ? six->label : 0,
		.src = six->saddr,
		.dst = s->v6.peer,
	};
}
