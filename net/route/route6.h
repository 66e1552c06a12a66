/* SPDX-License-Identifier: MIT */
/* Routes of IPv6, as route4.h has them for IPv4: by value, good as long as route6_is_fresh(). */
#pragma once

#include "net/route/route4.h"
#include "net/wire/ip6.h"

struct ip6_flow {
	struct ip6_addr dst, src;	/* src any: to be chosen */
	int oif;			/* only by this device; 0: any */
	u32 mark;
	u32 prefer;			/* IN6_PREFER_*, for the choice of a source */
	u8 tclass, protocol;
	bool link;			/* no gateway (SO_DONTROUTE) */
	kuid_t uid;
};

struct ip6_route {
	/* the packet leaves by it; for what is local: loopback */
	struct netdev *dev;
	u64 gen;			/* route6_is_fresh(); it never wraps */
	u32 mtu;			/* bytes with the IP header */
	u32 advmss, window, rtt, hoplimit, initcwnd, initrwnd;	/* RTAX_*, 0: not set */
	u8 type;			/* RTN_UNICAST, LOCAL, MULTICAST, ANYCAST */
	u8 table, protocol;
	bool mtu_locked, gateway;
	int local_index;		/* what is local: the device that has the address */
	struct ip6_addr dst, src;
	struct ip6_addr next;		/* dst, or a gateway */
};

/*
 * Where a packet made here goes. Within RCU. 0; -ENETUNREACH; -EHOSTUNREACH, -EACCES, -EINVAL as
 * the route says; -ENODEV: no such oif; -EADDRNOTAVAIL: none of our addresses goes with it.
 */
int route6_out(struct net *net, const struct ip6_flow *f, struct ip6_route *r) __must_check;
/*
 * What becomes of a packet for DST that came by DEV: RTN_LOCAL, ANYCAST, MULTICAST: ours; UNICAST:
 * to be forwarded. Within RCU. 0; -EHOSTUNREACH: nobody's (and DEV does not forward), -ENETUNREACH,
 * -EACCES, -EINVAL.
 */
int route6_in(struct net *net, struct netdev *dev, const struct ip6_addr *src,
	      const struct ip6_addr *dst, struct ip6_route *r) __must_check;
/* Within RCU: R was looked up in NET, and nothing has changed since. */
bool route6_is_fresh(const struct net *net, const struct ip6_route *r);
/* RTN_* of an address: LOCAL, ANYCAST, MULTICAST or UNICAST. DEV: of it alone; NULL: any. RCU. */
u8 route6_addr_type(struct net *net, const struct ip6_addr *a, const struct netdev *dev);
void route6_learn_mtu(struct net *net, const struct ip6_addr *dst, u32 mtu);
/* RCU. Nanoseconds until the MTU learned for DST expires; 0: none is known. */
u64 route6_mtu_left_ns(struct net *net, const struct ip6_addr *dst);
