// SPDX-License-Identifier: MIT
/*
 * Page faults.
 *
 * The VMA is looked up under RCU and only its read lock is taken; mmap_lock is the way back when a writer is
 * busy, the tree changed under the search, or the stack must grow. What was decided without the table's
 * lock is checked again under it (the entry is still the one that was read) before an entry is set.
 *
 * Anonymous memory: a read maps the zero page, a write a fresh page. A private page that is written to
 * is taken over if its only reference is the mapping, else copied. File pages come from the mapping's
 * operations; reads also map cached neighbours (fault-around).
 */
#include "mm_priv.h"
#include <sched/nowait.h>
#include <asm/signal.h>
#include <asm/siginfo.h>

/* Does the first write to a page of this shared mapping need to be seen? */
bool vma_wants_writenotify(const struct vma *vma)
{
	struct address_space *mapping = vma->vm_mapping;

	if ((vma->vm_flags & (VM_SHARED | VM_WRITE)) != (VM_SHARED | VM_WRITE))
		return false;
	if (vma->vm_ops && (vma->vm_ops->page_mkwrite || vma->vm_ops->pfn_mkwrite))
		return true;
	if (vma->vm_flags & (VM_PFNMAP | VM_MIXEDMAP) || !mapping || !vma->vm_ops)
		return false;
	return !(READ_ONCE(mapping->flags) & (1ul << AS_NO_WRITEBACK));
}

static inline pte_t vma_pte(const struct vma *vma, unsigned long pfn, bool write)
{
	unsigned int prot = vma->vm_page_prot;

	return pte_make(pfn, write ? prot : prot & ~PTE_P_WRITE, 0);
}

/* Make the tables, lock, and see whether the entry is still empty. NULL: it is not, or *err says why. */
static pte_t *lock_empty(struct vm_fault *vmf, vm_fault_t *err)
{
	pte_t *pte = pte_alloc(vmf->vma->vm_mm, vmf->address);

	if (unlikely(!pte)) {
		*err = VM_FAULT_OOM;
		return NULL;
	}
	vmf->ptl = table_lock(pte);
	ptl_lock(vmf->ptl);
	if (unlikely(vma_was_reaped(vmf->vma)))
		*err = VM_FAULT_SIGBUS;
	else if (likely(pte_none(ptep_read(pte))))
		return pte;
	ptl_unlock(vmf->ptl);
	return NULL;
}

static vm_fault_t anonymous_fault(struct vm_fault *vmf)
{
	struct vma *vma = vmf->vma;
	struct folio *folio;
	vm_fault_t err = 0;
	pte_t *pte;

	if (!(vmf->flags & FAULT_WRITE)) {
		pte = lock_empty(vmf, &err);
		if (!pte)
			return err;
		ptep_set(pte, pte_mkspecial(vma_pte(vma, page_to_pfn(zero_page), false)));
		ptl_unlock(vmf->ptl);
		return 0;
	}
	folio = (struct folio *)alloc_pages(GFP_HIGHUSER_MOVABLE | __GFP_ZERO | __GFP_ACCOUNT, 0);
	if (unlikely(!folio))
		return VM_FAULT_OOM;
	pte = lock_empty(vmf, &err);
	if (unlikely(!pte)) {
		folio_put(folio);
		return err;
	}
	folio_set_anon(folio, vma, vmf->address);
	ptep_set(pte, pte_mkdirty(vma_pte(vma, folio_pfn(folio), true)));
	if (unlikely(vma->vm_flags & VM_LOCKED))
		folio_mlock(folio);
	ptl_unlock(vmf->ptl);
	add_mm_counter(vma->vm_mm, MM_ANONPAGES, 1);
	return 0;
}

/* vm_ops->fault, leaving vmf->page referenced and, for cache pages, locked. */
static vm_fault_t call_fault(struct vm_fault *vmf)
{
	vm_fault_t ret = vmf->vma->vm_ops->fault(vmf);

	if (unlikely(ret & (VM_FAULT_ERROR | VM_FAULT_NOPAGE | VM_FAULT_RETRY | VM_FAULT_DONE_COW)))
		return ret;
	if (unlikely(!(ret & VM_FAULT_LOCKED)))
		folio_lock(page_folio(vmf->page));
	return ret | VM_FAULT_LOCKED;
}

