// SPDX-License-Identifier: MIT
/*
 * Dirty folios: marking, cleaning, writeback, errors.
 *
 * A folio is dirty from folio_mark_dirty() until folio_clear_dirty_for_io(), under writeback from
 * folio_start_writeback() until folio_end_writeback(); the index carries both as marks. The mark of writeback
 * changes with the flag, under the index's lock: who waits for marks then sees no flag either. The superblock's
 * list of dirty inodes is vfs's (upcall). Errors go into the mapping's error sequence, so that each open
 * file hears of each error once. How much is dirty is counted for the mapping's device (backing.c).
 */
#include "mm_priv.h"
#include "filemap_priv.h"
#include <mm/backing.h>

#define NO_WB(m)	((m)->flags & (1ul << AS_NO_WRITEBACK))

bool noop_dirty_folio(struct address_space *mapping, struct folio *folio)
{
	return folio_test_dirty(folio) ? false : !folio_test_set_dirty_raw(folio);
}

bool filemap_dirty_folio(struct address_space *mapping, struct folio *folio)
{
	unsigned long flags;

	if (NO_WB(mapping))
		return noop_dirty_folio(mapping, folio);
	smp_mb();	/* the data before the flag: who clears it then writes the data */
	if (folio_test_dirty(folio))
		return false;
	/* Flag, mark and number change together for a removal, which holds the lock too. */
	xa_lock_irqsave(&mapping->i_pages, flags);
	if (folio_test_set_dirty_raw(folio)) {
		xa_unlock_irqrestore(&mapping->i_pages, flags);
		return false;
	}
	if (folio_mapping(folio) == mapping) {
		__xa_set_mark_run(&mapping->i_pages, folio_index(folio), folio_order(folio), CACHE_MARK_DIRTY);
		backing_dirtied(mapping, folio_nr_pages(folio));
	}
	xa_unlock_irqrestore(&mapping->i_pages, flags);
	if (mapping->host)
		mm_mark_inode_dirty_pages(mapping->host);
	return true;
}

bool folio_mark_dirty(struct folio *folio)
{
	struct address_space *mapping = folio_mapping(folio);

	if (!mapping)
		return !folio_test_set_dirty_raw(folio);
	if (mapping->ops && mapping->ops->dirty_folio)
		return mapping->ops->dirty_folio(mapping, folio);
	return filemap_dirty_folio(mapping, folio);
}

void folio_mark_page_dirty(struct folio *folio, struct page *page)
{
	struct address_space *mapping = folio_mapping(folio);

	if (folio_order(folio) && mapping && mapping->ops && mapping->ops->dirty_part)
		mapping->ops->dirty_part(mapping, folio, (size_t)(page - &folio->page) << PAGE_SHIFT, PAGE_SIZE);
	else
		folio_mark_dirty(folio);
}

static void clear_marks(struct address_space *mapping, struct folio *folio, xa_mark_t mark)
{
	__xa_clear_mark_run(&mapping->i_pages, folio_index(folio), folio_order(folio), mark);
}

bool folio_clear_dirty_for_io(struct folio *folio)
{
	struct address_space *mapping = folio_mapping(folio);

	if (mapping && !NO_WB(mapping))
		folio_mkclean(folio);
	if (!folio_test_clear_dirty_raw(folio))
		return false;
	if (mapping && !NO_WB(mapping))
		backing_cleaned(mapping, folio_nr_pages(folio));
	return true;
}

void folio_cancel_dirty(struct folio *folio)
{
	struct address_space *mapping = folio_mapping(folio);
	unsigned long flags;

	if (!folio_test_clear_dirty_raw(folio) || !mapping || NO_WB(mapping))
		return;
	backing_cleaned(mapping, folio_nr_pages(folio));
	xa_lock_irqsave(&mapping->i_pages, flags);
	if (folio_mapping(folio) == mapping)
		clear_marks(mapping, folio, CACHE_MARK_DIRTY);
	xa_unlock_irqrestore(&mapping->i_pages, flags);
}

