// SPDX-License-Identifier: MIT
/*
 * Control messages of IPPROTO_IPV6 (ipv6(7), RFC 3542). What is asked for of extension headers is
 * read out of the packet again, as it is asked for seldom.
 */
#include <lib/string.h>
#include <abi/errno.h>
#include <linux/ipv6.h>
#include "net/inet/cmsg.h"
#include "net/ip6/addr6.h"

/* Those that packets of both families have. */
static void of_both(struct inet_sock *s, struct sock_msg *m, struct packet *p)
{
	struct ip6_addr dst = packet_is_ip6(p) ?
				      ((const struct ip6_wire *)packet_net(p))->dst :
				      ip6_mapped(((const struct ip4_wire *)packet_net(p))->dst);
	struct sockaddr_in6 in;
	be16 port;

	if (inet_flag(s, INET6_C_PKTINFO)) {
		struct in6_pktinfo i = { .ipi6_ifindex = (int)p->iif };

		memcpy(&i.ipi6_addr, &dst, sizeof(dst));
		put_cmsg(m, IPPROTO_IPV6, IPV6_PKTINFO, sizeof(i), &i);
	}
	if (inet_flag(s, INET6_C_ORIGDST) && inet_packet_port(p, &port)) {
		inet6_put_name(&in, &dst, port, (int)p->iif);
		put_cmsg(m, IPPROTO_IPV6, IPV6_ORIGDSTADDR, sizeof(in), &in);
	}
	if (inet_flag(s, INET6_C_FRAGSIZE) && ip6_cb(p)->frag_size) {
		s32 size = ip6_cb(p)->frag_size;

		put_cmsg(m, IPPROTO_IPV6, IPV6_RECVFRAGSIZE, sizeof(size), &size);
	}
}

static void ext(struct sock_msg *m, struct packet *p, u16 at, int type)
{
	const u8 *h = packet_net(p) + at;

	if (at)
		put_cmsg(m, IPPROTO_IPV6, type, (h[1] + 1u) * 8, h);
}

static void extensions(struct inet_sock *s, struct sock_msg *m, struct packet *p)
{
	u32 n = ip6_cb(p)->transport_off;
	struct ip6_exts e;

	if (n <= IP6_HEADER || (u32)p->net_at + n > PACKET_BUF || ip6_walk(&e, packet_net(p), n))
		return;
	if (inet_flag(s, INET6_C_HOPOPTS))
		ext(m, p, e.hop_at, IPV6_HOPOPTS);
	if (inet_flag(s, INET6_C_RTHDR))
		ext(m, p, e.route_at, IPV6_RTHDR);
	if (inet_flag(s, INET6_C_DSTOPTS))
		ext(m, p, e.dst_at, IPV6_DSTOPTS);
}

void inet6_recv_cmsgs(struct inet_sock *s, struct sock_msg *m, struct packet *p)
{
	const struct ip6_wire *h = (const struct ip6_wire *)packet_net(p);
	s32 hops = h->hops, tclass = ip6_tclass(h);
	be32 flow;

	if (likely(!(READ_ONCE(s->flags) >> INET6_C_PKTINFO)))
		return;
	of_both(s, m, p);
	if (!packet_is_ip6(p))
		return;
	if (inet_flag(s, INET6_C_PKTINFO_OLD)) {
		struct in6_pktinfo i = { .ipi6_ifindex = (int)p->iif };

		memcpy(&i.ipi6_addr, &h->dst, sizeof(h->dst));
		put_cmsg(m, IPPROTO_IPV6, IPV6_2292PKTINFO, sizeof(i), &i);
	}
	if (inet_flag(s, INET6_C_HOPS))
		put_cmsg(m, IPPROTO_IPV6, IPV6_HOPLIMIT, sizeof(hops), &hops);
	if (inet_flag(s, INET6_C_HOPS_OLD))
		put_cmsg(m, IPPROTO_IPV6, IPV6_2292HOPLIMIT, sizeof(hops), &hops);
	if (inet_flag(s, INET6_C_TCLASS))
		put_cmsg(m, IPPROTO_IPV6, IPV6_TCLASS, sizeof(tclass), &tclass);
	flow = be32_make(be32_get(h->ver_class_flow) & 0xfffffff);
	if (inet_flag(s, INET6_C_FLOWINFO) && flow.v)
		put_cmsg(m, IPPROTO_IPV6, IPV6_FLOWINFO, sizeof(flow), &flow);
	extensions(s, m, p);
}

static int pktinfo(struct inet_sock *s, struct inet_cmsg *c, const u8 *data, size_t len)
{
	struct net *net = s->sk.net;
	struct netdev *d = NULL;
	struct in6_pktinfo i;
	int err = 0;

	if (len < sizeof(i))
		return -EINVAL;
	memcpy(&i, data, sizeof(i));
	memcpy(&c->src6, &i.ipi6_addr, sizeof(c->src6));
	if (i.ipi6_ifindex) {
		if (s->sk.bound_dev && s->sk.bound_dev != i.ipi6_ifindex)
			return -EINVAL;
		c->oif = i.ipi6_ifindex;
	}
	if (ip6_is_any(&c->src6))
		return 0;
	if (ip6_is_mapped(&c->src6)) {
		c->src = c->src6.w[3];
		return 0;
	}
	rcu_read_lock();
	d = c->oif ? netdev_by_index(net, c->oif) : NULL;
	if (c->oif && !d)
		err = -ENODEV;
	else if (ip6_is_link_local(&c->src6) && !d)
		err = -EINVAL;
	else if (!in6_is_local(net, &c->src6, ip6_is_link_local(&c->src6) ? d : NULL) &&
		 !inet_flag(s, INET_FREEBIND) && !inet_flag(s, INET_TRANSPARENT))
		err = -EINVAL;
	rcu_read_unlock();
	return err;
}

int inet6_send_cmsg(struct inet_sock *s, struct inet_cmsg *c, int type, const u8 *data, size_t len)
{
	s32 v = 0;

	if (type == IPV6_PKTINFO || type == IPV6_2292PKTINFO)
		return pktinfo(s, c, data, len);
	if (type == IPV6_FLOWINFO)
		return len < 4 ? -EINVAL : 0;
	if (len != sizeof(v))
		return -EINVAL;
	memcpy(&v, data, sizeof(v));
	switch (type) {
	case IPV6_HOPLIMIT:
	case IPV6_2292HOPLIMIT:
		if (v < -1 || v > 255)
			return -EINVAL;
		c->hops = v;
		return 0;
	case IPV6_TCLASS:
		if (v < -1 || v > 255)
			return -EINVAL;
		c->tclass = v;
		return 0;
	case IPV6_DONTFRAG:
		if (v < 0 || v > 1)
			return -EINVAL;
		c->dontfrag = v;
		return 0;
	}
	return -EINVAL;		/* extension headers cannot be sent yet */
}
