// SPDX-License-Identifier: MIT
/* madvise, mincore, msync, remap_file_pages. */
#include "mm_priv.h"
#include <mm/mman.h>
#include <linux/capability.h>
#include <linux/fadvise.h>
#include <linux/falloc.h>

#define GUARD_SWAP_TYPE	1u	/* an entry that is not to be touched (MADV_GUARD_INSTALL) */

/* Which lock the advice needs, or whether it is known at all. */
enum need { NEED_READ, NEED_WRITE, NEED_POPULATE, NEED_ADMIN, UNKNOWN };

static enum need advice_need(int b)
{
	switch (b) {
	case MADV_NORMAL: case MADV_RANDOM: case MADV_SEQUENTIAL: case MADV_DONTFORK: case MADV_DOFORK:
	case MADV_DONTDUMP: case MADV_DODUMP: case MADV_WIPEONFORK: case MADV_KEEPONFORK:
	case MADV_HUGEPAGE: case MADV_NOHUGEPAGE:
		return NEED_WRITE;
	case MADV_WILLNEED: case MADV_DONTNEED: case MADV_DONTNEED_LOCKED: case MADV_FREE: case MADV_REMOVE:
	case MADV_COLD: case MADV_PAGEOUT: case MADV_GUARD_INSTALL: case MADV_GUARD_REMOVE:
		return NEED_READ;
#ifdef MADV_HWPOISON		/* alpha has none */
	case MADV_HWPOISON: case MADV_SOFT_OFFLINE:
		return NEED_ADMIN;
#endif
	case MADV_POPULATE_READ: case MADV_POPULATE_WRITE:
		return NEED_POPULATE;
	default:
		return UNKNOWN;
	}
}

/* Advice that discards pages, here or in a child. */
static bool is_discard(int b)
{
	switch (b) {
	case MADV_DONTNEED: case MADV_DONTNEED_LOCKED: case MADV_FREE: case MADV_REMOVE: case MADV_DONTFORK:
	case MADV_WIPEONFORK: case MADV_GUARD_INSTALL:
		return true;
	default:
		return false;
	}
}

/* Sealed anonymous memory that the program cannot write loses nothing by advice either (mseal(2)). */
static bool sealed_against(const struct vma *vma, int behavior)
{
	return vma->vm_flags & VM_SEALED && !(vma->vm_flags & VM_WRITE) && vma_is_anonymous(vma) && is_discard(behavior);
}

bool madvise_allowed_remote(int b)
{
	return b == MADV_COLD || b == MADV_PAGEOUT || b == MADV_WILLNEED || b == MADV_COLLAPSE;
}

static int change_flags(struct vma **vmap, unsigned long start, unsigned long end, int behavior)
{
	struct vma *vma = *vmap;
	unsigned long f = vma->vm_flags;

	switch (behavior) {
	case MADV_NORMAL:
		f &= ~(VM_RAND_READ | VM_SEQ_READ);
		break;
	case MADV_SEQUENTIAL:
		f = (f & ~VM_RAND_READ) | VM_SEQ_READ;
		break;
	case MADV_RANDOM:
		f = (f & ~VM_SEQ_READ) | VM_RAND_READ;
		break;
	case MADV_DONTFORK:
		f |= VM_DONTCOPY;
		break;
	case MADV_DOFORK:
		if (f & VM_IO)
			return -EINVAL;
		f &= ~VM_DONTCOPY;
		break;
	case MADV_WIPEONFORK:
		if (vma->vm_file || f & VM_SHARED)
			return -EINVAL;
		f |= VM_WIPEONFORK;
		break;
	case MADV_KEEPONFORK:
		f &= ~VM_WIPEONFORK;
		break;
	case MADV_DONTDUMP:
		f |= VM_DONTDUMP;
		break;
	case MADV_DODUMP:
		if (f & VM_SPECIAL)
			return -EINVAL;
		f &= ~VM_DONTDUMP;
		break;
	case MADV_HUGEPAGE:
		f = (f & ~VM_NOHUGEPAGE) | VM_HUGEPAGE;
		break;
	default:	/* MADV_NOHUGEPAGE */
		f = (f & ~VM_HUGEPAGE) | VM_NOHUGEPAGE;
		break;
	}
	if (f == vma->vm_flags)
		return 0;
	vma = vma_modify(vma, start, end, f, vma->anon_name);
	if (IS_ERR(vma))
		return (int)PTR_ERR(vma);
	*vmap = vma;
	return 0;
}

