// SPDX-License-Identifier: MIT
/* Addresses of IPv6: RTM_NEWADDR and its kin, and notifications of their changes. */
#include <lib/string.h>
#include <kernel/init.h>
#include <kernel/time.h>
#include <abi/errno.h>
#include <linux/if_addr.h>
#include "net/ip6/addr6.h"
#include "net/rtnl/rtnl.h"

static const struct nla_rule rules[IFA_MAX + 1] = {
	[IFA_LOCAL] = { NLA_K_EXACT, 16 },
	[IFA_ADDRESS] = { NLA_K_EXACT, 16 },
	[IFA_CACHEINFO] = { NLA_K_LEAST, sizeof(struct ifa_cacheinfo) },
	[IFA_FLAGS] = { NLA_K_U32, 0 },
	[IFA_RT_PRIORITY] = { NLA_K_U32, 0 },
	[IFA_TARGET_NETNSID] = { NLA_K_U32, 0 },
	[IFA_PROTO] = { NLA_K_U8, 0 },
};

static struct ip6_addr address_of(const struct nlattr *a)
{
	struct ip6_addr v;

	memcpy(&v, nla_data(a), sizeof(v));
	return v;
}

static u32 left(u32 whole, u64 age_s)
{
	if (whole == U32_MAX)
		return U32_MAX;
	return age_s < whole ? whole - (u32)age_s : 0;
}

static bool put_addr(struct nlmsg_buf *b, const struct in6_address *a, struct rtnl_head h)
{
	u64 age = (ktime_get_ns() - a->changed_ns) / NSEC_PER_SEC;
	u32 flags = a->flags;
	struct ifaddrmsg *m = nlmsg_put(b, h.portid, h.seq, h.type, h.flags, sizeof(*m));
	struct ifa_cacheinfo c = { .cstamp = (u32)(a->made_ns / (NSEC_PER_SEC / 100)),
				   .tstamp = (u32)(a->changed_ns / (NSEC_PER_SEC / 100)),
				   .ifa_valid = left(a->valid_s, age),
				   .ifa_prefered = left(a->preferred_s, age) };

	/* The prefix's route is the advertisement's, which is nobody's wish. */
	if (a->protocol == IFAPROT_KERNEL_RA)
		flags &= ~(u32)IFA_F_NOPREFIXROUTE;
	if (m)
		*m = (struct ifaddrmsg){ .ifa_family = AF_INET6,
					 .ifa_prefixlen = a->bits,
					 .ifa_flags = (u8)flags,
					 .ifa_scope = a->scope,
					 .ifa_index = (u32)a->dev->dev->ifindex };
	if (!ip6_equal(&a->peer, &a->local)) {
		nla_put_bytes(b, IFA_LOCAL, &a->local, 16);
		nla_put_bytes(b, IFA_ADDRESS, &a->peer, 16);
	} else {
		nla_put_bytes(b, IFA_ADDRESS, &a->local, 16);
	}
	if (a->metric)
		nla_put_u32(b, IFA_RT_PRIORITY, a->metric);
	nla_put_bytes(b, IFA_CACHEINFO, &c, sizeof(c));
	nla_put_u32(b, IFA_FLAGS, flags);
	if (a->protocol)
		nla_put_u8(b, IFA_PROTO, a->protocol);
	return nlmsg_end(b);
}

/* ---- dump and get ---- */

static int filter(struct nl_request *r, struct nl_dump *d)
{
	return rtnl_filter_addrs(r, d, rules, "Invalid values in header for address dump request");
}

/* args: the device before the one that is walked, and how many of its addresses are done. */
static int dump(struct nlmsg_buf *b, struct nl_dump *d)
{
	long last = d->args[RTNL_ARG_AT], only = d->args[RTNL_ARG_FILTER];
	struct netdev *dev;

	d->seq = d->net->dev_seq + (u32)d->net->fib6->gen + 1;
	while ((dev = rtnl_next_link(d->net, &last))) {
		const struct in6_device *in = in6_dev(dev);
		const struct in6_address *a;
		long n = 0;

		if (in && (!only || only == dev->ifindex))
			list_for_each_entry(a, &in->addrs, list) {
				if (n++ < d->args[RTNL_ARG_AT2])
					continue;
				if (!put_addr(b, a, rtnl_entry(d, RTM_NEWADDR)))
					return 1;
				d->args[RTNL_ARG_AT2] = n;
			}
		d->args[RTNL_ARG_AT] = last;
		d->args[RTNL_ARG_AT2] = 0;
	}
	return 0;
}

/* What R names: its device, and the address itself; a peer's is in *PEER. */
static int parse(struct nl_request *r, const struct nlattr **tb, struct netdev **d,
		 struct ip6_addr *local, struct ip6_addr *peer)
{
	const struct ifaddrmsg *m = r->body;
	int err = nl_request_attrs(r, sizeof(*m), tb, IFA_MAX, rules, false);

	if (err)
		return err;
	if (!tb[IFA_LOCAL] && !tb[IFA_ADDRESS])
		return nl_refuse(r, -EINVAL, "Local address is not supplied");
	*local = address_of(tb[IFA_LOCAL] ?: tb[IFA_ADDRESS]);
	*peer = address_of(tb[IFA_ADDRESS] ?: tb[IFA_LOCAL]);
	*d = netdev_by_index(r->net, (int)m->ifa_index);
	return 0;
}

