// SPDX-License-Identifier: MIT
/* /proc/net of IPv6: addresses, routes, counters. The layouts are Linux's. */
#include <lib/format.h>
#include <lib/string.h>
#include <vfs/seq_file.h>
#include <net/show.h>
#include <linux/ipv6_route.h>
#include <linux/route.h>
#include "net/conf/conf.h"
#include "net/core/stats.h"
#include "net/ip4/frags.h"
#include "net/ip6/addr6.h"
#include "net/wire/icmp6.h"

static void put_addr(struct seq_file *m, const struct ip6_addr *a)
{
	for (unsigned int i = 0; i < 4; i++)
		seq_printf(m, "%08x", be32_get(a->w[i]));
}

/* Scopes as this file has them. */
static u32 shown_scope(const struct ip6_addr *a)
{
	if (ip6_is_loopback(a))
		return 0x10;
	if (ip6_is_link_local(a))
		return 0x20;
	return ip6_is_site_local(a) ? 0x40 : 0;
}

void net_show_if_inet6(struct seq_file *m, struct net *net)
{
	struct in6_address *a;
	struct netdev *d;

	rtnl_lock();
	list_for_each_entry(d, &net->devs, list) {
		if (!in6_dev(d))
			continue;
		list_for_each_entry(a, &in6_dev(d)->addrs, list) {
			put_addr(m, &a->local);
			seq_printf(m, " %02x %02x %02x %02x %8s\n", (u32)d->ifindex, a->bits,
				   shown_scope(&a->local), (u8)a->flags, d->name);
		}
	}
	rtnl_unlock();
}

static u32 shown_flags(const struct fib6_route *r)
{
	u32 flags = RTF_UP | (r->rtf & ~(u32)RTF_GATEWAY);

	if (r->type == RTN_LOCAL)
		flags |= RTF_NONEXTHOP | 0x80000000u /* RTF_LOCAL */;
	if (r->type == RTN_UNREACHABLE || r->type == RTN_BLACKHOLE || r->type == RTN_PROHIBIT)
		flags |= RTF_REJECT;
	if (!ip6_is_any(&r->gateway))
		flags |= RTF_GATEWAY;
	return r->prefix->len == 128 && r->type == RTN_UNICAST ? flags | RTF_HOST : flags;
}

void net_show_ipv6_route(struct seq_file *m, struct net *net)
{
	const u32 ids[] = { RT_TABLE_LOCAL, RT_TABLE_MAIN };
	struct ip6_addr none = IP6_ANY;

	rtnl_lock();
	for (unsigned int i = 0; i < ARRAY_SIZE(ids); i++) {
		struct fib6_table *t = fib6_table(net, ids[i], false);

		for (struct rb_node *n = t ? rb_first(&t->all) : NULL; n; n = rb_next(n)) {
			const struct fib6_route *r = rb_entry(n, struct fib6_route, dump);

			put_addr(m, &r->prefix->prefix);
			seq_printf(m, " %02x ", r->prefix->len);
			put_addr(m, &none);
			seq_puts(m, " 00 ");
			put_addr(m, &r->gateway);
			seq_printf(m, " %08x %08x %08x %08x %8s\n", r->metric, 1, 0, shown_flags(r),
				   r->dev->name);
		}
	}
	rtnl_unlock();
}

/* ---- counters ---- */

struct shown {
	const char *name;
	int item;
};

