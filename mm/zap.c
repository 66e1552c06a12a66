// SPDX-License-Identifier: MIT
/*
 * Taking mappings away: from a range of one VMA (munmap, madvise, exit) or from all VMAs that map a range
 * of a file (truncation).
 *
 * Dirty entries of shared file pages are passed on to the folio twice: under the table's lock, so that it
 * is never seen clean, and again after the flush, because another CPU may write through an old
 * translation until then.
 */
#include "mm_priv.h"

static void zap_file_page(struct vma *vma, struct folio *folio, struct page *page, pte_t e, bool *redirty)
{
	struct address_space *mapping = folio_mapping(folio);

	if (pte_dirty(e)) {
		folio_mark_page_dirty(folio, page);
		*redirty = pte_write(e) && mapping && !(mapping->flags & (1ul << AS_NO_WRITEBACK));
	}
	if (pte_young(e) && folio_test_lru(folio) && !(vma->vm_flags & VM_SEQ_READ))
		folio_mark_accessed(folio);
}

/* One table. Returns where it stopped: next, or where the gather was full, and was flushed. */
static unsigned long zap_table(struct mmu_gather *tlb, struct vma *vma, pte_t *pte, unsigned long addr,
			       unsigned long next, bool even_cows)
{
	long rss[NR_MM_COUNTERS] = { 0 };
	spinlock_t *ptl = table_lock(pte);
	unsigned long first = ~0ul, last = 0;
	bool full = false;

	ptl_lock(ptl);
	for (; addr < next && !full; addr += PAGE_SIZE, pte++) {
		pte_t e = ptep_read(pte);
		struct folio *folio;
		struct page *page;
		bool redirty = false;

		if (pte_none(e)) {
			unsigned long more = ptes_none(pte + 1, (next - addr - 1) >> PAGE_SHIFT);

			addr += more << PAGE_SHIFT;
			pte += more;
			continue;
		}
		if (unlikely(!pte_present(e) && tlb->keep_markers))
			continue;
		page = pte_present(e) ? pte_normal_page(e) : NULL;
		if (page && !even_cows && folio_test_anon(page_folio(page)))
			continue;
		e = ptep_clear(pte);
		if (first == ~0ul)
			first = addr;
		last = addr;
		if (!page)
			continue;
		folio = page_folio(page);
		if (folio_test_anon(folio)) {
			rss[MM_ANONPAGES]--;
		} else {
			rss[folio_counter(folio)]--;
			zap_file_page(vma, folio, page, e, &redirty);
		}
		folio_remove_rmap(folio);
		full = gather_page(tlb, page, redirty);
	}
	ptl_unlock(ptl);
	if (first != ~0ul)
		gather_range(tlb, first, last + PAGE_SIZE);
	for (int i = 0; i < NR_MM_COUNTERS; i++)
		if (rss[i])
			add_mm_counter(tlb->mm, i, rss[i]);
	/* Also where it was the last entry that filled it. */
	if (full)
		gather_flush(tlb);
	return addr;
}

/*
 * The end of a space: nobody can use a translation of it any more or walk its tables, which are freed
 * right after. Entries are only read, pages are let go at once.
 */
static void zap_table_at_end(struct mmu_gather *tlb, struct vma *vma, const pte_t *pte, unsigned long n)
{
	long anon = 0, gone = 0, file[NR_MM_COUNTERS] = { 0 };
	bool unused, is_anon;

	for (const pte_t *end = pte + n; pte < end; pte++) {
		union folio_counts left;
		struct folio *folio;
		struct page *page;
		pte_t e = *pte;

		if (pte_none(e)) {
			pte += ptes_none(pte + 1, (unsigned long)(end - pte) - 1);
			continue;
		}
		if (!pte_present(e) || pte_special(e))
			continue;
		page = pfn_to_page(pte_pfn(e));
		folio = page_folio(page);
		is_anon = folio_test_anon(folio);
		if (likely(is_anon)) {
			anon++;
		} else {
			file[folio_counter(folio)]--;
			zap_file_page(vma, folio, page, e, &unused);
		}
		left = folio_drop_mapping(folio);
		if (!left.map) {
			if (is_anon)
				gone++;
			else
				stat_file_mapped(folio, false);
		}
		if (!left.ref)
			__folio_put(folio);
	}
	if (anon)
		add_mm_counter(tlb->mm, MM_ANONPAGES, -anon);
	if (gone)
		mod_stat(NR_ANON_MAPPED, -gone);
	if (file[MM_FILEPAGES])
		add_mm_counter(tlb->mm, MM_FILEPAGES, file[MM_FILEPAGES]);
	if (file[MM_SHMEMPAGES])
		add_mm_counter(tlb->mm, MM_SHMEMPAGES, file[MM_SHMEMPAGES]);
}

void zap_range(struct mmu_gather *tlb, struct vma *vma, unsigned long start, unsigned long end, bool even_cows)
{
	struct mm *mm = tlb->mm;
	unsigned long addr = start;

	while (addr < end) {
		unsigned long next;
		pte_t *pte;

		addr = pt_next_table(mm, addr, end, &pte);
		if (addr >= end)
			break;
		next = table_end(addr, end);
		if (tlb->fullmm) {
			zap_table_at_end(tlb, vma, pte, (next - addr) >> PAGE_SHIFT);
			addr = next;
			continue;
		}
		addr = zap_table(tlb, vma, pte, addr, next, even_cows);
		cond_resched();
	}
}

void zap_vma_range(struct vma *vma, unsigned long start, unsigned long len)
{
	struct mmu_gather tlb;

	gather_init(&tlb, vma->vm_mm, start, start + len, false);
	zap_range(&tlb, vma, start, start + len, true);
	gather_finish(&tlb);
}

void unmap_mapping_range(struct address_space *mapping, loff_t holebegin, loff_t holelen, bool even_cows)
{
	pgoff_t first = (u64)holebegin >> PAGE_SHIFT;
	pgoff_t last = holelen ? ((u64)holebegin + (u64)holelen - 1) >> PAGE_SHIFT : ~0ul >> PAGE_SHIFT;
	struct vma *vma;

	/* No look before the lock is held: who moves the border of the only VMA takes it out for a moment. */
	down_read(&mapping->i_mmap_rwsem);
	for (vma = imap_first(mapping, first, last); vma; vma = imap_next(vma, first, last)) {
		pgoff_t vlast = vma->vm_pgoff + vma_pages(vma) - 1;
		pgoff_t a = max(first, (pgoff_t)vma->vm_pgoff), b = min(last, vlast);
		unsigned long start = vma->vm_start + ((a - vma->vm_pgoff) << PAGE_SHIFT);
		unsigned long end = vma->vm_start + ((b - vma->vm_pgoff + 1) << PAGE_SHIFT);
		struct mmu_gather tlb;

		gather_init(&tlb, vma->vm_mm, start, end, false);
		tlb.keep_markers = true;	/* guards are the mapping's, not the file's */
		zap_range(&tlb, vma, start, end, even_cows);
		gather_finish(&tlb);
	}
	up_read(&mapping->i_mmap_rwsem);
}

void folio_unmap(struct folio *folio)
{
	struct address_space *mapping = folio_mapping(folio);

	if (mapping && folio_mapped(folio))
		unmap_mapping_range(mapping, folio_pos(folio), (loff_t)folio_size(folio), false);
}
