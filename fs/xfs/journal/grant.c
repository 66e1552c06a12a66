// SPDX-License-Identifier: MIT
/*
 * Reserving space (journal.h). The fast path adds to two counts; it is taken only while nobody
 * waits. Whoever gives space back serves the waiters in their order, and adds for them.
 */
#include "fs/xfs/journal/priv.h"
#include <kernel/bug.h>
#include <kernel/random.h>
#include <lib/minmax.h>
#include <sched/task.h>
#include <abi/errno.h>

/* A record may begin behind one that ends early: what is never given out. */
#define SLACK(j) ((u64)2 * (j)->unit)

u64 xfs_ckpt_bytes(const struct xfs_journal *j, u64 space)
{
	u64 each = j->rec_bytes - (u64)j->headers * XFS_SECTOR - 2 * sizeof(struct xfs_dlog_op);
	u64 n = (space + each - 1) / each + 1;

	/* Each record's headers, the header of what goes on in it, and a rest that is left free. */
	return space + n * ((u64)j->headers * XFS_SECTOR + 2 * sizeof(struct xfs_dlog_op)) +
	       2 * (u64)j->unit;
}

u32 xfs_journal_unit(const struct xfs_journal *j, u32 bytes)
{
	/* The beginning, the header and the commit of a checkpoint. */
	return (u32)xfs_ckpt_bytes(j, bytes + 4 * sizeof(struct xfs_dlog_op) + 16);
}

static bool try_take(struct xfs_journal *j, struct xfs_grant *g, u64 need)
{
	s64 most = (s64)(j->bytes - SLACK(j)), was = atomic64_read(&g->used);

	do {
		if (was + (s64)need > most)
			return false;
	} while (!atomic64_try_cmpxchg(&g->used, &was, was + (s64)need));
	return true;
}

/* Serves G's waiters while there is room, or tells all of them that the journal is dead. */
static void serve(struct xfs_journal *j, struct xfs_grant *g)
{
	spin_lock(&g->lock);
	while (!list_empty(&g->waiters)) {
		struct xfs_ticket *t = list_first_entry(&g->waiters, struct xfs_ticket, node);
		struct task *task = t->task;

		if (!xfs_journal_dead(j) && !try_take(j, g, t->need))
			break;
		list_del_init(&t->node);
		get_task_struct(task);
		smp_store_release(&t->granted, true);	/* pairs with wait_for() */
		wake_up_process(task);
		put_task_struct(task);
	}
	spin_unlock(&g->lock);
}

void xfs_grant_give(struct xfs_journal *j, s64 bytes)
{
	atomic64_sub(bytes, &j->reserve.used);
	atomic64_sub(bytes, &j->write.used);
	smp_mb();	/* pairs with take(): either sees what the other did */
	if (!list_empty(&j->reserve.waiters))
		serve(j, &j->reserve);
	if (!list_empty(&j->write.waiters))
		serve(j, &j->write);
}

void xfs_grant_wake_all(struct xfs_journal *j)
{
	serve(j, &j->reserve);
	serve(j, &j->write);
}

bool xfs_grant_wanted(struct xfs_journal *j)
{
	return !list_empty(&j->reserve.waiters) || !list_empty(&j->write.waiters);
}

static void wait_for(struct xfs_ticket *t)
{
	for (;;) {
		set_current_state(TASK_UNINTERRUPTIBLE);
		if (smp_load_acquire(&t->granted))
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
}

/* NEED bytes of G for T. */
static int take(struct xfs_journal *j, struct xfs_grant *g, struct xfs_ticket *t, u64 need)
{
	if (xfs_journal_dead(j))
		return -EIO;
	if (list_empty(&g->waiters) && try_take(j, g, need))
		return 0;
	t->need = need;
	t->granted = false;
	t->task = current;
	spin_lock(&g->lock);
	list_add_tail(&t->node, &g->waiters);
	spin_unlock(&g->lock);
	smp_mb();	/* pairs with xfs_grant_give() and xfs_journal_kill() */
	serve(j, g);
	xfs_ail_want(j, need);
	wait_for(t);
	return xfs_journal_dead(j) ? -EIO : 0;
}

int xfs_ticket_get(struct xfs_journal *j, struct xfs_ticket *t, u32 bytes, u32 count)
{
	u64 need;
	int e;

	*t = (struct xfs_ticket){ .unit = xfs_journal_unit(j, bytes), .count = count };
	INIT_LIST_HEAD(&t->node);
	while (t->count > 1 && (u64)t->unit * t->count > j->bytes / 4)
		t->count--;
	need = (u64)t->unit * t->count;
	if (need > j->bytes / 2)
		return -EINVAL;
	e = take(j, &j->reserve, t, need);
	if (e)
		return e;
	atomic64_add((s64)need, &j->write.used);
	t->left = t->unit;
	/* Early, so that few ever wait. */
	if ((u64)atomic64_read(&j->reserve.used) > j->bytes / 4 * 3)
		xfs_ail_want(j, j->bytes / 4);
	return 0;
}

int xfs_ticket_more(struct xfs_journal *j, struct xfs_ticket *t)
{
	int e;

	xfs_grant_give(j, t->left);
	t->left = 0;
	if (t->count > 1) {
		t->count--;
		t->left = t->unit;
		return xfs_journal_dead(j) ? -EIO : 0;
	}
	t->count = 0;
	/* Others that begin wait for this one; it waits for the tail alone. */
	e = take(j, &j->write, t, t->unit);
	if (e)
		return e;
	atomic64_add(t->unit, &j->reserve.used);
	t->count = 1;
	t->left = t->unit;
	return 0;
}

void xfs_ticket_put(struct xfs_journal *j, struct xfs_ticket *t)
{
	u64 more = t->count > 1 ? (u64)(t->count - 1) * t->unit : 0;

	xfs_grant_give(j, t->left + (s64)more);
	t->left = t->count = 0;
}

void xfs_grant_init(struct xfs_journal *j)
{
	atomic64_set(&j->reserve.used, 0);
	atomic64_set(&j->write.used, 0);
	spin_lock_init(&j->reserve.lock);
	spin_lock_init(&j->write.lock);
	INIT_LIST_HEAD(&j->reserve.waiters);
	INIT_LIST_HEAD(&j->write.waiters);
}
