// SPDX-License-Identifier: MIT
/*
 * What programs read and cannot change: the three rules that every look-up follows, and the
 * settings of devices that protocols have (ip-netconf(8)).
 */
#include <lib/string.h>
#include <kernel/init.h>
#include <abi/errno.h>
#include <linux/fib_rules.h>
#include <linux/netconf.h>
#include "net/dev/if_flags.h"
#include "net/ip4/addr.h"
#include "net/rtnl/rtnl.h"

/* ---- rules ---- */

static const struct {
	u32 priority, table;
} shown[] = { { 0, RT_TABLE_LOCAL }, { 32766, RT_TABLE_MAIN }, { 32767, RT_TABLE_DEFAULT } };

static bool put_rule(struct nlmsg_buf *b, unsigned int i, u8 family, struct rtnl_head h)
{
	struct fib_rule_hdr *m = nlmsg_put(b, h.portid, h.seq, h.type, h.flags, sizeof(*m));

	if (m)
		*m = (struct fib_rule_hdr){ .family = family,
					    .table = (u8)shown[i].table,
					    .action = FR_ACT_TO_TBL };
	nla_put_u32(b, FRA_TABLE, shown[i].table);
	nla_put_u32(b, FRA_SUPPRESS_PREFIXLEN, U32_MAX);
	nla_put_u8(b, FRA_PROTOCOL, RTPROT_KERNEL);
	if (shown[i].priority)
		nla_put_u32(b, FRA_PRIORITY, shown[i].priority);
	return nlmsg_end(b);
}

/* IPv6 has no default table. */
static int dump_rules(struct nlmsg_buf *b, struct nl_dump *d, u8 family, long nr)
{
	for (; d->args[RTNL_ARG_AT] < nr; d->args[RTNL_ARG_AT]++)
		if (!put_rule(b, (unsigned int)d->args[RTNL_ARG_AT], family,
			      rtnl_entry(d, RTM_NEWRULE)))
			return 1;
	return 0;
}

static int rules4_dump(struct nlmsg_buf *b, struct nl_dump *d)
{
	return dump_rules(b, d, AF_INET, 3);
}

static int rules6_dump(struct nlmsg_buf *b, struct nl_dump *d)
{
	return dump_rules(b, d, AF_INET6, 2);
}

static struct rtnl_kind rules = { .base = RTM_NEWRULE, .family = AF_INET, .dump = rules4_dump };
static struct rtnl_kind rules6 = { .base = RTM_NEWRULE, .family = AF_INET6, .dump = rules6_dump };

/* ---- netconf ---- */

static bool put_conf(struct nlmsg_buf *b, int ifindex, const struct in_conf *c, struct rtnl_head h)
{
	struct netconfmsg *m = nlmsg_put(b, h.portid, h.seq, h.type, h.flags, sizeof(*m));

	if (m)
		m->ncm_family = AF_INET;
	nla_put_u32(b, NETCONFA_IFINDEX, (u32)ifindex);
	nla_put_u32(b, NETCONFA_FORWARDING, (u32)READ_ONCE(c->forwarding));
	nla_put_u32(b, NETCONFA_RP_FILTER, (u32)READ_ONCE(c->rp_filter));
	nla_put_u32(b, NETCONFA_MC_FORWARDING, 0);
	nla_put_u32(b, NETCONFA_PROXY_NEIGH, 0);
	nla_put_u32(b, NETCONFA_IGNORE_ROUTES_WITH_LINKDOWN, 0);
	return nlmsg_end(b);
}

/* Devices by number, then what holds for all and for new ones. */
static int conf_dump(struct nlmsg_buf *b, struct nl_dump *d)
{
	long last = d->args[RTNL_ARG_AT];
	struct netdev *dev;

	d->seq = d->net->dev_seq + 1;
	while ((dev = rtnl_next_link(d->net, &last))) {
		if (in_dev(dev) &&
		    !put_conf(b, dev->ifindex, &in_dev(dev)->conf, rtnl_entry(d, RTM_NEWNETCONF)))
			return 1;
		d->args[RTNL_ARG_AT] = last;
	}
	if (!d->args[RTNL_ARG_AT2]) {
		if (!put_conf(b, NETCONFA_IFINDEX_ALL, &d->net->ip4->conf_all,
			      rtnl_entry(d, RTM_NEWNETCONF)))
			return 1;
		d->args[RTNL_ARG_AT2] = 1;
	}
	return put_conf(b, NETCONFA_IFINDEX_DEFAULT, &d->net->ip4->conf_default,
			rtnl_entry(d, RTM_NEWNETCONF)) ?
		       0 :
		       1;
}

static const struct nla_rule netconf_rules[NETCONFA_MAX + 1] = {
	[NETCONFA_IFINDEX] = { NLA_K_U32, 0 },
};

static int conf_get(struct nl_request *r)
{
	const struct nlattr *tb[NETCONFA_MAX + 1];
	const struct in_conf *c = NULL;
	struct netdev *d;
	struct nlmsg_buf b;
	int err = nl_request_attrs(r, sizeof(struct netconfmsg), tb, NETCONFA_MAX, netconf_rules,
				   false),
	    i;

	if (err)
		return err;
	if (!tb[NETCONFA_IFINDEX])
		return -EINVAL;
	i = (int)nla_u32(tb[NETCONFA_IFINDEX]);
	if (i == NETCONFA_IFINDEX_ALL) {
		c = &r->net->ip4->conf_all;
	} else if (i == NETCONFA_IFINDEX_DEFAULT) {
		c = &r->net->ip4->conf_default;
	} else {
		d = netdev_by_index(r->net, i);
		if (d && in_dev(d))
			c = &in_dev(d)->conf;
	}
	if (!c)
		return -EINVAL;
	err = nlmsg_init(&b, RTNL_ROOM, NLMSG_MOST, GFP_KERNEL);
	if (err)
		return err;
	return netlink_answer(r, &b, put_conf(&b, i, c, rtnl_answer(r, RTM_NEWNETCONF)));
}

static struct rtnl_kind confs = {
	.base = RTM_NEWNETCONF, .family = AF_INET, .get = conf_get, .dump = conf_dump
};

static int rules_init(void)
{
	rtnl_register(&rules);
	rtnl_register(&rules6);
	rtnl_register(&confs);
	return 0;
}
INITCALL(fs, rules_init);
