// SPDX-License-Identifier: MIT
/*
 * Stations of a bridge that are not learned: the machine's own addresses, and those that programs
 * put there (bridge.h). All of this is under rtnl, which keeps ports where they are.
 */
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/rcu.h>
#include <abi/errno.h>
#include <net/netns.h>
#include "net/virt/bridge.h"

static bool is_local(struct bridge *b, const u8 *addr)
{
	struct bridge_station *s;
	bool local;

	rcu_read_lock();
	s = bridge_station_find(b, addr);
	local = s && READ_ONCE(s->flags) & BRIDGE_LOCAL;
	rcu_read_unlock();
	return local;
}

/* ADDR is ours, by P; whoever was learned there was lying. */
static int add_local(struct bridge *b, struct bridge_port *p, const u8 *addr, gfp_t gfp)
{
	struct bridge_station *s, *old;

	if (is_local(b, addr))
		return 0;		/* of several ports with one address the first has it */
	s = bridge_station_new(addr, p, BRIDGE_LOCAL | BRIDGE_STATIC, gfp);
	if (!s)
		return -ENOMEM;
	ghash_reserve(&b->stations);
	spin_lock(&b->lock);
	old = bridge_station_find(b, addr);
	if (old)
		bridge_station_drop(b, old);
	bridge_station_add(b, s);
	spin_unlock(&b->lock);
	return 0;
}

int bridge_own_addr(struct bridge *b, struct bridge_port *p, gfp_t gfp)
{
	const u8 *addr = p ? p->dev->addr : b->dev->addr;
	u8 *known = p ? p->local : b->local;
	struct bridge_station *s;

	rtnl_assert();
	if (!eth_equal(known, addr)) {
		spin_lock(&b->lock);
		s = bridge_station_find(b, known);
		if (s && s->flags & BRIDGE_LOCAL && !(s->flags & BRIDGE_BY_PROGRAM) &&
		    rcu_access_pointer(s->port) == p)
			bridge_station_drop(b, s);
		spin_unlock(&b->lock);
		memcpy(known, addr, ETH_ADDR);
	}
	return add_local(b, p, addr, gfp);
}

void bridge_own_addr_nofail(struct bridge *b, struct bridge_port *p)
{
	int err = bridge_own_addr(b, p, GFP_KERNEL | __GFP_NOFAIL);

	DEBUG_ON(err);
}

void bridge_own_addrs(struct bridge *b)
{
	struct bridge_port *p;

	list_for_each_entry(p, &b->ports, list)
		bridge_own_addr_nofail(b, p);
	bridge_own_addr_nofail(b, NULL);
}

int bridge_station_by_program(struct bridge *b, struct bridge_port *p, const u8 *addr, u8 flags,
			      bool create, bool excl)
{
	struct bridge_station *fresh = NULL, *s;
	int err = 0;

	rtnl_assert();
	if (create) {
		fresh = bridge_station_new(addr, p, flags | BRIDGE_BY_PROGRAM, GFP_KERNEL_ACCOUNT);
		if (!fresh)
			return -ENOMEM;
		ghash_reserve(&b->stations);
	}
	spin_lock(&b->lock);
	s = bridge_station_find(b, addr);
	if (s && excl)
		err = -EEXIST;
	else if (s)
		bridge_station_set(b, s, p, flags | BRIDGE_BY_PROGRAM);
	else if (!create)
		err = -ENOENT;
	else
		bridge_station_add(b, fresh);
	spin_unlock(&b->lock);
	if (fresh && (s || err))
		kfree(fresh);
	return err;
}

int bridge_station_del(struct bridge *b, struct bridge_port *p, const u8 *addr)
{
	struct bridge_station *s;
	int err = -ENOENT;

	spin_lock(&b->lock);
	s = bridge_station_find(b, addr);
	if (s && rcu_access_pointer(s->port) == p) {
		bridge_station_drop(b, s);
		err = 0;
	}
	spin_unlock(&b->lock);
	return err;
}
