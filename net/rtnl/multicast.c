// SPDX-License-Identifier: MIT
/*
 * Groups that devices are in, of both families: RTM_GETMULTICAST, and notifications of the first
 * member that comes and the last that goes. They are changed by sockets and ioctls alone.
 */
#include <lib/err.h>
#include <kernel/init.h>
#include <abi/errno.h>
#include <linux/if_addr.h>
#include "net/group/group.h"
#include "net/ip4/addr.h"
#include "net/ip6/addr6.h"
#include "net/rtnl/rtnl.h"

#define BAD_HEADER "Invalid values in header for address dump request"

static const struct nla_rule rules[IFA_MAX + 1] = {
	[IFA_TARGET_NETNSID] = { NLA_K_U32, 0 },
};

static bool put_group(struct nlmsg_buf *b, const struct mc_group *g, u8 scope, struct rtnl_head h)
{
	struct ifaddrmsg *m = nlmsg_put(b, h.portid, h.seq, h.type, h.flags, sizeof(*m));
	u32 joined = (u32)(g->joined_ns / (NSEC_PER_SEC / 100));
	struct ifa_cacheinfo c = {
		.ifa_prefered = U32_MAX, .ifa_valid = U32_MAX, .cstamp = joined, .tstamp = joined
	};
	bool six = g->dev->family->six;

	if (m)
		*m = (struct ifaddrmsg){ .ifa_family = six ? AF_INET6 : AF_INET,
					 .ifa_prefixlen = six ? 128 : 32,
					 .ifa_flags = IFA_F_PERMANENT,
					 .ifa_scope = scope,
					 .ifa_index = (u32)g->dev->dev->ifindex };
	if (six)
		nla_put_bytes(b, IFA_MULTICAST, &g->addr, sizeof(g->addr));
	else
		nla_put_u32(b, IFA_MULTICAST, g->addr.w[3].v);
	nla_put_u32(b, IFA_MC_USERS, g->users);
	nla_put_bytes(b, IFA_CACHEINFO, &c, sizeof(c));
	return nlmsg_end(b);
}

/* ---- dump ---- */

static int filter4(struct nl_request *r, struct nl_dump *d)
{
	const struct rtgenmsg *g = r->body;

	if (g->rtgen_family == AF_UNSPEC)
		return -EOPNOTSUPP;	/* as on Linux, one family at a time */
	return rtnl_filter_addrs(r, d, rules, "ipv4: " BAD_HEADER);
}

static int filter6(struct nl_request *r, struct nl_dump *d)
{
	return rtnl_filter_addrs(r, d, rules, BAD_HEADER);
}

static const struct mc_device *groups_of(const struct netdev *d, bool six)
{
	if (six)
		return in6_dev(d) ? &in6_dev(d)->mc : NULL;
	return in_dev(d) ? &in_dev(d)->mc : NULL;
}

/* Scopes as this dump has them: those of a site and within it are told from the rest. */
static u8 shown_scope(const struct mc_group *g)
{
	return g->dev->family->six && ip6_mc_scope(&g->addr) == 5 ? RT_SCOPE_SITE :
								    RT_SCOPE_UNIVERSE;
}

/* args: the device before the one that is walked, and how many of its groups are done. */
static int dump(struct nlmsg_buf *b, struct nl_dump *d, bool six)
{
	long last = d->args[RTNL_ARG_AT], only = d->args[RTNL_ARG_FILTER];
	struct netdev *dev;

	d->seq = d->net->dev_seq + 1;
	while ((dev = rtnl_next_link(d->net, &last))) {
		const struct mc_device *m = groups_of(dev, six);
		const struct mc_group *g;
		long n = 0;

		if (m && (!only || only == dev->ifindex))
			list_for_each_entry(g, &m->groups, list) {
				if (n++ < d->args[RTNL_ARG_AT2])
					continue;
				if (!put_group(b, g, shown_scope(g),
					       rtnl_entry(d, RTM_GETMULTICAST)))
					return 1;
				d->args[RTNL_ARG_AT2] = n;
			}
		d->args[RTNL_ARG_AT] = last;
		d->args[RTNL_ARG_AT2] = 0;
	}
	return 0;
}

static int dump4(struct nlmsg_buf *b, struct nl_dump *d)
{
	return dump(b, d, false);
}

static int dump6(struct nlmsg_buf *b, struct nl_dump *d)
{
	return dump(b, d, true);
}

/* ---- notifications ---- */

static void tell(const struct mc_group *g, bool joined)
{
	struct rtnl_head h = { .type = joined ? RTM_NEWMULTICAST : RTM_DELMULTICAST };
	unsigned int group = g->dev->family->six ? RTNLGRP_IPV6_MCADDR : RTNLGRP_IPV4_MCADDR;
	struct rtnl_note n;

	if (rtnl_note_begin(&n, g->dev->dev->net, group, GFP_KERNEL, NULL))
		rtnl_note_end(&n, put_group(&n.b, g, RT_SCOPE_UNIVERSE, h));
}

static struct rtnl_kind groups4 = {
	.base = RTM_NEWMULTICAST, .family = AF_INET, .filter = filter4, .dump = dump4
};
static struct rtnl_kind groups6 = {
	.base = RTM_NEWMULTICAST, .family = AF_INET6, .filter = filter6, .dump = dump6
};

static int multicast_init(void)
{
	rtnl_register(&groups4);
	rtnl_register(&groups6);
	mc_set_listener(tell);
	return 0;
}
INITCALL(fs, multicast_init);
