// SPDX-License-Identifier: MIT
/*
 * Finding dentries by (parent, name).
 *
 * One hash table for all; each bucket is a word: a chain of dentries with a lock in bit 0. Look-up runs
 * under RCU without writing anything: it compares parent, hash-and-length and name under the dentry's
 * sequence count. Renames and growing the table may send a reader down the wrong chain; that can only
 * hide a name, and readers for whom "not there" matters check rename_lock's sequence.
 *
 * The table grows (by four) when a look-up has walked a long chain and there really are more dentries
 * than buckets. Its chains move to the new table some at a time; a bucket that has moved says so, and writers go on in the new
 * table. Readers on the way of every path look at the current table only: meanwhile what they miss is looked up the slow way,
 * which looks in both.
 *
 * Names being looked up wait in a second, fixed hash, so that two tasks never ask the filesystem for the
 * same name at once (d_alloc_parallel).
 */
#include <lib/types.h>
#include "dcache_priv.h"
#include <vfs/namehash.h>
#include <lib/hash.h>
#include <lib/bits.h>
#include <alloc/slab.h>

#define LONG_CHAIN	4
#define INIT_SHIFT	10
#define MAX_BUCKETS	(1l << 22)
#define IN_LOOKUP_SHIFT	6

static struct {
	struct dhash	h;
	unsigned long	bucket[1 << INIT_SHIFT];
} initial_table = { .h.mask = (1u << INIT_SHIFT) - 1 };

struct dhash __rcu *dhash = RCU_INITIALIZER(&initial_table.h);
static bool long_chain_seen;
static atomic_t growing;
static struct {
	struct hlist_head head;
	spinlock_t lock;
} in_lookup[1 << IN_LOOKUP_SHIFT];

DEFINE_SEQLOCK(rename_lock);

void d_hash_init(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(in_lookup); i++)
		spin_lock_init(&in_lookup[i].lock);
}

u64 nh_load_edge(const char *p)
{
	u64 w = 0;
	unsigned int i = 0;

	for (;;) {
		u8 c = (u8)p[i];

		w |= (u64)c << 8 * i;
		if (!c || ++i == 8)
			return w;
	}
}

u64 nh_hashlen_long(u64 h, u64 w, const char *name, u64 *tail)
{
	u64 stop;
	u32 len = 0;

	do {
		h = nh_mix(h, w);
		len += 8;
		w = nh_load(name + len);
		stop = nh_stops(w);
	} while (!stop);
	return nh_end(h, w, stop, len, tail);
}

u64 hashlen_string(const void *salt, const char *name)
{
	u64 tail;

	return nh_hashlen(salt, name, &tail);
}

u32 full_name_hash(const void *salt, const char *name, unsigned int len)
{
	u64 h = (unsigned long)salt, w = 0;

	for (; len >= 8; len -= 8, name += 8)
		h = nh_mix(h, nh_raw_load(name));
	for (unsigned int i = 0; i < len; i++)
		w |= (u64)(u8)name[i] << 8 * i;
	return nh_fold(nh_mix(h, w));
}

/* Both end within mapped pages; @a is a dentry's name, which ends in a whole word. */
static __always_inline __no_sanitize_address bool names_differ(const char *a, const char *b, u32 len)
{
	while (len >= 8) {
		if (nh_raw_load(a) != nh_raw_load(b))
			return true;
		a += 8;
		b += 8;
		len -= 8;
	}
	return len && nh_raw_load(a) != nh_first_bytes(nh_load(b), len);
}

/* Writers. The caller's d_lock keeps preemption off, which is what keeps a table alive. */

static unsigned long *lock_bucket(u32 hash) __acquires(b)
{
	struct dhash *t = rcu_dereference(dhash);

	for (;; t = rcu_dereference(t->future)) {
		unsigned long *b = bucket_of(t, hash);

		bit_spin_lock(0, b);
		if (likely(!(*b & CHAIN_MOVED)))
			return b;
		bit_spin_unlock(0, b);
	}
}

/* The bucket is locked. */
static void chain_add(struct dentry *d, unsigned long *bucket)
{
	struct dentry *first = (struct dentry *)(*bucket & ~CHAIN_FLAGS);

	RCU_INIT_POINTER(d->d_hnext, first);
	d->d_hpprev = bucket;
	if (first)
		first->d_hpprev = (unsigned long *)&d->d_hnext;
	smp_store_release(bucket, (unsigned long)d | CHAIN_LOCK);	/* pairs with chain_first() */
}

void d_hash_insert(struct dentry *d)
{
	unsigned long *b = lock_bucket(d->d_name.hash);

	chain_add(d, b);
	bit_spin_unlock(0, b);
}

