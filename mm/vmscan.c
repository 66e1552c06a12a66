// SPDX-License-Identifier: MIT
/*
 * Reclaim: kswapd and direct.
 *
 * File folios enter the inactive list; a second use moves them to the active one. Reclaim takes folios
 * from the old end of the inactive list: used ones go up or round again, mapped ones are unmapped, clean
 * ones dropped, dirty ones left to writeback. While the active list is the longer one, its old end is moved
 * down. Lazily freed anonymous folios go first. Shrinkers are asked in proportion to the effort.
 *
 * Nothing here allocates memory that it could wait for (PF_MEMALLOC).
 */
#include "mm_priv.h"
#include "filemap_priv.h"
#include <alloc/upcalls.h>
#include <mm/backing.h>
#include <kernel/init.h>
#include <kernel/time.h>
#include <sched/kthread.h>
#include <sched/wait.h>

#define CLUSTER		32u
#define MAX_PRIORITY	12

static DECLARE_WAIT_QUEUE_HEAD(kswapd_wq);
static bool kswapd_wanted;
static LIST_HEAD(shrinkers);
static DECLARE_RWSEM(shrinker_rwsem);
int sysctl_drop_caches;

struct scan {
	gfp_t gfp;
	int priority;
	bool kswapd, force;	/* force: drop_caches, used or not, but nothing mapped */
	unsigned long scanned, freed, dirty;
};

enum verdict { KEEP, ACTIVATE, FREED, OFF_LIST };

static enum verdict check_references(struct folio *folio)
{
	unsigned long vm_flags;
	int mapped_refs = folio_referenced(folio, &vm_flags);
	bool used = folio_test_referenced(folio);

	if (vm_flags & VM_LOCKED)
		return ACTIVATE;
	/* Somebody holds its mappings' lock, perhaps a task that waits for this CPU: that says nothing about its use. */
	if (mapped_refs < 0)
		return KEEP;
	if (mapped_refs) {
		/* Programs' text stays; data stays if it was used twice. */
		if (used || mapped_refs > 1 || vm_flags & VM_EXEC)
			return ACTIVATE;
		folio_set_referenced(folio);
		return KEEP;
	}
	if (used && folio_mapped(folio)) {
		folio_clear_referenced(folio);
		return KEEP;
	}
	folio_clear_referenced(folio);
	return FREED;
}

/* A locked, isolated file folio (we hold one reference). */
static enum verdict reclaim_file(struct folio *folio, struct scan *sc)
{
	struct address_space *mapping = folio_mapping(folio);
	enum verdict v;

	if (!mapping)
		return OFF_LIST;	/* truncated: freed with our reference */
	if (folio_test_writeback(folio))
		return KEEP;
	if (sc->force)
		v = folio_mapped(folio) ? KEEP : FREED;
	else
		v = check_references(folio);
	if (v != FREED)
		return v;
	if (folio_mapped(folio) && !try_to_unmap(folio, 0))
		return ACTIVATE;
	if (folio_test_dirty(folio)) {
		sc->dirty += folio_nr_pages(folio);
		return KEEP;
	}
	return folio_drop_clean(mapping, folio) ? FREED : KEEP;
}

/* How many pages it looked at. */
static unsigned long shrink_inactive(struct scan *sc, unsigned int nr)
{
	struct folio *f[CLUSTER], *back[CLUSTER];
	unsigned int n = lru_isolate(LRU_INACTIVE_FILE, min(nr, CLUSTER), f), nback = 0;
	unsigned long before = sc->scanned;

	for (unsigned int i = 0; i < n; i++) {
		struct folio *folio = f[i];
		enum verdict v = KEEP;
		unsigned long pages = folio_nr_pages(folio);

		if (folio_trylock(folio)) {
			v = reclaim_file(folio, sc);
			folio_unlock(folio);
		}
		sc->scanned += pages;
		if (v == FREED || v == OFF_LIST) {
			if (v == FREED)
				sc->freed += pages;
			folio_put(folio);
			continue;
		}
		if (v == ACTIVATE) {
			folio_set_active(folio);
			count_vm_event(PGACTIVATE);
		}
		back[nback++] = folio;
	}
	lru_putback(back, nback);
	return sc->scanned - before;
}

