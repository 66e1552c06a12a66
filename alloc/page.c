// SPDX-License-Identifier: MIT
/*
 * The page allocator: a stack of free pages on each CPU in front of the zones' buddy lists.
 *
 * Fast path (order 0, no zone constraint): pop from this CPU's stack, preemption off, no atomics.
 * An interrupt that hits in the middle sees pcp->busy and goes to the buddy. Watermarks are looked
 * at only where the stack is refilled, so a CPU may hold back at most PCP_MAX pages.
 *
 * Slow path: zones from the highest allowed down, keeping lowmem reserves; below the low watermark
 * kswapd is woken; below min the caller reclaims by itself (reclaim_direct), and when nothing is
 * left asks for a process to be killed. Requests of order <= 3 that may sleep do not fail unless the
 * caller is itself the victim or said NORETRY / RETRY_MAYFAIL. Requests that may not enter a file system
 * (NOFS, NOIO) retry while other tasks and kswapd reclaim more than they can. After about four seconds
 * without success they ask for a kill too: there may be no other task that allocates and would ask.
 *
 * Locks: zone->lock (interrupts off) guards the buddy lists and is a leaf.
 */
#include <alloc/page.h>
#include <alloc/kasan.h>
#include <alloc/upcalls.h>
#include <kernel/percpu.h>
#include <kernel/cpumask.h>
#include <kernel/printk.h>
#include <kernel/irq.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include "page_priv.h"

struct zone zones[MAX_NR_ZONES] = {
	[ZONE_DMA] = { .name = "DMA", .lock = __SPIN_LOCK_UNLOCKED(zone), .start_pfn = 0,
		       .end_pfn = DMA_END_PFN },
	[ZONE_DMA32] = { .name = "DMA32", .lock = __SPIN_LOCK_UNLOCKED(zone),
			 .start_pfn = DMA_END_PFN, .end_pfn = DMA32_END_PFN },
	[ZONE_NORMAL] = { .name = "Normal", .lock = __SPIN_LOCK_UNLOCKED(zone),
			  .start_pfn = DMA32_END_PFN, .end_pfn = ~0ul },
};
unsigned long max_pfn;
static unsigned int pcp_high = PCP_MAX;

static DEFINE_PER_CPU(struct pcp, page_pcp);

void clear_page(void *page)
{
	arch_clear_page(page);
}

void copy_page(void *to, const void *from)
{
	arch_copy_page(to, from);
}

static enum zone_type gfp_zone(gfp_t gfp)
{
	if (gfp & __GFP_DMA)
		return ZONE_DMA;
	return gfp & __GFP_DMA32 ? ZONE_DMA32 : ZONE_NORMAL;
}

/* How far a request may dig into a zone. */
enum wmark { WMARK_LOW, WMARK_MIN, WMARK_HARDER, WMARK_NONE };

static bool zone_has(const struct zone *z, unsigned int order, enum wmark w, bool fallback)
{
	unsigned long need = 1ul << order, mark = 0;

	if (w == WMARK_LOW)
		mark = z->wmark_low;
	else if (w == WMARK_MIN)
		mark = z->wmark_min;
	else if (w == WMARK_HARDER)
		mark = z->wmark_min / 2;
	if (fallback && w != WMARK_NONE)
		mark += z->reserve;
	return READ_ONCE(z->free) >= need + mark;
}

/* One block from the first zone that has it. */
static struct page *take(gfp_t gfp, unsigned int order, enum wmark w)
{
	enum zone_type top = gfp_zone(gfp);

	for (int i = (int)top; i >= 0; i--) {
		struct zone *z = &zones[i];
		struct page *page;
		unsigned long flags;

		if (!z->managed || !zone_has(z, order, w, i < (int)top))
			continue;
		spin_lock_irqsave(&z->lock, flags);
		page = buddy_alloc(z, order);
		spin_unlock_irqrestore(&z->lock, flags);
		if (page)
			return page;
	}
	return NULL;
}

