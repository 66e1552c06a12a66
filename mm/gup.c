// SPDX-License-Identifier: MIT
/*
 * Pages of user memory for the kernel: looked up with a reference (FOLL_GET) or a pin (FOLL_PIN), or
 * just touched (populate); and copying to and from other processes.
 *
 * A pin of a private page must stay with its owner: a shared page is unshared before it is pinned, and
 * fork copies pinned pages. So a pinned anonymous folio has one mapping.
 */
#include "mm_priv.h"
#include <sched/nowait.h>
#include <mm/lookup.h>
#include <arch/patch.h>

static int check_vma(const struct vma *vma, unsigned int foll)
{
	unsigned long f = vma->vm_flags;

	if (f & (VM_IO | VM_PFNMAP))
		return -EFAULT;
	if (foll & FOLL_ANON && !vma_is_anonymous(vma))
		return -EFAULT;
	if (foll & FOLL_WRITE) {
		if (!(f & VM_WRITE)) {
			if (!(foll & FOLL_FORCE) || !vma_is_cow(vma))
				return -EFAULT;
		}
	} else if (!(f & VM_READ)) {
		if (!(foll & FOLL_FORCE) || !(f & VM_MAYREAD))
			return -EFAULT;
	}
	return 0;
}

static bool may_write(const struct vma *vma, pte_t e, struct folio *folio, unsigned int foll)
{
	if (pte_write(e))
		return true;
	/* Forced: the private copy has been made, only the right is missing. */
	return foll & FOLL_FORCE && vma_is_cow(vma) && !(vma->vm_flags & VM_WRITE) && folio &&
	       folio_test_anon(folio) && pte_dirty(e) && folio_mapcount(folio) == 1;
}

/*
 * The page at addr with its reference, NULL: fault first (*fault: how), or ERR_PTR. *WRITABLE, if asked for: the
 * entry is, and was made dirty.
 */
static struct page *follow(struct vma *vma, unsigned long addr, unsigned int foll, unsigned int *fault, bool *writable)
{
	spinlock_t *ptl;
	pte_t *pte = pte_find_lock(vma->vm_mm, addr, &ptl), e;
	struct folio *folio;
	struct page *page;

	*fault = FAULT_REMOTE | (foll & FOLL_WRITE ? FAULT_WRITE : 0);
	if (!pte)
		return NULL;
	e = ptep_read(pte);
	if (!pte_present(e)) {
		page = NULL;
		goto out;
	}
	page = pte_normal_page(e);
	if (!page) {
		page = is_zero_pfn(pte_pfn(e)) ? zero_page :
		       pfn_valid(pte_pfn(e)) ? pfn_to_page(pte_pfn(e)) : ERR_PTR(-EFAULT);
		if (IS_ERR(page))
			goto out;
		if (foll & FOLL_WRITE && !pte_write(e)) {
			page = NULL;
			goto out;
		}
	}
	folio = page_folio(page);
	if (foll & FOLL_WRITE && !may_write(vma, e, folio, foll)) {
		page = NULL;
		goto out;
	}
	if (foll & FOLL_PIN && !(foll & FOLL_WRITE) && folio_test_anon(folio) && !pte_write(e) &&
	    folio_mapcount(folio) > 1) {
		*fault |= FAULT_UNSHARE;
		page = NULL;
		goto out;
	}
	if (foll & FOLL_PIN)
		folio_ref_add(folio, FOLIO_PIN_BIAS);
	else
		folio_get(folio);
	if ((foll & FOLL_WRITE || writable) && !pte_dirty(e) && pte_write(e))
		ptep_set(pte, pte_mkdirty(pte_mkyoung(e)));
	if (writable)
		*writable = pte_write(e);
out:
	pte_unlock(ptl);
	return page;
}

static int fault_error(vm_fault_t ret)
{
	if (ret & VM_FAULT_OOM)
		return -ENOMEM;
	return ret & VM_FAULT_ERROR ? -EFAULT : 0;
}

static struct page *get_one(struct vma *vma, unsigned long addr, unsigned int foll)
{
	for (;;) {
		unsigned int fault;
		struct page *page = follow(vma, addr, foll, &fault, NULL);
		int err;

		if (page)
			return page;
		if (foll & FOLL_NOFAULT)
			return ERR_PTR(-EFAULT);
		if (fatal_signal_pending(current))
			return ERR_PTR(-EINTR);
		err = fault_error(handle_mm_fault(vma, addr, fault));
		if (err)
			return ERR_PTR(err);
		cond_resched();
	}
}

