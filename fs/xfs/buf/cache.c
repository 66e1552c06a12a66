// SPDX-License-Identifier: MIT
/* The cache (buf.h). */
#include "fs/xfs/buf/buf_priv.h"
#include "fs/xfs/format/stamp.h"
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

/*
 * A transaction that has changed something and finds no memory for a block would shut the file
 * system down: a task that is being killed for memory must get it too.
 */
#define BUF_GFP (GFP_NOFS | __GFP_NOFAIL)

/* Never NULL. Contiguous where there is such memory; blocks below a page come from slabs. */
static u8 *alloc_data(u32 len)
{
	struct page *p;

	if (len < PAGE_SIZE)
		return kmalloc(len, BUF_GFP);
	if (len == PAGE_SIZE)
		return page_address(alloc_page(BUF_GFP));
	p = alloc_pages(GFP_NOFS | __GFP_NOWARN | __GFP_NORETRY, get_order(len));
	return p ? page_address(p) : __vmalloc(len, BUF_GFP);
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
	kfree(container_of(head, struct xfs_buf, rcu));
}

/* It is in no hash and on no list. */
static void free_buffer(struct xfs_buf *b)
{
	WARN_ON(!list_empty(&b->inodes));
	kfree(b->runs);
	kfree(b->item);
	free_data(b->tx.data, b->tx.len);
	call_rcu(&b->rcu, free_rcu);
}

/* Takes a reference to one that was found; false: it is on its way out. */
static bool pin(struct xfs_buf *b)
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

static struct xfs_buf *find_rcu(struct xfs_cache *c, u64 daddr, u32 len, u32 hash)
{
	struct xfs_buf *b, *found = NULL;

	rcu_read_lock();
	ghash_for_each_rcu(b, &buffers, hash, node) {
		if (b->cache == c && b->tx.daddr == daddr && b->tx.len == len && pin(b)) {
			found = b;
			break;
		}
	}
	rcu_read_unlock();
	return found;
}

/* Found, or added: then it is NEW, and locked by the caller. */
static struct xfs_buf *find_or_add(struct xfs_cache *c, u64 daddr, u32 len, struct xfs_buf *new)
{
	u32 hash = hash_of(c, daddr);
	unsigned long *bucket;
	struct xfs_buf *b;

	ghash_reserve(&buffers);
	bucket = ghash_lock(&buffers, hash);
	ghash_for_each(b, bucket, hash, node) {
		if (b->cache == c && b->tx.daddr == daddr && b->tx.len == len && pin(b)) {
			ghash_unlock(bucket);
			return b;
		}
	}
	ghash_add(&buffers, bucket, &new->node, hash);
	ghash_unlock(bucket);
	return new;
}

/*
 * Out of the hash, so that nobody finds it. C's lock is not held. Two tasks may do it at once: the
 * end of a checkpoint and that of a transaction, both of a dead journal.
 */
static void unhash(struct xfs_buf *b)
{
	unsigned long *bucket = ghash_lock(&buffers, b->node.hash);

	if (!ghash_unhashed(&b->node))
		ghash_del_locked(&buffers, &b->node);
	ghash_unlock(bucket);
}

void xfs_buf_rele(struct xfs_buf *b)
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

/* Where B lies. */
static void set_runs(struct xfs_buf *b, const struct xfs_run *runs, u32 n)
{
	struct xfs_run *copy = NULL;

	if (n > 1) {
		copy = kmalloc(n * sizeof(*copy), BUF_GFP);
		memcpy(copy, runs, n * sizeof(*copy));
	}
	kfree(b->runs);
	b->runs = copy;
	b->run = runs[0];
	b->nr_runs = n;
	b->runs_hash = hash_runs(runs, n);
}

static struct xfs_buf *new_buffer(struct xfs_cache *c, const struct xfs_run *runs, u32 n, u32 len)
{
	struct xfs_buf *b = kzalloc(sizeof(*b), BUF_GFP);

	b->tx.data = alloc_data(len);
	ghash_node_init(&b->node);
	b->cache = c;
	b->tx.daddr = runs[0].daddr;
	b->tx.len = len;
	set_runs(b, runs, n);
	b->refs = 1;
	b->used = true;
	init_waitqueue_head(&b->wait);
	INIT_LIST_HEAD(&b->lru);
	INIT_LIST_HEAD(&b->inodes);
	INIT_LIST_HEAD(&b->flying);
	return b;
}

