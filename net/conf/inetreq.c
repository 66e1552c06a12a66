// SPDX-License-Identifier: MIT
/*
 * Ioctls of AF_INET sockets about addresses (netdevice(7)): one address a label ("eth0", "eth0:1").
 */
#include <lib/string.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include <linux/sockios.h>
#include "net/conf/conf.h"
#include "net/ip4/addr.h"
#include "net/wire/ip4.h"

/* The length of the prefix that an address's class has (RFC 791, 3.2); -1: it has none. */
static int class_bits(be32 a)
{
	u32 h = ip4_host(a);

	if (!h)
		return 0;
	if (!(h >> 31))
		return 8;
	if (h >> 30 == 2)
		return 16;
	if (h >> 29 == 6)
		return 24;
	return h >> 28 == 15 ? 32 : -1;
}

static struct in_addr4 *by_label(struct in_device *in, const char *label, be32 want)
{
	struct in_addr4 *a;

	if (want.v)
		list_for_each_entry(a, &in->addrs, list)
			if (!strcmp(a->label, label) && a->local.v == want.v)
				return a;
	list_for_each_entry(a, &in->addrs, list)
		if (!strcmp(a->label, label))
			return a;
	return NULL;
}

/* A, or nothing, becomes NOW. */
static int replace(struct in_device *in, struct in_addr4 *a, const struct in_addr4 *now)
{
	struct in_addr4 copy = *now;

	copy.flags = 0;
	if (a)
		in_addr_del(a);
	return copy.local.v ? in_addr_add(in, &copy) : 0;
}

static int set_address(struct netdev *d, struct in_device *in, struct in_addr4 *a,
		       const char *label, be32 to)
{
	struct in_addr4 now = { .valid_s = U32_MAX, .preferred_s = U32_MAX };
	int bits = class_bits(to);

	if (bits < 0)
		return -EINVAL;
	if (a && a->local.v == to.v)
		return 0;
	if (a && to.v)
		now = *a;
	strscpy(now.label, label, sizeof(now.label));
	now.local = now.peer = to;
	now.broadcast = be32_make(0);
	now.scope = ip4_is_loopback(to) ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
	now.bits = d->flags & IFF_POINTOPOINT ? 32 : (u8)bits;
	if (d->flags & IFF_BROADCAST && now.bits < 31)
		now.broadcast.v = to.v | ~ip4_mask(now.bits).v;
	return replace(in, a, &now);
}

static int set_mask(struct netdev *d, struct in_device *in, struct in_addr4 *a, be32 mask)
{
	struct in_addr4 now = *a;
	int bits = ip4_mask_bits(mask);

	if (bits < 0)
		return -EINVAL;
	if (bits == a->bits)
		return 0;
	now.bits = (u8)bits;
	/* A broadcast address that was the old prefix's follows. */
	if (d->flags & IFF_BROADCAST && a->bits < 31 &&
	    a->broadcast.v == (a->local.v | ~ip4_mask(a->bits).v))
		now.broadcast.v = a->local.v | ~mask.v;
	return replace(in, a, &now);
}

static int change(struct netdev *d, struct in_device *in, struct in_addr4 *a, unsigned int cmd,
		  const struct ifreq *r, const char *label)
{
	be32 to = conf_get_addr(&r->ifr_addr);
	struct in_addr4 now;

	switch (cmd) {
	case SIOCSIFADDR:
		return set_address(d, in, a, label, to);
	case SIOCSIFNETMASK:
		return set_mask(d, in, a, to);
	case SIOCSIFBRDADDR:
		if (a->broadcast.v == to.v)
			return 0;
		now = *a;
		now.broadcast = to;
		return replace(in, a, &now);
	case SIOCSIFDSTADDR:
		if (a->peer.v == to.v)
			return 0;
		if (class_bits(to) < 0)
			return -EINVAL;
		now = *a;
		now.peer = to;
		return replace(in, a, &now);
	}
	return -EINVAL;
}

static int ask(const struct in_addr4 *a, unsigned int cmd, struct ifreq *r)
{
	switch (cmd) {
	case SIOCGIFADDR:
		conf_put_addr(&r->ifr_addr, a->local);
		break;
	case SIOCGIFBRDADDR:
		conf_put_addr(&r->ifr_addr, a->broadcast);
		break;
	case SIOCGIFDSTADDR:
		conf_put_addr(&r->ifr_addr, a->peer);
		break;
	case SIOCGIFNETMASK:
		conf_put_addr(&r->ifr_addr, ip4_mask(a->bits));
		break;
	}
	return 0;
}

/* rtnl. */
static int one(struct net *net, unsigned int cmd, struct ifreq *r, be32 want)
{
	char label[IFNAMSIZ];
	char *colon;
	struct netdev *d;
	struct in_device *in;
	struct in_addr4 *a;
	bool sets = cmd == SIOCSIFADDR || cmd == SIOCSIFFLAGS;

	memcpy(label, r->ifr_name, IFNAMSIZ);
	colon = strchr(r->ifr_name, ':');
	if (colon)
		*colon = 0;
	d = netdev_by_name(net, r->ifr_name);
	if (colon)
		*colon = ':';
	if (!d)
		return -ENODEV;
	in = in_dev(d);
	a = in ? by_label(in, label, want) : NULL;
	if (!a && !sets)
		return -EADDRNOTAVAIL;
	if (cmd == SIOCSIFFLAGS) {
		if (!colon)
			return netdev_change_flags(d, (d->flags & ~0xffffu) | (u16)r->ifr_flags);
		if (!a)
			return -EADDRNOTAVAIL;
		if (!(r->ifr_flags & IFF_UP))
			in_addr_del(a);
		return 0;
	}
	if (cmd == SIOCGIFADDR || cmd == SIOCGIFBRDADDR || cmd == SIOCGIFDSTADDR ||
	    cmd == SIOCGIFNETMASK)
		return ask(a, cmd, r);
	return in ? change(d, in, a, cmd, r, label) : -ENOBUFS;
}

long inet_conf_ioctl(struct net *net, unsigned int cmd, struct uptr arg)
{
	bool sets = false;
	be32 want = {};
	struct ifreq r;
	int err;

	switch (cmd) {
	case SIOCADDRT:
	case SIOCDELRT:
		return conf_route_ioctl(net, cmd, arg);
	case SIOCGARP:
	case SIOCSARP:
	case SIOCDARP:
		return conf_arp_ioctl(net, cmd, arg);
	case SIOCGIFADDR:
	case SIOCGIFBRDADDR:
	case SIOCGIFDSTADDR:
	case SIOCGIFNETMASK:
		break;
	case SIOCSIFADDR:
	case SIOCSIFBRDADDR:
	case SIOCSIFDSTADDR:
	case SIOCSIFNETMASK:
	case SIOCSIFFLAGS:
		sets = true;
		break;
	default:
		return -ENOIOCTLCMD;
	}
	if (copy_from_user(&r, arg, sizeof(r)))
		return -EFAULT;
	r.ifr_name[IFNAMSIZ - 1] = 0;
	if (sets && !ns_capable(net->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	if (sets && cmd != SIOCSIFFLAGS && r.ifr_addr.sa_family != AF_INET)
		return -EINVAL;
	if (!sets && r.ifr_addr.sa_family == AF_INET)
		want = conf_get_addr(&r.ifr_addr);
	rtnl_lock();
	err = one(net, cmd, &r, want);
	rtnl_unlock();
	if (!err && !sets && copy_to_user(arg, &r, sizeof(r)))
		err = -EFAULT;
	return err;
}
