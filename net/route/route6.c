// SPDX-License-Identifier: MIT
/* Look-ups of IPv6: from what a packet has to where it goes. */
#include <lib/minmax.h>
#include <kernel/bug.h>
#include <abi/errno.h>
#include "net/dev/if_flags.h"
#include "net/route/fib6_priv.h"
#include "net/route/in6_device.h"

#define IP6_MTU_MOST 65575u	/* 65535 bytes behind the header */

bool route6_is_fresh(const struct net *net, const struct ip6_route *r)
{
	return r->gen && r->gen == smp_load_acquire(&net->fib6->gen);
}

static void fill(struct ip6_route *r, struct netdev *d, u8 type, const struct ip6_addr *dst,
		 const struct ip6_addr *src)
{
	const struct in6_device *in = in6_dev(d);
	u32 mtu = min(READ_ONCE(d->mtu), IP6_MTU_MOST);

	if (in && READ_ONCE(in->conf.mtu) >= (int)IP6_MTU_LEAST)
		mtu = min(mtu, (u32)READ_ONCE(in->conf.mtu));
	/* Own addresses are reached by lo, which may have a smaller MTU and no IPv6 of its own. */
	mtu = max(mtu, IP6_MTU_LEAST);
	*r = (struct ip6_route){
		.dev = d, .dst = *dst, .src = *src, .next = *dst, .type = type, .mtu = mtu
	};
}

static void fill_from(struct net *net, struct ip6_route *r, const struct fib6_route *f)
{
	const u32 *m = f->metrics;
	u32 learned;

	r->table = (u8)min(f->table, 255u);
	r->protocol = f->protocol;
	if (!ip6_is_any(&f->gateway)) {
		r->next = f->gateway;
		r->gateway = true;
	}
	if (m[RTAX_MTU])
		r->mtu = min(r->mtu, max(m[RTAX_MTU], IP6_MTU_LEAST));
	r->mtu_locked = m[RTAX_LOCK] & 1u << RTAX_MTU;
	r->advmss = m[RTAX_ADVMSS];
	r->window = m[RTAX_WINDOW];
	r->rtt = m[RTAX_RTT];
	r->hoplimit = m[RTAX_HOPLIMIT];
	r->initcwnd = m[RTAX_INITCWND];
	r->initrwnd = m[RTAX_INITRWND];
	learned = r->mtu_locked ? 0 : pmtu_of(&net->fib6->mtus, &r->dst);
	if (learned)
		r->mtu = min(r->mtu, max(learned, IP6_MTU_LEAST));
}

static int lookup_out(struct net *net, const struct ip6_flow *f, struct ip6_route *r)
{
	struct ip6_addr dst = ip6_is_any(&f->dst) ? IP6_LOOPBACK : f->dst, src = f->src;
	struct fib6_route *found;
	struct netdev *d;
	int err;

	if (f->oif) {
		d = netdev_by_index(net, f->oif);
		if (!d || !(READ_ONCE(d->flags) & IFF_UP) || !in6_dev(d))
			return -ENETUNREACH;
	}
	/* What is ours is ours by whatever device, but for addresses of one link. */
	found = fib6_find(rcu_dereference(net->fib6->local), &dst,
			  ip6_needs_scope(&dst) ? f->oif : 0, false);
	err = found && found->type != RTN_MULTICAST ?
		      0 :
		      fib6_lookup(net, &dst, f->oif, f->link, &found);
	if (err)
		return err;
	d = found->type == RTN_LOCAL ? net->loopback : found->dev;
	if (!d)
		return -ENETUNREACH;
	if (ip6_is_any(&src) && !ip6_is_any(&found->src) && found->type != RTN_LOCAL)
		src = found->src;
	else if (ip6_is_any(&src) && !in6_select_source(net, found->dev, &dst, f->prefer, &src))
		return -EADDRNOTAVAIL;
	/* ::1 is a source like others where nothing better is there; who receives it drops it. */
	fill(r, d, ip6_is_multicast(&dst) ? RTN_MULTICAST : found->type, &dst, &src);
	fill_from(net, r, found);
	if (found->type == RTN_LOCAL) {
		r->local_index = found->dev->ifindex;
		r->next = dst;
		r->gateway = false;
	}
	return 0;
}

int route6_out(struct net *net, const struct ip6_flow *f, struct ip6_route *r)
{
	u64 gen = smp_load_acquire(&net->fib6->gen);
	int err = lookup_out(net, f, r);

	r->gen = err ? 0 : gen;
	return err;
}

int route6_in(struct net *net, struct netdev *d, const struct ip6_addr *src,
	      const struct ip6_addr *dst, struct ip6_route *r)
{
	const struct in6_device *in = in6_dev(d);
	struct fib6_route *found;
	bool here = d->flags & IFF_LOOPBACK;
	int err;

	if (!in || READ_ONCE(in->conf.disable_ipv6))
		return -EHOSTUNREACH;
	if (ip6_is_multicast(dst)) {
		fill(r, d, RTN_MULTICAST, dst, dst);
		r->local_index = d->ifindex;
		return in6_group_joined(in, dst, src) ? 0 : -EHOSTUNREACH;
	}
	found = fib6_find(rcu_dereference(net->fib6->local), dst,
			  ip6_is_link_local(dst) && !here ? d->ifindex : 0, false);
	if (found && (found->type == RTN_LOCAL || found->type == RTN_ANYCAST)) {
		fill(r, d, found->type, dst, dst);
		r->local_index = here ? found->dev->ifindex : d->ifindex;
		return 0;
	}
	if (!READ_ONCE(in->conf.forwarding) || ip6_needs_scope(dst) || ip6_needs_scope(src))
		return -EHOSTUNREACH;
	err = fib6_lookup(net, dst, 0, false, &found);
	if (err)
		return err;
	if (found->type != RTN_UNICAST)
		return -EHOSTUNREACH;
	fill(r, found->dev, RTN_UNICAST, dst, src);
	fill_from(net, r, found);
	return 0;
}

u8 route6_addr_type(struct net *net, const struct ip6_addr *a, const struct netdev *dev)
{
	struct fib6_route *r;

	if (ip6_is_multicast(a))
		return RTN_MULTICAST;
	r = fib6_find(rcu_dereference(net->fib6->local), a, dev ? dev->ifindex : 0, false);
	return r ? r->type : RTN_UNICAST;
}

u64 route6_mtu_left_ns(struct net *net, const struct ip6_addr *dst)
{
	return pmtu_left_ns(&net->fib6->mtus, dst);
}

void route6_learn_mtu(struct net *net, const struct ip6_addr *dst, u32 mtu)
{
	pmtu_learn(&net->fib6->mtus, dst, mtu);
}
