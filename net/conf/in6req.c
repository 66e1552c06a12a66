// SPDX-License-Identifier: MIT
/* Ioctls of AF_INET6 sockets about addresses and routes: struct in6_ifreq and struct in6_rtmsg. */
#include <lib/string.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include <linux/ipv6.h>
#include <linux/ipv6_route.h>
#include <linux/route.h>
#include <linux/sockios.h>
#include "net/conf/conf.h"
#include "net/ip6/addr6.h"

static long address(struct net *net, unsigned int cmd, struct uptr arg)
{
	struct in6_address want = { .valid_s = U32_MAX, .preferred_s = U32_MAX }, *a;
	struct in6_device *in = NULL;
	struct in6_ifreq r;
	struct netdev *d;
	int err;

	if (!ns_capable(net->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	if (copy_from_user(&r, arg, sizeof(r)))
		return -EFAULT;
	if (r.ifr6_prefixlen > 128)
		return -EINVAL;
	memcpy(&want.local, &r.ifr6_addr, sizeof(want.local));
	want.bits = (u8)r.ifr6_prefixlen;
	rtnl_lock();
	d = netdev_by_index(net, r.ifr6_ifindex);
	err = d ? 0 : -ENODEV;
	if (!err && cmd == SIOCSIFADDR) {
		in = in6_device_get(d);
		err = in ? in6_addr_add(in, &want) : -ENOBUFS;
	} else if (!err) {
		in = in6_dev(d);
		a = in ? in6_addr_find(in, &want.local, want.bits) : NULL;
		err = !in ? -ENXIO : a ? 0 : -EADDRNOTAVAIL;
		if (a)
			in6_addr_del(a);
	}
	rtnl_unlock();
	return err;
}

static void convert(const struct in6_rtmsg *r, struct fib6_config *c)
{
	*c = (struct fib6_config){
		.len = (u8)r->rtmsg_dst_len,
		.type = r->rtmsg_flags & RTF_REJECT ? RTN_UNREACHABLE : RTN_UNICAST,
		.metric = r->rtmsg_metric,
		.oif = r->rtmsg_ifindex,
		.protocol = RTPROT_BOOT,
		.create = true,
		.excl = true,
	};
	memcpy(&c->dst, &r->rtmsg_dst, sizeof(c->dst));
	if (r->rtmsg_flags & RTF_GATEWAY)
		memcpy(&c->gateway, &r->rtmsg_gateway, sizeof(c->gateway));
	if (r->rtmsg_flags & RTF_EXPIRES)
		c->expires_ns = ktime_get_ns() + r->rtmsg_info * (NSEC_PER_SEC / 100);
}

static long route(struct net *net, unsigned int cmd, struct uptr arg)
{
	struct in6_rtmsg r;
	struct fib6_config c;
	int err;

	if (!ns_capable(net->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	if (copy_from_user(&r, arg, sizeof(r)))
		return -EFAULT;
	if (r.rtmsg_dst_len > 128 || r.rtmsg_src_len)
		return -EINVAL;		/* routes by source are not there */
	convert(&r, &c);
	rtnl_lock();
	if (cmd == SIOCADDRT) {
		err = in6_route_add(net, &c);
	} else {
		c.protocol = 0;
		c.type = r.rtmsg_flags & RTF_REJECT ? RTN_UNREACHABLE : 0;
		err = fib6_del(net, &c);
	}
	rtnl_unlock();
	return err;
}

long inet6_conf_ioctl(struct net *net, unsigned int cmd, struct uptr arg)
{
	switch (cmd) {
	case SIOCADDRT:
	case SIOCDELRT:
		return route(net, cmd, arg);
	case SIOCSIFADDR:
	case SIOCDIFADDR:
		return address(net, cmd, arg);
	case SIOCSIFDSTADDR:
		return -EOPNOTSUPP;	/* tunnels */
	}
	return -ENOIOCTLCMD;
}