void d_hash_remove(struct dentry *d)
{
	unsigned long *b = lock_bucket(d->d_name.hash);
	struct dentry *next = rcu_dereference_protected(d->d_hnext, true);

	/* Keep d_hnext: readers standing here go on. */
	WRITE_ONCE(*d->d_hpprev, (unsigned long)next | (*d->d_hpprev & CHAIN_FLAGS));
	if (next)
		next->d_hpprev = d->d_hpprev;
	bit_spin_unlock(0, b);
}

/* Growing. */

static void dhash_free_rcu(struct rcu_head *head)
{
	kvfree(container_of(head, struct dhash, rcu));
}

/* How many dentries there were. */
static unsigned int move_chain(unsigned long *from, struct dhash *to)
{
	unsigned int n = 0;
	struct dentry *d;

	bit_spin_lock(0, from);
	d = (struct dentry *)(*from & ~CHAIN_FLAGS);
	while (d) {
		struct dentry *next = rcu_dereference_protected(d->d_hnext, true);
		unsigned long *b = bucket_of(to, d->d_name.hash);

		bit_spin_lock(0, b);
		chain_add(d, b);
		bit_spin_unlock(0, b);
		d = next;
		n++;
	}
	smp_store_release(from, CHAIN_MOVED | CHAIN_LOCK);	/* pairs with chain_first() */
	bit_spin_unlock(0, from);
	return n;
}

/* Moves some chains from that of bucket I on. Who looks them up waits meanwhile, so they are few. Returns where to go on. */
static u32 move_some(struct dhash *old, struct dhash *new, u32 i)
{
	unsigned int n = 0;

	write_seqlock(&rename_lock);
	while (i <= old->mask && n < 256)
		n += 8 + move_chain(&old->bucket[i++], new);
	write_sequnlock(&rename_lock);
	return i;
}

static void dhash_grow(void)
{
	struct dhash *old = rcu_dereference_protected(dhash, true), *new;		/* who grows it is alone */
	u32 mask = old->mask << 2 | 3;

	new = kvzalloc(sizeof(*new) + sizeof(unsigned long) * (mask + 1ul), GFP_KERNEL | __GFP_NOWARN);
	if (!new)
		return;
	new->mask = mask;
	rcu_assign_pointer(old->future, new);
	for (u32 i = 0; i <= old->mask; cond_resched())
		i = move_some(old, new, i);
	rcu_assign_pointer(dhash, new);
	if (old != &initial_table.h)
		call_rcu(&old->rcu, dhash_free_rcu);
}

/* From contexts that may sleep, before a new name is made. */
void d_hash_grow_if_long(void)
{
	struct dentry_stat st;
	long buckets;

	if (likely(!READ_ONCE(long_chain_seen)))
		return;
	WRITE_ONCE(long_chain_seen, false);
	if (atomic_xchg(&growing, 1))
		return;
	/* Nobody else replaces the table from here on. */
	dentry_get_stat(&st);
	buckets = rcu_dereference_protected(dhash, true)->mask + 1l;
	if (buckets < MAX_BUCKETS && st.nr_dentry > buckets)
		dhash_grow();
	atomic_set(&growing, 0);
}

/* Readers. */

static struct dentry *find_op_compare(struct dhash *t, const struct dentry *parent, const struct qstr *name, unsigned int *seqp)
{
	struct dentry *d = chain_first(bucket_of(t, name->hash));

	for (; d; d = chain_next(d)) {
		unsigned int seq, len;
		const char *str;

		if (READ_ONCE(d->d_name.hash) != name->hash)
			continue;
		seq = read_seqcount_begin(&d->d_seq);
		if (d->d_parent != parent || d_unhashed(d))
			continue;
		len = READ_ONCE(d->d_name.len);
		str = rcu_dereference_untyped(d->d_name.name);
		if (read_seqcount_retry(&d->d_seq, seq))
			continue;
		if (parent->d_op->d_compare(d, len, str, name))
			continue;
		*seqp = seq;
		return d;
	}
	return NULL;
}

static noinline struct dentry *lookup_rcu_op_compare(const struct dentry *parent, const struct qstr *name,
						     unsigned int *seqp)
{
	struct dentry *d = NULL;

	for (struct dhash *t = rcu_dereference(dhash); t && !d; t = rcu_dereference(t->future))
		d = find_op_compare(t, parent, name, seqp);
	return d;
}

/* A name was not there, after so many steps. */
static __always_inline void chain_was(unsigned int steps)
{
	if (unlikely(steps > LONG_CHAIN) && !READ_ONCE(long_chain_seen))
		WRITE_ONCE(long_chain_seen, true);
}

