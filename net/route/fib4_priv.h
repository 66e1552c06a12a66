/* SPDX-License-Identifier: MIT */
/*
 * Routing tables of IPv4. A table is a hash over (prefix, length) and a mask of the lengths that it
 * has: a look-up tries those from the longest on, so that its cost grows with the number of
 * different lengths, never with that of routes. A prefix has its routes sorted by metric.
 *
 * Changed under rtnl; read under RCU. Each change raises fib4->gen.
 */
#pragma once

#include <alloc/ghash.h>
#include <lib/rbtree.h>
#include <lib/siphash.h>
#include <sched/wheel.h>
#include "net/route/pmtu.h"
#include "net/route/route4.h"

#define FIB4_METRICS 18			/* RTAX_MAX + 1, and some */

struct fib4_route {
	struct list_head list;		/* prefix->routes: rtnl, RCU */
	struct rcu_head rcu;
	struct rb_node dump;		/* table->all: rtnl */
	struct fib4_prefix *prefix;
	u32 nr;				/* c: later ones have greater ones; never 0 */
	u32 table;
	u8 type, scope, protocol, tos;
	u32 metric;
	struct netdev *dev;		/* NULL: unreachable and its like */
	be32 gateway, src;		/* zero: none */
	u32 flags;			/* RTNH_F_*: rtnl; DEAD, LINKDOWN, ONLINK */
	u32 metrics[FIB4_METRICS];	/* RTAX_*: 0: not set */
};

struct fib4_prefix {
	struct ghash_node node;
	struct rcu_head rcu;
	be32 prefix;
	u8 len;
	struct list_head routes;	/* rtnl, RCU */
};

struct fib4_table {
	u32 id;
	struct ghash prefixes;
	u64 lens;			/* bit N: there are prefixes of length N; RCU */
	u32 nr[33];			/* rtnl */
	struct rb_root all;		/* rtnl: by prefix, longer ones first, metric */
	u32 count;			/* rtnl */
};

struct fib4 {
	u64 gen;			/* rtnl to change: from 1 on, never wraps */
	struct fib4_table __rcu *local, *main;
	struct xarray tables;		/* rtnl, RCU: by id */
	struct pmtus mtus;		/* learned */
	u32 count;			/* rtnl: routes that programs made, of all tables */
};

#define FIB4_MOST 2000000u		/* routes of a namespace */

/* What a change of routes says. */
struct fib4_config {
	be32 dst, gateway, src;
	u8 len, tos, type, scope, protocol;
	u32 table, metric, flags;	/* RTNH_F_ONLINK */
	int oif;
	u32 metrics[FIB4_METRICS];
	bool create, excl, replace, append;	/* NLM_F_* */
};
/*
 * rtnl. 0; -EEXIST; -ENOENT (replace without create, nothing there); -EINVAL; -ENODEV; -ENETDOWN;
 * -ENETUNREACH: the gateway is not on a link of ours; -ENOSPC: too many; -ENOMEM.
 */
int fib4_add(struct net *net, const struct fib4_config *c) __must_check;
/*
 * rtnl. Fields that are 0 match anything (type, scope NOWHERE, protocol, metric, oif, gateway,
 * src). 0 or -ESRCH.
 */
int fib4_del(struct net *net, const struct fib4_config *c);
/* rtnl. The table, made if it is not there and MAKE; NULL. */
struct fib4_table *fib4_table(struct net *net, u32 id, bool make);
/* Within RCU: the best route of T for DST: by OIF, if that is not 0. NULL. */
struct fib4_route *fib4_find(struct fib4_table *t, be32 dst, int oif, u8 tos, u8 scope);
/*
 * Within RCU: local, main and default table, as the three rules say. 0 or -errno of what was found
 * (unreachable, prohibit ...), -ENETUNREACH.
 */
int fib4_lookup(struct net *net, be32 dst, int oif, u8 tos, u8 scope, struct fib4_route **r);
/* A place in a table's order: of a route that may be gone. nr 0: before the first. */
struct fib4_place {
	be32 prefix;
	u8 len, tos;
	u32 metric, nr;
};
static inline struct fib4_place fib4_place(const struct fib4_route *r)
{
	return (struct fib4_place){ r->prefix->prefix, r->prefix->len, r->tos, r->metric, r->nr };
}

/* rtnl: T's first route behind P; NULL: there is none. */
struct fib4_route *fib4_after(struct fib4_table *t, const struct fib4_place *p);
/* At boot: FN hears of routes that come and go, under rtnl. */
enum fib4_change { FIB4_NEW, FIB4_REPLACED, FIB4_GONE };
void fib4_set_listener(void (*fn)(struct net *net, const struct fib4_route *r,
				  enum fib4_change change));
/* rtnl: routes by D, or with its address A as source, go. ALL: also those of the local table. */
void fib4_dev_down(struct netdev *d, bool all);
void fib4_source_gone(struct net *net, be32 a);
void fib4_changed(struct net *net);
/* The learned MTU of DST; 0. RCU. */
u32 fib4_mtu_of(struct fib4 *f, be32 dst);
