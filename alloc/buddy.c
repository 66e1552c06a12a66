// SPDX-License-Identifier: MIT
/*
 * The buddy system of one zone. Free memory is kept as naturally aligned blocks of 2^order pages;
 * only the head page of a free block is described (type BUDDY, order in the index), the pages inside
 * are never read, so at boot a machine's memory is taken over by touching one struct page in 1024.
 *
 * A block's buddy is either the head of a free or used block (its struct page was written when the
 * block above was split) or reserved, so the merge test below never reads an unwritten struct page.
 */
#include <alloc/page.h>
#include <lib/minmax.h>
#include "page_priv.h"

static void list_push(struct page_list *l, unsigned long pfn)
{
	struct page *page = pfn_to_page(pfn);

	page->lru_prev = 0;
	page->lru_next = l->head;
	if (l->head)
		pfn_to_page(l->head)->lru_prev = (u32)pfn;
	l->head = (u32)pfn;
	l->nr++;
}

static void list_remove(struct page_list *l, struct page *page)
{
	if (page->lru_next)
		pfn_to_page(page->lru_next)->lru_prev = page->lru_prev;
	if (page->lru_prev)
		pfn_to_page(page->lru_prev)->lru_next = page->lru_next;
	else
		l->head = page->lru_next;
	l->nr--;
}

static void set_free(struct zone *z, unsigned long pfn, unsigned int order)
{
	struct page *page = pfn_to_page(pfn);

	page->refcount.counter = 0;
	page->mapcount.counter = PAGE_TYPE_BUDDY;
	page->mapping = 0;
	page->flags.counter = (s64)order << PG_index_shift;
	list_push(&z->area[order], pfn);
}

void buddy_free(struct zone *z, unsigned long pfn, unsigned int order)
{
	z->free += 1ul << order;
	while (order < MAX_PAGE_ORDER) {
		unsigned long buddy = pfn ^ (1ul << order);
		struct page *page = pfn_to_page(buddy);

		if (buddy < z->start_pfn || buddy >= z->end_pfn || !PageBuddy(page) ||
		    page_index(page) != order)
			break;
		list_remove(&z->area[order], page);
		page->mapcount.counter = 0;
		pfn &= ~(1ul << order);
		order++;
	}
	set_free(z, pfn, order);
}

struct page *buddy_alloc(struct zone *z, unsigned int order)
{
	unsigned int o = order;
	struct page *page;
	unsigned long pfn;

	while (!z->area[o].head)
		if (++o > MAX_PAGE_ORDER)
			return NULL;
	pfn = z->area[o].head;
	page = pfn_to_page(pfn);
	list_remove(&z->area[o], page);
	z->free -= 1ul << order;
	while (o > order) {
		o--;
		set_free(z, pfn + (1ul << o), o);
	}
	page_prep(page);
	return page;
}

void buddy_free_range(unsigned long pfn, unsigned long end)
{
	while (pfn < end) {
		struct zone *z = &zones[pfn_zone(pfn)];
		unsigned int order = pfn ? (unsigned int)__builtin_ctzl(pfn) : MAX_PAGE_ORDER;
		unsigned long flags;

		order = min(order, (unsigned int)MAX_PAGE_ORDER);
		while (pfn + (1ul << order) > min(end, z->end_pfn))
			order--;
		spin_lock_irqsave(&z->lock, flags);
		buddy_free(z, pfn, order);
		spin_unlock_irqrestore(&z->lock, flags);
		z->managed += 1ul << order;
		pfn += 1ul << order;
	}
}
