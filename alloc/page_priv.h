// SPDX-License-Identifier: MIT
#pragma once
/* Inside the page allocator: zones, buddy lists, per-CPU page stacks. */
#include <alloc/page.h>
#include <kernel/spinlock.h>
#include <arch/percpu.h>

/*
 * A doubly linked list of pages by frame number; frame 0 is never in the allocator, so 0 ends it.
 */
struct page_list {
	u32 head;
	u32 nr;
};

struct zone {
	spinlock_t lock;		/* interrupts off */
	unsigned long free;		/* (lock; read without) pages in the buddy lists */
	unsigned long wmark_min, wmark_low, wmark_high;	/* pages, constant after boot */
	unsigned long reserve;		/* kept for requests that can use only this zone */
	unsigned long managed, start_pfn, end_pfn;
	struct page_list area[NR_PAGE_ORDERS];	/* (lock) */
	const char *name;
};
extern struct zone zones[MAX_NR_ZONES];
/*
 * Whether requests for any zone will soon find too little in all of Z: what a zone keeps for those
 * that can use no other does not count.
 */
bool zones_are_low(const struct zone *z);

#define DMA_END_PFN	((16ul << 20) >> PAGE_SHIFT)
#define DMA32_END_PFN	((4ul << 30) >> PAGE_SHIFT)

static inline enum zone_type pfn_zone(unsigned long pfn)
{
	if (pfn >= DMA32_END_PFN)
		return ZONE_NORMAL;
	return pfn >= DMA_END_PFN ? ZONE_DMA32 : ZONE_DMA;
}

/* Per-CPU stack of free order-0 pages. busy: an interrupt that finds it set goes to the buddy. */
#define PCP_MAX		512
#define PCP_BATCH	32
struct pcp {
	u8 busy;
	u8 pad;
	u16 nr;
	u32 high;
	struct page *page[PCP_MAX];
};

/* buddy.c: zone lock held. */
void buddy_free(struct zone *z, unsigned long pfn, unsigned int order);
struct page *buddy_alloc(struct zone *z, unsigned int order);
/* Free [start, end) as the largest aligned blocks. Boot and free_reserved_area. */
void buddy_free_range(unsigned long start_pfn, unsigned long end_pfn);
void page_alloc_set_watermarks(void);

#ifdef CONFIG_KMEMLEAK
/* The I-th run of frames that have a struct page, whole blocks. False: there are no more. */
bool ram_run(unsigned int i, unsigned long *start, unsigned long *end);
#endif

/* The words of a page as its next owner expects them. */
static inline void page_prep(struct page *page)
{
	page->mapcount.counter = 0;
	page->mapping = 0;
	page->flags.counter = 0;
}
