// SPDX-License-Identifier: MIT
/*
 * Hash tables that grow.
 *
 * Growing moves one bucket after the other, so nobody waits longer than for one chain. A bucket that has moved says so in its
 * word and the way goes on in the next table; the old one is freed a grace period after the new one is the table. Locks: a bucket
 * of the old table, then one of the new; otherwise nobody holds two. Whoever holds a bucket has preemption off, which keeps
 * both tables alive.
 *
 * A reader that stands on a node while it moves goes on along its new chain: it compares hashes, so it finds nothing wrong, but it
 * can miss what it looks for. The sequence (odd while growing) tells it.
 */
#include <lib/types.h>
#include <lib/hash.h>
#include <lib/minmax.h>
#include <alloc/ghash.h>
#include <alloc/slab.h>
#include <alloc/vmalloc.h>
#include <kernel/bug.h>
#include <kernel/export.h>
#include <abi/errno.h>

#define MAX_SHIFT 24

unsigned long *ghash_lock(struct ghash *h, u32 hash) __acquires(bucket)
{
	struct ghash_table *t;
	unsigned long *b;

	preempt_disable();
	for (t = rcu_dereference(h->table);; t = rcu_dereference(t->future)) {
		b = ghash_bucket(t, hash);
		bit_spin_lock(0, b);
		if (likely(!(*b & GHASH_MOVED)))
			break;
		bit_spin_unlock(0, b);
	}
	preempt_enable();		/* the bucket's lock keeps it off */
	return b;
}
EXPORT(ghash_lock);

__saves_registers struct ghash_node *ghash_first_moved(const struct ghash_table *t, u32 hash)
{
	unsigned long word;

	do {
		t = rcu_dereference(t->future);
		word = smp_load_acquire(ghash_bucket(t, hash));
	} while (word & GHASH_MOVED);
	return (struct ghash_node *)(word & ~GHASH_FLAGS);
}
EXPORT(ghash_first_moved);

/* Both locked. */
static void chain_add(unsigned long *bucket, struct ghash_node *n)
{
	struct ghash_node *first = ghash_first(bucket);

	RCU_INIT_POINTER(n->next, first);
	n->pprev = bucket;
	if (first)
		first->pprev = (unsigned long *)&n->next;
	smp_store_release(bucket, (unsigned long)n | GHASH_LOCK);	/* pairs with ghash_first_rcu() */
}

void ghash_add(struct ghash *h, unsigned long *bucket, struct ghash_node *n, u32 hash)
{
	WRITE_ONCE(n->hash, hash);
	chain_add(bucket, n);
	atomic_long_inc(&h->count);
}
EXPORT(ghash_add);

void ghash_del_locked(struct ghash *h, struct ghash_node *n)
{
	struct ghash_node *next = ghash_next(n);

	/* n->next stays: readers that stand here go on. */
	WRITE_ONCE(*n->pprev, (unsigned long)next | (*n->pprev & GHASH_FLAGS));
	if (next)
		next->pprev = n->pprev;
	WRITE_ONCE(n->pprev, NULL);
	atomic_long_dec(&h->count);
}

void ghash_replace_locked(struct ghash_node *n, struct ghash_node *now)
{
	struct ghash_node *next = ghash_next(n);

	WRITE_ONCE(now->hash, n->hash);
	now->pprev = n->pprev;
	rcu_assign_pointer(now->next, next);
	/* Readers see NOW with all that it says; n->next stays, as above. */
	smp_store_release(n->pprev, (unsigned long)now | (*n->pprev & GHASH_FLAGS));
	if (next)
		next->pprev = (unsigned long *)&now->next;
	WRITE_ONCE(n->pprev, NULL);
}

bool ghash_del(struct ghash *h, struct ghash_node *n)
{
	unsigned long *b;

	if (ghash_unhashed(n))
		return false;
	b = ghash_lock(h, n->hash);
	ghash_del_locked(h, n);
	ghash_unlock(b);
	return true;
}
EXPORT(ghash_del);