static void shrink_active(unsigned int nr)
{
	struct folio *f[CLUSTER];
	unsigned int n = lru_isolate(LRU_ACTIVE_FILE, min(nr, CLUSTER), f);

	for (unsigned int i = 0; i < n; i++) {
		unsigned long vm_flags;

		if (folio_referenced(f[i], &vm_flags) && vm_flags & VM_EXEC)
			continue;
		folio_clear_active(f[i]);
		count_vm_event(PGDEACTIVATE);
	}
	lru_putback(f, n);
}

static unsigned int shrink_lazyfree(struct scan *sc, unsigned int nr)
{
	struct folio *f[CLUSTER];
	unsigned int n = lru_isolate(LRU_LAZYFREE, min(nr, CLUSTER), f);

	for (unsigned int i = 0; i < n; i++) {
		struct folio *folio = f[i];

		/* Off the list for good: written to again (normal anonymous memory), or dropped now. */
		if (folio_trylock(folio)) {
			bool gone = !folio_test_swapbacked(folio) && try_to_unmap(folio, 0);

			folio_unlock(folio);
			if (gone) {
				sc->freed++;
				count_vm_event(PGLAZYFREED);
			} else if (!folio_test_swapbacked(folio) && folio_mapped(folio)) {
				folio_add_lazyfree(folio);
			}
		} else {
			folio_add_lazyfree(folio);
		}
		sc->scanned++;
		folio_put(folio);
	}
	return n;
}

static void shrink_lists(struct scan *sc)
{
	unsigned long want = max((lru_nr(LRU_INACTIVE_FILE) + lru_nr(LRU_ACTIVE_FILE)) >> sc->priority,
				 (unsigned long)CLUSTER);
	unsigned long freed = sc->freed;

	while (lru_nr(LRU_LAZYFREE) && sc->freed - freed < want)
		if (!shrink_lazyfree(sc, CLUSTER))
			break;
	for (unsigned long done = 0, n; done < want; done += max(n, (unsigned long)CLUSTER)) {
		if (lru_nr(LRU_ACTIVE_FILE) > lru_nr(LRU_INACTIVE_FILE))
			shrink_active(CLUSTER);
		n = shrink_inactive(sc, CLUSTER);
		if (!n)
			break;
		cond_resched();
	}
}

/* How many objects went. */
static unsigned long shrink_caches(struct scan *sc)
{
	unsigned long freed = 0;
	struct shrinker *s;

	if (!down_read_trylock(&shrinker_rwsem))
		return 0;
	list_for_each_entry(s, &shrinkers, list) {
		struct shrink_control c = { .gfp_mask = sc->gfp };
		unsigned long have = s->count_objects(s, &c), todo;

		if (!have || have == SHRINK_EMPTY)
			continue;
		todo = have >> sc->priority;
		todo = todo * 4 / (unsigned long)(s->seeks ? s->seeks : DEFAULT_SEEKS) + s->deferred;
		s->deferred = 0;
		if (todo < 64 && sc->priority > 2) {
			s->deferred = todo;
			continue;
		}
		for (todo = min(todo, 2 * have); todo;) {
			unsigned long n = min(todo, 128ul), r;

			c.nr_to_scan = c.nr_scanned = n;
			r = s->scan_objects(s, &c);
			if (r == SHRINK_STOP)
				break;
			sc->freed += r / 16;	/* objects are smaller than pages */
			freed += r;
			todo -= n;
			cond_resched();
		}
	}
	up_read(&shrinker_rwsem);
	return freed;
}

static void shrink(struct scan *sc)
{
	unsigned long before = sc->dirty;

	lru_add_drain();
	shrink_lists(sc);
	shrink_caches(sc);
	if (sc->dirty - before > CLUSTER && sc->kswapd)
		backing_flush_all();
}

unsigned long reclaim_direct(gfp_t gfp, unsigned int order)
{
	struct scan sc = { .gfp = gfp };
	unsigned int old = current->flags & PF_MEMALLOC;

	if (old)
		return 0;
	count_vm_event(ALLOCSTALL);
	current->flags |= PF_MEMALLOC;
	for (sc.priority = MAX_PRIORITY; sc.priority >= 0 && sc.freed < CLUSTER; sc.priority -= 2) {
		shrink(&sc);
		if (fatal_signal_pending(current))
			break;
	}
	current->flags &= ~PF_MEMALLOC;
	count_vm_events(PGSCAN_DIRECT, sc.scanned);
	count_vm_events(PGSTEAL, sc.freed);
	return sc.freed;
}

