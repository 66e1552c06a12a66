// SPDX-License-Identifier: MIT
/* Changing rights: of VMAs, and of the entries under them. */
#include "mm_priv.h"
#include <mm/mman.h>

/* May the entry be writable at once, without a fault that would find out the same? */
static bool keep_write(struct vma *vma, pte_t e, bool notify)
{
	struct page *page;

	if (!(vma->vm_flags & VM_WRITE))
		return false;
	if (vma_is_shared(vma))
		return !notify || pte_dirty(e);
	page = pte_normal_page(e);
	if (!page || !folio_test_anon(page_folio(page)) || !pte_dirty(e))
		return false;
	return folio_ref_count(page_folio(page)) == 1 ||
	       (folio_mapcount(page_folio(page)) == 1 && folio_maybe_dma_pinned(page_folio(page)));
}

static void change_table(struct mmu_gather *tlb, struct vma *vma, pte_t *pte, unsigned long addr, unsigned long next,
			 bool notify)
{
	spinlock_t *ptl = table_lock(pte);
	unsigned int prot = vma->vm_page_prot;

	ptl_lock(ptl);
	for (; addr < next; addr += PAGE_SIZE, pte++) {
		pte_t e = ptep_read(pte), n;

		if (!pte_present(e))
			continue;
		n = pte_modify(e, prot & ~PTE_P_WRITE, 0);
		if (prot & PTE_P_WRITE && keep_write(vma, e, notify))
			n = pte_mkwrite(n);
		if (pte_same(n, e))
			continue;
		/* The CPU may set accessed and dirty until the entry is gone. */
		e = ptep_clear(pte);
		if (pte_dirty(e) && pte_present(n))
			n = pte_mkdirty(n);
		ptep_set(pte, n);
		gather_range(tlb, addr, addr + PAGE_SIZE);
	}
	ptl_unlock(ptl);
}

static void change_protection(struct vma *vma, unsigned long start, unsigned long end)
{
	bool notify = vma_wants_writenotify(vma);
	struct mmu_gather tlb;
	unsigned long addr = start;

	gather_init(&tlb, vma->vm_mm, start, end, false);
	while (addr < end) {
		unsigned long next;
		pte_t *pte;

		addr = pt_next_table(vma->vm_mm, addr, end, &pte);
		if (addr >= end)
			break;
		next = table_end(addr, end);
		change_table(&tlb, vma, pte, addr, next, notify);
		addr = next;
		cond_resched();
	}
	gather_finish(&tlb);
}

static int fix_vma(struct vma **vmap, unsigned long start, unsigned long end, unsigned long newflags)
{
	struct vma *vma = *vmap;
	struct mm *mm = vma->vm_mm;
	unsigned long oldflags = vma->vm_flags, pages = (end - start) >> PAGE_SHIFT, charged = 0;

	if (oldflags & VM_SEALED)
		return -EPERM;
	if (newflags == oldflags)
		return 0;
	if (newflags & VM_WRITE && !(oldflags & (VM_WRITE | VM_SHARED))) {
		if (!may_expand_vm(mm, newflags, pages) && may_expand_vm(mm, oldflags, pages))
			return -ENOMEM;
		if (!(oldflags & (VM_ACCOUNT | VM_NORESERVE))) {
			if (vm_enough_memory(mm, pages))
				return -ENOMEM;
			charged = pages;
			newflags |= VM_ACCOUNT;
		}
	} else if (oldflags & VM_ACCOUNT && vma_is_anonymous(vma) && !(newflags & VM_WRITE)) {
		/* Never touched and not writable any more: give the charge back. No fault may touch it after this check. */
		vma_start_write(vma);
		if (!vma->has_anon)
			newflags &= ~VM_ACCOUNT;
	}
	vma = vma_modify(vma, start, end, newflags, vma->anon_name);
	if (IS_ERR(vma)) {
		if (charged)
			vm_unacct_memory(charged);
		return (int)PTR_ERR(vma);
	}
	*vmap = vma;
	if (oldflags & VM_ACCOUNT && !(newflags & VM_ACCOUNT))
		vm_unacct_memory(pages);
	change_protection(vma, start, end);
	vm_stat_account(mm, oldflags, -(long)pages);
	vm_stat_account(mm, newflags, (long)pages);
	return 0;
}

