// SPDX-License-Identifier: MIT
/*
 * mremap: growing and shrinking in place, or moving. A move makes a second VMA at the new place, carries
 * the entries over (whole tables of anonymous memory by their parent's entry), and unmaps the old one.
 *
 * Anonymous folios keep their index, so the moved VMA's anon_pgoff no longer is its address: the mm is
 * marked (MMF_ANON_MOVED) before the first entry moves, and the reverse map searches it VMA by VMA.
 */
#include "mm_priv.h"
#include <mm/mman.h>

struct move {
	struct mm *mm;
	struct vma *old, *new;
	unsigned long from, to, len;
	struct mmu_gather tlb;
};

static void move_entries(struct move *m, pte_t *src, pte_t *dst, unsigned long from, unsigned long to, unsigned long n)
{
	spinlock_t *sl = table_lock(src), *dl = table_lock(dst);
	unsigned long first = ~0ul, last = 0;

	if (sl == dl) {
		ptl_lock(sl);
	} else {
		/* By address, so that two moves cannot wait for each other. */
		ptl_lock(sl < dl ? sl : dl);
		ptl_lock_nested(sl < dl ? dl : sl);
	}
	for (unsigned long i = 0; i < n; i++) {
		pte_t e = ptep_read(&src[i]);

		if (pte_none(e))
			continue;
		e = ptep_clear(&src[i]);
		ptep_set(&dst[i], e);
		if (first == ~0ul)
			first = from + (i << PAGE_SHIFT);
		last = from + (i << PAGE_SHIFT);
	}
	/* Before anybody can take the pages from their new place. */
	if (first != ~0ul)
		arch_tlb_flush_mm_range(&m->mm->context, first, last + PAGE_SIZE, PAGE_SIZE, false);
	if (sl != dl)
		ptl_unlock(sl < dl ? dl : sl);
	ptl_unlock(sl < dl ? sl : dl);
}

/* The entry of level 1 for addr, tables above made if asked. */
static pte_t *level1_entry(struct mm *mm, unsigned long addr, bool make)
{
	pte_t *t = mm->context.pgd;

	if (make && !pte_alloc(mm, addr))
		return NULL;
	for (int l = PT_ROOT_LEVEL; l > 1; l--) {
		pte_t e = ptep_read(&t[pt_index(addr, l)]);

		if (!pte_present(e))
			return NULL;
		t = pte_table(e);
	}
	return &t[pt_index(addr, 1)];
}

/* Hand a whole table over: only where no reverse-map walker can be in it. */
static bool move_table(struct move *m, unsigned long from, unsigned long to)
{
	pte_t *src = level1_entry(m->mm, from, false), *dst, e, empty;

	if (!src || !pte_present(ptep_read(src)))
		return true;
	dst = level1_entry(m->mm, to, true);
	if (!dst)
		return false;
	empty = ptep_read(dst);
	e = ptep_clear(src);
	ptep_set(dst, e);
	/* The table that level1_entry made (or left) at the new place goes the usual way. */
	if (pte_present(empty)) {
		struct page *page = table_page(pte_table(empty));

		page->mapping = (uintptr_t)m->tlb.tables;
		m->tlb.tables = page;
		m->tlb.freed_tables = true;
		atomic64_sub(PAGE_SIZE, &m->mm->pgtables_bytes);
	}
	m->tlb.freed_tables = true;
	gather_range(&m->tlb, from, from + pt_span(1));
	return true;
}

/* Bytes moved; short if memory for tables ran out. */
static unsigned long move_page_tables(struct move *m)
{
	unsigned long done = 0, span = pt_span(1);
	bool tables = vma_is_anonymous(m->old);

	while (done < m->len) {
		unsigned long from = m->from + done, to = m->to + done, n = m->len - done;
		pte_t *src, *dst;

		if (tables && !(from & (span - 1)) && !(to & (span - 1)) && n >= span) {
			if (!move_table(m, from, to))
				break;
			done += span;
			continue;
		}
		n = min3(n, span - (from & (span - 1)), span - (to & (span - 1)));
		src = pte_find(m->mm, from);
		if (src) {
			dst = pte_alloc(m->mm, to);
			if (!dst)
				break;
			move_entries(m, src, dst, from, to, n >> PAGE_SHIFT);
		}
		done += n;
		cond_resched();
	}
	return done;
}