/* Up to want single pages into out, all from one zone, under one lock. */
static unsigned int take_bulk(gfp_t gfp, unsigned int want, struct page **out)
{
	enum zone_type top = gfp_zone(gfp);

	for (int i = (int)top; i >= 0; i--) {
		struct zone *z = &zones[i];
		unsigned int got = 0;
		unsigned long flags;

		if (!z->managed || !zone_has(z, 5, WMARK_LOW, i < (int)top))
			continue;
		spin_lock_irqsave(&z->lock, flags);
		while (got < want) {
			struct page *page = buddy_alloc(z, 0);

			if (!page)
				break;
			out[got++] = page;
		}
		spin_unlock_irqrestore(&z->lock, flags);
		if (got)
			return got;
	}
	return 0;
}

/* How often a request without __GFP_FS tries, a tick each time, before it asks for a kill. */
#define NOFS_PATIENCE	1024u

static struct page *page_alloc_slow(gfp_t gfp, unsigned int order)
{
	unsigned int tries = 0, idle = 0;
	struct page *page;

	page = take(gfp, order, WMARK_LOW);
	if (page)
		return page;
	if (gfp & __GFP_KSWAPD_RECLAIM)
		reclaim_wake_kswapd();
	page = take(gfp, order, gfp & __GFP_HIGH ? WMARK_HARDER : WMARK_MIN);
	if (page)
		return page;
	if (gfp & __GFP_MEMALLOC || alloc_task_is_memalloc())
		return take(gfp, order, WMARK_NONE);
	if (!(gfp & __GFP_DIRECT_RECLAIM))
		return gfp & __GFP_HIGH ? take(gfp, order, WMARK_NONE) : NULL;
	for (;;) {
		unsigned long freed;

		freed = reclaim_direct(gfp, order);
		page = take(gfp, order, WMARK_MIN);
		if (page)
			return page;
		drain_all_pages();
		page = take(gfp, order, WMARK_MIN);
		if (page)
			return page;
		if (alloc_task_is_oom_victim()) {
			page = take(gfp, order, WMARK_NONE);
			if (page || !(gfp & __GFP_NOFAIL))
				return page;
		}
		if (gfp & __GFP_NORETRY)
			return NULL;
		if (freed && tries++ < 16 && (order <= 3 || tries < 4))
			continue;
		/* Much is left whose locks others hold just now, perhaps waiting for this CPU: nobody need be killed for that. */
		if (order <= 3 && idle++ < 16 && reclaim_candidates() > 2 * totalreserve_pages()) {
			alloc_backoff();
			continue;
		}
		if (!(gfp & __GFP_NOFAIL) && (order > 3 || gfp & __GFP_RETRY_MAYFAIL))
			return NULL;
		/* Without __GFP_FS caches of file systems are out of reach: kswapd shrinks those. */
		if (gfp & __GFP_FS || tries++ > NOFS_PATIENCE) {
			if (!reclaim_out_of_memory(gfp, order) && !(gfp & __GFP_NOFAIL))
				return NULL;
			tries = idle = 0;
		}
		alloc_backoff();
	}
}

static __cold void warn_alloc(gfp_t gfp, unsigned int order)
{
	static atomic_t said;

	if (gfp & __GFP_NOWARN || atomic_inc_return(&said) > 10)
		return;
	pr_warn("alloc: page allocation failed: order %u, gfp %#x, %lu pages free\n", order, gfp,
		nr_free_pages());
}

/* Tails of a compound page point at the head. */
static void prep_compound(struct page *head, unsigned int order)
{
	head->flags.counter = 1l << PG_head;
	for (unsigned long i = 1; i < 1ul << order; i++) {
		struct page *tail = head + i;

		tail->refcount.counter = 0;
		tail->mapcount.counter = PAGE_TYPE_TAIL;
		tail->mapping = (uintptr_t)head;
		tail->flags.counter = (s64)order << PG_index_shift;
	}
}

static void zero_pages(struct page *page, unsigned int order)
{
	for (unsigned long i = 0; i < 1ul << order; i++)
		arch_clear_page(page_address(page + i));
}

/* The leak scanner must know what is on a CPU's list: what was in it is not what the kernel holds. */
static __always_inline void pcp_put(struct pcp *pcp, struct page *page)
{
#ifdef CONFIG_KMEMLEAK
	WRITE_ONCE(page->mapcount.counter, PAGE_TYPE_PCP);
#endif
	pcp->page[pcp->nr++] = page;
}

