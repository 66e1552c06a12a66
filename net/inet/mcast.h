/* SPDX-License-Identifier: MIT */
/* Groups that a socket has joined. */
#pragma once

#include "net/inet/inet_priv.h"

/* -ENOIOCTLCMD: NAME is no option about groups. */
int inet_mc_setsockopt(struct inet_sock *s, int name, struct uptr val, int len);
int inet_mc_getsockopt(struct inet_sock *s, int name, struct uptr val, struct uptr len);
/* The socket is closed. Sleeps. */
void inet_mc_drop_all(struct inet_sock *s);
/* Does S want a packet for GROUP that came by DIF? RCU. */
bool inet_mc_wants(const struct inet_sock *s, be32 group, int dif);

/* mcast6.c: the same of IPv6. */
int inet6_mc_setsockopt(struct inet_sock *s, int name, struct uptr val, int len);
void inet6_mc_drop_all(struct inet_sock *s);
bool inet6_mc_wants(const struct inet_sock *s, const struct ip6_addr *group, int dif);
/* Does S want P, received? */
static inline bool inet_mc_wants_packet(const struct inet_sock *s, struct packet *p)
{
	return likely(!packet_is_ip6(p)) ?
		       inet_mc_wants(s, ((const struct ip4_wire *)packet_net(p))->dst,
				     (int)p->iif) :
		       inet6_mc_wants(s, &((const struct ip6_wire *)packet_net(p))->dst,
				      (int)p->iif);
}
