/* SPDX-License-Identifier: MIT */
/* UDP's sockets, within net/udp. */
#pragma once

#include "net/inet/dgram.h"

struct udp_sock {
	struct inet_sock inet;		/* first */
	bool cork;			/* o: UDP_CORK */
	struct packet *pending;		/* o: what is corked */
	struct inet_dgram to;		/* o: where it goes */
};

static inline struct udp_sock *udp_sk(const struct inet_sock *s)
{
	return (struct udp_sock *)s;
}

static inline struct inet_table *udp_table(struct net *net)
{
	return &net->inet->udp;
}

ssize_t udp_sendmsg(struct socket *sock, struct sock_msg *m);
/* Owner: what is corked is sent. */
int udp_push(struct udp_sock *u);
void udp_receive(struct packet *p);
void udp_error(struct packet *p, const struct icmp_quote *q, int err, bool fatal);
/* Owner: S has a port and can be found. 0, -EAGAIN: all ports are taken, -ENOMEM. */
int udp_autobind(struct inet_sock *s) __must_check;