static __always_inline struct page *pcp_take(struct pcp *pcp)
{
	struct page *page = pcp->page[--pcp->nr];

#ifdef CONFIG_KMEMLEAK
	WRITE_ONCE(page->mapcount.counter, 0);
#endif
	return page;
}

static noinline struct page *alloc_order0_refill(gfp_t gfp)
{
	struct page *batch[PCP_BATCH];
	unsigned int got, keep;
	struct page *page;
	struct pcp *pcp;

	got = take_bulk(gfp, min_t(unsigned int, PCP_BATCH, max(pcp_high / 2, 1u)), batch);
	if (!got) {
		gfp &= alloc_task_gfp_mask();
		page = page_alloc_slow(gfp, 0);
		if (!page)
			warn_alloc(gfp, 0);
		return page;
	}
	page = batch[--got];
	preempt_disable();
	pcp = this_cpu_ptr(&page_pcp);
	if (!pcp->busy) {
		pcp->busy = 1;
		barrier();
		keep = min(got, PCP_MAX - pcp->nr);
		for (unsigned int i = 0; i < keep; i++)
			pcp_put(pcp, batch[--got]);
		barrier();
		pcp->busy = 0;
	}
	preempt_enable();
	while (got)
		free_unref_page(batch[--got]);
	return page;
}

static __always_inline struct page *alloc_order0(gfp_t gfp)
{
	struct page *page = NULL;
	struct pcp *pcp;

	if (likely(!(gfp & (__GFP_DMA | __GFP_DMA32)))) {
		preempt_disable();
		pcp = this_cpu_ptr(&page_pcp);
		if (likely(!pcp->busy)) {
			pcp->busy = 1;
			barrier();
			if (likely(pcp->nr))
				page = pcp_take(pcp);
			barrier();
			pcp->busy = 0;
		}
		preempt_enable();
		if (unlikely(!page))
			page = alloc_order0_refill(gfp);
	} else {
		gfp &= alloc_task_gfp_mask();
		page = page_alloc_slow(gfp, 0);
	}
	return page;
}

struct page *alloc_pages(gfp_t gfp, unsigned int order)
{
	struct page *page;

#ifdef CONFIG_FAULT_INJECTION
	if (unlikely(fault_pages(gfp, order)))
		return NULL;
#endif
	if (likely(order == 0)) {
		page = alloc_order0(gfp);
		if (unlikely(!page))
			return NULL;
	} else {
		if (order > MAX_PAGE_ORDER)
			return NULL;
		gfp &= alloc_task_gfp_mask();
		page = page_alloc_slow(gfp, order);
		if (!page) {
			warn_alloc(gfp, order);
			return NULL;
		}
		if (gfp & __GFP_COMP)
			prep_compound(page, order);
	}
	page->refcount.counter = 1;
	kasan_unpoison(page_address(page), PAGE_SIZE << order);
	if (gfp & __GFP_ZERO)
		zero_pages(page, order);
	return page;
}

unsigned int alloc_pages_bulk(gfp_t gfp, unsigned int nr, struct page **array)
{
	unsigned int got = 0;

	while (got < nr) {
		array[got] = alloc_pages(gfp, 0);
		if (!array[got])
			break;
		got++;
	}
	return got;
}

static void free_to_buddy(struct page *page, unsigned int order)
{
	unsigned long pfn = page_to_pfn(page), flags;
	struct zone *z = &zones[pfn_zone(pfn)];

	spin_lock_irqsave(&z->lock, flags);
	buddy_free(z, pfn, order);
	spin_unlock_irqrestore(&z->lock, flags);
}

/* pcp is full and busy is ours: give the older part back. */
static noinline void pcp_spill(struct pcp *pcp, unsigned int keep)
{
	unsigned int n = pcp->nr - keep;
	struct zone *locked = NULL;
	unsigned long flags = 0;

	for (unsigned int i = 0; i < n; i++) {
		unsigned long pfn = page_to_pfn(pcp->page[i]);
		struct zone *z = &zones[pfn_zone(pfn)];

		if (z != locked) {
			if (locked)
				spin_unlock_irqrestore(&locked->lock, flags);
			spin_lock_irqsave(&z->lock, flags);
			locked = z;
		}
		buddy_free(z, pfn, 0);
	}
	if (locked)
		spin_unlock_irqrestore(&locked->lock, flags);
	for (unsigned int i = 0; i < keep; i++)
		pcp->page[i] = pcp->page[i + n];
	pcp->nr = (u16)keep;
}

