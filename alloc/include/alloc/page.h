// SPDX-License-Identifier: MIT
#pragma once
/*
 * struct page: 32 bytes for each page frame of RAM, in a virtually mapped array (vmemmap) that
 * is populated only where there is RAM. The buddy allocator's interface.
 *
 * A page's owner decides what its words mean:
 *   free in the buddy lists   mapcount = PAGE_TYPE_BUDDY, index = order, links = free list
 *   slab                      see struct slab in alloc/slab_priv.h
 *   folio (user memory)       see mm/folio.h
 *   anything else             refcount only
 * Tail pages of a compound allocation (__GFP_COMP, order > 0) have mapcount = PAGE_TYPE_TAIL and
 * their mapping word points at the head; the order lies in the first tail's index.
 */
#include <lib/types.h>
#include <lib/atomic.h>
#include <arch/page.h>
#include <alloc/gfp.h>


struct page {
	atomic_t	refcount;	/* 0: free, or frozen by its owner */
	atomic_t	mapcount;	/* >= 0: page table entries that map it; < 0: PAGE_TYPE_* */
	u64		mapping;	/* owner, tagged (PAGE_MAPPING_*) */
	atomic64_t	flags;		/* bits 0..12: PG_*; bits 13..63: index (51 bits) */
	u32		lru_next;	/* links by page frame number, 0 ends a list */
	u32		lru_prev;
};
_Static_assert(sizeof(struct page) == 32, "struct page is 32 bytes");

enum pageflags {
	PG_locked,		/* I/O, truncation, or change of identity in progress */
	PG_waiters,		/* somebody sleeps on this folio's lock or writeback */
	PG_uptodate,		/* contents are valid */
	PG_dirty,		/* newer than its file */
	PG_writeback,		/* being written to its file */
	PG_referenced,		/* used since the last scan */
	PG_active,		/* on the active list */
	PG_lru,			/* on (or on its way to) an LRU list */
	PG_swapbacked,		/* anonymous or shmem: nowhere to write it back to */
	PG_mlocked,		/* unevictable */
	PG_head,		/* head of a compound page */
	PG_readahead,		/* reading it starts the next readahead */
	PG_error,		/* owner-private: slab pfmemalloc, cache error, adopted shmem */
	PG_index_shift = 13,
};
#define PG_FLAGS_MASK	((1ul << PG_index_shift) - 1)

/* Page types, kept in mapcount when the page cannot be mapped to user space. */
#define PAGE_TYPE_BUDDY		(-16)
#define PAGE_TYPE_SLAB		(-17)
#define PAGE_TYPE_TABLE		(-18)
#define PAGE_TYPE_RESERVED	(-19)	/* never enters the allocator (image, firmware) */
#define PAGE_TYPE_KMALLOC	(-20)	/* large kmalloc; index = order */
#define PAGE_TYPE_TAIL		(-21)
#define PAGE_TYPE_PCP		(-22)	/* on a CPU's page list; builds with the leak scanner alone say so */

#define MAX_PAGE_ORDER		10
#define NR_PAGE_ORDERS		(MAX_PAGE_ORDER + 1)

enum zone_type { ZONE_DMA, ZONE_DMA32, ZONE_NORMAL, MAX_NR_ZONES };

/* pfn <-> page <-> virtual <-> physical. vmemmap base comes from arch/page.h (VMEMMAP_START). */
#define vmemmap			((struct page *)VMEMMAP_START)

static inline struct page *pfn_to_page(unsigned long pfn)
{
	return vmemmap + pfn;
}
static inline unsigned long page_to_pfn(const struct page *page)
{
	return (unsigned long)(page - vmemmap);
}
static inline phys_addr_t page_to_phys(const struct page *page)
{
	return (phys_addr_t)page_to_pfn(page) << PAGE_SHIFT;
}
static inline struct page *phys_to_page(phys_addr_t pa)
{
	return pfn_to_page(pa >> PAGE_SHIFT);
}
static inline void *page_address(const struct page *page)
{
	return phys_to_virt(page_to_phys(page));
}
#define page_to_virt(page)	page_address(page)
/* addr: an address of the linear map or of the kernel image. */
static inline struct page *virt_to_page(const void *addr)
{
	return phys_to_page(virt_to_phys(addr));
}

/* True where a struct page exists (RAM known to the allocator, reserved frames included). */
bool pfn_valid(unsigned long pfn);

