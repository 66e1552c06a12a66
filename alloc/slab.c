// SPDX-License-Identifier: MIT
/*
 * Object caches.
 *
 * Each CPU has a sheaf (a stack of free objects) for each cache, made when it first uses the cache.
 * Allocation pops, freeing pushes: preemption off, no atomics. An empty sheaf is refilled to half, a full
 * one emptied by half, from and to the cache's slabs under cache->lock. An object may be freed on any
 * CPU and may move between CPUs through the slabs.
 *
 * Objects of a cache with a constructor or type-safe by RCU keep their contents while free, so the
 * free-list word lies behind the object. Slabs of type-safe caches return to the page allocator only
 * after a grace period.
 *
 * Debug builds fill freed objects with POISON_FREE, check that on allocation, and check a redzone behind
 * each object when it is freed.
 *
 * Locks: cache->lock (interrupts off), then zone->lock. slab_list_lock guards the list of caches.
 */
#include <alloc/slab.h>
#include <alloc/kasan.h>
#include <alloc/kasan_runtime.h>
#include <alloc/kmemleak.h>
#include <alloc/upcalls.h>
#include <alloc/vmalloc.h>
#include <kernel/bug.h>
#include <kernel/cpumask.h>
#include <kernel/percpu.h>
#include <kernel/printk.h>
#include <kernel/irq.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include "slab_priv.h"

#define POISON_FREE	0x6b
#define POISON_END	0xa5
#define REDZONE		0xbb

struct kmem_cache *kmalloc_caches[13];
static DEFINE_PER_CPU(struct slab_cpu *, slab_cpus[SLAB_MAX_CACHES]);
static struct kmem_cache cache_cache;		/* of struct kmem_cache */
static LIST_HEAD(slab_list);			/* (slab_list_lock) */
static DEFINE_SPINLOCK(slab_list_lock);
static unsigned long cache_ids[SLAB_MAX_CACHES / 64];	/* (slab_list_lock) */
static atomic64_t slab_pages[2];		/* unreclaimable, reclaimable */

/* Sheaves are carved from pages and never given back. */
static DEFINE_SPINLOCK(sheaf_lock);
static char *sheaf_mem;				/* (sheaf_lock) */
static size_t sheaf_left;

static inline struct slab *page_slab(struct page *page)
{
	return (struct slab *)page;
}
static inline void *slab_base(struct slab *slab)
{
	return page_address((struct page *)slab);
}
static inline u32 slab_pfn(struct slab *slab)
{
	return (u32)page_to_pfn((struct page *)slab);
}
static inline struct kmem_cache *slab_cache(struct slab *slab)
{
	return (struct kmem_cache *)(uintptr_t)slab->cache;
}
static inline unsigned int slot_of(struct kmem_cache *c, struct slab *slab, const void *obj)
{
	u64 off = (u64)((const char *)obj - (char *)slab_base(slab));

	return (unsigned int)(off * c->recip >> 32);
}
static inline u16 *slot_link(struct kmem_cache *c, void *obj)
{
	return (u16 *)((char *)obj + c->free_offset);
}

static void partial_add(struct kmem_cache *c, struct slab *slab)
{
	slab->prev = 0;
	slab->next = c->partial;
	if (c->partial)
		page_slab(pfn_to_page(c->partial))->prev = slab_pfn(slab);
	c->partial = slab_pfn(slab);
	slab->on_list = 1;
	c->nr_partial++;
}

static void partial_del(struct kmem_cache *c, struct slab *slab)
{
	if (slab->next)
		page_slab(pfn_to_page(slab->next))->prev = slab->prev;
	if (slab->prev)
		page_slab(pfn_to_page(slab->prev))->next = slab->next;
	else
		c->partial = slab->next;
	slab->on_list = 0;
	c->nr_partial--;
}

static void object_poison(struct kmem_cache *c, void *obj)
{
	if (!c->poison)
		return;
	memset(obj, POISON_FREE, c->object_size - 1);
	((u8 *)obj)[c->object_size - 1] = POISON_END;
}

static void redzone_set(struct kmem_cache *c, void *obj)
{
	if (c->flags & SLAB_RED_ZONE)
		memset((u8 *)obj + c->object_size, REDZONE, 8);
}

static __cold void object_report(struct kmem_cache *c, const void *obj, const char *what)
{
	pr_emerg("alloc: cache %s, object %p: %s\n", c->name, obj, what);
	WARN_ON(1);
}

