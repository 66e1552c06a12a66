// SPDX-License-Identifier: MIT
/*
 * Groups that this machine has joined on a device, and the reports that tell routers and switches
 * of them (MLDv2, RFC 3810). A change is reported REPORTS times, a second apart, by the device's
 * work; a query is answered by a report of all groups within the time that it gives. Sources are
 * not filtered: each group is one of EXCLUDE {}.
 */
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/random.h>
#include <abi/errno.h>
#include "net/core/stats.h"
#include "net/dev/if_flags.h"
#include "net/ip6/addr6.h"
#include "net/wire/csum.h"
#include "net/wire/icmp6.h"

#define REPORTS 2		/* the robustness variable */
#define REPORT_EVERY_NS NSEC_PER_SEC
#define RECORDS_MOST 4u		/* of a report: so that it lies in a packet's head */
enum { MODE_IS_EXCLUDE = 2, CHANGE_TO_INCLUDE = 3, CHANGE_TO_EXCLUDE = 4 };

struct record_wire {
	u8 kind, aux;
	be16 sources;
	struct ip6_addr group;
} __packed;
_Static_assert(sizeof(struct record_wire) == 20, "as on the wire");

static struct in6_group *find(struct in6_device *in, const struct ip6_addr *group)
{
	u32 hash = in6_group_hash(group);
	struct in6_group *g, *found = NULL;
	unsigned long *b = ghash_lock(&in->group_hash, hash);

	ghash_for_each(g, b, hash, node)
		if (ip6_equal(&g->group, group)) {
			found = g;
			break;
		}
	ghash_unlock(b);
	return found;
}

/* All nodes, and what does not leave this machine, is told to nobody. */
static bool is_reported(const struct in6_device *in, const struct ip6_addr *group)
{
	struct ip6_addr all = IP6_ALL_NODES;

	return ip6_mc_scope(group) > 1 && !ip6_equal(group, &all) &&
	       !(in->dev->flags & (IFF_LOOPBACK | IFF_NOARP));
}

/* ---- reports ---- */

struct report {
	struct record_wire records[RECORDS_MOST];
	unsigned int nr;
};

/* Hop-by-hop options with a router alert for MLD (RFC 2711), before the message. */
static void send_report(struct in6_device *in, struct report *r)
{
	static const u8 alert[8] = { IP6_ICMP, 0, 5, 2, 0, 0, 1, 0 };
	struct ip6_addr src, dst = ip6_make(0xff020000, 0, 0, 0x16);
	struct ip6_route way = {
		.dev = in->dev, .mtu = in->dev->mtu, .type = RTN_MULTICAST, .dst = dst, .next = dst
	};
	struct ip6_tx t = { .protocol = IP6_HOPOPTS, .hops = 1, .dst = dst };
	u32 n = r->nr * (u32)sizeof(struct record_wire);
	struct packet *p = r->nr ? packet_alloc(GFP_ATOMIC) : NULL;
	struct icmp_wire *h;

	if (!p)
		return;
	if (!in6_link_local(in->dev, &src))
		src = IP6_ANY;
	t.src = src;
	h = (struct icmp_wire *)packet_put(p, (u16)(ICMP_HEADER + n));
	*h = (struct icmp_wire){ .type = ICMP6_MLD2_REPORT };
	h->rest = be32_make(r->nr);
	memcpy(h + 1, r->records, n);
	h->csum.v =
		csum_fold(packet_sum(p, 0, p->len, csum_pseudo6(&src, &dst, IP6_ICMP, p->len, 0)));
	memcpy(packet_push(p, sizeof(alert)), alert, sizeof(alert));
	net_count(in->dev->net, ICMP6_OUT_MSGS);
	net_count(in->dev->net, icmp6_counter(false, ICMP6_MLD2_REPORT));
	rcu_read_lock();
	ip6_send(in->dev->net, p, &way, &t);
	rcu_read_unlock();
	r->nr = 0;
}

static void add_record(struct in6_device *in, struct report *r, const struct ip6_addr *group,
		       u8 kind)
{
	if (r->nr == RECORDS_MOST)
		send_report(in, r);
	r->records[r->nr++] = (struct record_wire){ .kind = kind, .group = *group };
}

