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
	be32 dst;
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
 * Within RCU: D's route into *R, and how it is sent into *T. What route4_out() says; -EACCES:
 * broadcasting without SO_BROADCAST.
 */
int inet_dgram_route(struct inet_sock *s, const struct inet_dgram *d, struct ip4_route *r,
		     struct ip4_tx *t) __must_check;
/* A packet with the LEN bytes of M, charged to S. ERR_PTR. Sleeps. */
struct packet *inet_dgram_packet(struct inet_sock *s, struct sock_msg *m, u32 len) __must_check;
/* The next message of S into M: bytes, or -errno. NAME: puts the sender's name. */
ssize_t inet_dgram_recv(struct inet_sock *s, struct sock_msg *m,
			void (*name)(struct sock_msg *m, struct packet *p));
u32 inet_dgram_poll(struct file *f, struct socket *sock, struct poll_table_struct *pt);
/* SIOCINQ: bytes of the next message; SIOCOUTQ; and what all sockets know. */
int inet_dgram_ioctl(struct socket *sock, unsigned int cmd, unsigned long arg);
/* What connect(2) got: 0 an address, 1 AF_UNSPEC, which disconnects, -EINVAL, -EAFNOSUPPORT. */
int inet_dgram_peer(const struct sockaddr_in *in, int len) __must_check;
/* Owner: S has no peer any more, and no address but that which bind(2) gave; ports stay. */
void inet_dgram_disconnect(struct inet_sock *s);
/*
 * Owner: S's peer becomes DST:PORT, with the source that the route gives. 0, -EACCES, and what
 * route4_out() says.
 */
int inet_dgram_connect(struct inet_sock *s, be32 dst, be16 port) __must_check;
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
	return err == -ENOBUFS && !inet_flag(s, INET_RECVERR) ? 0 : err;
}
