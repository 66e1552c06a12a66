/* SPDX-License-Identifier: MIT */
/*
 * Groups that this machine has joined on a device, of either family, and the reports that tell
 * routers and switches of them. IGMPv3 (RFC 3376) and MLDv2 (RFC 3810) are one protocol with two
 * sizes of addresses; addresses of IPv4 are mapped ones here. net/ip4/igmp.c and net/ip6/mld.c say
 * how a message looks on the wire.
 *
 * A member is a socket, or the kernel itself. Each has a filter: it takes all sources but those
 * listed (MC_EXCLUDE), or none but those (MC_INCLUDE). The device's filter of a group follows from
 * all members' (RFC 3376, 3.2): with a member that excludes, it excludes what all those exclude and
 * no other member includes; else it includes what any member includes.
 *
 * A change of the filter is reported `qrv` times within a second each. A query is answered after a
 * random delay. While a querier of an older version has been heard, reports are of that version,
 * one a group, and another station's report makes ours needless.
 *
 * Locks: rtnl for membership; mc_device->lock, inside, for what timers and packets change. Timers
 * are the wheel's: no report is sent by the task that joins. A group that was left stays in the
 * hash, without users, until that is reported.
 */
#pragma once

#include <alloc/ghash.h>
#include <kernel/refcount.h>
#include <lib/rbtree.h>
#include <net/netdev.h>
#include <net/netns.h>
#include <sched/wheel.h>
#include "net/wire/igmp.h"

enum mc_mode { MC_EXCLUDE, MC_INCLUDE };	/* MCAST_EXCLUDE, MCAST_INCLUDE */

#define MC_SOURCES_MOST 1024u		/* of a group on a device */
#define MC_QRV 2			/* robustness, until a querier says another */
#define MC_INTERVAL_S 125u		/* between queries, likewise */
#define MC_RESPONSE_MS 10000u		/* the most that an answer waits, of version 1 */

struct mc_source {
	struct rb_node node;		/* all of it: device's lock */
	struct ip6_addr addr;
	u32 users[2];			/* members that list it, by mode */
	bool accepted;			/* by the device's filter */
	bool asked;			/* by a query of the group and its sources */
	bool counted;			/* in the filter that is counted now */
	u8 changes_left;		/* reports that say so */
};

struct mc_group {
	struct ghash_node node;		/* device->hash; added under rtnl, taken out under lock */
	struct list_head list;		/* device->groups: rtnl, RCU */
	struct rcu_head rcu;
	refcount_t refs;		/* the hash's, one of an armed timer, one of a list */
	struct mc_device *dev;		/* c */
	struct ip6_addr addr;		/* c */
	u64 joined_ns;			/* rtnl: when its first member came; ktime_get_ns() */
	u32 users;			/* rtnl; read plainly */
	u32 nr_sources;			/* lock; read plainly */
	u32 own;			/* rtnl: of the users, mc_join()'s */
	/* lock */
	u32 modes[2];			/* members by mode */
	struct rb_root sources;		/* by address */
	bool excludes;			/* the device's filter */
	bool gone;			/* not in the hash any more */
	bool asked_sources;		/* the answer is about those that were asked of */
	bool reporter;			/* older versions: we were the last to report */
	u8 changes_left;		/* reports of the mode and all sources */
	u8 unsolicited_left;		/* of older versions */
	struct list_head changed;	/* device->changed */
	struct wheel_timer answer;
};

struct mc_device;
/* Versions by what they can: RFC 1112; RFC 2236 and RFC 2710; RFC 3376 and RFC 3810. */
enum mc_version { MC_V1 = 1, MC_V2, MC_V3 };
enum mc_message { MC_REPORT_V1, MC_REPORT_V2, MC_DONE };

/* What differs between the families. Called without locks unless it says otherwise. */
struct mc_family {
	bool six;
	u16 overhead;			/* bytes of a report before its records, all headers */
	/* P: NR records. Sends a report. Consumes P. Within RCU. */
	void (*send)(struct mc_device *m, struct packet *p, u16 nr);
	/* The message of an older version about GROUP. Within RCU. */
	void (*send_old)(struct mc_device *m, const struct ip6_addr *group, enum mc_message what);
	/* Are routers told of GROUP? Any context. */
	bool (*is_reported)(const struct mc_device *m, const struct ip6_addr *group);
	/* The link's address of GROUP. */
	void (*link_address)(u8 *mac, const struct ip6_addr *group);
	/*
	 * Settings of the device: the version that it must use (0: what is heard), qrv, intervals.
	 */
	u32 (*forced)(const struct mc_device *m);
	u32 (*qrv)(const struct mc_device *m);
	u32 (*unsolicited_ms)(const struct mc_device *m, enum mc_version v);
};

