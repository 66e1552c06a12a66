// SPDX-License-Identifier: MIT
#pragma once
/* Shared by the files of this room. */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <abi/errno.h>
#include <kernel/bug.h>
#include <kernel/lockdep.h>
#include <kernel/percpu.h>
#include <kernel/printk.h>
#include <alloc/page.h>
#include <alloc/slab.h>
#include <arch/mmu.h>
#include <arch/pgtable.h>
#include <sched/task.h>
#include <mm/fault.h>
#include <mm/filemap.h>
#include <mm/gather.h>
#include <mm/mm.h>
#include <mm/notify.h>
#include <mm/rmap.h>
#include <mm/shmem.h>
#include <mm/upcalls.h>
#include <linux/mman.h>
#include <asm/resource.h>
#include "vmatree_priv.h"

/* notify.c: what mm/notify.h says of changing entries. */
void __mm_notify_start(struct mm_notify_range *r);
void __mm_notify_end(struct mm_notify_range *r);
bool __mm_notify_young(struct mm *mm, unsigned long start, unsigned long end, bool clear);
void __mm_notify_ended(struct mm *mm);
void mm_notify_free(struct mm *mm);

/* Before [START, END) changes: nobody mirrors it any more, nor will before the end. May sleep. */
static inline void mm_notify_start(struct mm_notify_range *r, struct mm *mm, unsigned long start,
				   unsigned long end)
{
	*r = (struct mm_notify_range){ .mm = mm, .start = start, .end = end };
	if (unlikely(READ_ONCE(mm->notify) != NULL))
		__mm_notify_start(r);
}

/* Entries have changed, pages have not been let go: tells those who came meanwhile. May sleep. */
static inline void mm_notify_changed(struct mm_notify_range *r)
{
	barrier();	/* the look comes after the change: pairs with mm_notify_register() */
	if (unlikely(READ_ONCE(r->mm->notify) != NULL) && !r->told)
		__mm_notify_start(r);
}

static inline void mm_notify_end(struct mm_notify_range *r)
{
	if (unlikely(r->told))
		__mm_notify_end(r);
}

/* Whether the mirrors used it. The table is locked. */
static inline bool mm_notify_young(struct mm *mm, unsigned long start, unsigned long end, bool clear)
{
	return unlikely(READ_ONCE(mm->notify) != NULL) && __mm_notify_young(mm, start, end, clear);
}

/* VMA locks (vma.c) */
#define VMA_WAITER	(1 << 30)

/* Rights of each combination of VM_READ|VM_WRITE|VM_EXEC. Private writable pages start read-only. */
static inline unsigned int vm_prot(unsigned long vm_flags)
{
	unsigned int p = PTE_P_USER;

	if (vm_flags & (VM_READ | VM_WRITE))
		p |= PTE_P_READ;
	if (vm_flags & VM_EXEC)
		p |= PTE_P_READ | PTE_P_EXEC;
	if (vm_flags & VM_WRITE)
		p |= PTE_P_WRITE;
	if (ARCH_PROT_GUARDED && (vm_flags & VM_GUARDED))
		p |= PTE_P_GUARDED;
	return p;
}
static inline bool vma_is_shared(const struct vma *vma)
{
	return vma->vm_flags & VM_SHARED;
}
/* A private mapping that may be written: copy on write. */
static inline bool vma_is_cow(const struct vma *vma)
{
	return (vma->vm_flags & (VM_SHARED | VM_MAYWRITE)) == VM_MAYWRITE;
}
static inline pgoff_t linear_index(const struct vma *vma, unsigned long addr)
{
	return vma->vm_pgoff + ((addr - vma->vm_start) >> PAGE_SHIFT);
}
static inline pgoff_t anon_index(const struct vma *vma, unsigned long addr)
{
	return vma->anon_pgoff + ((addr - vma->vm_start) >> PAGE_SHIFT);
}
/*
 * The OOM killer's reaper has taken this VMA's private memory: a fault must not put zeroes, or the file's page, in
 * its place for a system call of the victim to find. Under the table's lock.
 */
static inline bool vma_was_reaped(const struct vma *vma)
{
	return READ_ONCE(vma->vm_mm->flags) & 1ul << MMF_UNSTABLE && !vma_is_shared(vma);
}
static inline bool vma_is_stack(const struct vma *vma)
{
	return vma->vm_flags & VM_GROWSDOWN;
}

/*
 * Page tables. A table's lock lies in the mapping word of its struct page. Tables are installed by
 * compare-and-swap; they go only when no VMA is left around them (mmap_lock and VMA locks held for writing,
 * reverse maps cut), and their memory is freed by RCU.
 */
