// SPDX-License-Identifier: MIT
/* IPv6 between two namespaces and a cable: neighbours, duplicates, advertisements, groups. */
#include <lib/err.h>
#include <lib/string.h>
#include <kernel/ktest.h>
#include <kernel/rcu.h>
#include <proc/cred.h>
#include <proc/upcalls.h>
#include <sched/task.h>
#include <abi/errno.h>
#include "net/core/stats.h"
#include "net/dev/if_flags.h"
#include "net/ip6/addr6.h"
#include "net/virt/virt.h"
#include "net/wire/csum.h"
#include "net/wire/icmp6.h"

struct pair {
	struct net *net[2];
	struct netdev *dev[2];
};

static struct ip6_addr address(u32 last)
{
	return ip6_make(0x20010db8, 0, 0, last);
}

static int add(struct netdev *d, u32 last, u32 flags)
{
	struct in6_address a = { .local = address(last),
				 .bits = 64,
				 .flags = flags,
				 .valid_s = U32_MAX,
				 .preferred_s = U32_MAX };

	return in6_addr_add(in6_dev(d), &a);
}

/* Two ends that are up, without detection of duplicates unless the test wants it. */
static int pair_make(struct pair *p, int dad)
{
	static const char *const names[] = { "veth0", "cable" };
	struct netdev *d;
	int err;

	for (int i = 0; i < 2; i++) {
		p->net[i] = copy_net_ns(true, &init_net, &init_user_ns);
		if (IS_ERR(p->net[i]))
			return -ENOMEM;
		p->net[i]->ip6->conf_default.accept_dad = dad;
		p->net[i]->ip6->conf_default.router_solicitation_delay = 0;
	}
	rtnl_lock();
	d = veth_make(p->net[0], &(struct netdev_wish){ .name = "veth%d" }, p->net[1],
		      &(struct netdev_wish){ .name = "cable" });
	err = IS_ERR(d) ? (int)PTR_ERR(d) : 0;
	for (int i = 0; i < 2 && !err; i++) {
		p->dev[i] = netdev_by_name(p->net[i], names[i]);
		err = netdev_open(p->net[i]->loopback) ?: netdev_open(p->dev[i]);
	}
	rtnl_unlock();
	return err;
}

static void pair_end(struct pair *p)
{
	put_net(p->net[0]);
	put_net(p->net[1]);
}

static u64 heard(struct net *net, u8 type)
{
	return net_counter_sum(net, (enum net_counter)icmp6_counter(true, type));
}

/* Answers come within the call, unless this CPU's thread has older packets: then behind those. */
static void wait_for_reply(struct net *net, u64 nr)
{
	while (heard(net, ICMP6_ECHO_REPLY) < nr)
		schedule_timeout_uninterruptible(1);
}

/* An echo request of N bytes to DST: 0 or -errno. */
static int ping(struct net *net, const struct ip6_addr *dst, int oif, u32 n)
{
	struct ip6_flow f = { .dst = *dst, .oif = oif };
	struct ip6_tx t = { .protocol = IP6_ICMP, .fragment = true, .hops = -1, .dst = *dst };
	struct packet *p = packet_alloc(GFP_KERNEL);
	static u8 payload[4000];
	struct kvec v = { payload, n };
	struct icmp_wire *w;
	struct ip6_route r;
	struct net_ctx c;
	struct iter it;
	int err;

	if (!p)
		return -ENOMEM;
	w = (struct icmp_wire *)packet_put(p, ICMP_HEADER);
	*w = (struct icmp_wire){ .type = ICMP6_ECHO };
	iter_init_kvec(&it, ITER_SOURCE, &v, 1, n);
	err = packet_from_iter(p, &it, n, GFP_KERNEL);
	net_ctx_begin(&c);
	rcu_read_lock();
	err = err ?: route6_out(net, &f, &r);
	if (err) {
		packet_consume(p);
	} else {
		t.src = r.src;
		w->csum.v = csum_fold(packet_sum(
			p, 0, p->len, csum_pseudo6(&t.src, &t.dst, IP6_ICMP, p->len, 0)));
		err = ip6_send(net, p, &r, &t);
	}
	rcu_read_unlock();
	net_ctx_end(&c);
	return err;
}