static int addr_get(struct nl_request *r)
{
	const struct nlattr *tb[IFA_MAX + 1];
	struct in6_address *a = NULL;
	struct ip6_addr local, peer;
	struct nlmsg_buf b;
	struct netdev *d;
	long last = 0;
	int err = parse(r, tb, &d, &local, &peer);

	if (err)
		return err;
	if (d) {
		a = in6_dev(d) ? in6_addr_find(in6_dev(d), &local, -1) : NULL;
	} else {
		while (!a && (d = rtnl_next_link(r->net, &last)))
			a = in6_dev(d) ? in6_addr_find(in6_dev(d), &local, -1) : NULL;
	}
	if (!a)
		return -EADDRNOTAVAIL;
	err = nlmsg_init(&b, RTNL_ROOM, NLMSG_MOST, GFP_KERNEL);
	if (err)
		return err;
	return netlink_answer(r, &b, put_addr(&b, a, rtnl_answer(r, RTM_NEWADDR)));
}

/* ---- changes ---- */

static int add_or_change(struct nl_request *r, struct in6_device *in, struct in6_address *want)
{
	struct in6_address *old = in6_addr_find(in, &want->local, -1);
	u16 flags = r->hdr->nlmsg_flags;

	if (!old)
		return in6_addr_add(in, want);
	if (flags & NLM_F_EXCL || !(flags & NLM_F_REPLACE))
		return nl_refuse(r, -EEXIST, "address already assigned");
	in6_addr_change(old, want->valid_s, want->preferred_s, want->flags);
	return 0;
}

static int addr_add(struct nl_request *r)
{
	const struct ifaddrmsg *m = r->body;
	const struct ifa_cacheinfo *c;
	const struct nlattr *tb[IFA_MAX + 1];
	struct in6_address want = { .valid_s = U32_MAX, .preferred_s = U32_MAX };
	struct in6_device *in;
	struct netdev *d;
	int err = parse(r, tb, &d, &want.local, &want.peer);

	if (err)
		return err;
	if (!d)
		return nl_refuse(r, -ENODEV, "Unable to find the interface");
	if (m->ifa_prefixlen > 128)
		return nl_refuse(r, -EINVAL, "Invalid prefix length");
	in = in6_device_get(d);
	if (!in)
		return -ENOBUFS;
	want.bits = m->ifa_prefixlen;
	want.flags = (tb[IFA_FLAGS] ? nla_u32(tb[IFA_FLAGS]) : m->ifa_flags) &
		     (IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_NOPREFIXROUTE | IFA_F_OPTIMISTIC);
	if (tb[IFA_RT_PRIORITY])
		want.metric = nla_u32(tb[IFA_RT_PRIORITY]);
	if (tb[IFA_PROTO])
		want.protocol = nla_u8(tb[IFA_PROTO]);
	if (tb[IFA_CACHEINFO]) {
		c = nla_data(tb[IFA_CACHEINFO]);
		if (!c->ifa_valid || c->ifa_prefered > c->ifa_valid)
			return nl_refuse(r, -EINVAL, "address lifetime invalid");
		want.valid_s = c->ifa_valid;
		want.preferred_s = c->ifa_prefered;
	}
	return add_or_change(r, in, &want);
}

static int addr_del(struct nl_request *r)
{
	const struct ifaddrmsg *m = r->body;
	const struct nlattr *tb[IFA_MAX + 1];
	struct ip6_addr local, peer;
	struct in6_address *a;
	struct netdev *d;
	int err = parse(r, tb, &d, &local, &peer);

	if (err)
		return err;
	if (m->ifa_prefixlen > 128)
		return nl_refuse(r, -EINVAL, "Invalid prefix length");
	if (!d)
		return nl_refuse(r, -ENODEV, "Unable to find the interface");
	a = in6_dev(d) ? in6_addr_find(in6_dev(d), &local, m->ifa_prefixlen) : NULL;
	if (!a)
		return nl_refuse(r, -EADDRNOTAVAIL, "address not found");
	in6_addr_del(a);
	return 0;
}

/* ---- notifications ---- */

static void tell(const struct in6_address *a, bool gone)
{
	struct net *net = a->dev->dev->net;
	struct rtnl_head h = { .type = gone ? RTM_DELADDR : RTM_NEWADDR };
	struct rtnl_note n;

	if (rtnl_note_begin(&n, net, RTNLGRP_IPV6_IFADDR, GFP_KERNEL, NULL))
		rtnl_note_end(&n, put_addr(&n.b, a, h));
}

static struct rtnl_kind addrs = { .base = RTM_NEWADDR,
				  .family = AF_INET6,
				  .add = addr_add,
				  .del = addr_del,
				  .get = addr_get,
				  .filter = filter,
				  .dump = dump };

static int addr_init(void)
{
	rtnl_register(&addrs);
	in6_addr_set_listener(tell);
	return 0;
}
INITCALL(subsys, addr_init);
