/* SPDX-License-Identifier: MIT */
/*
 * Neighbours: which link address belongs to an address on a link (arp(7); RFC 4861, 7.3 for the
 * states).
 *
 * INCOMPLETE: asked, packets wait. REACHABLE: known, confirmed lately. STALE: known, to be doubted
 * when used. DELAY: used; a confirmation from above may come. PROBE: asked directly. FAILED: nobody
 * answered. PERMANENT, NOARP: set by a program, or by what the device is.
 *
 * An entry is found under RCU. It has a reference of the table, one while its timer is armed, and
 * holds its device. n->lock guards what changes; the link address is read under n->seq without it.
 *
 * Limits, per namespace and family: above thresh2 entries that may go are looked for when one is
 * made, thresh3 are not exceeded; what waits for an answer is QUEUE_BYTES an entry.
 */
#pragma once

#include <alloc/ghash.h>
#include <kernel/seqlock.h>
#include <net/netdev.h>
#include <net/netns.h>
#include <sched/wheel.h>
#include <linux/neighbour.h>
#include "net/dev/neigh_parms.h"

#define NEIGH_VALID (NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY)
#define NEIGH_TIMED (NUD_INCOMPLETE | NUD_REACHABLE | NUD_DELAY | NUD_PROBE)

struct neigh_table;

struct neigh {
	struct ghash_node node;
	struct rcu_head rcu;
	struct neigh_table *table;	/* c */
	struct netdev *dev;		/* c: referenced */
	u32 key[4];			/* c: IPv4: the first */
	refcount_t refs;
	spinlock_t lock;
	seqcount_t seq;			/* lock to change hw */
	u8 hw[NETDEV_ADDR];
	u8 state;			/* lock to change: NUD_* */
	u8 flags;			/* lock: NTF_* */
	u8 probes;			/* lock */
	u8 protocol;			/* lock: RTPROT_* of what made it */
	bool dead;			/* lock: in no table any more */
	struct packet_list waiting;	/* lock: for an answer */
	u64 confirmed_ns, used_ns, updated_ns;	/* plain stores, coarse clock */
	struct wheel_timer timer;
};

/* How a family asks. */
struct neigh_family {
	int family;
	unsigned int key_words;
	/*
	 * DST: a link address to ask directly, NULL: everybody. P, a packet that waits, for its
	 * source address; may be NULL. Within RCU.
	 */
	void (*solicit)(struct neigh *n, const u8 *dst, struct packet *p);
	void (*give_up)(struct packet *p);	/* tells P's sender; consumes P */
	/* A group's link address, or the answer that a device's type gives. False: ask. */
	bool (*fixed)(struct netdev *d, const u32 *key, u8 *hw, u8 *state);
};

struct neigh_conf {
	int thresh[3];
	struct neigh_parms parms;	/* of devices to come */
};

/* A family's in a namespace. */
struct neigh_table {
	struct ghash hash;
	const struct neigh_family *family;
	struct net *net;
	struct neigh_conf conf;
	u64 last_gc_ns;
	struct wheel_timer gc;
	atomic64_t forced_gcs;
};

struct neigh_net {
	struct neigh_table arp, nd;
};

/*
 * P, whose network header is at its data, goes to KEY on D: with its link header now, or once the
 * neighbour has answered. Consumes P. Within RCU. 0, -ENOBUFS, and what dev_queue_xmit() says.
 */
int neigh_send(struct neigh_table *t, struct netdev *d, const u32 *key, struct packet *p);
/* Within RCU; not referenced. NULL. */
struct neigh *neigh_find(struct neigh_table *t, const struct netdev *d, const u32 *key);
/* Referenced; made where there is none. ERR_PTR(-ENOBUFS: the limit, -ENOMEM). Atomic. */
struct neigh *neigh_get(struct neigh_table *t, struct netdev *d, const u32 *key);
void neigh_put(struct neigh *n);
/*
 * What an answer, a question or a program says of N. OVERRIDE: also where a different address was
 * known and is confirmed.
 */
#define NEIGH_OVERRIDE 1
#define NEIGH_ADMIN 2
void neigh_update(struct neigh *n, const u8 *hw, u8 state, unsigned int how);
/* Progress above says that N is there (MSG_CONFIRM, TCP's ACKs). */
void neigh_confirm(struct neigh_table *t, struct netdev *d, const u32 *key);
/* rtnl. Those of D go. KEEP: programs' own stay. */
void neigh_dev_down(struct neigh_table *t, struct netdev *d, bool keep);
/* The entry goes. */
void neigh_delete(struct neigh *n);
/*
 * At boot: FN hears of entries that change or go, in atomic contexts, with no lock of theirs held.
 */
void neigh_set_listener(void (*fn)(struct neigh *n, bool gone));
int neigh_table_begin(struct neigh_table *t, struct net *net, const struct neigh_family *f)
	__must_check;
void neigh_table_end(struct neigh_table *t);

/* arp.c */
static inline struct neigh_table *arp_table(struct net *net)
{
	return &net->neigh->arp;
}

int arp_send(struct net *net, struct packet *p, struct netdev *d, be32 next);
/* An announcement of A, which came to D. rtnl. */
void arp_announce(struct netdev *d, be32 a);
/* At boot: FN tells the sender of P, which nobody answers for; P stays the caller's. */
void arp_set_unreachable(void (*fn)(struct packet *p));
/* At boot: net/ip6 asks for IPv6's neighbours; as of struct neigh_family. */
void nd_set_functions(void (*solicit)(struct neigh *n, const u8 *dst, struct packet *p),
		      void (*give_up)(struct packet *p),
		      bool (*fixed)(struct netdev *d, const u32 *key, u8 *hw, u8 *state));
