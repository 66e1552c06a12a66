// SPDX-License-Identifier: MIT
/* A bridge's table for programs that read and change it: <net/fdb.h>. */
#include <lib/string.h>
#include <kernel/rcu.h>
#include <kernel/time.h>
#include "net/virt/bridge.h"

static struct bridge *bridge_of(struct netdev *d)
{
	return d->priv;
}

/* rtnl. */
static struct bridge_port *port_of(struct netdev *port)
{
	return port ? rcu_dereference_raw(port->port) : NULL;
}

/* RCU, rtnl or the lock, so that S's port stays. */
static struct fdb_entry entry_of(struct bridge *b, struct bridge_station *s)
{
	struct bridge_port *p = rcu_dereference_raw(s->port);
	struct fdb_entry e = { .flags = READ_ONCE(s->flags) & (FDB_OTHER - 1),
			       .old = bridge_station_is_old(b, s, ktime_get_ns()),
			       .ifindex = (p ? p->dev : b->dev)->ifindex,
			       .master = b->dev->ifindex,
			       .seen_ns = READ_ONCE(s->seen_ns),
			       .used_ns = READ_ONCE(s->used_ns) };

	memcpy(e.addr, s->addr, ETH_ADDR);
	return e;
}

void bridge_tell(struct bridge *b, struct bridge_station *s, bool gone)
{
	struct fdb_entry e = entry_of(b, s);

	lockdep_assert_held(&b->lock);
	fdb_tell(b->dev->net, &e, gone);
}

static int add(struct netdev *bridge, struct netdev *port, const u8 *addr, u8 flags, bool create,
	       bool excl)
{
	return bridge_station_by_program(bridge_of(bridge), port_of(port), addr, flags, create,
					 excl);
}

static int del(struct netdev *bridge, struct netdev *port, const u8 *addr)
{
	return bridge_station_del(bridge_of(bridge), port_of(port), addr);
}

static void learn(struct netdev *bridge, struct netdev *port, const u8 *addr)
{
	rcu_read_lock();
	bridge_learn(bridge_of(bridge), addr, port_of(port));
	rcu_read_unlock();
}

static bool find(struct netdev *bridge, const u8 *addr, struct fdb_entry *e)
{
	struct bridge *b = bridge_of(bridge);
	struct bridge_station *s;

	rcu_read_lock();
	s = bridge_station_find(b, addr);
	if (s)
		*e = entry_of(b, s);
	rcu_read_unlock();
	return s;
}

/* ---- dump ---- */

static struct bridge *bridge_under_way(const struct nl_dump *d)
{
	return bridge_of((struct netdev *)d->args[FDB_ARG_BRIDGE]);
}

static void walk(struct nl_dump *d, u64 *pos, void (*fn)(struct ghash_node *n, void *arg),
		 void *arg)
{
	ghash_walk(&bridge_under_way(d)->stations, pos, fn, arg);
}

static void *get(struct ghash_node *node, struct nl_dump *d)
{
	struct bridge_station *s = container_of(node, struct bridge_station, node);
	struct bridge_port *p = port_of((struct netdev *)d->args[FDB_ARG_PORT]);

	if (p && rcu_access_pointer(s->port) != p)
		return NULL;
	return refcount_inc_not_zero(&s->refs) ? s : NULL;
}

static bool show(struct nlmsg_buf *b, struct nl_dump *d, void *object)
{
	struct fdb_entry e = entry_of(bridge_under_way(d), object);

	return fdb_show(b, d, &e);
}

static void drop(void *object)
{
	bridge_station_put(object);
}

static const struct nl_table table = { .walk = walk, .get = get, .show = show, .put = drop };

const struct fdb_ops bridge_fdb = {
	.add = add,
	.del = del,
	.learn = learn,
	.find = find,
	.table = &table,
};
