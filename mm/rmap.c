// SPDX-License-Identifier: MIT
/*
 * The reverse map (see mm/rmap.h) and what is done with it: unmapping, aging, cleaning.
 *
 * Walking an anonymous folio: the family's lock keeps the members; each member's VMA at the folio's
 * address is locked for reading, which keeps its page tables. A VMA that a writer holds is skipped and
 * reported (contended): whoever needs certainty looks at mapcount afterwards. Members that moved
 * anonymous memory are searched VMA by VMA under their mmap_lock, if that is free.
 *
 * Walking a file folio: i_mmap_rwsem keeps the VMAs in the tree, and with them the tables.
 */
#include "mm_priv.h"

static struct kmem_cache *family_cache;

void family_init(void)
{
	family_cache = kmem_cache_create("anon_family", sizeof(struct anon_family), 8,
					 SLAB_PANIC | SLAB_ACCOUNT, NULL);
}

struct anon_family *family_create(void)
{
	struct anon_family *f = kmem_cache_alloc(family_cache, GFP_KERNEL);

	if (!f)
		return NULL;
	atomic_set(&f->refcount, 1);
	init_rwsem(&f->rwsem);
	INIT_LIST_HEAD(&f->members);
	return f;
}

void family_get(struct anon_family *f)
{
	atomic_inc(&f->refcount);
}

void family_put(struct anon_family *f)
{
	if (atomic_dec_and_test(&f->refcount))
		kfree_rcu(f, rcu);
}

void family_join(struct anon_family *f, struct mm *mm)
{
	family_get(f);
	mm->family = f;
	down_write(&f->rwsem);
	list_add_tail(&mm->family_link, &f->members);
	up_write(&f->rwsem);
}

void family_leave(struct mm *mm)
{
	struct anon_family *f = mm->family;

	if (!f)
		return;
	down_write(&f->rwsem);
	list_del_init(&mm->family_link);
	up_write(&f->rwsem);
}

/* Address of the page with this anonymous index in vma, or -1. */
static unsigned long anon_address(struct vma *vma, pgoff_t index)
{
	if (index < vma->anon_pgoff || index >= vma->anon_pgoff + vma_pages(vma))
		return ~0ul;
	return vma->vm_start + ((index - vma->anon_pgoff) << PAGE_SHIFT);
}

static bool walk_moved(struct folio *folio, struct mm *mm, struct rmap_walk *rw)
{
	struct vma *vma;
	bool go_on = true;

	if (!mmap_read_trylock(mm)) {
		rw->contended = true;
		return true;
	}
	for_each_vma(mm, vma) {
		unsigned long addr = anon_address(vma, folio_index(folio));

		if (addr == ~0ul || !vma->has_anon)
			continue;
		go_on = rw->one(folio, vma, addr, rw->arg);
		if (!go_on)
			break;
	}
	mmap_read_unlock(mm);
	return go_on;
}

static bool walk_member(struct folio *folio, struct mm *mm, struct rmap_walk *rw)
{
	unsigned long addr = folio_index(folio) << PAGE_SHIFT;
	struct vma *vma;
	bool go_on = true;

	if (test_bit(MMF_ANON_MOVED, &mm->flags))
		return walk_moved(folio, mm, rw);
	vma = lock_vma_under_rcu(mm, addr);
	if (!vma) {
		/* Nothing there, or a writer: the caller looks at mapcount. */
		rw->contended = true;
		return true;
	}
	if (anon_address(vma, folio_index(folio)) == addr && vma->has_anon)
		go_on = rw->one(folio, vma, addr, rw->arg);
	vma_end_read(vma);
	return go_on;
}

static void walk_anon(struct folio *folio, struct rmap_walk *rw)
{
	struct anon_family *f;
	struct mm *mm;

	/* While it is mapped, some mm holds a reference to its family. */
	rcu_read_lock();
	f = folio_family(folio);
	if (!f || !folio_mapped(folio) || !atomic_inc_not_zero(&f->refcount)) {
		rcu_read_unlock();
		return;
	}
	rcu_read_unlock();
	if (rw->try_lock) {
		if (!down_read_trylock(&f->rwsem)) {
			rw->contended = true;
			goto out;
		}
	} else {
		down_read(&f->rwsem);
	}
	list_for_each_entry(mm, &f->members, family_link)
		if (!walk_member(folio, mm, rw))
			break;
	up_read(&f->rwsem);
out:
	family_put(f);
}

static void walk_file(struct folio *folio, struct rmap_walk *rw)
{
	struct address_space *mapping = folio_mapping(folio);
	pgoff_t first = folio_index(folio), last = first + folio_nr_pages(folio) - 1;
	struct vma *vma;

	if (!mapping)
		return;
	if (rw->try_lock) {
		if (!down_read_trylock(&mapping->i_mmap_rwsem)) {
			rw->contended = true;
			return;
		}
	} else {
		down_read(&mapping->i_mmap_rwsem);
	}
	for (vma = imap_first(mapping, first, last); vma; vma = imap_next(vma, first, last)) {
		unsigned long addr = vma->vm_start;

		if (first >= vma->vm_pgoff)
			addr += (first - vma->vm_pgoff) << PAGE_SHIFT;
		if (!rw->one(folio, vma, addr, rw->arg))
			break;
	}
	up_read(&mapping->i_mmap_rwsem);
}