static __maybe_unused void check_alloc(struct kmem_cache *c, void *obj)
{
	const u8 *b = obj, *end = b + c->object_size - 1;

	if (!c->poison)
		return;
	/* The first bytes held the free link while the object lay in a slab. */
	if (!c->free_offset)
		b += 8;
	for (const u64 all = POISON_FREE * 0x0101010101010101ull; end - b >= 32; b += 32) {
		const u64 *w = (const u64 *)b;

		if ((w[0] ^ all) | (w[1] ^ all) | (w[2] ^ all) | (w[3] ^ all))
			break;
	}
	while (end - b >= 8 && *(const u64 *)b == POISON_FREE * 0x0101010101010101ull)
		b += 8;
	while (b < end && *b == POISON_FREE)
		b++;
	if (b < end)
		object_report(c, obj, "written after it was freed");
}

static __maybe_unused bool check_free(struct kmem_cache *c, void *obj)
{
	const u8 *b = obj;

	if (c->flags & SLAB_RED_ZONE)
		for (u32 i = 0; i < 8; i++)
			if (b[c->object_size + i] != REDZONE) {
				object_report(c, obj, "written beyond its end");
				redzone_set(c, obj);
				break;
			}
	if (c->poison && c->object_size >= 16 && b[c->object_size - 1] == POISON_END &&
	    b[c->object_size - 2] == POISON_FREE && b[8] == POISON_FREE && b[9] == POISON_FREE) {
		object_report(c, obj, "freed twice");
		return false;
	}
	return true;
}

static struct slab *slab_new(struct kmem_cache *c, gfp_t gfp)
{
	gfp_t pgfp = (gfp & ~(__GFP_ZERO | __GFP_ACCOUNT)) | __GFP_COMP;
	struct page *page = alloc_pages(c->order ? pgfp | __GFP_NOWARN : pgfp, c->order);
	struct slab *slab;
	char *obj;

	if (!page)
		return NULL;
	slab = page_slab(page);
	page->mapcount.counter = PAGE_TYPE_SLAB;
	slab->cache = (uintptr_t)c;
	slab->inuse = 0;
	slab->free = 1;
	slab->on_list = 0;
#ifdef CONFIG_KMEMLEAK
	memset(slab_record(c, slab_base(slab), 0), 0, c->objs_per_slab * SLAB_RECORD);
#endif
	obj = slab_base(slab);
	for (u32 i = 0; i < c->objs_per_slab; i++, obj += c->slot_size) {
		redzone_set(c, obj);
		if (c->ctor)
			c->ctor(obj);
		else
			object_poison(c, obj);
		*slot_link(c, obj) = (u16)(i + 1 < c->objs_per_slab ? i + 2 : 0);
	}
	kasan_poison(slab_base(slab), PAGE_SIZE << c->order, KASAN_SLAB_FREE);
	atomic64_add(1l << c->order, &slab_pages[!!(c->flags & SLAB_RECLAIM_ACCOUNT)]);
	return slab;
}

static void slab_release(struct slab *slab, struct kmem_cache *c)
{
	struct page *page = (struct page *)slab;

	atomic64_sub(1l << c->order, &slab_pages[!!(c->flags & SLAB_RECLAIM_ACCOUNT)]);
	page->mapcount.counter = 0;
	page->mapping = 0;
	page->flags.counter = c->order ? 1l << PG_head : 0;
	__free_pages(page, c->order);
}

static void slab_release_rcu(struct rcu_head *head)
{
	struct slab *slab = (struct slab *)((char *)head - offsetof(struct slab, flags));

	slab_release(slab, slab_cache(slab));
}

static void slab_discard(struct kmem_cache *c, struct slab *slab)
{
	_Static_assert(sizeof(struct rcu_head) <= 16, "rcu_head fits into struct slab");
	if (c->flags & SLAB_TYPESAFE_BY_RCU)
		call_rcu((struct rcu_head *)&slab->flags, slab_release_rcu);
	else
		slab_release(slab, c);
}

/* Take up to n objects out of slabs. (lock) */
static u32 slabs_take(struct kmem_cache *c, void **out, u32 n)
{
	u32 got = 0;

	while (got < n && c->partial) {
		struct slab *slab = page_slab(pfn_to_page(c->partial));
		char *base = slab_base(slab);

		if (!slab->inuse)
			c->nr_empty--;
		while (got < n && slab->free) {
			void *obj = base + (size_t)(slab->free - 1) * c->slot_size;

			slab->free = *slot_link(c, obj);
			slab->inuse++;
			out[got++] = obj;
		}
		if (!slab->free)
			partial_del(c, slab);
	}
	c->inuse += got;
	return got;
}

