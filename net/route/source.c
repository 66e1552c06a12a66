// SPDX-License-Identifier: MIT
/* Which address of ours a packet has as source. */
#include "net/dev/if_flags.h"
#include "net/route/fib4_priv.h"
#include "net/route/in_device.h"
#include "net/wire/ip4.h"

#define DEVS_TRIED 256

static be32 of_device(const struct in_device *in, be32 dst, u8 scope)
{
	struct in_addr4 *a;
	be32 first = {};

	list_for_each_entry_rcu(a, &in->addrs, list) {
		if (a->flags & IFA_F_SECONDARY || a->scope > scope)
			continue;
		if (!dst.v || !((a->peer.v ^ dst.v) & ip4_mask(a->bits).v))
			return a->local;
		if (!first.v)
			first = a->local;
	}
	return first;
}

be32 in_select_source(struct netdev *d, be32 dst, u8 scope)
{
	const struct in_device *in = in_dev(d);
	be32 a = in ? of_device(in, dst, scope) : be32_make(0);
	struct net *net = d->net;
	struct netdev *o;
	unsigned int tried = 0;

	if (a.v)
		return a;
	/* Of another device: the first of DEVS_TRIED that has one. */
	list_for_each_entry_rcu(o, &net->devs, list) {
		if (tried++ == DEVS_TRIED)
			break;
		in = in_dev(o);
		if (!in)
			continue;
		a = of_device(in, be32_make(0), scope < RT_SCOPE_LINK ? scope : RT_SCOPE_LINK - 1);
		if (a.v)
			return a;
	}
	return be32_make(0);
}

bool in_group_joined(const struct in_device *in, be32 group, be32 src)
{
	struct ip6_addr g = ip6_mapped(group), s = ip6_mapped(src);

	return mc_wants(&in->mc, &g, src.v ? &s : NULL);
}

bool in_is_local(struct net *net, be32 a)
{
	struct fib4_route *r;
	bool is;

	rcu_read_lock();
	r = fib4_find(rcu_dereference(net->fib4->local), a, 0, 0, RT_SCOPE_UNIVERSE);
	is = r && r->type == RTN_LOCAL;
	rcu_read_unlock();
	return is;
}
