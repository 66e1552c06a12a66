// SPDX-License-Identifier: MIT
/* Routes of IPv4: RTM_NEWROUTE and its kin, `ip route get`, notifications. */
#include <lib/err.h>
#include <lib/string.h>
#include <kernel/init.h>
#include <proc/cred.h>
#include <abi/errno.h>
#include <linux/in_route.h>
#include "net/dev/if_flags.h"
#include "net/ip4/addr.h"
#include "net/rtnl/rtnl.h"
#include "net/wire/ip4.h"

static const struct nla_rule rules[RTA_MAX + 1] = {
	[RTA_DST] = { NLA_K_U32, 0 },	  [RTA_SRC] = { NLA_K_U32, 0 },
	[RTA_IIF] = { NLA_K_U32, 0 },	  [RTA_OIF] = { NLA_K_U32, 0 },
	[RTA_GATEWAY] = { NLA_K_U32, 0 }, [RTA_PRIORITY] = { NLA_K_U32, 0 },
	[RTA_PREFSRC] = { NLA_K_U32, 0 }, [RTA_METRICS] = { NLA_K_NESTED, 0 },
	[RTA_TABLE] = { NLA_K_U32, 0 },	  [RTA_MARK] = { NLA_K_U32, 0 },
	[RTA_UID] = { NLA_K_U32, 0 },	  [RTA_IP_PROTO] = { NLA_K_U8, 0 },
	[RTA_SPORT] = { NLA_K_U16, 0 },	  [RTA_DPORT] = { NLA_K_U16, 0 },
};

static bool put_route_of(struct nlmsg_buf *b, const struct fib4_route *f, u32 table,
			 struct rtnl_head h)
{
	struct rtmsg *m = nlmsg_put(b, h.portid, h.seq, h.type, h.flags, sizeof(*m));

	if (m) {
		*m = (struct rtmsg){ .rtm_family = AF_INET,
				     .rtm_dst_len = f->prefix->len,
				     .rtm_tos = f->tos,
				     .rtm_table = table < 256 ? (u8)table : RT_TABLE_COMPAT,
				     .rtm_protocol = f->protocol,
				     .rtm_scope = f->scope,
				     .rtm_type = f->type,
				     .rtm_flags = f->flags };
		if (f->dev && f->flags & RTNH_F_LINKDOWN)
			m->rtm_flags |= RTNH_F_LINKDOWN;
	}
	nla_put_u32(b, RTA_TABLE, table);
	if (f->prefix->len)
		nla_put_u32(b, RTA_DST, f->prefix->prefix.v);
	if (f->metric)
		nla_put_u32(b, RTA_PRIORITY, f->metric);
	rtnl_put_metrics(b, f->metrics);
	if (f->src.v)
		nla_put_u32(b, RTA_PREFSRC, f->src.v);
	if (f->gateway.v)
		nla_put_u32(b, RTA_GATEWAY, f->gateway.v);
	if (f->dev)
		nla_put_u32(b, RTA_OIF, (u32)f->dev->ifindex);
	return nlmsg_end(b);
}

static bool put_route(struct nlmsg_buf *b, const struct fib4_route *f, struct rtnl_head h)
{
	return put_route_of(b, f, f->table, h);
}

/* ---- dump ---- */

static int filter(struct nl_request *r, struct nl_dump *d)
{
	return rtnl_filter_routes(r, d, rules, &r->net->fib4->tables,
				  "ipv4: FIB table does not exist");
}

/* The place of a route in two words of a dump's cursor. */
static void keep_place(struct nl_dump *d, const struct fib4_route *f)
{
	struct fib4_place p = fib4_place(f);

	d->args[RTNL_ARG_AT2] = (long)((u64)p.prefix.v << 16 | (u64)p.len << 8 | p.tos);
	d->args[RTNL_ARG_AT3] = (long)((u64)p.metric << 32 | p.nr);
}

