// SPDX-License-Identifier: MIT
/*
 * User page tables: making, walking, freeing; and the gather that takes translations away.
 *
 * Life of a table: installed by compare-and-swap by whoever needs it first; found by walkers that hold
 * mmap_lock, a VMA lock, or a reverse-map lock on a VMA in it, or RCU; cleared from its parent by
 * free_pgtables() once no VMA is near it; after the TLB flush freed by RCU. At the end of a space
 * nobody can walk it any more, and tables are freed at once.
 */
#include "mm_priv.h"

#ifdef CONFIG_LOCKDEP
struct lockdep_map ptl_map = { .name = "ptl" };
#endif

static pte_t *table_new(struct mm *mm)
{
	struct page *page = alloc_pages(GFP_KERNEL_ACCOUNT | __GFP_ZERO, 0);

	if (!page)
		return NULL;
	page->mapcount.counter = PAGE_TYPE_TABLE;
	atomic64_add(PAGE_SIZE, &mm->pgtables_bytes);
	inc_stat(NR_PAGE_TABLES);
	return page_address(page);
}

void table_free_now(pte_t *table)
{
	struct page *page = table_page(table);

	page->mapcount.counter = 0;
	dec_stat(NR_PAGE_TABLES);
	__free_page(page);
}

static noinline pte_t *table_install(struct mm *mm, pte_t *slot)
{
	pte_t *table = table_new(mm);

	if (!table)
		return NULL;
	if (!ptep_cmpxchg(slot, PTE_NONE, pte_make_table(virt_to_phys(table)))) {
		atomic64_sub(PAGE_SIZE, &mm->pgtables_bytes);
		table_free_now(table);
		return pte_table(ptep_read(slot));
	}
	return table;
}

pte_t *pte_alloc(struct mm *mm, unsigned long addr)
{
	pte_t *t = mm->context.pgd;

	for (int l = PT_ROOT_LEVEL; l > 0; l--) {
		pte_t *slot = &t[pt_index(addr, l)];
		pte_t e = ptep_read(slot);

		if (likely(pte_present(e)))
			t = pte_table(e);
		else
			t = table_install(mm, slot);
		if (unlikely(!t))
			return NULL;
	}
	return &t[pt_index(addr, 0)];
}

unsigned long pt_next_table(struct mm *mm, unsigned long addr, unsigned long end, pte_t **pte)
{
	while (addr < end) {
		pte_t *t = mm->context.pgd;
		int l;

		for (l = PT_ROOT_LEVEL; l > 0; l--) {
			pte_t e = ptep_read(&t[pt_index(addr, l)]);

			if (!pte_present(e))
				break;
			t = pte_table(e);
		}
		if (!l) {
			*pte = &t[pt_index(addr, 0)];
			return addr;
		}
		addr = (addr + pt_span(l)) & ~(pt_span(l) - 1);
		if (!addr)
			break;
	}
	return end;
}

/* Clear and collect the tables below `table` (of this level) that lie between floor and ceiling. */
static void free_level(struct mmu_gather *tlb, pte_t *table, int level, unsigned long addr, unsigned long end,
		       unsigned long floor, unsigned long ceiling)
{
	unsigned long span = pt_span(level);

	while (addr < end) {
		unsigned long base = addr & ~(span - 1), next = base + span;
		pte_t *slot = &table[pt_index(addr, level)];
		pte_t e = ptep_read(slot);

		if (next > end || !next)
			next = end;
		if (pte_present(e)) {
			pte_t *child = pte_table(e);

			if (level > 1)
				free_level(tlb, child, level - 1, addr, next, floor, ceiling);
			if (base >= floor && base + span - 1 <= ceiling - 1) {
				struct page *page = table_page(child);

				ptep_set(slot, PTE_NONE);
				page->mapping = (uintptr_t)tlb->tables;
				tlb->tables = page;
				tlb->freed_tables = true;
				atomic64_sub(PAGE_SIZE, &tlb->mm->pgtables_bytes);
				gather_range(tlb, addr, next);
			}
		}
		addr = next;
	}
}