/* A move failed after MOVED bytes: they go back to OLD_ADDR of OLD, and NEW is unmapped. */
static void move_back(struct vma *old, unsigned long old_addr, struct vma *new, unsigned long moved)
{
	struct mm *mm = old->vm_mm;
	struct move back = { .mm = mm, .old = new, .new = old, .from = new->vm_start, .to = old_addr, .len = moved };
	struct address_space *mapping = old->on_i_mmap ? old->vm_mapping : NULL;

	/*
	 * A walk over the file's VMAs reaches the new one last: it misses nothing while entries move there, but would while
	 * they move back. No table is wanted that is not there.
	 */
	gather_init(&back.tlb, mm, new->vm_start, new->vm_end, false);
	if (mapping)
		down_write(&mapping->i_mmap_rwsem);
	move_page_tables(&back);
	if (mapping)
		up_write(&mapping->i_mmap_rwsem);
	gather_finish(&back.tlb);
	do_vma_munmap(mm, new, new->vm_start, new->vm_end);
}

static unsigned long move_vma(struct vma *vma, unsigned long old_addr, unsigned long old_len, unsigned long new_len,
			      unsigned long new_addr, bool dontunmap)
{
	struct mm *mm = vma->vm_mm;
	unsigned long delta = (old_addr - vma->vm_start) >> PAGE_SHIFT, pages = new_len >> PAGE_SHIFT;
	struct move m = { .mm = mm, .old = vma, .from = old_addr, .to = new_addr, .len = min(old_len, new_len) };
	unsigned long moved, flags = vma->vm_flags;
	struct vma *new;
	int err = -ENOMEM;

	if (mm->map_count >= (int)sysctl_max_map_count - 3)
		return (unsigned long)-ENOMEM;
	if (flags & VM_ACCOUNT && vm_enough_memory(mm, pages))
		return (unsigned long)-ENOMEM;
	/* A fault under the VMA's lock alone may set has_anon until then. */
	vma_start_write(vma);
	new = vma_dup(vma);
	if (!new || vt_reserve(&mm->tree, 1))
		goto nomem;
	new->vm_start = new_addr;
	new->vm_end = new_addr + new_len;
	new->vm_pgoff = vma->vm_pgoff + delta;
	new->anon_pgoff = vma->anon_pgoff + delta;
	if (!vma->has_anon) {
		new->anon_pgoff = new_addr >> PAGE_SHIFT;
		if (vma_is_anonymous(vma))
			new->vm_pgoff = new->anon_pgoff;
	} else {
		set_bit(MMF_ANON_MOVED, &mm->flags);
	}
	if (new->vm_file) {
		mm_file_get(new->vm_file);
		if (flags & VM_SHARED && flags & VM_MAYWRITE)
			atomic_inc(&new->vm_mapping->i_mmap_writable);
	}
	vma_link_reserved(mm, new);
	if (new->vm_ops && new->vm_ops->open)
		new->vm_ops->open(new);
	m.new = new;
	gather_init(&m.tlb, mm, old_addr, old_addr + old_len, false);
	moved = move_page_tables(&m);
	if (moved == m.len && new->vm_ops && new->vm_ops->mremap)
		err = new->vm_ops->mremap(new);
	else
		err = moved < m.len ? -ENOMEM : 0;
	gather_finish(&m.tlb);
	vm_stat_account(mm, flags, (long)pages);
	if (flags & VM_LOCKED)
		mm->locked_vm += pages;
	if (err) {
		move_back(vma, old_addr, new, moved);
		return (unsigned long)err;
	}
	if (dontunmap) {
		if (flags & VM_LOCKED) {
			mm->locked_vm -= vma_pages(vma);
			vma->vm_flags &= ~(VM_LOCKED | VM_LOCKONFAULT);
		}
		if (old_addr == vma->vm_start && old_len == vma->vm_end - vma->vm_start) {
			vma->has_anon = false;
			vma->anon_pgoff = vma->vm_start >> PAGE_SHIFT;
			if (vma_is_anonymous(vma))
				vma->vm_pgoff = vma->anon_pgoff;
		}
		return new_addr;
	}
	if (old_len) {
		/* Splitting for the unmap may fail: then the old range stays, empty. */
		do_vma_munmap(mm, vma, old_addr, old_addr + old_len);
	}
	return new_addr;
nomem:
	if (new)
		vma_free(new);
	if (flags & VM_ACCOUNT)
		vm_unacct_memory(pages);
	return (unsigned long)err;
}

