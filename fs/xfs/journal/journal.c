// SPDX-License-Identifier: MIT
/* The life of a journal (journal.h): opening, death, the work of an idle one, closing. */
#include "fs/xfs/journal/priv.h"
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/printk.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <sched/kthread.h>
#include <sched/task.h>
#include <abi/errno.h>

#define RECORD_BYTES (32u << 10)
#define MOST_IN_CHECKPOINT (32u << 20)
#define IDLE (30 * HZ)

void xfs_journal_kill(struct xfs_journal *j, u32 reasons, const char *why)
{
	if (xchg(&j->dead, true))
		return;
	pr_err("xfs: %s: shut down: %s\n", j->id, why);
	xfs_grant_wake_all(j);
	wake_up_all(&j->rec_wait);
	wake_up_all(&j->room);
	wake_up_all(&j->done);
	wake_up_all(&j->empty);
	xfs_ail_wake(j);
	if (j->died)
		j->died(j->ctx, reasons);
}

/*
 * Nothing happens: what was committed goes to the disk; then two small records say so, the first
 * with the last changes' tail, the second with its own, so that a power cut finds nothing to do.
 */
static void idle_work(struct work_struct *w)
{
	struct xfs_journal *j = container_of(to_delayed_work(w), struct xfs_journal, idle);
	u32 left = READ_ONCE(j->uncovered);

	if (xfs_journal_dead(j))
		return;
	if (left && !xfs_journal_force(j, 0)) {
		spin_lock(&j->ail_lock);
		j->target = max(j->target, j->done_lsn);
		spin_unlock(&j->ail_lock);
		xfs_ail_wake(j);
		if (list_empty(&j->ail) && READ_ONCE(j->uncovered) == left && j->cover) {
			WRITE_ONCE(j->coverer, current);
			j->cover(j->ctx);
			WRITE_ONCE(j->coverer, NULL);
			(void)cmpxchg(&j->uncovered, left, left - 1);
		}
	}
	queue_delayed_work(system_unbound_wq, &j->idle, IDLE);
}

/* ---- a clean log ---- */

/* In the worker that writes checkpoints: nothing else is written to the log meanwhile. */
static void clean_work(struct work_struct *w)
{
	struct xfs_journal *j = container_of(w, struct xfs_journal, clean_work);
	u32 n = xfs_log_unmount_size(j->sb);
	u64 from, to;
	bool idle;

	spin_lock(&j->ail_lock);
	idle = list_empty(&j->ail);
	spin_unlock(&j->ail_lock);
	spin_lock(&j->lock);
	idle = idle && list_empty(&j->committing);
	spin_unlock(&j->lock);
	j->clean_error = xfs_journal_dead(j) ? -EIO : idle ? xfs_unmount_write(j) : -EAGAIN;
	if (j->clean_error)
		return;
	spin_lock(&j->lock);
	from = xfs_lsn_make(j->cycle, j->head);
	j->prev_block = (u32)j->head;
	j->head += n;
	if (j->head >= j->blocks) {
		j->head -= j->blocks;
		j->cycle += j->cycle + 1 == XFS_LOG_MAGIC ? 2 : 1;
	}
	to = xfs_lsn_make(j->cycle, j->head);
	spin_unlock(&j->lock);
	/* What the record takes is free again, as all before it. */
	atomic64_add((s64)xfs_lsn_bytes(j, from, to), &j->reserve.used);
	atomic64_add((s64)xfs_lsn_bytes(j, from, to), &j->write.used);
	xfs_ail_done(j, to);
	j->flushed_tail = to;
	WRITE_ONCE(j->uncovered, 0);
}

int xfs_journal_clean(struct xfs_journal *j)
{
	int e;

	do {
		e = xfs_journal_force(j, 0);
		if (e)
			return e;
		xfs_ail_drain(j);
		queue_work(j->push_wq, &j->clean_work);
		flush_work(&j->clean_work);
		e = j->clean_error;
	} while (e == -EAGAIN);
	return e;
}

static void init_fields(struct xfs_journal *j, const struct xfs_log_state *s)
{
	spin_lock_init(&j->lock);
	spin_lock_init(&j->cil_lock);
	spin_lock_init(&j->ail_lock);
	init_rwsem(&j->open);
	INIT_LIST_HEAD(&j->free_recs);
	INIT_LIST_HEAD(&j->committing);
	INIT_LIST_HEAD(&j->ail);
	init_waitqueue_head(&j->rec_wait);
	init_waitqueue_head(&j->room);
	init_waitqueue_head(&j->done);
	init_waitqueue_head(&j->push_wait);
	init_waitqueue_head(&j->empty);
	INIT_WORK(&j->push_work, xfs_cil_push);
	INIT_DELAYED_WORK(&j->idle, idle_work);
	xfs_grant_init(j);
	INIT_WORK(&j->clean_work, clean_work);
	j->head = s->head;
	j->cycle = s->cycle;
	j->done_lsn = xfs_lsn_make(s->cycle, s->head);
	j->tail_lsn = j->flushed_tail = xfs_lsn_make(s->cycle - (s->tail > s->head), s->tail);
	j->prev_block = XFS_NULL32;
}

