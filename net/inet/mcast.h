/* SPDX-License-Identifier: MIT */
/*
 * Groups that a socket has joined, each with a filter of sources (RFC 3678). A socket of AF_INET6
 * may be a member of groups of both families; addresses of IPv4 are mapped ones here. Members
 * change under rtnl and the socket's ownership, and are read under RCU.
 */
#pragma once

#include "net/group/group.h"
#include "net/inet/inet_priv.h"

struct inet_mc_filter {
	struct rcu_head rcu;
	enum mc_mode mode;
	bool listed;  /* it has had sources: then its mode is fixed while it is a member */
	u32 nr;
	struct ip6_addr sources[];
};

struct inet_mc_member {
	struct list_head list;		/* rtnl, RCU */
	struct rcu_head rcu;
	struct ip6_addr group;		/* c */
	int ifindex;			/* c */
	u64 device_id;			/* c: struct mc_device's */
	be32 asked;			/* c: the address of the device, as it was asked for */
	struct inet_mc_filter __rcu *filter;
};

/* Of a request: the device by number, or by an address of its own, or by the route to the group. */
struct inet_mc_where {
	struct ip6_addr group;
	int ifindex;
	be32 address;
	bool six;			/* of AF_INET6's options */
};

/* -ENOIOCTLCMD: NAME is no option about groups. */
int inet_mc_setsockopt(struct inet_sock *s, int name, struct uptr val, int len);
int inet_mc_getsockopt(struct inet_sock *s, int name, struct uptr val, struct uptr len);
int inet6_mc_setsockopt(struct inet_sock *s, int name, struct uptr val, int len);
int inet6_mc_getsockopt(struct inet_sock *s, int name, struct uptr val, struct uptr len);
/* The socket is closed. Sleeps. */
void inet_mc_drop_all(struct inet_sock *s);
/* Does S want a packet for GROUP of SRC that came by DIF? RCU. */
bool inet_mc_wants(const struct inet_sock *s, const struct ip6_addr *group,
		   const struct ip6_addr *src, int dif, bool six);
/* The same of P, received. */
bool inet_mc_wants_group(const struct inet_sock *s, struct packet *p);
static inline bool inet_mc_wants_packet(const struct inet_sock *s, struct packet *p)
{
	if (likely(!packet_is_ip6(p)))
		return !ip4_is_multicast(((const struct ip4_wire *)packet_net(p))->dst) ||
		       inet_mc_wants_group(s, p);
	return !ip6_is_multicast(&((const struct ip6_wire *)packet_net(p))->dst) ||
	       inet_mc_wants_group(s, p);
}

/* ---- members (member.c): rtnl, owner ---- */

/* NULL: there is none. */
struct netdev *inet_mc_device(struct inet_sock *s, const struct inet_mc_where *w);
/* 0, -EINVAL, -ENODEV, -EADDRINUSE, -ENOBUFS, -ENOMEM. */
int inet_mc_join(struct inet_sock *s, const struct inet_mc_where *w, enum mc_mode mode);
/* 0, -EINVAL, -ENODEV, -EADDRNOTAVAIL. */
int inet_mc_leave(struct inet_sock *s, const struct inet_mc_where *w);
/*
 * A source more, or less, in a filter of MODE. 0; -EINVAL: no member, or another mode; -ENODEV;
 * -EADDRNOTAVAIL: it is there already, or is not; -ENOBUFS: too many.
 */
int inet_mc_source(struct inet_sock *s, const struct inet_mc_where *w,
		   const struct ip6_addr *source, enum mc_mode mode, bool add);
/* The whole filter; of no source at all: it leaves. The same errors. */
int inet_mc_set_filter(struct inet_sock *s, const struct inet_mc_where *w,
		       const struct mc_filter *f);
/* NULL: no member. The filter is good while rtnl is held. */
const struct inet_mc_filter *inet_mc_filter_of(struct inet_sock *s, const struct inet_mc_where *w);

/* ---- options of both families (mcast_source.c): MCAST_* ---- */

/* -ENOIOCTLCMD: none of them. */
int inet_mc_set_common(struct inet_sock *s, bool six, int name, struct uptr val, int len);
int inet_mc_get_filter(struct inet_sock *s, bool six, struct uptr val, struct uptr len);
/* How many sources a socket may list. */
u32 inet_mc_max_sources(const struct inet_sock *s, bool six);
