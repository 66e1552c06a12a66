/* SPDX-License-Identifier: MIT */
/*
 * Learned path MTUs, by destination: in a hash, which is keyed, as peers choose destinations, and
 * in a list, the oldest first. A timer takes out those that have served their time; at the limit,
 * of each namespace and family, a new one takes the place of the oldest.
 */
#pragma once

#include <alloc/ghash.h>
#include <lib/siphash.h>
#include <sched/wheel.h>
#include "net/wire/ip6.h"

struct pmtus {
	struct ghash hash;		/* mtu_lock to change, RCU: struct pmtu */
	struct siphash_key key;		/* c */
	spinlock_t mtu_lock;
	struct list_head order;		/* mtu_lock: the same, the oldest first */
	struct wheel_timer timer;
};

int pmtus_begin(struct pmtus *t) __must_check;
/*
 * Also after pmtus_begin() failed, or was never called on zeroed memory. No look-up comes any more.
 */
void pmtus_end(struct pmtus *t);
/* RCU. 0: nothing is known of DST (IPv4: its mapped address). */
u32 pmtu_of(struct pmtus *t, const struct ip6_addr *dst);
/* RCU. Nanoseconds until the MTU learned for DST expires; 0: none is known. */
u64 pmtu_left_ns(struct pmtus *t, const struct ip6_addr *dst);
/* Forgets all entries. */
void pmtus_forget(struct pmtus *t);
/* Atomic. DST's path takes MTU bytes for ten minutes. */
void pmtu_learn(struct pmtus *t, const struct ip6_addr *dst, u32 mtu);
