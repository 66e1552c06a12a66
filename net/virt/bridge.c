// SPDX-License-Identifier: MIT
/*
 * The bridge as a device, and its ports as they come and go: bridge.h. All of this is under rtnl.
 */
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/module.h>
#include <kernel/rcu.h>
#include <net/netlink.h>
#include <net/nlattr.h>
#include <abi/errno.h>
#include "net/dev/if_flags.h"
#include "net/virt/bridge.h"
#include "net/virt/virt.h"

#define TICK_NS 10000000u		/* programs count ages in 1/100 s */
#define ATTR_MOST IFLA_BR_FDB_MAX_LEARNED

static struct netdev_kind bridge_kind;

static struct bridge *bridge_of(struct netdev *d)
{
	return d->priv;
}

static struct bridge_port *port_of(struct netdev *d)
{
	return rcu_dereference_raw(d->port);
}

/* ---- what follows the ports ---- */

/* A bridge that never had a port has a carrier, one that lost its ports has none, as on Linux. */
static void follow_carrier(struct bridge *b)
{
	struct bridge_port *p;
	bool on = false;

	if (!b->had_ports)
		return;
	list_for_each_entry(p, &b->ports, list)
		on |= p->dev->flags & IFF_UP && READ_ONCE(p->dev->carrier);
	netdev_carrier(b->dev, on && b->dev->flags & IFF_UP);
}

/* The bridge has the lowest of its ports' addresses. */
static void follow_addr(struct bridge *b)
{
	const u8 *lowest = NULL;
	struct bridge_port *p;

	if (b->addr_set)
		return;
	list_for_each_entry(p, &b->ports, list)
		if (!lowest || memcmp(p->dev->addr, lowest, ETH_ADDR) < 0)
			lowest = p->dev->addr;
	if (!lowest || eth_equal(lowest, b->dev->addr))
		return;
	memcpy(b->dev->addr, lowest, ETH_ADDR);
	netdev_tell(b->dev, NETDEV_CHANGEADDR);
}

static void follow_mtu(struct bridge *b)
{
	struct bridge_port *p;
	u32 mtu = 0;

	if (b->mtu_set)
		return;
	list_for_each_entry(p, &b->ports, list)
		mtu = mtu ? min(mtu, p->dev->mtu) : p->dev->mtu;
	(void)netdev_set_mtu(b->dev, mtu ?: ETH_DATA_LEN);	/* a protocol may refuse it */
	b->mtu_set = false;
}

static void follow(struct bridge *b)
{
	follow_addr(b);
	follow_mtu(b);
	follow_carrier(b);
}

/* ---- ports ---- */

static int may_be_port(struct bridge *b, const struct netdev *d, struct nla_error *e)
{
	if (d->type != ARPHRD_ETHER || d->addr_len != ETH_ADDR || !eth_is_station(d->addr) ||
	    d->net != b->dev->net)
		return -EINVAL;
	if (d->kind == &bridge_kind) {
		e->text = "Can not enslave a bridge to a bridge";
		return -ELOOP;
	}
	if (rcu_access_pointer(d->master))
		return -EBUSY;
	return b->nr_ports >= BRIDGE_PORTS ? -EXFULL : 0;
}

int bridge_add_port(struct netdev *bridge, struct netdev *d, struct nla_error *e)
{
	struct bridge *b = bridge_of(bridge);
	struct bridge_port *p;
	int err = may_be_port(b, d, e);

	rtnl_assert();
	if (err)
		return err;
	p = kzalloc(sizeof(*p), GFP_KERNEL_ACCOUNT);
	if (!p)
		return -ENOMEM;
	p->dev = d;
	p->bridge = b;
	err = bridge_own_addr(b, p, GFP_KERNEL_ACCOUNT);
	if (err) {
		kfree(p);
		return err;
	}
	list_add_tail_rcu(&p->list, &b->ports);
	b->nr_ports++;
	b->had_ports = true;
	rcu_assign_pointer(d->port, p);
	rcu_assign_pointer(d->master, bridge);
	netdev_set_promiscuity(d, 1);
	netdev_tell(d, NETDEV_CHANGEFLAGS);
	follow(b);
	return 0;
}

