// SPDX-License-Identifier: MIT
/* Pages of a space, one at a time (mm/lookup.h). */
#include <kernel/ktest.h>
#include <lib/err.h>
#include <linux/mman.h>
#include <mm/lookup.h>
#include <mm/mm.h>
#include <mm/mman.h>
#include "mm/mm_priv.h"

#define RW	(PROT_READ | PROT_WRITE)

static unsigned long map(struct mm *mm, unsigned long prot, unsigned long flags)
{
	return vm_mmap(mm, NULL, 0, 4 * PAGE_SIZE, prot, MAP_ANONYMOUS | flags, 0);
}

KTEST(mm_look_up_says_writable)
{
	struct mm *mm = mm_alloc(), *child;
	struct mm_looked_up a, b;
	unsigned long at;

	KT_ASSERT(mm);
	at = map(mm, RW, MAP_PRIVATE);
	/* Read first: the page of zeroes. */
	KT_EQ(mm_look_up(mm, at + 5, 0, &a), 0);
	KT_ASSERT(is_zero_pfn(page_to_pfn(a.page)) && !a.writable);
	put_page(a.page);
	KT_EQ(mm_look_up(mm, at, LOOKUP_WRITE, &a), 0);
	KT_ASSERT(!is_zero_pfn(page_to_pfn(a.page)) && a.writable);
	KT_EQ(folio_ref_count(page_folio(a.page)), 2);
	/* Its entry lets it be written now, also who reads may. */
	KT_EQ(mm_look_up(mm, at, 0, &b), 0);
	KT_ASSERT(b.page == a.page && b.writable);
	KT_ASSERT(pte_dirty(*pte_find(mm, at)));
	put_page(b.page);
	put_page(a.page);
	/* Shared with a child, it does not. */
	child = mm_dup(mm);
	KT_ASSERT(!IS_ERR(child));
	KT_EQ(mm_look_up(mm, at, 0, &b), 0);
	KT_ASSERT(b.page == a.page && !b.writable);
	put_page(b.page);
	KT_EQ(mm_look_up(mm, at, LOOKUP_WRITE, &b), 0);
	KT_ASSERT(b.page != a.page && b.writable);
	put_page(b.page);
	mmput(child);
	mmput(mm);
}

/* Who changes the layout elsewhere holds up nobody; who changes it here does. */
KTEST(mm_look_up_by_vma_lock)
{
	struct mm *mm = mm_alloc();
	struct mm_looked_up l;
	unsigned long at, shared;

	KT_ASSERT(mm);
	at = map(mm, RW, MAP_PRIVATE);
	shared = map(mm, RW, MAP_SHARED);
	mmap_write_lock(mm);
	KT_EQ(mm_look_up(mm, at, LOOKUP_WRITE, &l), 0);
	put_page(l.page);
	KT_EQ(mm_look_up(mm, at + PAGE_SIZE, LOOKUP_NOWAIT | LOOKUP_WRITE, &l), 0);
	put_page(l.page);
	/* What a file has to give is waited for. */
	KT_EQ(mm_look_up(mm, shared, LOOKUP_NOWAIT, &l), -EAGAIN);
	KT_EQ(mm_look_up(mm, shared, LOOKUP_WRITE, &l), 0);
	put_page(l.page);
	KT_EQ(mm_look_up(mm, shared, LOOKUP_NOWAIT | LOOKUP_WRITE, &l), 0);
	KT_ASSERT(l.writable);
	put_page(l.page);
	vma_start_write(vma_lookup(mm, at));
	KT_EQ(mm_look_up(mm, at, LOOKUP_NOWAIT, &l), -EAGAIN);
	mmap_write_unlock(mm);
	KT_EQ(mm_look_up(mm, at, LOOKUP_NOWAIT, &l), 0);
	put_page(l.page);
	mmput(mm);
}

KTEST(mm_look_up_refuses)
{
	struct mm *mm = mm_alloc();
	struct mm_looked_up l;
	unsigned long ro, none;

	KT_ASSERT(mm);
	ro = map(mm, PROT_READ, MAP_PRIVATE);
	none = map(mm, PROT_NONE, MAP_PRIVATE);
	KT_EQ(mm_look_up(mm, ro, LOOKUP_WRITE, &l), -EFAULT);
	KT_EQ(mm_look_up(mm, none, 0, &l), -EFAULT);
	KT_EQ(mm_look_up(mm, none - PAGE_SIZE, 0, &l), -EFAULT);
	KT_EQ(mm_look_up(mm, TASK_SIZE_MAX, 0, &l), -EFAULT);
	/* A signal ends it where it would wait, if it may. */
	set_tsk_flag(current, TIF_NOTIFY_SIGNAL);
	KT_EQ(mm_look_up(mm, ro, LOOKUP_INTERRUPTIBLE, &l), -EINTR);
	KT_EQ(mm_look_up(mm, ro, 0, &l), 0);
	put_page(l.page);
	KT_EQ(mm_look_up(mm, ro, LOOKUP_INTERRUPTIBLE, &l), 0);
	put_page(l.page);
	clear_tsk_flag(current, TIF_NOTIFY_SIGNAL);
	mmput(mm);
}