static bool file_page_special(const struct page *page)
{
	/* Pages that belong to the kernel (vDSO, reserved) take no part in counting. */
	return page_type(&page_folio((struct page *)page)->page) < 0;
}

/* Map vmf->page (referenced) if the entry is still empty; the reference goes into the mapping. */
static vm_fault_t map_file_page(struct vm_fault *vmf, bool write)
{
	struct vma *vma = vmf->vma;
	struct folio *folio = page_folio(vmf->page);
	vm_fault_t err = 0;
	pte_t *pte = lock_empty(vmf, &err), e;

	if (!pte) {
		folio_put(folio);
		return err;
	}
	e = vma_pte(vma, page_to_pfn(vmf->page), write);
	if (unlikely(file_page_special(vmf->page))) {
		ptep_set(pte, pte_mkspecial(e));
		ptl_unlock(vmf->ptl);
		return 0;
	}
	folio_add_file_rmap(folio);
	ptep_set(pte, vmf->flags & FAULT_WRITE && write ? pte_mkdirty(e) : e);
	if (unlikely(vma->vm_flags & VM_LOCKED))
		folio_mlock(folio);
	ptl_unlock(vmf->ptl);
	add_mm_counter(vma->vm_mm, folio_counter(folio), 1);
	return 0;
}

#define AROUND_PAGES	16ul

static vm_fault_t fault_around(struct vm_fault *vmf)
{
	struct vma *vma = vmf->vma;
	pgoff_t off = linear_index(vma, vmf->address), vend = vma->vm_pgoff + vma_pages(vma) - 1;
	unsigned long in_table = pt_index(vmf->address, 0);
	unsigned long back = min3(vmf->address >> PAGE_SHIFT & (AROUND_PAGES - 1), in_table,
				  (unsigned long)(off - vma->vm_pgoff));
	pgoff_t start = off - back;
	pgoff_t end = min(start + min(AROUND_PAGES, PT_ENTRIES - (in_table - back)) - 1, vend);

	if (!pte_alloc(vma->vm_mm, vmf->address))
		return VM_FAULT_OOM;
	return vma->vm_ops->map_pages(vmf, start, end);
}

static vm_fault_t read_fault(struct vm_fault *vmf)
{
	struct vma *vma = vmf->vma;
	vm_fault_t ret;

	if (vma->vm_ops->map_pages) {
		ret = fault_around(vmf);
		if (ret)
			return ret & VM_FAULT_NOPAGE ? 0 : ret;
	}
	ret = call_fault(vmf);
	if (!(ret & VM_FAULT_LOCKED))
		return ret;
	ret &= ~VM_FAULT_LOCKED;
	struct folio *folio = page_folio(vmf->page);

	folio_get(folio);
	ret |= map_file_page(vmf, vma_is_shared(vma) && vma->vm_flags & VM_WRITE && !vma_wants_writenotify(vma));
	folio_unlock(folio);
	folio_put(folio);
	return ret;
}

static vm_fault_t cow_fault(struct vm_fault *vmf)
{
	struct vma *vma = vmf->vma;
	struct folio *copy = folio_alloc(GFP_HIGHUSER_MOVABLE | __GFP_ACCOUNT, 0), *folio;
	vm_fault_t err = 0;
	vm_fault_t ret;
	pte_t *pte;

	if (!copy)
		return VM_FAULT_OOM;
	ret = call_fault(vmf);
	if (!(ret & VM_FAULT_LOCKED)) {
		folio_put(copy);
		return ret;
	}
	ret &= ~VM_FAULT_LOCKED;
	folio = page_folio(vmf->page);
	arch_copy_page(folio_address(copy), page_address(vmf->page));
	folio_unlock(folio);
	folio_put(folio);
	pte = lock_empty(vmf, &err);
	if (!pte) {
		folio_put(copy);
		return err ? err : ret;
	}
	folio_set_anon(copy, vma, vmf->address);
	ptep_set(pte, pte_mkdirty(vma_pte(vma, folio_pfn(copy), true)));
	if (unlikely(vma->vm_flags & VM_LOCKED))
		folio_mlock(copy);
	ptl_unlock(vmf->ptl);
	add_mm_counter(vma->vm_mm, MM_ANONPAGES, 1);
	return ret;
}

