/* SPDX-License-Identifier: MIT */
/*
 * Routes of IPv4: where a packet goes, or whose it is. A look-up fills a struct ip4_route by value;
 * nothing in it is counted. It is good within the RCU section of the look-up; a socket keeps one,
 * and within a later section asks route4_is_fresh(), which any change of addresses, routes, devices
 * or settings ends: after a device is unregistered no kept route is fresh.
 */
#pragma once

#include <net/netns.h>
#include <net/netdev.h>
#include <proc/cred.h>
#include <linux/rtnetlink.h>

/* The longest packet, header and all: whatever a device takes (RFC 791, 3.1). */
#define IP4_MTU_MOST 65535u

struct ip4_flow {
	be32 dst, src;			/* src zero: to be chosen */
	int oif;			/* only by this device; 0: any */
	int iif;			/* came in by; 0: made here */
	u32 mark;
	u8 tos, protocol;
	u8 scope;			/* RT_SCOPE_LINK: no gateway (SO_DONTROUTE) */
	/* src need not be an address of ours (IP_FREEBIND, IP_TRANSPARENT, IP_HDRINCL) */
	bool any_src;
	kuid_t uid;
};

struct ip4_route {
	/* the packet leaves by it, or for what is local: loopback, or where the address is */
	struct netdev *dev;
	u64 gen;			/* route4_is_fresh(); it never wraps */
	be32 dst, src;   /* src: what a packet has as source where none was asked for */
	be32 next;			/* dst, or a gateway */
	u32 mtu;			/* bytes with the IP header */
	u32 advmss, window, rtt, hoplimit, initcwnd, initrwnd;	/* RTAX_*, 0: not set */
	u8 type;			/* RTN_UNICAST, LOCAL, BROADCAST, MULTICAST */
	u8 scope, table, protocol;
	bool mtu_locked, gateway;
};

/*
 * Where a packet made here goes. Within RCU. 0; -ENETUNREACH; -EHOSTUNREACH, -EACCES, -EINVAL as
 * the route says or the source is wrong; -ENODEV: no such oif.
 */
int route4_out(struct net *net, const struct ip4_flow *f, struct ip4_route *r) __must_check;
/*
 * What becomes of a packet that came in by F->iif: RTN_LOCAL, BROADCAST, MULTICAST: ours;
 * RTN_UNICAST: to be forwarded. Within RCU. 0; -EXDEV: the source is a martian; -EHOSTUNREACH,
 * -ENETUNREACH: no way; -EACCES prohibited; -EINVAL: black hole.
 */
int route4_in(struct net *net, struct netdev *dev, const struct ip4_flow *f, struct ip4_route *r)
	__must_check;
/* Within RCU: R was looked up in NET, and nothing has changed since. */
bool route4_is_fresh(const struct net *net, const struct ip4_route *r);
/* All kept routes of NET are stale. */
void route4_flush(struct net *net);
/*
 * RTN_* of an address, as the local table has it: LOCAL, BROADCAST, MULTICAST or UNICAST. DEV: only
 * addresses of it; NULL: any. Within RCU.
 */
u8 route4_addr_type(struct net *net, be32 a, const struct netdev *dev);
/*
 * A next hop told that packets to DST may have MTU bytes: new look-ups heed it for ten minutes. At
 * most 4096 destinations are remembered, those that were learned last. Within RCU; atomic.
 */
void route4_learn_mtu(struct net *net, be32 dst, u32 mtu);
/* RCU. Nanoseconds until the MTU learned for DST expires; 0: none is known. */
u64 route4_mtu_left_ns(struct net *net, be32 dst);
/* rtnl. Forgets all learned MTUs, also in the routes that sockets keep. */
void route4_forget_mtus(struct net *net);
