/* SPDX-License-Identifier: MIT */
/*
 * Routing tables of IPv6, with the structure of fib4_priv.h: a hash over (prefix, length) and a
 * mask of the lengths that there are; a prefix has its routes sorted by metric. Changed under rtnl;
 * read under RCU. Each change raises fib6->gen.
 */
#pragma once

#include <alloc/ghash.h>
#include <lib/rbtree.h>
#include "net/route/pmtu.h"
#include "net/route/route6.h"

#define FIB6_METRICS 18			/* RTAX_MAX + 1, and some */
#define FIB6_METRIC_USER 1024u		/* of routes without one */
#define FIB6_METRIC_KERNEL 256u		/* of prefixes of addresses, and of groups */

struct fib6_route {
	struct list_head list;		/* prefix->routes: rtnl, RCU */
	struct list_head passing;	/* rtnl: fib6->passing; else empty */
	struct rcu_head rcu;
	struct rb_node dump;		/* table->all: rtnl */
	struct fib6_prefix *prefix;
	u32 nr;				/* c: later ones have greater ones; never 0 */
	u32 table;
	u8 type, protocol;
	u8 preference;			/* RFC 4191: 0 medium, 1 high, 3 low */
	u32 metric;
	struct netdev *dev;		/* unreachable and its like: loopback */
	struct ip6_addr gateway, src;	/* any: none */
	u32 flags;			/* RTNH_F_ONLINK */
	u32 rtf;			/* RTF_ADDRCONF, RTF_DEFAULT, RTF_EXPIRES */
	u64 expires_ns;			/* rtnl to change; 0: never */
	u32 metrics[FIB6_METRICS];	/* RTAX_*: 0: not set */
};

struct fib6_prefix {
	struct ghash_node node;
	struct rcu_head rcu;
	struct ip6_addr prefix;
	u8 len;
	struct list_head routes;	/* rtnl, RCU */
};

struct fib6_table {
	u32 id;
	struct ghash prefixes;
	u64 lens[3];			/* bit N: there are prefixes of length N; RCU */
	u32 nr[129];			/* rtnl */
	struct rb_root all;		/* rtnl: by prefix, longer ones first, metric */
	u32 count;			/* rtnl */
};

struct fib6 {
	u64 gen;			/* rtnl to change: from 1 on, never wraps */
	struct fib6_table __rcu *local, *main;
	struct xarray tables;		/* rtnl, RCU: by id */
	struct pmtus mtus;		/* learned */
	u32 count;			/* rtnl: of all tables */
	u32 auto_count;			/* rtnl: those that router advertisements made */
	struct list_head passing;	/* rtnl: these, and others that expire */
	u32 last_nr;			/* rtnl */
};

#define FIB6_MOST 2000000u		/* routes of a namespace */
#define FIB6_AUTO_MOST 1024u		/* of these, by advertisements */

/* What a change of routes says. */
struct fib6_config {
	struct ip6_addr dst, gateway, src;
	u8 len, type, protocol, preference;
	u32 table, metric, flags, rtf;
	int oif;
	u64 expires_ns;
	u32 metrics[FIB6_METRICS];
	bool create, excl, replace, append;	/* NLM_F_* */
};
/*
 * rtnl. 0; -EEXIST; -ENOENT (replace without create, nothing there); -EINVAL; -ENODEV; -ENETDOWN;
 * -EHOSTUNREACH: the gateway is not on a link of ours; -ENOSPC: too many; -ENOMEM. 0: C's oif is
 * the route's device.
 */
int fib6_add(struct net *net, struct fib6_config *c) __must_check;
/* rtnl. Fields that are 0 match anything. 0 or -ESRCH. */
int fib6_del(struct net *net, const struct fib6_config *c);
/* rtnl. The route that fib6_del() would take; NULL. */
struct fib6_route *fib6_get(struct net *net, const struct fib6_config *c);
/* rtnl. R lives until EXPIRES_NS (0: for ever). */
void fib6_set_expiry(struct net *net, struct fib6_route *r, u64 expires_ns);
/* rtnl. The table, made if it is not there and MAKE; NULL. */
struct fib6_table *fib6_table(struct net *net, u32 id, bool make);
/* Within RCU: the best route of T for DST: by OIF, if that is not 0; ON_LINK: no gateway. NULL. */
struct fib6_route *fib6_find(struct fib6_table *t, const struct ip6_addr *dst, int oif,
			     bool on_link);
/* Within RCU: the local, then the main table. 0, -errno of what was found, -ENETUNREACH. */
int fib6_lookup(struct net *net, const struct ip6_addr *dst, int oif, bool on_link,
		struct fib6_route **r);
/* A place in a table's order: of a route that may be gone. nr 0: before the first. */
struct fib6_place {
	struct ip6_addr prefix;
	u8 len;
	u32 metric, nr;
};
static inline struct fib6_place fib6_place(const struct fib6_route *r)
{
	return (struct fib6_place){ r->prefix->prefix, r->prefix->len, r->metric, r->nr };
}

/* rtnl: T's first route behind P; NULL: there is none. */
struct fib6_route *fib6_after(struct fib6_table *t, const struct fib6_place *p);
/* At boot: FN hears of routes that come and go, under rtnl. */
enum fib6_change { FIB6_NEW, FIB6_REPLACED, FIB6_GONE };
typedef void fib6_listener(struct net *net, const struct fib6_route *r, enum fib6_change change);
/* FN, from now on; the one before, or NULL. At boot, or with rtnl. */
fib6_listener *fib6_set_listener(fib6_listener *fn);
/* rtnl: all routes by D go. */
void fib6_dev_down(struct netdev *d);
/* rtnl: routes by D whose time is over by NOW_NS go. When to ask again; 0: no other will end. */
u64 fib6_expire(struct netdev *d, u64 now_ns);
/* rtnl: routes by D that advertisements made go. */
void fib6_drop_auto(struct netdev *d);
void fib6_source_gone(struct net *net, const struct ip6_addr *a);
void fib6_changed(struct net *net);
