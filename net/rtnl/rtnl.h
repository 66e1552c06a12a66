/* SPDX-License-Identifier: MIT */
/*
 * rtnetlink (rtnetlink(7)): links, addresses, routes, neighbours and rules, read and changed by
 * messages. Each file serves one kind of object of one family and registers its four functions;
 * what changes is told to the groups of the kind.
 *
 * Requests run under rtnl. Dumps take it for each buffer, and go on by index or place with the
 * sequence number of what they walk.
 */
#pragma once

#include <kernel/time.h>
#include <lib/minmax.h>
#include <net/netdev.h>
#include <net/netlink.h>
#include <net/netns.h>
#include <net/nlattr.h>
#include <net/socket.h>
#include <linux/rtnetlink.h>

/* What one kind of message does. NULL: -EOPNOTSUPP. */
struct rtnl_kind {
	struct list_head list;		/* of the kind, by registration */
	u16 base;			/* RTM_NEWLINK ... */
	u8 family;			/* AF_UNSPEC: for families that have none of their own */
	/* rtnl; CAP_NET_ADMIN has been checked. */
	int (*add)(struct nl_request *r);
	int (*del)(struct nl_request *r);
	int (*get)(struct nl_request *r);	/* rtnl */
	/* Reads the filter of a dump's request into D's arguments: 0 or -errno. NULL: none. */
	int (*filter)(struct nl_request *r, struct nl_dump *d);
	int (*dump)(struct nlmsg_buf *b, struct nl_dump *d);	/* rtnl: nl_dump->fn */
};
void rtnl_register(struct rtnl_kind *k);	/* at boot */

#define RTNL_ROOM 512u			/* bytes to begin a message's buffer with */
/*
 * A dump's arguments: AT and AT2 to AT6 are its place, 0 where a family begins. KIND is rtnl.c's,
 * where a dump is of all families.
 */
enum {
	RTNL_ARG_AT,
	RTNL_ARG_AT2,
	RTNL_ARG_AT3,
	RTNL_ARG_AT4,
	RTNL_ARG_AT5,
	RTNL_ARG_AT6,
	RTNL_ARG_FILTER,
	RTNL_ARG_FILTER2,
	RTNL_ARG_KIND
};

/* A message's head, for a request's answer, a dump's entry, or (zeroed) a notification. */
struct rtnl_head {
	u32 portid, seq;
	u16 type, flags;
};
static inline struct rtnl_head rtnl_answer(const struct nl_request *r, u16 type)
{
	return (struct rtnl_head){ r->portid, r->hdr->nlmsg_seq, type, 0 };
}

static inline struct rtnl_head rtnl_entry(const struct nl_dump *d, u16 type)
{
	bool filtered = d->strict && (d->args[RTNL_ARG_FILTER] || d->args[RTNL_ARG_FILTER2]);
	u16 flags = filtered ? NLM_F_MULTI | NLM_F_DUMP_FILTERED : NLM_F_MULTI;

	return (struct rtnl_head){ d->portid, d->hdr.nlmsg_seq, type, flags };
}

/* The time from THEN to NOW, of ktime_get_ns(), in the 1/100 s that programs count in. */
static inline u32 rtnl_ago(u64 then, u64 now)
{
	return (u32)min_t(u64, now > then ? (now - then) / (NSEC_PER_SEC / 100) : 0, U32_MAX);
}

/* A notification that is built. */
struct rtnl_note {
	struct net *net;
	const struct nl_request *r;	/* what made the change; NULL */
	unsigned int group;
	struct nlmsg_buf b;
};
/*
 * False: none is to be built, as GROUP has no listeners (and R wants no echo) or there is no
 * memory, of which they hear. GFP says whether this may sleep.
 */
bool rtnl_note_begin(struct rtnl_note *n, struct net *net, unsigned int group, gfp_t gfp,
		     const struct nl_request *r) __must_check;
/* Sends it if it was BUILT into n->b; else the listeners hear of a loss. */
void rtnl_note_end(struct rtnl_note *n, bool built);

/* The name of D's queueing discipline. */
static inline const char *rtnl_qdisc(const struct netdev *d)
{
	if (d->qdisc_handle)
		return "pfifo";
	if (!d->was_up)
		return "noop";
	return d->features & NETDEV_F_NO_QUEUE ? "noqueue" : "pfifo";
}

/* The first device of NET after index *LAST, which becomes its; NULL: there is none. rtnl. */
struct netdev *rtnl_next_link(struct net *net, long *last);
/* The device that R's header or its IFLA_IFNAME names; NULL. rtnl. */
struct netdev *rtnl_find_link(struct net *net, const struct ifinfomsg *m,
			      const struct nlattr *const *tb);
/* The same of a request that must name one, its attributes parsed into TB. ERR_PTR. */
struct netdev *rtnl_named_link(struct nl_request *r, const struct nlattr **tb);
/* link_set.c, rtnl: what TB says of D, which exists. */
int rtnl_link_set(struct nl_request *r, struct netdev *d, const struct ifinfomsg *m,
		  const struct nlattr *const *tb);
/* rtnl: D is a port of the device INDEX; 0: of none. */
int rtnl_set_master(struct nl_request *r, struct netdev *d, int index);
/* link_new.c. The kind that IFLA_LINKINFO A names, as a number that is its alone. 0 or -errno. */
int rtnl_link_kind(struct nl_request *r, const struct nlattr *a, long *kind);
int rtnl_link_add(struct nl_request *r);
int rtnl_link_del(struct nl_request *r);
/*
 * filter.c: the filters of dumps, nl_dump->args[RTNL_ARG_FILTER*]. Of addresses: a device; of
 * routes: a table, which must be in TABLES, and a device, or -1: nothing matches. The texts are for
 * a header with other wishes, and for a table that is not there.
 */
int rtnl_filter_addrs(struct nl_request *r, struct nl_dump *d, const struct nla_rule *rules,
		      const char *bad_header);
int rtnl_filter_routes(struct nl_request *r, struct nl_dump *d, const struct nla_rule *rules,
		       struct xarray *tables, const char *no_table);
/* metrics.c: by RTAX_*, FIB4_METRICS words; those that are 0 are not set. */
void rtnl_put_metrics(struct nlmsg_buf *b, const u32 *metrics);
int rtnl_read_metrics(struct nl_request *r, const struct nlattr *a, u32 *metrics);