static const struct shown items[] = {
	{ "Ip6InReceives", IP6_IN_RECEIVES },
	{ "Ip6InHdrErrors", IP6_IN_HDR_ERRORS },
	{ "Ip6InTooBigErrors", IP6_IN_TOO_BIG_ERRORS },
	{ "Ip6InNoRoutes", IP6_IN_NO_ROUTES },
	{ "Ip6InAddrErrors", IP6_IN_ADDR_ERRORS },
	{ "Ip6InUnknownProtos", IP6_IN_UNKNOWN_PROTOS },
	{ "Ip6InTruncatedPkts", IP6_IN_TRUNCATED },
	{ "Ip6InDiscards", IP6_IN_DISCARDS },
	{ "Ip6InDelivers", IP6_IN_DELIVERS },
	{ "Ip6OutForwDatagrams", IP6_FORW_DATAGRAMS },
	{ "Ip6OutRequests", IP6_OUT_REQUESTS },
	{ "Ip6OutDiscards", IP6_OUT_DISCARDS },
	{ "Ip6OutNoRoutes", IP6_OUT_NO_ROUTES },
	{ "Ip6ReasmTimeout", IP6_REASM_TIMEOUT },
	{ "Ip6ReasmReqds", IP6_REASM_REQDS },
	{ "Ip6ReasmOKs", IP6_REASM_OKS },
	{ "Ip6ReasmFails", IP6_REASM_FAILS },
	{ "Ip6FragOKs", IP6_FRAG_OKS },
	{ "Ip6FragFails", IP6_FRAG_FAILS },
	{ "Ip6FragCreates", IP6_FRAG_CREATES },
	{ "Ip6InMcastPkts", IP6_IN_MCAST },
	{ "Ip6OutMcastPkts", IP6_OUT_MCAST },
	{ "Ip6InOctets", IP6_IN_OCTETS },
	{ "Ip6OutOctets", IP6_OUT_OCTETS },
	{ "Ip6OutTransmits", IP6_OUT_TRANSMITS },
	{ "Icmp6InMsgs", ICMP6_IN_MSGS },
	{ "Icmp6InErrors", ICMP6_IN_ERRORS },
	{ "Icmp6OutMsgs", ICMP6_OUT_MSGS },
	{ "Icmp6OutErrors", ICMP6_OUT_ERRORS },
	{ "Icmp6InCsumErrors", ICMP6_IN_CSUM_ERRORS },
	{ "Icmp6OutRateLimitHost", ICMP6_OUT_RATE_HOST },
};
static const struct shown udp_items[] = {
	{ "Udp6InDatagrams", UDP6_IN_DATAGRAMS },    { "Udp6NoPorts", UDP6_NO_PORTS },
	{ "Udp6InErrors", UDP6_IN_ERRORS },	     { "Udp6OutDatagrams", UDP6_OUT_DATAGRAMS },
	{ "Udp6RcvbufErrors", UDP6_RCVBUF_ERRORS },  { "Udp6SndbufErrors", UDP6_SNDBUF_ERRORS },
	{ "Udp6InCsumErrors", UDP6_IN_CSUM_ERRORS }, { "Udp6IgnoredMulti", UDP6_IGNORED_MULTI },
	{ "Udp6MemErrors", UDP6_MEM_ERRORS },
};

static void lines(struct seq_file *m, struct net *net, const struct shown *s, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		seq_printf(m, "%-32s\t%llu\n", s[i].name,
			   net_counter_sum(net, (enum net_counter)s[i].item));
}

static void types(struct seq_file *m, struct net *net, bool in)
{
	static const struct {
		const char *name;
		u8 type;
	} rows[] = { { "DestUnreachs", ICMP6_UNREACH },
		     { "PktTooBigs", ICMP6_TOO_BIG },
		     { "TimeExcds", ICMP6_TIME_EXCEEDED },
		     { "ParmProblems", ICMP6_PARAMETER },
		     { "Echos", ICMP6_ECHO },
		     { "EchoReplies", ICMP6_ECHO_REPLY },
		     { "GroupMembQueries", ICMP6_MLD_QUERY },
		     { "GroupMembResponses", ICMP6_MLD_REPORT },
		     { "GroupMembReductions", ICMP6_MLD_DONE },
		     { "RouterSolicits", ICMP6_RS },
		     { "RouterAdvertisements", ICMP6_RA },
		     { "NeighborSolicits", ICMP6_NS },
		     { "NeighborAdvertisements", ICMP6_NA },
		     { "Redirects", ICMP6_REDIRECT },
		     { "MLDv2Reports", ICMP6_MLD2_REPORT } };
	char name[64];

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		snprintf(name, sizeof(name), "Icmp6%s%s", in ? "In" : "Out", rows[i].name);
		seq_printf(m, "%-32s\t%llu\n", name,
			   net_counter_sum(net, (enum net_counter)icmp6_counter(in, rows[i].type)));
	}
}

void net_show_snmp6(struct seq_file *m, struct net *net)
{
	lines(m, net, items, ARRAY_SIZE(items));
	types(m, net, true);
	types(m, net, false);
	lines(m, net, udp_items, ARRAY_SIZE(udp_items));
}

/* ---- sockets ---- */

static long sockets(struct inet_table *t)
{
	long nr = 0;

	for (unsigned int bound = 0; bound < 2; bound++) {
		struct inet_walk w = { .table = t, .bound = bound, .family = AF_INET6 };

		while (inet_walk_next(&w))
			for (unsigned int i = 0; i < w.nr; i++)
				nr += w.found[i]->kind == INET_FULL;
	}
	return nr;
}

void net_show_sockstat6(struct seq_file *m, struct net *net)
{
	seq_printf(m, "TCP6: inuse %ld\n", sockets(net->inet->tcp));
	seq_printf(m, "UDP6: inuse %ld\nUDPLITE6: inuse 0\n", sockets(&net->inet->udp));
	seq_printf(m, "RAW6: inuse %ld\n", ghash_count(&net->inet->raw6.bound));
	seq_printf(m, "FRAG6: inuse %u memory %lu\n", frags_count(net->ip6->frags),
		   frags_bytes(net->ip6->frags));
}