int mprotect_range(struct mm *mm, unsigned long start, unsigned long len, unsigned long prot, bool grows)
{
	unsigned long end, addr;
	struct vma *vma;
	int err;

	if (offset_in_page(start))
		return -EINVAL;
	if (!len)
		return 0;
	len = PAGE_ALIGN(len);
	end = start + len;
	if (!len || end <= start)
		return -ENOMEM;
	if (prot & ~(unsigned long)(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM | ARCH_PROT_GUARDED))
		return -EINVAL;
	err = mmap_write_lock_killable(mm);
	if (err)
		return err;
	err = -ENOMEM;
	vma = find_vma(mm, start);
	if (!vma || vma->vm_start >= end)
		goto out;
	if (grows) {
		start = vma->vm_start;
		err = -EINVAL;
		if (!vma_is_stack(vma))
			goto out;
	} else if (vma->vm_start > start) {
		goto out;
	}
	for (addr = start; addr < end;) {
		unsigned long stop = min(end, vma->vm_end), flags;

		flags = vma->vm_flags & ~(VM_ACCESS_FLAGS | (ARCH_PROT_GUARDED ? VM_GUARDED : 0));
		flags |= (prot & PROT_READ ? VM_READ : 0) | (prot & PROT_WRITE ? VM_WRITE : 0) |
			 (prot & PROT_EXEC ? VM_EXEC : 0) | (prot & ARCH_PROT_GUARDED ? VM_GUARDED : 0);
		err = -EACCES;
		if (flags & ~(flags >> 4) & VM_ACCESS_FLAGS)
			goto out;
		if (mm->flags & 1ul << MMF_MDWE && flags & VM_EXEC && (flags & VM_WRITE || !(vma->vm_flags & VM_EXEC)))
			goto out;
		if (vma->vm_ops && vma->vm_ops->mprotect) {
			err = vma->vm_ops->mprotect(vma, addr, stop, flags);
			if (err)
				goto out;
		}
		err = fix_vma(&vma, addr, stop, flags);
		if (err)
			goto out;
		addr = stop;
		if (addr < end) {
			if (addr >= vma->vm_end)
				vma = vma->vm_next;
			if (!vma || vma->vm_start > addr) {
				err = -ENOMEM;
				goto out;
			}
		}
	}
	err = 0;
out:
	mmap_write_unlock(mm);
	return err;
}

int mm_mseal(struct mm *mm, unsigned long start, size_t len)
{
	unsigned long end, addr = start;
	struct vma *vma;
	int err;

	if (offset_in_page(start))
		return -EINVAL;
	end = start + PAGE_ALIGN(len);
	if (end < start || (len && !PAGE_ALIGN(len)))
		return -EINVAL;
	if (end == start)
		return 0;
	err = mmap_write_lock_killable(mm);
	if (err)
		return err;
	err = -ENOMEM;
	for (vma = find_vma(mm, start); addr < end; addr = vma->vm_end, vma = vma->vm_next)
		if (!vma || vma->vm_start > addr)
			goto out;
	err = 0;
	for (addr = start, vma = find_vma(mm, start); addr < end;) {
		unsigned long stop = min(end, vma->vm_end);

		if (!(vma->vm_flags & VM_SEALED)) {
			vma = vma_modify(vma, addr, stop, vma->vm_flags | VM_SEALED, vma->anon_name);
			if (IS_ERR(vma)) {
				err = (int)PTR_ERR(vma);
				break;
			}
		}
		addr = stop;
		if (addr >= vma->vm_end)
			vma = vma->vm_next;
	}
out:
	mmap_write_unlock(mm);
	return err;
}

int mm_set_anon_name(struct mm *mm, unsigned long start, unsigned long len, const char *name)
{
	unsigned long end, addr;
	struct vma *vma;
	int err;

	if (offset_in_page(start))
		return -EINVAL;
	end = start + PAGE_ALIGN(len);
	if (end < start || (len && end == start))
		return -EINVAL;
	if (end == start)
		return 0;
	err = mmap_write_lock_killable(mm);
	if (err)
		return err;
	err = 0;
	vma = find_vma(mm, start);
	for (addr = start; addr < end;) {
		unsigned long stop;

		if (!vma || vma->vm_start >= end || vma->vm_start > addr) {
			err = -ENOMEM;
			if (!vma || vma->vm_start >= end)
				break;
			addr = vma->vm_start;
		}
		stop = min(end, vma->vm_end);
		if (!vma_is_anonymous(vma) && vma->vm_ops != &shmem_anon_vm_ops) {
			err = -EBADF;
			break;
		}
		vma = vma_modify(vma, addr, stop, vma->vm_flags, name);
		if (IS_ERR(vma)) {
			err = (int)PTR_ERR(vma);
			break;
		}
		addr = stop;
		if (addr >= vma->vm_end)
			vma = vma->vm_next;
	}
	mmap_write_unlock(mm);
	return err;
}

int mm_set_policy(struct mm *mm, unsigned long start, unsigned long len, unsigned int mode)
{
	unsigned long bits = ((mode & 7) | (mode >> 13 & 7) << 3) * (1ul << VM_POLICY_SHIFT), end = start + len, addr;
	struct vma *vma;
	int err = mmap_write_lock_killable(mm);

	if (err)
		return err;
	err = -EFAULT;
	for (addr = start, vma = find_vma(mm, start); addr < end; addr = vma->vm_end, vma = vma->vm_next)
		if (!vma || vma->vm_start > addr)
			goto out;
	err = 0;
	for (addr = start, vma = find_vma(mm, start); addr < end;) {
		unsigned long stop = min(end, vma->vm_end);

		vma = vma_modify(vma, addr, stop, (vma->vm_flags & ~VM_POLICY_MASK) | bits, vma->anon_name);
		if (IS_ERR(vma)) {
			err = (int)PTR_ERR(vma);
			break;
		}
		addr = stop;
		if (addr >= vma->vm_end)
			vma = vma->vm_next;
	}
out:
	mmap_write_unlock(mm);
	return err;
}