/* B is not found any more; its last reference frees it. */
static void set_dead(struct xfs_buf *b)
{
	unhash(b);
	spin_lock(&b->cache->lock);
	WRITE_ONCE(b->dead, true);
	spin_unlock(&b->cache->lock);
	wake_up_all(&b->cache->gone);
}

int xfs_buf_as(struct xfs_buf *b, const struct xfs_sb *sb, enum xfs_kind kind, struct xfs_fault *f)
{
	int e;

	if (b->tx.kind == kind)
		return 0;
	if (b->changed && !xfs_block_stamp(sb, kind, b->tx.data, b->tx.len, 0))
		return xfs_bad(f, "block", "magic", b->tx.daddr, kind);
	e = xfs_verify(sb, kind, b->tx.daddr, b->tx.data, b->tx.len, f);
	if (!e)
		WRITE_ONCE(b->tx.kind, (u8)kind);
	return e;
}

/*
 * A locked buffer that is not valid yet, or was verified as another kind. What fails is forgotten.
 */
static int make_valid(struct xfs_buf *b, const struct xfs_sb *sb, enum xfs_kind kind,
		      const struct xfs_run *runs, u32 n, struct xfs_fault *f)
{
	int e;

	if (b->runs_hash != hash_runs(runs, n))
		return xfs_bad(f, "block", "place of its parts", b->tx.daddr, n);
	if (b->valid)
		return xfs_buf_as(b, sb, kind, f);
	e = xfs_read_runs(b->cache->bdev, runs, n, b->tx.data);
	if (e)
		*f = (struct xfs_fault){ "block", "reading", b->tx.daddr, (u64)-e };
	e = e ?: xfs_verify(sb, kind, b->tx.daddr, b->tx.data, b->tx.len, f);
	if (!e) {
		WRITE_ONCE(b->tx.kind, (u8)kind);
		smp_store_release(&b->valid, true); /* pairs with the acquire in xfs_buf_get() */
	} else if (!b->dead) {
		set_dead(b);
	}
	return e;
}

/* The buffer, perhaps new, with a reference; NULL: no memory. */
static struct xfs_buf *find(struct xfs_cache *c, const struct xfs_run *runs, u32 n)
{
	struct xfs_buf *b, *new;
	u32 len = 0;

	for (u32 i = 0; i < n; i++)
		len += runs[i].bbs << SECTOR_SHIFT;
	b = find_rcu(c, runs[0].daddr, len, hash_of(c, runs[0].daddr));
	if (b)
		return b;
	new = new_buffer(c, runs, n, len);
	b = find_or_add(c, runs[0].daddr, len, new);
	if (b != new)
		free_buffer(new);
	return b;
}

static int get(struct xfs_cache *c, const struct xfs_sb *sb, enum xfs_kind kind,
	       const struct xfs_run *runs, u32 n, bool try, struct xfs_blk *out,
	       struct xfs_fault *f)
{
	struct xfs_buf *b = find(c, runs, n);
	int e = 0;

	/*
	 * Valid is set once, and the kind of a block hardly ever changes: most calls take no lock.
	 * Pairs with make_valid().
	 */
	if (unlikely(!smp_load_acquire(&b->valid) || READ_ONCE(b->tx.kind) != kind ||
		     (n > 1 && b->runs_hash != hash_runs(runs, n)))) {
		if (try && !xfs_buf_trylock(b)) {
			e = -EAGAIN;
		} else {
			if (!try)
				xfs_buf_lock(b);
			e = make_valid(b, sb, kind, runs, n, f);
			xfs_buf_unlock(b);
		}
	}
	if (e) {
		xfs_buf_rele(b);
		return e;
	}
	*out = (struct xfs_blk){ b->tx.data, b };
	return 0;
}

int xfs_buf_get(struct xfs_cache *c, const struct xfs_sb *sb, enum xfs_kind kind,
		const struct xfs_run *runs, u32 n, struct xfs_blk *out, struct xfs_fault *f)
{
	return get(c, sb, kind, runs, n, false, out, f);
}

