// SPDX-License-Identifier: MIT
/* Two namespaces and a cable: ARP, routes, UDP between them; their end with traffic in flight. */
#include <lib/err.h>
#include <lib/string.h>
#include <kernel/ktest.h>
#include <kernel/rcu.h>
#include <proc/cred.h>
#include <proc/upcalls.h>
#include <sched/kthread.h>
#include <sched/task.h>
#include <abi/errno.h>
#include "net/core/stats.h"
#include "net/dev/if_flags.h"
#include "net/ip4/addr.h"
#include "net/ip4/ip4_priv.h"
#include "net/ip6/addr6.h"
#include "net/neigh/neigh.h"
#include "net/virt/virt.h"
#include "net/wire/csum.h"
#include "net/wire/icmp.h"

struct pair {
	struct net *net[2];
};

static int end_up(struct net *net, const char *name, u32 addr)
{
	struct netdev *d = netdev_by_name(net, name);
	int err = netdev_open(net->loopback);

	if (!err)
		err = netdev_open(d);
	return err ?: in_addr_set(in_dev(d), name, be32_make(addr), 24);
}

static int pair_make(struct pair *p)
{
	struct netdev *d;
	int err;

	p->net[0] = copy_net_ns(true, &init_net, &init_user_ns);
	p->net[1] = copy_net_ns(true, &init_net, &init_user_ns);
	if (IS_ERR(p->net[0]) || IS_ERR(p->net[1]))
		return -ENOMEM;
	/* The kernel sends nothing of its own, in whose wake another thread would deliver. */
	p->net[0]->ip6->conf_default.disable_ipv6 = 1;
	p->net[1]->ip6->conf_default.disable_ipv6 = 1;
	rtnl_lock();
	d = veth_make(p->net[0], &(struct netdev_wish){ .name = "veth%d" }, p->net[1],
		      &(struct netdev_wish){ .name = "cable" });
	err = IS_ERR(d) ? (int)PTR_ERR(d) : 0;
	if (!err)
		err = end_up(p->net[0], "veth0", 0x0a000001);
	if (!err)
		err = end_up(p->net[1], "cable", 0x0a000002);
	rtnl_unlock();
	return err;
}

/* An echo request of N bytes from the first to DST: 0 or -errno. */
static int ping(struct net *net, u32 dst, u32 n)
{
	struct ip4_flow f = { .dst = be32_make(dst) };
	struct ip4_tx t = { .protocol = 1, .ttl = -1, .fragment = true };
	struct packet *p = packet_alloc(GFP_KERNEL);
	struct icmp_wire *w;
	struct ip4_route r;
	struct net_ctx c;
	static u8 payload[4000];
	struct kvec v = { payload, n };
	struct iter it;
	int err;

	if (!p)
		return -ENOMEM;
	w = (struct icmp_wire *)packet_put(p, ICMP_HEADER);
	*w = (struct icmp_wire){ .type = 8 };
	iter_init_kvec(&it, ITER_SOURCE, &v, 1, n);
	err = packet_from_iter(p, &it, n, GFP_KERNEL);
	if (err) {
		packet_consume(p);
		return err;
	}
	w->csum.v = csum_fold(packet_sum(p, 0, p->len, 0));
	net_ctx_begin(&c);
	rcu_read_lock();
	err = route4_out(net, &f, &r);
	t.src = r.src;
	t.dst = f.dst;
	if (err)
		packet_consume(p);
	else
		err = ip4_send(net, p, &r, &t);
	rcu_read_unlock();
	net_ctx_end(&c);
	return err;
}

static u64 replies(struct net *net)
{
	return net_counter_sum(net, ICMP_IN_TYPE);
}

KTEST(veth_ping)
{
	struct pair p;
	struct netdev *d;
	u32 key = be32_make(0x0a000002).v;

	KT_EQ(pair_make(&p), 0);
	/*
	 * The question, the answer, the packet that waited and its answer: all within the one call.
	 */
	KT_EQ(ping(p.net[0], 0x0a000002, 56), 0);
	KT_EQ(replies(p.net[0]), 1);
	rcu_read_lock();
	d = netdev_by_name(p.net[0], "veth0");
	KT_ASSERT(neigh_find(arp_table(p.net[0]), d, &key)->state == NUD_REACHABLE);
	rcu_read_unlock();
	KT_EQ(ping(p.net[0], 0x0a000002, 3900), 0);
	KT_EQ(replies(p.net[0]), 2);
	KT_EQ(net_counter_sum(p.net[1], IP_REASM_OKS), 1);
	KT_EQ(ping(p.net[0], 0x0b000001, 56), -ENETUNREACH);
	/* Nobody there: the packet waits, and the namespace ends with it. */
	KT_EQ(ping(p.net[0], 0x0a000063, 56), 0);
	put_net(p.net[0]);
	put_net(p.net[1]);
}

static bool stop_flood;

static int flood(void *arg)
{
	struct net *net = arg;

	while (!READ_ONCE(stop_flood)) {
		ping(net, 0x0a000002, 100);
		ping(net, 0x0a000063, 100);
		ping(net, 0x0a000002, 3000);
		cond_resched();
	}
	while (!kthread_should_stop())
		schedule_timeout_uninterruptible(1);
	return 0;
}

/* The other end's namespace goes while packets are sent to it; then the sender's own. */
KTEST(veth_end_in_flight)
{
	for (int round = 0; round < 3; round++) {
		struct task *t;
		struct pair p;

		KT_EQ(pair_make(&p), 0);
		WRITE_ONCE(stop_flood, false);
		t = kthread_run(flood, p.net[0], "flood");
		KT_ASSERT(!IS_ERR(t));
		while (net_counter_sum(p.net[1], IP_IN_RECEIVES) < 200)
			schedule_timeout_uninterruptible(1);
		net_pin(p.net[1]);
		put_net(p.net[1]);
		while (READ_ONCE(p.net[0]->devs.next) != READ_ONCE(p.net[0]->devs.prev))
			schedule_timeout_uninterruptible(1); /* until lo alone is left here too */
		net_unpin(p.net[1]);
		WRITE_ONCE(stop_flood, true);
		kthread_stop(t);
		put_net(p.net[0]);
	}
}

/* What conf/all says counts for each device as well. */
KTEST(veth_conf_all)
{
	struct ip4_flow f = { .src = be32_make(0xc0a80001), .dst = be32_make(0x0a000002) };
	struct ip4_route r;
	struct netdev *d;
	struct pair p;

	KT_EQ(pair_make(&p), 0);
	rcu_read_lock();
	d = netdev_by_name(p.net[1], "cable");
	KT_EQ(route4_in(p.net[1], d, &f, &r), 0);
	p.net[1]->ip4->conf_all.rp_filter = 1;
	KT_EQ(route4_in(p.net[1], d, &f, &r), -EXDEV);
	p.net[1]->ip4->conf_all.rp_filter = 0;
	f.dst = be32_make(0x7f000001);
	KT_EQ(route4_in(p.net[1], d, &f, &r), -EXDEV);
	p.net[1]->ip4->conf_all.route_localnet = 1;
	KT_EQ(route4_in(p.net[1], d, &f, &r), 0);
	rcu_read_unlock();
	put_net(p.net[0]);
	put_net(p.net[1]);
}