void bridge_del_port(struct netdev *d)
{
	struct bridge_port *p = port_of(d);
	struct bridge *b = p->bridge;

	rtnl_assert();
	RCU_INIT_POINTER(d->port, NULL);
	RCU_INIT_POINTER(d->master, NULL);
	list_del_rcu(&p->list);
	b->nr_ports--;
	bridge_forget_port(b, p);
	netdev_set_promiscuity(d, -1);
	if (!d->dismantling)
		netdev_tell(d, NETDEV_CHANGEFLAGS);
	kfree_rcu(p, rcu);
	follow(b);
	bridge_own_addrs(b);
}

static int bridge_event(struct netdev *d, enum netdev_event e)
{
	struct bridge_port *p = port_of(d);

	if (!p)
		return 0;
	if (e == NETDEV_UNREGISTER) {
		bridge_del_port(d);
	} else if (e == NETDEV_CHANGEADDR) {
		follow_addr(p->bridge);
		bridge_own_addrs(p->bridge);
	} else if (e == NETDEV_CHANGEMTU) {
		follow_mtu(p->bridge);
	} else if (e == NETDEV_UP || e == NETDEV_DOWN || e == NETDEV_CHANGE) {
		follow_carrier(p->bridge);
	}
	return 0;
}

/* ---- the device ---- */

static int bridge_open(struct netdev *d)
{
	return 0;
}

static void bridge_stop(struct netdev *d)
{
	if (bridge_of(d)->had_ports)
		netdev_carrier(d, false);
}

/* IFF_UP is set once bridge_open() has returned. */
static int bridge_up_event(struct netdev *d, enum netdev_event e)
{
	if (d->kind == &bridge_kind && e == NETDEV_UP)
		follow_carrier(bridge_of(d));
	if (d->kind == &bridge_kind && (e == NETDEV_REGISTER || e == NETDEV_CHANGEADDR))
		bridge_own_addr_nofail(bridge_of(d), NULL);
	return bridge_event(d, e);
}

static int bridge_set_mac(struct netdev *d, const u8 *addr)
{
	bridge_of(d)->addr_set = true;
	return 0;
}

static int bridge_set_mtu(struct netdev *d, u32 mtu)
{
	bridge_of(d)->mtu_set = true;
	return 0;
}

static void bridge_free(struct netdev *d)
{
	bridge_table_free(bridge_of(d));
}

static const struct netdev_ops bridge_ops = {
	.open = bridge_open,
	.stop = bridge_stop,
	.xmit = bridge_xmit,
	.set_mac = bridge_set_mac,
	.set_mtu = bridge_set_mtu,
	.free = bridge_free,
};

static void bridge_remove(struct netdev *d, struct list_head *going)
{
	struct bridge *b = bridge_of(d);

	while (!list_empty(&b->ports))
		bridge_del_port(list_first_entry(&b->ports, struct bridge_port, list)->dev);
	bridge_table_end(b);
	netdev_unregister_queue(d, going);
}

static const struct nla_rule rules[ATTR_MOST + 1] = {
	[IFLA_BR_FORWARD_DELAY] = { NLA_K_U32, 0 }, [IFLA_BR_AGEING_TIME] = { NLA_K_U32, 0 },
	[IFLA_BR_STP_STATE] = { NLA_K_U32, 0 },	    [IFLA_BR_VLAN_FILTERING] = { NLA_K_U8, 0 },
	[IFLA_BR_MCAST_SNOOPING] = { NLA_K_U8, 0 },
};

static int refuse(struct nla_error *e, const char *text, const struct nlattr *at)
{
	*e = (struct nla_error){ text, at };
	return -EOPNOTSUPP;
}

