// SPDX-License-Identifier: MIT
/* Addresses of IPv4: RTM_NEWADDR and its kin, and notifications of their changes. */
#include <lib/err.h>
#include <lib/string.h>
#include <kernel/init.h>
#include <kernel/time.h>
#include <abi/errno.h>
#include <linux/if_addr.h>
#include "net/dev/if_flags.h"
#include "net/ip4/addr.h"
#include "net/rtnl/rtnl.h"
#include "net/wire/ip4.h"

static const struct nla_rule rules[IFA_MAX + 1] = {
	[IFA_LOCAL] = { NLA_K_U32, 0 },
	[IFA_ADDRESS] = { NLA_K_U32, 0 },
	[IFA_BROADCAST] = { NLA_K_U32, 0 },
	[IFA_LABEL] = { NLA_K_TEXT, NETDEV_NAME - 1 },
	[IFA_CACHEINFO] = { NLA_K_LEAST, sizeof(struct ifa_cacheinfo) },
	[IFA_FLAGS] = { NLA_K_U32, 0 },
	[IFA_RT_PRIORITY] = { NLA_K_U32, 0 },
	[IFA_TARGET_NETNSID] = { NLA_K_U32, 0 },
	[IFA_PROTO] = { NLA_K_U8, 0 },
};

static be32 be32_of(const struct nlattr *a)
{
	return (be32){ nla_u32(a) };
}

static bool put_addr(struct nlmsg_buf *b, const struct in_addr4 *a, struct rtnl_head h)
{
	struct ifaddrmsg *m = nlmsg_put(b, h.portid, h.seq, h.type, h.flags, sizeof(*m));
	struct ifa_cacheinfo c = { .cstamp = (u32)(a->made_ns / (NSEC_PER_SEC / 100)),
				   .tstamp = (u32)(a->changed_ns / (NSEC_PER_SEC / 100)) };

	if (m)
		*m = (struct ifaddrmsg){ .ifa_family = AF_INET,
					 .ifa_prefixlen = a->bits,
					 .ifa_flags = (u8)a->flags,
					 .ifa_scope = a->scope,
					 .ifa_index = (u32)a->dev->dev->ifindex };
	in_addr_left(a, &c.ifa_valid, &c.ifa_prefered);
	nla_put_u32(b, IFA_ADDRESS, a->peer.v);
	nla_put_u32(b, IFA_LOCAL, a->local.v);
	if (a->broadcast.v)
		nla_put_u32(b, IFA_BROADCAST, a->broadcast.v);
	if (a->label[0])
		nla_put_text(b, IFA_LABEL, a->label);
	nla_put_u32(b, IFA_FLAGS, a->flags);
	nla_put_bytes(b, IFA_CACHEINFO, &c, sizeof(c));
	return nlmsg_end(b);
}

/* ---- dump ---- */

static int filter(struct nl_request *r, struct nl_dump *d)
{
	return rtnl_filter_addrs(r, d, rules,
				 "ipv4: Invalid values in header for address dump request");
}

