// SPDX-License-Identifier: MIT
/*
 * The lists that reclaim works on: clean-able file folios (inactive, active) and anonymous folios given
 * up by MADV_FREE. Anonymous and shmem memory cannot be reclaimed without swap and is on no list, which
 * keeps faults and exits cheap.
 *
 * New folios collect in a per-CPU batch and enter the lists together. A folio in a batch holds a
 * reference of the batch and has PG_lru clear; one on a list has PG_lru set. PG_active says which list.
 *
 * Lock: lru_lock (interrupts off), a leaf.
 */
#include "mm_priv.h"
#include <kernel/cpumask.h>
#include <sched/mutex.h>
#include <sched/work.h>

struct lru {
	u32 head, tail;			/* (lru_lock) frames; head is the newest */
	unsigned long nr;
};
static struct lru lists[NR_LRU];
static DEFINE_SPINLOCK(lru_lock);

#define BATCH	15
struct batch {
	u8 nr;
	struct folio *folio[BATCH];
};
static DEFINE_PER_CPU(struct batch, lru_batch);

unsigned long lru_nr(enum lru_list l)
{
	return READ_ONCE(lists[l].nr);
}

static enum lru_list list_of(const struct folio *folio)
{
	if (folio_test_anon(folio))
		return LRU_LAZYFREE;
	return folio_test_active(folio) ? LRU_ACTIVE_FILE : LRU_INACTIVE_FILE;
}

static void link_head(struct lru *l, struct folio *folio)
{
	u32 pfn = (u32)folio_pfn(folio);

	folio->page.lru_prev = 0;
	folio->page.lru_next = l->head;
	if (l->head)
		pfn_to_page(l->head)->lru_prev = pfn;
	else
		l->tail = pfn;
	l->head = pfn;
	l->nr += folio_nr_pages(folio);
}

static void unlink_folio(struct lru *l, struct folio *folio)
{
	struct page *p = &folio->page;

	if (p->lru_prev)
		pfn_to_page(p->lru_prev)->lru_next = p->lru_next;
	else
		l->head = p->lru_next;
	if (p->lru_next)
		pfn_to_page(p->lru_next)->lru_prev = p->lru_prev;
	else
		l->tail = p->lru_prev;
	p->lru_next = p->lru_prev = 0;
	l->nr -= folio_nr_pages(folio);
}

/* Take a folio with PG_lru off its list. (lru_lock) */
static void del_locked(struct folio *folio)
{
	unlink_folio(&lists[list_of(folio)], folio);
	folio_clear_lru(folio);
}

void lru_del(struct folio *folio)
{
	unsigned long flags;

	spin_lock_irqsave(&lru_lock, flags);
	if (folio_test_lru(folio))
		del_locked(folio);
	spin_unlock_irqrestore(&lru_lock, flags);
}

static void batch_flush(struct folio **f, unsigned int nr)
{
	unsigned long flags;

	spin_lock_irqsave(&lru_lock, flags);
	for (unsigned int i = 0; i < nr; i++) {
		/* Dropped from the cache meanwhile, with only our reference left: do not list it. */
		if (folio_ref_count(f[i]) > 1 && !folio_test_lru(f[i])) {
			folio_set_lru(f[i]);
			link_head(&lists[list_of(f[i])], f[i]);
		}
	}
	spin_unlock_irqrestore(&lru_lock, flags);
	for (unsigned int i = 0; i < nr; i++)
		folio_put(f[i]);
}

static void add_large(struct folio *folio)
{
	unsigned long flags;

	spin_lock_irqsave(&lru_lock, flags);
	folio_set_lru(folio);
	link_head(&lists[list_of(folio)], folio);
	spin_unlock_irqrestore(&lru_lock, flags);
}

void folio_add_lru(struct folio *folio)
{
	struct folio *full[BATCH];
	unsigned int nr = 0;
	struct batch *b;

	/* Worth a lock of its own, and without a batch's reference it can be taken apart. */
	if (unlikely(folio_order(folio))) {
		add_large(folio);
		return;
	}
	folio_get(folio);
	preempt_disable();
	b = this_cpu_ptr(&lru_batch);
	b->folio[b->nr++] = folio;
	if (b->nr == BATCH) {
		memcpy(full, b->folio, sizeof(full));
		nr = BATCH;
		b->nr = 0;
	}
	preempt_enable();
	if (nr)
		batch_flush(full, nr);
}

