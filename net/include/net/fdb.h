/* SPDX-License-Identifier: MIT */
/*
 * The stations that a bridge knows, between rtnetlink (net/rtnl/fdb.c), which has the messages, and
 * the kind of device that has the table, which may be a module.
 */
#pragma once

#include <lib/types.h>
#include <net/netlink.h>

struct net;
struct netdev;

/* What is known of a station; the bits above are the table's. */
enum {
	FDB_LOCAL = 1 << 0,		/* it is this machine: its packets are delivered here */
	FDB_STATIC = 1 << 1,		/* it does not age */
	FDB_STICKY = 1 << 2,		/* it does not move to another port */
	FDB_OTHER = 1 << 3
};

/* A station as it is shown. */
struct fdb_entry {
	u8 addr[6];
	u8 flags;			/* FDB_* */
	bool old;			/* it counts no more, but is still there */
	int ifindex, master;		/* of the port, or the bridge; of the bridge */
	u64 seen_ns, used_ns;		/* ktime_get_ns(): when it last sent, was last sent to */
};

/* Places in the arguments of a dump of TABLE: struct netdev *; the port may be NULL: all. */
#define FDB_ARG_PORT 4
#define FDB_ARG_BRIDGE 5

/*
 * Of a kind with ports (netdev_kind->fdb); all under rtnl. BRIDGE is of that kind, PORT one of its
 * ports, or NULL: the bridge itself.
 */
struct fdb_ops {
	/*
	 * By a program: ADDR is behind PORT and is as FLAGS (FDB_*) say. 0; -EEXIST: it is there,
	 * and must not (EXCL); -ENOENT: it is not, and is not to be made; -ENOMEM.
	 */
	int (*add)(struct netdev *bridge, struct netdev *port, const u8 *addr, u8 flags,
		   bool create, bool excl);
	/* 0, or -ENOENT: it is not behind PORT. */
	int (*del)(struct netdev *bridge, struct netdev *port, const u8 *addr);
	/* ADDR is learned at PORT, which is not NULL, as from a packet. */
	void (*learn)(struct netdev *bridge, struct netdev *port, const u8 *addr);
	/* False: ADDR is not known; E is not written. */
	bool (*find)(struct netdev *bridge, const u8 *addr, struct fdb_entry *e);
	/* Its show() is fdb_show(). */
	const struct nl_table *table;
};

/* A dump's entry. False: there is no room in B. */
bool fdb_show(struct nlmsg_buf *b, struct nl_dump *d, const struct fdb_entry *e);
/* Listeners in NET hear that E came, changed or is GONE. Any context but hard interrupts. */
void fdb_tell(struct net *net, const struct fdb_entry *e, bool gone);
