/* SPDX-License-Identifier: MIT */
/* Control messages and errors of datagram sockets. */
#pragma once

#include "net/inet/inet_priv.h"

/* What a writer said of one packet. */
struct inet_cmsg {
	struct sock_tx tx;
	be32 src;			/* zero: not said */
	int oif;			/* 0 */
	int tos, ttl;			/* -1 */
	int protocol;			/* 0 */
	struct ip6_addr src6;		/* any: not said */
	int hops, tclass;		/* of IPv6: -1; hops -2: not said */
	int dontfrag;			/* -1 */
};
void inet_cmsg_none(const struct inet_sock *s, struct inet_cmsg *c);
/* cmsg6.c: one message of IPPROTO_IPV6. 0, -EINVAL. */
int inet6_send_cmsg(struct inet_sock *s, struct inet_cmsg *c, int type, const u8 *data, size_t len);
/* 0, -EFAULT, -EINVAL, -EPERM. Sleeps. */
int inet_send_cmsgs(struct inet_sock *s, const struct sock_msg *m, struct inet_cmsg *c)
	__must_check;
/*
 * The port that P, which may have its transport header in pieces, was sent to. False: P is too
 * short for one.
 */
bool __must_check inet_packet_port(const struct packet *p, be16 *port);
/*
 * P, an ICMP error from its ICMP header on, for S, whose payload begins PAYLOAD_AT bytes on; PORT:
 * of the peer.
 */
void inet_queue_icmp(struct inet_sock *s, struct packet *p, const struct icmp_quote *q, int err,
		     be16 port, u32 payload_at);
/* An error of our own making (EMSGSIZE). DST: mapped, of IPv4. */
void inet_queue_local(struct inet_sock *s, int err, const struct ip6_addr *dst, be16 port,
		      u32 info);
/*
 * SO_TIMESTAMPING: P, NULL or unchanged, has just reached the stage TYPE (SCM_TSTAMP_*); KEY is its
 * number. Any context but an interrupt.
 */
void inet_queue_stamp(struct inet_sock *s, const struct packet *p, u32 type, u32 key);
/* MSG_ERRQUEUE. */
ssize_t inet_recv_error(struct inet_sock *s, struct sock_msg *m);
