// SPDX-License-Identifier: MIT
#pragma once
/*
 * A folio is one or more (2^order) contiguous pages of user-visible memory handled as one: page
 * cache, anonymous memory or shmem. struct folio is the head struct page under another name.
 *
 * Three counts are separate: refcount (who may touch it), mapcount (page table entries that map
 * any part of it) and pins (GUP/DMA/guest; a refcount bias of FOLIO_PIN_BIAS each).
 * The page cache holds one reference a page; each mapping entry holds one; each LRU list none.
 *
 * mapping word: 0, a struct address_space *, or a struct anon_family * | FOLIO_ANON (mm/rmap.h).
 */
#include <lib/types.h>
#include <lib/minmax.h>
#include <lib/bits.h>
#include <alloc/page.h>

struct address_space;
struct anon_family;

struct folio {
	struct page page;
};

#define FOLIO_ANON	1ul
#define FOLIO_PIN_BIAS	1024
/* Of the page cache: its index has a folio in one node. */
#define FOLIO_MAX_ORDER	6u

#define page_folio(p)	((struct folio *)compound_head(p))

static inline struct folio *pfn_folio(unsigned long pfn)
{
	return page_folio(pfn_to_page(pfn));
}
static inline struct page *folio_page(struct folio *folio, unsigned long n)
{
	return &folio->page + n;
}
static inline unsigned long folio_pfn(const struct folio *folio)
{
	return page_to_pfn(&folio->page);
}
static inline void *folio_address(const struct folio *folio)
{
	return page_address(&folio->page);
}
static inline unsigned int folio_order(struct folio *folio)
{
	return compound_order(&folio->page);
}
static inline unsigned long folio_nr_pages(struct folio *folio)
{
	return 1ul << folio_order(folio);
}
static inline size_t folio_size(struct folio *folio)
{
	return (size_t)PAGE_SIZE << folio_order(folio);
}
static inline pgoff_t folio_index(const struct folio *folio)
{
	return page_index(&folio->page);
}
static inline loff_t folio_pos(const struct folio *folio)
{
	return (loff_t)folio_index(folio) << PAGE_SHIFT;
}
/* The file offset just past FOLIO: 2^63, more than a loff_t holds, for the last page of a file. */
static inline u64 folio_end(struct folio *folio)
{
	return (u64)folio_pos(folio) + folio_size(folio);
}
static inline int folio_ref_count(const struct folio *folio)
{
	return atomic_read(&folio->page.refcount);
}
static inline int folio_mapcount(const struct folio *folio)
{
	int n = atomic_read(&folio->page.mapcount);

	return n > 0 ? n : 0;
}
/* How often one of its pages is mapped, on average: a folio has one count. */
static inline int folio_page_mapcount(struct folio *folio)
{
	return (int)DIV_ROUND_UP((unsigned long)folio_mapcount(folio), folio_nr_pages(folio));
}
static inline bool folio_mapped(const struct folio *folio)
{
	return folio_mapcount(folio) > 0;
}

/* References. folio_put() of the last one frees. */
void __folio_put(struct folio *folio);
static inline void folio_get(struct folio *folio)
{
	atomic_inc(&folio->page.refcount);
}
static inline void folio_ref_add(struct folio *folio, int nr)
{
	atomic_add(nr, &folio->page.refcount);
}
/* A reference from none: false if the folio is free or frozen. Under RCU. */
static inline bool folio_try_get(struct folio *folio)
{
	return atomic_add_unless(&folio->page.refcount, 1, 0);
}
/* The same for a folio of the page cache, whose reference most often is the only one. */
static inline bool folio_try_get_cached(struct folio *folio)
{
	int only = 1;

	return likely(atomic_try_cmpxchg(&folio->page.refcount, &only, 2)) || folio_try_get(folio);
}
static inline void folio_put(struct folio *folio)
{
	if (atomic_dec_and_test(&folio->page.refcount))
		__folio_put(folio);
}
static inline void folio_put_refs(struct folio *folio, int refs)
{
	if (atomic_sub_and_test(refs, &folio->page.refcount))
		__folio_put(folio);
}
static inline void put_page(struct page *page)
{
	folio_put(page_folio(page));
}
static inline bool folio_maybe_dma_pinned(const struct folio *folio)
{
	return folio_ref_count(folio) >= FOLIO_PIN_BIAS;
}

