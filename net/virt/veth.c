// SPDX-License-Identifier: MIT
/*
 * veth: two devices, each of which receives what the other sends; in two namespaces they are a
 * cable between them. Delivery is local (net_local_receive()).
 *
 * A peer is read under RCU, changed under rtnl. One end's unregistration takes the other along, in
 * one grace period.
 */
#include <lib/err.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/random.h>
#include <kernel/rcu.h>
#include <abi/errno.h>
#include "net/dev/if_flags.h"
#include "net/virt/virt.h"

struct veth {
	struct netdev __rcu *peer;
};

static struct netdev *peer_of(struct netdev *d)
{
	struct veth *v = d->priv;

	return rcu_dereference_raw(v->peer);
}

static enum netdev_xmit veth_xmit(struct netdev *d, struct packet *p, u16 queue, bool more)
{
	struct netdev *peer = peer_of(d);

	if (!peer || !(READ_ONCE(peer->flags) & IFF_UP) || !packet_need(p, ETH_HLEN)) {
		this_cpu_inc(d->stats->tx_dropped);
		packet_free(p, DROP_DEV_DOWN);
		return NETDEV_XMIT_OK;
	}
	if (p->len > READ_ONCE(peer->mtu) + ETH_HLEN && !p->gso) {
		this_cpu_inc(peer->stats->rx_dropped);
		packet_free(p, DROP_TOO_BIG);
		return NETDEV_XMIT_OK;
	}
	packet_orphan(p);
	p->routed = 0;
	p->mark = 0;
	eth_type_trans(p, peer);
	net_local_receive(p);
	return NETDEV_XMIT_OK;
}

/* Both ends have a carrier while both are up. */
static int veth_open(struct netdev *d)
{
	struct netdev *peer = peer_of(d);

	if (!peer)
		return -ENOTCONN;
	if (peer->flags & IFF_UP) {
		netdev_carrier(d, true);
		netdev_carrier(peer, true);
	}
	return 0;
}

static void veth_stop(struct netdev *d)
{
	struct netdev *peer = peer_of(d);

	netdev_carrier(d, false);
	if (peer)
		netdev_carrier(peer, false);
}

static void veth_remove(struct netdev *d, struct list_head *going)
{
	struct veth *v = d->priv;
	struct netdev *peer = peer_of(d);

	rtnl_assert();
	netdev_unregister_queue(d, going);
	if (!peer)
		return;
	RCU_INIT_POINTER(v->peer, NULL);
	RCU_INIT_POINTER(((struct veth *)peer->priv)->peer, NULL);
	if (!peer->dismantling)
		netdev_unregister_queue(peer, going);
}

static const struct netdev_ops veth_ops = { .open = veth_open,
					    .stop = veth_stop,
					    .xmit = veth_xmit };
static const struct netdev_kind veth_kind = { .name = "veth",
					      .remove = veth_remove,
					      .priv_size = sizeof(struct veth) };

static struct netdev *end_new(const char *name)
{
	struct netdev *d = netdev_alloc(sizeof(struct veth), name, 1, 1, &veth_ops);

	if (!d)
		return NULL;
	ether_setup(d);
	get_random_bytes(d->addr, ETH_ALEN);
	d->addr[0] = (u8)((d->addr[0] & ~1u) | 2);
	d->kind = &veth_kind;
	d->carrier = false;
	d->features = d->hw_features = NETDEV_F_CSUM | NETDEV_F_RXCSUM | NETDEV_F_SG |
				       NETDEV_F_TSO4 | NETDEV_F_TSO6 | NETDEV_F_NO_QUEUE;
	return d;
}

int veth_make(struct net *net, const char *name, struct net *peer_net, const char *peer_name)
{
	struct netdev *a = end_new(name), *b = end_new(peer_name);
	int err = -ENOMEM;

	rtnl_assert();
	if (!a || !b)
		goto fail;
	RCU_INIT_POINTER(((struct veth *)a->priv)->peer, b);
	RCU_INIT_POINTER(((struct veth *)b->priv)->peer, a);
	err = netdev_register(a, net);
	if (err)
		goto fail;
	err = netdev_register(b, peer_net);
	if (err) {
		RCU_INIT_POINTER(((struct veth *)a->priv)->peer, NULL);
		netdev_unregister(a);
		netdev_put(b);
		return err;
	}
	a->iflink = b->ifindex;
	b->iflink = a->ifindex;
	return 0;
fail:
	if (a)
		netdev_put(a);
	if (b)
		netdev_put(b);
	return err;
}
