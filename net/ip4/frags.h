/* SPDX-License-Identifier: MIT */
/* Fragments on their way to be whole, of both families, and what goes with errors of IPv4. */
#pragma once

#include <alloc/ghash.h>
#include <lib/siphash.h>
#include <net/packet.h>
#include <sched/wheel.h>
#include "net/core/stats.h"
#include "net/wire/ip6.h"

struct icmp_quote;
struct net;

/* What all fragments of one packet have in common. IPv4's addresses are mapped ones. */
struct frag_key {
	struct ip6_addr src, dst;
	u32 id;
	u8 protocol;			/* IPv6: 0 */
	int iif;	 /* of link-scoped addresses, which mean another host on another link; else 0 */
};

/* One fragment. */
struct frag_info {
	u32 off;			/* of its payload */
	bool more;
	u16 hdr;	 /* bytes of its headers, from packet_net() on, for the whole */
	u16 next_at;			/* IPv6: the byte in them that becomes NEXT */
	u8 next;
};

struct frag_family {
	enum net_counter timeout, oks, fails, overlaps;
	bool exact; /* what overlaps spoils all, unless it is the same fragment again (RFC 5722) */
	/* OUT is whole, with the first fragment's headers, F->hdr bytes: its lengths are set. */
	void (*finish)(struct packet *out, const struct frag_info *f);
	/* The first fragment of one that was never whole, within RCU; p->dev is set. */
	void (*expired)(struct packet *first);
};

/* Of a namespace and family. */
struct frags {
	struct net *net;		/* c */
	const struct frag_family *family;	/* c */
	struct ghash queues;
	struct siphash_key key;
	atomic_long_t bytes;
	struct wheel_timer grow;	/* due at once: packets cannot wait for memory */
};

int frags_begin(struct frags *f, struct net *net, const struct frag_family *family) __must_check;
void frags_end(struct frags *f);
/*
 * P's payload lies at its data, its headers at packet_net(). HIGH: bytes that may wait, TIME_S: how
 * long. The whole packet, from its IP header on, and *LONGEST: bytes of the longest fragment's
 * payload. NULL: P waits, or is gone.
 */
struct packet *frags_add(struct frags *f, const struct frag_key *k, struct packet *p,
			 const struct frag_info *info, int high, int time_s, u32 *longest);

/* Packets of which fragments wait, and the bytes that they hold. */
static inline unsigned int frags_count(struct frags *f)
{
	return (unsigned int)ghash_count(&f->queues);
}

static inline unsigned long frags_bytes(const struct frags *f)
{
	return (unsigned long)atomic_long_read(&f->bytes);
}

/*
 * P is a fragment for us, its IP header at its data. The whole packet, or NULL: P waits, or is
 * gone.
 */
struct packet *ip4_reassemble(struct net *net, struct packet *p);
/* An error to whom it may concern: raw sockets and the protocol of Q. */
void ip4_error(struct packet *p, const struct icmp_quote *q, int err, bool fatal);
/* P was made here: its socket hears of it as of an ICMP error. P stays the caller's. */
void icmp_tell_sender(struct packet *p, u8 type, u8 code);
