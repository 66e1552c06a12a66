/* SPDX-License-Identifier: MIT */
/*
 * A bridge (IEEE 802.1D without the spanning tree): a device whose ports are other devices. What a
 * port receives goes to the port behind which its destination was last seen as a source, to all
 * ports where that is not known, and to the bridge itself, which the machine's protocols use as any
 * device.
 *
 * A port's struct bridge_port is netdev->port, its bridge netdev->master. Both change under rtnl
 * and are read under RCU; ports are freed a grace period after they left.
 *
 * Stations are in a hash table and a list, both changed under bridge->lock: those that were
 * learned, those that a program has put there (bridge-fdb(8)), and the addresses of the bridge and
 * its ports, which are the machine's own. The learned ones age: one that has not been heard of for
 * ageing_ns counts no more, and a worker takes it out. At most BRIDGE_STATIONS are learned, whoever
 * sends; without room a station is flooded to. What a program puts there is charged to it.
 *
 * Locks: rtnl > bridge->lock > a bucket's.
 */
#pragma once

#include <lib/siphash.h>
#include <alloc/ghash.h>
#include <kernel/refcount.h>
#include <sched/work.h>
#include <net/fdb.h>
#include <net/netdev.h>
#include "net/wire/eth.h"

#define BRIDGE_PORTS 1024		/* as on Linux */
#define BRIDGE_STATIONS 16384
#define BRIDGE_AGEING_NS (300ull * 1000000000)

struct bridge {
	struct netdev *dev;		/* c */
	struct list_head ports;		/* rtnl, RCU */
	u32 nr_ports;			/* rtnl */
	bool had_ports;			/* rtnl: until then the carrier is on */
	bool mtu_set, addr_set;		/* rtnl: a program chose it: it does not follow the ports */
	u32 forward_delay;		/* rtnl: what programs said; without meaning here */
	u64 ageing_ns;			/* rtnl to change */
	struct siphash_key key;		/* c */
	spinlock_t lock;
	struct ghash stations;		/* lock, RCU */
	struct list_head all;		/* lock: of stations, in the order of the worker's visits */
	u32 nr_stations;		/* lock */
	u32 nr_learned, nr_ageing;	/* lock: of those */
	u8 local[ETH_ADDR];		/* rtnl: the bridge's own address in the table */
	bool ends;			/* lock: nothing is learned any more */
	struct delayed_work age;
};

struct bridge_port {
	struct netdev *dev;		/* c */
	struct bridge *bridge;		/* c */
	struct list_head list;		/* bridge->ports */
	bool gone;			/* bridge->lock: no station is behind it any more */
	u8 local[ETH_ADDR];		/* rtnl: its own address in the table */
	struct rcu_head rcu;
};

/* What is known of a station. */
enum {
	BRIDGE_LOCAL = FDB_LOCAL,
	BRIDGE_STATIC = FDB_STATIC,
	BRIDGE_STICKY = FDB_STICKY,
	BRIDGE_BY_PROGRAM = FDB_OTHER,	/* a program has put it there */
	BRIDGE_LEARNED = FDB_OTHER << 1	/* it counts against BRIDGE_STATIONS */
};

struct bridge_station {
	struct ghash_node node;		/* bridge->stations */
	struct list_head list;		/* bridge->all */
	struct bridge_port __rcu *port;	/* bridge->lock to change, RCU; NULL: the bridge */
	u64 seen_ns;			/* plain: when it last sent */
	u64 used_ns;			/* plain: when it was last sent to */
	refcount_t refs;		/* the table's, a dump's */
	u8 flags;			/* bridge->lock to change: BRIDGE_* */
	u8 addr[ETH_ADDR];		/* c */
	struct rcu_head rcu;
};

/* bridge_table.c. 0 or -ENOMEM. */
int bridge_table_begin(struct bridge *b) __must_check;
/* Nothing is learned any more, what was is forgotten. Sleeps. */
void bridge_table_end(struct bridge *b);
/* After bridge_table_end(), where anything was learned, and a grace period. Does not sleep. */
void bridge_table_free(struct bridge *b);
/* RCU: ADDR was a source at P. Does not sleep. */
void bridge_learn(struct bridge *b, const u8 *addr, struct bridge_port *p);
/* RCU. ADDR is sent to. NULL: not known. */
struct bridge_station *bridge_look_up(struct bridge *b, const u8 *addr);
/* No station is behind P, and none is learned there. Sleeps. */
void bridge_forget_port(struct bridge *b, struct bridge_port *p);
/* RCU or the lock. NULL. */
struct bridge_station *bridge_station_find(struct bridge *b, const u8 *addr);
/* Not in the table yet, and not learned. NULL: no memory. */
struct bridge_station *bridge_station_new(const u8 *addr, struct bridge_port *p, u8 flags,
					  gfp_t gfp);
/* The lock, or nobody knows S yet: no reference is left. */
void bridge_station_put(struct bridge_station *s);
/* The lock. Into the table, out of it, and S is behind P from now on and is as FLAGS say. */
void bridge_station_add(struct bridge *b, struct bridge_station *s);
void bridge_station_drop(struct bridge *b, struct bridge_station *s);
void bridge_station_set(struct bridge *b, struct bridge_station *s, struct bridge_port *p,
			u8 flags);
bool bridge_station_is_old(const struct bridge *b, const struct bridge_station *s, u64 now);

/* bridge_fdb.c. The lock: programs hear that S came, changed or is GONE. */
void bridge_tell(struct bridge *b, struct bridge_station *s, bool gone);
extern const struct fdb_ops bridge_fdb;

/*
 * bridge_stations.c, rtnl; sleeps. P's own address, or the bridge's for NULL, is in the table and
 * no other of its: 0 or -ENOMEM.
 */
int bridge_own_addr(struct bridge *b, struct bridge_port *p, gfp_t gfp) __must_check;
/* The same, waiting for memory as long as it takes. */
void bridge_own_addr_nofail(struct bridge *b, struct bridge_port *p);
/* Addresses that another port or a program's wish held, and which have gone, are there again. */
void bridge_own_addrs(struct bridge *b);
/*
 * By a program: ADDR is behind P (NULL: it is the bridge's) and is as FLAGS say. 0; -EEXIST: it is
 * there, and must not (EXCL); -ENOENT: it is not, and is not to be made; -ENOMEM.
 */
int bridge_station_by_program(struct bridge *b, struct bridge_port *p, const u8 *addr, u8 flags,
			      bool create, bool excl) __must_check;
/* 0, or -ENOENT: it is not behind P. */
int bridge_station_del(struct bridge *b, struct bridge_port *p, const u8 *addr) __must_check;

/* bridge_forward.c, RCU. P came in by PORT with its link header taken off. True: it is taken. */
bool bridge_receive(struct netdev *port, struct packet *p);
enum netdev_xmit bridge_xmit(struct netdev *d, struct packet *p, u16 queue, bool more);

/* rtnl. 0, -EINVAL, -ELOOP, -EBUSY, -EXFULL, -ENOMEM. */
int bridge_add_port(struct netdev *bridge, struct netdev *d, struct nla_error *e) __must_check;
void bridge_del_port(struct netdev *d);