/* Checks common to all ways of growing or moving. The VMA or ERR_PTR. */
static struct vma *resize_check(struct mm *mm, unsigned long addr, unsigned long old_len, unsigned long new_len,
				unsigned long flags)
{
	struct vma *vma = vma_lookup(mm, addr);
	unsigned long pgoff, more;

	if (!vma)
		return ERR_PTR(-EFAULT);
	if (vma->vm_flags & VM_SEALED)
		return ERR_PTR(-EPERM);
	if (!old_len && !(vma->vm_flags & (VM_SHARED | VM_MAYSHARE)))
		return ERR_PTR(-EINVAL);
	if (flags & MREMAP_DONTUNMAP && vma->vm_flags & (VM_DONTEXPAND | VM_PFNMAP))
		return ERR_PTR(-EINVAL);
	if (old_len > vma->vm_end - addr)
		return ERR_PTR(-EFAULT);
	if (new_len == old_len)
		return vma;
	pgoff = (addr - vma->vm_start) >> PAGE_SHIFT;
	pgoff += vma->vm_pgoff;
	if (pgoff + (new_len >> PAGE_SHIFT) < pgoff)
		return ERR_PTR(-EINVAL);
	if (vma->vm_flags & (VM_DONTEXPAND | VM_PFNMAP))
		return ERR_PTR(-EFAULT);
	if (new_len > old_len) {
		more = (new_len - old_len) >> PAGE_SHIFT;
		if (vma->vm_flags & VM_LOCKED && !mlock_allowed(mm, more))
			return ERR_PTR(-EAGAIN);
		if (!may_expand_vm(mm, vma->vm_flags, more))
			return ERR_PTR(-ENOMEM);
	}
	return vma;
}

/* Are the two ranges of a move valid? */
static bool places_fit(struct mm *mm, unsigned long addr, unsigned long old_len, unsigned long new_addr, unsigned long new_len)
{
	if (offset_in_page(new_addr) || new_len > mm->task_size || new_addr > mm->task_size - new_len)
		return false;
	return addr + old_len <= new_addr || new_addr + new_len <= addr;
}

/* The ranges are valid. Errors that depend on the mapping at ADDR are returned before the new range is unmapped. */
static unsigned long mremap_to(struct mm *mm, unsigned long addr, unsigned long old_len, unsigned long new_addr,
			       unsigned long new_len, unsigned long flags)
{
	struct vma *vma;
	int err;

	/* The part that a shrink cuts off may lie in other mappings. */
	vma = resize_check(mm, addr, min(old_len, new_len), new_len, flags);
	if (IS_ERR(vma))
		return (unsigned long)PTR_ERR(vma);
	if (flags & MREMAP_FIXED && !mm_addr_allowed(new_addr))
		return (unsigned long)-EPERM;
	if (mm->map_count + 2 >= (int)sysctl_max_map_count - 3)
		return (unsigned long)-ENOMEM;
	if (flags & MREMAP_FIXED) {
		err = do_munmap(mm, new_addr, new_len);
		if (err)
			return (unsigned long)err;
	}
	if (old_len > new_len) {
		err = do_munmap(mm, addr + new_len, old_len - new_len);
		if (err)
			return (unsigned long)err;
		old_len = new_len;
	}
	/* Either may have cut it. */
	vma = vma_lookup(mm, addr);
	if (!vma)
		return (unsigned long)-EFAULT;
	if (flags & MREMAP_DONTUNMAP && !may_expand_vm(mm, vma->vm_flags, old_len >> PAGE_SHIFT))
		return (unsigned long)-ENOMEM;
	if (!(flags & MREMAP_FIXED)) {
		new_addr = get_unmapped_area(mm, vma->vm_file, new_addr, new_len, 0, 0);
		if (IS_ERR_VALUE(new_addr))
			return new_addr;
	}
	return move_vma(vma, addr, old_len, new_len, new_addr, flags & MREMAP_DONTUNMAP);
}

/*
 * All mappings of a range to a given place, one after another, with the gaps between them; the range
 * begins with one. Where one fails, those before it have moved, as on Linux since 6.17.
 */
