// SPDX-License-Identifier: MIT
/*
 * Ioctls about interfaces (netdevice(7)), on sockets of any family. Reading is anybody's; changing
 * needs CAP_NET_ADMIN over the namespace of the socket, which is asked before the interface is
 * looked for, as Linux does.
 */
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <dev/module.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include <linux/sockios.h>
#include "net/conf/conf.h"
#include "net/core/core_priv.h"
#include "net/dev/if_flags.h"
#include "net/dev/wish.h"
#include "net/ip4/addr.h"
#include "net/wire/eth.h"

static void read_hwaddr(const struct netdev *d, struct sockaddr *a)
{
	memset(a, 0, sizeof(*a));
	a->sa_family = d->type;
	memcpy(a->sa_data, d->addr, min_t(size_t, d->addr_len, sizeof(a->sa_data)));
}

/* 0, -ENOTTY: it is no question. */
static int ask(struct netdev *d, unsigned int cmd, struct ifreq *r)
{
	switch (cmd) {
	case SIOCGIFFLAGS:
		r->ifr_flags = (short)netdev_shown_flags(d);
		return 0;
	case SIOCGIFMETRIC:
		r->ifr_metric = 0;
		return 0;
	case SIOCGIFMTU:
		r->ifr_mtu = (int)d->mtu;
		return 0;
	case SIOCGIFHWADDR:
		read_hwaddr(d, &r->ifr_hwaddr);
		return 0;
	case SIOCGIFINDEX:
		r->ifr_ifindex = d->ifindex;
		return 0;
	case SIOCGIFTXQLEN:
		r->ifr_qlen = (int)d->tx_queue_len;
		return 0;
	case SIOCGIFMAP:
		memset(&r->ifr_map, 0, sizeof(r->ifr_map));
		return 0;
	case SIOCGIFSLAVE:
		return -EINVAL;
	}
	return -ENOTTY;
}

static int set_hwaddr(struct netdev *d, const struct sockaddr *a)
{
	if (!netdev_changes_mac(d))
		return -EOPNOTSUPP;
	if (a->sa_family != d->type)
		return -EINVAL;
	if (!eth_is_station((const u8 *)a->sa_data))
		return -EADDRNOTAVAIL;
	return netdev_set_mac(d, (const u8 *)a->sa_data);
}

static int multicast(struct netdev *d, unsigned int cmd, const struct sockaddr *a)
{
	u8 addr[NETDEV_ADDR] = {};

	if (a->sa_family != AF_UNSPEC || d->addr_len > sizeof(a->sa_data))
		return -EINVAL;
	memcpy(addr, a->sa_data, d->addr_len);
	return cmd == SIOCADDMULTI ? netdev_mc_add(d, addr) : netdev_mc_del(d, addr);
}

/* rtnl. 0, -errno; -ENOTTY: it is no change. */
static int change(struct netdev *d, unsigned int cmd, struct ifreq *r)
{
	switch (cmd) {
	case SIOCSIFFLAGS:
		return netdev_change_flags(d, (d->flags & ~0xffffu) | (u16)r->ifr_flags);
	case SIOCSIFMETRIC:
		return -EOPNOTSUPP;
	case SIOCSIFMTU:
		return r->ifr_mtu < 0 ? -EINVAL : netdev_set_mtu(d, (u32)r->ifr_mtu);
	case SIOCSIFHWADDR:
		return set_hwaddr(d, &r->ifr_hwaddr);
	case SIOCSIFHWBROADCAST:
		if (r->ifr_hwaddr.sa_family != d->type)
			return -EINVAL;
		memcpy(d->broadcast, r->ifr_hwaddr.sa_data,
		       min_t(size_t, d->addr_len, sizeof(r->ifr_hwaddr.sa_data)));
		return 0;
	case SIOCSIFTXQLEN:
		if (r->ifr_qlen < 0)
			return -EINVAL;
		WRITE_ONCE(d->tx_queue_len, (u32)r->ifr_qlen);
		return 0;
	case SIOCSIFNAME:
		r->ifr_newname[IFNAMSIZ - 1] = 0;
		return netdev_rename(d, r->ifr_newname);
	case SIOCADDMULTI:
	case SIOCDELMULTI:
		return multicast(d, cmd, &r->ifr_hwaddr);
	case SIOCSIFMAP:
	case SIOCSIFSLAVE:
		return -EOPNOTSUPP;
	}
	return -ENOTTY;
}

