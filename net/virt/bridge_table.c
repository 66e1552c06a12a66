// SPDX-License-Identifier: MIT
/* The table of a bridge's stations, learning and ageing: bridge.h. */
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

static u32 hash_of(const struct bridge *b, const u8 *addr)
{
	u64 a = 0;

	memcpy(&a, addr, ETH_ADDR);
	return (u32)siphash_13(&b->key, &a, 1);
}

struct bridge_station *bridge_station_find(struct bridge *b, const u8 *addr)
{
	struct bridge_station *s;

	ghash_for_each_rcu(s, &b->stations, hash_of(b, addr), node)
		if (eth_equal(s->addr, addr))
			return s;
	return NULL;
}

bool bridge_station_is_old(const struct bridge *b, const struct bridge_station *s, u64 now)
{
	return !(READ_ONCE(s->flags) & BRIDGE_STATIC) &&
	       now - READ_ONCE(s->seen_ns) > READ_ONCE(b->ageing_ns);
}

struct bridge_station *bridge_station_new(const u8 *addr, struct bridge_port *p, u8 flags,
					  gfp_t gfp)
{
	struct bridge_station *s = kzalloc(sizeof(*s), gfp);

	if (!s)
		return NULL;
	memcpy(s->addr, addr, ETH_ADDR);
	refcount_set(&s->refs, 1);
	RCU_INIT_POINTER(s->port, p);
	s->flags = flags;
	s->seen_ns = s->used_ns = ktime_get_ns();
	return s;
}

void bridge_station_put(struct bridge_station *s)
{
	if (refcount_dec_and_test(&s->refs))
		kfree_rcu(s, rcu);
}

/* S, which is in the table, counts as its flags say, or no more. */
static void count(struct bridge *b, const struct bridge_station *s, u32 by)
{
	b->nr_learned += s->flags & BRIDGE_LEARNED ? by : 0;
	b->nr_ageing += s->flags & BRIDGE_STATIC ? 0 : by;
	if (by == 1 && b->nr_ageing == 1 && !(s->flags & BRIDGE_STATIC))
		queue_delayed_work(system_unbound_wq, &b->age, AGE_JIFFIES);
}

void bridge_station_add(struct bridge *b, struct bridge_station *s)
{
	u32 hash = hash_of(b, s->addr);
	unsigned long *bucket;

	lockdep_assert_held(&b->lock);
	list_add_tail(&s->list, &b->all);
	b->nr_stations++;
	count(b, s, 1);
	bucket = ghash_lock(&b->stations, hash);
	ghash_add(&b->stations, bucket, &s->node, hash);
	ghash_unlock(bucket);
	bridge_tell(b, s, false);
}

void bridge_station_drop(struct bridge *b, struct bridge_station *s)
{
	lockdep_assert_held(&b->lock);
	ghash_del(&b->stations, &s->node);
	list_del(&s->list);
	b->nr_stations--;
	count(b, s, -1u);
	bridge_tell(b, s, true);
	bridge_station_put(s);
}

void bridge_station_set(struct bridge *b, struct bridge_station *s, struct bridge_port *p, u8 flags)
{
	bool other = rcu_access_pointer(s->port) != p || s->flags != flags;

	lockdep_assert_held(&b->lock);
	count(b, s, -1u);
	rcu_assign_pointer(s->port, p);
	WRITE_ONCE(s->flags, flags);
	WRITE_ONCE(s->seen_ns, ktime_get_ns());
	count(b, s, 1);
	if (other)
		bridge_tell(b, s, false);
}

void bridge_learn(struct bridge *b, const u8 *addr, struct bridge_port *p)
{
	struct bridge_station *s = bridge_station_find(b, addr);
	u64 now = ktime_get_ns();
	bool same;

	if (s && READ_ONCE(s->flags) & BRIDGE_LOCAL)
		return;			/* nobody else is where we are */
	same = s && rcu_access_pointer(s->port) == p;
	if (likely(same) || (s && READ_ONCE(s->flags) & BRIDGE_STICKY)) {
		if (same && now - READ_ONCE(s->seen_ns) > NSEC_PER_MSEC) /* spares the line */
			WRITE_ONCE(s->seen_ns, now);
		return;
	}
	spin_lock(&b->lock);
	s = bridge_station_find(b, addr);
	if (b->ends || p->gone) {
		/* it leaves */
	} else if (s) {
		if (!(s->flags & (BRIDGE_LOCAL | BRIDGE_STICKY)))
			bridge_station_set(b, s, p, s->flags);
	} else if (b->nr_learned < BRIDGE_STATIONS && READ_ONCE(b->ageing_ns)) {
		s = bridge_station_new(addr, p, BRIDGE_LEARNED, GFP_ATOMIC | __GFP_NOWARN);
		if (s)
			bridge_station_add(b, s);
	}
	spin_unlock(&b->lock);
}

struct bridge_station *bridge_look_up(struct bridge *b, const u8 *addr)
{
	struct bridge_station *s = bridge_station_find(b, addr);
	u64 now;

	if (!s)
		return NULL;
	now = ktime_get_ns();
	if (now - READ_ONCE(s->used_ns) > NSEC_PER_MSEC)
		WRITE_ONCE(s->used_ns, now);
	return bridge_station_is_old(b, s, now) ? NULL : s;
}

/*
 * Each station once, BATCH of them under the lock: those that are old, or behind P, go, all of them
 * where ALL.
 */
static void sweep(struct bridge *b, const struct bridge_port *p, bool all)
{
	u32 left = U32_MAX;

	while (left) {
		u64 now = ktime_get_ns();

		spin_lock(&b->lock);
		left = min(left, b->nr_stations);
		for (u32 i = 0; i < BATCH && left; i++, left--) {
			struct bridge_station *s =
				list_first_entry(&b->all, struct bridge_station, list);

			if (all || (p && rcu_access_pointer(s->port) == p) ||
			    bridge_station_is_old(b, s, now))
				bridge_station_drop(b, s);
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
	if (b->nr_ageing && !b->ends)
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