/*
 * vmf->page of the folio (locked, referenced) of a shared mapping is about to become writable. Dirty on success and
 * still locked: then it cannot be written back and cleaned before the entry is set.
 */
static vm_fault_t make_writable(struct vm_fault *vmf, struct folio *folio)
{
	struct vma *vma = vmf->vma;
	struct address_space *mapping = vma->vm_mapping;
	int err;

	if (vma->vm_ops->page_mkwrite) {
		vm_fault_t ret;

		folio_unlock(folio);
		ret = vma->vm_ops->page_mkwrite(vmf);
		if (ret & (VM_FAULT_ERROR | VM_FAULT_NOPAGE))
			return ret;
		if (!(ret & VM_FAULT_LOCKED))
			folio_lock(folio);
	} else if (mapping && mapping->ops && mapping->ops->page_mkwrite) {
		err = mapping->ops->page_mkwrite(vma, folio);
		if (err) {
			folio_unlock(folio);
			return err == -ENOMEM ? VM_FAULT_OOM : err == -EAGAIN ? VM_FAULT_NOPAGE : VM_FAULT_SIGBUS;
		}
	}
	if (mapping && (folio_mapping(folio) != mapping || !folio_test_uptodate(folio))) {
		folio_unlock(folio);	/* truncated: let the fault find out */
		return VM_FAULT_NOPAGE;
	}
	folio_mark_page_dirty(folio, vmf->page);
	return 0;
}

static vm_fault_t shared_fault(struct vm_fault *vmf)
{
	struct vma *vma = vmf->vma;
	vm_fault_t ret = call_fault(vmf), r2;
	struct folio *folio;
	bool notify = vma_wants_writenotify(vma);

	if (!(ret & VM_FAULT_LOCKED))
		return ret;
	ret &= ~VM_FAULT_LOCKED;
	folio = page_folio(vmf->page);
	if (notify) {
		r2 = make_writable(vmf, folio);
		if (r2) {
			folio_put(folio);
			return r2 & VM_FAULT_NOPAGE ? ret : ret | r2;
		}
	}
	folio_get(folio);
	ret |= map_file_page(vmf, true);
	folio_unlock(folio);
	folio_put(folio);
	if (notify) {
		if (vma->vm_file)
			mm_file_update_time(vma->vm_file);
		if (vma->vm_mapping)
			balance_dirty_pages_ratelimited(vma->vm_mapping);
	}
	return ret;
}

static vm_fault_t file_fault(struct vm_fault *vmf)
{
	struct vma *vma = vmf->vma;

	vmf->pgoff = linear_index(vma, vmf->address);
	if (unlikely(!vma->vm_ops->fault))
		return VM_FAULT_SIGBUS;
	if (!(vmf->flags & FAULT_WRITE))
		return read_fault(vmf);
	return vma_is_shared(vma) ? shared_fault(vmf) : cow_fault(vmf);
}