/* Put objects back; slabs that became empty and surplus come back as a list through next. (lock) */
static u32 slabs_put(struct kmem_cache *c, void **objs, u32 n, u32 discard)
{
	for (u32 i = 0; i < n; i++) {
		struct slab *slab = page_slab(compound_head(virt_to_page(objs[i])));

		*slot_link(c, objs[i]) = slab->free;
		slab->free = (u16)(slot_of(c, slab, objs[i]) + 1);
		slab->inuse--;
		if (!slab->on_list)
			partial_add(c, slab);
		if (slab->inuse)
			continue;
		if (c->nr_empty >= 1) {
			partial_del(c, slab);
			c->nr_slabs--;
			slab->next = discard;
			discard = slab_pfn(slab);
		} else {
			c->nr_empty++;
		}
	}
	c->inuse -= n;
	return discard;
}

static void slabs_discard(struct kmem_cache *c, u32 list)
{
	while (list) {
		struct slab *slab = page_slab(pfn_to_page(list));

		list = slab->next;
		slab_discard(c, slab);
	}
}

/* Objects from slabs into out: at least one, at most n; 0 when out of memory. */
static u32 cache_fill(struct kmem_cache *c, gfp_t gfp, void **out, u32 n)
{
	unsigned long flags;
	struct slab *slab;
	u32 got;

	for (;;) {
		spin_lock_irqsave(&c->lock, flags);
		got = slabs_take(c, out, n);
		spin_unlock_irqrestore(&c->lock, flags);
		if (got)
			return got;
		slab = slab_new(c, gfp);
		if (!slab)
			return 0;
		spin_lock_irqsave(&c->lock, flags);
		c->nr_slabs++;
		c->nr_empty++;
		partial_add(c, slab);
		spin_unlock_irqrestore(&c->lock, flags);
	}
}

static void cache_drain(struct kmem_cache *c, void **objs, u32 n)
{
	unsigned long flags;
	u32 list;

	spin_lock_irqsave(&c->lock, flags);
	list = slabs_put(c, objs, n, 0);
	spin_unlock_irqrestore(&c->lock, flags);
	slabs_discard(c, list);
}

static struct slab_cpu *sheaf_make(struct kmem_cache *c)
{
	size_t size = sizeof(struct slab_cpu) + c->capacity * sizeof(void *);
	struct slab_cpu *sc = NULL;
	unsigned long flags, page = 0;

	spin_lock_irqsave(&sheaf_lock, flags);
	if (sheaf_left < size) {
		spin_unlock_irqrestore(&sheaf_lock, flags);
		page = __get_free_page(GFP_ATOMIC | __GFP_NOWARN);
		if (!page)
			return NULL;
		spin_lock_irqsave(&sheaf_lock, flags);
		kmemleak_no_scan_page(virt_to_page((void *)page));
		sheaf_mem = (char *)page;
		sheaf_left = PAGE_SIZE;
	}
	sc = (struct slab_cpu *)sheaf_mem;
	sheaf_mem += size;
	sheaf_left -= size;
	spin_unlock_irqrestore(&sheaf_lock, flags);
	memset(sc, 0, sizeof(*sc));
	return sc;
}

/* This CPU's sheaf, made if need be; preemption off. NULL: do without. */
static struct slab_cpu *sheaf_get(struct kmem_cache *c)
{
	struct slab_cpu *sc = this_cpu_read(slab_cpus[c->id]);

	if (likely(sc) || !c->capacity)
		return sc;
	sc = sheaf_make(c);
	if (sc && this_cpu_cmpxchg(slab_cpus[c->id], NULL, sc))
		sc = this_cpu_read(slab_cpus[c->id]);	/* an interrupt was faster: leak one sheaf */
	return sc;
}

static noinline void *alloc_slow(struct kmem_cache *c, gfp_t gfp)
{
	void *batch[SHEAF_MAX];
	struct slab_cpu *sc;
	u32 n, got;

	n = max(c->capacity / 2, 1u);
	got = cache_fill(c, gfp, batch, n);
	if (!got)
		return NULL;
	preempt_disable();
	sc = sheaf_get(c);
	if (sc && !sc->busy) {
		sc->busy = 1;
		barrier();
		while (got > 1 && sc->nr < c->capacity)
			sc->obj[sc->nr++] = batch[--got];
		barrier();
		sc->busy = 0;
	}
	preempt_enable();
	if (unlikely(got > 1))
		cache_drain(c, batch + 1, got - 1);
	return batch[0];
}