#ifdef CONFIG_LOCKDEP
extern struct lockdep_map ptl_map;
#define PTL_MAP (&ptl_map)
#else
#define PTL_MAP NULL
#endif

static inline struct page *table_page(const pte_t *table)
{
	return virt_to_page((const void *)((unsigned long)table & PAGE_MASK));
}
static inline spinlock_t *table_lock(const pte_t *pte)
{
	return (spinlock_t *)&table_page(pte)->mapping;
}
static __always_inline void ptl_lock(spinlock_t *l)
{
	preempt_disable();
	lock_acquire(PTL_MAP, 0, false, 0, false, _THIS_IP_);
	__raw_spin_lock(l);
}
static __always_inline void ptl_lock_nested(spinlock_t *l)
{
	preempt_disable();
	lock_acquire(PTL_MAP, 1, false, 0, false, _THIS_IP_);
	__raw_spin_lock(l);
}
static __always_inline void ptl_unlock(spinlock_t *l)
{
	lock_release(PTL_MAP, _THIS_IP_);
	__raw_spin_unlock(l);
	preempt_enable();
}

#define PT_ROOT_LEVEL	(ARCH_PT_LEVELS - 1)

/* Entry of level 0 for addr (not locked), or NULL if a table is missing. */
static inline pte_t *pte_find(struct mm *mm, unsigned long addr)
{
	pte_t *t = mm->context.pgd;

	for (int l = PT_ROOT_LEVEL; l > 0; l--) {
		pte_t e = ptep_read(&t[pt_index(addr, l)]);

		if (unlikely(!pte_present(e)))
			return NULL;
		t = pte_table(e);
	}
	return &t[pt_index(addr, 0)];
}
/* The same, locked. */
static inline pte_t *pte_find_lock(struct mm *mm, unsigned long addr, spinlock_t **ptl)
{
	pte_t *pte = pte_find(mm, addr);

	if (pte) {
		*ptl = table_lock(pte);
		ptl_lock(*ptl);
	}
	return pte;
}
static inline void pte_unlock(spinlock_t *ptl)
{
	ptl_unlock(ptl);
}
/* Makes the tables on the way. NULL: no memory. */
pte_t *pte_alloc(struct mm *mm, unsigned long addr);
/* First address beyond what the level-0 table of addr covers, at most end. */
static inline unsigned long table_end(unsigned long addr, unsigned long end)
{
	unsigned long next = (addr + pt_span(1)) & ~(pt_span(1) - 1);

	return next - 1 < end - 1 ? next : end;
}
/* Skip over missing tables: first address >= addr that has a level-0 table, or end; *pte its entry. */
unsigned long pt_next_table(struct mm *mm, unsigned long addr, unsigned long end, pte_t **pte);
/* Free all tables that lie wholly in [floor, ceiling) around [start, end). */
void free_pgtables(struct mmu_gather *tlb, unsigned long start, unsigned long end, unsigned long floor,
		   unsigned long ceiling);
void table_free_now(pte_t *table);

/* The page of all zeroes that read faults map; its entries are special. */
extern struct page *zero_page;
static inline bool is_zero_pfn(unsigned long pfn)
{
	return pfn == page_to_pfn(zero_page);
}
/* The page behind an entry that takes part in counting, or NULL (zero page, device memory). */
static inline struct page *pte_normal_page(pte_t e)
{
	return pte_special(e) ? NULL : pfn_to_page(pte_pfn(e));
}
/* How many entries from pte on, of the n there are in its table, are empty before the first that is not. */
static inline unsigned long ptes_none(const pte_t *pte, unsigned long n)
{
	return leading_zero_words(&pte->v, n);
}
static inline int folio_counter(const struct folio *folio)
{
	if (folio_test_anon(folio))
		return MM_ANONPAGES;
	return folio_test_swapbacked(folio) ? MM_SHMEMPAGES : MM_FILEPAGES;
}

/* zap.c */
void zap_range(struct mmu_gather *tlb, struct vma *vma, unsigned long start, unsigned long end,
	       bool even_cows);
void zap_vma_range(struct vma *vma, unsigned long start, unsigned long len);
/* fork.c. Sets *PROTECTED where entries of svma's space lost their write permission: its TLBs are to be flushed before its lock is let go. */
int __copy_page_range(struct mm *dst, struct vma *dvma, struct vma *svma, bool *protected);
static inline int copy_page_range(struct mm *dst, struct vma *dvma, struct vma *svma, bool *protected)
{
	if (!svma->has_anon && !(svma->vm_flags & (VM_PFNMAP | VM_MIXEDMAP)))
		return 0;
	return __copy_page_range(dst, dvma, svma, protected);
}

