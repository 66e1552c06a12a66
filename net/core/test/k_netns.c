// SPDX-License-Identifier: MIT
/* Network namespaces begin and end; what failed to begin is undone. */
#include <kernel/ktest.h>
#include <kernel/rcu.h>
#include <lib/err.h>
#include <net/netns.h>
#include <proc/cred.h>
#include <proc/upcalls.h>
#include <sched/completion.h>
#include <abi/errno.h>

static struct completion ended;
static struct net *watched;
static int begun, fail;

static int watch_init(struct net *net)
{
	if (net == &init_net)
		return 0;
	begun++;
	return fail;
}

static void watch_end(struct net *net)
{
	begun--;
	if (net == watched)
		complete(&ended);
}

static struct net_ops watch = { .init = watch_init, .end = watch_end };

KTEST(netns_begins_and_ends)
{
	static bool registered;
	struct net *net;

	init_completion(&ended);
	if (!registered)
		KT_EQ(net_register_ops(&watch), 0);
	registered = true;
	net = copy_net_ns(true, &init_net, &init_user_ns);
	KT_ASSERT(!IS_ERR(net) && net != &init_net && net->cookie != init_net.cookie &&
		  net->ino != init_net.ino);
	KT_EQ(begun, 1);
	watched = net;
	net_pin(net);
	put_net(net);
	wait_for_completion(&ended);
	KT_EQ(begun, 0);
	KT_ASSERT(!get_net_unless_zero(net));
	net_unpin(net);
	fail = -ENOMEM;
	KT_EQ(PTR_ERR(copy_net_ns(true, &init_net, &init_user_ns)), -ENOMEM);
	fail = 0;
	rcu_barrier();
}