/* Replace the page behind vmf->orig_pte by a private copy (or fresh zeroes). ptl is held on entry. */
static vm_fault_t wp_copy(struct vm_fault *vmf, struct page *old)
{
	struct vma *vma = vmf->vma;
	struct mm *mm = vma->vm_mm;
	struct mm_notify_range range;
	struct folio *copy;
	bool zero = is_zero_pfn(pte_pfn(vmf->orig_pte));
	pte_t e;

	if (old)
		folio_get(page_folio(old));
	ptl_unlock(vmf->ptl);
	copy = folio_alloc(GFP_HIGHUSER_MOVABLE | __GFP_ACCOUNT | (zero ? __GFP_ZERO : 0), 0);
	if (!copy) {
		if (old)
			folio_put(page_folio(old));
		return VM_FAULT_OOM;
	}
	if (old)
		arch_copy_page(folio_address(copy), page_address(old));
	mm_notify_start(&range, mm, vmf->address, vmf->address + PAGE_SIZE);
	ptl_lock(vmf->ptl);
	if (unlikely(!pte_same(ptep_read(vmf->pte), vmf->orig_pte))) {
		ptl_unlock(vmf->ptl);
		folio_put(copy);
		goto out;
	}
	folio_set_anon(copy, vma, vmf->address);
	e = pte_mkdirty(vma_pte(vma, folio_pfn(copy), true));
	/* Nobody may see old and new at once through different translations. */
	ptep_clear(vmf->pte);
	arch_tlb_flush_mm_range(&mm->context, vmf->address, vmf->address + PAGE_SIZE, PAGE_SIZE, false);
	ptep_set(vmf->pte, e);
	if (unlikely(vma->vm_flags & VM_LOCKED))
		folio_mlock(copy);
	if (old) {
		if (folio_test_anon(page_folio(old))) {
			folio_remove_rmap(page_folio(old));
		} else {
			add_mm_counter(mm, folio_counter(page_folio(old)), -1);
			add_mm_counter(mm, MM_ANONPAGES, 1);
			folio_remove_rmap(page_folio(old));
		}
	} else {
		add_mm_counter(mm, MM_ANONPAGES, 1);
	}
	ptl_unlock(vmf->ptl);
	mm_notify_changed(&range);
	if (old)
		folio_put(page_folio(old));	/* the mapping's */
out:
	mm_notify_end(&range);
	if (old)
		folio_put(page_folio(old));	/* ours */
	return 0;
}

/* Set the entry writable and dirty; ptl held. */
static void wp_reuse(struct vm_fault *vmf)
{
	pte_t e = pte_mkyoung(pte_mkdirty(vmf->orig_pte));

	if (vmf->vma->vm_flags & VM_WRITE)
		e = pte_mkwrite(e);
	ptep_set(vmf->pte, e);
	ptl_unlock(vmf->ptl);
	/* More rights: stale translations elsewhere just fault again. */
	arch_tlb_flush_local_page(&vmf->vma->vm_mm->context, vmf->address);
}

static vm_fault_t wp_shared(struct vm_fault *vmf, struct page *page)
{
	struct vma *vma = vmf->vma;
	struct folio *folio;
	vm_fault_t ret;

	if (!page) {
		if (vma->vm_ops && vma->vm_ops->pfn_mkwrite) {
			ptl_unlock(vmf->ptl);
			ret = vma->vm_ops->pfn_mkwrite(vmf);
			if (ret & (VM_FAULT_ERROR | VM_FAULT_NOPAGE))
				return ret & VM_FAULT_ERROR;
			ptl_lock(vmf->ptl);
			if (!pte_same(ptep_read(vmf->pte), vmf->orig_pte)) {
				ptl_unlock(vmf->ptl);
				return 0;
			}
		}
		wp_reuse(vmf);
		return 0;
	}
	if (!vma_wants_writenotify(vma)) {
		wp_reuse(vmf);
		return 0;
	}
	folio = page_folio(page);
	vmf->page = page;
	folio_get(folio);
	ptl_unlock(vmf->ptl);
	folio_lock(folio);
	ret = make_writable(vmf, folio);
	if (ret) {
		folio_put(folio);
		return ret & VM_FAULT_ERROR;
	}
	ptl_lock(vmf->ptl);
	if (pte_same(ptep_read(vmf->pte), vmf->orig_pte))
		wp_reuse(vmf);
	else
		ptl_unlock(vmf->ptl);
	folio_unlock(folio);
	folio_put(folio);
	if (vma->vm_file)
		mm_file_update_time(vma->vm_file);
	if (vma->vm_mapping)
		balance_dirty_pages_ratelimited(vma->vm_mapping);
	return 0;
}

