// SPDX-License-Identifier: MIT
/* Routes of IPv6: RTM_NEWROUTE and its kin, `ip -6 route get`, notifications. */
#include <lib/err.h>
#include <lib/string.h>
#include <kernel/init.h>
#include <kernel/time.h>
#include <proc/cred.h>
#include <abi/errno.h>
#include <linux/icmpv6.h>
#include <linux/ipv6_route.h>
#include "net/dev/if_flags.h"
#include "net/ip6/addr6.h"
#include "net/route/fib6_priv.h"
#include "net/rtnl/rtnl.h"

static const struct nla_rule rules[RTA_MAX + 1] = {
	[RTA_DST] = { NLA_K_EXACT, 16 },     [RTA_SRC] = { NLA_K_EXACT, 16 },
	[RTA_IIF] = { NLA_K_U32, 0 },	     [RTA_OIF] = { NLA_K_U32, 0 },
	[RTA_GATEWAY] = { NLA_K_EXACT, 16 }, [RTA_PRIORITY] = { NLA_K_U32, 0 },
	[RTA_PREFSRC] = { NLA_K_EXACT, 16 }, [RTA_METRICS] = { NLA_K_NESTED, 0 },
	[RTA_TABLE] = { NLA_K_U32, 0 },	     [RTA_MARK] = { NLA_K_U32, 0 },
	[RTA_UID] = { NLA_K_U32, 0 },	     [RTA_PREF] = { NLA_K_U8, 0 },
	[RTA_EXPIRES] = { NLA_K_U32, 0 },    [RTA_IP_PROTO] = { NLA_K_U8, 0 },
	[RTA_SPORT] = { NLA_K_U16, 0 },	     [RTA_DPORT] = { NLA_K_U16, 0 },
};

static void put_cacheinfo(struct nlmsg_buf *b, u64 expires_ns)
{
	u64 now = ktime_get_ns();
	struct rta_cacheinfo c = {};

	if (expires_ns > now)
		c.rta_expires = (s32)((expires_ns - now) / (NSEC_PER_SEC / 100));
	nla_put_bytes(b, RTA_CACHEINFO, &c, sizeof(c));
}

static bool put_route(struct nlmsg_buf *b, const struct fib6_route *f, struct rtnl_head h)
{
	struct rtmsg *m = nlmsg_put(b, h.portid, h.seq, h.type, h.flags, sizeof(*m));

	if (m)
		*m = (struct rtmsg){ .rtm_family = AF_INET6,
				     .rtm_dst_len = f->prefix->len,
				     .rtm_table = f->table < 256 ? (u8)f->table : RT_TABLE_COMPAT,
				     .rtm_protocol = f->protocol,
				     .rtm_scope = RT_SCOPE_UNIVERSE,
				     .rtm_type = f->type,
				     .rtm_flags = f->flags };
	nla_put_u32(b, RTA_TABLE, f->table);
	if (f->prefix->len)
		nla_put_bytes(b, RTA_DST, &f->prefix->prefix, 16);
	if (!ip6_is_any(&f->src))
		nla_put_bytes(b, RTA_PREFSRC, &f->src, 16);
	rtnl_put_metrics(b, f->metrics);
	nla_put_u32(b, RTA_PRIORITY, f->metric);
	if (!ip6_is_any(&f->gateway))
		nla_put_bytes(b, RTA_GATEWAY, &f->gateway, 16);
	if (f->dev)
		nla_put_u32(b, RTA_OIF, (u32)f->dev->ifindex);
	put_cacheinfo(b, f->expires_ns);
	nla_put_u8(b, RTA_PREF, f->preference);
	return nlmsg_end(b);
}

/* ---- dump ---- */

static int filter(struct nl_request *r, struct nl_dump *d)
{
	return rtnl_filter_routes(r, d, rules, &r->net->fib6->tables, "FIB table does not exist");
}

/* The place of a route in four words of a dump's cursor. */
static void keep_place(struct nl_dump *d, const struct fib6_route *f)
{
	struct fib6_place p = fib6_place(f);

	memcpy(&d->args[RTNL_ARG_AT2], &p.prefix, sizeof(p.prefix));
	d->args[RTNL_ARG_AT4] = (long)((u64)p.metric << 8 | p.len);
	d->args[RTNL_ARG_AT5] = (long)p.nr;
}

static struct fib6_place kept_place(const struct nl_dump *d)
{
	struct fib6_place p = { .len = (u8)d->args[RTNL_ARG_AT4],
				.metric = (u32)((u64)d->args[RTNL_ARG_AT4] >> 8),
				.nr = (u32)d->args[RTNL_ARG_AT5] };

