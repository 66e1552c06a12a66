// SPDX-License-Identifier: MIT
/*
 * Taking memory over from the boot allocator.
 *
 * vmemmap is backed for each run of RAM (rounded out to a maximum block, so that the buddy's merge
 * test may look at any neighbour); runs whose struct pages share a page are joined. Reserved frames
 * and holes inside a run are marked RESERVED one by one; free memory is given to the buddy as the
 * largest blocks, touching only their heads. On a machine of 256 MiB that is a few thousand stores.
 */
#include <alloc/page.h>
#include <alloc/vmalloc.h>
#include <arch/pgtable.h>
#include <arch/upcalls.h>
#include <kernel/bug.h>
#include <kernel/printk.h>
#include <lib/memblock.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include "page_priv.h"

#define RAM_RUNS	64
static struct ram_run {
	unsigned long start, end;	/* frames */
} ram[RAM_RUNS];			/* constant after boot */
static unsigned int ram_nr;
static bool page_alloc_up;

bool pfn_valid(unsigned long pfn)
{
	for (unsigned int i = 0; i < ram_nr; i++)
		if (pfn < ram[i].end)
			return pfn >= ram[i].start;
	return false;
}

#ifdef CONFIG_KMEMLEAK
bool ram_run(unsigned int i, unsigned long *start, unsigned long *end)
{
	const unsigned long block = 1ul << MAX_PAGE_ORDER;

	if (i >= ram_nr)
		return false;
	*start = round_down(ram[i].start, block);
	*end = round_up(ram[i].end, block);
	return true;
}
#endif

static void mark_reserved(unsigned long pfn, unsigned long end)
{
	for (; pfn < end; pfn++) {
		struct page *page = pfn_to_page(pfn);

		page->refcount.counter = 1;
		page->mapcount.counter = PAGE_TYPE_RESERVED;
		page->mapping = 0;
		page->flags.counter = 0;
	}
}

/* Back the struct pages of frames [start, end) with memory. */
static void vmemmap_populate(unsigned long start, unsigned long end)
{
	unsigned long va = (unsigned long)pfn_to_page(start);
	unsigned long size = PAGE_ALIGN((end - start) * sizeof(struct page));
	unsigned long big = pt_span(1);
	unsigned long align = size >= big && !(va & (big - 1)) ? big : PAGE_SIZE;
	phys_addr_t pa = memblock_alloc_phys(size, align);

	if (!pa || arch_map_kernel(va, pa, size, PTE_P_KERNEL))
		panic("alloc: no memory for the page array (%lu KiB)", size >> 10);
}

void __init page_alloc_init(void)
{
	const unsigned long block = 1ul << MAX_PAGE_ORDER;
	struct memblock_list *mem = &memblock.memory;
	phys_addr_t start, end;
	unsigned long prev;

	for (unsigned int i = 0; i < mem->nr; i++) {
		unsigned long s = PFN_UP(mem->r[i].start), e = PFN_DOWN(mem->r[i].end);

		if (s >= e)
			continue;
		if (ram_nr && round_down(s, block) <= round_up(ram[ram_nr - 1].end, block)) {
			ram[ram_nr - 1].end = e;
		} else if (ram_nr < RAM_RUNS) {
			ram[ram_nr++] = (struct ram_run){ s, e };
		} else {
			pr_warn("alloc: too many pieces of RAM, ignoring %#llx\n",
				(unsigned long long)mem->r[i].start);
			continue;
		}
		max_pfn = e;
	}
	/* Populating allocates from memblock: all of it before the first free piece is handed out. */
	for (unsigned int i = 0; i < ram_nr; i++)
		vmemmap_populate(round_down(ram[i].start, block), round_up(ram[i].end, block));
	prev = 0;
	for (unsigned int i = 0; i < ram_nr; i++) {
		unsigned long lo = round_down(ram[i].start, block), hi = round_up(ram[i].end, block);

		prev = lo;
		memblock_for_each_free(start, end) {
			unsigned long s = max(PFN_UP(start), lo), e = min(PFN_DOWN(end), hi);

			/* Frame 0 ends the lists: never free. */
			s = max(s, 1ul);
			if (s >= e)
				continue;
			mark_reserved(prev, s);
			prev = e;
		}
		mark_reserved(prev, hi);
	}
	memblock_for_each_free(start, end) {
		unsigned long s = max(PFN_UP(start), 1ul), e = PFN_DOWN(end);

		if (s < e && pfn_valid(s))
			buddy_free_range(s, e);
	}
	page_alloc_set_watermarks();
	page_alloc_up = true;
}

void free_reserved_area(phys_addr_t start, phys_addr_t end)
{
	unsigned long s = PFN_UP(start), e = PFN_DOWN(end);

	while (s < e) {
		unsigned long n = s;

		while (n < e && pfn_valid(n) && PageReserved(pfn_to_page(n)))
			n++;
		if (n > s)
			buddy_free_range(s, n);
		s = max(n, s + 1);
	}
	page_alloc_set_watermarks();
}

static atomic64_t kernel_tables;		/* pages given out by pt_alloc_table */

/* Tables for the kernel's own mappings (upcall of arch). */
void *pt_alloc_table(void)
{
	struct page *page;

	if (!page_alloc_up) {
		phys_addr_t pa = memblock_alloc_phys(PAGE_SIZE, PAGE_SIZE);

		if (!pa)
			return NULL;
		arch_clear_page(phys_to_virt(pa));
		return phys_to_virt(pa);
	}
	page = alloc_pages(GFP_ATOMIC | __GFP_ZERO, 0);
	if (!page)
		return NULL;
	atomic64_inc(&kernel_tables);
	return page_address(page);
}

void pt_free_table(void *table)
{
	struct page *page = virt_to_page(table);

	if (PageReserved(page))		/* of memblock */
		return;
	atomic64_dec(&kernel_tables);
	__free_page(page);
}

unsigned long kernel_table_pages(void)
{
	return (unsigned long)atomic64_read(&kernel_tables);
}

void page_adopt_managed(struct page *page)
{
	struct zone *z = &zones[pfn_zone(page_to_pfn(page))];
	unsigned long flags;

	spin_lock_irqsave(&z->lock, flags);
	z->managed++;
	spin_unlock_irqrestore(&z->lock, flags);
}