/* Calls fn for each present entry with a folio, locked. */
static void for_each_pte(struct vma *vma, unsigned long start, unsigned long end,
			 void (*fn)(struct mmu_gather *tlb, struct vma *vma, unsigned long addr, pte_t *pte,
				    struct folio *folio), struct mmu_gather *tlb)
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

			if (page)
				fn(tlb, vma, addr, pte, page_folio(page));
		}
		ptl_unlock(ptl);
		cond_resched();
	}
}

static void free_one(struct mmu_gather *tlb, struct vma *vma, unsigned long addr, pte_t *pte, struct folio *folio)
{
	pte_t e;

	/* Shared after fork, or pinned: leave it. */
	if (!folio_test_anon(folio) || folio_ref_count(folio) != 1)
		return;
	e = ptep_clear(pte);
	ptep_set(pte, pte_mkold(pte_mkclean(e)));
	gather_range(tlb, addr, addr + PAGE_SIZE);
	folio_clear_dirty_raw(folio);
	folio_add_lazyfree(folio);
}

static void cold_one(struct mmu_gather *tlb, struct vma *vma, unsigned long addr, pte_t *pte, struct folio *folio)
{
	if (folio_page_mapcount(folio) != 1 || !folio_test_lru(folio) || folio_test_anon(folio))
		return;
	if (ptep_test_and_clear_young(pte))
		gather_range(tlb, addr, addr + PAGE_SIZE);
	folio_deactivate(folio);
}

static int guard_install(struct vma *vma, unsigned long start, unsigned long end)
{
	if (vma->vm_flags & (VM_PFNMAP | VM_IO | VM_MIXEDMAP | VM_LOCKED) || vma->vm_ops == &special_vm_ops)
		return -EINVAL;
	WRITE_ONCE(vma->had_guards, true);
	/* Now: fork copies what there is also where memory runs out halfway. */
	WRITE_ONCE(vma->has_anon, true);
	zap_vma_range(vma, start, end - start);
	for (unsigned long addr = start; addr < end; addr += PAGE_SIZE) {
		pte_t *pte = pte_alloc(vma->vm_mm, addr);
		spinlock_t *ptl;
		bool again;

		if (!pte)
			return -ENOMEM;
		ptl = table_lock(pte);
		ptl_lock(ptl);
		again = pte_present(ptep_read(pte));
		if (!again)
			ptep_set(pte, pte_make_swap(GUARD_SWAP_TYPE, 0));
		ptl_unlock(ptl);
		if (again) {	/* a fault was faster */
			zap_vma_range(vma, addr, PAGE_SIZE);
			addr -= PAGE_SIZE;
		}
	}
	return 0;
}

static void guard_remove(struct vma *vma, unsigned long start, unsigned long end)
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
		for (; addr < next; addr += PAGE_SIZE, pte++)
			if (pte_is_swap(ptep_read(pte)))
				ptep_set(pte, PTE_NONE);
		ptl_unlock(ptl);
	}
}

/* Punch a hole into the file behind the range; mmap_lock is dropped (*dropped). */
static int remove_range(struct mm *mm, struct vma *vma, unsigned long start, unsigned long end, bool *dropped)
{
	struct file *file = vma->vm_file;
	loff_t off;
	int err;

	if (vma->vm_flags & VM_LOCKED)
		return -EINVAL;
	if (!file || !vma->vm_mapping)
		return -EINVAL;
	if ((vma->vm_flags & (VM_SHARED | VM_WRITE)) != (VM_SHARED | VM_WRITE))
		return -EACCES;
	off = (loff_t)linear_index(vma, start) << PAGE_SHIFT;
	mm_file_get(file);
	mmap_read_unlock(mm);
	*dropped = true;
	err = mm_file_fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, off, (loff_t)(end - start));
	mm_file_put(file);
	return err;
}