static int if_name(struct net *net, struct ifreq *r)
{
	struct netdev *d;

	rcu_read_lock();
	d = netdev_by_index(net, r->ifr_ifindex);
	if (d)
		memcpy(r->ifr_name, d->name, IFNAMSIZ);
	rcu_read_unlock();
	return d ? 0 : -ENODEV;
}

/*
 * SIOCGIFCONF: IPv4 addresses with the labels of theirs; without a buffer, how many bytes there
 * would be.
 */
static long if_conf(struct net *net, struct uptr arg)
{
	struct user_ifconf c;
	struct in_addr4 *a;
	struct netdev *d;
	int room, done = 0;
	long err = 0;

	if (copy_from_user(&c, arg, sizeof(c)))
		return -EFAULT;
	room = c.addresses ? c.ifc_len : INT_MAX;
	rtnl_lock();
	list_for_each_entry(d, &net->devs, list) {
		if (!in_dev(d))
			continue;
		list_for_each_entry(a, &in_dev(d)->addrs, list) {
			struct ifreq r = {};

			if (room - done < (int)sizeof(r))
				goto out;
			memcpy(r.ifr_name, a->label, IFNAMSIZ);
			conf_put_addr(&r.ifr_addr, a->local);
			if (c.addresses &&
			    copy_to_user(uptr_add(UPTR(c.addresses), (unsigned long)done), &r,
					 sizeof(r))) {
				err = -EFAULT;
				goto out;
			}
			done += (int)sizeof(r);
		}
	}
out:
	rtnl_unlock();
	c.ifc_len = done;
	if (!err && copy_to_user(arg, &c, sizeof(c)))
		err = -EFAULT;
	return err;
}

static bool is_question(unsigned int cmd)
{
	struct netdev nobody = {};
	struct ifreq r;

	return ask(&nobody, cmd, &r) != -ENOTTY;
}

static bool is_change(unsigned int cmd)
{
	switch (cmd) {
	case SIOCSIFNAME:
	case SIOCSIFMAP:
	case SIOCSIFTXQLEN:
	case SIOCSIFFLAGS:
	case SIOCSIFMETRIC:
	case SIOCSIFMTU:
	case SIOCSIFHWADDR:
	case SIOCSIFSLAVE:
	case SIOCADDMULTI:
	case SIOCDELMULTI:
	case SIOCSIFHWBROADCAST:
		return true;
	}
	return false;
}

/* Known to some drivers, none of which there is: what Linux says of a device without them. */
static bool is_private(unsigned int cmd, bool *admin)
{
	switch (cmd) {
	case SIOCGMIIPHY:
	case SIOCGMIIREG:
	case SIOCSMIIREG:
	case SIOCBONDENSLAVE:
	case SIOCBONDRELEASE:
	case SIOCBONDSETHWADDR:
	case SIOCBONDCHANGEACTIVE:
	case SIOCSHWTSTAMP:
		*admin = true;
		return true;
	case SIOCETHTOOL:		/* conf_ethtool() */
	case SIOCBONDSLAVEINFOQUERY:
	case SIOCBONDINFOQUERY:
	case SIOCWANDEV:
	case SIOCGHWTSTAMP:
		return true;
	}
	return cmd >= SIOCDEVPRIVATE && cmd <= SIOCDEVPRIVATE + 15;
}

/* The pointer in it. */
static struct uptr ifreq_data(const struct ifreq *r)
{
	u64 at;

	memcpy(&at, &r->ifr_ifru, sizeof(at));
	return UPTR(at);
}

