// SPDX-License-Identifier: MIT
/* /proc/net/igmp, igmp6, mcfilter, mcfilter6: groups that this machine has joined, and sources. */
#include <lib/format.h>
#include <vfs/seq_file.h>
#include <kernel/time.h>
#include <net/show.h>
#include "net/conf/conf.h"
#include "net/ip4/addr.h"
#include "net/ip6/addr6.h"

#define CLOCK_TICK_NS (NSEC_PER_SEC / 100)	/* USER_HZ */
/* Flags of a group of IPv6 in igmp6. */
enum { TIMER_RUNS = 1, LAST_REPORTER = 2, LOADED = 4, NO_REPORT = 8 };

void net_show_igmp(struct seq_file *m, struct net *net)
{
	static const char *const versions[] = { [MC_V1] = "V1", [MC_V2] = "V2", [MC_V3] = "V3" };
	struct mc_group *g;
	struct netdev *d;

	seq_puts(m, "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n");
	rtnl_lock();
	list_for_each_entry(d, &net->devs, list) {
		struct in_device *in = in_dev(d);

		if (!in || !in->mc.nr)
			continue;
		seq_printf(m, "%d\t%-10s: %5u %7s\n", d->ifindex, d->name, in->mc.nr,
			   versions[mc_version(&in->mc)]);
		list_for_each_entry(g, &in->mc.groups, list)
			seq_printf(m, "\t\t\t\t%08X %5u %d:%08llX\t\t%d\n", g->addr.w[3].v,
				   g->users, wheel_is_armed(&g->answer),
				   wheel_left_ns(&g->answer) / CLOCK_TICK_NS,
				   READ_ONCE(g->reporter));
	}
	rtnl_unlock();
}

static void put6(struct seq_file *m, const struct ip6_addr *a)
{
	for (unsigned int i = 0; i < 16; i++)
		seq_printf(m, "%02x", a->b[i]);
}

static u32 shown_flags(const struct mc_group *g)
{
	struct ip6_addr all = IP6_ALL_NODES;
	bool own = ip6_mc_scope(&g->addr) <= 1;

	return (wheel_is_armed(&g->answer) ? TIMER_RUNS : 0u) |
	       (READ_ONCE(g->reporter) ? LAST_REPORTER : 0u) | (own ? 0u : LOADED) |
	       (own || ip6_equal(&g->addr, &all) ? NO_REPORT : 0u);
}

void net_show_igmp6(struct seq_file *m, struct net *net)
{
	struct mc_group *g;
	struct netdev *d;

	rtnl_lock();
	list_for_each_entry(d, &net->devs, list) {
		if (!in6_dev(d))
			continue;
		list_for_each_entry(g, &in6_dev(d)->mc.groups, list) {
			seq_printf(m, "%-4d %-15s ", d->ifindex, d->name);
			put6(m, &g->addr);
			seq_printf(m, " %5u %08X %llu\n", g->users, shown_flags(g),
				   wheel_left_ns(&g->answer) / CLOCK_TICK_NS);
		}
	}
	rtnl_unlock();
}

/* ---- sources ---- */

struct sources {
	struct seq_file *m;
	const struct netdev *d;
	bool any;
};

static void source4(const struct mc_group *g, const struct mc_source *s, void *arg)
{
	struct sources *w = arg;

	if (!w->any)
		seq_printf(w->m, "Idx Device        MCA        SRC    INC    EXC\n");
	w->any = true;
	seq_printf(w->m, "%3d %6.6s 0x%08x 0x%08x %6u %6u\n", w->d->ifindex, w->d->name,
		   be32_get(g->addr.w[3]), be32_get(s->addr.w[3]), s->users[MC_INCLUDE],
		   s->users[MC_EXCLUDE]);
}

static void source6(const struct mc_group *g, const struct mc_source *s, void *arg)
{
	struct sources *w = arg;

	if (!w->any)
		seq_printf(w->m, "Idx Device                Multicast Address                   "
				 "Source Address    INC    EXC\n");
	w->any = true;
	seq_printf(w->m, "%3d %6.6s ", w->d->ifindex, w->d->name);
	put6(w->m, &g->addr);
	seq_putc(w->m, ' ');
	put6(w->m, &s->addr);
	seq_printf(w->m, " %6u %6u\n", s->users[MC_INCLUDE], s->users[MC_EXCLUDE]);
}

static void each_source(struct seq_file *m, struct net *net, bool six)
{
	struct sources w = { .m = m };
	struct mc_group *g;
	struct netdev *d;

	rtnl_lock();
	list_for_each_entry(d, &net->devs, list) {
		struct mc_device *mc = six	 ? (in6_dev(d) ? &in6_dev(d)->mc : NULL) :
				       in_dev(d) ? &in_dev(d)->mc :
						   NULL;

		w.d = d;
		if (mc)
			list_for_each_entry(g, &mc->groups, list)
				mc_each_source(g, six ? source6 : source4, &w);
	}
	rtnl_unlock();
}

void net_show_mcfilter(struct seq_file *m, struct net *net)
{
	each_source(m, net, false);
}

void net_show_mcfilter6(struct seq_file *m, struct net *net)
{
	each_source(m, net, true);
}
