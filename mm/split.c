// SPDX-License-Identifier: MIT
/*
 * Large folios that are taken apart: when part of one is cut off, or is to leave the cache.
 *
 * A folio that no one else uses becomes single pages. "No one" is certain while its reference count
 * is frozen at 0, under the lock of the index: then it has no page table entry, no pin, no reader,
 * and a look-up that finds it in the index tries again. Each page becomes a folio with its part of
 * the state.
 *
 * One that is in use, because it is pinned or being copied from, stays. Its part is forgotten: no
 * longer valid and no longer dirty, to be read again. It is taken out of page tables first, and the
 * flag that it is valid as a whole is cleared, so that no translation of it is made; fault-around
 * looks at the flag again after it has set an entry.
 *
 * A direct write drops pages that have the old data although others of their folio are dirty or in
 * use, and a part that the device cannot read does not keep the rest from being read.
 */
#include "mm_priv.h"
#include "filemap_priv.h"
#include <mm/backing.h>

static u64 all_pages(unsigned int order)
{
	return order == 6 ? ~0ull : (1ull << (1u << order)) - 1;
}

static int tell(const struct mapping_ops *ops, struct folio_parts *p, enum folio_split_phase phase)
{
	return ops && ops->split_folio ? ops->split_folio(p, phase) : 0;
}

/*
 * Page I of a frozen folio becomes one; the index's lock is held. The head is the last, as the
 * others need it.
 */
static void make_page(struct address_space *mapping, const struct folio_parts *p, pgoff_t index,
		      unsigned int i, u64 keep)
{
	struct page *page = folio_page(p->folio, i);
	u64 flags = keep | 1ul << PG_locked | (u64)(index + i) << PG_index_shift;

	if (p->valid >> i & 1)
		flags |= 1ul << PG_uptodate;
	if (p->dirty >> i & 1)
		flags |= 1ul << PG_dirty;
	page->flags.counter = (s64)flags;
	page->mapping = (uintptr_t)mapping;
	/*
	 * The cache's reference and our caller's. Pairs with the look-up's: all of the above is
	 * seen.
	 */
	__atomic_store_n(&page->refcount.counter, 2, __ATOMIC_RELEASE);
}

/* Pages of a dirty folio that are not. */
static void account_clean(struct address_space *mapping, const struct folio_parts *p, pgoff_t index)
{
	u64 clean = all_pages(p->order) & ~p->dirty;

	if (mapping->flags & 1ul << AS_NO_WRITEBACK || !clean)
		return;
	backing_cleaned(mapping, (unsigned long)__builtin_popcountll(clean));
	for (; clean; clean &= clean - 1) {
		__xa_clear_mark(&mapping->i_pages, index + (pgoff_t)__builtin_ctzll(clean),
				CACHE_MARK_DIRTY);
		__xa_clear_mark(&mapping->i_pages, index + (pgoff_t)__builtin_ctzll(clean),
				CACHE_MARK_TOWRITE);
	}
}

/* The folio's count is frozen. */
static void split_frozen(struct address_space *mapping, struct folio_parts *p)
{
	struct folio *folio = p->folio;
	pgoff_t index = folio_index(folio);
	u64 flags = (u64)folio->page.flags.counter;

	p->valid = folio_test_uptodate(folio) ? all_pages(p->order) : 0;
	p->dirty = folio_test_dirty(folio) ? all_pages(p->order) : 0;
	tell(mapping->ops, p, FOLIO_SPLIT_NOW);
	if (!folio_test_dirty(folio))
		p->dirty = 0;
	if (flags & 1ul << PG_lru)
		lru_del(folio);
	if (flags & 1ul << PG_mlocked)
		mod_stat(NR_MLOCK, -(long)folio_nr_pages(folio));
	if (folio_test_dirty(folio))
		account_clean(mapping, p, index);
	split_compound(&folio->page, p->order);
	__xa_split_run(&mapping->i_pages, index, p->order, folio, sizeof(struct page));
	for (unsigned int i = 1u << p->order; i--;)
		make_page(mapping, p, index, i, flags & (1ul << PG_referenced | 1ul << PG_active));
}

