// SPDX-License-Identifier: MIT
/*
 * Folios: allocation, the lock, waiting, the last reference.
 *
 * Waiters for a folio's lock or its writeback sleep on one of a few hashed queues; PG_waiters says
 * that somebody may, so that unlocking a folio nobody waits for is one atomic. A waiter queues, then sets the
 * flag, then looks at the bit. The waker clears both in one step and wakes the queue, whose waiters look again
 * and set the flag anew. It does not touch the folio after that step: the folio may be gone then.
 */
#include "mm_priv.h"
#include <sched/wait.h>

#define FOLIO_WAITQS	64
static wait_queue_head_t folio_waitq[FOLIO_WAITQS];

static wait_queue_head_t *folio_wq(const struct folio *folio)
{
	return &folio_waitq[(folio_pfn(folio) * 0x9e3779b97f4a7c15ull) >> 58];
}

void folio_wait_init(void)
{
	for (int i = 0; i < FOLIO_WAITQS; i++)
		init_waitqueue_head(&folio_waitq[i]);
}

/* One sleep until the bit may be clear. 0 or -EINTR. */
static int wait_bit(struct folio *folio, unsigned int bit, int state, bool take)
{
	wait_queue_head_t *q = folio_wq(folio);
	DEFINE_WAIT(w);
	int err = 0;

	for (;;) {
		long sig = prepare_to_wait_event(q, &w, state);

		folio_set_waiters(folio);
		smp_mb();	/* pairs with the atomic in folio_unlock: flag before look */
		if (take ? folio_trylock(folio) : !page_flag(&folio->page, bit))
			break;
		if (sig) {
			err = -EINTR;
			break;
		}
		io_schedule();
	}
	finish_wait(q, &w);
	return err;
}

void __folio_lock(struct folio *folio)
{
	might_sleep();
	wait_bit(folio, PG_locked, TASK_UNINTERRUPTIBLE, true);
}

int __folio_lock_killable(struct folio *folio)
{
	might_sleep();
	return wait_bit(folio, PG_locked, TASK_KILLABLE, true);
}

/* True if somebody may wait: the caller wakes. */
static inline bool clear_bit_and_waiters(struct folio *folio, unsigned int bit)
{
	s64 old = __atomic_fetch_and(&folio->page.flags.counter, ~(1ll << bit | 1ll << PG_waiters), __ATOMIC_SEQ_CST);

	return old & (1ll << PG_waiters);
}

void folio_wake_waiters(const struct folio *folio)
{
	wake_up_all(folio_wq(folio));
}

void folio_unlock(struct folio *folio)
{
	if (unlikely(clear_bit_and_waiters(folio, PG_locked)))
		folio_wake_waiters(folio);
}

void folio_wait_locked(struct folio *folio)
{
	if (folio_test_locked(folio))
		wait_bit(folio, PG_locked, TASK_UNINTERRUPTIBLE, false);
}

int folio_wait_locked_killable(struct folio *folio)
{
	return folio_test_locked(folio) ? wait_bit(folio, PG_locked, TASK_KILLABLE, false) : 0;
}

void folio_wait_writeback(struct folio *folio)
{
	while (folio_test_writeback(folio))
		wait_bit(folio, PG_writeback, TASK_UNINTERRUPTIBLE, false);
}

void folio_end_read(struct folio *folio, bool ok)
{
	if (ok)
		folio_mark_uptodate(folio);
	folio_unlock(folio);
}

bool folio_clear_writeback(struct folio *folio)
{
	return clear_bit_and_waiters(folio, PG_writeback);
}

struct folio *folio_alloc(gfp_t gfp, unsigned int order)
{
	return (struct folio *)alloc_pages(order ? gfp | __GFP_COMP : gfp, order);
}

/* The reference count is 0: off the lists and back to the allocator. */
static inline void folio_release(struct folio *folio)
{
	u64 flags = (u64)atomic64_read(&folio->page.flags);

	if (flags & (1ul << PG_lru))
		lru_del(folio);
	if (unlikely(flags & (1ul << PG_mlocked)))
		mod_stat(NR_MLOCK, -(long)folio_nr_pages(folio));
	if (likely(!(flags & (1ul << PG_head))))
		free_unref_page(&folio->page);
	else
		free_unref_compound(&folio->page);
}

void __folio_put(struct folio *folio)
{
#ifdef CONFIG_DEBUG
	if (WARN_ON(page_type(&folio->page) == PAGE_TYPE_KMALLOC || PageSlab(&folio->page)))
		return;
#endif
	folio_release(folio);
}

void free_folios(struct page **pages, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		folio_release((struct folio *)pages[i]);
}

void folio_zero_range(struct folio *folio, size_t start, size_t len)
{
	memset((char *)folio_address(folio) + start, 0, len);
}