	memcpy(&p.prefix, &d->args[RTNL_ARG_AT2], sizeof(p.prefix));
	return p;
}

static bool dump_table(struct nlmsg_buf *b, struct nl_dump *d, struct fib6_table *t)
{
	long oif = d->args[RTNL_ARG_FILTER2];
	struct fib6_place at = kept_place(d);
	struct fib6_route *f;

	while ((f = fib6_after(t, &at))) {
		if ((!oif || (f->dev && f->dev->ifindex == oif)) &&
		    !put_route(b, f, rtnl_entry(d, RTM_NEWROUTE)))
			return false;
		at = fib6_place(f);
		keep_place(d, f);
	}
	return true;
}

/* args: the table that is walked, and the place in it behind which the walk goes on. */
static int dump(struct nlmsg_buf *b, struct nl_dump *d)
{
	long only = d->args[RTNL_ARG_FILTER];
	unsigned long id;
	struct fib6_table *t;

	d->seq = (u32)d->net->fib6->gen;
	if (d->args[RTNL_ARG_FILTER2] < 0)
		return 0;
	xa_for_each_start(&d->net->fib6->tables, id, t, (unsigned long)d->args[RTNL_ARG_AT]) {
		if (d->args[RTNL_ARG_AT] != (long)id)
			d->args[RTNL_ARG_AT5] = 0;
		d->args[RTNL_ARG_AT] = (long)id;
		if ((!only || only == (long)id) && !dump_table(b, d, t))
			return 1;
	}
	return 0;
}

/* ---- changes ---- */

static int convert(struct nl_request *r, struct fib6_config *c)
{
	const struct nlattr *tb[RTA_MAX + 1];
	const struct rtmsg *m = r->body;
	u16 flags = r->hdr->nlmsg_flags;
	int err = nl_request_attrs(r, sizeof(*m), tb, RTA_MAX, rules, false);

	if (err)
		return err;
	if (m->rtm_dst_len > 128)
		return nl_refuse(r, -EINVAL, "Invalid prefix length");
	if (m->rtm_src_len)
		return nl_refuse(r, -EINVAL, "Routes by source are not there");
	if (tb[RTA_MULTIPATH] || tb[RTA_NH_ID] || tb[RTA_VIA] || tb[RTA_ENCAP])
		return nl_refuse(r, -EOPNOTSUPP, "Routes have one next hop");
	*c = (struct fib6_config){ .len = m->rtm_dst_len,
				   .type = m->rtm_type,
				   .protocol = m->rtm_protocol,
				   .table = tb[RTA_TABLE] ? nla_u32(tb[RTA_TABLE]) : m->rtm_table,
				   .flags = m->rtm_flags,
				   .create = flags & NLM_F_CREATE,
				   .excl = flags & NLM_F_EXCL,
				   .replace = flags & NLM_F_REPLACE,
				   .append = flags & NLM_F_APPEND };
	if (tb[RTA_DST])
		memcpy(&c->dst, nla_data(tb[RTA_DST]), 16);
	if (tb[RTA_OIF])
		c->oif = (int)nla_u32(tb[RTA_OIF]);
	if (tb[RTA_GATEWAY])
		memcpy(&c->gateway, nla_data(tb[RTA_GATEWAY]), 16);
	if (tb[RTA_PRIORITY])
		c->metric = nla_u32(tb[RTA_PRIORITY]);
	if (tb[RTA_PREFSRC])
		memcpy(&c->src, nla_data(tb[RTA_PREFSRC]), 16);
	if (tb[RTA_PREF])
		c->preference = nla_u8(tb[RTA_PREF]);
	if (tb[RTA_EXPIRES] && nla_u32(tb[RTA_EXPIRES])) {
		c->expires_ns = ktime_get_ns() + nla_u32(tb[RTA_EXPIRES]) * (u64)NSEC_PER_SEC;
		c->rtf |= RTF_EXPIRES;
	}
	return tb[RTA_METRICS] ? rtnl_read_metrics(r, tb[RTA_METRICS], c->metrics) : 0;
}

static int route_add(struct nl_request *r)
{
	struct fib6_config c;
	int err = convert(r, &c);

	if (err)
		return err;
	/* A route to nowhere has no device; iproute2 may say lo. */
	err = in6_route_add(r->net, &c);
	if (err == -EHOSTUNREACH)
		return nl_refuse(r, err, "Nexthop has invalid gateway");
	if (err == -ENETDOWN)
		return nl_refuse(r, err, "Nexthop device is not up");
	return err;
}