void free_pgtables(struct mmu_gather *tlb, unsigned long start, unsigned long end, unsigned long floor,
		   unsigned long ceiling)
{
	/* A table of level 0 is the least that can go: look at whole ones. */
	start = max(start & ~(pt_span(1) - 1), floor & ~(pt_span(1) - 1));
	end = ALIGN(end, pt_span(1));
	free_level(tlb, tlb->mm->context.pgd, PT_ROOT_LEVEL, start, min(end, TASK_SIZE_MAX), floor, ceiling);
}

void gather_init(struct mmu_gather *tlb, struct mm *mm, unsigned long start, unsigned long end, bool fullmm)
{
	tlb->mm = mm;
	tlb->start = ~0ul;
	tlb->end = 0;
	tlb->fullmm = fullmm;
	tlb->freed_tables = tlb->keep_markers = false;
	tlb->tables = NULL;
	tlb->nr_inline = 0;
	tlb->batch = NULL;
	/* The peak is noted before memory goes. */
	if (get_mm_rss(mm) > READ_ONCE(mm->hiwater_rss))
		WRITE_ONCE(mm->hiwater_rss, get_mm_rss(mm));
	mm_notify_start(&tlb->range, mm, start, end);
}

bool __gather_page(struct mmu_gather *tlb, u64 page)
{
	struct gather_batch *b = tlb->batch;

	if (tlb->nr_inline < GATHER_INLINE) {
		tlb->page[tlb->nr_inline++] = page;
	} else {
		b->page[b->nr++] = page;
		if (b->nr < b->max)
			return false;
	}
	/* The last place is taken: without another page the caller must flush before it goes on. */
	b = (struct gather_batch *)__get_free_page(GFP_NOWAIT);
	if (!b)
		return true;
	b->next = tlb->batch;
	b->nr = 0;
	b->max = (PAGE_SIZE - sizeof(*b)) / sizeof(b->page[0]);
	tlb->batch = b;
	return false;
}

static void tables_free_rcu(struct rcu_head *head)
{
	struct page *page = (struct page *)((char *)head - offsetof(struct page, flags));

	page->flags.counter = 0;
	while (page) {
		struct page *next = (struct page *)(uintptr_t)page->mapping;

		table_free_now(page_address(page));
		page = next;
	}
}

static void put_gathered(u64 *v, unsigned int nr)
{
	struct page *dead[16];
	unsigned int n = 0;

	for (unsigned int i = 0; i < nr; i++) {
		struct page *page = (struct page *)(uintptr_t)(v[i] & ~1ull);
		struct folio *folio = page_folio(page);

		if (unlikely(v[i] & 1))
			folio_mark_page_dirty(folio, page);
		if (!atomic_dec_and_test(&folio->page.refcount))
			continue;
		dead[n++] = &folio->page;
		if (n == ARRAY_SIZE(dead)) {
			free_folios(dead, n);
			n = 0;
		}
	}
	if (n)
		free_folios(dead, n);
}

void gather_flush(struct mmu_gather *tlb)
{
	struct page *tables = tlb->tables;

	if (tlb->start < tlb->end || tables)
		arch_tlb_flush_mm_range(&tlb->mm->context, tlb->start, tlb->end, PAGE_SIZE, tlb->freed_tables);
	mm_notify_changed(&tlb->range);
	tlb->start = ~0ul;
	tlb->end = 0;
	put_gathered(tlb->page, tlb->nr_inline);
	tlb->nr_inline = 0;
	while (tlb->batch) {
		struct gather_batch *b = tlb->batch;

		tlb->batch = b->next;
		put_gathered(b->page, b->nr);
		free_page((unsigned long)b);
	}
	tlb->tables = NULL;
	tlb->freed_tables = false;
	if (!tables)
		return;
	if (tlb->fullmm)
		tables_free_rcu((struct rcu_head *)&tables->flags);
	else
		call_rcu((struct rcu_head *)&tables->flags, tables_free_rcu);
}

void gather_finish(struct mmu_gather *tlb)
{
	gather_flush(tlb);
	mm_notify_end(&tlb->range);
}
