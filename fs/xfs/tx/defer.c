// SPDX-License-Identifier: MIT
/*
 * Work that was queued is put into batches, pieces of one kind that were queued one after another,
 * and an intent is logged for each batch. After a roll the first batch is finished: its end is
 * logged and its pieces are done in one transaction. What they queue becomes batches before those
 * that wait. A piece that is not done yet becomes, with those behind it, a batch with a new intent.
 */
#include "fs/xfs/tx/defer.h"
#include <lib/string.h>
#include <abi/errno.h>

struct batch {
	struct list_head node;		/* of those that wait */
	struct list_head work;
	const struct xfs_work_ops *ops;
	struct xfs_intent *intent;	/* NULL: it has none */
};

void xfs_defer(struct xfs_tx *tx, struct xfs_work *w, const struct xfs_work_ops *ops)
{
	w->ops = ops;
	list_add_tail(&w->node, &tx->work);
}

void xfs_defer_drop(struct xfs_tx *tx)
{
	struct xfs_work *w, *next;

	list_for_each_entry_safe(w, next, &tx->work, node) {
		list_del(&w->node);
		w->ops->free(w);
	}
}

/* Takes the first pieces of TX's queue that belong together; NULL: no memory. */
static struct batch *take_batch(struct xfs_tx *tx)
{
	struct xfs_work *w = list_first_entry(&tx->work, struct xfs_work, node), *next;
	struct batch *b = xfs_mem(sizeof(*b));
	u32 n = 0;

	if (!b)
		return NULL;
	b->ops = w->ops;
	INIT_LIST_HEAD(&b->work);
	list_for_each_entry_safe(w, next, &tx->work, node) {
		if (w->ops != b->ops || n++ == b->ops->most)
			break;
		list_move_tail(&w->node, &b->work);
	}
	return b;
}

static int log_intent(struct xfs_tx *tx, struct batch *b)
{
	int e = 0;

	b->intent = b->ops->begin(tx, &b->work, &e);
	return e;
}

/* Puts all that is queued before what waits, with intents. */
static int begin_queued(struct xfs_tx *tx, struct list_head *waiting)
{
	LIST_HEAD(batches);
	int e = 0;

	while (!e && !list_empty(&tx->work)) {
		struct batch *b = take_batch(tx);

		if (!b) {
			e = -ENOMEM;
			break;
		}
		list_add_tail(&b->node, &batches);
		e = log_intent(tx, b);
	}
	list_splice_init(&batches, waiting);
	return e;
}

/* All pieces, as far as they can be done now. Those that are left stay in B: -EAGAIN. */
static int finish_pieces(struct xfs_tx *tx, struct batch *b)
{
	int e = 0;

	while (!list_empty(&b->work)) {
		struct xfs_work *w = list_first_entry(&b->work, struct xfs_work, node);

		e = b->ops->finish(tx, w);
		if (e)
			break;
		list_del(&w->node);
		b->ops->free(w);
	}
	return e;
}

static int finish_batch(struct xfs_tx *tx, struct batch *b)
{
	int e;

	if (b->intent)
		b->ops->end(tx, b->intent, &b->work);
	b->intent = NULL;
	e = finish_pieces(tx, b);
	if (e == -EAGAIN)
		return log_intent(tx, b);
	if (e)
		return e;
	list_del(&b->node);
	xfs_mem_free(b);
	return 0;
}

/* Puts the pieces of WAITING back into TX's queue, for xfs_defer_drop(). */
static void give_back(struct xfs_tx *tx, struct list_head *waiting)
{
	while (!list_empty(waiting)) {
		struct batch *b = list_first_entry(waiting, struct batch, node);

		list_splice_init(&b->work, &tx->work);
		list_del(&b->node);
		xfs_mem_free(b);
	}
}

int xfs_defer_go_on(struct xfs_tx *tx, struct list_head *waiting)
{
	int e = 0;

	while (!e && (!list_empty(&tx->work) || !list_empty(waiting))) {
		e = begin_queued(tx, waiting);
		e = e ?: xfs_tx_roll(tx);
		if (!e)
			e = finish_batch(tx, list_first_entry(waiting, struct batch, node));
	}
	give_back(tx, waiting);
	return e;
}

int xfs_defer_finish(struct xfs_tx *tx)
{
	LIST_HEAD(waiting);

	return xfs_defer_go_on(tx, &waiting);
}

/* ---- recovery ---- */

int xfs_defer_put_off(struct xfs_tx *tx, struct list_head *list)
{
	return begin_queued(tx, list);
}

int xfs_defer_once(struct xfs_tx *tx, struct list_head *list)
{
	struct batch *b;
	int e;

	if (list_empty(&tx->work))
		return 0;
	b = take_batch(tx);
	if (!b)
		return -ENOMEM;
	list_add(&b->node, list);
	e = finish_batch(tx, b);
	return e ?: begin_queued(tx, list);
}

void xfs_defer_forget(struct list_head *list)
{
	while (!list_empty(list)) {
		struct batch *b = list_first_entry(list, struct batch, node);
		struct xfs_work *w, *next;

		list_for_each_entry_safe(w, next, &b->work, node) {
			list_del(&w->node);
			w->ops->free(w);
		}
		list_del(&b->node);
		xfs_mem_free(b);
	}
}
