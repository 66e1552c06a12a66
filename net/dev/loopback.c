// SPDX-License-Identifier: MIT
/* lo: what is sent comes back. Each namespace has one, its first device; it goes last. */
#include <lib/err.h>
#include <kernel/bug.h>
#include <abi/errno.h>
#include "net/dev/dev_priv.h"
#include "net/dev/if_flags.h"

#define LOOPBACK_MTU 65536

static enum netdev_xmit loopback_xmit(struct netdev *d, struct packet *p, u16 queue, bool more)
{
	packet_orphan(p);
	eth_type_trans(p, d);
	net_local_receive(p);
	return NETDEV_XMIT_OK;
}

static const struct netdev_ops loopback_ops = { .xmit = loopback_xmit };

int loopback_begin(struct net *net)
{
	struct netdev *d = netdev_alloc(0, "lo", 1, 1, &loopback_ops);
	int err;

	if (!d)
		return -ENOMEM;
	ether_setup(d);
	d->type = ARPHRD_LOOPBACK;
	d->flags = IFF_LOOPBACK;
	d->mtu = LOOPBACK_MTU;
	d->min_mtu = 0;
	d->max_mtu = U32_MAX >> 1;
	d->features = d->hw_features = NETDEV_F_CSUM | NETDEV_F_RXCSUM | NETDEV_F_SG |
				       NETDEV_F_TSO4 | NETDEV_F_TSO6 | NETDEV_F_TSO_ECN |
				       NETDEV_F_LOCAL | NETDEV_F_NO_QUEUE;
	__builtin_memset(d->broadcast, 0, ETH_ALEN);
	rtnl_lock();
	err = netdev_register(d, net);
	if (!err)
		net->loopback = d;
	rtnl_unlock();
	if (err)
		netdev_put(d);
	return err;
}
