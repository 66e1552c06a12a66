// SPDX-License-Identifier: MIT
/*
 * The number of learned MTUs has a limit, and the newest are kept. A cached route that is stale
 * stays stale.
 */
#include <lib/err.h>
#include <kernel/ktest.h>
#include <kernel/rcu.h>
#include <proc/cred.h>
#include <proc/upcalls.h>
#include <abi/errno.h>
#include "net/route/fib4_priv.h"
#include "net/route/fib6_priv.h"

#define LEARNED 5000u

static u32 mtu_of(struct net *net, u32 dst)
{
	u32 mtu;

	rcu_read_lock();
	mtu = fib4_mtu_of(net->fib4, be32_make(dst));
	rcu_read_unlock();
	return mtu;
}

KTEST(route_learned_mtus)
{
	struct net *net = copy_net_ns(true, &init_net, &init_user_ns);

	KT_ASSERT(!IS_ERR(net));
	for (u32 i = 0; i < LEARNED; i++) {
		rcu_read_lock();
		route4_learn_mtu(net, be32_make(0x0a000000 + i), 600 + i);
		rcu_read_unlock();
	}
	KT_EQ(ghash_count(&net->fib4->mtus.hash), 4096);
	KT_EQ(mtu_of(net, 0x0a000000), 0);
	KT_EQ(mtu_of(net, 0x0a000000 + LEARNED - 1), 600 + LEARNED - 1);
	rcu_read_lock();
	route4_learn_mtu(net, be32_make(0x0a000000 + LEARNED - 1), 700);
	rcu_read_unlock();
	KT_EQ(mtu_of(net, 0x0a000000 + LEARNED - 1), 700);
	KT_EQ(ghash_count(&net->fib4->mtus.hash), 4096);
	put_net(net);
}

/* A cached route is stale after 2^32 changes, too. */
KTEST(route_kept_for_long)
{
	struct net *net = copy_net_ns(true, &init_net, &init_user_ns);
	struct ip4_route r4 = { .gen = 1 };
	struct ip6_route r6 = { .gen = 1 };

	KT_ASSERT(!IS_ERR(net));
	rtnl_lock();
	net->fib4->gen = net->fib6->gen = 1;
	KT_ASSERT(route4_is_fresh(net, &r4));
	KT_ASSERT(route6_is_fresh(net, &r6));
	net->fib4->gen = net->fib6->gen = U32_MAX;
	for (int i = 0; i < 2; i++) {
		fib4_changed(net);
		fib6_changed(net);
		KT_ASSERT(!route4_is_fresh(net, &r4));
		KT_ASSERT(!route6_is_fresh(net, &r6));
	}
	rtnl_unlock();
	put_net(net);
}
