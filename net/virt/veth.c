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
#include <net/gso.h>
#include <abi/errno.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
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
	if (packet_wire_len(p) > READ_ONCE(peer->mtu) + ETH_HLEN) {
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

static const struct netdev_ops veth_ops = {
	.open = veth_open, .stop = veth_stop, .xmit = veth_xmit, .link = peer_of
};

static struct netdev *make(struct net *net, const struct netdev_wish *w, const struct nlattr *data,
			   struct nla_error *e);
static struct netdev_kind veth_kind = { .name = "veth", .make = make, .remove = veth_remove };

/* ERR_PTR. */
static struct netdev *end_new(const struct netdev_wish *w)
{
	struct netdev *d = netdev_alloc(sizeof(struct veth), "veth%d", 1, 1, &veth_ops);
	int err;

	if (!d)
		return ERR_PTR(-ENOMEM);
	if (w->named && !w->name[0]) {
		netdev_put(d);
		return ERR_PTR(-EINVAL);
	}
	ether_setup(d);
	virt_random_addr(d);
	d->kind = &veth_kind;
	d->carrier = false;
	d->features = d->hw_features = NETDEV_F_CSUM | NETDEV_F_RXCSUM | NETDEV_F_SG |
				       NETDEV_F_TSO4 | NETDEV_F_TSO6 | NETDEV_F_TSO_ECN |
				       NETDEV_F_NO_QUEUE;
	err = netdev_wish_apply(w, d, "veth");
	if (err) {
		netdev_put(d);
		return ERR_PTR(err);
	}
	return d;
}

/* The peer first, as on Linux: its number is the lower one. A is the end that was asked for. */
static int pair_register(struct netdev *a, struct net *net, struct netdev *b, struct net *peer_net)
{
	int err;

	RCU_INIT_POINTER(((struct veth *)a->priv)->peer, b);
	RCU_INIT_POINTER(((struct veth *)b->priv)->peer, a);
	err = netdev_register(b, peer_net);
	if (err)
		return err;
	err = netdev_register(a, net);
	if (err) {
		RCU_INIT_POINTER(((struct veth *)b->priv)->peer, NULL);
		netdev_get(b);		/* stays the caller's */
		netdev_unregister(b);
		return err;
	}
	return 0;
}

struct netdev *veth_make(struct net *net, const struct netdev_wish *w, struct net *peer_net,
			 const struct netdev_wish *peer)
{
	struct netdev *a, *b;
	int err;

	rtnl_assert();
	a = end_new(w);
	if (IS_ERR(a))
		return a;
	b = end_new(peer);
	if (IS_ERR(b)) {
		netdev_put(a);
		return b;
	}
	err = pair_register(a, net, b, peer_net);
	if (!err)
		return a;
	netdev_put(a);
	netdev_put(b);
	return ERR_PTR(err);
}

/* IFLA_INFO_DATA: VETH_INFO_PEER, which is the head and the attributes of another link. */
static struct netdev *make(struct net *net, const struct netdev_wish *w, const struct nlattr *data,
			   struct nla_error *e)
{
	static const struct nla_rule rules[VETH_INFO_MAX + 1] = {
		[VETH_INFO_PEER] = { NLA_K_LEAST, sizeof(struct ifinfomsg) },
	};
	const struct nlattr *tb[VETH_INFO_MAX + 1] = {}, *ptb[IFLA_MAX + 1] = {};
	struct netdev_wish peer = {};
	struct net *peer_net;
	struct netdev *d;
	int err = 0;

	if (data)
		err = nla_parse(tb, VETH_INFO_MAX, nla_data(data), nla_len(data), rules, true, e);
	if (!err && tb[VETH_INFO_PEER])
		err = nla_parse(ptb, IFLA_MAX,
				(const u8 *)nla_data(tb[VETH_INFO_PEER]) + sizeof(struct ifinfomsg),
				nla_len(tb[VETH_INFO_PEER]) - sizeof(struct ifinfomsg),
				netdev_link_rules, true, e);
	if (!err)
		err = netdev_wish_parse(&peer, ptb, e);
	if (err)
		return ERR_PTR(err);
	peer_net = netdev_wish_net(ptb);
	if (IS_ERR(peer_net))
		return ERR_CAST(peer_net);
	d = veth_make(net, w, peer_net ?: net, &peer);
	put_net(peer_net);
	return d;
}

static int veth_init(void)
{
	if (netdev_kind_register(&veth_kind))
		return -EEXIST;
	return 0;
}
INITCALL(fs, veth_init);