void *kmem_cache_alloc(struct kmem_cache *c, gfp_t gfp)
{
	struct slab_cpu *sc;
	void *obj = NULL;

#ifdef CONFIG_FAULT_INJECTION
	if (unlikely(fault_slab(gfp, c->object_size)))
		return NULL;
#endif
	preempt_disable();
	sc = this_cpu_read(slab_cpus[c->id]);
	if (likely(sc && !sc->busy)) {
		sc->busy = 1;
		barrier();
		if (likely(sc->nr))
			obj = sc->obj[--sc->nr];
		barrier();
		sc->busy = 0;
	}
	preempt_enable();
	if (unlikely(!obj)) {
		obj = alloc_slow(c, gfp);
		if (unlikely(!obj))
			return NULL;
	}
	kasan_slab_alloc(c, obj, c->object_size, c->slot_size);
#ifdef CONFIG_DEBUG
	check_alloc(c, obj);
#endif
	if (gfp & __GFP_ZERO)
		memset(obj, 0, c->object_size);
#ifdef CONFIG_DEBUG
	else if (c->poison)
		memset(obj, 0x5a, c->object_size);
#endif
	kmemleak_alloc_slab(obj, c->object_size, _RET_IP_);
	return obj;
}

static noinline void free_slow(struct kmem_cache *c, struct slab_cpu *sc, void *obj)
{
	void *batch[SHEAF_MAX];
	u32 n = 0;

	/* sc is ours (busy) and full, or NULL. Preemption is off. */
	if (sc) {
		n = (c->capacity + 1) / 2;
		memcpy(batch, sc->obj, n * sizeof(void *));
		memmove(sc->obj, sc->obj + n, (sc->nr - n) * sizeof(void *));
		sc->nr -= n;
		sc->obj[sc->nr++] = obj;
		barrier();
		sc->busy = 0;
	} else {
		batch[n++] = obj;
	}
	preempt_enable();
	cache_drain(c, batch, n);
}

static __always_inline void free_to(struct kmem_cache *c, void *obj)
{
	struct slab_cpu *sc;

	preempt_disable();
	sc = this_cpu_read(slab_cpus[c->id]);
	if (unlikely(!sc))
		sc = sheaf_get(c);
	if (likely(sc && !sc->busy)) {
		sc->busy = 1;
		barrier();
		if (likely(sc->nr < c->capacity)) {
			sc->obj[sc->nr++] = obj;
			barrier();
			sc->busy = 0;
			preempt_enable();
			return;
		}
		free_slow(c, sc, obj);
		return;
	}
	free_slow(c, NULL, obj);
}

void kmem_cache_free(struct kmem_cache *c, void *obj)
{
	if (unlikely(!obj))
		return;
#ifdef CONFIG_DEBUG
	struct slab *slab = page_slab(compound_head(virt_to_page(obj)));

	if (!PageSlab((struct page *)slab) || slab_cache(slab) != c) {
		object_report(c, obj, "freed to a cache it is not of");
		return;
	}
	if (!check_free(c, obj))
		return;
	if (!c->ctor)
		object_poison(c, obj);
#endif
	lockdep_check_freed(obj, c->object_size, _RET_IP_);
	kmemleak_free_slab(obj);
	if (!(c->flags & SLAB_TYPESAFE_BY_RCU) && kasan_slab_free(c, obj, c->object_size))
		return;
	free_to(c, obj);
}

#ifdef CONFIG_KASAN
void kasan_free_now(void *cache, void *object)
{
	free_to(cache, object);
}
#endif

unsigned int kmem_cache_alloc_bulk(struct kmem_cache *c, gfp_t gfp, unsigned int nr, void **out)
{
	for (unsigned int i = 0; i < nr; i++) {
		out[i] = kmem_cache_alloc(c, gfp);
		if (!out[i]) {
			kmem_cache_free_bulk(c, i, out);
			return 0;
		}
	}
	return nr;
}

void kmem_cache_free_bulk(struct kmem_cache *c, unsigned int nr, void **objs)
{
	for (unsigned int i = 0; i < nr; i++)
		kmem_cache_free(c, objs[i]);
}

unsigned int kmem_cache_size(struct kmem_cache *c)
{
	return c->object_size;
}

