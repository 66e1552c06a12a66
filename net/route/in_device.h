/* SPDX-License-Identifier: MIT */
/*
 * A device's IPv4: its addresses and settings. Changed under rtnl (net/ip4/addr.c), read under it
 * or RCU.
 */
#pragma once

#include <lib/minmax.h>
#include <kernel/rcu.h>
#include <net/netdev.h>
#include <net/netns.h>
#include "net/dev/neigh_parms.h"
#include "net/group/group.h"

struct in_addr4 {
	struct list_head list;		/* in_device->addrs: rtnl, RCU */
	struct rcu_head rcu;
	struct in_device *dev;
	be32 local, peer;  /* peer: the other end of a point to point link, else local */
	be32 broadcast;			/* zero: none */
	u8 bits, scope;			/* RT_SCOPE_* */
	u32 flags;			/* IFA_F_* */
	u32 valid_s, preferred_s;	/* U32_MAX: for ever */
	u64 made_ns, changed_ns;	/* CLOCK_MONOTONIC */
	char label[NETDEV_NAME];
};

/* Settings of conf/DEV/: ints, as programs set them. */
struct in_conf {
	int forwarding, mc_forwarding, accept_redirects, secure_redirects, send_redirects,
		shared_media, rp_filter, accept_source_route, accept_local, route_localnet,
		log_martians, promote_secondaries, arp_ignore, arp_announce, arp_filter, arp_accept,
		arp_notify, proxy_arp, disable_policy, disable_xfrm, force_igmp_version,
		ignore_routes_with_linkdown, bc_forwarding, src_valid_mark, tag,
		igmpv2_unsolicited_report_interval, igmpv3_unsolicited_report_interval;
};

struct in_device {
	struct netdev *dev;		/* c */
	struct rcu_head rcu;
	struct list_head addrs; /* rtnl, RCU: primary ones of a prefix before its secondary ones */
	struct mc_device mc;		/* groups */
	struct in_conf conf;		/* new devices begin with conf/default */
	struct neigh_parms neigh;	/* and with neigh/default */
	u32 conf_set;	/* rtnl: settings, by number, that it has of its own */
	const struct in_conf *all;	/* c: of the namespace: conf/all */
};

/*
 * A setting as it counts: ip-sysctl says of each whether the larger of a device's and conf/all's
 * does, or either is enough. forwarding is the device's alone.
 */
#define in_conf_max(in, field) max(READ_ONCE((in)->conf.field), READ_ONCE((in)->all->field))
#define in_conf_or(in, field) (READ_ONCE((in)->conf.field) || READ_ONCE((in)->all->field))

/* rtnl or RCU; NULL: has none. */
static inline struct in_device *in_dev(const struct netdev *d)
{
	return __atomic_load_n(&d->ip4, __ATOMIC_CONSUME);
}

/*
 * An address of D to send from, to DST (zero: anywhere), of at most SCOPE: one of DST's prefix,
 * else the first; of another device where D has none. Zero: none. RCU or rtnl.
 */
be32 in_select_source(struct netdev *d, be32 dst, u8 scope);
/* Has somebody here joined GROUP on D, and wants what SRC (zero: whoever) sends to it? RCU. */
bool in_group_joined(const struct in_device *in, be32 group, be32 src);
/* Is A an address of some device of NET? RCU. */
bool in_is_local(struct net *net, be32 a);
