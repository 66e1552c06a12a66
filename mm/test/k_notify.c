// SPDX-License-Identifier: MIT
/* Those who mirror an address space: what they are told, when, and what they may still map. */
#include <alloc/slab.h>
#include <kernel/ktest.h>
#include <lib/err.h>
#include <linux/mman.h>
#include <mm/mm.h>
#include <mm/mman.h>
#include <mm/notify.h>
#include <mm/rmap.h>
#include <sched/completion.h>
#include <sched/kthread.h>
#include "mm/mm_priv.h"

#define RW	(PROT_READ | PROT_WRITE)

/* A mirror that maps nothing, and notes what it hears. */
struct mirror {
	struct mm_notify_user user;
	struct mm *mm;
	unsigned long at, start, end;	/* AT: what it asks mm_notify_retry() of */
	unsigned long seq;		/* from before */
	int told, ended, asked;
	bool covered, elsewhere, young;
	struct page *page;		/* NULL, or one whose references are counted */
	int refs;
	struct completion *inside, *go;
	int left;
};

static void note(struct mm_notify_user *u, unsigned long start, unsigned long end)
{
	struct mirror *m = container_of(u, struct mirror, user);

	m->start = start;
	m->end = end;
	m->covered = mm_notify_retry(u, m->seq, m->at);
	m->elsewhere = mm_notify_retry(u, m->seq, end);
	if (m->page)
		m->refs = folio_ref_count(page_folio(m->page));
	m->told++;
	if (!m->inside)
		return;
	complete(m->inside);
	wait_for_completion(m->go);
	/* For a while in which what must not happen could. */
	schedule_timeout_uninterruptible(2);
	WRITE_ONCE(m->left, 1);
}

static bool note_young(struct mm_notify_user *u, unsigned long start, unsigned long end, bool clear)
{
	struct mirror *m = container_of(u, struct mirror, user);
	bool young = m->young && start <= m->at && m->at < end;

	m->asked++;
	if (clear && young)
		m->young = false;
	return young;
}

static void note_end(struct mm_notify_user *u)
{
	container_of(u, struct mirror, user)->ended++;
}

static const struct mm_notify_ops ops = { note, note_young, note_end };

/* One page of a space of its own. */
static bool begin(struct mirror *m, unsigned long flags)
{
	u64 v = 1;

	*m = (struct mirror){ .user = { .ops = &ops }, .mm = mm_alloc() };
	if (!m->mm)
		return false;
	m->at = vm_mmap(m->mm, NULL, 0, 4 * PAGE_SIZE, RW, MAP_ANONYMOUS | flags, 0);
	return access_remote_vm(m->mm, m->at, &v, sizeof(v), FOLL_WRITE) == sizeof(v);
}

static struct page *page_of(struct mirror *m)
{
	pte_t *pte = pte_find(m->mm, m->at);

	return pte && pte_present(*pte) ? pte_normal_page(*pte) : NULL;
}

KTEST(mm_notify_against_look_up)
{
	static struct mirror m;

	KT_ASSERT(begin(&m, MAP_PRIVATE));
	KT_EQ(m.mm->notify, NULL);
	KT_EQ(mm_notify_register(&m.user, m.mm), 0);
	m.seq = mm_notify_seq(&m.user);
	KT_ASSERT(!mm_notify_retry(&m.user, m.seq, m.at));
	m.page = page_of(&m);
	KT_EQ(vm_munmap(m.mm, m.at, PAGE_SIZE), 0);
	/*
	 * Told once, while the page was there; what it covers is not to be mapped, the rest may be.
	 */
	KT_EQ(m.told, 1);
	KT_EQ(m.start, m.at);
	KT_EQ(m.end, m.at + PAGE_SIZE);
	KT_EQ(m.refs, 1);
	KT_ASSERT(m.covered && !m.elsewhere);
	/* It has ended: all look-ups from before are in doubt, new ones are not. */
	KT_ASSERT(mm_notify_retry(&m.user, m.seq, m.at));
	KT_ASSERT(mm_notify_retry(&m.user, m.seq, m.at + PAGE_SIZE));
	KT_ASSERT(!mm_notify_retry(&m.user, mm_notify_seq(&m.user), m.at));
	mm_notify_unregister(&m.user);
	KT_EQ(vm_munmap(m.mm, m.at + PAGE_SIZE, PAGE_SIZE), 0);
	KT_EQ(m.told, 1);
	mmput(m.mm);
	KT_EQ(m.ended, 0);
}

/* Entries were cleared before it registered; the page goes after it was told. */
KTEST(mm_notify_registered_in_mid_truncation)
{
	static struct mirror m;
	struct mmu_gather tlb;
	struct vma *vma;

	KT_ASSERT(begin(&m, MAP_PRIVATE));
	m.page = page_of(&m);
	mmap_write_lock(m.mm);
	vma = vma_lookup(m.mm, m.at);
	vma_start_write(vma);
	gather_init(&tlb, m.mm, m.at, m.at + PAGE_SIZE, false);
	zap_range(&tlb, vma, m.at, m.at + PAGE_SIZE, true);
	KT_EQ(page_of(&m), NULL);
	KT_EQ(mm_notify_register(&m.user, m.mm), 0);
	m.seq = mm_notify_seq(&m.user);
	gather_finish(&tlb);
	mmap_write_unlock(m.mm);
	KT_EQ(m.told, 1);
	KT_EQ(m.refs, 1);
	KT_ASSERT(m.covered);
	/* Start and end are counted both. */
	KT_ASSERT(mm_notify_retry(&m.user, m.seq, m.at));
	KT_ASSERT(!mm_notify_retry(&m.user, mm_notify_seq(&m.user), m.at));
	mm_notify_unregister(&m.user);
	mmput(m.mm);
}