/* Per-CPU gauges. */
enum vm_stat {
	NR_FILE_PAGES, NR_SHMEM, NR_ANON_MAPPED, NR_FILE_MAPPED, NR_DIRTY, NR_WRITEBACK, NR_PAGE_TABLES,
	NR_SECONDARY_TABLES, NR_MLOCK, NR_VM_STATS
};
DECLARE_PER_CPU(long, vm_stats[NR_VM_STATS]);
#define mod_stat(s, n)		this_cpu_add(vm_stats[s], n)
#define inc_stat(s)		this_cpu_inc(vm_stats[s])
#define dec_stat(s)		this_cpu_dec(vm_stats[s])
unsigned long vm_stat_sum(enum vm_stat s);

/* A file folio is mapped now, or no more. */
static inline void stat_file_mapped(struct folio *folio, bool mapped)
{
	if (likely(!page_flag(&folio->page, PG_head))) {
		if (mapped)
			inc_stat(NR_FILE_MAPPED);
		else
			dec_stat(NR_FILE_MAPPED);
	} else {
		long nr = (long)folio_nr_pages(folio);

		mod_stat(NR_FILE_MAPPED, mapped ? nr : -nr);
	}
}

/* Reverse map counters. */
static inline void folio_add_rmap(struct folio *folio)
{
	atomic_inc(&folio->page.mapcount);
}
static inline void folio_remove_rmap(struct folio *folio)
{
	if (atomic_dec_and_test(&folio->page.mapcount)) {
		if (folio_test_anon(folio))
			dec_stat(NR_ANON_MAPPED);
		else
			stat_file_mapped(folio, false);
	}
}
/*
 * Reference and mapping together: both counts are 32-bit halves of one word, and both change by one
 * without a carry between them, whatever the byte order.
 */
#define REF_AND_MAP	((1ll << 32) | 1)

union folio_counts {
	s64 both;
	struct {
		s32 ref, map;
	};
};
static inline void folio_dup_mapping(struct folio *folio)
{
	__atomic_fetch_add((s64 *)&folio->page.refcount, REF_AND_MAP, __ATOMIC_RELAXED);
}
/* Drop one of both; the counts that are left. */
static inline union folio_counts folio_drop_mapping(struct folio *folio)
{
	return (union folio_counts){
		.both = __atomic_sub_fetch((s64 *)&folio->page.refcount, REF_AND_MAP, __ATOMIC_SEQ_CST),
	};
}
/* A first or further mapping of a file folio. */
static inline void folio_add_file_rmap(struct folio *folio)
{
	if (atomic_inc_return(&folio->page.mapcount) == 1)
		stat_file_mapped(folio, true);
}
/* The first mapping of a new anonymous folio, not visible to anybody else yet. */
static inline void folio_set_anon(struct folio *folio, struct vma *vma, unsigned long addr)
{
	folio->page.mapcount.counter = 1;
	folio->page.mapping = (uintptr_t)vma->vm_mm->family | FOLIO_ANON;
	folio->page.flags.counter = (s64)(anon_index(vma, addr) << PG_index_shift |
					  1ul << PG_uptodate | 1ul << PG_swapbacked);
	inc_stat(NR_ANON_MAPPED);
	if (unlikely(!vma->has_anon))
		WRITE_ONCE(vma->has_anon, true);
}

/* vma.c */
void vma_init_caches(void);
/*
 * NULL: no memory. The caller sets the range, vm_pgoff and anon_pgoff: they are those of a VMA that
 * was freed before.
 */
struct vma *vma_alloc(struct mm *mm);
struct vma *vma_dup(struct vma *old);
void vma_free(struct vma *vma);
/* Put into / take out of the tree and lists; mmap_lock for writing, VMA write-locked. */
int vma_link(struct mm *mm, struct vma *vma);		/* -ENOMEM */
void vma_link_reserved(struct mm *mm, struct vma *vma);	/* after vt_reserve */
void vma_unlink(struct vma *vma);
void vma_detach(struct vma *vma);
void vma_file_link(struct vma *vma);
void vma_file_unlink(struct vma *vma);
void vma_set_range(struct vma *vma, unsigned long start, unsigned long end, pgoff_t pgoff);
/* Cut vma at addr; new_below: the new VMA is the lower part. -ENOMEM. */
int split_vma(struct mm *mm, struct vma *vma, unsigned long addr, bool new_below);
/* A VMA that [start, end) with these properties can be added to; it has been extended. NULL: none. */
struct vma *vma_merge_new(struct mm *mm, struct vma *prev, struct vma *next, unsigned long start,
			  unsigned long end, unsigned long vm_flags, struct file *file, pgoff_t pgoff,
			  const char *anon_name);