unsigned long reclaim_candidates(void)
{
	return lru_nr(LRU_INACTIVE_FILE) + lru_nr(LRU_ACTIVE_FILE) + lru_nr(LRU_LAZYFREE);
}

void reclaim_wake_kswapd(void)
{
	if (READ_ONCE(kswapd_wanted))
		return;
	WRITE_ONCE(kswapd_wanted, true);
	/* With the barrier: a wake-up that is missed is never made up for, because it is wanted already. */
	if (wq_has_sleeper(&kswapd_wq))
		wake_up(&kswapd_wq);
}

static int kswapd(void *arg)
{
	current->flags |= PF_MEMALLOC | PF_KSWAPD;
	for (;;) {
		struct scan sc = { .gfp = GFP_KERNEL, .kswapd = true };

		wait_event_interruptible(kswapd_wq, READ_ONCE(kswapd_wanted));
		WRITE_ONCE(kswapd_wanted, false);
		count_vm_event(KSWAPD_RUN);
		for (sc.priority = MAX_PRIORITY; sc.priority > 0 && memory_is_low(); sc.priority--) {
			unsigned long freed = sc.freed;

			shrink(&sc);
			if (sc.freed - freed >= CLUSTER)
				sc.priority++;
			cond_resched();
		}
		count_vm_events(PGSCAN, sc.scanned);
		count_vm_events(PGSTEAL, sc.freed);
		/* Nothing to be had: do not spin on every allocation. */
		if (memory_is_low())
			schedule_timeout_interruptible(HZ / 10);
	}
	return 0;
}

static int kswapd_start(void)
{
	struct task *t = kthread_run(kswapd, NULL, "kswapd0");

	return IS_ERR(t) ? (int)PTR_ERR(t) : 0;
}
INITCALL(sched, kswapd_start);

void register_shrinker(struct shrinker *s, const char *name)
{
	s->name = name;
	s->deferred = 0;
	down_write(&shrinker_rwsem);
	list_add_tail(&s->list, &shrinkers);
	up_write(&shrinker_rwsem);
}

void unregister_shrinker(struct shrinker *s)
{
	down_write(&shrinker_rwsem);
	list_del(&s->list);
	up_write(&shrinker_rwsem);
}

void drop_caches(int what)
{
	struct scan sc = { .gfp = GFP_KERNEL, .force = true };

	lru_add_drain_all();
	if (what & 1) {
		/* Once around: what is kept goes to the other end of the list. */
		for (unsigned long n = lru_nr(LRU_ACTIVE_FILE); n; n -= min(n, (unsigned long)CLUSTER))
			shrink_active(CLUSTER);
		for (unsigned long n = lru_nr(LRU_INACTIVE_FILE); n; n -= min(n, (unsigned long)CLUSTER)) {
			if (!shrink_inactive(&sc, CLUSTER))
				break;
			cond_resched();
		}
		while (lru_nr(LRU_LAZYFREE) && shrink_lazyfree(&sc, CLUSTER) && sc.freed)
			sc.freed = 0;
	}
	/* What was used just now is passed over once, and what holds others goes after them: until nothing goes. */
	sc.priority = 0;
	for (int none = 0, round = 0; what & 2 && none < 2 && round < 64 && !fatal_signal_pending(current); round++)
		none = shrink_caches(&sc) ? 0 : none + 1;
	rcu_barrier();		/* what went is free when this returns */
}

/* What the page allocator asks about the running task (upcalls of alloc). */
bool alloc_task_is_oom_victim(void)
{
	struct mm *mm = current->mm;

	return test_tsk_flag(current, TIF_MEMDIE) || (mm && test_bit(MMF_OOM_VICTIM, &mm->flags));
}

bool alloc_task_is_memalloc(void)
{
	return current->flags & PF_MEMALLOC && !in_interrupt();
}

gfp_t alloc_task_gfp_mask(void)
{
	gfp_t mask = ~(gfp_t)0;

	if (unlikely(current->flags & PF_NOIO))
		mask &= ~(__GFP_IO | __GFP_FS);
	else if (unlikely(current->flags & PF_NOFS))
		mask &= ~__GFP_FS;
	/* Early boot and atomic context cannot wait, whatever was asked for. */
	if (unlikely(system_state == SYSTEM_BOOTING))
		mask &= ~__GFP_RECLAIM;
	return mask;
}

void alloc_backoff(void)
{
	schedule_timeout_uninterruptible(1);
}
