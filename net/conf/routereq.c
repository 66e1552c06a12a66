// SPDX-License-Identifier: MIT
/* SIOCADDRT and SIOCDELRT (rtnetlink's elder), and the ioctls of arp(7). */
#include <lib/err.h>
#include <lib/string.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include <linux/route.h>
#include <linux/sockios.h>
#include "net/conf/conf.h"
#include "net/ip4/addr.h"
#include "net/neigh/neigh.h"
#include "net/wire/ip4.h"

/* RT as a change of routes. rtnl. */
static int convert(struct net *net, const struct rtentry *rt, const char *dev,
		   struct fib4_config *c)
{
	be32 dst = conf_get_addr(&rt->rt_dst), mask = conf_get_addr(&rt->rt_genmask);
	struct netdev *d;
	int bits = 32;

	if (rt->rt_dst.sa_family != AF_INET)
		return -EAFNOSUPPORT;
	if (!(rt->rt_flags & RTF_HOST)) {
		if (rt->rt_genmask.sa_family != AF_INET && (mask.v || rt->rt_genmask.sa_family))
			return -EAFNOSUPPORT;
		bits = ip4_mask_bits(mask);
		if (bits < 0 || dst.v & ~mask.v)
			return -EINVAL;
	}
	*c = (struct fib4_config){ .dst = dst,
				   .len = (u8)bits,
				   .type = RTN_UNICAST,
				   .scope = RT_SCOPE_NOWHERE,
				   .create = true,
				   .append = false,
				   .excl = true };
	if (rt->rt_metric)
		c->metric = (u32)(u16)(rt->rt_metric - 1);
	if (rt->rt_flags & RTF_REJECT) {
		c->scope = RT_SCOPE_HOST;
		c->type = RTN_UNREACHABLE;
		return 0;
	}
	c->scope = RT_SCOPE_LINK;
	if (dev[0]) {
		d = netdev_by_name(net, dev);
		if (!d)
			return -ENODEV;
		c->oif = d->ifindex;
	}
	if (rt->rt_gateway.sa_family == AF_INET && conf_get_addr(&rt->rt_gateway).v) {
		c->gateway = conf_get_addr(&rt->rt_gateway);
		if (rt->rt_flags & RTF_GATEWAY)
			c->scope = RT_SCOPE_UNIVERSE;
	}
	if (rt->rt_flags & RTF_GATEWAY && !c->gateway.v)
		return -EINVAL;
	if (rt->rt_flags & RTF_MTU)
		c->metrics[RTAX_ADVMSS] = (u32)rt->rt_mss - 40;
	if (rt->rt_flags & RTF_WINDOW)
		c->metrics[RTAX_WINDOW] = (u32)rt->rt_window;
	if (rt->rt_flags & RTF_IRTT)
		c->metrics[RTAX_RTT] = (u32)rt->rt_irtt << 3; /* in eighths of a millisecond */
	return 0;
}

long conf_route_ioctl(struct net *net, unsigned int cmd, struct uptr arg)
{
	char dev[IFNAMSIZ] = "";
	struct fib4_config c;
	struct rtentry rt;
	long n;
	int err;

	if (!ns_capable(net->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	if (copy_from_user(&rt, arg, sizeof(rt)))
		return -EFAULT;
	if (rt.rt_dev) {
		n = strncpy_from_user(dev, UPTR(rt.rt_dev), sizeof(dev) - 1);
		if (n < 0)
			return n;
		dev[n] = 0;
	}
	rtnl_lock();
	err = convert(net, &rt, dev, &c);
	if (!err && cmd == SIOCADDRT) {
		c.protocol = RTPROT_BOOT;
		err = fib4_add(net, &c);
	} else if (!err) {
		c.scope = RT_SCOPE_NOWHERE;
		err = fib4_del(net, &c);
	}
	rtnl_unlock();
	return err;
}

/* ---- arp ---- */

/* The device of a request: named, or where the address is. rtnl, RCU. */
static struct netdev *arp_device(struct net *net, const struct arpreq *r, be32 ip)
{
	struct ip4_flow f = { .dst = ip };
	struct ip4_route way;

	if (r->arp_dev[0])
		return netdev_by_name(net, r->arp_dev);
	if (route4_out(net, &f, &way) || way.next.v != ip.v)
		return NULL;
	return way.dev;
}

static int arp_get(struct net *net, struct netdev *d, struct arpreq *r, be32 ip)
{
	u32 key = ip.v;
	struct neigh *n = neigh_find(arp_table(net), d, &key);

	if (!n || !(READ_ONCE(n->state) & (NEIGH_VALID & ~(u32)NUD_NOARP)))
		return -ENXIO;
	r->arp_flags = (READ_ONCE(n->state) & NUD_PERMANENT ? ATF_PERM : 0) | ATF_COM;
	r->arp_ha.sa_family = d->type;
	memcpy(r->arp_ha.sa_data, n->hw, d->addr_len);
	strscpy(r->arp_dev, d->name, sizeof(r->arp_dev));
	return 0;
}

static int arp_change(struct net *net, struct netdev *d, unsigned int cmd, const struct arpreq *r,
		      be32 ip)
{
	u32 key = ip.v;
	struct neigh *n;

	if (cmd == SIOCDARP) {
		rcu_read_lock();
		n = neigh_find(arp_table(net), d, &key);
		if (n && !refcount_inc_not_zero(&n->refs))
			n = NULL;
		rcu_read_unlock();
		if (!n)
			return -ENXIO;
		neigh_delete(n);
	} else {
		if (r->arp_ha.sa_family != d->type)
			return -EINVAL;
		n = neigh_get(arp_table(net), d, &key);
		if (IS_ERR(n))
			return (int)PTR_ERR(n);
		neigh_update(n, (const u8 *)r->arp_ha.sa_data,
			     r->arp_flags & ATF_PERM ? NUD_PERMANENT : NUD_STALE, NEIGH_ADMIN);
	}
	neigh_put(n);
	return 0;
}

long conf_arp_ioctl(struct net *net, unsigned int cmd, struct uptr arg)
{
	struct netdev *d;
	struct arpreq r;
	be32 ip;
	int err;

	if (cmd != SIOCGARP && !ns_capable(net->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	if (copy_from_user(&r, arg, sizeof(r)))
		return -EFAULT;
	r.arp_dev[sizeof(r.arp_dev) - 1] = 0;
	if (r.arp_pa.sa_family != AF_INET)
		return -EPFNOSUPPORT;
	if (r.arp_flags & ATF_PUBL)
		return -EOPNOTSUPP;	/* proxies */
	ip = conf_get_addr(&r.arp_pa);
	rtnl_lock();
	rcu_read_lock();
	d = arp_device(net, &r, ip);
	err = d ? 0 : r.arp_dev[0] ? -ENODEV : -ENXIO;
	if (!err && d->type != ARPHRD_ETHER && cmd != SIOCGARP)
		err = -EINVAL;
	if (!err && cmd == SIOCGARP)
		err = arp_get(net, d, &r, ip);
	rcu_read_unlock();
	if (!err && cmd != SIOCGARP)
		err = arp_change(net, d, cmd, &r, ip);
	rtnl_unlock();
	if (!err && cmd == SIOCGARP && copy_to_user(arg, &r, sizeof(r)))
		err = -EFAULT;
	return err;
}