/* A second one comes while the first is being told: it is not told, and sees the count. */
KTEST(mm_notify_registered_in_mid_walk)
{
	static struct mirror m, second;
	struct mmu_gather tlb;

	KT_ASSERT(begin(&m, MAP_PRIVATE));
	KT_EQ(mm_notify_register(&m.user, m.mm), 0);
	mmap_write_lock(m.mm);
	gather_init(&tlb, m.mm, m.at, m.at + PAGE_SIZE, false);
	second = (struct mirror){ .user = { .ops = &ops } };
	KT_EQ(mm_notify_register(&second.user, m.mm), 0);
	KT_ASSERT(mm_notify_retry(&second.user, mm_notify_seq(&second.user), m.at));
	KT_ASSERT(!mm_notify_retry(&second.user, mm_notify_seq(&second.user), m.at + PAGE_SIZE));
	gather_finish(&tlb);
	mmap_write_unlock(m.mm);
	KT_EQ(m.told, 1);
	KT_EQ(second.told, 0);
	KT_ASSERT(!mm_notify_retry(&second.user, mm_notify_seq(&second.user), m.at));
	mm_notify_unregister(&m.user);
	mmput(m.mm);
	KT_EQ(m.ended, 0);
	KT_EQ(second.ended, 1);
	mm_notify_unregister(&second.user);
}

static int unmapper(void *arg)
{
	struct mirror *m = arg;

	vm_munmap(m->mm, m->at, PAGE_SIZE);
	mmput(m->mm);
	return 0;
}

KTEST(mm_notify_unregistered_in_mid_walk)
{
	static DECLARE_COMPLETION(inside);
	static DECLARE_COMPLETION(go);
	static struct mirror m;
	struct task *t;

	KT_ASSERT(begin(&m, MAP_PRIVATE));
	KT_EQ(mm_notify_register(&m.user, m.mm), 0);
	m.inside = &inside;
	m.go = &go;
	mmget(m.mm);
	t = kthread_create(unmapper, &m, "ktest/notify");
	KT_ASSERT(!IS_ERR(t));
	wake_up_process(t);
	wait_for_completion(&inside);
	complete(&go);
	mm_notify_unregister(&m.user);
	KT_EQ(READ_ONCE(m.left), 1);
	mmput(m.mm);
}

KTEST(mm_notify_young)
{
	static struct mirror m;
	unsigned long flags;
	struct folio *folio;

	KT_ASSERT(begin(&m, MAP_PRIVATE));
	folio = page_folio(page_of(&m));
	KT_EQ(folio_referenced(folio, &flags), 1);
	KT_EQ(folio_referenced(folio, &flags), 0);
	KT_EQ(mm_notify_register(&m.user, m.mm), 0);
	KT_EQ(folio_referenced(folio, &flags), 0);
	KT_EQ(m.asked, 1);
	m.young = true;
	KT_EQ(folio_referenced(folio, &flags), 1);
	KT_EQ(folio_referenced(folio, &flags), 0);
	KT_EQ(m.told, 0);
	mm_notify_unregister(&m.user);
	mmput(m.mm);
}

/* Cleaning, unmapping by the reverse map, protection, fork and the copy that follows it. */
KTEST(mm_notify_each_change)
{
	static struct mirror m, shared;
	struct mm *child;
	u64 v = 2;

	KT_ASSERT(begin(&shared, MAP_SHARED) && begin(&m, MAP_PRIVATE));
	KT_EQ(mm_notify_register(&shared.user, shared.mm), 0);
	KT_EQ(mm_notify_register(&m.user, m.mm), 0);
	folio_mkclean(page_folio(page_of(&shared)));
	KT_EQ(shared.told, 1);
	KT_EQ(shared.start, shared.at);
	KT_EQ(shared.end, shared.at + PAGE_SIZE);
	folio_unmap(page_folio(page_of(&shared)));
	KT_EQ(shared.told, 2);
	KT_EQ(page_of(&shared), NULL);
	child = mm_dup(m.mm);
	KT_ASSERT(!IS_ERR(child));
	KT_EQ(child->notify, NULL);
	KT_EQ(m.told, 1);
	KT_EQ(m.end, m.start + 4 * PAGE_SIZE);
	m.page = page_of(&m);
	KT_EQ(access_remote_vm(m.mm, m.at, &v, sizeof(v), FOLL_WRITE), (int)sizeof(v));
	KT_EQ(m.told, 2);
	KT_EQ(m.end, m.start + PAGE_SIZE);
	KT_ASSERT(page_of(&m) != m.page);
	try_to_unmap(page_folio(page_of(&m)), 0);
	KT_EQ(m.told, 3);
	mmput(child);
	mmput(shared.mm);
	mmput(m.mm);
	/* The end, before the last of it goes. */
	KT_EQ(shared.ended, 1);
	KT_EQ(m.ended, 1);
	mm_notify_unregister(&shared.user);
	mm_notify_unregister(&m.user);
}
