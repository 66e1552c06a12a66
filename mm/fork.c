// SPDX-License-Identifier: MIT
/*
 * Copying page tables at fork. Private pages are shared and write-protected on both sides; pages that may
 * be pinned for DMA are copied at once, so that the device keeps writing to the parent's. File pages that
 * a fault can bring back are not copied.
 */
#include "mm_priv.h"

/* Copies may write to src entries without atomics if nobody else runs on that space. */
static inline pte_t src_protect(pte_t *pte, pte_t e, bool alone)
{
	if (alone) {
		e = pte_wrprotect(e);
		WRITE_ONCE(pte->v, e.v);
		return e;
	}
	return pte_wrprotect(ptep_wrprotect(pte));
}

static struct page *copy_pinned(struct vma *dvma, unsigned long addr, struct page *src, struct page *copy)
{
	struct folio *folio = (struct folio *)copy;

	arch_copy_page(page_address(copy), page_address(src));
	folio_set_anon(folio, dvma, addr);
	return copy;
}

struct copy {
	struct mm *dst;
	struct vma *dvma, *svma;
	bool cow, alone, protected;
	struct page *spare;		/* for a pinned page */
	long rss[NR_MM_COUNTERS];
};

/* One table's worth; returns where it stopped (a spare page is wanted there). */
static unsigned long copy_table(struct copy *c, pte_t *src, pte_t *dst, unsigned long addr, unsigned long next)
{
	spinlock_t *dl = table_lock(dst), *sl = table_lock(src);

	ptl_lock(dl);
	ptl_lock_nested(sl);
	for (; addr < next; addr += PAGE_SIZE, src++, dst++) {
		pte_t e = ptep_read(src);
		struct folio *folio;
		struct page *page;

		if (pte_none(e)) {
			unsigned long more = ptes_none(src + 1, (next - addr - 1) >> PAGE_SHIFT);

			addr += more << PAGE_SHIFT;
			src += more;
			dst += more;
			continue;
		}
		if (unlikely(!pte_present(e))) {
			ptep_set(dst, e);
			continue;
		}
		page = pte_normal_page(e);
		if (unlikely(!page)) {
			ptep_set(dst, c->cow && pte_write(e) ? pte_wrprotect(e) : e);
			continue;
		}
		folio = page_folio(page);
		if (unlikely(c->cow && folio_maybe_dma_pinned(folio) && folio_test_anon(folio))) {
			if (!c->spare)
				break;
			page = copy_pinned(c->dvma, addr, page, c->spare);
			c->spare = NULL;
			c->rss[MM_ANONPAGES]++;
			e = pte_make(page_to_pfn(page), c->dvma->vm_page_prot, 0);
			ptep_set(dst, c->dvma->vm_flags & VM_WRITE ? pte_mkdirty(e) : e);
			continue;
		}
		if (c->cow && pte_write(e)) {
			e = src_protect(src, e, c->alone);
			c->protected = true;
		}
		if (!c->cow)
			e = pte_mkclean(e);
		folio_dup_mapping(folio);
		c->rss[folio_counter(folio)]++;
		/* The child's table is not in use yet. */
		WRITE_ONCE(dst->v, pte_mkold(e).v);
	}
	ptl_unlock(sl);
	ptl_unlock(dl);
	return addr;
}

int __copy_page_range(struct mm *dst, struct vma *dvma, struct vma *svma, bool *protected)
{
	struct mm *mm = svma->vm_mm;
	struct copy c = {
		.dst = dst, .dvma = dvma, .svma = svma, .cow = vma_is_cow(svma),
		.alone = atomic_read_acquire(&mm->mm_users) == 1 && current->mm == mm,
	};
	unsigned long addr = svma->vm_start, end = svma->vm_end;
	struct mm_notify_range range;
	int err = 0;

	mm_notify_start(&range, mm, addr, end);
	while (addr < end) {
		unsigned long next;
		pte_t *src, *d;

		addr = pt_next_table(mm, addr, end, &src);
		if (addr >= end)
			break;
		next = table_end(addr, end);
		d = pte_alloc(dst, addr);
		if (!d) {
			err = -ENOMEM;
			break;
		}
		addr = copy_table(&c, src, d, addr, next);
		if (addr < next && !c.spare) {
			c.spare = alloc_page(GFP_HIGHUSER_MOVABLE);
			if (!c.spare) {
				err = -ENOMEM;
				break;
			}
		}
		cond_resched();
	}
	if (c.spare)
		__free_page(c.spare);
	*protected |= c.protected;
	mm_notify_changed(&range);
	mm_notify_end(&range);
	for (int i = 0; i < NR_MM_COUNTERS; i++)
		if (c.rss[i])
			add_mm_counter(dst, i, c.rss[i]);
	return err;
}