KTEST(veth6_ping)
{
	struct ip6_addr peer = address(2), far = ip6_make(0x20020000, 0, 0, 1), local;
	struct pair p;
	u32 key[4];

	KT_EQ(pair_make(&p, 0), 0);
	rtnl_lock();
	KT_EQ(add(p.dev[0], 1, 0), 0);
	KT_EQ(add(p.dev[0], 1, 0), -EEXIST);
	KT_EQ(add(p.dev[1], 2, 0), 0);
	rtnl_unlock();
	/* The question, the answer, the packet that waited and its answer. */
	KT_EQ(ping(p.net[0], &peer, 0, 56), 0);
	wait_for_reply(p.net[0], 1);
	KT_EQ(heard(p.net[0], ICMP6_ECHO_REPLY), 1);
	memcpy(key, &peer, sizeof(key));
	rcu_read_lock();
	KT_EQ(neigh_find(nd_table(p.net[0]), p.dev[0], key)->state, NUD_REACHABLE);
	KT_ASSERT(in6_link_local(p.dev[1], &local));
	rcu_read_unlock();
	KT_EQ(ping(p.net[0], &peer, 0, 3900), 0);
	wait_for_reply(p.net[0], 2);
	KT_EQ(heard(p.net[0], ICMP6_ECHO_REPLY), 2);
	KT_EQ(net_counter_sum(p.net[1], IP6_REASM_OKS), 1);
	KT_EQ(ping(p.net[0], &far, 0, 56), -ENETUNREACH);
	KT_EQ(ping(p.net[0], &local, p.dev[0]->ifindex, 56), 0);
	wait_for_reply(p.net[0], 3);
	KT_EQ(heard(p.net[0], ICMP6_ECHO_REPLY), 3);
	/* Nobody there: the packet waits, and the namespace ends with it. */
	peer = address(99);
	KT_EQ(ping(p.net[0], &peer, 0, 56), 0);
	pair_end(&p);
}

static u32 flags_of(struct netdev *d, u32 last)
{
	struct ip6_addr a = address(last);
	struct in6_address *found;
	u32 flags;

	rtnl_lock();
	found = in6_addr_find(in6_dev(d), &a, -1);
	flags = found ? found->flags : 0;
	rtnl_unlock();
	return flags;
}

/* An address that another has stays unused; one that nobody has is used after its probe. */
KTEST(veth6_duplicates)
{
	struct ip6_addr a = address(7);
	struct pair p;

	KT_EQ(pair_make(&p, 1), 0);
	rtnl_lock();
	KT_EQ(add(p.dev[1], 7, IFA_F_NODAD), 0);
	KT_EQ(add(p.dev[0], 7, 0), 0);
	KT_EQ(add(p.dev[0], 8, 0), 0);
	rtnl_unlock();
	KT_ASSERT(flags_of(p.dev[0], 8) & IFA_F_TENTATIVE);
	while (flags_of(p.dev[0], 8) & IFA_F_TENTATIVE)
		schedule_timeout_uninterruptible(1);
	while (!(flags_of(p.dev[0], 7) & IFA_F_DADFAILED))
		schedule_timeout_uninterruptible(1);
	rcu_read_lock();
	KT_ASSERT(!in6_is_local(p.net[0], &a, NULL));
	KT_ASSERT(in6_is_local(p.net[1], &a, NULL));
	rcu_read_unlock();
	pair_end(&p);
}

/*
 * An advertisement of 2001:db8::/64 and of MTU 1400, LIFETIME_S as a router, VALID_S as a prefix.
 */
static bool advertise(struct pair *p, u16 lifetime_s, u32 valid_s)
{
	struct ip6_addr src, all = IP6_ALL_NODES, prefix = address(0);
	struct packet *m = packet_alloc(GFP_KERNEL);
	be32 valid = be32_make(valid_s), mtu = be32_make(1400);
	be16 life = be16_make(lifetime_s);
	struct net_ctx c;
	u8 *b;

	if (!m)
		return false;
	b = packet_put(m, 16 + 32 + 8);
	memset(b, 0, 56);
	b[0] = ICMP6_RA;
	b[4] = 37;			/* hop limit */
	memcpy(b + 6, &life, sizeof(life));
	b[16] = 3;
	b[17] = 4;
	b[18] = 64;
	b[19] = 0xc0;
	memcpy(b + 20, &valid, sizeof(valid));
	memcpy(b + 24, &valid, sizeof(valid));
	memcpy(b + 32, &prefix, sizeof(prefix));
	b[48] = 5;
	b[49] = 1;
	memcpy(b + 52, &mtu, sizeof(mtu));
	net_ctx_begin(&c);
	rcu_read_lock();
	if (in6_link_local(p->dev[1], &src))
		icmp6_emit(p->net[1], m, p->dev[1], &src, &all, 255);
	rcu_read_unlock();
	net_ctx_end(&c);
	return true;
}

static bool has_default(struct pair *p)
{
	struct fib6_config c = { .oif = p->dev[0]->ifindex };
	bool has;

	rtnl_lock();
	has = fib6_get(p->net[0], &c);
	rtnl_unlock();
	return has;
}