static struct fib4_place kept_place(const struct nl_dump *d)
{
	u64 a = (u64)d->args[RTNL_ARG_AT2], b = (u64)d->args[RTNL_ARG_AT3];

	return (struct fib4_place){
		{ (u32)(a >> 16) }, (u8)(a >> 8), (u8)a, (u32)(b >> 32), (u32)b
	};
}

static bool dump_table(struct nlmsg_buf *b, struct nl_dump *d, struct fib4_table *t)
{
	long oif = d->args[RTNL_ARG_FILTER2];
	struct fib4_place at = kept_place(d);
	struct fib4_route *f;

	while ((f = fib4_after(t, &at))) {
		if ((!oif || (f->dev && f->dev->ifindex == oif)) &&
		    !put_route(b, f, rtnl_entry(d, RTM_NEWROUTE)))
			return false;
		at = fib4_place(f);
		keep_place(d, f);
	}
	return true;
}

/* args: the table that is walked, and the place in it behind which the walk goes on. */
static int dump(struct nlmsg_buf *b, struct nl_dump *d)
{
	long only = d->args[RTNL_ARG_FILTER];
	unsigned long id;
	struct fib4_table *t;

	d->seq = (u32)d->net->fib4->gen;
	if (d->args[RTNL_ARG_FILTER2] < 0)
		return 0;
	xa_for_each_start(&d->net->fib4->tables, id, t, (unsigned long)d->args[RTNL_ARG_AT]) {
		if (d->args[RTNL_ARG_AT] != (long)id)
			d->args[RTNL_ARG_AT2] = d->args[RTNL_ARG_AT3] = 0;
		d->args[RTNL_ARG_AT] = (long)id;
		if ((!only || only == (long)id) && !dump_table(b, d, t))
			return 1;
	}
	return 0;
}

/* ---- changes ---- */

static int convert(struct nl_request *r, struct fib4_config *c)
{
	const struct nlattr *tb[RTA_MAX + 1];
	const struct rtmsg *m = r->body;
	u16 flags = r->hdr->nlmsg_flags;
	int err = nl_request_attrs(r, sizeof(*m), tb, RTA_MAX, rules, false);

	if (err)
		return err;
	if (m->rtm_dst_len > 32)
		return nl_refuse(r, -EINVAL, "Invalid prefix length");
	if (m->rtm_src_len)
		return -EINVAL;
	if (tb[RTA_MULTIPATH] || tb[RTA_NH_ID] || tb[RTA_VIA] || tb[RTA_ENCAP])
		return nl_refuse(r, -EOPNOTSUPP, "Routes have one next hop");
	*c = (struct fib4_config){ .len = m->rtm_dst_len,
				   .tos = m->rtm_tos,
				   .type = m->rtm_type,
				   .scope = m->rtm_scope,
				   .protocol = m->rtm_protocol,
				   .table = tb[RTA_TABLE] ? nla_u32(tb[RTA_TABLE]) : m->rtm_table,
				   .flags = m->rtm_flags,
				   .create = flags & NLM_F_CREATE,
				   .excl = flags & NLM_F_EXCL,
				   .replace = flags & NLM_F_REPLACE,
				   .append = flags & NLM_F_APPEND };
	if (tb[RTA_DST])
		c->dst.v = nla_u32(tb[RTA_DST]);
	if (tb[RTA_OIF])
		c->oif = (int)nla_u32(tb[RTA_OIF]);
	if (tb[RTA_GATEWAY])
		c->gateway.v = nla_u32(tb[RTA_GATEWAY]);
	if (tb[RTA_PRIORITY])
		c->metric = nla_u32(tb[RTA_PRIORITY]);
	if (tb[RTA_PREFSRC])
		c->src.v = nla_u32(tb[RTA_PREFSRC]);
	if (c->dst.v & ~ip4_mask(c->len).v)
		return nl_refuse(r, -EINVAL, "Invalid prefix for given prefix length");
	return tb[RTA_METRICS] ? rtnl_read_metrics(r, tb[RTA_METRICS], c->metrics) : 0;
}