static long with_device(struct net *net, unsigned int cmd, struct ifreq *r, bool private)
{
	char *colon = strchr(r->ifr_name, ':');
	struct netdev *d;
	long err;

	if (colon)
		*colon = 0;
	rtnl_lock();
	d = netdev_by_name(net, r->ifr_name);
	if (!d)
		err = -ENODEV;
	else if (cmd == SIOCETHTOOL)
		err = conf_ethtool(net, d, ifreq_data(r));
	else if (private)
		err = -EOPNOTSUPP;
	else
		err = is_change(cmd) ? change(d, cmd, r) : ask(d, cmd, r);
	rtnl_unlock();
	if (colon)
		*colon = ':';
	return err;
}

/* rtnl. The ports of a bridge by ioctl. */
static long bridge_port(struct net *net, unsigned int cmd, const struct ifreq *r)
{
	struct netdev *b = netdev_by_name(net, r->ifr_name), *d;
	struct nla_error e;

	if (!b)
		return -ENODEV;
	if (!b->kind || !b->kind->add_port)
		return -EOPNOTSUPP;
	d = netdev_by_index(net, r->ifr_ifindex);
	if (!d)
		return -EINVAL;
	if (cmd == SIOCBRADDIF)
		return b->kind->add_port(b, d, &e);
	if (rcu_access_pointer(d->master) != b)
		return -EINVAL;
	b->kind->del_port(d);
	return 0;
}

/* rtnl. */
static long bridge_itself(struct net *net, unsigned int cmd, const char *name)
{
	struct netdev_kind *kind = netdev_kind_find("bridge");
	struct netdev_wish w = {};
	struct netdev *d;
	struct nla_error e;
	LIST_HEAD(going);

	if (!kind)
		return -ENOPKG;
	if (cmd == SIOCBRADDBR) {
		memcpy(w.name, name, NETDEV_NAME);
		return PTR_ERR_OR_ZERO(kind->make(net, &w, NULL, &e));
	}
	d = netdev_by_name(net, name);
	if (!d)
		return -ENXIO;
	if (d->kind != kind)
		return -EPERM;
	if (d->flags & IFF_UP)
		return -EBUSY;
	kind->remove(d, &going);
	netdev_unregister_all(&going);
	return 0;
}

/* A module that has them is asked for, without rtnl, which its init takes. */
static bool bridges_are_known(void)
{
	struct netdev_kind *k;

	rtnl_lock();
	k = netdev_kind_find("bridge");
	rtnl_unlock();
	if (k)
		return true;
	(void)request_module("bridge");	/* what counts is what is there afterwards */
	rtnl_lock();
	k = netdev_kind_find("bridge");
	rtnl_unlock();
	return k;
}

static long bridge_ioctl(struct net *net, unsigned int cmd, struct uptr arg)
{
	bool itself = cmd == SIOCBRADDBR || cmd == SIOCBRDELBR;
	struct ifreq r = {};
	long err;

	if (!ns_capable(net->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	if (!bridges_are_known())
		return -ENOPKG;
	if (copy_from_user(&r, arg, itself ? (size_t)NETDEV_NAME : sizeof(r)))
		return -EFAULT;
	r.ifr_name[IFNAMSIZ - 1] = 0;
	rtnl_lock();
	err = itself ? bridge_itself(net, cmd, r.ifr_name) : bridge_port(net, cmd, &r);
	rtnl_unlock();
	return err;
}

long interface_ioctl(struct net *net, unsigned int cmd, struct uptr arg)
{
	bool admin = is_change(cmd), private = is_private(cmd, &admin);
	struct ifreq r;
	long err;

	if (cmd == SIOCGIFCONF)
		return if_conf(net, arg);
	if (cmd >= SIOCBRADDBR && cmd <= SIOCBRDELIF)
		return bridge_ioctl(net, cmd, arg);
	if (cmd != SIOCGIFNAME && !is_question(cmd) && !is_change(cmd) && !private)
		return -ENOTTY;
	if (copy_from_user(&r, arg, sizeof(r)))
		return -EFAULT;
	r.ifr_name[IFNAMSIZ - 1] = 0;
	if (admin && !ns_capable(net->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	err = cmd == SIOCGIFNAME ? if_name(net, &r) : with_device(net, cmd, &r, private);
	if (!err && !admin && copy_to_user(arg, &r, sizeof(r)))
		err = -EFAULT;
	return err;
}
