/* SPDX-License-Identifier: MIT */
/*
 * A device's IPv6: its addresses, groups and settings. Changed under rtnl (net/ip6), read under it
 * or RCU.
 */
#pragma once

#include <kernel/rcu.h>
#include <net/netdev.h>
#include <net/netns.h>
#include <sched/work.h>
#include <linux/if_addr.h>
#include "net/dev/neigh_parms.h"
#include "net/group/group.h"
#include "net/wire/ip6.h"

struct in6_address {
	struct ghash_node node;		/* in6_device->addr_hash */
	struct list_head list;		/* in6_device->addrs: rtnl, RCU */
	struct rcu_head rcu;
	struct in6_device *dev;
	struct ip6_addr local, peer; /* peer: the other end of a point to point link, else local */
	u8 bits, scope;			/* RT_SCOPE_* */
	u8 protocol;			/* IFAPROT_* */
	bool local_route;		/* rtnl: its /128 is in the local table */
	bool automatic;			/* c: of a router advertisement: in nr_auto */
	u32 flags;			/* IFA_F_*: rtnl to change */
	u32 valid_s, preferred_s;	/* U32_MAX: for ever; from changed_ns on */
	u32 metric;			/* of its prefix's route; 0: the kernel's default */
	u64 made_ns, changed_ns;	/* CLOCK_MONOTONIC */
	u8 probes_left;			/* rtnl: of duplicate address detection */
	u64 probe_at_ns;		/* rtnl; 0: nothing is due */
	bool conflict;			/* any CPU sets it: another has the address too */
};

/* Settings of conf/DEV/: ints, as programs set them. */
struct in6_conf {
	int forwarding, hop_limit, mtu, accept_ra, autoconf, dad_transmits, router_solicitations,
		router_solicitation_interval, router_solicitation_delay, disable_ipv6, accept_dad,
		max_addresses, accept_ra_defrtr, accept_ra_pinfo, accept_ra_mtu, addr_gen_mode,
		force_mld_version, mldv1_unsolicited_report_interval,
		mldv2_unsolicited_report_interval;
};

struct in6_device {
	struct netdev *dev;		/* c: referenced */
	struct rcu_head rcu;
	refcount_t refs;		/* the device's, and one while the work is queued */
	bool dead, up;			/* rtnl; up: it has what every node has */
	struct list_head addrs;		/* rtnl, RCU: wider scopes first */
	struct ghash addr_hash;		/* rtnl, RCU: the same */
	unsigned int nr_auto;		/* rtnl: addresses that advertisements made */
	struct mc_device mc;		/* groups */
	struct in6_conf conf;
	struct neigh_parms neigh;
	/* rtnl: what is due, by in6_work() */
	struct delayed_work work;
	bool kicked; /* atomic: the work is to look again, whatever it knows of */
	unsigned int rs_left;
	u32 rs_interval_s;
	u64 rs_at_ns;			/* 0: nothing */
	spinlock_t lock;
	struct packet_list ras;		/* lock: advertisements that wait for the work */
	bool closed;			/* lock: none is taken any more */
};

/* rtnl or RCU; NULL: has none. */
static inline struct in6_device *in6_dev(const struct netdev *d)
{
	return __atomic_load_n(&d->ip6, __ATOMIC_CONSUME);
}

/* May packets have A as source, and be for it? */
static inline bool in6_is_usable(const struct in6_address *a)
{
	u32 flags = READ_ONCE(a->flags);

	return !(flags & IFA_F_DADFAILED) &&
	       (!(flags & IFA_F_TENTATIVE) || flags & IFA_F_OPTIMISTIC);
}

/* Preferences of a sender among its addresses (RFC 5014); 0: none. */
#define IN6_PREFER_COA 1u
#define IN6_PREFER_TEMPORARY 2u
#define IN6_PREFER_PUBLIC 4u
/*
 * The address of ours that goes with DST (any: the peer is not known) by OUT, by RFC 6724. False:
 * there is none. RCU.
 */
bool in6_select_source(struct net *net, const struct netdev *out, const struct ip6_addr *dst,
		       u32 prefer, struct ip6_addr *src);
/* D's usable link-local address. False: none among the first of its addresses. RCU. */
bool in6_link_local(const struct netdev *d, struct ip6_addr *a);
/* Of an address or group, with a secret key: peers and programs choose them. */
u32 in6_hash(const struct ip6_addr *a);
/* Has somebody here joined GROUP on D, and wants what SRC (any: whoever) sends to it? RCU. */
bool in6_group_joined(const struct in6_device *in, const struct ip6_addr *group,
		      const struct ip6_addr *src);
/* Is A an address of D (NULL: of some device of NET), and usable? RCU. */
bool in6_is_local(struct net *net, const struct ip6_addr *a, const struct netdev *d);
/* RCU, or both it and rtnl, where NULL is certain. A's entry on D, usable or not; NULL. */
struct in6_address *in6_address_of(const struct in6_device *in, const struct ip6_addr *a);