struct mc_device {
	struct netdev *dev;		/* c */
	u64 id;				/* c: of no other, before or after */
	const struct mc_family *family;	/* c */
	struct list_head groups;	/* rtnl, RCU */
	unsigned int nr;		/* rtnl: of them */
	struct ghash hash;		/* struct mc_group */
	spinlock_t lock;
	/* lock */
	bool up;			/* timers may be armed */
	bool general;   /* a query of all groups, of version 3, waits for its answer */
	bool old_general;		/* one of an older version: each group answers by itself */
	u32 old_delay_ms;
	struct list_head changed;	/* groups with changes to report, a reference each */
	struct wheel_timer changes, answer;
	u8 heard_qrv;			/* 0: the setting's */
	u32 interval_s;
	u64 heard_ns[2];		/* MC_V1, MC_V2: queriers count until then; plain to read */
};

/* A member's filter. */
struct mc_filter {
	enum mc_mode mode;
	u32 nr;
	const struct ip6_addr *sources;
};

/* ---- devices: rtnl ---- */

int mc_device_init(struct mc_device *m, struct netdev *d, const struct mc_family *f) __must_check;
/* Reports begin: all groups are new to the link. They end. */
void mc_device_up(struct mc_device *m);
void mc_device_down(struct mc_device *m);
/* No group is left, no timer runs. Sleeps. */
void mc_device_end(struct mc_device *m);
/* After a grace period: memory. */
void mc_device_free(struct mc_device *m);

/* ---- membership: rtnl ---- */

/*
 * A member of GROUP had the filter FROM (NULL: it joins) and has TO now (NULL: it leaves). FROM is
 * what M was told of it last: a member of another mc_device, by its id, is none of M's. 0; -ENOMEM,
 * -ENOBUFS: nothing changed, which cannot be where TO is NULL. Sleeps.
 */
int mc_change(struct mc_device *m, const struct ip6_addr *group, const struct mc_filter *from,
	      const struct mc_filter *to);
/* The kernel's own: all sources. Leaving what was not joined, or could not be, is harmless. */
int mc_join(struct mc_device *m, const struct ip6_addr *group) __must_check;
void mc_leave(struct mc_device *m, const struct ip6_addr *group);

/*
 * At boot: FN hears under rtnl of each group whose first member came (JOINED), or whose last left
 * it. Sleeps.
 */
void mc_set_listener(void (*fn)(const struct mc_group *g, bool joined));

/* ---- packets: RCU ---- */

/* Has somebody here joined GROUP, and wants what SRC (NULL: whoever) sends to it? */
bool mc_wants(const struct mc_device *m, const struct ip6_addr *group, const struct ip6_addr *src);
/* P's query Q has come; its sources lie in P from Q->sources_at on. P stays the caller's. */
void mc_query_heard(struct mc_device *m, const struct mc_query *q, struct packet *p);
/* Another station reported GROUP, by an older version. */
void mc_report_heard(struct mc_device *m, const struct ip6_addr *group);

/* ---- for /proc ---- */

enum mc_version mc_version(const struct mc_device *m);
/* rtnl. FN sees each source of G that a member lists, with the lock held. */
void mc_each_source(struct mc_group *g,
		    void (*fn)(const struct mc_group *g, const struct mc_source *s, void *arg),
		    void *arg);

/* ---- between the files of this room ---- */

void mc_group_get(struct mc_group *g);
void mc_group_put(struct mc_group *g);
/* lock. */
struct mc_group *mc_find_locked(struct mc_device *m, const struct ip6_addr *addr);
struct mc_source *mc_source_find(const struct mc_group *g, const struct ip6_addr *addr);
/* lock. G's changes are over: sources without users go, and it, if it has none itself. */
void mc_settle(struct mc_group *g);
bool mc_is_listed(const struct mc_group *g, const struct mc_source *s);
u8 mc_qrv(const struct mc_device *m);
/* lock. What is pending of G is told; JOINED, LEFT: its first member came, its last went. */
void mc_tell(struct mc_group *g, bool joined, bool left);
/* lock. G answers within MOST_NS. */
void mc_answer_within(struct mc_group *g, u64 most_ns);
void mc_answer_run(struct wheel_timer *t);
void mc_changes_run(struct wheel_timer *t);
void mc_group_answer_run(struct wheel_timer *t);
