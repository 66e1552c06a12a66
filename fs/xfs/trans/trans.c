// SPDX-License-Identifier: MIT
/* Transactions: their beginning and their end (trans.h). */
#include "fs/xfs/trans/priv.h"
#include <kernel/random.h>
#include <lib/minmax.h>
#include <abi/errno.h>

static int take_blocks(struct xfs_live *live, u32 blocks, u32 flags)
{
	s64 low = flags & XFS_TX_RESERVE ? 0 : (s64)xfs_pool_blocks(live->mp);
	s64 was = atomic64_read(&live->fdblocks);

	if (!blocks)
		return 0;
	do {
		if (was - (s64)blocks < low)
			return -ENOSPC;
	} while (!atomic64_try_cmpxchg(&live->fdblocks, &was, was - (s64)blocks));
	return 0;
}

/* Not while the file system is frozen. */
static void enter(struct xfs_mount *mp, u32 flags)
{
	if (mp->sb && !(flags & XFS_TX_FROZEN))
		sb_start_intwrite(mp->sb);
}

static void leave(struct xfs_mount *mp, u32 flags)
{
	if (mp->sb && !(flags & XFS_TX_FROZEN))
		sb_end_intwrite(mp->sb);
}

static struct xfs_ktx *new_tx(struct xfs_mount *mp, u32 blocks, u32 flags)
{
	struct xfs_ktx *tx = kzalloc(sizeof(*tx), GFP_NOFS | __GFP_NOFAIL);

	tx->tx.fs = &mp->fs;
	tx->tx.blocks = tx->blocks = blocks;
	INIT_LIST_HEAD(&tx->tx.work);
	tx->mp = mp;
	tx->live = mp->live;
	tx->flags = flags;
	INIT_LIST_HEAD(&tx->items);
	INIT_LIST_HEAD(&tx->busy);
	for (u32 i = 0; i < XFS_TX_BUCKETS; i++)
		INIT_LIST_HEAD(&tx->buckets[i]);
	return tx;
}

int xfs_trans_begin(struct xfs_mount *mp, u32 bytes, u32 count, u32 blocks, u32 flags,
		    struct xfs_tx **out)
{
	struct xfs_live *live = mp->live;
	unsigned int nofs;
	struct xfs_ktx *tx;
	int e;

	enter(mp, flags);
	nofs = memalloc_nofs_save();
	e = take_blocks(live, blocks, flags);
	if (e)
		goto out;
	tx = new_tx(mp, blocks, flags);
	tx->nofs = nofs;
	e = xfs_ticket_get(live->j, &tx->ticket, bytes, count);
	if (e) {
		atomic64_add(blocks, &live->fdblocks);
		kfree(tx);
		goto out;
	}
	*out = &tx->tx;
	return 0;
out:
	memalloc_nofs_restore(nofs);
	leave(mp, flags);
	return e;
}

int xfs_trans_look(struct xfs_mount *mp, struct xfs_tx **out)
{
	unsigned int nofs = memalloc_nofs_save();
	struct xfs_ktx *tx = new_tx(mp, 0, XFS_TX_FROZEN);

	tx->live = NULL;
	tx->nofs = nofs;
	*out = &tx->tx;
	return 0;
}

void xfs_trans_add_blocks(struct xfs_tx *tx, u32 n)
{
	tx->blocks += n;
	xfs_ktx(tx)->blocks += n;
}

void xfs_trans_take_blocks(struct xfs_tx *tx, u32 n)
{
	tx->blocks -= n;
	xfs_ktx(tx)->blocks -= n;
}

/* The counters as TX leaves them; its blocks that were not used are given back. */
static void settle(struct xfs_ktx *tx)
{
	struct xfs_live *live = tx->live;

	atomic64_add(tx->tx.fdblocks + tx->tx.kept + tx->blocks, &live->fdblocks);
	if (tx->tx.icount)
		atomic64_add(tx->tx.icount, &live->icount);
	if (tx->tx.ifree)
		atomic64_add(tx->tx.ifree, &live->ifree);
}

/*
 * Items leave their transaction; SEQ: the checkpoint that has them, 0: none. Where it ROLLS inodes
 * stay, to be logged again with the next commit: as they are locked nobody can write them, and they
 * must not keep the tail for which the roll may wait.
 */