void folio_start_writeback(struct folio *folio)
{
	struct address_space *mapping = folio_mapping(folio);
	unsigned long flags;

	folio_get(folio);	/* until folio_end_writeback */
	backing_writing(mapping, folio_nr_pages(folio));
	if (!mapping) {
		page_set_flag(&folio->page, PG_writeback);
		return;
	}
	xa_lock_irqsave(&mapping->i_pages, flags);
	page_set_flag(&folio->page, PG_writeback);
	__xa_set_mark_run(&mapping->i_pages, folio_index(folio), folio_order(folio), CACHE_MARK_WRITEBACK);
	if (!folio_test_dirty(folio))
		clear_marks(mapping, folio, CACHE_MARK_DIRTY);
	clear_marks(mapping, folio, CACHE_MARK_TOWRITE);
	xa_unlock_irqrestore(&mapping->i_pages, flags);
}

void folio_end_writeback(struct folio *folio)
{
	struct address_space *mapping = folio_mapping(folio);
	unsigned long flags;
	bool waiters;

	/* Before the flag goes: then the mapping may, and the device. */
	backing_written(mapping, folio_nr_pages(folio));
	if (mapping) {
		/* Who takes the folio out waits for the flag, then takes the lock: the mapping lives until this gives it back. */
		xa_lock_irqsave(&mapping->i_pages, flags);
		if (folio_mapping(folio) == mapping)
			clear_marks(mapping, folio, CACHE_MARK_WRITEBACK);
		waiters = folio_clear_writeback(folio);
		xa_unlock_irqrestore(&mapping->i_pages, flags);
	} else {
		waiters = folio_clear_writeback(folio);
	}
	if (waiters)
		folio_wake_waiters(folio);
	folio_put(folio);
}

/* Data integrity: only what is dirty now is written, however fast others dirty more. */
static void tag_for_writeback(struct address_space *mapping, pgoff_t start, pgoff_t end)
{
	unsigned long i = start;
	unsigned int n = 0;
	void *e;

	xa_lock_irq(&mapping->i_pages);
	for (e = xa_find(&mapping->i_pages, &i, end, CACHE_MARK_DIRTY); e;
	     e = xa_find_after(&mapping->i_pages, &i, end, CACHE_MARK_DIRTY)) {
		__xa_set_mark(&mapping->i_pages, i, CACHE_MARK_TOWRITE);
		if (++n % 1024 == 0) {
			xa_unlock_irq(&mapping->i_pages);
			cond_resched();
			xa_lock_irq(&mapping->i_pages);
		}
	}
	xa_unlock_irq(&mapping->i_pages);
}

int filemap_for_each_dirty(struct address_space *mapping, struct writeback_control *wbc,
			   int (*fn)(struct folio *folio, struct writeback_control *wbc, void *arg), void *arg)
{
	pgoff_t index = (pgoff_t)wbc->range_start >> PAGE_SHIFT, end = (pgoff_t)wbc->range_end >> PAGE_SHIFT;
	xa_mark_t mark = wbc->sync_all ? CACHE_MARK_TOWRITE : CACHE_MARK_DIRTY;
	struct folio *batch[16];
	int err = 0;

	if (wbc->sync_all)
		tag_for_writeback(mapping, index, end);
	while (index <= end) {
		unsigned int n = filemap_get_folios_mark(mapping, &index, end, mark, batch, ARRAY_SIZE(batch));

		if (!n)
			break;
		for (unsigned int i = 0; i < n; i++) {
			struct folio *folio = batch[i];
			int e;

			if (wbc->nr_to_write <= 0 && !wbc->sync_all) {
				folio_put(folio);
				continue;
			}
			folio_lock(folio);
			if (folio_mapping(folio) != mapping || !folio_test_dirty(folio))
				goto skip;
			if (folio_test_writeback(folio)) {
				if (!wbc->sync_all)
					goto skip;
				folio_wait_writeback(folio);
			}
			if (!folio_clear_dirty_for_io(folio))
				goto skip;
			e = fn(folio, wbc, arg);
			if (e && !err)
				err = e;
			wbc->nr_to_write -= (long)folio_nr_pages(folio);
			folio_put(folio);
			continue;
skip:
			folio_unlock(folio);
			folio_put(folio);
		}
		if (wbc->nr_to_write <= 0 && !wbc->sync_all)
			break;
		cond_resched();
	}
	return err;
}

