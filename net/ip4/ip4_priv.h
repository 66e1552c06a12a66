/* SPDX-License-Identifier: MIT */
/* IPv4: what the protocols above call to send, and what a received packet carries. */
#pragma once

#include <net/packet.h>
#include "net/core/stats.h"
#include "net/route/route4.h"
#include "net/wire/ip4.h"

struct icmp_quote;
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
static inline struct ip4_cb *ip4_cb(struct packet *p)
{
	return (struct ip4_cb *)p->cb;
}

_Static_assert(sizeof(struct ip4_cb) <= PACKET_CB, "fits");
#define IP4_CB_FORWARDED 1
#define IP4_CB_REASSEMBLED 2

/* How a packet is sent that no socket's settings say it for. */
struct ip4_tx {
	u8 tos, protocol;
	s16 ttl;			/* -1: the namespace's, or 1 for multicast */
	bool df;
	bool fragment;   /* may be longer than the MTU: then it goes in fragments, without DF */
	u16 id;	/* of the header; 0: chosen if the packet may be fragmented */
	bool mc_loop;
	const struct inet_options *opt;	/* NULL */
	be32 src, dst;
};

/*
 * P begins with its transport header, complete but for a PARTIAL checksum. Puts the IP header
 * before it and sends it along R: fragments it if it must and may. Consumes P. Within RCU. 0;
 * -EMSGSIZE: too long, and not to be fragmented; -ENOBUFS, -ENOMEM, -ENETDOWN dropped.
 */
int ip4_send(struct net *net, struct packet *p, const struct ip4_route *r, const struct ip4_tx *t);
/* P has its IP header and goes out by R (forwarded, or IP_HDRINCL). Consumes P; within RCU. */
int ip4_output(struct net *net, struct packet *p, const struct ip4_route *r);

/*
 * An ICMP error about P, which was received and has its IP header at packet_net(); heeds RFC 1122's
 * rules and the limits of rate. P stays the caller's. Within RCU.
 */
void icmp_send(struct packet *p, u8 type, u8 code, u32 info);
/*
 * Q's sender is asked to send shorter packets: the MTU of its destination is kept. For a protocol
 * that has found the packet that Q quotes to be one of its own: anybody can send such an error.
 * Within RCU.
 */
void icmp_learn_mtu(struct net *net, const struct icmp_quote *q);
/* The errno of an ICMP error: positive, *FATAL as struct inet_protocol says; 0: none. */
int icmp_errno(u8 type, u8 code, bool *fatal);

/*
 * May one more ICMP error go to PEER (WORDS of its address)? The limit of all, of both families, is
 * heeded and counted; that of one destination is one in RATELIMIT_MS (0: none), counted by REFUSED.
 */
bool icmp_may(struct net *net, int ratelimit_ms, const u64 *peer, unsigned int words,
	      enum net_counter refused);
/* At most MOST bytes of P from its IP header on are added to E. False: no memory. */
bool icmp_quote_packet(struct packet *e, struct packet *p, u32 most) __must_check;

/* ---- protocols ---- */

struct inet_protocol {
	/*
	 * P is for us: its transport header is at packet_data(), packet_net() its IP header, p->cb
	 * a struct ip4_cb. Within RCU, does not sleep; consumes P.
	 */
	void (*receive)(struct packet *p);
	/*
	 * An ICMP error about a packet of ours: P's data begins at the ICMP header and is not
	 * consumed, Q says what it quotes. Within RCU. ERR: the errno that goes with it (positive),
	 * FATAL: it ends a connection (RFC 1122, 4.2.3.9).
	 */
	void (*error)(struct packet *p, const struct icmp_quote *q, int err, bool fatal);
};
/* At boot. */
void inet_register_protocol(u8 number, const struct inet_protocol *p);
const struct inet_protocol *inet_protocol(u8 number);
/* What raw sockets say of a packet. LATER: ip4_unclaimed() or ip6_unclaimed() follows. */
enum raw_answer { RAW_NONE, RAW_TAKEN, RAW_LATER };
/*
 * P, with its transport header at its data, is of a protocol that has no handler; RAW: a raw socket
 * has it. Consumes P. Within RCU.
 */
void ip4_unclaimed(struct packet *p, bool raw);
/* At boot: FN sees P, for each protocol, before its handler: raw sockets. */
void ip4_register_raw(enum raw_answer (*fn)(struct packet *p),
		      void (*error)(struct packet *p, const struct icmp_quote *q, int err,
				    bool fatal));
/*
 * At boot: FN gets echo replies, and consumes P if it says true; ERROR hears of errors about echo
 * requests.
 */
void icmp_register_reply(bool (*fn)(struct packet *p),
			 void (*error)(struct packet *p, const struct icmp_quote *q, int err,
				       bool fatal));
/* An identification for a header that a program made without one. */
u16 ip4_next_id(const struct net *net, be32 src, be32 dst, u8 protocol);

/* P goes to its protocol and to raw sockets: its destination is ours. */
void ip4_deliver(struct packet *p);
