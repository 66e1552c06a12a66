// SPDX-License-Identifier: MIT
/*
 * Readahead. A miss at the start of a file or right behind the last read opens a window of a few pages
 * that doubles with each hit of its mark (the folio with PG_readahead, async_size before the window's
 * end), up to ra_pages, or to what one read asks for and the device takes at once. A miss elsewhere reads just what was asked for.
 * Folios of a first window have up to four pages where the file may have large ones, and up to four times as many with each further window.
 */
#include "mm_priv.h"
#include "filemap_priv.h"
#include <mm/backing.h>
#include <linux/fadvise.h>

#define FIRST_ORDER	2u

void file_ra_state_init(struct file_ra_state *ra, struct address_space *mapping)
{
	memset(ra, 0, sizeof(*ra));
	ra->ra_pages = RA_DEFAULT_PAGES;
	ra->prev_pos = -1;
}

struct folio *readahead_folio(struct readahead_control *rac)
{
	struct folio *folio;

	while (rac->nr_pages) {
		folio = filemap_get_entry(rac->mapping, rac->index);
		if (folio) {
			unsigned int nr = (unsigned int)folio_nr_pages(folio);

			rac->index += nr;
			rac->nr_pages -= min(nr, rac->nr_pages);
			return folio;
		}
		rac->index++;
		rac->nr_pages--;
	}
	return NULL;
}

static void start_reads(struct address_space *mapping, struct file *file, pgoff_t index, unsigned int nr)
{
	struct readahead_control rac = { .file = file, .mapping = mapping, .index = index, .nr_pages = nr };
	struct folio *folio;

	if (!nr)
		return;
	count_vm_events(PGPGIN, nr);
	if (mapping->ops->readahead) {
		mapping->ops->readahead(&rac);
		/* What it did not take stays invalid. */
		while ((folio = readahead_folio(&rac))) {
			folio_unlock(folio);
			folio_put(folio);
		}
		return;
	}
	while ((folio = readahead_folio(&rac))) {
		mapping->ops->read_folio(file, folio);
		folio_put(folio);
	}
}

/* The largest order of which N pages are one folio. */
static unsigned int order_within(unsigned int order, unsigned long n)
{
	return min(order, 63u - (unsigned int)__builtin_clzl(n));
}

/*
 * Put missing folios of [index, index + nr) into the cache, of order ORDER at most, and start reading them. mark: its folio gets PG_readahead.
 * False: there is no memory for all of them, or nothing to read.
 */
static bool read_window(struct address_space *mapping, struct file *file, pgoff_t index, unsigned long nr,
			pgoff_t mark, unsigned int order)
{
	gfp_t gfp = mapping->gfp_mask | __GFP_NORETRY | __GFP_NOWARN;
	loff_t size = mapping_size(mapping);
	pgoff_t run = index, last;
	unsigned int in_run = 0;
	bool all = true;

	if (size <= 0 || !mapping->ops->read_folio)
		return false;
	last = (pgoff_t)(size - 1) >> PAGE_SHIFT;
	filemap_invalidate_lock_shared(mapping);
	for (pgoff_t i = index, next; i < index + nr && i <= last; i = next) {
		struct folio *folio;

		next = i + 1;
		if (xa_load(&mapping->i_pages, i))
			goto present;
		folio = filemap_new_folio(mapping, i, order_within(order, min(index + nr - 1, last) - i + 1), gfp);
		if (folio == ERR_PTR(-EEXIST))
			goto present;
		if (IS_ERR(folio)) {
			all = false;
			break;
		}
		next = folio_index(folio) + folio_nr_pages(folio);
		if (mark >= folio_index(folio) && mark < next)
			folio_set_readahead(folio);
		if (!in_run)
			run = folio_index(folio);
		in_run = (unsigned int)(next - run);
		folio_put(folio);	/* the cache's reference and the lock keep it */
		continue;
present:
		start_reads(mapping, file, run, in_run);
		in_run = 0;
	}
	start_reads(mapping, file, run, in_run);
	filemap_invalidate_unlock_shared(mapping);
	return all;
}

/* A read of more than ra_pages is read at once, as far as the device takes so much. */
static unsigned int window_max(const struct address_space *mapping, const struct file_ra_state *ra, unsigned long nr)
{
	unsigned int io_pages = mapping->backing ? mapping->backing->io_pages : 0;

	return ra->ra_pages ? max(ra->ra_pages, (unsigned int)min(nr, (unsigned long)io_pages)) : 0;
}

