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

static int set_address(struct netdev *d, const struct nlattr *a)
{
	if (!netdev_changes_mac(d))	/* then A may be shorter than Ethernet's, too */
		return -EOPNOTSUPP;
	if (!eth_is_station(nla_data(a)))
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

static int set_flags(struct netdev *d, const struct ifinfomsg *m)
{
	u32 flags = m->ifi_flags;

	if (!m->ifi_flags && !m->ifi_change)
		return 0;
	if (m->ifi_change)
		flags = (flags & m->ifi_change) | (netdev_shown_flags(d) & ~m->ifi_change);
	return netdev_change_flags(d, flags);
}

/*
 * What of TB can be refused before anything is done: -EINVAL; -EOPNOTSUPP: what no device here has.
 */
static int check(struct nl_request *r, const struct netdev *d, const struct nlattr *const *tb)
{
	if (tb[IFLA_ADDRESS] && nla_len(tb[IFLA_ADDRESS]) < d->addr_len)
		return nl_refuse(r, -EINVAL, "Invalid address length");
	if (tb[IFLA_BROADCAST] && nla_len(tb[IFLA_BROADCAST]) < d->addr_len)
		return -EINVAL;
	if (tb[IFLA_XDP] || tb[IFLA_VFINFO_LIST] || tb[IFLA_PROTO_DOWN])
		return -EOPNOTSUPP;
	return tb[IFLA_LINKMODE] && nla_u8(tb[IFLA_LINKMODE]) ? -EOPNOTSUPP : 0;
}

/* A name that a number goes with is a new one. */
static int set_name(struct netdev *d, const struct ifinfomsg *m, const struct nlattr *a)
{
	char name[NETDEV_NAME] = "";

	if (m->ifi_index <= 0 || !a)
		return 0;
	if (!nla_text(a, name, sizeof(name)))
		return -EINVAL;
	return name[0] && strcmp(name, d->name) ? netdev_rename(d, name) : 0;
}

int rtnl_link_set(struct nl_request *r, struct netdev *d, const struct ifinfomsg *m,
		  const struct nlattr *const *tb)
{
	const struct nlattr *alias = tb[IFLA_IFALIAS];
	int err = check(r, d, tb) ?: move(d, tb);

	if (err)
		return err;
	if (tb[IFLA_ADDRESS])
		err = set_address(d, tb[IFLA_ADDRESS]);
	if (!err && tb[IFLA_MTU])
		err = netdev_set_mtu(d, nla_u32(tb[IFLA_MTU]));
	if (!err && tb[IFLA_GROUP])
		d->group = nla_u32(tb[IFLA_GROUP]);
	err = err ?: set_name(d, m, tb[IFLA_IFNAME]);
	if (!err && alias)
		err = netdev_set_alias(d, nla_data(alias), nla_len(alias));
	if (!err && tb[IFLA_BROADCAST])
		memcpy(d->broadcast, nla_data(tb[IFLA_BROADCAST]), d->addr_len);
	if (!err && tb[IFLA_MASTER])
		err = rtnl_set_master(r, d, (int)nla_u32(tb[IFLA_MASTER]));
	err = err ?: set_flags(d, m);
	if (!err && tb[IFLA_CARRIER])
		err = netdev_set_carrier(d, nla_u8(tb[IFLA_CARRIER]));
	if (!err && tb[IFLA_TXQLEN])
		WRITE_ONCE(d->tx_queue_len, nla_u32(tb[IFLA_TXQLEN]));
	return err;
}
