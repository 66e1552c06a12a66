// SPDX-License-Identifier: MIT
/*
 * What a dump of addresses or routes is to show (RTNL_ARG_FILTER*), for both families. A program
 * that did not ask for NETLINK_GET_STRICT_CHK gets all: older ones left garbage in the header.
 */
#include <abi/errno.h>
#include <linux/if_addr.h>
#include "net/rtnl/rtnl.h"

int rtnl_filter_addrs(struct nl_request *r, struct nl_dump *d, const struct nla_rule *rules,
		      const char *bad_header)
{
	const struct nlattr *tb[IFA_MAX + 1];
	const struct ifaddrmsg *m = r->body;
	int err;

	if (!r->strict)
		return 0;
	err = nl_request_attrs(r, sizeof(*m), tb, IFA_MAX, rules, true);
	if (err)
		return err;
	if (m->ifa_prefixlen || m->ifa_flags || m->ifa_scope)
		return nl_refuse(r, -EINVAL, bad_header);
	if (tb[IFA_TARGET_NETNSID])
		return nl_refuse(r, -EOPNOTSUPP, "Only of one's own namespace");
	d->args[RTNL_ARG_FILTER] = (long)m->ifa_index;
	if (m->ifa_index && !netdev_by_index(r->net, (int)m->ifa_index))
		return -ENODEV;
	return 0;
}

int rtnl_filter_routes(struct nl_request *r, struct nl_dump *d, const struct nla_rule *rules,
		       struct xarray *tables, const char *no_table)
{
	const struct nlattr *tb[RTA_MAX + 1];
	const struct rtmsg *m = r->body;
	int err;

	if (r->body_len < sizeof(*m))
		return r->strict ? -EINVAL : 0;
	if (m->rtm_flags & RTM_F_CLONED)	/* the routing cache, which there is not */
		d->args[RTNL_ARG_FILTER2] = -1;
	if (!r->strict)
		return 0;
	err = nl_request_attrs(r, sizeof(*m), tb, RTA_MAX, rules, true);
	if (err)
		return err;
	if (m->rtm_dst_len || m->rtm_src_len || m->rtm_tos || m->rtm_scope)
		return nl_refuse(r, -EINVAL, "Invalid values in header for FIB dump request");
	d->args[RTNL_ARG_FILTER] = tb[RTA_TABLE] ? nla_u32(tb[RTA_TABLE]) : m->rtm_table;
	if (tb[RTA_OIF])
		d->args[RTNL_ARG_FILTER2] = (long)nla_u32(tb[RTA_OIF]);
	if (d->args[RTNL_ARG_FILTER] && !xa_load(tables, (unsigned long)d->args[RTNL_ARG_FILTER]))
		return nl_refuse(r, -ENOENT, no_table);
	return 0;
}