void page_cache_readahead(struct address_space *mapping, struct file_ra_state *ra, struct file *file, pgoff_t index,
			  unsigned long nr)
{
	unsigned int max = window_max(mapping, ra, nr);
	unsigned long want = clamp(nr, 1ul, (unsigned long)max(max, 1u));
	bool seq;

	if (!max) {
		read_window(mapping, file, index, 1, ~0ul, 0);
		return;
	}
	if (ra->size && index >= ra->start && index < ra->start + ra->size &&
	    index >= ra->start + ra->size - ra->async_size) {
		/* The mark was hit: next window, twice as large. */
		ra->start += ra->size;
		ra->size = min(ra->size * 2, max);
		ra->async_size = ra->size;
		ra->order = (u8)min(ra->order + 2u, FOLIO_MAX_ORDER);
	} else {
		pgoff_t prev = (pgoff_t)ra->prev_pos >> PAGE_SHIFT;

		seq = !index || (ra->prev_pos >= 0 && (index == prev || index == prev + 1));
		if (!seq && want == 1) {
			read_window(mapping, file, index, 1, ~0ul, 0);
			return;
		}
		ra->order = FIRST_ORDER;
		ra->start = index;
		ra->size = (unsigned int)min(roundup_pow_of_two(want) * (want <= max / 8 ? 4 : 2), (unsigned long)max);
		ra->async_size = ra->size > want ? ra->size - (unsigned int)want : ra->size;
	}
	read_window(mapping, file, ra->start, ra->size, ra->start + ra->size - ra->async_size, order_within(ra->order, ra->size));
}

/* Who asks may name any range: what lies behind the end is not walked, nor read what would push out its own beginning; who is killed does not go on. */
void force_page_cache_readahead(struct address_space *mapping, struct file *file, pgoff_t index, unsigned long nr)
{
	loff_t size = mapping_size(mapping);
	pgoff_t end = size > 0 ? ((pgoff_t)(size - 1) >> PAGE_SHIFT) + 1 : 0;

	nr = index < end ? min3(nr, end - index, totalram_pages() / 2) : 0;
	while (nr && !fatal_signal_pending(current)) {
		unsigned long n = min(nr, 512ul);

		if (!read_window(mapping, file, index, n, ~0ul, FOLIO_MAX_ORDER))
			break;
		index += n;
		nr -= n;
		cond_resched();
	}
}

int generic_fadvise(struct file *file, struct address_space *mapping, struct file_ra_state *ra, loff_t offset,
		    loff_t len, int advice)
{
	loff_t end;

	if (offset < 0 || len < 0)
		return -EINVAL;
	end = len && offset + len > offset ? offset + len - 1 : LLONG_MAX;
	switch (advice) {
	case POSIX_FADV_NORMAL:
		if (ra)
			ra->ra_pages = RA_DEFAULT_PAGES;
		return 0;
	case POSIX_FADV_RANDOM:
		if (ra)
			ra->ra_pages = 0;
		return 0;
	case POSIX_FADV_SEQUENTIAL:
		if (ra)
			ra->ra_pages = 2 * RA_DEFAULT_PAGES;
		return 0;
	case POSIX_FADV_WILLNEED:
		if (mapping->ops && mapping->ops->read_folio) {
			pgoff_t first = (pgoff_t)offset >> PAGE_SHIFT;
			pgoff_t last = (pgoff_t)min(end, mapping_size(mapping)) >> PAGE_SHIFT;

			if (last >= first)
				force_page_cache_readahead(mapping, file, first, last - first + 1);
		}
		return 0;
	case POSIX_FADV_NOREUSE:
		return 0;
	case POSIX_FADV_DONTNEED:
		if (mapping->flags & (1ul << AS_UNEVICTABLE))
			return 0;
		if (mapping->ops && mapping->ops->writepages)
			filemap_fdatawrite_range(mapping, offset, end);
		lru_add_drain();	/* most often this CPU's batch is all there is */
		/* Partial pages at the borders stay. */
		{
			pgoff_t first = (pgoff_t)((u64)(offset + (loff_t)PAGE_SIZE - 1) >> PAGE_SHIFT);
			pgoff_t last = (pgoff_t)end >> PAGE_SHIFT;

			if (end != LLONG_MAX && ((u64)end & (PAGE_SIZE - 1)) != PAGE_SIZE - 1) {
				if (!last)
					return 0;
				last--;
			}
			if (last >= first)
				invalidate_mapping_pages(mapping, first, last);
		}
		return 0;
	default:
		return -EINVAL;
	}
}