/* A write (or a read that must not share) to a present entry without the right. ptl is held. */
static vm_fault_t wp_fault(struct vm_fault *vmf)
{
	struct vma *vma = vmf->vma;
	struct page *page = pte_normal_page(vmf->orig_pte);

	if (vma_is_shared(vma)) {
		if (vmf->flags & FAULT_UNSHARE) {
			ptl_unlock(vmf->ptl);
			return 0;
		}
		return wp_shared(vmf, page);
	}
	if (page) {
		struct folio *folio = page_folio(page);

		/* Pinned folios are exclusive: pinning unshares, fork copies them. */
		if (folio_test_anon(folio) &&
		    (folio_ref_count(folio) == 1 ||
		     (folio_mapcount(folio) == 1 && folio_maybe_dma_pinned(folio)))) {
			if (vmf->flags & FAULT_UNSHARE) {
				ptl_unlock(vmf->ptl);
				return 0;
			}
			if (unlikely(!folio_test_swapbacked(folio)))
				folio_set_swapbacked(folio);
			wp_reuse(vmf);
			return 0;
		}
	} else if (!is_zero_pfn(pte_pfn(vmf->orig_pte))) {
		/* Device memory in a private mapping: copied by address. */
		if (!pfn_valid(pte_pfn(vmf->orig_pte))) {
			ptl_unlock(vmf->ptl);
			return VM_FAULT_SIGBUS;
		}
		page = pfn_to_page(pte_pfn(vmf->orig_pte));
		if (PageReserved(page)) {
			ptl_unlock(vmf->ptl);
			return VM_FAULT_SIGBUS;
		}
	}
	return wp_copy(vmf, page);
}

vm_fault_t handle_mm_fault(struct vma *vma, unsigned long address, unsigned int flags)
{
	struct vm_fault vmf = {
		.vma = vma, .real_address = address, .address = address & PAGE_MASK, .flags = flags,
	};
	pte_t *pte = pte_find(vma->vm_mm, vmf.address);
	pte_t e = pte ? ptep_read(pte) : PTE_NONE;

	if (pte_none(e))
		return vma_is_anonymous(vma) ? anonymous_fault(&vmf) : file_fault(&vmf);
	if (unlikely(!pte_present(e)))	/* a guard (MADV_GUARD_INSTALL) */
		return VM_FAULT_SIGSEGV;
	vmf.pte = pte;
	vmf.orig_pte = e;
	vmf.ptl = table_lock(pte);
	ptl_lock(vmf.ptl);
	if (unlikely(!pte_same(ptep_read(pte), e))) {
		ptl_unlock(vmf.ptl);
		return 0;
	}
	if (flags & (FAULT_WRITE | FAULT_UNSHARE) && !pte_write(e))
		return wp_fault(&vmf);
	/* Somebody else was faster, or the CPU wants the accessed bit set. */
	if (flags & FAULT_WRITE)
		ptep_set(pte, pte_mkyoung(pte_mkdirty(e)));
	else	/* if it has changed, the CPU has set young itself, and maybe dirty, which must stay */
		ptep_cmpxchg(pte, e, pte_mkyoung(e));
	ptl_unlock(vmf.ptl);
	arch_tlb_flush_local_page(&vma->vm_mm->context, vmf.address);
	return 0;
}

static bool access_error(const struct vma *vma, unsigned int flags)
{
	unsigned long f = vma->vm_flags;

	if (flags & FAULT_WRITE)
		return !(f & VM_WRITE);
	if (flags & FAULT_EXEC)
		return !(f & VM_EXEC);
	return !(f & VM_ACCESS_FLAGS);
}

#define SIGNAL(sig, code)	((sig) | (code) << 8)

static int fault_result(vm_fault_t ret, unsigned int flags)
{
	if (likely(!(ret & VM_FAULT_ERROR))) {
		if (ret & VM_FAULT_MAJOR) {
			current->maj_flt++;
			count_vm_event(PGMAJFAULT);
		} else {
			current->min_flt++;
		}
		return 0;
	}
	if (ret & VM_FAULT_OOM)		/* the killer has run, maybe for us: try again or die on the way out */
		return flags & FAULT_USER ? 0 : SIGNAL(SIGBUS, BUS_ADRERR);
	if (ret & VM_FAULT_SIGBUS)
		return SIGNAL(SIGBUS, BUS_ADRERR);
	return SIGNAL(SIGSEGV, SEGV_MAPERR);
}