/* VMA is locked for reading, or mmap_lock is. -EAGAIN: mmap_lock has to be. */
static int look_up_in(struct vma *vma, unsigned long addr, unsigned int how, unsigned int locked, struct mm_looked_up *out)
{
	unsigned int fault, foll = FOLL_GET | (how & LOOKUP_WRITE ? FOLL_WRITE : 0);
	vm_fault_t ret;
	int err = check_vma(vma, foll);

	while (!err) {
		out->page = follow(vma, addr, foll, &fault, &out->writable);
		if (out->page)
			return IS_ERR(out->page) ? (int)PTR_ERR(out->page) : 0;
		if (how & LOOKUP_NOWAIT && !vma_is_anonymous(vma))
			return -EAGAIN;
		if (how & LOOKUP_INTERRUPTIBLE ? signal_pending(current) : fatal_signal_pending(current))
			return -EINTR;
		ret = handle_mm_fault(vma, addr, fault | locked);
		err = ret & VM_FAULT_RETRY ? -EAGAIN : fault_error(ret);
		cond_resched();
	}
	return err;
}

int mm_look_up(struct mm *mm, unsigned long addr, unsigned int how, struct mm_looked_up *out)
{
	struct vma *vma;
	int err = -EAGAIN;

	if (addr >= TASK_SIZE_MAX)
		return -EFAULT;
	addr &= PAGE_MASK;
	vma = lock_vma_under_rcu(mm, addr);
	if (likely(vma)) {
		err = look_up_in(vma, addr, how, FAULT_VMA_LOCK, out);
		vma_end_read(vma);
	}
	/* A writer has it, nothing is there, or the fault was given up. */
	while (unlikely(err == -EAGAIN) && !(how & LOOKUP_NOWAIT)) {
		if (how & LOOKUP_INTERRUPTIBLE && signal_pending(current))
			return -EINTR;
		if (mmap_read_lock_killable(mm))
			return -EINTR;
		vma = vma_lookup(mm, addr);
		err = vma ? look_up_in(vma, addr, how, 0, out) : -EFAULT;
		mmap_read_unlock(mm);
	}
	return err;
}

long get_user_pages_remote(struct mm *mm, unsigned long start, unsigned long nr, unsigned int foll,
			   struct page **pages)
{
	struct vma *vma = NULL;
	long got = 0;
	int err = 0;

	if (foll & FOLL_PIN && !test_bit(MMF_HAS_PINNED, &mm->flags))
		set_bit(MMF_HAS_PINNED, &mm->flags);
	while ((unsigned long)got < nr) {
		struct page *page;

		if (!vma || start >= vma->vm_end) {
			vma = vma_lookup(mm, start);
			err = vma ? check_vma(vma, foll) : -EFAULT;
			if (err)
				break;
		}
		page = get_one(vma, start, foll);
		if (IS_ERR(page)) {
			err = (int)PTR_ERR(page);
			break;
		}
		pages[got++] = page;
		start += PAGE_SIZE;
	}
	return got ? got : err;
}

static long gup_locked(struct mm *mm, unsigned long start, int nr, unsigned int foll,
		       struct page **pages)
{
	long got;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	got = get_user_pages_remote(mm, start, (unsigned long)nr, foll, pages);
	mmap_read_unlock(mm);
	return got;
}

static long gup_fast(unsigned long start, int nr, unsigned int foll, struct page **pages)
{
	struct mm *mm = current->mm;
	bool was;
	long got;

	start &= PAGE_MASK;
	if (nr <= 0)
		return 0;
	if (!mm || start > TASK_SIZE_MAX || (unsigned long)nr << PAGE_SHIFT > TASK_SIZE_MAX - start)
		return -EFAULT;
	was = nowait_pause();
	got = gup_locked(mm, start, nr, foll, pages);
	nowait_resume(was);
	return got;
}

long pin_user_pages_fast(unsigned long start, int nr, unsigned int foll, struct page **pages)
{
	return gup_fast(start, nr, foll | FOLL_PIN, pages);
}

