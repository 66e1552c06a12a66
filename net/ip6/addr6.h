/* SPDX-License-Identifier: MIT */
/* IPv6's state of a namespace, and addresses of devices. */
#pragma once

#include <sched/wheel.h>
#include "net/ip6/ip6_priv.h"
#include "net/neigh/neigh.h"
#include "net/route/fib6_priv.h"
#include "net/route/in6_device.h"

struct frags;
struct ip6_net {
	struct in6_conf conf_all, conf_default;
	int bindv6only, icmp_ratelimit_ms, echo_ignore_all, echo_ignore_multicast, ip_nonlocal_bind,
		mld_max_msf, mld_qrv;
	struct frags *frags;
	int frag_high, frag_time_s;
};

/*
 * rtnl. 0, -EEXIST, -EINVAL, -EADDRNOTAVAIL, -ENOMEM. WANT: local, peer, bits, scope, flags
 * (IFA_F_*), lifetimes, protocol, metric. It is tentative until duplicate address detection is done.
 */
int in6_addr_add(struct in6_device *in, const struct in6_address *want) __must_check;
void in6_addr_del(struct in6_address *a);
/* rtnl. BITS -1: any. NULL. */
struct in6_address *in6_addr_find(struct in6_device *in, const struct ip6_addr *local, int bits);
/* rtnl. D's, made if it has none; NULL: no memory, or its MTU is too small for IPv6. */
struct in6_device *in6_device_get(struct netdev *d);
/* rtnl. A's lifetimes and flags become WANT's, from now on. */
void in6_addr_change(struct in6_address *a, u32 valid_s, u32 preferred_s, u32 flags);
/* At boot: FN hears of addresses that come, change or go, under rtnl. */
void in6_addr_set_listener(void (*fn)(const struct in6_address *a, bool gone));
/* rtnl. conf.disable_ipv6 was changed. */
void in6_disable_changed(struct in6_device *in);
void in6_put(struct in6_device *in);

/* auto.c: what happens by itself. */
/* Any context: in6_work() looks soon at what is due. */
void in6_kick(struct in6_device *in);
void in6_work(struct work_struct *w);
/* rtnl. fib6_add(), of a route that may have an end: in6_work() sees to it. */
int in6_route_add(struct net *net, struct fib6_config *c) __must_check;
/* rtnl. A, just added, is tentative: it is probed. */
void in6_dad_start(struct in6_address *a);
/* rtnl. A is as good as any: it can be received at and sent from. */
void in6_dad_done(struct in6_address *a);
/* RCU. Another has A too. */
void in6_dad_conflict(struct in6_device *in, struct in6_address *a);
/* rtnl. IN, which has a link-local address, asks for routers. */
void in6_rs_start(struct in6_device *in);

/* ra.c. P: an advertisement from its ICMPv6 header on, checked. rtnl. P stays the caller's. */
void in6_ra_process(struct in6_device *in, struct packet *p, u64 now_ns);

/* nd.c */
static inline struct neigh_table *nd_table(struct net *net)
{
	return &net->neigh->nd;
}

void nd_init(void);		/* at boot */
/* P, with its IP header at its data, goes to NEXT on D. Consumes P. Within RCU. */
int nd_send(struct net *net, struct packet *p, struct netdev *d, const struct ip6_addr *next);
/* P: NS, NA, RS, RA or redirect from its ICMPv6 header on, its sum right. Consumes P. RCU. */
void nd_receive(struct packet *p, u8 type);
/* All on IN's link hear that ADDR is IN's. RCU. */
void nd_announce(struct in6_device *in, const struct ip6_addr *addr);
/*
 * FROM says of itself that it is at HW (NULL: it does not), and if ROUTER that it is one. Its entry
 * is made or changed, unless no station can have HW. rtnl or RCU.
 */
void nd_learn(struct netdev *d, const struct ip6_addr *from, const u8 *hw, bool router);
/* RCU. A probe for doubles of A. */
void nd_probe(struct netdev *d, const struct ip6_addr *a);
void nd_solicit_routers(struct netdev *d);
/* P, an ICMPv6 message that goes as T says, gets its sum and is counted. */
void icmp6_finish(struct net *net, struct packet *p, const struct ip6_tx *t);
/* P is an ICMPv6 message without sum: it goes from SRC to DST by D, with HOPS. Consumes P. RCU. */
void icmp6_emit(struct net *net, struct packet *p, struct netdev *d, const struct ip6_addr *src,
		const struct ip6_addr *dst, u8 hops);

/* mld.c */
extern const struct mc_family in6_mc_family;
/* P: a query or a report from its ICMPv6 header on. Consumes P. RCU. */
void mld_receive(struct packet *p, u8 type);

/* frag6.c */
int ip6_frags_begin(struct net *net) __must_check;
void ip6_frags_end(struct net *net);
/*
 * P is a fragment for us, its IP header at its data, its headers walked. The whole packet, its
 * IP header at its data, without fragment header; NULL: P waits, or is gone.
 */
struct packet *ip6_reassemble(struct net *net, struct packet *p, const struct ip6_exts *e);