void rmap_walk(struct folio *folio, struct rmap_walk *rw)
{
	rw->contended = false;
	if (folio_test_anon(folio))
		walk_anon(folio, rw);
	else
		walk_file(folio, rw);
}

/* The entry at addr if it maps the folio; locked. Folios of one page. */
static pte_t *entry_of(struct folio *folio, struct vma *vma, unsigned long addr, spinlock_t **ptl)
{
	pte_t *pte = pte_find_lock(vma->vm_mm, addr, ptl);
	pte_t e;

	if (!pte)
		return NULL;
	e = ptep_read(pte);
	if (pte_present(e) && !pte_special(e) && pte_pfn(e) == folio_pfn(folio))
		return pte;
	pte_unlock(*ptl);
	return NULL;
}

static bool unmap_one(struct folio *folio, struct vma *vma, unsigned long addr, void *arg)
{
	unsigned int ttu = *(unsigned int *)arg;
	struct mm *mm = vma->vm_mm;
	spinlock_t *ptl;
	pte_t *pte, e;

	if (mm->notifiers)
		__mmu_notifier_start(mm, addr, addr + PAGE_SIZE);
	pte = entry_of(folio, vma, addr, &ptl);
	if (pte) {
		/* Under the table's lock, which mlock takes between setting the flag and making pages present. */
		if (READ_ONCE(vma->vm_flags) & VM_LOCKED && !(ttu & TTU_IGNORE_MLOCK)) {
			pte_unlock(ptl);
			goto out;
		}
		e = ptep_clear(pte);
		arch_tlb_flush_mm_range(&mm->context, addr, addr + PAGE_SIZE, PAGE_SIZE, false);
		if (pte_dirty(e)) {
			if (folio_test_anon(folio)) {
				/* A lazily freed page was written to again: it stays. */
				folio_set_swapbacked(folio);
				ptep_set(pte, e);
				pte_unlock(ptl);
				goto out;
			}
			folio_mark_dirty(folio);
		}
		add_mm_counter(mm, folio_counter(folio), -1);
		folio_remove_rmap(folio);
		pte_unlock(ptl);
		folio_put(folio);
	}
out:
	if (mm->notifiers)
		__mmu_notifier_end(mm, addr, addr + PAGE_SIZE);
	return folio_mapped(folio);
}

bool try_to_unmap(struct folio *folio, unsigned int ttu)
{
	struct rmap_walk rw = { .arg = &ttu, .one = unmap_one, .try_lock = true };

	rmap_walk(folio, &rw);
	return !folio_mapped(folio);
}

struct referenced {
	int count;
	unsigned long vm_flags;
};

static bool referenced_one(struct folio *folio, struct vma *vma, unsigned long addr, void *arg)
{
	struct referenced *r = arg;
	spinlock_t *ptl;
	pte_t *pte = entry_of(folio, vma, addr, &ptl);

	if (!pte)
		return true;
	if (vma->vm_flags & VM_LOCKED) {
		r->vm_flags |= VM_LOCKED;
		pte_unlock(ptl);
		return false;
	}
	/* Without a flush: an entry cached in a TLB makes the page look idle a while longer. */
	if (ptep_test_and_clear_young(pte)) {
		r->count++;
		r->vm_flags |= vma->vm_flags;
	}
	pte_unlock(ptl);
	return true;
}

int folio_referenced(struct folio *folio, unsigned long *vm_flags)
{
	struct referenced r = { 0 };
	struct rmap_walk rw = { .arg = &r, .one = referenced_one, .try_lock = true };

	if (!folio_mapped(folio)) {
		*vm_flags = 0;
		return 0;
	}
	rmap_walk(folio, &rw);
	*vm_flags = r.vm_flags;
	return rw.contended && !r.count && !folio_test_anon(folio) ? -EAGAIN : r.count;
}

static bool mkclean_one(struct folio *folio, struct vma *vma, unsigned long addr, void *arg)
{
	int *cleaned = arg;
	struct mm *mm = vma->vm_mm;
	spinlock_t *ptl;
	pte_t *pte, e;

	if (!vma_is_shared(vma))
		return true;
	pte = entry_of(folio, vma, addr, &ptl);
	if (!pte)
		return true;
	e = ptep_read(pte);
	if (pte_dirty(e) || pte_write(e)) {
		e = ptep_clear(pte);
		arch_tlb_flush_mm_range(&mm->context, addr, addr + PAGE_SIZE, PAGE_SIZE, false);
		ptep_set(pte, pte_mkclean(pte_wrprotect(e)));
		(*cleaned)++;
	}
	pte_unlock(ptl);
	return true;
}

int folio_mkclean(struct folio *folio)
{
	int cleaned = 0;
	struct rmap_walk rw = { .arg = &cleaned, .one = mkclean_one };

	if (folio_mapped(folio) && folio_mapping(folio))
		rmap_walk(folio, &rw);
	return cleaned;
}