KTEST(veth6_advertisement)
{
	struct ip6_addr a = address(0), far = ip6_make(0x2a000000, 0, 0, 1);
	struct ip6_flow f = { .dst = far };
	struct ip6_route r;
	struct pair p;

	KT_EQ(pair_make(&p, 0), 0);
	KT_ASSERT(!has_default(&p));
	KT_ASSERT(advertise(&p, 1800, 3600));
	while (!has_default(&p))
		schedule_timeout_uninterruptible(1);
	ip6_eui64(a.b + 8, p.dev[0]->addr);
	rcu_read_lock();
	KT_ASSERT(in6_is_local(p.net[0], &a, p.dev[0]));
	KT_EQ(route6_out(p.net[0], &f, &r), 0);
	KT_EQ(r.mtu, 1400);
	KT_ASSERT(r.gateway && ip6_equal(&r.src, &a));
	KT_EQ(r.protocol, RTPROT_RA);
	f.dst = address(9);
	KT_EQ(route6_out(p.net[0], &f, &r), 0);
	KT_ASSERT(!r.gateway);
	KT_EQ(r.protocol, RTPROT_KERNEL);
	rcu_read_unlock();
	KT_EQ(in6_dev(p.dev[0])->conf.hop_limit, 37);
	KT_ASSERT(advertise(&p, 0, 3600));
	while (has_default(&p))
		schedule_timeout_uninterruptible(1);
	KT_EQ(in6_dev(p.dev[0])->nr_auto, 1);
	pair_end(&p);
}

static u64 reports(struct net *net)
{
	return net_counter_sum(net, (enum net_counter)icmp6_counter(false, ICMP6_MLD2_REPORT));
}

/* Joining is reported twice, a query is answered, leaving is reported. */
KTEST(veth6_groups)
{
	struct ip6_addr group = ip6_make(0xff020000, 0, 0, 0x1234), none = IP6_ANY;
	struct in6_device *in;
	struct pair p;
	u64 before;

	KT_EQ(pair_make(&p, 0), 0);
	in = in6_dev(p.dev[0]);
	rtnl_lock();
	KT_EQ(mc_join(&in->mc, &group), 0);
	rtnl_unlock();
	while (reports(p.net[0]) < 2)
		schedule_timeout_uninterruptible(1);
	rtnl_lock();
	before = reports(p.net[0]);
	mc_leave(&in->mc, &group);
	rtnl_unlock();
	while (reports(p.net[0]) <= before)
		schedule_timeout_uninterruptible(1);
	rcu_read_lock();
	KT_ASSERT(!in6_group_joined(in, &group, &none));
	rcu_read_unlock();
	pair_end(&p);
}

static bool is_heard(struct in6_device *in, const struct ip6_addr *group,
		     const struct ip6_addr *src)
{
	bool yes;

	rcu_read_lock();
	yes = in6_group_joined(in, group, src);
	rcu_read_unlock();
	return yes;
}

/* A member that lists a source twice is one: others still get what that sends. */
KTEST(veth6_source_listed_twice)
{
	struct ip6_addr group = ip6_make(0xff020000, 0, 0, 0x1234),
			twice[2] = { address(9), address(9) };
	struct mc_filter blocks = { .mode = MC_EXCLUDE, .nr = 2, .sources = twice };
	struct in6_device *in;
	bool heard[3];
	struct pair p;
	int err[2];

	KT_EQ(pair_make(&p, 0), 0);
	in = in6_dev(p.dev[0]);
	rtnl_lock();
	err[0] = mc_change(&in->mc, &group, NULL, &blocks);
	heard[0] = is_heard(in, &group, twice);
	err[1] = mc_join(&in->mc, &group);
	heard[1] = is_heard(in, &group, twice);
	mc_leave(&in->mc, &group);
	heard[2] = is_heard(in, &group, twice);
	mc_change(&in->mc, &group, &blocks, NULL);
	rtnl_unlock();
	pair_end(&p);
	KT_EQ(err[0], 0);
	KT_EQ(err[1], 0);
	KT_ASSERT(!heard[0] && heard[1] && !heard[2]);
}

/* A reader that found a device's IPv6 state before a small MTU removed it may still ask it. */
KTEST(veth6_small_mtu)
{
	struct ip6_addr group = IP6_ALL_NODES, a = address(1), none = IP6_ANY;
	struct in6_device *in;
	struct pair p;

	KT_EQ(pair_make(&p, 0), 0);
	rtnl_lock();
	KT_EQ(add(p.dev[0], 1, 0), 0);
	in = in6_dev(p.dev[0]);
	refcount_inc(&in->refs);
	KT_EQ(netdev_set_mtu(p.dev[0], IP6_MTU_LEAST - 1), 0);
	KT_ASSERT(!in6_dev(p.dev[0]));
	rtnl_unlock();
	rcu_read_lock();
	KT_ASSERT(!in6_group_joined(in, &group, &none));
	KT_ASSERT(!in6_address_of(in, &a));
	rcu_read_unlock();
	in6_put(in);
	pair_end(&p);
}