static noinline int fault_slow(struct mm *mm, unsigned long addr, unsigned int flags)
{
	struct vma *vma;
	vm_fault_t ret;

	do {
		if (flags & FAULT_USER)
			mmap_read_lock(mm);
		else if (mmap_read_lock_killable(mm))
			return SIGNAL(SIGSEGV, SEGV_MAPERR);
		vma = find_extend_vma(mm, addr);
		if (!vma || addr < vma->vm_start) {
			mmap_read_unlock(mm);
			return SIGNAL(SIGSEGV, SEGV_MAPERR);
		}
		if (access_error(vma, flags)) {
			mmap_read_unlock(mm);
			return SIGNAL(SIGSEGV, SEGV_ACCERR);
		}
		ret = handle_mm_fault(vma, addr, flags);
		mmap_read_unlock(mm);
	} while (ret & VM_FAULT_RETRY && !fatal_signal_pending(current));
	return fault_result(ret, flags);
}

static __always_inline int fault(unsigned long addr, unsigned int flags)
{
	struct mm *mm = current->mm;
	struct vma *vma;
	vm_fault_t ret;

	if (unlikely(!mm || addr >= TASK_SIZE_MAX || faulthandler_disabled()))
		return SIGNAL(SIGSEGV, SEGV_MAPERR);
	count_vm_event(PGFAULT);
	vma = lock_vma_under_rcu(mm, addr);
	if (unlikely(!vma))
		return fault_slow(mm, addr, flags);
	if (unlikely(access_error(vma, flags))) {
		vma_end_read(vma);
		return SIGNAL(SIGSEGV, SEGV_ACCERR);
	}
	ret = handle_mm_fault(vma, addr, flags | FAULT_VMA_LOCK);
	vma_end_read(vma);
	if (unlikely(ret & VM_FAULT_RETRY))
		return fault_slow(mm, addr, flags);
	return fault_result(ret, flags);
}

int mm_handle_fault(struct pt_regs *regs, unsigned long addr, unsigned int flags)
{
	bool was = nowait_pause();
	int r = fault(addr, flags);

	nowait_resume(was);
	return r;
}

/* Drivers: physical memory into a VMA. */
int remap_pfn_range(struct vma *vma, unsigned long addr, unsigned long pfn, unsigned long size, unsigned int prot)
{
	unsigned long end = addr + PAGE_ALIGN(size);

	if (offset_in_page(addr) || end > vma->vm_end || addr < vma->vm_start)
		return -EINVAL;
	if (vma_is_cow(vma)) {
		if (addr != vma->vm_start || end != vma->vm_end)
			return -EINVAL;
		vma->vm_pgoff = pfn;
	}
	vma->vm_flags |= VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP;
	vma->vm_page_prot |= prot & (PTE_P_NOCACHE | PTE_P_WC);
	if (vma_is_cow(vma))
		prot &= ~PTE_P_WRITE;
	for (; addr < end; addr += PAGE_SIZE, pfn++) {
		pte_t *pte = pte_alloc(vma->vm_mm, addr);
		spinlock_t *ptl;

		if (!pte)
			return -ENOMEM;
		ptl = table_lock(pte);
		ptl_lock(ptl);
		ptep_set(pte, pte_mkspecial(pte_make(pfn, prot | PTE_P_USER, 0)));
		ptl_unlock(ptl);
	}
	return 0;
}

int vm_insert_page(struct vma *vma, unsigned long addr, struct page *page)
{
	struct vm_fault vmf = { .vma = vma, .address = addr & PAGE_MASK, .page = page };
	vm_fault_t ret;

	if (addr < vma->vm_start || addr >= vma->vm_end || !page_ref_count(page))
		return -EINVAL;
	vma->vm_flags |= VM_MIXEDMAP;
	folio_get(page_folio(page));
	ret = map_file_page(&vmf, vma->vm_flags & VM_WRITE);
	return ret & VM_FAULT_OOM ? -ENOMEM : 0;
}

vm_fault_t vmf_insert_pfn(struct vma *vma, unsigned long addr, unsigned long pfn)
{
	struct vm_fault vmf = { .vma = vma, .address = addr & PAGE_MASK };
	vm_fault_t err = 0;
	pte_t *pte = lock_empty(&vmf, &err);

	if (!pte)
		return err ? err : VM_FAULT_NOPAGE;
	ptep_set(pte, pte_mkspecial(vma_pte(vma, pfn, vma->vm_flags & VM_WRITE)));
	ptl_unlock(vmf.ptl);
	return VM_FAULT_NOPAGE;
}