int xfs_buf_try_get(struct xfs_cache *c, const struct xfs_sb *sb, enum xfs_kind kind,
		    const struct xfs_run *runs, u32 n, struct xfs_blk *out, struct xfs_fault *f)
{
	return get(c, sb, kind, runs, n, true, out, f);
}

/* ---- for transactions ---- */

void xfs_buf_forget(struct xfs_buf *b)
{
	if (!b->dead)
		set_dead(b);
}

void xfs_cache_forget(struct xfs_cache *c, u64 daddr, u32 len)
{
	struct xfs_buf *b = find_rcu(c, daddr, len, hash_of(c, daddr));

	if (!b)
		return;
	xfs_buf_forget(b);
	xfs_buf_rele(b);
}

/* B, locked, becomes the new block that the runs make: zeroes. */
static void make_new(struct xfs_buf *b, enum xfs_kind kind, const struct xfs_run *runs, u32 n)
{
	if (b->runs_hash != hash_runs(runs, n))
		set_runs(b, runs, n);
	memset(b->tx.data, 0, b->tx.len);
	b->changed = true;
	WRITE_ONCE(b->tx.kind, (u8)kind);
	smp_store_release(&b->valid, true); /* pairs with the acquire in xfs_buf_get() */
}

int xfs_buf_take(struct xfs_cache *c, const struct xfs_sb *sb, enum xfs_kind kind,
		 const struct xfs_run *runs, u32 n, u32 flags, struct xfs_buf **out,
		 struct xfs_fault *f)
{
	struct xfs_buf *b;
	bool gone;
	int e;

	for (;;) {
		b = find(c, runs, n);
		if (!xfs_buf_trylock(b)) {
			if (flags & XFS_GET_TRY) {
				xfs_buf_rele(b);
				return -EAGAIN;
			}
			xfs_buf_lock(b);
		}
		gone = b->dead || b->stale;
		if (!gone)
			break;
		/* Its block was freed: it is forgotten when that is in the log. */
		xfs_buf_unlock(b);
		if (b->stale && flags & XFS_GET_TRY) {
			xfs_buf_rele(b);
			return -EAGAIN;
		}
		if (!READ_ONCE(b->dead) && c->force)
			c->force(c->force_ctx);
		wait_event(c->gone, READ_ONCE(b->dead));
		xfs_buf_rele(b);
	}
	if (flags & XFS_GET_NEW)
		make_new(b, kind, runs, n);
	e = flags & XFS_GET_NEW ? 0 : make_valid(b, sb, kind, runs, n, f);
	if (e) {
		xfs_buf_unlock(b);
		xfs_buf_rele(b);
		return e;
	}
	*out = b;
	return 0;
}

void xfs_buf_put(struct xfs_cache *c, struct xfs_blk *blk)
{
	(void)c;
	xfs_buf_rele(blk->ref);
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
		struct xfs_buf *b = list_first_entry(&c->lru, struct xfs_buf, lru);

		seen++;
		/*
		 * Inodes that wait in it for a write are only there: none comes without a
		 * reference.
		 */
		if ((b->used || !list_empty(&b->inodes)) && !all) {
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
		struct xfs_buf *b = list_first_entry(gone, struct xfs_buf, lru);

		list_del_init(&b->lru);
		unhash(b);
		xfs_buf_rele(b);
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
	init_waitqueue_head(&c->gone);
	init_waitqueue_head(&c->settled);
	atomic_set(&c->transfers, 0);
	c->wq = NULL;
	c->force = NULL;
	snprintf(c->name, sizeof(c->name), "xfs-buf:%s", id);
	c->shrinker = (struct shrinker){ .count_objects = count, .scan_objects = scan };
	register_shrinker(&c->shrinker, c->name);
}

void xfs_cache_destroy(struct xfs_cache *c)
{
	if (c->wq)
		xfs_cache_settle(c);
	unregister_shrinker(&c->shrinker);
	for (;;) {
		LIST_HEAD(gone);

		if (!isolate(c, PIECE, true, &gone))
			break;
		drop(c, &gone);
		cond_resched();
	}
	WARN_ON(c->count);
	if (c->wq)
		destroy_workqueue(c->wq);
	c->wq = NULL;
}