static int route_del(struct nl_request *r)
{
	struct fib6_config c;
	int err = convert(r, &c);

	return err ?: fib6_del(r->net, &c);
}

/* ---- ip -6 route get ---- */

static bool put_answer(struct nlmsg_buf *b, const struct nl_request *r, const struct ip6_flow *f,
		       const struct ip6_route *way)
{
	struct rtnl_head h = rtnl_answer(r, RTM_NEWROUTE);
	struct rtmsg *m = nlmsg_put(b, h.portid, h.seq, h.type, h.flags, sizeof(*m));
	u64 left = way->mtu_locked ? 0 : route6_mtu_left_ns(r->net, &way->dst);
	u32 metrics[FIB6_METRICS] = {};

	if (m)
		*m = (struct rtmsg){ .rtm_family = AF_INET6,
				     .rtm_dst_len = 128,
				     .rtm_table = way->table,
				     .rtm_protocol = way->protocol,
				     .rtm_type = way->type,
				     .rtm_scope = RT_SCOPE_UNIVERSE,
				     .rtm_flags = left ? RTM_F_CLONED : 0 };
	nla_put_u32(b, RTA_TABLE, way->table);
	nla_put_bytes(b, RTA_DST, &f->dst, 16);
	if (way->dev)
		nla_put_u32(b, RTA_OIF, (u32)way->dev->ifindex);
	if (!ip6_is_any(&way->src))
		nla_put_bytes(b, RTA_PREFSRC, &way->src, 16);
	if (way->gateway)
		nla_put_bytes(b, RTA_GATEWAY, &way->next, 16);
	if (way->mtu_locked || left)
		metrics[RTAX_MTU] = way->mtu;
	metrics[RTAX_ADVMSS] = way->advmss;
	metrics[RTAX_HOPLIMIT] = way->hoplimit;
	rtnl_put_metrics(b, metrics);
	put_cacheinfo(b, left ? ktime_get_ns() + left : 0);
	nla_put_u8(b, RTA_PREF, 0);
	return nlmsg_end(b);
}

static int route_get(struct nl_request *r)
{
	const struct nlattr *tb[RTA_MAX + 1];
	struct ip6_flow f = { .uid = current_uid() };
	struct ip6_route way;
	struct nlmsg_buf b;
	int err = nl_request_attrs(r, sizeof(struct rtmsg), tb, RTA_MAX, rules, false);

	if (err)
		return err;
	if (tb[RTA_IIF])
		return nl_refuse(r, -EOPNOTSUPP, "Only packets that are made here");
	if (tb[RTA_DST])
		memcpy(&f.dst, nla_data(tb[RTA_DST]), 16);
	if (tb[RTA_SRC])
		memcpy(&f.src, nla_data(tb[RTA_SRC]), 16);
	if (tb[RTA_OIF])
		f.oif = (int)nla_u32(tb[RTA_OIF]);
	if (tb[RTA_MARK])
		f.mark = nla_u32(tb[RTA_MARK]);
	err = nlmsg_init(&b, RTNL_ROOM, NLMSG_MOST, GFP_KERNEL);
	if (err)
		return err;
	rcu_read_lock();
	err = route6_out(r->net, &f, &way);
	if (!err && !put_answer(&b, r, &f, &way))
		err = -ENOBUFS;
	rcu_read_unlock();
	if (!err)
		return netlink_reply(r, &b);
	nlmsg_free(&b);
	return err;
}

/* ---- notifications ---- */

static void tell(struct net *net, const struct fib6_route *f, enum fib6_change change)
{
	struct rtnl_head h = { .type = change == FIB6_GONE ? RTM_DELROUTE : RTM_NEWROUTE,
			       .flags = change == FIB6_REPLACED ? NLM_F_REPLACE : 0 };
	struct rtnl_note n;

	if (rtnl_note_begin(&n, net, RTNLGRP_IPV6_ROUTE, GFP_KERNEL, NULL))
		rtnl_note_end(&n, put_route(&n.b, f, h));
}

static struct rtnl_kind routes = { .base = RTM_NEWROUTE,
				   .family = AF_INET6,
				   .add = route_add,
				   .del = route_del,
				   .get = route_get,
				   .filter = filter,
				   .dump = dump };

static int route_init(void)
{
	rtnl_register(&routes);
	fib6_set_listener(tell);
	return 0;
}
INITCALL(subsys, route_init);
