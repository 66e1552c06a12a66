/* SPDX-License-Identifier: MIT */
/*
 * What sockets of single messages (UDP, raw, ping) share: where one goes, its route, sending and
 * reading it.
 */
#pragma once

#include "net/inet/cmsg.h"

/* A message on its way. */
struct inet_dgram {
	struct inet_cmsg c;
	bool six;			/* to dst6, else to dst */
	be32 dst;
	struct ip6_addr dst6;
	int scope;			/* that the address had; 0 */
	u32 label;			/* of the flow */
	be16 port;
	bool connected; /* the socket's own peer, and nothing said that its route would not do */
};

/*
 * M's destination and control messages. NEEDS_PORT: 0 is none. 0, -EDESTADDRREQ, -EINVAL,
 * -EAFNOSUPPORT, -EFAULT ... Owner or not.
 */
int inet_dgram_begin(struct inet_sock *s, const struct sock_msg *m, bool needs_port,
		     struct inet_dgram *d) __must_check;
/*
 * Within RCU: D's way. What route4_out() and route6_out() say; -EACCES: broadcasting without
 * SO_BROADCAST.
 */
int inet_dgram_route(struct inet_sock *s, const struct inet_dgram *d, struct inet_way *w)
	__must_check;
/* LEN bytes behind the IP header go along W in one packet, or may go in fragments. */
bool inet_way_takes(const struct inet_way *w, u32 len);
/* The next message of S into M: bytes, or -errno. PORT_OF: its sender's; NULL: has none. */
ssize_t inet_dgram_recv(struct inet_sock *s, struct sock_msg *m, be16 (*port_of)(struct packet *p));
/* SIOCINQ: bytes of the next message; SIOCOUTQ; and what all sockets know. */
int inet_dgram_ioctl(struct socket *sock, unsigned int cmd, unsigned long arg);
/* Owner: S has no peer any more, and no address but that which bind(2) gave; ports stay. */
void inet_dgram_disconnect(struct inet_sock *s);
/*
 * Owner: the way to N, whose source is S's address if it has one. Changes nothing of S, so that
 * a connect(2) that fails here has done nothing. 0, -EACCES, -EINVAL, and what a look-up says.
 */
int inet_dgram_way_to(struct inet_sock *s, const struct inet_name *n, struct inet_way *w)
	__must_check;
/* Owner: S's peer becomes N by the way W, which was found since it is owned. */
void inet_dgram_set_peer(struct inet_sock *s, const struct inet_name *n, const struct inet_way *w);
/* Both, with S's address. */
int inet_dgram_connect(struct inet_sock *s, const struct inet_name *n) __must_check;
/* An error about a message of S, as all three heed it. P as struct inet_protocol says. */
void inet_dgram_error(struct inet_sock *s, struct packet *p, const struct icmp_quote *q, int err,
		      bool fatal, be16 port, u32 payload_at);
int inet_dgram_shutdown(struct socket *sock, int how);
/*
 * The result of sending, as the caller hears it: a full queue is a loss like another, unless he
 * wants to know (IP_RECVERR).
 */
static inline int inet_dgram_sent(const struct inet_sock *s, int err)
{
	return err == -ENOBUFS && !inet_flag(s, INET_RECVERR) && !inet_flag(s, INET6_RECVERR) ? 0 :
												err;
}