static int route_add(struct nl_request *r)
{
	struct fib4_config c;
	int err = convert(r, &c);

	if (err)
		return err;
	if (c.type > RTN_MAX)
		return nl_refuse(r, -EINVAL, "Invalid route type");
	err = fib4_add(r->net, &c);
	if (err == -ENETUNREACH)
		return nl_refuse(r, err, "Nexthop has invalid gateway");
	if (err == -ENETDOWN)
		return nl_refuse(r, err, "Device for nexthop is not up");
	if (err == -EINVAL && c.src.v && !in_is_local(r->net, c.src))
		return nl_refuse(r, err, "Invalid prefsrc address");
	return err;
}

static int route_del(struct nl_request *r)
{
	struct fib4_config c;
	int err = convert(r, &c);

	return err ?: fib4_del(r->net, &c);
}

/* ---- ip route get ---- */

/*
 * The table in the answer: the main one, unless the request asks for that of the route; for the
 * local one too, as on Linux, where both are looked up as one.
 */
static u32 answer_table(const struct nl_request *r, u32 table)
{
	const struct rtmsg *m = r->body;

	if (!(m->rtm_flags & RTM_F_LOOKUP_TABLE) || table == RT_TABLE_LOCAL)
		return RT_TABLE_MAIN;
	return table;
}

/* What WAY is by itself (RTCF_*). Within RCU. */
static u32 flags_of(const struct ip4_flow *f, const struct ip4_route *way)
{
	switch (way->type) {
	case RTN_LOCAL:
		return RTCF_LOCAL;
	case RTN_BROADCAST:
		return RTCF_BROADCAST | RTCF_LOCAL;
	case RTN_MULTICAST:
		if (f->iif ||
		    (in_dev(way->dev) && in_group_joined(in_dev(way->dev), way->dst, way->src)))
			return RTCF_MULTICAST | RTCF_LOCAL;
		return RTCF_MULTICAST;
	}
	return 0;
}

static bool put_answer(struct nlmsg_buf *b, const struct nl_request *r, const struct ip4_flow *f,
		       const struct ip4_route *way)
{
	u32 table = answer_table(r, way->table);
	struct rtnl_head h = rtnl_answer(r, RTM_NEWROUTE);
	struct rtmsg *m = nlmsg_put(b, h.portid, h.seq, h.type, h.flags, sizeof(*m));
	u64 left = way->mtu_locked ? 0 : route4_mtu_left_ns(r->net, way->dst);
	struct rta_cacheinfo c = { .rta_expires = (s32)nsec_to_clock_t(left) };
	u32 metrics[FIB4_METRICS] = {};

	if (m)
		*m = (struct rtmsg){ .rtm_family = AF_INET,
				     .rtm_dst_len = 32,
				     .rtm_table = (u8)table,
				     .rtm_type = way->type,
				     .rtm_scope = RT_SCOPE_UNIVERSE,
				     .rtm_flags = RTM_F_CLONED | flags_of(f, way) };
	nla_put_u32(b, RTA_TABLE, table);
	nla_put_u32(b, RTA_DST, f->dst.v);
	if (f->src.v && f->iif) {
		nla_put_u32(b, RTA_SRC, f->src.v);
		if (m)
			m->rtm_src_len = 32;
	}
	if (way->dev)
		nla_put_u32(b, RTA_OIF, (u32)way->dev->ifindex);
	if (!f->iif && way->src.v && way->src.v != f->src.v)
		nla_put_u32(b, RTA_PREFSRC, way->src.v);
	if (way->gateway)
		nla_put_u32(b, RTA_GATEWAY, way->next.v);
	if (way->mtu_locked || left)
		metrics[RTAX_MTU] = way->mtu;
	metrics[RTAX_ADVMSS] = way->advmss;
	metrics[RTAX_HOPLIMIT] = way->hoplimit;
	rtnl_put_metrics(b, metrics);
	if (f->mark)
		nla_put_u32(b, RTA_MARK, f->mark);
	nla_put_u32(b, RTA_UID, from_kuid_munged(current_user_ns(), f->uid));
	nla_put_bytes(b, RTA_CACHEINFO, &c, sizeof(c));
	if (f->iif)
		nla_put_u32(b, RTA_IIF, (u32)f->iif);
	return nlmsg_end(b);
}

