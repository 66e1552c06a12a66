// SPDX-License-Identifier: MIT
/* Send queues hand over all that the driver takes; a namespace that ends forgets its lo. */
#include <lib/err.h>
#include <alloc/slab.h>
#include <kernel/ktest.h>
#include <kernel/rcu.h>
#include <proc/cred.h>
#include <proc/upcalls.h>
#include <sched/task.h>
#include <abi/errno.h>
#include "net/dev/dev_priv.h"
#include "net/dev/if_flags.h"
#include "net/wire/eth.h"

#define WAITING 200u

/* A driver whose ring is full until it is told that it is not. */
struct ring {
	bool full;
	bool more;			/* what the last packet's caller said */
	unsigned int nr;
};

static enum netdev_xmit ring_xmit(struct netdev *d, struct packet *p, u16 queue, bool more)
{
	struct ring *r = d->priv;

	if (r->full) {
		netdev_stop_queue(d, queue);
		return NETDEV_XMIT_BUSY;
	}
	r->more = more;
	r->nr++;
	packet_consume(p);
	return NETDEV_XMIT_OK;
}

static const struct netdev_ops ring_ops = { .xmit = ring_xmit };

static int send(struct netdev *d)
{
	struct packet *p = packet_alloc(GFP_KERNEL);
	int err;

	if (!p)
		return -ENOMEM;
	p->dev = d;
	rcu_read_lock();
	err = dev_hard_header(p, d, ETH_P_IP, NULL, NULL) ?: dev_queue_xmit(p);
	rcu_read_unlock();
	return err;
}

KTEST(dev_queue_drains)
{
	struct netdev *d = netdev_alloc(sizeof(struct ring), "ring%d", 1, 1, &ring_ops);
	struct ring *r;

	KT_ASSERT(d);
	r = d->priv;
	ether_setup(d);
	d->flags |= IFF_NOARP; /* the kernel sends nothing of its own: no MLD, no DAD */
	rtnl_lock();
	KT_EQ(netdev_register(d, &init_net), 0);
	KT_EQ(netdev_open(d), 0);
	r->full = true;
	for (unsigned int i = 0; i < WAITING; i++)
		KT_EQ(send(d), 0);
	KT_EQ(r->nr, 0);
	KT_EQ(d->tx[0].waiting.nr, WAITING);
	r->full = false;
	netdev_wake_queue(d, 0);
	KT_EQ(r->nr, WAITING);
	KT_EQ(d->tx[0].waiting.nr, 0);
	KT_ASSERT(!r->more);
	netdev_unregister(d);
	rtnl_unlock();
}

KTEST(dev_loopback_ends)
{
	struct net *net = copy_net_ns(true, &init_net, &init_user_ns);

	KT_ASSERT(!IS_ERR(net) && net->loopback);
	net_pin(net);
	put_net(net);
	while (READ_ONCE(net->loopback))
		schedule_timeout_uninterruptible(1);
	net_unpin(net);
}