static int advise_vma(struct mm *mm, struct vma *vma, unsigned long start, unsigned long end, int behavior,
		      bool *dropped)
{
	struct mmu_gather tlb;
	loff_t off;

	switch (behavior) {
	case MADV_WILLNEED:
		if (!vma->vm_file || !vma->vm_mapping)
			return 0;
		off = (loff_t)linear_index(vma, start) << PAGE_SHIFT;
		{
			struct file *file = mm_file_get(vma->vm_file);

			mmap_read_unlock(mm);
			*dropped = true;
			mm_file_fadvise(file, off, (loff_t)(end - start), POSIX_FADV_WILLNEED);
			mm_file_put(file);
		}
		return 0;
	case MADV_DONTNEED:
		if (vma->vm_flags & VM_LOCKED)
			return -EINVAL;
		fallthrough;
	case MADV_DONTNEED_LOCKED:
		if (vma->vm_flags & VM_PFNMAP)
			return -EINVAL;
		gather_init(&tlb, mm, start, end, false);
		tlb.keep_markers = true;
		zap_range(&tlb, vma, start, end, true);
		gather_finish(&tlb);
		return 0;
	case MADV_FREE:
		if (!vma_is_anonymous(vma) || vma->vm_flags & (VM_LOCKED | VM_PFNMAP))
			return -EINVAL;
		gather_init(&tlb, mm, start, end, false);
		for_each_pte(vma, start, end, free_one, &tlb);
		gather_finish(&tlb);
		return 0;
	case MADV_COLD:
	case MADV_PAGEOUT:
		if (vma->vm_flags & (VM_LOCKED | VM_PFNMAP))
			return -EINVAL;
		lru_add_drain();
		gather_init(&tlb, mm, start, end, false);
		for_each_pte(vma, start, end, cold_one, &tlb);
		gather_finish(&tlb);
		return 0;
	case MADV_GUARD_INSTALL:
		return guard_install(vma, start, end);
	case MADV_GUARD_REMOVE:
		if (vma->vm_flags & (VM_PFNMAP | VM_IO | VM_MIXEDMAP))
			return -EINVAL;
		guard_remove(vma, start, end);
		return 0;
	default:
		return remove_range(mm, vma, start, end, dropped);
	}
}

static int madvise_populate(struct mm *mm, unsigned long start, unsigned long end, bool write)
{
	while (start < end) {
		struct vma *vma;
		unsigned long stop;
		int err = -ENOMEM;

		mmap_read_lock(mm);
		vma = vma_lookup(mm, start);
		if (vma) {
			stop = min3(end, vma->vm_end, start + (512ul << PAGE_SHIFT));
			if (vma->vm_flags & (VM_IO | VM_PFNMAP) ||
			    !(vma->vm_flags & (write ? VM_WRITE : VM_READ)))
				err = -EINVAL;
			else
				err = populate_range(vma, start, stop, write);
			start = stop;
		}
		mmap_read_unlock(mm);
		if (err)
			return err;
	}
	return 0;
}

int mm_madvise(struct mm *mm, unsigned long start, size_t len_in, int behavior)
{
	enum need need = advice_need(behavior);
	unsigned long end, len = PAGE_ALIGN(len_in);
	int unmapped = 0, err = 0;
	struct vma *vma;

	if (need == UNKNOWN || offset_in_page(start))
		return -EINVAL;
	if (len_in && !len)
		return -EINVAL;
	end = start + len;
	if (end < start)
		return -EINVAL;
	if (end == start)
		return 0;
	/* Pages that fail do so by themselves here: nobody takes one out of use by hand. */
	if (need == NEED_ADMIN)
		return mm_capable(CAP_SYS_ADMIN) ? -EINVAL : -EPERM;
	if (need == NEED_POPULATE)
		return madvise_populate(mm, start, end, behavior == MADV_POPULATE_WRITE);
	if (need == NEED_WRITE) {
		err = mmap_write_lock_killable(mm);
		if (err)
			return err;
	} else {
		mmap_read_lock(mm);
	}
	vma = find_vma(mm, start);
	while (start < end) {
		bool dropped = false;
		unsigned long stop;

		if (!vma || vma->vm_start >= end) {
			unmapped = -ENOMEM;
			break;
		}
		if (start < vma->vm_start) {
			unmapped = -ENOMEM;
			start = vma->vm_start;
		}
		stop = min(end, vma->vm_end);
		if (sealed_against(vma, behavior))
			err = -EPERM;
		else if (need == NEED_WRITE)
			err = change_flags(&vma, start, stop, behavior);
		else
			err = advise_vma(mm, vma, start, stop, behavior, &dropped);
		if (dropped) {
			mmap_read_lock(mm);
			vma = NULL;
		}
		if (err)
			break;
		start = stop;
		if (start < end)
			vma = vma && start < vma->vm_end ? vma : find_vma(mm, start);
	}
	if (need == NEED_WRITE)
		mmap_write_unlock(mm);
	else
		mmap_read_unlock(mm);
	return err ? err : unmapped;
}

