// SPDX-License-Identifier: MIT
/* Learned path MTUs: pmtu.h. */
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/random.h>
#include <kernel/time.h>
#include <net/netdev.h>
#include "net/route/pmtu.h"

struct pmtu {
	struct ghash_node node;		/* pmtus->hash */
	struct list_head list;		/* pmtus->mtu_lock: pmtus->order */
	struct rcu_head rcu;
	struct ip6_addr dst;		/* c */
	u32 mtu;			/* pmtus->mtu_lock to change */
	u64 until_ns;			/* pmtus->mtu_lock to change */
};

#define PMTUS_MOST 4096u		/* not a page */
#define PMTU_LIVES_NS (600 * NSEC_PER_SEC)

static u32 hash_of(const struct pmtus *t, const struct ip6_addr *dst)
{
	u64 w[2];

	memcpy(w, dst, sizeof(w));
	return (u32)siphash_13(&t->key, w, 2);
}

/* RCU. The entry of DST, expired or not; NULL: none. */
static struct pmtu *known(struct pmtus *t, const struct ip6_addr *dst)
{
	struct pmtu *m;
	u32 hash;

	if (likely(!ghash_count(&t->hash)))
		return NULL;
	hash = hash_of(t, dst);
	ghash_for_each_rcu(m, &t->hash, hash, node)
		if (ip6_equal(&m->dst, dst))
			return m;
	return NULL;
}

u64 pmtu_left_ns(struct pmtus *t, const struct ip6_addr *dst)
{
	const struct pmtu *m = known(t, dst);
	u64 now = ktime_get_coarse_ns(), until = m ? READ_ONCE(m->until_ns) : 0;

	return until > now ? until - now : 0;
}

u32 pmtu_of(struct pmtus *t, const struct ip6_addr *dst)
{
	const struct pmtu *m = known(t, dst);

	return m && ktime_get_coarse_ns() < READ_ONCE(m->until_ns) ? READ_ONCE(m->mtu) : 0;
}

/* Until the lock is let go. NULL. */
static struct pmtu *find(struct pmtus *t, const struct ip6_addr *dst, u32 hash)
{
	unsigned long *b = ghash_lock(&t->hash, hash);
	struct pmtu *m, *found = NULL;

	lockdep_assert_held(&t->mtu_lock);
	ghash_for_each(m, b, hash, node)
		if (ip6_equal(&m->dst, dst)) {
			found = m;
			break;
		}
	ghash_unlock(b);
	return found;
}

static void drop(struct pmtus *t, struct pmtu *m)
{
	lockdep_assert_held(&t->mtu_lock);
	list_del(&m->list);
	ghash_del(&t->hash, &m->node);
	kfree_rcu(m, rcu);
}

static void add(struct pmtus *t, struct pmtu *m, u32 hash)
{
	unsigned long *b;

	lockdep_assert_held(&t->mtu_lock);
	if (ghash_count(&t->hash) >= PMTUS_MOST)
		drop(t, list_first_entry(&t->order, struct pmtu, list));
	b = ghash_lock(&t->hash, hash);
	ghash_add(&t->hash, b, &m->node, hash);
	ghash_unlock(b);
	list_add_tail(&m->list, &t->order);
}

void pmtu_learn(struct pmtus *t, const struct ip6_addr *dst, u32 mtu)
{
	u32 hash = hash_of(t, dst);
	struct pmtu *m, *fresh = kmalloc(sizeof(*fresh), GFP_ATOMIC | __GFP_NOWARN);
	u64 until = ktime_get_coarse_ns() + PMTU_LIVES_NS;

	spin_lock(&t->mtu_lock);
	m = find(t, dst, hash);
	if (m) {
		WRITE_ONCE(m->mtu, mtu);
		WRITE_ONCE(m->until_ns, until);
		list_move_tail(&m->list, &t->order);
	} else if (fresh) {
		*fresh = (struct pmtu){ .dst = *dst, .mtu = mtu, .until_ns = until };
		add(t, fresh, hash);
		fresh = NULL;
	}
	spin_unlock(&t->mtu_lock);
	kfree(fresh);
	if (ghash_is_full(&t->hash))
		wheel_arm(&t->timer, 0);
	else if (!wheel_is_armed(&t->timer))
		wheel_arm(&t->timer, PMTU_LIVES_NS);
}

/* Those whose time NOW is over go, or some of them. When to look again; 0: never. */
static u64 expire(struct pmtus *t, u64 now)
{
	struct pmtu *m;
	u64 next = 0;

	spin_lock(&t->mtu_lock);
	for (unsigned int n = 0;; n++) {
		m = list_first_entry_or_null(&t->order, struct pmtu, list);
		if (!m)
			break;
		if (m->until_ns > now || n == NET_BATCH) {
			next = m->until_ns;
			break;
		}
		drop(t, m);
	}
	spin_unlock(&t->mtu_lock);
	return next;
}

static void run(struct wheel_timer *w)
{
	struct pmtus *t = container_of(w, struct pmtus, timer);
	u64 now = ktime_get_coarse_ns(), next;

	ghash_reserve(&t->hash);
	do
		next = expire(t, now);
	while (next && next <= now);
	if (next)
		wheel_arm(w, next - now);
}

int pmtus_begin(struct pmtus *t)
{
	get_random_bytes(&t->key, sizeof(t->key));
	spin_lock_init(&t->mtu_lock);
	INIT_LIST_HEAD(&t->order);
	wheel_init_timer(&t->timer, run);
	return ghash_init(&t->hash, 3);
}

void pmtus_forget(struct pmtus *t)
{
	while (expire(t, U64_MAX - 1))
		;
}

void pmtus_end(struct pmtus *t)
{
	if (!t->timer.fn)
		return;
	wheel_cancel_sync(&t->timer);
	pmtus_forget(t);
	ghash_destroy(&t->hash);
}
