// SPDX-License-Identifier: MIT
/*
 * Where packets come from: heads and shares of pages, kept per CPU.
 *
 * Heads. Each CPU keeps up to RECYCLED freed heads on a stack; a looped or forwarded packet finds
 * the one that was freed last, still in the cache. The stack's lock is taken by another CPU only
 * when memory is short, and for drop_caches: a shrinker empties the stacks. KASAN builds keep none,
 * so that use after free is found.
 *
 * Shares. Payload lies in pieces of a larger block (SHARE_BYTES, or a page where memory is short)
 * of which each CPU has one at hand. A piece holds a reference to the block. When the block is used
 * up and all of its pieces are gone, which is the rule for packets that do not leave the machine,
 * it is begun again; otherwise its pieces free it.
 *
 * Never used by interrupts.
 */
#include <lib/minmax.h>
#include <alloc/page.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/cpumask.h>
#include <kernel/init.h>
#include <kernel/percpu.h>
#include <kernel/spinlock.h>
#include <mm/mm.h>
#include "net/core/packet_priv.h"

#define RECYCLED 64
#define SHARE_BYTES 32768u

struct recycle {
	spinlock_t lock;
	unsigned int nr;		/* lock */
	struct packet *heads;		/* lock: linked by list.next */
	/* Preemption off: */
	struct page *block;		/* referenced */
	u32 size, used;			/* bytes of block */
};

static DEFINE_PER_CPU(struct recycle, recycle);
static struct kmem_cache *heads_cache __ro_after_init;

struct packet *packet_head_get(gfp_t gfp)
{
	struct recycle *r;
	struct packet *p;

	preempt_disable();
	r = this_cpu_ptr(&recycle);
	spin_lock(&r->lock);
	p = r->heads;
	if (likely(p)) {
		r->heads = (struct packet *)p->list.next;
		r->nr--;
	}
	spin_unlock(&r->lock);
	preempt_enable();
	return p ?: kmem_cache_alloc(heads_cache, gfp);
}

void packet_head_put(struct packet *p)
{
#ifndef CONFIG_KASAN
	struct recycle *r;

	preempt_disable();
	r = this_cpu_ptr(&recycle);
	spin_lock(&r->lock);
	if (r->nr < RECYCLED) {
		p->list.next = (struct list_head *)r->heads;
		r->heads = p;
		r->nr++;
		p = NULL;
	}
	spin_unlock(&r->lock);
	preempt_enable();
	if (!p)
		return;
#endif
	kmem_cache_free(heads_cache, p);
}

/* Preemption is off. Makes R's block have room; false: no memory without sleeping. */
static bool share_refill(struct recycle *r)
{
	if (r->block && page_ref_count(r->block) == 1) {
		r->used = 0;
		return true;
	}
	if (r->block)
		put_page_plain(r->block);
	r->block = alloc_pages(GFP_NOWAIT | __GFP_COMP | __GFP_NORETRY, get_order(SHARE_BYTES));
	r->size = max_t(u32, SHARE_BYTES, PAGE_SIZE);
	if (!r->block) {
		r->block = alloc_page(GFP_ATOMIC | __GFP_NOWARN);
		r->size = PAGE_SIZE;
	}
	r->used = 0;
	return r->block;
}

/* Memory is short: a page of the caller's own, for which he may wait. */
static struct page *own_page(u32 want, u32 *off, u32 *len, gfp_t gfp)
{
	*off = 0;
	*len = min_t(u32, want, PAGE_SIZE);
	return gfpflags_allow_blocking(gfp) ? alloc_page(gfp) : NULL;
}

struct page *packet_share_get(u32 want, u32 *off, u32 *len, gfp_t gfp)
{
	struct recycle *r;
	struct page *page;

	preempt_disable();
	r = this_cpu_ptr(&recycle);
	if ((!r->block || r->used == r->size) && !share_refill(r)) {
		preempt_enable();
		return own_page(want, off, len, gfp);
	}
	page = r->block;
	get_page(page);
	*off = r->used;
	*len = min(want, r->size - r->used);
	r->used = min(r->used + packet_share(*len), r->size);
	preempt_enable();
	return page;
}

static unsigned long count_heads(struct shrinker *s, struct shrink_control *sc)
{
	unsigned long n = 0;
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		n += READ_ONCE(per_cpu_ptr(&recycle, cpu)->nr);
	return n ?: SHRINK_EMPTY;
}

static unsigned long free_heads(struct shrinker *s, struct shrink_control *sc)
{
	unsigned long n = 0;
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		struct recycle *r = per_cpu_ptr(&recycle, cpu);
		struct packet *p, *next;

		spin_lock(&r->lock);
		p = r->heads;
		r->heads = NULL;
		n += r->nr;
		r->nr = 0;
		spin_unlock(&r->lock);
		for (; p; p = next) {
			next = (struct packet *)p->list.next;
			kmem_cache_free(heads_cache, p);
		}
	}
	return n ?: SHRINK_STOP;
}

static struct shrinker shrinker = { .count_objects = count_heads, .scan_objects = free_heads };

static int shrinker_init(void)
{
	register_shrinker(&shrinker, "packet");
	return 0;
}
INITCALL(sched, shrinker_init);

static int recycle_init(void)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		spin_lock_init(&per_cpu_ptr(&recycle, cpu)->lock);
	heads_cache = kmem_cache_create("packet", sizeof(struct packet), L1_CACHE_BYTES,
					SLAB_HWCACHE_ALIGN | SLAB_PANIC, NULL);
	return 0;
}
INITCALL(core, recycle_init);