/* Make a linked VMA, which holds its file, one with its neighbours where it can be. The VMA that now is there. */
struct vma *vma_join(struct vma *vma);
/* Change flags or name of [start, end) of vma: splits, merges. The VMA that now is the range, or ERR_PTR. */
struct vma *vma_modify(struct vma *vma, unsigned long start, unsigned long end, unsigned long newflags,
		       const char *anon_name);
void vma_update_prot(struct vma *vma);
bool vma_lock_read_try(struct vma *vma, struct mm *mm);

/* i_mmap interval tree (imap.c) */
void imap_insert(struct vma *vma, struct address_space *mapping);
void imap_remove(struct vma *vma, struct address_space *mapping);
struct vma *imap_first(struct address_space *mapping, pgoff_t first, pgoff_t last);
struct vma *imap_next(struct vma *vma, pgoff_t first, pgoff_t last);

/* mmap.c */
void vm_stat_account(struct mm *mm, unsigned long flags, long pages);
bool may_expand_vm(struct mm *mm, unsigned long flags, unsigned long pages);
int do_vma_munmap(struct mm *mm, struct vma *vma, unsigned long start, unsigned long end);
bool mlock_allowed(struct mm *mm, unsigned long more_pages);
bool accountable_mapping(struct file *file, unsigned long vm_flags);
unsigned long vm_unmapped_area(struct mm *mm, unsigned long len);
int expand_stack_locked(struct vma *vma, unsigned long addr);
unsigned long stack_guard_gap(void);

/* rmap.c: families */
struct anon_family *family_create(void);
void family_join(struct anon_family *f, struct mm *mm);
void family_leave(struct mm *mm);		/* the reference stays with the mm */
void family_put(struct anon_family *f);
void family_get(struct anon_family *f);

/* folio.c. True if somebody may wait, whom folio_wake_waiters then wakes. */
bool folio_clear_writeback(struct folio *folio);
void folio_wake_waiters(const struct folio *folio);

/* lru.c, vmscan.c */
enum lru_list { LRU_INACTIVE_FILE, LRU_ACTIVE_FILE, LRU_LAZYFREE, NR_LRU };
unsigned long lru_nr(enum lru_list l);
void lru_del(struct folio *folio);
unsigned int lru_isolate(enum lru_list which, unsigned int nr, struct folio **out);
void lru_putback(struct folio **f, unsigned int nr);
void folio_add_lazyfree(struct folio *folio);
void free_folios(struct page **pages, unsigned int nr);

/* oom.c */
long oom_badness_pages(struct mm *mm);
bool oom_reap_mm(struct mm *mm);

/* counters shown in meminfo and vmstat */
enum vm_event {
	PGFAULT, PGMAJFAULT, PGALLOC, PGFREE_, PGSCAN, PGSTEAL, PGSCAN_DIRECT, OOM_KILL, PGACTIVATE,
	PGDEACTIVATE, PGLAZYFREED, ALLOCSTALL, KSWAPD_RUN, PGPGIN, NR_VM_EVENTS
};
DECLARE_PER_CPU(unsigned long, vm_events[NR_VM_EVENTS]);
#define count_vm_event(e)	this_cpu_inc(vm_events[e])
#define count_vm_events(e, n)	this_cpu_add(vm_events[e], n)
unsigned long vm_event_sum(enum vm_event e);


/* filemap */
void family_init(void);
void folio_wait_init(void);
void __filemap_remove(struct address_space *mapping, struct folio *folio);	/* i_pages lock held */
void folio_unmap(struct folio *folio);		/* locked: remove all mappings, waiting */
void shmem_uncharge(struct address_space *mapping, unsigned long nr);
int populate_range(struct vma *vma, unsigned long start, unsigned long end, bool write);
static inline void folio_mlock(struct folio *folio)
{
	if (!folio_test_set_mlocked(folio))
		mod_stat(NR_MLOCK, (long)folio_nr_pages(folio));
}
bool vma_wants_writenotify(const struct vma *vma);
extern const struct vm_operations special_vm_ops;
