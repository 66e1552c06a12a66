// SPDX-License-Identifier: MIT
/*
 * Items of the log by LSN, and the thread that brings them to their places (journal.h).
 * Checkpoints come in with rising LSNs, so that an item goes to the end of the list in one step.
 */
#include "fs/xfs/journal/priv.h"
#include <kernel/bug.h>
#include <lib/minmax.h>
#include <sched/kthread.h>
#include <sched/plug.h>
#include <sched/task.h>

#define PAUSE (HZ / 50 ?: 1)

u64 xfs_lsn_bytes(const struct xfs_journal *j, u64 a, u64 b)
{
	s64 n = ((s64)(b >> 32) - (s64)(a >> 32)) * (s64)j->blocks + (s64)(u32)b - (s64)(u32)a;

	return n > 0 ? (u64)n * XFS_SECTOR : 0;
}

/* The lowest LSN; the thread's place in the list is no item. ail_lock is held. */
static u64 lowest_locked(struct xfs_journal *j)
{
	struct xfs_item *it;

	list_for_each_entry(it, &j->ail, ail)
		if (it->ops)
			return it->lsn;
	return j->done_lsn;
}

/* The tail may have moved: what it leaves behind is free. ail_lock is held, and let go. */
static void move_tail(struct xfs_journal *j) __releases(j -> ail_lock)
{
	u64 lsn = lowest_locked(j), freed = 0;
	bool empty = list_empty(&j->ail);

	spin_lock(&j->lock);
	if (lsn > j->tail_lsn) {
		freed = xfs_lsn_bytes(j, j->tail_lsn, lsn);
		j->tail_lsn = lsn;
	}
	spin_unlock(&j->lock);
	spin_unlock(&j->ail_lock);
	if (freed)
		xfs_grant_give(j, (s64)freed);
	if (empty)
		wake_up_all(&j->empty);
	xfs_ail_wake(j);
}

void xfs_ail_wake(struct xfs_journal *j)
{
	__atomic_fetch_add(&j->events, 1, __ATOMIC_RELAXED);
	if (wq_has_sleeper(&j->push_wait))
		wake_up_all(&j->push_wait);
}

void xfs_ail_insert(struct xfs_item *it, u64 lsn)
{
	struct xfs_journal *j = it->j;

	spin_lock(&j->ail_lock);
	if (!it->lsn) {
		it->ops->get(it);
		j->nr_ail++;
	}
	list_move_tail(&it->ail, &j->ail);
	WRITE_ONCE(it->lsn, lsn);
	move_tail(j);
}

void xfs_ail_remove(struct xfs_item *it, u64 lsn)
{
	struct xfs_journal *j = it->j;

	spin_lock(&j->ail_lock);
	if (!it->lsn || (lsn && it->lsn != lsn)) {
		spin_unlock(&j->ail_lock);
		xfs_ail_wake(j);
		return;
	}
	list_del_init(&it->ail);
	WRITE_ONCE(it->lsn, 0);
	j->nr_ail--;
	move_tail(j);
	it->ops->put(it);
}

void xfs_ail_done(struct xfs_journal *j, u64 commit_lsn)
{
	spin_lock(&j->ail_lock);
	if (commit_lsn > j->done_lsn)
		j->done_lsn = commit_lsn;
	move_tail(j);
}

/* ---- pushing ---- */

static void set_target_locked(struct xfs_journal *j, u64 lsn)
{
	lockdep_assert_held(&j->ail_lock);
	if (lsn > j->target)
		j->target = lsn;
}

static void set_target(struct xfs_journal *j, u64 lsn)
{
	spin_lock(&j->ail_lock);
	set_target_locked(j, lsn);
	spin_unlock(&j->ail_lock);
}

static void set_target_for(struct xfs_journal *j, u64 need)
{
	u64 n = max(need, j->bytes / 4) / XFS_SECTOR, lsn, at;

	spin_lock(&j->lock);
	lsn = j->tail_lsn;
	spin_unlock(&j->lock);
	at = (u32)lsn + n;
	set_target(j, ((lsn >> 32) + at / j->blocks) << 32 | at % j->blocks);
}

void xfs_ail_want(struct xfs_journal *j, u64 need)
{
	set_target_for(j, need);
	xfs_ail_wake(j);
}

