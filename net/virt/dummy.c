// SPDX-License-Identifier: MIT
/*
 * dummy: a device that takes whatever it is sent and loses it. Its addresses are always there. As
 * it is loaded it makes `numdummies` of them in the initial namespace.
 */
#include <lib/err.h>
#include <kernel/module.h>
#include <kernel/random.h>
#include <abi/errno.h>
#include <net/kind.h>
#include "net/dev/if_flags.h"
#include "net/virt/virt.h"

static enum netdev_xmit dummy_xmit(struct netdev *d, struct packet *p, u16 queue, bool more)
{
	packet_consume(p);
	return NETDEV_XMIT_OK;
}

static int dummy_carrier(struct netdev *d, bool on)
{
	netdev_carrier(d, on);
	return 0;
}

static const struct netdev_ops dummy_ops = { .xmit = dummy_xmit, .set_carrier = dummy_carrier };

static struct netdev *dummy_make(struct net *net, const struct netdev_wish *w,
				 const struct nlattr *data, struct nla_error *e);
static struct netdev_kind dummy_kind = { .name = "dummy", .make = dummy_make };

static struct netdev *dummy_make(struct net *net, const struct netdev_wish *w,
				 const struct nlattr *data, struct nla_error *e)
{
	struct netdev *d = netdev_alloc(0, "dummy%d", 1, 1, &dummy_ops);
	int err;

	if (!d)
		return ERR_PTR(-ENOMEM);
	ether_setup(d);
	d->flags = (d->flags | IFF_NOARP) & ~(u32)IFF_MULTICAST;
	d->min_mtu = 0;
	d->max_mtu = U32_MAX >> 1;
	d->features = d->hw_features = NETDEV_F_CSUM | NETDEV_F_SG | NETDEV_F_TSO4 | NETDEV_F_TSO6 |
				       NETDEV_F_TSO_ECN | NETDEV_F_NO_QUEUE;
	d->kind = &dummy_kind;
	virt_random_addr(d);
	err = netdev_wish_apply(w, d, "dummy");
	if (!err)
		err = netdev_register(d, net);
	if (err) {
		netdev_put(d);
		return ERR_PTR(err);
	}
	return d;
}

static int numdummies = 1;

module_param(numdummies, int, 0);
MODULE_PARM_DESC(numdummies, "Number of dummy pseudo devices");
MODULE_LICENSE("MIT");
MODULE_DESCRIPTION("network devices that lose what they are sent");
MODULE_ALIAS("rtnl-link-dummy");

static int make_first(void)
{
	const struct netdev_wish w = {};
	struct nla_error *none = NULL;	/* no attributes, no error in them */
	struct netdev *d;

	rtnl_lock();
	d = dummy_make(&init_net, &w, NULL, none);
	rtnl_unlock();
	return IS_ERR(d) ? (int)PTR_ERR(d) : 0;
}

static int dummy_init(void)
{
	int err = netdev_kind_register(&dummy_kind);

	if (err)
		return err;
	for (int i = 0; i < numdummies && !err; i++)
		err = make_first();
	if (err)
		netdev_kind_unregister(&dummy_kind);
	return err;
}

static void dummy_exit(void)
{
	netdev_kind_unregister(&dummy_kind);
}

module_init(dummy_init);
module_exit(dummy_exit);