static __always_inline struct dentry *find_rcu(struct dhash *t, const struct dentry *parent, const struct qstr *name, unsigned int *seqp)
{
	struct dentry *d = chain_first(bucket_of(t, name->hash));
	u64 hashlen = name->hash_len;
	unsigned int steps = 0;

	for (; d; d = chain_next(d)) {
		unsigned int seq = raw_read_seqcount(&d->d_seq);

		steps++;
		if (READ_ONCE(d->d_parent) != parent || d->d_name.hash_len != hashlen || d_unhashed(d))
			continue;
		if (names_differ(rcu_dereference_untyped(d->d_name.name), name->name, hashlen_len(hashlen)))
			continue;
		/* An odd count fails every later check: the walk falls back. */
		*seqp = seq & ~1u;
		return d;
	}
	chain_was(steps);
	return NULL;
}

/*
 * RCU held. The dentry found has no reference; *seqp is its sequence from before the comparison: what is
 * read from it later is worth something only if the sequence has not changed.
 */
struct dentry *d_lookup_rcu(const struct dentry *parent, const struct qstr *name, unsigned int *seqp)
{
	struct dentry *d = NULL;

	if (unlikely(parent->d_flags & DCACHE_OP_COMPARE))
		return lookup_rcu_op_compare(parent, name, seqp);
	for (struct dhash *t = rcu_dereference(dhash); t && !d; t = rcu_dereference(t->future))
		d = find_rcu(t, parent, name, seqp);
	return d;
}

static struct dentry *find_ref(struct dhash *t, const struct dentry *parent, const struct qstr *name)
{
	struct dentry *d = chain_first(bucket_of(t, name->hash));
	unsigned int steps = 0;

	for (; d; d = chain_next(d), steps++) {
		if (READ_ONCE(d->d_name.hash) != name->hash)
			continue;
		spin_lock(&d->d_lock);
		if (d->d_parent == parent && !d_unhashed(d) &&
		    (parent->d_flags & DCACHE_OP_COMPARE ?
		     !parent->d_op->d_compare(d, d->d_name.len, d->d_name.name, name) :
		     d->d_name.hash_len == name->hash_len &&
		     !names_differ(d->d_name.name, name->name, name->len)) && dget_not_dead(d)) {
			spin_unlock(&d->d_lock);
			return d;
		}
		spin_unlock(&d->d_lock);
	}
	chain_was(steps);
	return NULL;
}

/* One try: may miss a name that is being moved. */
static struct dentry *lookup_once(const struct dentry *parent, const struct qstr *name)
{
	struct dentry *d = NULL;

	rcu_read_lock();
	for (struct dhash *t = rcu_dereference(dhash); t && !d; t = rcu_dereference(t->future))
		d = find_ref(t, parent, name);
	rcu_read_unlock();
	return d;
}

struct dentry *d_lookup(const struct dentry *parent, const struct qstr *name)
{
	struct dentry *d;
	u32 seq;

	do {
		seq = read_seqbegin(&rename_lock);
		d = lookup_once(parent, name);
	} while (!d && read_seqretry(&rename_lock, seq));
	return d;
}

struct dentry *d_hash_and_lookup(struct dentry *parent, struct qstr *name)
{
	name->hash = full_name_hash(parent, name->name, name->len);
	if (parent->d_flags & DCACHE_OP_HASH) {
		int err = parent->d_op->d_hash(parent, name);

		if (unlikely(err < 0))
			return ERR_PTR(err);
	}
	return d_lookup(parent, name);
}

/* Parallel look-up. */

static unsigned int in_lookup_slot(const struct dentry *parent, u32 hash)
{
	return hash_64((unsigned long)parent ^ hash, IN_LOOKUP_SHIFT);
}

static bool same_name(const struct dentry *d, const struct dentry *parent, const struct qstr *name)
{
	if (d->d_name.hash != name->hash || d->d_parent != parent)
		return false;
	if (parent->d_flags & DCACHE_OP_COMPARE)
		return !parent->d_op->d_compare(d, d->d_name.len, d->d_name.name, name);
	return d->d_name.len == name->len && !names_differ(d->d_name.name, name->name, name->len);
}

/* d_lock held; waits until the look-up in progress ends. */
static void wait_lookup(struct dentry *d) __must_hold(d->d_lock)
{
	DECLARE_WAITQUEUE(wait, current);

	if (!d_in_lookup(d))
		return;
	add_wait_queue(d->d_wait, &wait);
	do {
		set_current_state(TASK_UNINTERRUPTIBLE);
		spin_unlock(&d->d_lock);
		schedule();
		spin_lock(&d->d_lock);
	} while (d_in_lookup(d));
	/* The queue may be gone by now; autoremoval took the entry off under its lock. */
}

