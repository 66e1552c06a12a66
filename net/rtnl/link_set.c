// SPDX-License-Identifier: MIT
/*
 * Changes of a link (RTM_NEWLINK of one that exists, RTM_SETLINK): the attributes in the order that
 * Linux has, so that a message which fails half-way leaves the same behind.
 */
#include <lib/err.h>
#include <lib/string.h>
#include <abi/errno.h>
#include "net/dev/if_flags.h"
#include "net/dev/wish.h"
#include "net/rtnl/rtnl.h"
#include "net/wire/eth.h"

static int move(struct netdev *d, const struct nlattr *const *tb)
{
	struct net *net = netdev_wish_net(tb);
	char name[NETDEV_NAME];
	const char *pattern = NULL;
	int err;

	if (IS_ERR_OR_NULL(net))
		return (int)PTR_ERR(net);
	if (tb[IFLA_IFNAME] && nla_text(tb[IFLA_IFNAME], name, sizeof(name)))
		pattern = name;
	if (d == d->net->loopback)
		err = net == d->net ? 0 : -EINVAL;
	else if (!pattern && net != d->net && netdev_by_name(net, d->name))
		err = -EEXIST;
	else
		err = netdev_move(d, net, pattern);
	put_net(net);
	return err;
}

static int set_address(struct nl_request *r, struct netdev *d, const struct nlattr *a)
{
	if (nla_len(a) != d->addr_len)
		return nl_refuse(r, -EINVAL, "Invalid address length");
	if (d->type == ARPHRD_ETHER && !eth_is_station(nla_data(a)))
		return -EADDRNOTAVAIL;
	return netdev_set_mac(d, nla_data(a));
}

int rtnl_set_master(struct nl_request *r, struct netdev *d, int index)
{
	struct netdev *was = rcu_dereference_raw(d->master), *m = NULL;
	struct nla_error e = {};
	int err;

	if (was && was->ifindex == index)
		return 0;
	if (index) {
		m = netdev_by_index(d->net, index);
		if (!m)
			return -EINVAL;
		if (!m->kind || !m->kind->add_port)
			return -EOPNOTSUPP;
	}
	if (was)
		was->kind->del_port(d);
	err = m ? m->kind->add_port(m, d, &e) : 0;
	r->err_text = e.text ?: r->err_text;
	return err;
}

/* What changes no packet's way, and what no device here has. */
static int set_rest(struct nl_request *r, struct netdev *d, const struct nlattr *const *tb)
{
	int err = tb[IFLA_MASTER] ? rtnl_set_master(r, d, (int)nla_u32(tb[IFLA_MASTER])) : 0;

	if (err)
		return err;
	if (tb[IFLA_IFALIAS] || tb[IFLA_XDP] || tb[IFLA_VFINFO_LIST] || tb[IFLA_PROTO_DOWN])
		return -EOPNOTSUPP;
	if (tb[IFLA_LINKMODE] && nla_u8(tb[IFLA_LINKMODE]))
		return -EOPNOTSUPP;
	if (tb[IFLA_TXQLEN])
		WRITE_ONCE(d->tx_queue_len, nla_u32(tb[IFLA_TXQLEN]));
	if (tb[IFLA_CARRIER])
		return netdev_set_carrier(d, nla_u8(tb[IFLA_CARRIER]));
	return 0;
}

static int set_flags(struct netdev *d, const struct ifinfomsg *m)
{
	u32 flags = m->ifi_flags;

	if (!m->ifi_flags && !m->ifi_change)
		return 0;
	if (m->ifi_change)
		flags = (flags & m->ifi_change) | (netdev_shown_flags(d) & ~m->ifi_change);
	return netdev_change_flags(d, flags);
}

int rtnl_link_set(struct nl_request *r, struct netdev *d, const struct ifinfomsg *m,
		  const struct nlattr *const *tb)
{
	char name[NETDEV_NAME] = "";
	int err = move(d, tb);

	if (err)
		return err;
	if (tb[IFLA_ADDRESS])
		err = set_address(r, d, tb[IFLA_ADDRESS]);
	if (!err && tb[IFLA_MTU])
		err = netdev_set_mtu(d, nla_u32(tb[IFLA_MTU]));
	if (!err && tb[IFLA_GROUP])
		d->group = nla_u32(tb[IFLA_GROUP]);
	/* A name that a number goes with is a new one. */
	if (!err && m->ifi_index > 0 && tb[IFLA_IFNAME]) {
		if (!nla_text(tb[IFLA_IFNAME], name, sizeof(name)))
			err = -EINVAL;
		else if (name[0] && strcmp(name, d->name))
			err = netdev_rename(d, name);
	}
	if (!err && tb[IFLA_BROADCAST]) {
		if (nla_len(tb[IFLA_BROADCAST]) != d->addr_len)
			return -EINVAL;
		memcpy(d->broadcast, nla_data(tb[IFLA_BROADCAST]), d->addr_len);
	}
	if (!err)
		err = set_rest(r, d, tb);
	return err ?: set_flags(d, m);
}
