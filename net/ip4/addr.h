/* SPDX-License-Identifier: MIT */
/* IPv4's state of a namespace, and addresses of devices. */
#pragma once

#include <sched/wheel.h>
#include <sched/work.h>
#include "net/route/fib4_priv.h"
#include "net/route/in_device.h"

struct icmp_rates;
struct frags;
struct icmp_conf {
	int echo_ignore_all, echo_ignore_broadcasts, ignore_bogus_error_responses, ratelimit_ms,
		ratemask, msgs_per_sec, msgs_burst, errors_use_inbound_ifaddr;
};

struct mc_conf {			/* of igmp_*, mld_* */
	int max_memberships, max_msf, qrv, link_local_reports;
};

struct ip4_net {
	struct in_conf conf_all, conf_default;
	int forwarding, default_ttl, nonlocal_bind, no_pmtu_disc, min_pmtu, fwd_use_pmtu, dynaddr,
		early_demux;
	struct frags *frags;
	int frag_high, frag_low, frag_time_s, frag_max_dist;
	struct icmp_conf icmp;
	struct mc_conf mc;
	/* plain, races are harmless: when the bucket of all errors will be empty */
	u64 icmp_empty_ns;
	struct icmp_rates *rates;	/* by destination */
	struct net *net;
	struct delayed_work life;	/* of addresses that expire: addr_life.c */
};

/*
 * rtnl. 0, -EEXIST, -EINVAL, -ENOMEM. WANT: local, peer, broadcast, bits, scope, flags, lifetimes,
 * label.
 */
int in_addr_add(struct in_device *in, const struct in_addr4 *want) __must_check;
void in_addr_del(struct in_addr4 *a);
/* rtnl. BITS -1: any. NULL. */
struct in_addr4 *in_addr_find(struct in_device *in, be32 local, int bits);
/* rtnl. An address as ifconfig and ip= set it: with its broadcast address and scope. */
int in_addr_set(struct in_device *in, const char *label, be32 local, u8 bits) __must_check;
/* rtnl. D's, made if it has none; NULL: no memory, or its MTU is too small for IPv4. */
struct in_device *in_device_get(struct netdev *d);
void arp_announce_if(struct in_device *in, be32 a);

/* addr_life.c. At boot: FN hears of addresses that come, change or go, under rtnl. */
void in_addr_set_listener(void (*fn)(const struct in_addr4 *a, bool added));
void in_addr_tell(const struct in_addr4 *a, bool added);
/* Seconds that are left of A's lifetimes; U32_MAX: for ever. rtnl. */
void in_addr_left(const struct in_addr4 *a, u32 *valid_s, u32 *preferred_s);
/* rtnl: A has the lifetimes of WANT from now on. */
void in_addr_renew(struct in_addr4 *a, const struct in_addr4 *want);
/* rtnl: A, which is new or changed, will end in time. */
void in_addr_watch(const struct in_addr4 *a);
void in_addr_life_begin(struct net *net, struct ip4_net *n);
void in_addr_life_end(struct ip4_net *n);

/* frag_in.c, icmp.c */
int ip4_frags_begin(struct net *net) __must_check;
void ip4_frags_end(struct net *net);
int icmp_begin(struct net *net) __must_check;
void icmp_end(struct net *net);

/* igmp.c. rtnl: the link comes, and with it the group of all hosts; it goes. */
extern const struct mc_family in_mc_family;
int in_mc_up(struct in_device *in);
void in_mc_down(struct in_device *in);
