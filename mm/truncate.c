// SPDX-License-Identifier: MIT
/*
 * Taking data out of the page cache: truncation, hole punching, invalidation.
 *
 * The size is changed first, then translations are removed, then folios. A fault that comes in between
 * either sees the new size or maps a folio that is locked or gone afterwards; folio_remove_and_unmap()
 * catches the latter.
 */
#include "mm_priv.h"
#include "filemap_priv.h"

static void invalidate(struct address_space *mapping, struct folio *folio, size_t off, size_t len)
{
	if (mapping->ops && mapping->ops->invalidate_folio)
		mapping->ops->invalidate_folio(folio, off, len);
}

void folio_truncate(struct address_space *mapping, struct folio *folio)
{
	if (folio_mapped(folio))
		folio_unmap(folio);
	invalidate(mapping, folio, 0, folio_size(folio));
	folio_cancel_dirty(folio);
	folio_remove_and_unmap(mapping, folio);
}

/* Zero a part of the page at index, if it is cached. */
static void zero_partial(struct address_space *mapping, pgoff_t index, size_t from, size_t to)
{
	struct folio *folio = filemap_lock_folio(mapping, index);
	size_t off;

	if (IS_ERR(folio))
		return;
	folio_wait_writeback(folio);
	off = (index - folio_index(folio)) << PAGE_SHIFT;
	folio_zero_range(folio, off + from, to - from);
	invalidate(mapping, folio, off + from, to - from);
	/* With a backing store the zeroes must reach it; the filesystem has the block. */
	if (!(mapping->flags & (1ul << AS_NO_WRITEBACK | 1ul << AS_ZEROES_PARTS)) && folio_test_uptodate(folio))
		folio_mark_dirty(folio);
	folio_unlock(folio);
	folio_put(folio);
}

void truncate_inode_pages_range(struct address_space *mapping, loff_t lstart, loff_t lend)
{
	size_t head = (size_t)lstart & (PAGE_SIZE - 1);
	bool to_end = lend == -1 || lend == LLONG_MAX;
	size_t tail = to_end ? 0 : (size_t)(lend + 1) & (PAGE_SIZE - 1);
	pgoff_t start = (pgoff_t)((u64)(lstart + (loff_t)PAGE_SIZE - 1) >> PAGE_SHIFT);
	pgoff_t end = to_end ? (~0ul >> PG_index_shift) + 1 : (pgoff_t)((u64)(lend + 1) >> PAGE_SHIFT);
	struct folio *batch[16];
	pgoff_t index;
	unsigned int n;

	if (!READ_ONCE(mapping->nrpages))
		return;
	if (head) {
		bool same = !to_end && (pgoff_t)lstart >> PAGE_SHIFT == (pgoff_t)(lend + 1) >> PAGE_SHIFT;

		zero_partial(mapping, (pgoff_t)lstart >> PAGE_SHIFT, head, same ? tail : PAGE_SIZE);
		if (same)
			return;
	}
	if (tail)
		zero_partial(mapping, end, 0, tail);
	if (start >= end)
		return;
	index = start;
	while (index < end && (n = filemap_get_folios(mapping, &index, end - 1, batch, ARRAY_SIZE(batch)))) {
		for (unsigned int i = 0; i < n; i++) {
			struct folio *folio = batch[i];

			folio_lock(folio);
			if (folio_mapping(folio) == mapping) {
				folio_wait_writeback(folio);
				if (folio_index(folio) >= start && folio_index(folio) + folio_nr_pages(folio) <= end)
					folio_truncate(mapping, folio);
				else
					folio_cut_pages(mapping, folio, start, end);
			}
			folio_unlock(folio);
			folio_put(folio);
		}
		cond_resched();
	}
}

void truncate_inode_pages_final(struct address_space *mapping)
{
	set_bit(AS_EXITING, &mapping->flags);
	truncate_inode_pages(mapping, 0);
	/* A folio in a CPU's LRU batch is out of the cache already; only its memory lives on. */
}

void truncate_pagecache(struct address_space *mapping, loff_t newsize)
{
	loff_t hole = (loff_t)PAGE_ALIGN((u64)newsize);

	unmap_mapping_range(mapping, hole, 0, true);
	truncate_inode_pages(mapping, newsize);
	/* Private copies that were made between the two. */
	unmap_mapping_range(mapping, hole, 0, true);
}

void truncate_pagecache_range(struct address_space *mapping, loff_t start, loff_t end)
{
	loff_t first = (loff_t)PAGE_ALIGN((u64)start), last = (end + 1) & (loff_t)PAGE_MASK;

	if (last > first)
		unmap_mapping_range(mapping, first, last - first, false);
	truncate_inode_pages_range(mapping, start, end);
}

void pagecache_isize_extended(struct address_space *mapping, loff_t from, loff_t to)
{
	struct folio *folio;

	if (from >= to || !(from & (loff_t)(PAGE_SIZE - 1)))
		return;
	/* The old last page may have been written beyond the old end through a mapping. */
	folio = filemap_lock_folio(mapping, (pgoff_t)from >> PAGE_SHIFT);
	if (IS_ERR(folio))
		return;
	folio_mkclean(folio);
	folio_zero_range(folio, (size_t)(from - folio_pos(folio)), folio_size(folio) - (size_t)(from - folio_pos(folio)));
	folio_unlock(folio);
	folio_put(folio);
}