static inline bool page_flag(const struct page *page, unsigned int bit)
{
	return (u64)atomic64_read(&page->flags) >> bit & 1;
}
static inline void page_set_flag(struct page *page, unsigned int bit)
{
	atomic64_or(1l << bit, &page->flags);
}
static inline void page_clear_flag(struct page *page, unsigned int bit)
{
	atomic64_andnot(1l << bit, &page->flags);
}
static inline pgoff_t page_index(const struct page *page)
{
	return (u64)atomic64_read(&page->flags) >> PG_index_shift;
}
static inline int page_type(const struct page *page)
{
	return atomic_read(&page->mapcount);
}
static inline bool page_is_tail(const struct page *page)
{
	return page_type(page) == PAGE_TYPE_TAIL;
}
static inline struct page *compound_head(struct page *page)
{
	return unlikely(page_is_tail(page)) ? (struct page *)(uintptr_t)page->mapping : page;
}
static inline unsigned int compound_order(struct page *head)
{
	return likely(!page_flag(head, PG_head)) ? 0 : (unsigned int)page_index(head + 1);
}
#define PageReserved(page)	(page_type(page) == PAGE_TYPE_RESERVED)
#define PageSlab(page)		(page_type(page) == PAGE_TYPE_SLAB)
#define PageBuddy(page)		(page_type(page) == PAGE_TYPE_BUDDY)

static inline int page_ref_count(const struct page *page)
{
	return atomic_read(&page->refcount);
}

/*
 * Allocate 2^order pages. With __GFP_COMP they form one folio freed by its last reference; without,
 * the caller frees with the same order. May sleep if __GFP_DIRECT_RECLAIM. NULL when out of memory;
 * GFP_KERNEL requests of order <= 3 rather wait for the OOM killer.
 */
struct page *alloc_pages(gfp_t gfp, unsigned int order);
static inline struct page *alloc_page(gfp_t gfp)
{
	return alloc_pages(gfp, 0);
}
/* Drop a reference; the last one frees. order must be the one allocated with (ignored for compound). */
void __free_pages(struct page *page, unsigned int order);
#define __free_page(page)	__free_pages(page, 0)
/* Up to nr order-0 pages into array; returns how many. Cheap. */
unsigned int alloc_pages_bulk(gfp_t gfp, unsigned int nr, struct page **array);
/*
 * 2^order pages that lie one behind the other, each with a reference of its own and freed alone. Only of what is free above the low
 * watermark, without waiting: NULL says no more than that single pages must do.
 */
struct page *alloc_pages_adjacent(gfp_t gfp, unsigned int order);
/* The same as one compound page with one reference. ORDER is not 0. */
struct page *alloc_pages_spare(gfp_t gfp, unsigned int order);
/*
 * A compound page of 2^ORDER, not 0, becomes single pages. The head keeps its words but for PG_head; the others are as new, without a reference.
 * No one else may look at any of them.
 */
void split_compound(struct page *head, unsigned int order);
/* Free nr order-0 pages whose last reference the caller dropped (refcount is 0). */
void free_unref_page(struct page *page);
void free_unref_pages(struct page **pages, unsigned int nr);
void free_unref_compound(struct page *head);

/* Linear-map address variants; 0 on failure. */
unsigned long __get_free_pages(gfp_t gfp, unsigned int order);
#define __get_free_page(gfp)	__get_free_pages(gfp, 0)
#define get_zeroed_page(gfp)	__get_free_pages((gfp) | __GFP_ZERO, 0)
void free_pages(unsigned long addr, unsigned int order);
#define free_page(addr)		free_pages(addr, 0)
/* Exactly size bytes (rounded up to pages) of contiguous memory. */
void *alloc_pages_exact(size_t size, gfp_t gfp);
void free_pages_exact(void *virt, size_t size);

static inline void get_page(struct page *page)
{
	atomic_inc(&compound_head(page)->refcount);
}
/* Last reference to anything that is not an LRU folio; folios use folio_put(). */
void put_page_plain(struct page *page);

static inline unsigned int get_order(size_t size)
{
	size = (size - 1) >> PAGE_SHIFT;
	return size ? 64 - (unsigned int)__builtin_clzl(size) : 0;
}

void clear_page(void *page);
void copy_page(void *to, const void *from);

/* Boot: build vmemmap and zones from lib/memblock and take over free memory. Called once. */
void page_alloc_init(void);
/* Give a boot-reserved range (initramfs, init sections) to the allocator. */
void free_reserved_area(phys_addr_t start, phys_addr_t end);

unsigned long totalram_pages(void);		/* pages the allocator ever managed */
unsigned long nr_free_pages(void);		/* free, per-CPU lists included */
unsigned long nr_free_buffer_pages(void);	/* above the high watermarks */
unsigned long totalreserve_pages(void);
bool memory_is_low(void);			/* a zone under its low watermark */
extern unsigned long max_pfn;

struct zone_info {
	const char *name;
	unsigned long start_pfn, spanned, managed, free, pcp, wmark_min, wmark_low, wmark_high;
	unsigned long nr_free[NR_PAGE_ORDERS];
};
/* Snapshot of zone z (for /proc/buddyinfo, zoneinfo); false if the zone is empty. */
bool zone_info(enum zone_type z, struct zone_info *out);

/* Return pages on per-CPU lists to the buddy (all CPUs: asks each). */
void drain_all_pages(void);
void drain_local_pages(void);
/* A reserved page is in use by somebody who will free it to the allocator: count it as managed. */
void page_adopt_managed(struct page *page);
