/* SPDX-License-Identifier: MIT */
/*
 * A packet for all sockets of a port that want it: many.c. Within RCU, atomic.
 */
#pragma once

#include "net/inet/inet_priv.h"

#define INET_MANY_STEP 8u

struct inet_many;
struct inet_many_kind {
	/* Of the sock's port's lock; atomic. */
	bool (*wants)(struct inet_sock *s, const struct inet_many *m);
	/* One of several; m->p is lent. */
	void (*give)(struct inet_sock *s, struct inet_many *m);
	/* All that wanted it have it: m->given. Consumes m->p. */
	void (*end)(struct inet_many *m);
};

/* The caller sets the first part. */
struct inet_many {
	const struct inet_many_kind *kind;
	struct inet_table *table;
	struct packet *p;
	struct inet_key k;
	be16 port;			/* whose owners are asked; of raw sockets: the protocol */
	bool fatal;
	int err;			/* with fatal and q: p is an error */
	struct icmp_quote q;

	struct net_rest rest;
	struct inet_owner at;
	struct inet_sock *to[INET_MANY_STEP];	/* referenced */
	unsigned int nr;
	u64 given;
	struct net *net;		/* referenced */
	struct netdev *dev;		/* referenced */
};

enum inet_many_answer { INET_MANY_NONE, INET_MANY_ONE, INET_MANY_LATER };
/*
 * Who wants M's packet, which stays the caller's. ONE: *ONE, referenced, and nobody else. LATER:
 * behind this section each of them is given a clone, and then M's kind ends it.
 */
enum inet_many_answer inet_many_ask(struct inet_many *m, struct inet_sock **one);
