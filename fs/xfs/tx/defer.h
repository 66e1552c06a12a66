/* SPDX-License-Identifier: MIT */
/*
 * Work that one transaction asks for and following ones do, so that each is small and locks few
 * AGs: freeing blocks, changing owners and counts of references, mapping blocks, setting
 * attributes.
 *
 * Work is queued in the transaction that makes it necessary, and an intent is logged in it for all
 * that is queued; then, after a roll, each piece is finished, its end logged in the transaction
 * that finishes it. Recovery finishes each piece whose intent is in the log without its end.
 * Finishing may queue more, which is done first: what it asks for comes before what is left (blocks
 * are freed only after their owner is gone).
 */
#pragma once

#include "fs/xfs/tx/tx.h"

struct xfs_work {
	struct list_head node;
	const struct xfs_work_ops *ops;
};

struct xfs_work_ops {
	u32 most;			/* pieces in one intent */
	/*
	 * Logs the intent of the pieces on LIST, which are of this kind. NULL with *E 0: this kind
	 * has none (the work is not needed if it is lost).
	 */
	struct xfs_intent *(*begin)(struct xfs_tx *tx, const struct list_head *list, int *e);
	/* Logs the end of I, which was for the pieces on LIST. */
	void (*end)(struct xfs_tx *tx, struct xfs_intent *i, const struct list_head *list);
	/*
	 * Does W, or a part: 0; -EAGAIN: W is now the rest, to be done after a roll with an intent
	 * of its own.
	 */
	int (*finish)(struct xfs_tx *tx, struct xfs_work *w);
	void (*free)(struct xfs_work *w);
	/* Queues in TX the work of an intent, IT, that recovery found. */
	int (*recover)(struct xfs_tx *tx, const struct xfs_litem *it);
};

/* W, allocated by the caller, is done when TX's work is finished. */
void xfs_defer(struct xfs_tx *tx, struct xfs_work *w, const struct xfs_work_ops *ops);
/*
 * Does all that is queued; TX is rolled between, and is left with nothing queued, perhaps dirty, to
 * be committed. -errno: TX is to be cancelled.
 */
int __must_check xfs_defer_finish(struct xfs_tx *tx);
/* TX is being cancelled: forgets what is queued. */
void xfs_defer_drop(struct xfs_tx *tx);

/*
 * For recovery, which has work of which no order is known but that of the log: first all of it is
 * done one level deep, each in a transaction of its own, then what that asks for.
 *
 * Does once what is queued, which the log has an intent for, and logs intents of what is left and
 * of what that queues: that goes to LIST, and TX may be committed.
 */
int __must_check xfs_defer_once(struct xfs_tx *tx, struct list_head *list);
/* Only logs the intents of what is queued, which goes to LIST. */
int __must_check xfs_defer_put_off(struct xfs_tx *tx, struct list_head *list);
/* Does all that LIST has, in TX, as xfs_defer_finish(). LIST is empty afterwards. */
int __must_check xfs_defer_go_on(struct xfs_tx *tx, struct list_head *list);
/* The memory of LIST is given back. */
void xfs_defer_forget(struct list_head *list);