void free_unref_page(struct page *page)
{
	struct pcp *pcp;

	kasan_poison(page_address(page), PAGE_SIZE, KASAN_FREE_PAGE);
	page_prep(page);
	preempt_disable();
	pcp = this_cpu_ptr(&page_pcp);
	if (likely(!pcp->busy)) {
		pcp->busy = 1;
		barrier();
		if (unlikely(pcp->nr >= pcp_high))
			pcp_spill(pcp, pcp_high - pcp_high / 4);
		pcp_put(pcp, page);
		barrier();
		pcp->busy = 0;
		preempt_enable();
		return;
	}
	preempt_enable();
	free_to_buddy(page, 0);
}

void free_unref_pages(struct page **pages, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		free_unref_page(pages[i]);
}

static void free_block(struct page *page, unsigned int order)
{
	if (order == 0) {
		free_unref_page(page);
		return;
	}
	kasan_poison(page_address(page), PAGE_SIZE << order, KASAN_FREE_PAGE);
	page_prep(page);
	free_to_buddy(page, order);
}

void free_unref_compound(struct page *head)
{
	unsigned int order = compound_order(head);

	for (unsigned long i = 1; i < 1ul << order; i++)
		page_prep(head + i);
	free_block(head, order);
}

void __free_pages(struct page *page, unsigned int order)
{
	if (!atomic_dec_and_test(&page->refcount))
		return;
	if (page_flag(page, PG_head))
		free_unref_compound(page);
	else
		free_block(page, order);
}

void put_page_plain(struct page *page)
{
	__free_pages(compound_head(page), 0);
}

unsigned long __get_free_pages(gfp_t gfp, unsigned int order)
{
	struct page *page = alloc_pages(gfp, order);

	return page ? (unsigned long)page_address(page) : 0;
}

void free_pages(unsigned long addr, unsigned int order)
{
	if (addr)
		__free_pages(virt_to_page((void *)addr), order);
}

/* The pages of a block each get a reference and a life of their own; the first has them. */
static void split_block(struct page *page, unsigned int order)
{
	for (unsigned long i = 1; i < 1ul << order; i++) {
		page_prep(page + i);
		page[i].refcount.counter = 1;
	}
}

void split_compound(struct page *head, unsigned int order)
{
	for (unsigned long i = 1; i < 1ul << order; i++)
		page_prep(head + i);
	page_clear_flag(head, PG_head);
}

struct page *alloc_pages_spare(gfp_t gfp, unsigned int order)
{
	struct page *page;

#ifdef CONFIG_FAULT_INJECTION
	if (unlikely(fault_pages(gfp, order)))
		return NULL;
#endif
	page = take(gfp & alloc_task_gfp_mask(), order, WMARK_LOW);
	if (!page)
		return NULL;
	prep_compound(page, order);
	page->refcount.counter = 1;
	kasan_unpoison(page_address(page), PAGE_SIZE << order);
	return page;
}

struct page *alloc_pages_adjacent(gfp_t gfp, unsigned int order)
{
	struct page *page = take(gfp & alloc_task_gfp_mask(), order, WMARK_LOW);

	if (!page)
		return NULL;
	page->refcount.counter = 1;
	split_block(page, order);
	kasan_unpoison(page_address(page), PAGE_SIZE << order);
	return page;
}

void *alloc_pages_exact(size_t size, gfp_t gfp)
{
	unsigned int order = get_order(size);
	unsigned long used = PFN_UP(size);
	struct page *page = alloc_pages(gfp & ~__GFP_COMP, order);

	if (!page)
		return NULL;
	split_block(page, order);
	for (unsigned long i = used; i < 1ul << order; i++)
		__free_pages(page + i, 0);
	return page_address(page);
}

void free_pages_exact(void *virt, size_t size)
{
	struct page *page = virt_to_page(virt);

	for (unsigned long i = 0; i < PFN_UP(size); i++)
		__free_pages(page + i, 0);
}