void lru_add_drain(void)
{
	struct folio *full[BATCH];
	unsigned int nr;
	struct batch *b;

	preempt_disable();
	b = this_cpu_ptr(&lru_batch);
	nr = b->nr;
	memcpy(full, b->folio, nr * sizeof(full[0]));
	b->nr = 0;
	preempt_enable();
	if (nr)
		batch_flush(full, nr);
}

static void drain_here(struct work_struct *w)
{
	lru_add_drain();
}

static DEFINE_MUTEX(drain_lock);
static DEFINE_PER_CPU(struct work_struct, drain_work);		/* drain_lock */

/* Each CPU's own worker does it: whoever fills a batch has preemption off, so that none is found half filled or passed over. */
void lru_add_drain_all(void)
{
	int cpu;

	mutex_lock(&drain_lock);
	for_each_online_cpu(cpu) {
		INIT_WORK(per_cpu_ptr(&drain_work, cpu), drain_here);
		queue_work_on(cpu, system_wq, per_cpu_ptr(&drain_work, cpu));
	}
	for_each_online_cpu(cpu)
		flush_work(per_cpu_ptr(&drain_work, cpu));
	mutex_unlock(&drain_lock);
}

/* First touch: referenced. Second: active. */
void folio_mark_accessed(struct folio *folio)
{
	unsigned long flags;

	if (!folio_test_referenced(folio)) {
		folio_set_referenced(folio);
		return;
	}
	if (folio_test_active(folio) || !folio_test_lru(folio))
		return;
	spin_lock_irqsave(&lru_lock, flags);
	if (folio_test_lru(folio) && !folio_test_active(folio) && !folio_test_anon(folio)) {
		unlink_folio(&lists[LRU_INACTIVE_FILE], folio);
		folio_set_active(folio);
		folio_clear_referenced(folio);
		link_head(&lists[LRU_ACTIVE_FILE], folio);
		count_vm_event(PGACTIVATE);
	}
	spin_unlock_irqrestore(&lru_lock, flags);
}

void folio_deactivate(struct folio *folio)
{
	unsigned long flags;

	folio_clear_referenced(folio);
	spin_lock_irqsave(&lru_lock, flags);
	if (folio_test_lru(folio) && folio_test_active(folio) && !folio_test_anon(folio)) {
		unlink_folio(&lists[LRU_ACTIVE_FILE], folio);
		folio_clear_active(folio);
		link_head(&lists[LRU_INACTIVE_FILE], folio);
		count_vm_event(PGDEACTIVATE);
	}
	spin_unlock_irqrestore(&lru_lock, flags);
}

/* MADV_FREE: a mapped clean anonymous folio may be dropped instead of swapped. */
void folio_add_lazyfree(struct folio *folio)
{
	unsigned long flags;

	spin_lock_irqsave(&lru_lock, flags);
	folio_clear_swapbacked(folio);
	if (!folio_test_lru(folio)) {
		folio_set_lru(folio);
		link_head(&lists[LRU_LAZYFREE], folio);
	}
	spin_unlock_irqrestore(&lru_lock, flags);
}

/*
 * Take folios from the old end of a list, as many as have nr pages together, each with a reference; they are off the list.
 * Folios about to be freed are left to whoever frees them.
 */
unsigned int lru_isolate(enum lru_list which, unsigned int nr, struct folio **out)
{
	struct lru *l = &lists[which];
	unsigned int got = 0, seen = 0;
	unsigned long flags, pages = 0;

	spin_lock_irqsave(&lru_lock, flags);
	for (u32 pfn = l->tail; pfn && pages < nr && seen < 2 * nr; seen++) {
		struct folio *folio = (struct folio *)pfn_to_page(pfn);

		pfn = folio->page.lru_prev;
		if (!folio_try_get(folio))
			continue;
		pages += folio_nr_pages(folio);
		del_locked(folio);
		out[got++] = folio;
	}
	spin_unlock_irqrestore(&lru_lock, flags);
	return got;
}

/* Back to a list (by PG_active), dropping lru_isolate's reference. */
void lru_putback(struct folio **f, unsigned int nr)
{
	batch_flush(f, nr);
}