/* Bucket I of T, or where its chain has gone: buckets are the upper bits of what is hashed. */
static void walk_bucket(struct ghash_table *t, u64 i, void (*fn)(struct ghash_node *n, void *arg), void *arg)
{
	unsigned long *b = &t->bucket[i];
	struct ghash_table *to;
	unsigned int more;

	bit_spin_lock(0, b);
	if (likely(!(*b & GHASH_MOVED))) {
		for (struct ghash_node *n = ghash_first(b); n; n = ghash_next(n))
			fn(n, arg);
		bit_spin_unlock(0, b);
		return;
	}
	bit_spin_unlock(0, b);
	to = rcu_dereference(t->future);
	more = to->shift - t->shift;
	for (u64 k = 0; k < 1u << more; k++)
		walk_bucket(to, (i << more) + k, fn, arg);
}

void ghash_walk(struct ghash *h, u64 *pos, void (*fn)(struct ghash_node *n, void *arg), void *arg)
{
	struct ghash_table *t;

	rcu_read_lock();
	t = rcu_dereference(h->table);
	walk_bucket(t, *pos >> (32 - t->shift), fn, arg);
	*pos += 1ull << (32 - t->shift);
	rcu_read_unlock();
}
EXPORT(ghash_walk);

static void table_free_rcu(struct rcu_head *head)
{
	kvfree(container_of(head, struct ghash_table, rcu));
}

int ghash_init(struct ghash *h, unsigned int shift)
{
	struct ghash_table *t = kvzalloc(struct_size(t, bucket, 1ul << shift), GFP_KERNEL);

	if (!t)
		return -ENOMEM;
	t->shift = shift;
	*h = (struct ghash){ .table = RCU_INITIALIZER(t) };
	return 0;
}
EXPORT(ghash_init);

void ghash_destroy(struct ghash *h)
{
	struct ghash_table *t = rcu_dereference_protected(h->table, true);

	if (!t)
		return;
	WARN_ON(ghash_count(h));
	RCU_INIT_POINTER(h->table, NULL);
	call_rcu(&t->rcu, table_free_rcu);
}
EXPORT(ghash_destroy);

static void move_bucket(unsigned long *from, struct ghash_table *to)
{
	struct ghash_node *n, *next;

	bit_spin_lock(0, from);
	for (n = ghash_first(from); n; n = next) {
		unsigned long *b = ghash_bucket(to, n->hash);

		next = ghash_next(n);
		bit_spin_lock(0, b);
		chain_add(b, n);
		bit_spin_unlock(0, b);
	}
	smp_store_release(from, GHASH_MOVED | GHASH_LOCK);
	bit_spin_unlock(0, from);
}

void ghash_grow(struct ghash *h)
{
	struct ghash_table *old, *new;

	if (atomic_xchg(&h->growing, 1))
		return;
	old = rcu_dereference_protected(h->table, true);		/* who grows it is alone */
	if (old->shift >= MAX_SHIFT || atomic_long_read(&h->count) <= 1l << old->shift)
		goto out;
	new = kvzalloc(sizeof(*new) + (sizeof(unsigned long) << (old->shift + 2)), GFP_KERNEL | __GFP_NOWARN);
	if (!new)
		goto out;
	new->shift = old->shift + 2;
	WRITE_ONCE(h->seq, h->seq + 1);
	smp_mb();			/* odd before anything moves; pairs with ghash_read_retry() */
	rcu_assign_pointer(old->future, new);
	for (unsigned long i = 0; i < 1ul << old->shift; i++)
		move_bucket(&old->bucket[i], new);
	rcu_assign_pointer(h->table, new);
	smp_store_release(&h->seq, h->seq + 1);
	if (!old->is_static)
		call_rcu(&old->rcu, table_free_rcu);
out:
	smp_store_release(&h->growing.counter, 0);
}
EXPORT(ghash_grow);