static struct pair *taken;		/* rtnl */

static void one_more(struct net *net, const struct fib6_route *r, enum fib6_change change)
{
	struct pair *p = taken;

	if (!p || net != p->net[0])	/* a namespace of an earlier test may be ending */
		return;
	taken = NULL;
	advertise(p, 1800, 3600);
}

/*
 * Both advertisements have come, and each has kicked IN's work, which is neither queued nor due
 * within a minute: the second has been forgotten.
 */
static bool put_off(struct pair *p, struct in6_device *in)
{
	struct timer_list *t = &in->work.timer;
	bool far;

	if (heard(p->net[0], ICMP6_RA) < 2)
		return false;
	synchronize_rcu();		/* those that were counted have kicked */
	rtnl_lock();
	far = !in->nr_auto && timer_pending(t) &&
	      t->hr.expires > (s64)(ktime_get_ns() + 60 * NSEC_PER_SEC);
	rtnl_unlock();
	return far;
}

/* One that comes while another is taken does not wait until something of that one expires. */
KTEST(veth6_advertisement_during_another)
{
	fib6_listener *was;
	struct in6_device *in;
	struct pair p;

	KT_EQ(pair_make(&p, 0), 0);
	in = in6_dev(p.dev[0]);
	rtnl_lock();
	was = fib6_set_listener(one_more);
	taken = &p;
	rtnl_unlock();
	KT_ASSERT(advertise(&p, 1800, 0));
	while (!READ_ONCE(in->nr_auto) && !put_off(&p, in))
		schedule_timeout_uninterruptible(1);
	rtnl_lock();
	fib6_set_listener(was);
	rtnl_unlock();
	KT_ASSERT(!taken);
	KT_EQ(in->nr_auto, 1);
	pair_end(&p);
}

/*
 * A short life is not believed of an address that is there, however young: also where one run of
 * the work made it (RFC 4862, 5.5.3 e).
 */
KTEST(veth6_two_advertisements_at_once)
{
	struct in6_device *in;
	bool sent, wait;
	struct pair p;

	KT_EQ(pair_make(&p, 0), 0);
	in = in6_dev(p.dev[0]);
	rtnl_lock();			/* the work takes both behind us */
	sent = advertise(&p, 1800, 3600) && advertise(&p, 0, 0);
	while (heard(p.net[0], ICMP6_RA) < 2)
		schedule_timeout_uninterruptible(1);
	synchronize_rcu();
	rtnl_unlock();
	do {
		schedule_timeout_uninterruptible(1);
		rtnl_lock();
		wait = !packet_list_empty(&in->ras);
		rtnl_unlock();
	} while (wait);
	KT_ASSERT(sent);
	KT_EQ(in->nr_auto, 1);
	pair_end(&p);
}

/*
 * An address that an advertisement made counts as one, whatever a program makes of its flags; its
 * prefix's route goes and comes with IFA_F_NOPREFIXROUTE.
 */
KTEST(veth6_changed_address)
{
	struct ip6_addr a = address(0);
	struct fib6_config c = { .dst = address(0), .len = 64, .protocol = RTPROT_KERNEL };
	struct in6_address *found;
	struct in6_device *in;
	struct pair p;

	KT_EQ(pair_make(&p, 0), 0);
	in = in6_dev(p.dev[0]);
	KT_ASSERT(advertise(&p, 1800, 0));
	KT_ASSERT(advertise(&p, 1800, 3600));
	while (!has_default(&p) || !READ_ONCE(in->nr_auto))
		schedule_timeout_uninterruptible(1);
	ip6_eui64(a.b + 8, p.dev[0]->addr);
	rtnl_lock();
	found = in6_addr_find(in, &a, -1);
	in6_addr_change(found, 3600, 3600, IFA_F_NOPREFIXROUTE);
	in6_addr_del(found);
	KT_EQ(in->nr_auto, 0);
	fib6_drop_auto(p.dev[0]);
	KT_EQ(p.net[0]->fib6->auto_count, 0);
	KT_EQ(add(p.dev[0], 1, 0), 0);
	KT_ASSERT(fib6_get(p.net[0], &c));
	a = address(1);
	found = in6_addr_find(in, &a, -1);
	in6_addr_change(found, U32_MAX, U32_MAX, IFA_F_NOPREFIXROUTE);
	KT_ASSERT(!fib6_get(p.net[0], &c));
	in6_addr_change(found, U32_MAX, U32_MAX, 0);
	KT_ASSERT(fib6_get(p.net[0], &c));
	rtnl_unlock();
	pair_end(&p);
}
