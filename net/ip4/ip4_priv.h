/* SPDX-License-Identifier: MIT */
/* IPv4: what the protocols above call to send, and what a received packet carries. */
#pragma once

#include <net/packet.h>
#include "net/route/route4.h"
#include "net/wire/ip4.h"

struct inet_sock;
struct inet_options;

/* In p->cb of a received packet, from ip4 up to the socket that reads it. */
struct ip4_cb {
	struct ip4_options opt;		/* of its header */
	u8 flags;			/* IP4_CB_* */
	u8 dst_type;			/* RTN_LOCAL, BROADCAST, MULTICAST */
	u16 frag_size;			/* the longest fragment that it came in; 0: whole */
	be32 spec_dst;			/* the address of ours that answers should come from */
	u32 protocol_cb[6];		/* the protocol's own */
};
static inline struct ip4_cb *ip4_cb(struct packet *p) { return (struct ip4_cb *)p->cb; }
_Static_assert(sizeof(struct ip4_cb) <= PACKET_CB, "fits");
#define IP4_CB_FORWARDED 1
#define IP4_CB_REASSEMBLED 2

/* How a packet is sent that no socket's settings say it for. */
struct ip4_tx {
	u8 tos, ttl, protocol;		/* ttl 0: the namespace's, or 1 for multicast */
	bool df;
	bool local_df;			/* may be longer than the MTU, and is fragmented even with df unset... */
	bool mc_loop;
	const struct inet_options *opt;	/* NULL */
	be32 src, dst;
};

/*
 * P begins with its transport header, complete but for a PARTIAL checksum. Puts the IP header before it and sends it along R: fragments it if it must and
 * may. Consumes P. Within RCU. 0; -EMSGSIZE: too long, and not to be fragmented; -ENOBUFS, -ENOMEM, -ENETDOWN dropped.
 */
int ip4_send(struct net *net, struct packet *p, const struct ip4_route *r, const struct ip4_tx *t);
/*
 * The same for a connected socket: addresses, TOS, TTL, options, DF and route are S's; looks the route up again if it is not fresh, and keeps it.
 * Owner or sk->lock. Takes the RCU section itself. As ip4_send(), and what route4_out() says.
 */
int ip4_queue_xmit(struct inet_sock *s, struct packet *p);
/* S's route is made fresh: 0, or what route4_out() says. Owner or sk->lock, within RCU. */
int ip4_sock_route(struct inet_sock *s);
/* P has its IP header and goes out by R (forwarded, or IP_HDRINCL). Consumes P; within RCU. */
int ip4_output(struct net *net, struct packet *p, const struct ip4_route *r);

/* An ICMP error about P, which was received and has its IP header at packet_net(); heeds RFC 1122's rules and the limits of rate. P stays the caller's. Within RCU. */
void icmp_send(struct packet *p, u8 type, u8 code, u32 info);
/* The errno of an ICMP error: positive, *FATAL as struct inet_protocol says; 0: none. */
int icmp_errno(u8 type, u8 code, bool *fatal);

/* P goes to its protocol and to raw sockets: its destination is ours. */
void ip4_deliver(struct packet *p);
