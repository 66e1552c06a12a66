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
 * Stations that were learned are in a hash table and a list, both changed under bridge->lock, and
 * age: one that has not been heard of for ageing_ns counts no more, and a worker takes it out.
 * At most BRIDGE_STATIONS are learned, whoever sends; without room a station is flooded to.
 *
 * Locks: rtnl > bridge->lock > a bucket's.
 */
#pragma once

#include <lib/siphash.h>
#include <alloc/ghash.h>
#include <sched/work.h>
#include <net/netdev.h>
#include "net/wire/eth.h"

#define BRIDGE_PORTS 1024		/* as on Linux */
#define BRIDGE_STATIONS 16384
#define BRIDGE_AGEING_NS (300ull * 1000000000)

struct bridge {
	struct netdev *dev;		/* c */
	struct list_head ports;		/* rtnl, RCU */
	u32 nr_ports;			/* rtnl */
	bool mtu_set, addr_set;		/* rtnl: a program chose it: it does not follow the ports */
	u32 forward_delay;		/* rtnl: what programs said; without meaning here */
	u64 ageing_ns;			/* rtnl to change */
	struct siphash_key key;		/* c */
	spinlock_t lock;
	struct ghash stations;		/* lock, RCU */
	struct list_head all;		/* lock: of stations, in the order of the worker's visits */
	u32 nr_stations;		/* lock */
	bool ends;			/* lock: nothing is learned any more */
	struct delayed_work age;
};

struct bridge_port {
	struct netdev *dev;		/* c */
	struct bridge *bridge;		/* c */
	struct list_head list;		/* bridge->ports */
	bool gone;			/* bridge->lock: no station is behind it any more */
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
/* RCU. NULL: not known. */
struct bridge_port *bridge_port_of(struct bridge *b, const u8 *addr);
/* No station is behind P, and none is learned there. Sleeps. */
void bridge_forget_port(struct bridge *b, struct bridge_port *p);

/* bridge_forward.c, RCU. P came in by PORT with its link header taken off. True: it is taken. */
bool bridge_receive(struct netdev *port, struct packet *p);
/* RCU. ADDR is the bridge's or a port's. */
bool bridge_is_ours(struct bridge *b, const u8 *addr);
enum netdev_xmit bridge_xmit(struct netdev *d, struct packet *p, u16 queue, bool more);

/* rtnl. 0, -EINVAL, -ELOOP, -EBUSY, -EXFULL, -ENOMEM. */
int bridge_add_port(struct netdev *bridge, struct netdev *d, struct nla_error *e) __must_check;
void bridge_del_port(struct netdev *d);
