// SPDX-License-Identifier: MIT
/* Stations that a bridge has learned: bridge.h. */
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/random.h>
#include <kernel/rcu.h>
#include <kernel/time.h>
#include <sched/task.h>
#include "net/virt/bridge.h"

#define BATCH 64			/* stations that are looked at under the lock, at a time */
#define AGE_JIFFIES (10 * HZ)		/* between the worker's visits */
#define FIRST_SHIFT 8

struct station {
	struct ghash_node node;		/* bridge->stations */
	struct list_head list;		/* bridge->all */
	struct bridge_port __rcu *port;	/* bridge->lock to change, RCU */
	u64 seen_ns;			/* plain */
	struct rcu_head rcu;
	u8 addr[ETH_ADDR];		/* c */
};

static u32 hash_of(const struct bridge *b, const u8 *addr)
{
	u64 a = 0;

	memcpy(&a, addr, ETH_ADDR);
	return (u32)siphash_13(&b->key, &a, 1);
}

/* RCU or the lock. */
static struct station *find(struct bridge *b, const u8 *addr, u32 hash)
{
	struct station *s;

	ghash_for_each_rcu(s, &b->stations, hash, node)
		if (eth_equal(s->addr, addr))
			return s;
	return NULL;
}

static bool is_old(const struct bridge *b, const struct station *s, u64 now)
{
	return now - READ_ONCE(s->seen_ns) > READ_ONCE(b->ageing_ns);
}

static void add(struct bridge *b, const u8 *addr, struct bridge_port *p, u32 hash, u64 now)
{
	struct station *s = kzalloc(sizeof(*s), GFP_ATOMIC | __GFP_NOWARN);
	unsigned long *bucket;

	if (!s)
		return;
	memcpy(s->addr, addr, ETH_ADDR);
	RCU_INIT_POINTER(s->port, p);
	s->seen_ns = now;
	list_add_tail(&s->list, &b->all);
	b->nr_stations++;
	bucket = ghash_lock(&b->stations, hash);
	ghash_add(&b->stations, bucket, &s->node, hash);
	ghash_unlock(bucket);
	if (b->nr_stations == 1)
		queue_delayed_work(system_unbound_wq, &b->age, AGE_JIFFIES);
}

static void drop(struct bridge *b, struct station *s)
{
	lockdep_assert_held(&b->lock);
	ghash_del(&b->stations, &s->node);
	list_del(&s->list);
	b->nr_stations--;
	kfree_rcu(s, rcu);
}

void bridge_learn(struct bridge *b, const u8 *addr, struct bridge_port *p)
{
	u32 hash = hash_of(b, addr);
	struct station *s = find(b, addr, hash);
	u64 now = ktime_get_ns();

	if (likely(s && rcu_access_pointer(s->port) == p)) {
		if (now - READ_ONCE(s->seen_ns) > NSEC_PER_MSEC)	/* spares the line */
			WRITE_ONCE(s->seen_ns, now);
		return;
	}
	if (bridge_is_ours(b, addr))
		return;			/* nobody else is where we are */
	spin_lock(&b->lock);
	s = find(b, addr, hash);
	if (b->ends || p->gone) {
		/* it leaves */
	} else if (s) {
		rcu_assign_pointer(s->port, p);
		WRITE_ONCE(s->seen_ns, now);
	} else if (b->nr_stations < BRIDGE_STATIONS && READ_ONCE(b->ageing_ns)) {
		add(b, addr, p, hash, now);
	}
	spin_unlock(&b->lock);
}

struct bridge_port *bridge_port_of(struct bridge *b, const u8 *addr)
{
	struct station *s = find(b, addr, hash_of(b, addr));

	return s && !is_old(b, s, ktime_get_ns()) ? rcu_dereference(s->port) : NULL;
}

/*
 * Each station once, BATCH of them under the lock: those that are old, or behind P, go, all of them
 * where ALL.
 */
static void sweep(struct bridge *b, const struct bridge_port *p, bool all)
{
	u32 left = BRIDGE_STATIONS;

	while (left) {
		u64 now = ktime_get_ns();

		spin_lock(&b->lock);
		left = min(left, b->nr_stations);
		for (u32 i = 0; i < BATCH && left; i++, left--) {
			struct station *s = list_first_entry(&b->all, struct station, list);

			if (all || rcu_access_pointer(s->port) == p || is_old(b, s, now))
				drop(b, s);
			else
				list_move_tail(&s->list, &b->all);
		}
		spin_unlock(&b->lock);
		cond_resched();
	}
}

static void age(struct work_struct *w)
{
	struct bridge *b = container_of(to_delayed_work(w), struct bridge, age);

	sweep(b, NULL, false);
	ghash_reserve(&b->stations);
	spin_lock(&b->lock);
	if (b->nr_stations && !b->ends)
		queue_delayed_work(system_unbound_wq, &b->age, AGE_JIFFIES);
	spin_unlock(&b->lock);
}

void bridge_forget_port(struct bridge *b, struct bridge_port *p)
{
	spin_lock(&b->lock);
	p->gone = true;
	spin_unlock(&b->lock);
	sweep(b, p, false);
}

int bridge_table_begin(struct bridge *b)
{
	spin_lock_init(&b->lock);
	INIT_LIST_HEAD(&b->all);
	INIT_DELAYED_WORK(&b->age, age);
	b->ageing_ns = BRIDGE_AGEING_NS;
	get_random_bytes(&b->key, sizeof(b->key));
	return ghash_init(&b->stations, FIRST_SHIFT);
}

void bridge_table_end(struct bridge *b)
{
	spin_lock(&b->lock);
	b->ends = true;
	spin_unlock(&b->lock);
	cancel_delayed_work_sync(&b->age);
	sweep(b, NULL, true);
}

void bridge_table_free(struct bridge *b)
{
	ghash_destroy(&b->stations);
}
