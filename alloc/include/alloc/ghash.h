/* SPDX-License-Identifier: MIT */
/*
 * A hash table that grows with what it holds. Each bucket is a word: a chain of nodes with a lock in bit 0; look-up may
 * also run under RCU and then writes nothing.
 *
 * Nodes keep their 32-bit hash, all bits of which should be good. A node that was taken out may be put in again only after
 * a grace period if anybody looks up under RCU. None of this may be used from interrupt handlers.
 *
 * Under RCU a miss is certain only if the table did not grow meanwhile:
 *	seq = ghash_read_begin(h); look; if (!found && ghash_read_retry(h, seq)) look again under ghash_lock().
 */
#pragma once

#include <lib/types.h>
#include <lib/hash.h>
#include <lib/list.h>
#include <kernel/rcu.h>
#include <kernel/spinlock.h>

#define GHASH_LOCK	1ul
#define GHASH_MOVED	2ul	/* the chain is in table->future */
#define GHASH_FLAGS	3ul

struct ghash_node {
	struct ghash_node __rcu *next;	/* RCU; bucket lock to change */
	unsigned long *pprev;		/* bucket lock; the word that points here; NULL: in no table */
	u32 hash;			/* constant while in a table */
};

struct ghash_table {
	unsigned int shift;		/* log2 of the number of buckets */
	bool is_static;
	struct ghash_table __rcu *future;	/* set before the first bucket moves */
	struct rcu_head rcu;
	unsigned long bucket[];
};

struct ghash {
	struct ghash_table __rcu *table;	/* RCU */
	atomic_long_t count;
	atomic_t growing;
	u32 seq;			/* odd while growing */
};

#define DEFINE_GHASH(name, init_shift)							\
	static struct {									\
		struct ghash_table t;							\
		unsigned long bucket[1 << (init_shift)];				\
	} name##_first = { .t = { .shift = (init_shift), .is_static = true } };		\
	static struct ghash name = { .table = RCU_INITIALIZER(&name##_first.t) }

/* A table of its own of 1 << SHIFT buckets (1..16): 0 or -ENOMEM. Sleeps. */
int ghash_init(struct ghash *h, unsigned int shift) __must_check;
/* Frees the tables of H, which is empty and is not added to any more; RCU readers may still look. Does not wait. A table never initialised is left alone. */
void ghash_destroy(struct ghash *h);

static inline bool ghash_unhashed(const struct ghash_node *n) { return !READ_ONCE(n->pprev); }
static inline void ghash_node_init(struct ghash_node *n) { n->next = NULL; n->pprev = NULL; n->hash = 0; }
static inline long ghash_count(struct ghash *h) { return atomic_long_read(&h->count); }

/* The bucket for HASH, locked; preemption is off until ghash_unlock(). */
unsigned long *ghash_lock(struct ghash *h, u32 hash) __acquires(bucket);
static inline void ghash_unlock(unsigned long *bucket) { bit_spin_unlock(0, bucket); }

/* BUCKET is locked and is HASH's. */
void ghash_add(struct ghash *h, unsigned long *bucket, struct ghash_node *n, u32 hash);
/* N's bucket is locked, N is in it. */
void ghash_del_locked(struct ghash *h, struct ghash_node *n);
/* NOW, which is in no table, takes N's place and hash in one step. N's bucket is locked, N is in it. */
void ghash_replace_locked(struct ghash_node *n, struct ghash_node *now);
/* Takes N out if it is in; nobody else may put it in or out meanwhile. True: it was in. */
bool ghash_del(struct ghash *h, struct ghash_node *n);

/* Before adding, where sleeping is allowed: makes the table larger if it is full. */
void ghash_grow(struct ghash *h);
static inline bool ghash_is_full(struct ghash *h)
{
	unsigned int shift;

	rcu_read_lock();
	shift = rcu_dereference(h->table)->shift;
	rcu_read_unlock();
	return unlikely(atomic_long_read(&h->count) > 1l << shift);
}
static inline void ghash_reserve(struct ghash *h)
{
	if (ghash_is_full(h))
		ghash_grow(h);
}

static inline u32 ghash_read_begin(const struct ghash *h) { return smp_load_acquire(&h->seq); }
static inline bool ghash_read_retry(const struct ghash *h, u32 seq)
{
	smp_rmb();
	return unlikely(seq & 1 || READ_ONCE(h->seq) != seq);
}

static inline struct ghash_node *ghash_first(const unsigned long *bucket)
{
	return (struct ghash_node *)(*bucket & ~GHASH_FLAGS);
}

/* Its bucket is locked. */
static inline struct ghash_node *ghash_next(const struct ghash_node *n) { return rcu_dereference_protected(n->next, true); }

/*
 * Some nodes after the other: FN is called, under their bucket's lock, for those at *POS (0 at first), which is advanced; the end
 * is reached when it is GHASH_END. What comes or goes meanwhile may be seen or not; all others are, once.
 */
#define GHASH_END (1ull << 32)
void ghash_walk(struct ghash *h, u64 *pos, void (*fn)(struct ghash_node *n, void *arg), void *arg);

/* The chain of HASH in a table that does not grow, or not yet there. */
__saves_registers struct ghash_node *ghash_first_moved(const struct ghash_table *t, u32 hash);
static __always_inline unsigned long *ghash_bucket(const struct ghash_table *t, u32 hash)
{
	return (unsigned long *)&t->bucket[hash_32(hash, t->shift)];
}

/* Under RCU. */
static __always_inline struct ghash_node *ghash_first_rcu(const struct ghash *h, u32 hash)
{
	const struct ghash_table *t = rcu_dereference(h->table);
	unsigned long word = smp_load_acquire(ghash_bucket(t, hash));

	return unlikely(word & GHASH_MOVED) ? ghash_first_moved(t, hash) : (struct ghash_node *)(word & ~GHASH_FLAGS);
}

#define ghash_entry_or_null(n, type, member) ({ struct ghash_node *__n = (n); __n ? container_of(__n, type, member) : NULL; })
/* Those in the locked BUCKET with this HASH (others share the bucket). */
#define ghash_for_each(pos, bucket, hashval, member)							\
	for (pos = ghash_entry_or_null(ghash_first(bucket), typeof(*pos), member); pos;			\
	     pos = ghash_entry_or_null(ghash_next(&pos->member), typeof(*pos), member))				\
		if (pos->member.hash != (hashval)) { } else
#define ghash_for_each_rcu(pos, h, hashval, member)							\
	for (pos = ghash_entry_or_null(ghash_first_rcu(h, hashval), typeof(*pos), member); pos;		\
	     pos = ghash_entry_or_null(rcu_dereference(pos->member.next), typeof(*pos), member))	\
		if (READ_ONCE(pos->member.hash) != (hashval)) { } else
