// SPDX-License-Identifier: MIT
/* The cache (buf.h). */
#include "fs/xfs/buf/buf_priv.h"
#include <alloc/slab.h>
#include <alloc/page.h>
#include <alloc/vmalloc.h>
#include <kernel/bug.h>
#include <lib/format.h>
#include <lib/hash.h>
#include <lib/minmax.h>
#include <sched/task.h>
#include <lib/string.h>
#include <abi/errno.h>

struct buffer {
	struct ghash_node node;
	struct xfs_cache *cache;	/* c */
	u64 daddr;			/* c */
	u32 len;			/* c */
	u32 runs_hash;			/* c: of where its parts lie */
	u8 *data;			/* c once valid */
	struct mutex lock;
	bool valid;			/* lock; set once */
	bool dead;			/* lock: not in the hash any more */
	u8 kind;			/* lock: as what it was verified */
	unsigned int refs;		/* cache->lock */
	bool used;			/* cache->lock: since the shrinker's last look */
	struct list_head lru;		/* cache->lock */
	struct rcu_head rcu;
};

DEFINE_GHASH(buffers, 8);		/* of all mounts */

static u32 hash_of(const struct xfs_cache *c, u64 daddr)
{
	return hash_64((unsigned long)c ^ daddr * GOLDEN_RATIO_64, 32);
}

static u32 hash_runs(const struct xfs_run *runs, u32 n)
{
	u64 h = n;

	for (u32 i = 0; i < n; i++)
		h = (h ^ runs[i].daddr ^ (u64)runs[i].bbs << 48) * GOLDEN_RATIO_64;
	return (u32)(h >> 32);
}

/* Contiguous where there is such memory; blocks below a page come from slabs. */
static u8 *alloc_data(u32 len)
{
	struct page *p;

	if (len < PAGE_SIZE)
		return kmalloc(len, GFP_NOFS);
	p = alloc_pages(GFP_NOFS | __GFP_NOWARN | (len > PAGE_SIZE ? __GFP_NORETRY : 0),
			get_order(len));
	return p ? page_address(p) : vmalloc(len);
}

static void free_data(u8 *data, u32 len)
{
	if (!data)
		return;
	if (len < PAGE_SIZE)
		kfree(data);
	else if (is_vmalloc_addr(data))
		vfree(data);
	else
		free_pages((unsigned long)data, get_order(len));
}

static void free_rcu(struct rcu_head *head)
{
	kfree(container_of(head, struct buffer, rcu));
}

/* It is in no hash and on no list. */
static void free_buffer(struct buffer *b)
{
	free_data(b->data, b->len);
	call_rcu(&b->rcu, free_rcu);
}

/* Takes a reference to one that was found; false: it is on its way out. */
static bool pin(struct buffer *b)
{
	struct xfs_cache *c = b->cache;
	bool ok;

	spin_lock(&c->lock);
	ok = !ghash_unhashed(&b->node);
	if (ok && !b->refs++ && !list_empty(&b->lru)) {
		list_del_init(&b->lru);
		c->count--;
	}
	b->used = true;
	spin_unlock(&c->lock);
	return ok;
}

static struct buffer *find_rcu(struct xfs_cache *c, u64 daddr, u32 len, u32 hash)
{
	struct buffer *b, *found = NULL;

	rcu_read_lock();
	ghash_for_each_rcu(b, &buffers, hash, node) {
		if (b->cache == c && b->daddr == daddr && b->len == len && pin(b)) {
			found = b;
			break;
		}
	}
	rcu_read_unlock();
	return found;
}

/* Found, or added: then it is NEW, and locked by the caller. */
static struct buffer *find_or_add(struct xfs_cache *c, u64 daddr, u32 len, struct buffer *new)
{
	u32 hash = hash_of(c, daddr);
	unsigned long *bucket;
	struct buffer *b;

	ghash_reserve(&buffers);
	bucket = ghash_lock(&buffers, hash);
	ghash_for_each(b, bucket, hash, node) {
		if (b->cache == c && b->daddr == daddr && b->len == len && pin(b)) {
			ghash_unlock(bucket);
			return b;
		}
	}
	ghash_add(&buffers, bucket, &new->node, hash);
	ghash_unlock(bucket);
	return new;
}

/* Out of the hash, so that nobody finds it. C's lock is not held. */
static void unhash(struct buffer *b)
{
	ghash_del(&buffers, &b->node);
}

static void put(struct buffer *b)
{
	struct xfs_cache *c = b->cache;
	bool gone = false;

	spin_lock(&c->lock);
	if (!--b->refs) {
		gone = b->dead;
		if (!gone) {
			list_add_tail(&b->lru, &c->lru);
			c->count++;
		}
	}
	spin_unlock(&c->lock);
	if (gone)
		free_buffer(b);
}

static struct buffer *new_buffer(struct xfs_cache *c, const struct xfs_run *runs, u32 n, u32 len)
{
	struct buffer *b = kzalloc(sizeof(*b), GFP_NOFS);

	if (!b)
		return NULL;
	b->data = alloc_data(len);
	if (!b->data) {
		kfree(b);
		return NULL;
	}
	ghash_node_init(&b->node);
	b->cache = c;
	b->daddr = runs[0].daddr;
	b->len = len;
	b->runs_hash = hash_runs(runs, n);
	b->refs = 1;
	b->used = true;
	mutex_init(&b->lock);
	INIT_LIST_HEAD(&b->lru);
	return b;
}

