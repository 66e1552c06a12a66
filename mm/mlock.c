// SPDX-License-Identifier: MIT
/*
 * mlock and friends. A locked VMA has VM_LOCKED and its pages are made present; folios mapped by it carry
 * PG_mlocked for the books (Mlocked in meminfo). Reclaim refuses folios that a VM_LOCKED VMA maps.
 */
#include "mm_priv.h"
#include <mm/mman.h>
#include <linux/capability.h>

#define LOCK_MASK	(VM_LOCKED | VM_LOCKONFAULT)

/* Set or clear the mark of what is mapped in the range. */
static void mark_pages(struct vma *vma, unsigned long start, unsigned long end, bool lock)
{
	unsigned long addr = start;

	while (addr < end) {
		unsigned long next;
		spinlock_t *ptl;
		pte_t *pte;

		addr = pt_next_table(vma->vm_mm, addr, end, &pte);
		if (addr >= end)
			break;
		next = table_end(addr, end);
		ptl = table_lock(pte);
		ptl_lock(ptl);
		for (; addr < next; addr += PAGE_SIZE, pte++) {
			pte_t e = ptep_read(pte);
			struct page *page = pte_present(e) ? pte_normal_page(e) : NULL;

			if (!page)
				continue;
			if (lock)
				folio_mlock(page_folio(page));
			else if (folio_test_clear_mlocked(page_folio(page)))
				mod_stat(NR_MLOCK, -(long)folio_nr_pages(page_folio(page)));
		}
		ptl_unlock(ptl);
		cond_resched();
	}
}

static int fix_vma(struct vma **vmap, unsigned long start, unsigned long end, unsigned long newflags)
{
	struct vma *vma = *vmap;
	long pages = (long)((end - start) >> PAGE_SHIFT);
	unsigned long old = vma->vm_flags;

	if (newflags == old || old & VM_SPECIAL)
		return 0;
	vma = vma_modify(vma, start, end, newflags, vma->anon_name);
	if (IS_ERR(vma))
		return (int)PTR_ERR(vma);
	*vmap = vma;
	if (!(newflags & VM_LOCKED))
		pages = -pages;
	else if (old & VM_LOCKED)
		pages = 0;
	vma->vm_mm->locked_vm += (unsigned long)pages;
	if ((newflags ^ old) & VM_LOCKED)
		mark_pages(vma, start, end, newflags & VM_LOCKED);
	return 0;
}

static int apply_range(struct mm *mm, unsigned long start, unsigned long len, unsigned long flags)
{
	unsigned long end = start + len, addr = start;
	struct vma *vma;

	if (end < start)
		return -EINVAL;
	vma = find_vma(mm, start);
	while (addr < end) {
		unsigned long stop;
		int err;

		if (!vma || vma->vm_start > addr)
			return -ENOMEM;
		stop = min(end, vma->vm_end);
		err = fix_vma(&vma, addr, stop, (vma->vm_flags & ~LOCK_MASK) | flags);
		if (err)
			return err;
		addr = stop;
		if (addr >= vma->vm_end)
			vma = vma->vm_next;
	}
	return 0;
}

static unsigned long already_locked(struct mm *mm, unsigned long start, unsigned long len)
{
	struct vma *vma = find_vma_intersection(mm, start, start + len);
	unsigned long pages = 0;

	for (; vma && vma->vm_start < start + len; vma = vma->vm_next)
		if (vma->vm_flags & VM_LOCKED)
			pages += (min(start + len, vma->vm_end) - max(start, vma->vm_start)) >> PAGE_SHIFT;
	return pages;
}

static bool can_mlock(void)
{
	return mm_rlimit(RLIMIT_MEMLOCK) || mm_capable(CAP_IPC_LOCK);
}

int mm_mlock(struct mm *mm, unsigned long start, size_t len, bool on_fault)
{
	unsigned long pages;
	int err;

	if (!can_mlock())
		return -EPERM;
	len = PAGE_ALIGN(len + offset_in_page(start));
	start &= PAGE_MASK;
	pages = len >> PAGE_SHIFT;
	err = mmap_write_lock_killable(mm);
	if (err)
		return err;
	err = -ENOMEM;
	if (mlock_allowed(mm, pages) || mlock_allowed(mm, pages - already_locked(mm, start, len)))
		err = apply_range(mm, start, len, on_fault ? LOCK_MASK : VM_LOCKED);
	mmap_write_unlock(mm);
	if (err)
		return err;
	err = mm_populate(mm, start, len);
	if (err == -EFAULT)
		return -ENOMEM;
	return err == -ENOMEM ? -EAGAIN : err;
}

int mm_munlock(struct mm *mm, unsigned long start, size_t len)
{
	int err;

	len = PAGE_ALIGN(len + offset_in_page(start));
	start &= PAGE_MASK;
	err = mmap_write_lock_killable(mm);
	if (err)
		return err;
	err = apply_range(mm, start, len, 0);
	mmap_write_unlock(mm);
	return err;
}

static void apply_all(struct mm *mm, unsigned long flags)
{
	struct vma *vma = find_vma(mm, 0);

	while (vma) {
		unsigned long end = vma->vm_end;

		/* Whole VMAs need no split and cannot fail. */
		fix_vma(&vma, vma->vm_start, end, (vma->vm_flags & ~LOCK_MASK) | flags);
		vma = find_vma(mm, end);
		cond_resched();
	}
}

int mm_mlockall(struct mm *mm, int flags)
{
	unsigned long lock = 0;
	int err;

	if (!flags || flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) || flags == MCL_ONFAULT)
		return -EINVAL;
	if (!can_mlock())
		return -EPERM;
	err = mmap_write_lock_killable(mm);
	if (err)
		return err;
	err = -ENOMEM;
	if (flags & MCL_CURRENT && mm->total_vm > mm_rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT &&
	    !mm_capable(CAP_IPC_LOCK))
		goto out;
	err = 0;
	mm->def_flags &= ~LOCK_MASK;
	lock = flags & MCL_ONFAULT ? LOCK_MASK : VM_LOCKED;
	if (flags & MCL_FUTURE)
		mm->def_flags |= lock;
	if (flags & MCL_CURRENT)
		apply_all(mm, lock);
out:
	mmap_write_unlock(mm);
	if (!err && flags & MCL_CURRENT)
		mm_populate(mm, 0, mm->task_size);
	return err;
}

int mm_munlockall(struct mm *mm)
{
	int err = mmap_write_lock_killable(mm);

	if (err)
		return err;
	mm->def_flags &= ~LOCK_MASK;
	apply_all(mm, 0);
	mmap_write_unlock(mm);
	return 0;
}