/* RTM_F_FIB_MATCH: the route itself that F takes. Within RCU. */
static int put_match(struct nlmsg_buf *b, const struct nl_request *r, const struct ip4_flow *f)
{
	be32 dst = f->dst.v ? f->dst : f->src.v ? f->src : be32_make(0x7f000001);
	struct fib4_route *found;
	int err = fib4_lookup(r->net, dst, f->oif, f->tos, RT_SCOPE_UNIVERSE, &found);

	if (err)
		return err;
	return put_route_of(b, found, answer_table(r, found->table), rtnl_answer(r, RTM_NEWROUTE)) ?
		       0 :
		       -ENOBUFS;
}

static int route_get(struct nl_request *r)
{
	const struct nlattr *tb[RTA_MAX + 1];
	const struct rtmsg *m = r->body;
	struct ip4_flow f = { .uid = current_uid() };
	struct netdev *d = NULL;
	struct ip4_route way;
	struct nlmsg_buf b;
	int err = nl_request_attrs(r, sizeof(*m), tb, RTA_MAX, rules, false);

	if (err)
		return err;
	f.tos = m->rtm_tos;
	if (tb[RTA_DST])
		f.dst.v = nla_u32(tb[RTA_DST]);
	if (tb[RTA_SRC])
		f.src.v = nla_u32(tb[RTA_SRC]);
	if (tb[RTA_OIF])
		f.oif = (int)nla_u32(tb[RTA_OIF]);
	if (tb[RTA_MARK])
		f.mark = nla_u32(tb[RTA_MARK]);
	if (tb[RTA_IIF]) {
		d = netdev_by_index(r->net, (int)nla_u32(tb[RTA_IIF]));
		if (!d)
			return -ENODEV;
		f.iif = d->ifindex;
	}
	err = nlmsg_init(&b, RTNL_ROOM, NLMSG_MOST, GFP_KERNEL);
	if (err)
		return err;
	rcu_read_lock();
	err = d ? route4_in(r->net, d, &f, &way) : route4_out(r->net, &f, &way);
	if (!err && m->rtm_flags & RTM_F_FIB_MATCH)
		err = put_match(&b, r, &f);
	else if (!err && !put_answer(&b, r, &f, &way))
		err = -ENOBUFS;
	rcu_read_unlock();
	if (!err)
		return netlink_reply(r, &b);
	nlmsg_free(&b);
	return err;
}

/* ---- notifications ---- */

static void tell(struct net *net, const struct fib4_route *f, enum fib4_change change)
{
	struct rtnl_head h = { .type = change == FIB4_GONE ? RTM_DELROUTE : RTM_NEWROUTE,
			       .flags = change == FIB4_REPLACED ? NLM_F_REPLACE : 0 };
	struct rtnl_note n;

	if (rtnl_note_begin(&n, net, RTNLGRP_IPV4_ROUTE, GFP_KERNEL, NULL))
		rtnl_note_end(&n, put_route(&n.b, f, h));
}

static struct rtnl_kind routes = { .base = RTM_NEWROUTE,
				   .family = AF_INET,
				   .add = route_add,
				   .del = route_del,
				   .get = route_get,
				   .filter = filter,
				   .dump = dump };

static int route_init(void)
{
	rtnl_register(&routes);
	fib4_set_listener(tell);
	return 0;
}
INITCALL(fs, route_init);