/* Drop a locked, clean folio that nobody uses: only the cache and the caller hold it. */
bool folio_drop_clean(struct address_space *mapping, struct folio *folio)
{
	int refs = (int)folio_nr_pages(folio);
	int expected = refs + 1;

	/* A folio in use keeps what its file system knows of it. */
	if (folio_test_dirty(folio) || folio_test_writeback(folio) || folio_mapped(folio) || folio_ref_count(folio) != expected)
		return false;
	if (mapping->ops->release_folio && !mapping->ops->release_folio(folio))
		return false;
	xa_lock_irq(&mapping->i_pages);
	/* Freeze: a look-up that has no reference yet gets none. */
	if (atomic_cmpxchg(&folio->page.refcount, expected, 0) != expected) {
		xa_unlock_irq(&mapping->i_pages);
		return false;
	}
	if (folio_test_dirty(folio)) {
		atomic_set(&folio->page.refcount, expected);
		xa_unlock_irq(&mapping->i_pages);
		return false;
	}
	__filemap_remove(mapping, folio);
	atomic_set(&folio->page.refcount, expected - refs);
	xa_unlock_irq(&mapping->i_pages);
	return true;
}

static bool is_within(struct folio *folio, pgoff_t start, pgoff_t end)
{
	return folio_index(folio) >= start && folio_index(folio) + folio_nr_pages(folio) - 1 <= end;
}

/*
 * Of a locked folio what lies between START and END, which is the last page, if nobody uses it: others of its pages stay. How many pages
 * went.
 */
static unsigned long drop_within(struct address_space *mapping, struct folio *folio, pgoff_t start, pgoff_t end)
{
	unsigned long nr = folio_nr_pages(folio), before = READ_ONCE(mapping->nrpages), after;

	if (is_within(folio, start, end))
		return folio_drop_clean(mapping, folio) ? nr : 0;
	if (folio_test_dirty(folio) || folio_test_writeback(folio) || folio_mapped(folio) || folio_ref_count(folio) != (int)nr + 1)
		return 0;
	if (folio_drop_pages(mapping, folio, start, end))
		return 0;
	after = READ_ONCE(mapping->nrpages);
	return before > after ? before - after : 0;
}

/* One pass. *PENDING: a folio stays, and a CPU's batch of new folios may hold it. */
static unsigned long drop_unused(struct address_space *mapping, pgoff_t start, pgoff_t end, bool *pending)
{
	struct folio *batch[16];
	unsigned long dropped = 0;
	pgoff_t index = start;
	unsigned int n;

	while (index <= end && (n = filemap_get_folios(mapping, &index, end, batch, ARRAY_SIZE(batch)))) {
		for (unsigned int i = 0; i < n; i++) {
			struct folio *folio = batch[i];

			if (folio_trylock(folio)) {
				unsigned long went = folio_mapping(folio) == mapping ? drop_within(mapping, folio, start, end) : 0;

				dropped += went;
				*pending |= !went && !folio_test_lru(folio);
				folio_unlock(folio);
			}
			folio_put(folio);
		}
		cond_resched();
	}
	return dropped;
}

unsigned long invalidate_mapping_pages(struct address_space *mapping, pgoff_t start, pgoff_t end)
{
	unsigned long dropped;
	bool pending = false;

	if (mapping->flags & (1ul << AS_UNEVICTABLE))
		return 0;
	dropped = drop_unused(mapping, start, end, &pending);
	if (!pending)
		return dropped;
	lru_add_drain_all();
	return dropped + drop_unused(mapping, start, end, &pending);
}

/* One pass, as drop_unused(). -EBUSY: some stay. */
static int drop_all(struct address_space *mapping, pgoff_t start, pgoff_t end, bool *pending)
{
	struct folio *batch[16];
	pgoff_t index = start;
	unsigned int n;
	int err = 0;

	while (index <= end && (n = filemap_get_folios(mapping, &index, end, batch, ARRAY_SIZE(batch)))) {
		for (unsigned int i = 0; i < n; i++) {
			struct folio *folio = batch[i];

			folio_lock(folio);
			if (folio_mapping(folio) == mapping) {
				folio_wait_writeback(folio);
				if (folio_mapped(folio))
					folio_unmap(folio);
				if (folio_drop_clean(mapping, folio))
					;
				else if (folio_order(folio)) {
					if (folio_drop_pages(mapping, folio, start, end))
						err = -EBUSY;
				} else {
					*pending |= !folio_test_lru(folio);
					err = -EBUSY;
				}
			}
			folio_unlock(folio);
			folio_put(folio);
		}
		cond_resched();
	}
	return err;
}

int invalidate_inode_pages2_range(struct address_space *mapping, pgoff_t start, pgoff_t end)
{
	bool pending = false;
	int err;

	lru_add_drain();
	err = drop_all(mapping, start, end, &pending);
	if (!pending)
		return err;
	lru_add_drain_all();
	return drop_all(mapping, start, end, &pending);
}
