// SPDX-License-Identifier: MIT
/* The initial network namespace, which is the only one and never ends. */
#include <lib/types.h>
#include <kernel/bug.h>
#include <net/netns.h>
#include <net/sock.h>
#include <proc/cred.h>

struct net init_net = {
	.users = REFCOUNT_INIT(1), .pins = REFCOUNT_INIT(1), .user_ns = &init_user_ns, .cookie = 1, .conf = &init_net_conf,
};

void put_net(struct net *net)
{
	BUG_ON(refcount_dec_and_test(&net->users));
}

void net_unpin(struct net *net)
{
	BUG_ON(refcount_dec_and_test(&net->pins));
}