static int bridge_change(struct netdev *d, const struct nlattr *data, struct nla_error *e)
{
	const struct nlattr *tb[ATTR_MOST + 1] = {};
	struct bridge *b = bridge_of(d);
	int err = nla_parse(tb, ATTR_MOST, nla_data(data), nla_len(data), rules, true, e);

	if (err)
		return err;
	for (unsigned int i = 1; i <= ATTR_MOST; i++)
		if (tb[i] && !rules[i].kind)
			return refuse(e, "Bridges have no such setting here", tb[i]);
	if (tb[IFLA_BR_STP_STATE] && nla_u32(tb[IFLA_BR_STP_STATE]))
		return refuse(e, "There is no spanning tree", tb[IFLA_BR_STP_STATE]);
	if (tb[IFLA_BR_VLAN_FILTERING] && nla_u8(tb[IFLA_BR_VLAN_FILTERING]))
		return refuse(e, "VLANs are not filtered", tb[IFLA_BR_VLAN_FILTERING]);
	if (tb[IFLA_BR_MCAST_SNOOPING] && nla_u8(tb[IFLA_BR_MCAST_SNOOPING]))
		return refuse(e, "Groups are flooded", tb[IFLA_BR_MCAST_SNOOPING]);
	if (tb[IFLA_BR_FORWARD_DELAY])
		b->forward_delay = nla_u32(tb[IFLA_BR_FORWARD_DELAY]);
	if (tb[IFLA_BR_AGEING_TIME])
		WRITE_ONCE(b->ageing_ns, (u64)nla_u32(tb[IFLA_BR_AGEING_TIME]) * TICK_NS);
	return 0;
}

static void bridge_put_info(struct nlmsg_buf *m, struct netdev *d)
{
	const struct bridge *b = bridge_of(d);

	nla_put_u32(m, IFLA_BR_FORWARD_DELAY, b->forward_delay);
	nla_put_u32(m, IFLA_BR_AGEING_TIME, (u32)(b->ageing_ns / TICK_NS));
	nla_put_u32(m, IFLA_BR_STP_STATE, 0);
	nla_put_u8(m, IFLA_BR_VLAN_FILTERING, 0);
	nla_put_u8(m, IFLA_BR_MCAST_SNOOPING, 0);
	nla_put_u32(m, IFLA_BR_FDB_N_LEARNED, READ_ONCE(b->nr_learned));
	nla_put_u32(m, IFLA_BR_FDB_MAX_LEARNED, BRIDGE_STATIONS);
}

static struct netdev *bridge_make(struct net *net, const struct netdev_wish *w,
				  const struct nlattr *data, struct nla_error *e)
{
	struct netdev *d = netdev_alloc(sizeof(struct bridge), "br%d", 1, 1, &bridge_ops);
	struct bridge *b;
	int err;

	if (!d)
		return ERR_PTR(-ENOMEM);
	ether_setup(d);
	virt_random_addr(d);
	d->kind = &bridge_kind;
	d->driver_name = "bridge";
	d->features = d->hw_features = NETDEV_F_CSUM | NETDEV_F_SG | NETDEV_F_TSO4 | NETDEV_F_TSO6 |
				       NETDEV_F_TSO_ECN | NETDEV_F_NO_QUEUE;
	b = bridge_of(d);
	b->dev = d;
	INIT_LIST_HEAD(&b->ports);
	b->addr_set = w->has_addr;
	b->mtu_set = w->mtu;
	b->forward_delay = 1500;
	err = bridge_table_begin(b);
	if (!err)
		err = netdev_wish_apply(w, d, "bridge");
	if (!err && data)
		err = bridge_change(d, data, e);
	if (!err)
		err = netdev_register(d, net);
	if (!err)
		return d;
	netdev_put(d);
	return ERR_PTR(err);
}

static struct netdev_kind bridge_kind = {
	.name = "bridge",
	.devtype = "bridge",
	.make = bridge_make,
	.remove = bridge_remove,
	.change = bridge_change,
	.put_info = bridge_put_info,
	.add_port = bridge_add_port,
	.del_port = bridge_del_port,
	.receive = bridge_receive,
	.fdb = &bridge_fdb,
	.stays = true,
};

static struct netdev_listener listener = { .event = bridge_up_event };

MODULE_LICENSE("MIT");
MODULE_DESCRIPTION("Ethernet bridges");
MODULE_ALIAS("rtnl-link-bridge");

/* A bridge hears of its own registration. */
static int bridge_init(void)
{
	int err;

	netdev_listen(&listener);
	err = netdev_kind_register(&bridge_kind);
	if (err)
		netdev_unlisten(&listener);
	return err;
}

/* Bridges let go of their ports, which go on as devices of their own. */
static void bridge_exit(void)
{
	netdev_kind_unregister(&bridge_kind);
	netdev_unlisten(&listener);
}

module_init(bridge_init);
module_exit(bridge_exit);