const char *kmem_cache_name(struct kmem_cache *c)
{
	return c->name;
}

static unsigned long sheaf_objects(struct kmem_cache *c)
{
	unsigned long n = 0;
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		struct slab_cpu *sc = READ_ONCE(*per_cpu_ptr(&slab_cpus[c->id], cpu));

		if (sc)
			n += READ_ONCE(sc->nr);
	}
	return n;
}

unsigned long kmem_cache_live(struct kmem_cache *c)
{
#ifdef CONFIG_KASAN
	kasan_quarantine_drain();
#endif
	unsigned long out = READ_ONCE(c->inuse), cached = sheaf_objects(c);

	return out > cached ? out - cached : 0;
}

/* This CPU's sheaf back to the slabs. Also run by IPI. */
static void flush_local(void *arg)
{
	struct kmem_cache *c = arg;
	struct slab_cpu *sc;

	preempt_disable();
	sc = this_cpu_read(slab_cpus[c->id]);
	if (sc && !sc->busy) {
		sc->busy = 1;
		barrier();
		cache_drain(c, sc->obj, sc->nr);
		sc->nr = 0;
		barrier();
		sc->busy = 0;
	}
	preempt_enable();
}

static void discard_empty(struct kmem_cache *c)
{
	unsigned long flags;
	u32 list = 0, next;

	spin_lock_irqsave(&c->lock, flags);
	for (u32 pfn = c->partial; pfn && c->nr_empty; pfn = next) {
		struct slab *slab = page_slab(pfn_to_page(pfn));

		next = slab->next;
		if (slab->inuse)
			continue;
		partial_del(c, slab);
		c->nr_empty--;
		c->nr_slabs--;
		slab->next = list;
		list = pfn;
	}
	spin_unlock_irqrestore(&c->lock, flags);
	slabs_discard(c, list);
}

int kmem_cache_shrink(struct kmem_cache *c)
{
	on_each_cpu(flush_local, c, true);
	discard_empty(c);
	return 0;
}

/* Smallest order with few enough objects wasted. */
static void choose_order(struct kmem_cache *c)
{
	unsigned int want = c->slot_size <= 2048 ? 4 : 2, size = c->slot_size + (unsigned int)SLAB_RECORD;

	for (c->order = 0; c->order < 3; c->order++) {
		size_t bytes = PAGE_SIZE << c->order;

		if (bytes / size >= want && bytes % size <= bytes / (SLAB_RECORD ? 4 : 8))
			break;
	}
	while ((PAGE_SIZE << c->order) < size)
		c->order++;
	c->objs_per_slab = (u16)((PAGE_SIZE << c->order) / size);
	if (c->slot_size <= 256)
		c->capacity = SHEAF_MAX;
	else
		c->capacity = c->slot_size <= 1024 ? 14 : 6;
	if (c->slot_size > PAGE_SIZE)
		c->capacity = 2;
}

static int cache_setup(struct kmem_cache *c, const char *name, unsigned int size, unsigned int align,
		       unsigned int flags, void (*ctor)(void *))
{
	unsigned long irq;
	unsigned int slot = size;
	u32 id;

#ifdef CONFIG_DEBUG
	if (!is_power_of_2(size) || size < 64)
		flags |= SLAB_RED_ZONE;
	if (!ctor && !(flags & SLAB_TYPESAFE_BY_RCU))
		flags |= SLAB_POISON;
#endif
	if (flags & SLAB_HWCACHE_ALIGN)
		align = max(align, size > L1_CACHE_BYTES / 2 ? (unsigned int)L1_CACHE_BYTES : 32u);
	align = max(align, 8u);
	c->object_size = size;
	c->poison = !!(flags & SLAB_POISON);
	if (flags & SLAB_RED_ZONE)
		slot += 8;
	slot = ALIGN(slot, 8u);
	if (ctor || flags & SLAB_TYPESAFE_BY_RCU) {
		c->free_offset = slot;
		slot += 8;
	} else {
		c->free_offset = 0;
	}
	c->slot_size = ALIGN(slot, align);
	c->flags = flags;
	c->ctor = ctor;
	c->name = name;
	c->recip = (u32)((1ull << 32) / c->slot_size + 1);
	spin_lock_init(&c->lock);
	choose_order(c);
	spin_lock_irqsave(&slab_list_lock, irq);
	for (id = 0; id < SLAB_MAX_CACHES && test_bit(id, cache_ids); id++)
		;
	if (id < SLAB_MAX_CACHES) {
		__set_bit(id, cache_ids);
		list_add_tail(&c->list, &slab_list);
#ifdef CONFIG_KMEMLEAK
		kmemleak_cache_made(c);
#endif
	}
	spin_unlock_irqrestore(&slab_list_lock, irq);
	c->id = id;
	return id < SLAB_MAX_CACHES ? 0 : -1;
}