/*
 * A locked buffer that is not valid yet, or was verified as another kind. What fails is forgotten.
 */
static int make_valid(struct buffer *b, const struct xfs_sb *sb, enum xfs_kind kind,
		      const struct xfs_run *runs, u32 n, struct xfs_fault *f)
{
	int e = 0;

	if (!b->valid) {
		e = xfs_read_runs(b->cache->bdev, runs, n, b->data);
		if (e)
			*f = (struct xfs_fault){ "block", "reading", b->daddr, (u64)-e };
	} else if (b->runs_hash != hash_runs(runs, n)) {
		return xfs_bad(f, "block", "place of its parts", b->daddr, n);
	}
	e = e ?: xfs_verify(sb, kind, b->daddr, b->data, b->len, f);
	if (!e) {
		WRITE_ONCE(b->kind, (u8)kind);
		smp_store_release(&b->valid, true); /* pairs with the acquire in xfs_buf_get() */
	} else if (!b->valid && !b->dead) {
		unhash(b);
		spin_lock(&b->cache->lock);
		b->dead = true;
		spin_unlock(&b->cache->lock);
	}
	return e;
}

int xfs_buf_get(struct xfs_cache *c, const struct xfs_sb *sb, enum xfs_kind kind,
		const struct xfs_run *runs, u32 n, struct xfs_blk *out, struct xfs_fault *f)
{
	struct buffer *b, *new;
	u32 len = 0;
	int e = 0;

	for (u32 i = 0; i < n; i++)
		len += runs[i].bbs << SECTOR_SHIFT;
	b = find_rcu(c, runs[0].daddr, len, hash_of(c, runs[0].daddr));
	if (!b) {
		new = new_buffer(c, runs, n, len);
		if (!new)
			return -ENOMEM;
		b = find_or_add(c, runs[0].daddr, len, new);
		if (b != new)
			free_buffer(new);
	}
	/*
	 * Valid is set once, and the kind of a block hardly ever changes: most calls take no lock.
	 * Pairs with make_valid().
	 */
	if (unlikely(!smp_load_acquire(&b->valid) || READ_ONCE(b->kind) != kind ||
		     (n > 1 && b->runs_hash != hash_runs(runs, n)))) {
		mutex_lock(&b->lock);
		if (!b->valid || b->kind != kind || b->runs_hash != hash_runs(runs, n))
			e = make_valid(b, sb, kind, runs, n, f);
		mutex_unlock(&b->lock);
	}
	if (e) {
		put(b);
		return e;
	}
	*out = (struct xfs_blk){ b->data, b };
	return 0;
}

void xfs_buf_put(struct xfs_cache *c, struct xfs_blk *blk)
{
	(void)c;
	put(blk->ref);
	blk->ref = NULL;
}

/* ---- giving back ---- */

/*
 * Up to NR buffers from the list's beginning onto GONE; those used since go to its end once. How
 * many were looked at.
 */
static unsigned long isolate(struct xfs_cache *c, unsigned long nr, bool all,
			     struct list_head *gone)
{
	unsigned long seen = 0;

	spin_lock(&c->lock);
	while (seen < nr && !list_empty(&c->lru)) {
		struct buffer *b = list_first_entry(&c->lru, struct buffer, lru);

		seen++;
		if (b->used && !all) {
			b->used = false;
			list_move_tail(&b->lru, &c->lru);
			continue;
		}
		/*
		 * pin() may have it from the hash until it has seen this lock: the reference keeps
		 * it from that.
		 */
		b->refs = 1;
		b->dead = true;
		list_move(&b->lru, gone);
		c->count--;
	}
	spin_unlock(&c->lock);
	return seen;
}

static unsigned long drop(struct xfs_cache *c, struct list_head *gone)
{
	unsigned long n = 0;

	while (!list_empty(gone)) {
		struct buffer *b = list_first_entry(gone, struct buffer, lru);

		list_del_init(&b->lru);
		unhash(b);
		put(b);
		n++;
	}
	(void)c;
	return n;
}

#define PIECE 64ul

static unsigned long count(struct shrinker *s, struct shrink_control *sc)
{
	(void)sc;
	return READ_ONCE(container_of(s, struct xfs_cache, shrinker)->count);
}

static unsigned long scan(struct shrinker *s, struct shrink_control *sc)
{
	struct xfs_cache *c = container_of(s, struct xfs_cache, shrinker);
	unsigned long freed = 0, seen = 0;

	while (seen < sc->nr_to_scan) {
		LIST_HEAD(gone);
		unsigned long n = isolate(c, min(PIECE, sc->nr_to_scan - seen), false, &gone);

		if (!n)
			break;
		seen += n;
		freed += drop(c, &gone);
	}
	sc->nr_scanned = seen;
	return freed;
}

void xfs_cache_init(struct xfs_cache *c, struct bdev *bdev, const char *id)
{
	c->bdev = bdev;
	spin_lock_init(&c->lock);
	INIT_LIST_HEAD(&c->lru);
	snprintf(c->name, sizeof(c->name), "xfs-buf:%s", id);
	c->shrinker = (struct shrinker){ .count_objects = count, .scan_objects = scan };
	register_shrinker(&c->shrinker, c->name);
}

void xfs_cache_destroy(struct xfs_cache *c)
{
	unregister_shrinker(&c->shrinker);
	for (;;) {
		LIST_HEAD(gone);

		if (!isolate(c, PIECE, true, &gone))
			break;
		drop(c, &gone);
		cond_resched();
	}
	WARN_ON(c->count);
}
