// SPDX-License-Identifier: MIT
/*
 * Readahead. A miss at the start of a file or right behind the last read opens a window of a few pages
 * that doubles with each hit of its mark (the folio with PG_readahead, async_size before the window's
 * end), up to ra_pages. A miss elsewhere reads just what was asked for.
 */
#include "mm_priv.h"
#include "filemap_priv.h"
#include <linux/fadvise.h>


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

/*
 * Put missing folios of [index, index + nr) into the cache and start reading them. mark: gets PG_readahead.
 * False: there is no memory for all of them, or nothing to read.
 */
static bool read_window(struct address_space *mapping, struct file *file, pgoff_t index, unsigned long nr,
			pgoff_t mark)
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
	for (pgoff_t i = index; i < index + nr && i <= last; i++) {
		struct folio *folio;

		if (xa_load(&mapping->i_pages, i))
			goto present;
		folio = folio_alloc(gfp, 0);
		if (!folio) {
			all = false;
			break;
		}
		if (filemap_add_folio(mapping, folio, i, gfp)) {
			folio_put(folio);
			goto present;
		}
		if (i == mark)
			folio_set_readahead(folio);
		folio_put(folio);	/* the cache's reference and the lock keep it */
		if (!in_run)
			run = i;
		in_run++;
		continue;
present:
		start_reads(mapping, file, run, in_run);
		in_run = 0;
	}
	start_reads(mapping, file, run, in_run);
	filemap_invalidate_unlock_shared(mapping);
	return all;
}

void page_cache_readahead(struct address_space *mapping, struct file_ra_state *ra, struct file *file, pgoff_t index,
			  unsigned long nr)
{
	unsigned int max = ra->ra_pages;
	unsigned long want = clamp(nr, 1ul, (unsigned long)max(max, 1u));
	bool seq;

	if (!max) {
		read_window(mapping, file, index, 1, ~0ul);
		return;
	}
	if (ra->size && index >= ra->start && index < ra->start + ra->size &&
	    index >= ra->start + ra->size - ra->async_size) {
		/* The mark was hit: next window, twice as large. */
		ra->start += ra->size;
		ra->size = min(ra->size * 2, max);
		ra->async_size = ra->size;
	} else {
		pgoff_t prev = (pgoff_t)ra->prev_pos >> PAGE_SHIFT;

		seq = !index || (ra->prev_pos >= 0 && (index == prev || index == prev + 1));
		if (!seq && want == 1) {
			read_window(mapping, file, index, 1, ~0ul);
			return;
		}
		ra->start = index;
		ra->size = (unsigned int)min(roundup_pow_of_two(want) * (want <= max / 8 ? 4 : 2), (unsigned long)max);
		ra->async_size = ra->size > want ? ra->size - (unsigned int)want : ra->size;
	}
	read_window(mapping, file, ra->start, ra->size, ra->start + ra->size - ra->async_size);
}

/* Who asks may name any range: what lies behind the end is not walked, nor read what would push out its own beginning; who is killed does not go on. */
void force_page_cache_readahead(struct address_space *mapping, struct file *file, pgoff_t index, unsigned long nr)
{
	loff_t size = mapping_size(mapping);
	pgoff_t end = size > 0 ? ((pgoff_t)(size - 1) >> PAGE_SHIFT) + 1 : 0;

	nr = index < end ? min3(nr, end - index, totalram_pages() / 2) : 0;
	while (nr && !fatal_signal_pending(current)) {
		unsigned long n = min(nr, 512ul);

		if (!read_window(mapping, file, index, n, ~0ul))
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
		lru_add_drain();
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