bool folio_split(struct address_space *mapping, struct folio *folio)
{
	struct folio_parts p = { .folio = folio, .order = folio_order(folio) };
	int expected = (int)folio_nr_pages(folio) + 1;
	bool done;

	if (tell(mapping->ops, &p, FOLIO_SPLIT_BEGIN))
		return false;
	if (folio_mapped(folio))
		folio_unmap(folio);
	xa_lock_irq(&mapping->i_pages);
	done = atomic_cmpxchg(&folio->page.refcount, expected, 0) == expected;
	if (done)
		split_frozen(mapping, &p);
	xa_unlock_irq(&mapping->i_pages);
	tell(mapping->ops, &p, done ? FOLIO_SPLIT_DONE : FOLIO_SPLIT_FAILED);
	if (done && !(mapping->flags & 1ul << AS_UNEVICTABLE))
		for (unsigned int i = 0; i < 1u << p.order; i++)
			folio_add_lru((struct folio *)folio_page(folio, i));
	return done;
}

/* Some of FOLIO is no longer valid: no page table has any of it. */
static void invalid_in_part(struct folio *folio)
{
	folio_clear_uptodate(folio);
	smp_mb();	/* pairs with the one in filemap_map_pages */
	folio_unmap(folio);
}

/* N pages from FIRST on of a folio that stays whole. */
static void forget(struct address_space *mapping, struct folio *folio, unsigned long first,
		   unsigned long n)
{
	const struct mapping_ops *ops = mapping->ops;

	if (ops && ops->forget_part &&
	    !ops->forget_part(folio, first << PAGE_SHIFT, n << PAGE_SHIFT, false)) {
		invalid_in_part(folio);
	} else if (folio_test_dirty(folio) || mapping->flags & 1ul << AS_NO_WRITEBACK) {
		/* It has data that are nowhere else. */
		folio_zero_range(folio, first << PAGE_SHIFT, n << PAGE_SHIFT);
	} else {
		folio_truncate(mapping, folio);
	}
}

void folio_cut_pages(struct address_space *mapping, struct folio *folio, pgoff_t start, pgoff_t end)
{
	unsigned long nr = folio_nr_pages(folio);
	pgoff_t index = folio_index(folio);
	unsigned long first = start > index ? start - index : 0, last = min(end - index, nr);

	if (!folio_split(mapping, folio)) {
		forget(mapping, folio, first, last - first);
		return;
	}
	for (unsigned long i = 0; i < nr; i++) {
		struct folio *f = (struct folio *)folio_page(folio, i);

		if (i >= first && i < last)
			folio_truncate(mapping, f);
		if (i) {
			folio_unlock(f);
			folio_put(f);
		}
	}
}

/* Pages FIRST to LAST of a folio that stays whole, but for dirty ones. 0, -EBUSY. */
static int forget_clean(struct address_space *mapping, struct folio *folio, unsigned long first,
			unsigned long last)
{
	const struct mapping_ops *ops = mapping->ops;
	bool some = false;
	int e = 0;

	if (!ops || !ops->forget_part)
		return -EBUSY;
	for (unsigned long i = first; i <= last; i++) {
		if (ops->forget_part(folio, i << PAGE_SHIFT, PAGE_SIZE, true))
			e = -EBUSY;
		else
			some = true;
	}
	if (some)
		invalid_in_part(folio);
	return e;
}

int folio_drop_pages(struct address_space *mapping, struct folio *folio, pgoff_t start, pgoff_t end)
{
	unsigned long nr = folio_nr_pages(folio);
	pgoff_t index = folio_index(folio);
	unsigned long first = start > index ? start - index : 0, last = min(end - index, nr - 1);
	int e = 0;

	if (!folio_split(mapping, folio))
		return forget_clean(mapping, folio, first, last);
	for (unsigned long i = 0; i < nr; i++) {
		struct folio *f = (struct folio *)folio_page(folio, i);

		if (i >= first && i <= last && folio_test_dirty(f))
			e = -EBUSY;
		else if (i >= first && i <= last)
			folio_truncate(mapping, f);
		if (i) {
			folio_unlock(f);
			folio_put(f);
		}
	}
	return e;
}

int folio_read_apart(struct folio *folio)
{
	unsigned long nr = folio_nr_pages(folio);
	struct address_space *mapping;
	int ret = AOP_RETRY;

	folio_lock(folio);
	mapping = folio_mapping(folio);
	if (!mapping || folio_test_uptodate(folio)) {
		folio_unlock(folio);
		return AOP_RETRY;
	}
	folio_wait_writeback(folio);
	if (folio_split(mapping, folio)) {
		for (unsigned long i = 1; i < nr; i++) {
			folio_unlock((struct folio *)folio_page(folio, i));
			folio_put((struct folio *)folio_page(folio, i));
		}
	} else if (!folio_test_dirty(folio)) {
		folio_truncate(mapping, folio);
	} else {
		ret = -EIO;
	}
	folio_unlock(folio);
	return ret;
}
