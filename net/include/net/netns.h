/* SPDX-License-Identifier: MIT */
/*
 * Network namespaces (network_namespaces(7)). A struct net reaches every table, setting and counter
 * of the network: no global but the initial one.
 *
 * Two counts. `users` is tasks, open namespace files and sockets that programs made: when it falls
 * to 0 a worker takes the namespace down: devices go (those of hardware return to the initial
 * namespace), sub-rooms end (struct net_ops, in reverse order). `pins` is whatever must only not
 * see the memory go: sockets without a user, timers, packets in a queue. The last pin frees. `pins`
 * holds one for all of `users`.
 *
 * A sub-room's state of a namespace is a pointer in struct net that its net_ops->init fills.
 * Lookups run under RCU or hold a user or a pin.
 */
#pragma once

#include <lib/list.h>
#include <lib/types.h>
#include <alloc/ghash.h>
#include <alloc/xarray.h>
#include <kernel/rcu.h>
#include <kernel/refcount.h>
#include <kernel/spinlock.h>
#include <net/taps.h>
#include <proc/ns_ids.h>
#include <sched/mutex.h>
#include <sched/work.h>

struct net_conf;			/* net/core: settings of net/core and its like */
struct net_stats;			/* net/core: SNMP counters, per CPU */
struct netdev;
struct neigh_net;
struct fib4;
struct fib6;
struct ip4_net;
struct ip6_net;
struct inet_net;
struct tcp_net;
struct netlink_net;
struct packet_net;
struct user_namespace;
struct ns_count;

struct net {
	refcount_t users;
	refcount_t pins;
	struct user_namespace *user_ns;	/* c: owner, referenced */
	struct ns_count *made;		/* c: charged for it (ucounts) */
	unsigned int ino;		/* c: /proc/PID/ns/net */
	struct ns_id nsid;		/* c: listns(2) */
	u64 cookie;			/* c: SO_NETNS_COOKIE; never used again */
	bool dying;			/* rtnl: no new devices, addresses, routes */
	struct list_head all;		/* net_list_lock */
	struct work_struct end_work;
	struct rcu_head rcu;

	/* net/dev: devices. Changed under rtnl_lock(), read under it or RCU. */
	struct xarray dev_by_index;
	struct ghash dev_by_name;
	struct list_head devs;		/* by index, ascending; RCU */
	u32 dev_seq;			/* rtnl: raised with each change, for dumps */
	int next_ifindex;		/* rtnl */
	struct netdev *loopback; /* rtnl to change, RCU; NULL before it is made and after its end */
	struct packet_taps taps;	/* packet sockets of no one device */
	int nr_taps;			/* types_lock: of it and of its devices */

	/* net/core/peer_id.c: its lock */
	struct xarray ids;		/* struct peer_id by number */
	struct xarray ids_by_ino;	/* and by the other's ino */
	struct list_head named;		/* by others */
	bool ids_ended;

	struct net_conf *conf;
	struct net_stats *stats;
	struct netlink_net *netlink;
	struct neigh_net *neigh;
	struct fib4 *fib4;
	struct fib6 *fib6;
	struct ip4_net *ip4;
	struct ip6_net *ip6;
	struct inet_net *inet;
	struct tcp_net *tcp;
	struct packet_net *packet;
};

extern struct net init_net;		/* users and pins never end */

/*
 * What a sub-room does at a namespace's begin and end, in the order of registration and its
 * reverse.
 */
struct net_ops {
	struct list_head list;
	/* May sleep. -errno: the namespace is not made, what was initialised before is ended. */
	int (*init)(struct net *net);
	/*
	 * No user is left; packets, timers and sockets may be in flight. When it returns nothing of
	 * the sub-room is reached by NET any more. May sleep.
	 */
	void (*end)(struct net *net);
	/*
	 * The last pin is gone: frees what pinned objects still used. In an RCU callback, does not
	 * sleep. NULL.
	 */
	void (*release)(struct net *net);
};
/* At boot, in the order of the initcalls; init runs at once for init_net. */
int net_register_ops(struct net_ops *ops);

static inline struct net *get_net(struct net *net)
{
	refcount_inc(&net->users);
	return net;
}

/* False: its end has begun. */
bool get_net_unless_zero(struct net *net) __must_check;
void put_net(struct net *net);		/* NULL: nothing */
/*
 * A walk over all namespaces that do not end: the one after NET (NULL: the first), referenced; NET
 * is put. NULL: that was the last one.
 */
struct net *net_next(struct net *net) __must_check;
static inline struct net *net_pin(struct net *net)
{
	refcount_inc(&net->pins);
	return net;
}

void net_unpin(struct net *net);

/*
 * peer_id.c: NET's number for PEER. NETNS_NO_ID: it has none. _make: WANT, or, where that is
 * negative, the one that it has or a free one; -EEXIST: it has one; -ENOSPC: WANT is another's;
 * -ENODEV: one of them ends; -ENOMEM. Sleep.
 */
#define NETNS_NO_ID (-1)
int netns_peer_id(struct net *net, struct net *peer);
int netns_peer_id_make(struct net *net, struct net *peer, int want) __must_check;
/* Referenced; NULL: NET has no such number. */
struct net *netns_by_peer_id(struct net *net, int id);
/* NET's first number that is greater than AFTER; NETNS_NO_ID: there is none. */
int netns_next_peer_id(struct net *net, int after);

/* The caller's. Not referenced: lasts as long as current does not change its namespaces. */
struct net *current_net(void);

/*
 * rtnl_lock(): one mutex over all changes of devices, addresses, routes and settings, in all
 * namespaces, as their order among each other is what programs see. Never taken by the paths of
 * packets.
 */
void rtnl_lock(void) __acquires(rtnl_mutex);
/* 0 or -EINTR: for changes that a program asks for. */
int rtnl_lock_interruptible(void) __must_check;
void rtnl_unlock(void) __releases(rtnl_mutex);
void rtnl_assert(void);