u32 xfs_ail_press(struct xfs_journal *j, u32 n, bool wait)
{
	u32 had, has;

	spin_lock(&j->ail_lock);
	had = j->nr_ail;
	/*
	 * The last may be the place of a round, whose LSN is 0, and which has passed all of them.
	 */
	if (!list_empty(&j->ail))
		set_target_locked(j, list_last_entry(&j->ail, struct xfs_item, ail)->lsn);
	spin_unlock(&j->ail_lock);
	xfs_ail_wake(j);
	if (wait)
		wait_event_timeout(j->push_wait,
				   READ_ONCE(j->nr_ail) + n <= had || xfs_journal_dead(j), PAUSE);
	has = READ_ONCE(j->nr_ail);
	return has < had ? had - has : 0;
}

struct round {
	u32 begun, pinned, busy;
};

/* One item: pushed, outside the lock. ail_lock is held, let go, and taken again. */
static void push_one(struct xfs_journal *j, struct xfs_item *it, struct round *r)
	__must_hold(j -> ail_lock)
{
	enum xfs_pushed what;

	it->ops->get(it);
	spin_unlock(&j->ail_lock);
	what = it->ops->push(it);
	it->ops->put(it);
	cond_resched();
	r->begun += what == XFS_PUSH_BEGUN;
	r->pinned += what == XFS_PUSH_PINNED;
	r->busy += what == XFS_PUSH_BUSY;
	spin_lock(&j->ail_lock);
}

/* Goes over all items up to the target; PLACE keeps its place in the list. */
static void push_round(struct xfs_journal *j, struct xfs_item *place, struct round *r)
{
	bool empty;

	*r = (struct round){ 0 };
	if (xfs_grant_wanted(j))
		set_target_for(j, j->bytes / 4);
	spin_lock(&j->ail_lock);
	list_add(&place->ail, &j->ail);
	while (!list_is_last(&place->ail, &j->ail) && !xfs_journal_dead(j)) {
		struct xfs_item *it = list_next_entry(place, ail);

		if (it->lsn > j->target)
			break;
		list_move(&place->ail, &it->ail);
		push_one(j, it, r);
	}
	list_del_init(&place->ail);
	empty = list_empty(&j->ail);
	spin_unlock(&j->ail_lock);
	if (empty)
		wake_up_all(&j->empty);
}

static bool has_work(struct xfs_journal *j)
{
	bool some;

	spin_lock(&j->ail_lock);
	some = !list_empty(&j->ail) &&
	       list_first_entry(&j->ail, struct xfs_item, ail)->lsn <= j->target;
	spin_unlock(&j->ail_lock);
	return some || xfs_grant_wanted(j);
}

int xfs_ail_thread(void *arg)
{
	struct xfs_journal *j = arg;
	struct xfs_item place = { 0 };
	struct round r;
	struct plug plug;

	INIT_LIST_HEAD(&place.ail);
	memalloc_nofs_save();
	while (!kthread_should_stop()) {
		u32 events = READ_ONCE(j->events);

		if (xfs_journal_dead(j) || !has_work(j)) {
			wait_event_idle(j->push_wait,
					kthread_should_stop() || READ_ONCE(j->events) != events);
			continue;
		}
		plug_start(&plug);	/* neighbours among the buffers are one request */
		push_round(j, &place, &r);
		if (j->pushed)
			j->pushed(j->ctx);
		plug_finish(&plug);
		/*
		 * What is pinned, and what waiters wait for and the AIL has not, is in checkpoints
		 * that are not written.
		 */
		if (r.pinned || (!r.begun && !r.busy && xfs_grant_wanted(j)))
			xfs_journal_force_async(j);
		wait_event_timeout(j->push_wait,
				   kthread_should_stop() ||
					   (r.begun && READ_ONCE(j->events) - events >= r.begun),
				   PAUSE);
	}
	return 0;
}

bool xfs_ail_has(struct xfs_item *it)
{
	bool has;

	spin_lock(&it->j->ail_lock);
	has = !list_empty(&it->ail);
	spin_unlock(&it->j->ail_lock);
	return has;
}

void xfs_ail_drain(struct xfs_journal *j)
{
	set_target(j, XFS_NULL64);
	xfs_ail_wake(j);
	wait_event(j->empty, list_empty(&j->ail) || xfs_journal_dead(j));
	spin_lock(&j->ail_lock);
	j->target = 0;
	spin_unlock(&j->ail_lock);
}