static unsigned long move_range(struct mm *mm, unsigned long addr, unsigned long len, unsigned long new_addr,
				unsigned long flags)
{
	unsigned long end = addr + len, at = addr;

	while (at < end) {
		struct vma *vma = find_vma(mm, at);
		unsigned long from, n, ret;

		if (!vma || vma->vm_start >= end)
			break;
		from = max(vma->vm_start, at);
		if (from != addr && at == addr)
			return (unsigned long)-EFAULT;
		n = min(vma->vm_end, end) - from;
		ret = mremap_to(mm, from, n, new_addr + (from - addr), n, flags);
		if (IS_ERR_VALUE(ret))
			return ret;
		at = from + n;
		if (fatal_signal_pending(current))
			return (unsigned long)-EINTR;
	}
	return new_addr;
}

/* Room right behind the VMA? */
static bool can_expand(struct vma *vma, unsigned long delta)
{
	unsigned long end = vma->vm_end + delta;

	if (end < vma->vm_end || end > vma->vm_mm->task_size)
		return false;
	return !vma->vm_next || end <= vma->vm_next->vm_start;
}

unsigned long mm_mremap(struct mm *mm, unsigned long addr, unsigned long old_len, unsigned long new_len,
			unsigned long flags, unsigned long new_addr)
{
	unsigned long ret = (unsigned long)-EINVAL, populate = 0, delta, end_was = 0;
	struct vma *vma;
	int err;

	if (flags & ~(unsigned long)(MREMAP_FIXED | MREMAP_MAYMOVE | MREMAP_DONTUNMAP))
		return ret;
	if (flags & MREMAP_FIXED && !(flags & MREMAP_MAYMOVE))
		return ret;
	if (flags & MREMAP_DONTUNMAP && (!(flags & MREMAP_MAYMOVE) || old_len != new_len))
		return ret;
	if (offset_in_page(addr))
		return ret;
	old_len = PAGE_ALIGN(old_len);
	new_len = PAGE_ALIGN(new_len);
	if (!new_len || new_len > mm->task_size)
		return ret;
	if (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) && !places_fit(mm, addr, old_len, new_addr, new_len))
		return ret;
	err = mmap_write_lock_killable(mm);
	if (err)
		return (unsigned long)err;
	vma = vma_lookup(mm, addr);
	if (!vma) {
		ret = (unsigned long)-EFAULT;
		goto out;
	}
	if (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) {
		ret = flags & MREMAP_FIXED && old_len == new_len ?
			      move_range(mm, addr, old_len, new_addr, flags) :
			      mremap_to(mm, addr, old_len, new_addr, new_len, flags);
		goto out;
	}
	if (old_len >= new_len) {
		err = old_len > new_len ? do_munmap(mm, addr + new_len, old_len - new_len) : 0;
		ret = err ? (unsigned long)err : addr;
		goto out;
	}
	vma = resize_check(mm, addr, old_len, new_len, flags);
	if (IS_ERR(vma)) {
		ret = (unsigned long)PTR_ERR(vma);
		goto out;
	}
	delta = new_len - old_len;
	if (old_len == vma->vm_end - addr && can_expand(vma, delta)) {
		if (vma->vm_flags & VM_ACCOUNT && vm_enough_memory(mm, delta >> PAGE_SHIFT)) {
			ret = (unsigned long)-ENOMEM;
			goto out;
		}
		end_was = vma->vm_end;
		vma_start_write(vma);
		vma_set_range(vma, vma->vm_start, vma->vm_end + delta, vma->vm_pgoff);
		vm_stat_account(mm, vma->vm_flags, (long)(delta >> PAGE_SHIFT));
		if (vma->vm_flags & VM_LOCKED) {
			mm->locked_vm += delta >> PAGE_SHIFT;
			populate = delta;
		}
		ret = addr;
		goto out;
	}
	ret = (unsigned long)-ENOMEM;
	if (flags & MREMAP_MAYMOVE) {
		bool locked = vma->vm_flags & VM_LOCKED;

		new_addr = get_unmapped_area(mm, vma->vm_file, 0, new_len, 0, 0);
		if (IS_ERR_VALUE(new_addr)) {
			ret = new_addr;
			goto out;
		}
		ret = move_vma(vma, addr, old_len, new_len, new_addr, false);
		if (locked && !IS_ERR_VALUE(ret)) {
			populate = delta;
			end_was = ret + old_len;
		}
	}
out:
	mmap_write_unlock(mm);
	if (populate)
		mm_populate(mm, end_was, populate);
	return ret;
}