struct kmem_cache *kmem_cache_create(const char *name, unsigned int size, unsigned int align,
				     unsigned int flags, void (*ctor)(void *))
{
	struct kmem_cache *c = NULL;

	if (size && size <= KMALLOC_MAX_CACHE_SIZE * 4)
		c = kmem_cache_zalloc(&cache_cache, GFP_KERNEL);
	if (c && cache_setup(c, name, size, align, flags, ctor)) {
		kmem_cache_free(&cache_cache, c);
		c = NULL;
	}
	if (!c && flags & SLAB_PANIC)
		panic("alloc: cannot create cache %s", name);
	return c;
}

void kmem_cache_destroy(struct kmem_cache *c)
{
	unsigned long irq;

	if (!c)
		return;
	kmem_cache_shrink(c);
	if (c->inuse || c->nr_slabs) {
		pr_err("alloc: cache %s destroyed with %lu objects live\n", c->name, c->inuse);
		return;
	}
	if (c->flags & SLAB_TYPESAFE_BY_RCU)
		rcu_barrier();
	/* The row of sheaves stays with the id: capacities differ, so the id is not used again. */
	spin_lock_irqsave(&slab_list_lock, irq);
	list_del(&c->list);
	spin_unlock_irqrestore(&slab_list_lock, irq);
#ifdef CONFIG_KMEMLEAK
	kmemleak_cache_gone(c);
#endif
	kmem_cache_free(&cache_cache, c);
}

int slab_for_each(int (*fn)(const struct slab_stat *, void *), void *arg)
{
	struct kmem_cache *c;

	/* Caches are hardly ever destroyed; the list only grows behind us. */
	list_for_each_entry(c, &slab_list, list) {
		struct slab_stat st = {
			.name = c->name, .active_objs = kmem_cache_live(c),
			.num_objs = c->nr_slabs * c->objs_per_slab, .num_slabs = c->nr_slabs,
			.active_slabs = c->nr_slabs - min((unsigned long)c->nr_empty, c->nr_slabs),
			.object_size = c->object_size, .slot_size = c->slot_size,
			.objs_per_slab = c->objs_per_slab, .pages_per_slab = 1u << c->order,
			.reclaimable = c->flags & SLAB_RECLAIM_ACCOUNT,
		};
		int r = fn(&st, arg);

		if (r)
			return r;
	}
	return 0;
}

unsigned long slab_total_live(void)
{
	struct kmem_cache *c;
	unsigned long n = 0;

	list_for_each_entry(c, &slab_list, list)
		n += kmem_cache_live(c);
	return n;
}

#ifdef CONFIG_KMEMLEAK
void slab_count_page(void)
{
	atomic64_inc(&slab_pages[0]);
}
#endif

unsigned long slab_pages_reclaimable(void)
{
	return (unsigned long)atomic64_read(&slab_pages[1]);
}

unsigned long slab_pages_unreclaimable(void)
{
	return (unsigned long)atomic64_read(&slab_pages[0]);
}

void kmem_cache_init(void)
{
	static const struct {
		const char *name;
		unsigned int size;
	} kmalloc_info[13] = {
		{ "kmalloc-8", 8 }, { "kmalloc-16", 16 }, { "kmalloc-32", 32 }, { "kmalloc-64", 64 },
		{ "kmalloc-128", 128 }, { "kmalloc-256", 256 }, { "kmalloc-512", 512 },
		{ "kmalloc-1k", 1024 }, { "kmalloc-2k", 2048 }, { "kmalloc-4k", 4096 }, /* not a page */
		{ "kmalloc-8k", 8192 }, { "kmalloc-96", 96 }, { "kmalloc-192", 192 },
	};

	cache_setup(&cache_cache, "kmem_cache", sizeof(struct kmem_cache), 8, SLAB_PANIC, NULL);
	for (int i = 0; i < 13; i++)
		kmalloc_caches[i] = kmem_cache_create(kmalloc_info[i].name, kmalloc_info[i].size,
						      8, SLAB_PANIC, NULL);
}