long get_user_pages_fast(unsigned long start, int nr, unsigned int foll, struct page **pages)
{
	return gup_fast(start, nr, foll | FOLL_GET, pages);
}

void unpin_user_page(struct page *page)
{
	folio_put_refs(page_folio(page), FOLIO_PIN_BIAS);
}

void unpin_user_pages(struct page **pages, unsigned long nr)
{
	for (unsigned long i = 0; i < nr; i++)
		unpin_user_page(pages[i]);
}

void unpin_user_pages_dirty_lock(struct page **pages, unsigned long nr, bool dirty)
{
	for (unsigned long i = 0; i < nr; i++) {
		struct folio *folio = page_folio(pages[i]);

		if (dirty && !folio_test_anon(folio) && (folio_order(folio) || !folio_test_dirty(folio))) {
			folio_lock(folio);
			folio_mark_page_dirty(folio, pages[i]);
			folio_unlock(folio);
		}
		unpin_user_page(pages[i]);
	}
}

/* Make [start, end) of one VMA present. mmap_lock held for reading. 0 or -errno. */
int populate_range(struct vma *vma, unsigned long start, unsigned long end, bool write)
{
	for (unsigned long addr = start; addr < end; addr += PAGE_SIZE) {
		pte_t *pte = pte_find(vma->vm_mm, addr);
		pte_t e = pte ? ptep_read(pte) : PTE_NONE;
		int err;

		if (pte_present(e) && (!write || pte_write(e)))
			continue;
		if (fatal_signal_pending(current))
			return -EINTR;
		err = fault_error(handle_mm_fault(vma, addr, FAULT_REMOTE | (write ? FAULT_WRITE : 0)));
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

int mm_populate(struct mm *mm, unsigned long start, unsigned long len)
{
	unsigned long end = start + len, addr = start;
	int err = 0;

	while (addr < end && !err) {
		struct vma *vma;
		unsigned long stop;

		mmap_read_lock(mm);
		vma = find_vma(mm, addr);
		if (!vma || vma->vm_start >= end) {
			mmap_read_unlock(mm);
			break;
		}
		addr = max(addr, vma->vm_start);
		/* In steps, so that writers are not kept out for long. */
		stop = min3(end, vma->vm_end, addr + (512ul << PAGE_SHIFT));
		if (!(vma->vm_flags & (VM_IO | VM_PFNMAP | VM_LOCKONFAULT)) && vma->vm_flags & VM_ACCESS_FLAGS)
			err = populate_range(vma, addr, stop,
					     (vma->vm_flags & (VM_WRITE | VM_SHARED)) == VM_WRITE);
		mmap_read_unlock(mm);
		addr = stop;
	}
	return err;
}

int access_remote_vm(struct mm *mm, unsigned long addr, void *buf, int len, unsigned int foll)
{
	int done = 0;

	/* Pages that are there cost no fault, which would ask; how many its caller wants is the user's choice. */
	if (fatal_signal_pending(current) || mmap_read_lock_killable(mm))
		return 0;
	while (done < len) {
		unsigned long off = offset_in_page(addr);
		int n = (int)min((unsigned long)(len - done), PAGE_SIZE - off);
		struct vma *vma = vma_lookup(mm, addr);
		struct page *page;
		char *p;

		if (!vma)
			vma = find_extend_vma(mm, addr);
		if (!vma)
			break;
		if (vma->vm_flags & (VM_IO | VM_PFNMAP)) {
			if (vma->vm_ops && vma->vm_ops->access)
				n = vma->vm_ops->access(vma, addr, (char *)buf + done, n, foll & FOLL_WRITE);
			else
				n = 0;
			if (n <= 0)
				break;
			goto next;
		}
		if (check_vma(vma, foll))
			break;
		page = get_one(vma, addr & PAGE_MASK, foll | FOLL_GET);
		if (IS_ERR(page))
			break;
		p = (char *)page_address(page) + off;
		if (foll & FOLL_WRITE) {
			memcpy(p, (char *)buf + done, (size_t)n);
			if (vma->vm_flags & VM_EXEC)
				arch_code_written(p, (size_t)n);
			folio_mark_page_dirty(page_folio(page), page);
		} else {
			memcpy((char *)buf + done, p, (size_t)n);
		}
		put_page(page);
next:
		done += n;
		addr += (unsigned long)n;
	}
	mmap_read_unlock(mm);
	return done;
}