/* Flags. */
#define FOLIO_FLAG(name, bit)							\
static inline bool folio_test_##name(const struct folio *folio)		\
{ return page_flag(&folio->page, bit); }					\
static inline void folio_set_##name(struct folio *folio)			\
{ page_set_flag(&folio->page, bit); }						\
static inline void folio_clear_##name(struct folio *folio)			\
{ page_clear_flag(&folio->page, bit); }					\
static inline bool folio_test_set_##name(struct folio *folio)			\
{ return atomic64_fetch_or(1l << (bit), &folio->page.flags) >> (bit) & 1; }	\
static inline bool folio_test_clear_##name(struct folio *folio)		\
{ return atomic64_fetch_andnot(1l << (bit), &folio->page.flags) >> (bit) & 1; }
FOLIO_FLAG(locked, PG_locked)
FOLIO_FLAG(waiters, PG_waiters)
FOLIO_FLAG(dirty_raw, PG_dirty)		/* use folio_mark_dirty() */
FOLIO_FLAG(referenced, PG_referenced)
FOLIO_FLAG(active, PG_active)
FOLIO_FLAG(lru, PG_lru)
FOLIO_FLAG(swapbacked, PG_swapbacked)
FOLIO_FLAG(mlocked, PG_mlocked)
FOLIO_FLAG(readahead, PG_readahead)
FOLIO_FLAG(owner, PG_error)
#define folio_test_dirty(f)	folio_test_dirty_raw(f)
static inline bool folio_test_writeback(const struct folio *folio)
{
	return page_flag(&folio->page, PG_writeback);
}
/* Pairs with the release in folio_mark_uptodate(): contents are visible when the flag is. */
static inline bool folio_test_uptodate(const struct folio *folio)
{
	bool up = page_flag(&folio->page, PG_uptodate);

	if (up)
		smp_rmb();
	return up;
}
/* Valid, with neither readahead's mark nor an owner's: folio_test_uptodate() and two more, by one look at the flags. */
static inline bool folio_is_plain(const struct folio *folio)
{
	const u64 mask = 1ull << PG_uptodate | 1ull << PG_readahead | 1ull << PG_error;
	bool plain = ((u64)atomic64_read(&folio->page.flags) & mask) == 1ull << PG_uptodate;

	smp_rmb();
	return plain;
}
static inline void folio_mark_uptodate(struct folio *folio)
{
	smp_wmb();
	page_set_flag(&folio->page, PG_uptodate);
}
static inline void folio_clear_uptodate(struct folio *folio)
{
	page_clear_flag(&folio->page, PG_uptodate);
}
static inline bool folio_test_anon(const struct folio *folio)
{
	return READ_ONCE(folio->page.mapping) & FOLIO_ANON;
}
static inline struct anon_family *folio_family(const struct folio *folio)
{
	u64 m = READ_ONCE(folio->page.mapping);

	return m & FOLIO_ANON ? (struct anon_family *)(uintptr_t)(m & ~FOLIO_ANON) : NULL;
}
/* The file the folio belongs to; NULL if anonymous or truncated. Stable under the folio lock. */
static inline struct address_space *folio_mapping(const struct folio *folio)
{
	u64 m = READ_ONCE(folio->page.mapping);

	return m & FOLIO_ANON ? NULL : (struct address_space *)(uintptr_t)m;
}

/* The folio lock: sleeps; owned by whoever set the bit, may be released by I/O completion. */
void __folio_lock(struct folio *folio);
int __folio_lock_killable(struct folio *folio);
void folio_unlock(struct folio *folio);
static inline bool folio_trylock(struct folio *folio)
{
	return !(__atomic_fetch_or(&folio->page.flags.counter, 1l << PG_locked, __ATOMIC_ACQUIRE) & (1l << PG_locked));
}
static inline void folio_lock(struct folio *folio)
{
	if (!folio_trylock(folio))
		__folio_lock(folio);
}
static inline int folio_lock_killable(struct folio *folio)
{
	return folio_trylock(folio) ? 0 : __folio_lock_killable(folio);
}
void folio_wait_locked(struct folio *folio);
int folio_wait_locked_killable(struct folio *folio);
void folio_wait_writeback(struct folio *folio);
/* End of a read: mark up to date if ok, unlock. Any context. */
void folio_end_read(struct folio *folio, bool ok);

/* A new folio with one reference: GFP as for alloc_pages. */
struct folio *folio_alloc(gfp_t gfp, unsigned int order);

/* LRU (mm/lru.c): put a new folio on its list; batched per CPU. */
void folio_add_lru(struct folio *folio);
void folio_mark_accessed(struct folio *folio);
void folio_deactivate(struct folio *folio);
void lru_add_drain(void);
void lru_add_drain_all(void);

/* Bytes [start, start+len) of the folio to zero. */
void folio_zero_range(struct folio *folio, size_t start, size_t len);