static int set_geometry(struct xfs_journal *j)
{
	const struct xfs_sb *sb = j->sb;

	j->place = xfs_fsb_daddr(sb, sb->logstart);
	j->blocks = (u64)sb->logblocks << (sb->blocklog - 9);
	j->bytes = j->blocks * XFS_SECTOR;
	j->unit = max(XFS_SECTOR, sb->logsectsize);
	if (sb->logsunit > j->unit && sb->logsunit <= XFS_LOG_MAX_RECORD)
		j->unit = sb->logsunit;
	j->rec_bytes = max(RECORD_BYTES, j->unit);
	j->headers = (j->rec_bytes + XFS_LOG_HEADER_DATA - 1) / XFS_LOG_HEADER_DATA;
	j->limit = min(j->bytes / 8, (u64)MOST_IN_CHECKPOINT);
	/* What was begun before the journal, and is not finished, is in use. */
	atomic64_set(&j->reserve.used, (s64)xfs_lsn_bytes(j, j->tail_lsn, j->done_lsn));
	atomic64_set(&j->write.used, atomic64_read(&j->reserve.used));
	if (j->rec_bytes % j->unit || j->head % (j->unit / XFS_SECTOR) ||
	    j->bytes < 16 * (u64)j->rec_bytes)
		return -EINVAL;
	return 0;
}

static void free_journal(struct xfs_journal *j)
{
	if (j->push_wq)
		destroy_workqueue(j->push_wq);
	if (j->io_wq)
		destroy_workqueue(j->io_wq);
	if (j->cur)
		xfs_ckpt_free(j->cur);
	xfs_records_destroy(j);
	kfree(j);
}

struct xfs_journal *xfs_journal_open(const struct xfs_sb *sb, struct bdev *bdev, const char *id,
				     const struct xfs_log_state *s)
{
	struct xfs_journal *j = kzalloc(sizeof(*j), GFP_KERNEL);
	int e;

	if (!j)
		return ERR_PTR(-ENOMEM);
	j->sb = sb;
	j->bdev = bdev;
	strscpy(j->id, id, sizeof(j->id));
	init_fields(j, s);
	e = set_geometry(j);
	e = e ?: xfs_records_init(j);
	if (e)
		goto bad;
	e = -ENOMEM;
	j->cur = xfs_ckpt_new(1);
	j->open_seq = j->cur->seq;
	j->push_wq = alloc_workqueue("xfs-cil", WQ_UNBOUND | WQ_MEM_RECLAIM, 1);
	j->io_wq = alloc_workqueue("xfs-log", WQ_UNBOUND | WQ_MEM_RECLAIM | WQ_HIGHPRI, 1);
	if (!j->push_wq || !j->io_wq)
		goto bad;
	j->pusher = kthread_run(xfs_ail_thread, j, "xfs-ail:%s", j->id);
	if (IS_ERR(j->pusher)) {
		e = (int)PTR_ERR(j->pusher);
		goto bad;
	}
	queue_delayed_work(system_unbound_wq, &j->idle, IDLE);
	return j;
bad:
	free_journal(j);
	return ERR_PTR(e);
}

/* What a dead journal has not written is let go. */
static void drop_all(struct xfs_journal *j)
{
	spin_lock(&j->ail_lock);
	while (!list_empty(&j->ail)) {
		struct xfs_item *it = list_first_entry(&j->ail, struct xfs_item, ail);

		list_del_init(&it->ail);
		WRITE_ONCE(it->lsn, 0);
		j->nr_ail--;
		spin_unlock(&j->ail_lock);
		it->ops->drop(it);
		it->ops->put(it);
		cond_resched();
		spin_lock(&j->ail_lock);
	}
	spin_unlock(&j->ail_lock);
}

/* No checkpoint is being written: of a dead journal, records may still be in flight. */
static bool all_ended(struct xfs_journal *j)
{
	bool none;

	spin_lock(&j->lock);
	none = list_empty(&j->committing);
	spin_unlock(&j->lock);
	return none;
}

int xfs_journal_close(struct xfs_journal *j)
{
	int e;

	WRITE_ONCE(j->closing, true);
	cancel_delayed_work_sync(&j->idle);
	e = xfs_journal_force(j, 0);
	if (!e)
		xfs_ail_drain(j);
	/* A dead one's open checkpoint ends as others do. */
	xfs_journal_force_async(j);
	flush_workqueue(j->push_wq);
	wait_event(j->done, all_ended(j));
	flush_workqueue(j->io_wq);
	kthread_stop(j->pusher);
	if (j->settle)
		j->settle(j->ctx);
	e = xfs_journal_dead(j) ? -EIO : xfs_unmount_write(j);
	drop_all(j);
	free_journal(j);
	return e;
}