u64 mld_run(struct in6_device *in, u64 now)
{
	u64 query = READ_ONCE(in->query_ns);
	bool all = query && query <= now, more = false;
	struct report r = { .nr = 0 };
	struct in6_group *g;

	if (!all && (!in->report_at_ns || in->report_at_ns > now))
		return in->report_at_ns && query ? min(in->report_at_ns, query) :
						   in->report_at_ns + query;
	if (all)
		WRITE_ONCE(in->query_ns, 0);
	list_for_each_entry(g, &in->groups, list) {
		if (!is_reported(in, &g->group))
			continue;
		if (g->reports_left) {
			g->reports_left--;
			add_record(in, &r, &g->group, CHANGE_TO_EXCLUDE);
		} else if (all) {
			add_record(in, &r, &g->group, MODE_IS_EXCLUDE);
		}
		more |= g->reports_left;
	}
	send_report(in, &r);
	in->report_at_ns = more ? now + REPORT_EVERY_NS : 0;
	return in->report_at_ns;
}

void mld_receive(struct net *net, struct packet *p)
{
	const struct ip6_wire *ip = (const struct ip6_wire *)packet_net(p);
	struct in6_device *in = in6_dev(p->dev);
	struct mld_query q;
	u8 msg[28];
	u32 n = min_t(u32, p->len, sizeof(msg));

	if (in && ip->hops == 1 && ip6_is_link_local(&ip->src) && packet_read(p, 0, msg, n) &&
	    !mld_decode_query(&q, msg, n) && !READ_ONCE(in->query_ns)) {
		u64 delay = get_random_u32_below(min(q.max_delay_ms, 60000u) + 1) * NSEC_PER_MSEC;

		WRITE_ONCE(in->query_ns, ktime_get_ns() + delay);
		in6_kick(in);
	}
	packet_consume(p);
}

/* ---- membership ---- */

int in6_group_join(struct in6_device *in, const struct ip6_addr *group)
{
	struct in6_group *g = find(in, group);
	u8 mac[NETDEV_ADDR] = {};
	unsigned long *b;
	int err;

	rtnl_assert();
	if (g) {
		g->users++;
		return 0;
	}
	g = kzalloc(sizeof(*g), GFP_KERNEL_ACCOUNT);
	if (!g)
		return -ENOMEM;
	ip6_group_mac(mac, group);
	err = netdev_mc_add(in->dev, mac);
	if (err) {
		kfree(g);
		return err;
	}
	g->group = *group;
	g->users = 1;
	g->reports_left = is_reported(in, group) ? REPORTS : 0;
	list_add_tail(&g->list, &in->groups);
	ghash_reserve(&in->group_hash);
	b = ghash_lock(&in->group_hash, in6_group_hash(group));
	ghash_add(&in->group_hash, b, &g->node, in6_group_hash(group));
	ghash_unlock(b);
	if (g->reports_left && in->dev->flags & IFF_UP) {
		in->report_at_ns = ktime_get_ns();
		in6_kick(in);
	}
	return 0;
}

static void drop(struct in6_device *in, struct in6_group *g)
{
	u8 mac[NETDEV_ADDR] = {};

	ip6_group_mac(mac, &g->group);
	netdev_mc_del(in->dev, mac);
	ghash_del(&in->group_hash, &g->node);
	list_del(&g->list);
	kfree_rcu(g, rcu);
}

void in6_group_leave(struct in6_device *in, const struct ip6_addr *group)
{
	struct in6_group *g = find(in, group);
	struct report r = { .nr = 0 };

	rtnl_assert();
	if (!g || --g->users)
		return;
	if (is_reported(in, group) && in->dev->flags & IFF_UP) {
		add_record(in, &r, group, CHANGE_TO_INCLUDE);
		send_report(in, &r);
	}
	drop(in, g);
}

void in6_groups_drop(struct in6_device *in)
{
	struct in6_group *g, *n;

	list_for_each_entry_safe(g, n, &in->groups, list)
		drop(in, g);
}
