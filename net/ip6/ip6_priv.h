/* SPDX-License-Identifier: MIT */
/* IPv6: what the protocols above call to send, and what a received packet carries. */
#pragma once

#include "net/ip4/ip4_priv.h"
#include "net/route/route6.h"
#include "net/wire/ip6.h"

/*
 * In p->cb of a received packet; what code of both families reads lies where struct ip4_cb has it.
 */
struct ip6_cb {
	u8 protocol;			/* of the transport header */
	u8 unused;
	u16 transport_off;		/* from the IPv6 header */
	u16 next_off;			/* of the byte that names the protocol */
	u8 flags;			/* IP4_CB_* */
	u8 dst_type;			/* RTN_LOCAL, ANYCAST, MULTICAST */
	u16 frag_size;			/* the longest fragment that it came in; 0: whole */
	u8 more[6];
	u32 protocol_cb[6];
};
static inline struct ip6_cb *ip6_cb(struct packet *p)
{
	return (struct ip6_cb *)p->cb;
}

_Static_assert(sizeof(struct ip6_cb) <= PACKET_CB, "fits");
_Static_assert(offsetof(struct ip6_cb, flags) == offsetof(struct ip4_cb, flags) &&
		       offsetof(struct ip6_cb, dst_type) == offsetof(struct ip4_cb, dst_type) &&
		       offsetof(struct ip6_cb, frag_size) == offsetof(struct ip4_cb, frag_size) &&
		       offsetof(struct ip6_cb, protocol_cb) == offsetof(struct ip4_cb, protocol_cb),
	       "both families");

static inline bool packet_is_ip6(const struct packet *p)
{
	return p->buf[p->net_at] >> 4 == 6;
}

/* How a packet is sent. */
struct ip6_tx {
	u8 tclass, protocol;
	s16 hops;			/* -1: the route's, or 1 for groups */
	bool fragment;			/* may be longer than the MTU */
	bool mc_loop;
	u32 label;			/* of the flow */
	struct ip6_addr src, dst;
};

/*
 * P begins with its transport header, complete but for a PARTIAL checksum. Puts the IP header
 * before it and sends it along R. Consumes P. Within RCU. 0; -EMSGSIZE: too long, and not to be
 * fragmented; -ENOBUFS, -ENOMEM, -ENETDOWN dropped.
 */
int ip6_send(struct net *net, struct packet *p, const struct ip6_route *r, const struct ip6_tx *t);
/* P has its IP header and goes out by R. Consumes P; within RCU. */
int ip6_output(struct net *net, struct packet *p, const struct ip6_route *r);

/*
 * An ICMPv6 error about P, which was received and has its IP header at packet_net(); heeds RFC
 * 4443, 2.4 and the limits of rate. P stays the caller's. Within RCU.
 */
void icmp6_send(struct packet *p, u8 type, u8 code, u32 info);
/* P was made here: its socket hears of it as of an ICMPv6 error. P stays the caller's. */
void icmp6_tell_sender(struct packet *p, u8 type, u8 code);
/*
 * Q, whose packet a protocol knows to be its own, says what MTU its path has. Within RCU.
 */
void icmp6_learn_mtu(struct net *net, const struct icmp_quote *q);
/* The errno of an ICMPv6 error: positive, *FATAL as struct inet_protocol says; 0: none. */
int icmp6_errno(u8 type, u8 code, bool *fatal);
/* The counter of messages of TYPE among IN's or out's; -1: it has none of its own. */
int icmp6_counter(bool in, u8 type);

/* As their IPv4 namesakes; struct inet_protocol is of both families. */
void inet6_register_protocol(u8 number, const struct inet_protocol *p);
const struct inet_protocol *inet6_protocol(u8 number);
void ip6_unclaimed(struct packet *p, bool raw);
void ip6_register_raw(enum raw_answer (*fn)(struct packet *p),
		      void (*error)(struct packet *p, const struct icmp_quote *q, int err,
				    bool fatal));
void icmp6_register_reply(bool (*fn)(struct packet *p),
			  void (*error)(struct packet *p, const struct icmp_quote *q, int err,
					bool fatal));
/* An error to whom it may concern: raw sockets and the protocol of Q. */
void ip6_error(struct packet *p, const struct icmp_quote *q, int err, bool fatal);