static void release_items(struct xfs_ktx *tx, u64 seq, bool roll)
{
	struct xfs_item *it, *next;

	list_for_each_entry_safe(it, next, &tx->items, tx) {
		if (it->ops == &xfs_lino_ops) {
			if (seq)
				container_of(it, struct xfs_lino, item)->seq = seq;
			if (roll)
				continue;
		}
		it->dirty = false;
		list_del_init(&it->tx);
	}
}

static void free_tx(struct xfs_ktx *tx)
{
	unsigned int nofs = tx->nofs;

	if (tx->live)
		xfs_ticket_put(tx->live->j, &tx->ticket);
	memalloc_nofs_restore(nofs);
	leave(tx->mp, tx->flags);
	kfree(tx);
}

/* Called before TX's blocks are unlocked: a task that sees the new owner sees the number, too. */
static void note_moved(struct xfs_ktx *tx, u64 seq)
{
	u64 was = READ_ONCE(tx->live->moved_seq);

	tx->tx.moved = false;
	while (was < seq) {
		u64 old = cmpxchg(&tx->live->moved_seq, was, seq);

		if (old == was)
			break;
		was = old;
	}
}

int xfs_moved_settle(struct xfs_live *live)
{
	u64 seq = READ_ONCE(live->moved_seq);

	return READ_ONCE(live->j->done_seq) >= seq ? 0 : xfs_journal_force(live->j, seq);
}

/* TX's changes into the open checkpoint; all is unlocked, but what is held where it rolls. */
static int commit(struct xfs_ktx *tx, bool roll, u64 *seq)
{
	int e = 0;

	*seq = 0;
	if (tx->tx.dirty)
		e = xfs_journal_commit(tx->live->j, &tx->ticket, &tx->items, &tx->busy, seq);
	else if (xfs_journal_dead(tx->live->j))
		e = -EIO;
	if (e)
		return e;
	if (tx->tx.moved)
		note_moved(tx, *seq);
	if (!roll)
		settle(tx);
	release_items(tx, *seq, roll);
	xfs_tx_release_bufs(tx, roll);
	return 0;
}

int xfs_trans_commit(struct xfs_tx *t)
{
	struct xfs_ktx *tx = xfs_ktx(t);
	struct xfs_journal *j = tx->live->j;
	bool sync = tx->flags & XFS_TX_SYNC, dirty;
	u64 seq;
	int e = list_empty(&t->work) ? 0 : xfs_defer_finish(t);

	dirty = t->dirty;
	e = e ?: commit(tx, false, &seq);
	if (e) {
		xfs_trans_cancel(t);
		return e;
	}
	free_tx(tx);
	if (sync && dirty && seq)
		return xfs_journal_force(j, seq);
	xfs_journal_throttle(j);
	return 0;
}

void xfs_trans_cancel(struct xfs_tx *t)
{
	struct xfs_ktx *tx = xfs_ktx(t);
	struct xfs_item *it, *next;

	if (!list_empty(&t->work))
		xfs_defer_drop(t);
	if (t->dirty)
		xfs_journal_kill(tx->live->j, XFS_WHY_INCORE,
				 "a transaction that had changed something failed");
	if (tx->blocks)
		atomic64_add(tx->blocks, &tx->live->fdblocks);
	/* Beginnings and ends of work that never came into the log go too. */
	list_for_each_entry_safe(it, next, &tx->items, tx) {
		it->dirty = false;
		list_del_init(&it->tx);
		it->ops->drop(it);
	}
	xfs_tx_release_bufs(tx, false);
	if (tx->live)
		xfs_busy_drop(tx);
	free_tx(tx);
}

int xfs_tx_roll(struct xfs_tx *t)
{
	struct xfs_ktx *tx = xfs_ktx(t);
	u64 seq;
	int e = commit(tx, true, &seq);

	if (e)
		return e;
	t->dirty = false;
	t->lowest = 0;
	return xfs_ticket_more(tx->live->j, &tx->ticket);
}

void *xfs_mem(size_t n)
{
	/*
	 * The transaction may have changed something: without memory the file system would be shut
	 * down.
	 */
	return kvzalloc(n, GFP_NOFS | __GFP_NOFAIL);
}

void xfs_mem_free(void *p)
{
	kvfree(p);
}

u32 xfs_random(void)
{
	return get_random_u32();
}
