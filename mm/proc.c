// SPDX-License-Identifier: MIT
/* What procfs shows of an address space: smaps, pagemap, names, clear_refs. */
#include "mm_priv.h"
#include <lib/format.h>

#define PM_PRESENT	(1ull << 63)
#define PM_FILE		(1ull << 61)
#define PM_EXCLUSIVE	(1ull << 56)

static void smaps_page(struct smaps *s, pte_t e, struct folio *folio)
{
	unsigned long maps = (unsigned long)max(folio_page_mapcount(folio), 1);
	bool dirty = pte_dirty(e) || folio_test_dirty(folio), anon = folio_test_anon(folio);
	unsigned long share = PAGE_SIZE / maps;

	s->rss += PAGE_SIZE;
	s->pss += share;
	if (anon) {
		s->anonymous += PAGE_SIZE;
		s->anon_pss += share;
		if (!folio_test_swapbacked(folio) && !dirty)
			s->lazyfree += PAGE_SIZE;
	} else if (folio_test_swapbacked(folio)) {
		s->shmem_pss += share;
	} else {
		s->file_pss += share;
	}
	if (pte_young(e) || folio_test_referenced(folio))
		s->referenced += PAGE_SIZE;
	if (dirty)
		s->pss_dirty += share;
	if (maps > 1)
		*(dirty ? &s->shared_dirty : &s->shared_clean) += PAGE_SIZE;
	else
		*(dirty ? &s->private_dirty : &s->private_clean) += PAGE_SIZE;
}

void mm_smaps(struct vma *vma, struct smaps *out)
{
	unsigned long addr = vma->vm_start, pss = out->pss;

	while (addr < vma->vm_end) {
		unsigned long next;
		spinlock_t *ptl;
		pte_t *pte;

		addr = pt_next_table(vma->vm_mm, addr, vma->vm_end, &pte);
		if (addr >= vma->vm_end)
			break;
		next = table_end(addr, vma->vm_end);
		ptl = table_lock(pte);
		ptl_lock(ptl);
		for (; addr < next; addr += PAGE_SIZE, pte++) {
			pte_t e = ptep_read(pte);
			struct page *page = pte_present(e) ? pte_normal_page(e) : NULL;

			if (page)
				smaps_page(out, e, page_folio(page));
		}
		ptl_unlock(ptl);
		cond_resched();
	}
	if (vma->vm_flags & VM_LOCKED)
		out->locked += out->pss - pss;
}

unsigned long mm_pagemap(struct mm *mm, unsigned long start, unsigned long nr, u64 *out)
{
	for (unsigned long i = 0; i < nr; i++) {
		unsigned long addr = start + (i << PAGE_SHIFT);
		spinlock_t *ptl;
		pte_t *pte = addr < mm->task_size ? pte_find_lock(mm, addr, &ptl) : NULL;

		out[i] = 0;
		if (!pte)
			continue;
		pte_t e = ptep_read(pte);

		if (pte_present(e)) {
			struct page *page = pte_normal_page(e);

			out[i] = PM_PRESENT | pte_pfn(e);
			if (page && !folio_test_anon(page_folio(page)))
				out[i] |= PM_FILE;
			if (page && folio_page_mapcount(page_folio(page)) == 1)
				out[i] |= PM_EXCLUSIVE;
		}
		pte_unlock(ptl);
	}
	return nr;
}

int mm_clear_refs(struct mm *mm, int type)
{
	struct mmu_gather tlb;
	struct vma *vma;

	if (type < 1 || type > 5)
		return -EINVAL;
	if (type == 5) {
		mm_reset_hiwater_rss(mm);
		return 0;
	}
	if (type == 4)
		return -EINVAL;
	mmap_read_lock(mm);
	gather_init(&tlb, mm, 0, mm->task_size, false);
	for_each_vma(mm, vma) {
		unsigned long addr = vma->vm_start;

		if ((type == 2 && vma->vm_file) || (type == 3 && !vma->vm_file) || vma->vm_flags & VM_PFNMAP)
			continue;
		while (addr < vma->vm_end) {
			unsigned long next;
			spinlock_t *ptl;
			pte_t *pte;

			addr = pt_next_table(mm, addr, vma->vm_end, &pte);
			if (addr >= vma->vm_end)
				break;
			next = table_end(addr, vma->vm_end);
			ptl = table_lock(pte);
			ptl_lock(ptl);
			for (; addr < next; addr += PAGE_SIZE, pte++) {
				pte_t e = ptep_read(pte);
				struct page *page = pte_present(e) ? pte_normal_page(e) : NULL;

				if (!page)
					continue;
				ptep_test_and_clear_young(pte);
				folio_clear_referenced(page_folio(page));
				gather_range(&tlb, addr, addr + PAGE_SIZE);
			}
			ptl_unlock(ptl);
		}
	}
	gather_finish(&tlb);
	mmap_read_unlock(mm);
	return 0;
}

const char *vma_name(struct vma *vma, char *buf, size_t size)
{
	struct mm *mm = vma->vm_mm;

	if (vma->vm_ops && vma->vm_ops->name) {
		const char *n = vma->vm_ops->name(vma);

		if (n)
			return n;
	}
	if (vma->anon_name) {
		snprintf(buf, size, vma->vm_file ? "[anon_shmem:%s]" : "[anon:%s]", vma->anon_name);
		return buf;
	}
	if (vma->vm_file)
		return NULL;
	if (vma->vm_start < mm->brk && vma->vm_end > mm->start_brk)
		return "[heap]";
	if (vma->vm_start <= mm->start_stack && vma->vm_end >= mm->start_stack)
		return "[stack]";
	return NULL;
}