/* args: the device before the one that is walked, and how many of its addresses are done. */
static int dump(struct nlmsg_buf *b, struct nl_dump *d)
{
	long last = d->args[RTNL_ARG_AT], only = d->args[RTNL_ARG_FILTER];
	struct netdev *dev;

	d->seq = d->net->dev_seq + (u32)d->net->fib4->gen + 1;
	while ((dev = rtnl_next_link(d->net, &last))) {
		const struct in_device *in = in_dev(dev);
		const struct in_addr4 *a;
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

/* ---- changes ---- */

static int parse(struct nl_request *r, const struct nlattr **tb, struct in_device **in)
{
	const struct ifaddrmsg *m = r->body;
	struct netdev *d;
	int err = nl_request_attrs(r, sizeof(*m), tb, IFA_MAX, rules, false);

	if (err)
		return err;
	if (m->ifa_prefixlen > 32)
		return nl_refuse(r, -EINVAL, "ipv4: Invalid prefix length");
	d = netdev_by_index(r->net, (int)m->ifa_index);
	if (!d)
		return nl_refuse(r, -ENODEV, "ipv4: Device not found");
	*in = in_device_get(d);
	return *in ? 0 : -ENOBUFS;
}

static int read_times(struct nl_request *r, const struct nlattr *a, struct in_addr4 *want)
{
	const struct ifa_cacheinfo *c = nla_data(a);

	if (!c->ifa_valid)
		return nl_refuse(r, -EINVAL, "ipv4: address lifetime invalid");
	if (c->ifa_prefered > c->ifa_valid)
		return nl_refuse(r, -EINVAL, "ipv4: address lifetime invalid");
	want->valid_s = c->ifa_valid;
	want->preferred_s = c->ifa_prefered;
	return 0;
}

static int addr_add(struct nl_request *r)
{
	const struct ifaddrmsg *m = r->body;
	const struct nlattr *tb[IFA_MAX + 1];
	u16 flags = r->hdr->nlmsg_flags;
	struct in_addr4 want = { .valid_s = U32_MAX, .preferred_s = U32_MAX }, *old;
	struct in_device *in;
	int err = parse(r, tb, &in);

	if (err)
		return err;
	if (!tb[IFA_LOCAL])
		return nl_refuse(r, -EINVAL, "ipv4: Local address is not supplied");
	want.local = be32_of(tb[IFA_LOCAL]);
	want.peer = tb[IFA_ADDRESS] ? be32_of(tb[IFA_ADDRESS]) : want.local;
	if (tb[IFA_BROADCAST])
		want.broadcast = be32_of(tb[IFA_BROADCAST]);
	want.bits = m->ifa_prefixlen;
	want.scope = m->ifa_scope;
	want.flags = tb[IFA_FLAGS] ? nla_u32(tb[IFA_FLAGS]) : m->ifa_flags;
	if (tb[IFA_LABEL] && !nla_text(tb[IFA_LABEL], want.label, sizeof(want.label)))
		return -EINVAL;
	if (tb[IFA_RT_PRIORITY] && nla_u32(tb[IFA_RT_PRIORITY]))
		return nl_refuse(r, -EOPNOTSUPP, "ipv4: metrics of prefix routes are not there");
	if (tb[IFA_CACHEINFO])
		err = read_times(r, tb[IFA_CACHEINFO], &want);
	if (err)
		return err;
	old = in_addr_find(in, want.local, want.bits);
	if (!old)
		return in_addr_add(in, &want);
	if (flags & NLM_F_EXCL || !(flags & NLM_F_REPLACE))
		return nl_refuse(r, -EEXIST, "ipv4: Address already assigned");
	in_addr_renew(old, &want);
	return 0;
}

static int addr_del(struct nl_request *r)
{
	const struct ifaddrmsg *m = r->body;
	const struct nlattr *tb[IFA_MAX + 1];
	struct in_device *in;
	struct in_addr4 *a;
	char label[NETDEV_NAME];
	int err = parse(r, tb, &in);

	if (err)
		return err;
	list_for_each_entry(a, &in->addrs, list) {
		if (tb[IFA_LOCAL] && a->local.v != nla_u32(tb[IFA_LOCAL]))
			continue;
		if (tb[IFA_LABEL] &&
		    (!nla_text(tb[IFA_LABEL], label, sizeof(label)) || strcmp(label, a->label)))
			continue;
		if (tb[IFA_ADDRESS] &&
		    (a->bits != m->ifa_prefixlen ||
		     (nla_u32(tb[IFA_ADDRESS]) ^ a->peer.v) & ip4_mask(a->bits).v))
			continue;
		in_addr_del(a);
		return 0;
	}
	return nl_refuse(r, -EADDRNOTAVAIL, "ipv4: Address not found");
}

/* ---- notifications ---- */

static void tell(const struct in_addr4 *a, bool added)
{
	struct net *net = a->dev->dev->net;
	struct rtnl_head h = { .type = added ? RTM_NEWADDR : RTM_DELADDR };
	struct rtnl_note n;

	if (rtnl_note_begin(&n, net, RTNLGRP_IPV4_IFADDR, GFP_KERNEL, NULL))
		rtnl_note_end(&n, put_addr(&n.b, a, h));
}

static struct rtnl_kind addrs = { .base = RTM_NEWADDR,
				  .family = AF_INET,
				  .add = addr_add,
				  .del = addr_del,
				  .filter = filter,
				  .dump = dump };

static int addr_init(void)
{
	rtnl_register(&addrs);
	in_addr_set_listener(tell);
	return 0;
}
INITCALL(fs, addr_init);