/* The waker took every entry off before the queue's owner could return. */
static void wake_lookup_waiters(wait_queue_head_t *wq)
{
	struct wait_queue_entry *e, *n;
	unsigned long flags;

	spin_lock_irqsave(&wq->lock, flags);
	list_for_each_entry_safe(e, n, &wq->head, entry) {
		list_del_init(&e->entry);
		e->func(e, TASK_NORMAL, 0, NULL);
	}
	spin_unlock_irqrestore(&wq->lock, flags);
}

void d_unhash_in_lookup(struct dentry *d)
{
	unsigned int slot = in_lookup_slot(d->d_parent, d->d_name.hash);
	wait_queue_head_t *wq;

	spin_lock(&in_lookup[slot].lock);
	WRITE_ONCE(d->d_flags, d->d_flags & ~DCACHE_PAR_LOOKUP);
	hlist_del(&d->d_in_lookup);
	wq = d->d_wait;
	d->d_wait = NULL;
	spin_unlock(&in_lookup[slot].lock);
	INIT_HLIST_NODE(&d->d_alias);
	INIT_LIST_HEAD(&d->d_lru);
	wake_lookup_waiters(wq);
}

void d_lookup_done(struct dentry *d)
{
	if (likely(!d_in_lookup(d)))
		return;
	spin_lock(&d->d_lock);
	d_unhash_in_lookup(d);
	spin_unlock(&d->d_lock);
}

/* Somebody looks this name up already: take a reference and wait. RCU held; NULL: try again. */
static struct dentry *join_lookup(struct dentry *d, struct dentry *parent, const struct qstr *name) __releases(RCU)
{
	if (!dget_not_dead(d)) {
		rcu_read_unlock();
		return NULL;
	}
	rcu_read_unlock();
	spin_lock(&d->d_lock);
	wait_lookup(d);
	/* It may have become something else while we slept. */
	if (unlikely(d_unhashed(d) || !same_name(d, parent, name))) {
		spin_unlock(&d->d_lock);
		dput(d);
		return NULL;
	}
	spin_unlock(&d->d_lock);
	return d;
}

/*
 * A dentry for (parent, name): an existing one, or a new one in look-up, of which the caller is the only
 * one that asks the filesystem. Others sleep on @wq, which lives until d_lookup_done() (or d_add).
 */
struct dentry *d_alloc_parallel(struct dentry *parent, const struct qstr *name, wait_queue_head_t *wq)
{
	struct dentry *new, *d;
	unsigned int slot = in_lookup_slot(parent, name->hash);
	unsigned long seq;
	unsigned int d_seq;
	u32 r_seq;

	new = d_alloc(parent, name);
	if (unlikely(!new))
		return ERR_PTR(-ENOMEM);
retry:
	rcu_read_lock();
	seq = smp_load_acquire(&parent->d_inode->i_dir_seq);
	r_seq = read_seqbegin(&rename_lock);
	d = d_lookup_rcu(parent, name, &d_seq);
	if (unlikely(d)) {
		if (!dget_not_dead(d)) {
			rcu_read_unlock();
			goto retry;
		}
		rcu_read_unlock();
		if (read_seqcount_retry(&d->d_seq, d_seq)) {
			dput(d);
			goto retry;
		}
		dput(new);
		return d;
	}
	if (unlikely(read_seqretry(&rename_lock, r_seq) || seq & 1)) {
		rcu_read_unlock();
		goto retry;
	}
	spin_lock(&in_lookup[slot].lock);
	/* A name was added between the look-up and here? */
	if (unlikely(READ_ONCE(parent->d_inode->i_dir_seq) != seq)) {
		spin_unlock(&in_lookup[slot].lock);
		rcu_read_unlock();
		goto retry;
	}
	hlist_for_each_entry(d, &in_lookup[slot].head, d_in_lookup) {
		if (!same_name(d, parent, name))
			continue;
		spin_unlock(&in_lookup[slot].lock);
		d = join_lookup(d, parent, name);
		if (!d)
			goto retry;
		dput(new);
		return d;
	}
	new->d_wait = wq;
	new->d_flags |= DCACHE_PAR_LOOKUP;
	hlist_add_head(&new->d_in_lookup, &in_lookup[slot].head);
	spin_unlock(&in_lookup[slot].lock);
	rcu_read_unlock();
	return new;
}