int do_writepages(struct address_space *mapping, struct writeback_control *wbc)
{
	if (wbc->nr_to_write <= 0 || !mapping->ops || !mapping->ops->writepages)
		return 0;
	return mapping->ops->writepages(mapping, wbc);
}

int filemap_fdatawrite_range(struct address_space *mapping, loff_t start, loff_t end)
{
	struct writeback_control wbc = {
		.nr_to_write = LONG_MAX, .range_start = start, .range_end = end, .sync_all = true,
	};

	if (!xa_marked(&mapping->i_pages, CACHE_MARK_DIRTY))
		return 0;
	return do_writepages(mapping, &wbc);
}

void filemap_fdatawait_range(struct address_space *mapping, loff_t start, loff_t end)
{
	pgoff_t index = (pgoff_t)start >> PAGE_SHIFT, last = (pgoff_t)end >> PAGE_SHIFT;
	struct folio *batch[16];
	unsigned int n;

	while (index <= last && (n = filemap_get_folios_mark(mapping, &index, last, CACHE_MARK_WRITEBACK, batch,
							     ARRAY_SIZE(batch)))) {
		for (unsigned int i = 0; i < n; i++) {
			folio_wait_writeback(batch[i]);
			folio_put(batch[i]);
		}
		cond_resched();
	}
}

int filemap_write_and_wait_range(struct address_space *mapping, loff_t start, loff_t end)
{
	u32 errors = smp_load_acquire(&mapping->wb_errors);
	int err = 0;

	if (end < start || !mapping->nrpages || NO_WB(mapping))
		return 0;
	err = filemap_fdatawrite_range(mapping, start, end);
	if (err != -EIO)
		filemap_fdatawait_range(mapping, start, end);
	if (!err && smp_load_acquire(&mapping->wb_errors) != errors)
		err = errseq_error(READ_ONCE(mapping->wb_err));
	return err;
}

void mapping_set_error(struct address_space *mapping, int error)
{
	if (!error)
		return;
	errseq_set(&mapping->wb_err, error);
	__atomic_fetch_add(&mapping->wb_errors, 1, __ATOMIC_RELEASE);
	if (mapping->host)
		mm_inode_write_failed(mapping->host, error);
}

int filemap_check_wb_err(struct address_space *mapping, errseq_t *since)
{
	return errseq_check_and_advance(&mapping->wb_err, since);
}

/* Error in the low bits, then SEEN, then a counter that moves when a seen error is replaced. */
#define ERR_MASK	0xfffu
#define ERR_SEEN	0x1000u
#define ERR_INC		0x2000u

errseq_t errseq_set(errseq_t *eseq, int err)
{
	errseq_t old = READ_ONCE(*eseq), new;

	do {
		new = (old & ~(ERR_MASK | ERR_SEEN)) | (errseq_t)-err;
		if (old & ERR_SEEN)
			new += ERR_INC;
		if (new == old)
			break;
	} while (!try_cmpxchg(eseq, &old, new));
	return new;
}

int errseq_error(errseq_t e)
{
	return -(int)(e & ERR_MASK);
}

errseq_t errseq_sample(errseq_t *eseq)
{
	errseq_t old = READ_ONCE(*eseq);

	/* An error nobody has seen yet is reported to the next opener. */
	return old & ERR_SEEN ? old : 0;
}

int errseq_check_and_advance(errseq_t *eseq, errseq_t *since)
{
	errseq_t old = READ_ONCE(*eseq), new;

	if (old == *since)
		return 0;
	new = old | ERR_SEEN;
	if (new != old)
		cmpxchg(eseq, old, new);
	*since = new;
	return errseq_error(new);
}