long mm_mincore(struct mm *mm, unsigned long addr, unsigned long nr, unsigned char *vec)
{
	struct vma *vma;
	unsigned long n;

	mmap_read_lock(mm);
	vma = vma_lookup(mm, addr);
	if (!vma) {
		mmap_read_unlock(mm);
		return -ENOMEM;
	}
	nr = min(nr, (vma->vm_end - addr) >> PAGE_SHIFT);
	/* As Linux: what others read is not told, all seems to be there. */
	if (vma->vm_file && !mm_file_may_see_cache(vma->vm_file)) {
		mmap_read_unlock(mm);
		memset(vec, 1, nr);
		return (long)nr;
	}
	for (n = 0; n < nr; n++, addr += PAGE_SIZE) {
		pte_t *pte = pte_find(mm, addr);
		pte_t e = pte ? ptep_read(pte) : PTE_NONE;

		if (pte_present(e))
			vec[n] = 1;
		else
			vec[n] = vma->vm_mapping && vma->vm_ops &&
				 filemap_page_resident(vma->vm_mapping, linear_index(vma, addr));
	}
	mmap_read_unlock(mm);
	return (long)nr;
}

int mm_msync(struct mm *mm, unsigned long start, size_t len, int flags)
{
	unsigned long end;
	int unmapped = 0, err;
	struct vma *vma;

	if (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC) || offset_in_page(start) ||
	    (flags & MS_ASYNC && flags & MS_SYNC))
		return -EINVAL;
	end = start + PAGE_ALIGN(len);
	if (end < start)
		return -ENOMEM;
	if (end == start)
		return 0;
	mmap_read_lock(mm);
	vma = find_vma(mm, start);
	while (start < end) {
		struct file *file;
		loff_t first, last;

		if (!vma || vma->vm_start >= end) {
			unmapped = -ENOMEM;
			break;
		}
		if (start < vma->vm_start) {
			unmapped = -ENOMEM;
			start = vma->vm_start;
		}
		if (flags & MS_INVALIDATE && vma->vm_flags & VM_LOCKED) {
			mmap_read_unlock(mm);
			return -EBUSY;
		}
		file = vma->vm_file;
		first = (loff_t)linear_index(vma, start) << PAGE_SHIFT;
		last = first + (loff_t)(min(end, vma->vm_end) - start) - 1;
		start = vma->vm_end;
		if (flags & MS_SYNC && file && vma->vm_flags & VM_SHARED) {
			mm_file_get(file);
			mmap_read_unlock(mm);
			err = mm_file_fsync(file, first, last);
			mm_file_put(file);
			if (err)
				return err;
			mmap_read_lock(mm);
		}
		if (start < end)
			vma = find_vma(mm, start);
	}
	mmap_read_unlock(mm);
	return unmapped;
}

int mm_remap_file_pages(struct mm *mm, unsigned long start, unsigned long size, unsigned long pgoff,
			unsigned long flags)
{
	unsigned long ret, populate, prot = 0;
	struct file *file;
	struct vma *vma;
	int err;

	start &= PAGE_MASK;
	size &= PAGE_MASK;
	if (start + size <= start || pgoff + (size >> PAGE_SHIFT) < pgoff)
		return -EINVAL;
	err = mmap_write_lock_killable(mm);
	if (err)
		return err;
	err = -EINVAL;
	vma = vma_lookup(mm, start);
	if (!vma || !(vma->vm_flags & VM_SHARED) || !vma->vm_file || start + size > vma->vm_end)
		goto out;
	prot |= vma->vm_flags & VM_READ ? PROT_READ : 0;
	prot |= vma->vm_flags & VM_WRITE ? PROT_WRITE : 0;
	prot |= vma->vm_flags & VM_EXEC ? PROT_EXEC : 0;
	flags = (flags & MAP_NONBLOCK) | MAP_SHARED | MAP_FIXED | MAP_POPULATE;
	flags |= vma->vm_flags & VM_LOCKED ? MAP_LOCKED : 0;
	file = mm_file_get(vma->vm_file);
	ret = do_mmap(mm, file, start, size, prot, flags, 0, pgoff, &populate);
	mmap_write_unlock(mm);
	mm_file_put(file);
	if (IS_ERR_VALUE(ret))
		return (int)ret;
	if (populate)
		mm_populate(mm, ret, populate);
	return 0;
out:
	mmap_write_unlock(mm);
	return err;
}
