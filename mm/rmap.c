// SPDX-License-Identifier: MIT
/*
 * The reverse map (see mm/rmap.h) and what is done with it: unmapping, aging, cleaning.
 *
 * Walking an anonymous folio: the family's lock keeps the members; each member's VMA at the folio's
 * address is locked for reading, which keeps its page tables. A VMA that a writer holds is skipped and
 * reported (contended): whoever needs certainty looks at mapcount afterwards. Members that moved
 * anonymous memory are searched VMA by VMA under their mmap_lock, if that is free.
 *
 * Walking a file folio: i_mmap_rwsem keeps the VMAs in the tree, and with them the tables. A VMA has a run of
 * its pages, which may begin within it.
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

/*
 * Entries of one VMA that map pages of a folio: a run of addresses, table by table. An anonymous folio
 * has one page.
 */
struct span {
	struct folio *folio;
	struct vma *vma;
	unsigned long addr, end;	/* of this table: what is left */
	unsigned long page;		/* of the folio, at addr */
	pte_t *pte;
	spinlock_t *ptl;
};

/* Where VMA's part of FOLIO ends that begins at ADDR. */
static unsigned long end_in(struct folio *folio, const struct vma *vma, unsigned long addr)
{
	unsigned long last;

	if (folio_test_anon(folio))
		return addr + PAGE_SIZE;
	last = folio_index(folio) + folio_nr_pages(folio) - linear_index(vma, addr);
	return min(addr + (last << PAGE_SHIFT), vma->vm_end);
}

/* The table of ADDR, locked. False: there is none. *NEXT: where it ends. */
static bool span_begin(struct span *s, unsigned long addr, unsigned long end, unsigned long *next)
{
	*next = table_end(addr, end);
	s->addr = addr;
	s->end = *next;
	s->page = folio_test_anon(s->folio) ? 0 : linear_index(s->vma, addr) - folio_index(s->folio);
	s->pte = pte_find_lock(s->vma->vm_mm, addr, &s->ptl);
	return s->pte;
}

/* The next entry that maps its page of the folio, or NULL. *ADDR, *PAGE: which. */
static pte_t *span_next(struct span *s, unsigned long *addr, struct page **page)
{
	while (s->addr < s->end) {
		pte_t *pte = s->pte++, e = ptep_read(pte);

		*addr = s->addr;
		*page = folio_page(s->folio, s->page++);
		s->addr += PAGE_SIZE;
		if (pte_present(e) && !pte_special(e) && pte_pfn(e) == page_to_pfn(*page))
			return pte;
	}
	return NULL;
}

#define FOUND_MOST 16u			/* entries; a flush for so many */

/* What was found of a table. */
struct found {
	unsigned int n;
	pte_t *pte[FOUND_MOST], old[FOUND_MOST];
	struct page *page[FOUND_MOST];
};

/* Clears the next entries of a table that WANTED is true of, all of them where it is NULL, and flushes. The table is locked. False: there were none. */
static bool clear_found(struct span *s, struct found *f, bool (*wanted)(pte_t e))
{
	unsigned long addr, first = 0, last = 0;
	struct page *page;
	pte_t *pte;

	f->n = 0;
	while (f->n < FOUND_MOST && (pte = span_next(s, &addr, &page))) {
		if (wanted && !wanted(ptep_read(pte)))
			continue;
		if (!f->n)
			first = addr;
		last = addr;
		f->pte[f->n] = pte;
		f->page[f->n] = page;
		f->old[f->n++] = ptep_clear(pte);
	}
	if (f->n)
		arch_tlb_flush_mm_range(&s->vma->vm_mm->context, first, last + PAGE_SIZE, PAGE_SIZE, false);
	return f->n;
}

/* The entries of F were cleared: FOLIO is no longer mapped there. How many references its caller is to drop. */
static int unmap_found(struct folio *folio, struct mm *mm, const struct found *f)
{
	int gone = 0;

	for (unsigned int i = 0; i < f->n; i++) {
		if (pte_dirty(f->old[i])) {
			if (folio_test_anon(folio)) {
				/* A lazily freed page was written to again: it stays. */
				folio_set_swapbacked(folio);
				ptep_set(f->pte[i], f->old[i]);
				continue;
			}
			folio_mark_page_dirty(folio, f->page[i]);
		}
		folio_remove_rmap(folio);
		gone++;
	}
	if (gone)
		add_mm_counter(mm, folio_counter(folio), -gone);
	return gone;
}

static bool unmap_one(struct folio *folio, struct vma *vma, unsigned long addr, void *arg)
{
	unsigned int ttu = *(unsigned int *)arg;
	unsigned long next, end = end_in(folio, vma, addr);
	struct span s = { .folio = folio, .vma = vma };
	struct mm *mm = vma->vm_mm;
	struct mm_notify_range range;
	struct found f;

	mm_notify_start(&range, mm, addr, end);
	for (; addr < end; addr = next) {
		int gone = 0;

		if (!span_begin(&s, addr, end, &next))
			continue;
		/* Under the table's lock, which mlock takes between setting the flag and making pages present. */
		if (!(READ_ONCE(vma->vm_flags) & VM_LOCKED) || ttu & TTU_IGNORE_MLOCK)
			while (clear_found(&s, &f, NULL))
				gone += unmap_found(folio, mm, &f);
		pte_unlock(s.ptl);
		mm_notify_changed(&range);
		if (gone)
			folio_put_refs(folio, gone);
	}
	mm_notify_end(&range);
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
	unsigned long next, at, end = end_in(folio, vma, addr);
	struct span s = { .folio = folio, .vma = vma };
	struct referenced *r = arg;
	bool young = false;
	struct page *page;
	pte_t *pte;

	for (; addr < end; addr = next) {
		if (!span_begin(&s, addr, end, &next))
			continue;
		/* Without a flush: an entry cached in a TLB makes the page look idle a while longer. */
		while ((pte = span_next(&s, &at, &page))) {
			if (vma->vm_flags & VM_LOCKED) {
				r->vm_flags |= VM_LOCKED;
				pte_unlock(s.ptl);
				return false;
			}
			young |= ptep_test_and_clear_young(pte);
		}
		if (mm_notify_young(vma->vm_mm, addr, next, true))
			young = true;
		pte_unlock(s.ptl);
	}
	if (young) {
		r->count++;
		r->vm_flags |= vma->vm_flags;
	}
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

static bool may_dirty(pte_t e)
{
	return pte_dirty(e) || pte_write(e);
}

static bool mkclean_one(struct folio *folio, struct vma *vma, unsigned long addr, void *arg)
{
	unsigned long next, end = end_in(folio, vma, addr);
	struct span s = { .folio = folio, .vma = vma };
	struct mm_notify_range range;
	int *cleaned = arg;
	struct found f;

	if (!vma_is_shared(vma))
		return true;
	mm_notify_start(&range, vma->vm_mm, addr, end);
	for (; addr < end; addr = next) {
		if (!span_begin(&s, addr, end, &next))
			continue;
		while (clear_found(&s, &f, may_dirty)) {
			for (unsigned int i = 0; i < f.n; i++) {
				folio_mark_page_dirty(folio, f.page[i]);
				ptep_set(f.pte[i], pte_mkclean(pte_wrprotect(f.old[i])));
			}
			*cleaned += (int)f.n;
		}
		pte_unlock(s.ptl);
	}
	mm_notify_changed(&range);
	mm_notify_end(&range);
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