void drain_local_pages(void)
{
	struct pcp *pcp;

	preempt_disable();
	pcp = this_cpu_ptr(&page_pcp);
	if (!pcp->busy) {
		pcp->busy = 1;
		barrier();
		pcp_spill(pcp, 0);
		barrier();
		pcp->busy = 0;
	}
	preempt_enable();
}

static void drain_ipi(void *arg)
{
	drain_local_pages();
}

void drain_all_pages(void)
{
	on_each_cpu(drain_ipi, NULL, true);
}

unsigned long totalram_pages(void)
{
	unsigned long n = 0;

	for (int i = 0; i < MAX_NR_ZONES; i++)
		n += zones[i].managed;
	return n;
}

static unsigned long pcp_pages(void)
{
	unsigned long n = 0;
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		n += READ_ONCE(per_cpu_ptr(&page_pcp, cpu)->nr);
	return n;
}

unsigned long nr_free_pages(void)
{
	unsigned long n = pcp_pages();

	for (int i = 0; i < MAX_NR_ZONES; i++)
		n += READ_ONCE(zones[i].free);
	return n;
}

unsigned long totalreserve_pages(void)
{
	unsigned long n = 0;

	for (int i = 0; i < MAX_NR_ZONES; i++)
		if (zones[i].managed)
			n += zones[i].wmark_high + (i < ZONE_NORMAL ? zones[i].reserve : 0);
	return n;
}

unsigned long nr_free_buffer_pages(void)
{
	unsigned long total = totalram_pages(), res = totalreserve_pages();

	return total > res ? total - res : 0;
}

bool zones_are_low(const struct zone *z)
{
	unsigned long free = 0, mark = 0;

	for (int i = 0; i < MAX_NR_ZONES; i++) {
		unsigned long n = READ_ONCE(z[i].free);

		free += n > z[i].reserve ? n - z[i].reserve : 0;
		mark += z[i].wmark_high;
	}
	return free < mark;
}

bool memory_is_low(void)
{
	return zones_are_low(zones);
}

bool zone_info(enum zone_type zt, struct zone_info *out)
{
	struct zone *z = &zones[zt];

	if (!z->managed)
		return false;
	*out = (struct zone_info){
		.name = z->name, .start_pfn = z->start_pfn, .managed = z->managed,
		.spanned = min(z->end_pfn, max_pfn) - z->start_pfn, .free = READ_ONCE(z->free),
		.wmark_min = z->wmark_min, .wmark_low = z->wmark_low, .wmark_high = z->wmark_high,
	};
	for (int o = 0; o < NR_PAGE_ORDERS; o++)
		out->nr_free[o] = READ_ONCE(z->area[o].nr);
	if (zt == ZONE_NORMAL || !zones[zt + 1].managed)
		out->pcp = pcp_pages();
	return true;
}

static unsigned long int_sqrt(unsigned long x)
{
	unsigned long r = 0, b = 1ul << 62;

	while (b > x)
		b >>= 2;
	for (; b; b >>= 2) {
		if (x >= r + b) {
			x -= r + b;
			r = (r >> 1) + b;
		} else {
			r >>= 1;
		}
	}
	return r;
}

/* min_free_kbytes = 4 * sqrt(KiB of memory), shared by size; low and high a quarter and a half above. */
void page_alloc_set_watermarks(void)
{
	unsigned long total = totalram_pages(), kb = total << (PAGE_SHIFT - 10);
	unsigned long min_pages = max(4 * int_sqrt(kb), 128ul) >> (PAGE_SHIFT - 10);
	unsigned long above = 0;

	if (!total)
		return;
	for (int i = MAX_NR_ZONES - 1; i >= 0; i--) {
		struct zone *z = &zones[i];

		z->wmark_min = min_pages * z->managed / total;
		z->wmark_low = z->wmark_min + z->wmark_min / 4 + 1;
		z->wmark_high = z->wmark_min + z->wmark_min / 2 + 2;
		z->reserve = min(above / 256, z->managed / 2);
		above += z->managed;
	}
	pcp_high = (unsigned int)clamp(total / 256, 16ul, (unsigned long)PCP_MAX);
}
