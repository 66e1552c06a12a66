// SPDX-License-Identifier: MIT
/*
 * Extents that were freed by transactions that are not durable: by AG, sorted by block. They do not
 * overlap: a block is freed once until it is used again, and what is used again is taken out.
 */
#include "fs/xfs/trans/priv.h"
#include <lib/minmax.h>
#include <abi/errno.h>

static struct xfs_busy *entry(struct rb_node *n)
{
	return rb_entry_safe(n, struct xfs_busy, node);
}

/* The first that ends behind AGB. */
static struct xfs_busy *first_locked(struct xfs_busy_ag *ag, u32 agb)
{
	struct rb_node *n = ag->tree.node;
	struct xfs_busy *best = NULL;

	while (n) {
		struct xfs_busy *b = entry(n);

		if (b->agb + b->len > agb) {
			best = b;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	return best;
}

static void insert_locked(struct xfs_busy_ag *ag, struct xfs_busy *b)
{
	struct rb_node **link = &ag->tree.node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = b->agb < entry(parent)->agb ? &parent->left : &parent->right;
	}
	rb_link_node(&b->node, parent, link);
	rb_insert_color(&b->node, &ag->tree);
	ag->count++;
}

static void erase_locked(struct xfs_busy *b)
{
	rb_erase(&b->node, &b->ag->tree);
	b->ag->count--;
}

static struct xfs_busy *new_busy(struct xfs_ktx *tx, u32 agno, u32 agb, u32 len, bool keep)
{
	struct xfs_busy *b = kzalloc(sizeof(*b), GFP_NOFS | __GFP_NOFAIL);

	b->ag = xfs_busy_of(tx->live, agno);
	b->agno = agno;
	b->agb = agb;
	b->len = len;
	b->keep = keep;
	return b;
}

void xfs_tx_busy(struct xfs_tx *t, u32 agno, u32 agb, u32 len, bool keep)
{
	struct xfs_ktx *tx = xfs_ktx(t);
	struct xfs_busy *b = new_busy(tx, agno, agb, len, keep);

	list_add_tail(&b->list, &tx->busy);
	spin_lock(&b->ag->lock);
	insert_locked(b->ag, b);
	spin_unlock(&b->ag->lock);
}

u32 xfs_busy_trim(struct xfs_fs *fs, u32 agno, u32 *agb, u32 len, bool used_again)
{
	struct xfs_busy_ag *ag = xfs_busy_of(xfs_live_of(fs), agno);
	u32 at = *agb, end = at + len, best = 0, best_at = at;
	struct xfs_busy *b;

	spin_lock(&ag->lock);
	for (b = first_locked(ag, at); b && b->agb < end; b = entry(rb_next(&b->node))) {
		if (used_again && b->keep)
			continue;
		if (b->agb > at && b->agb - at > best) {
			best = b->agb - at;
			best_at = at;
		}
		at = max(at, b->agb + b->len);
	}
	spin_unlock(&ag->lock);
	if (at < end && end - at > best) {
		best = end - at;
		best_at = at;
	}
	*agb = best_at;
	return best;
}

/* The part of B in AGB to END is not busy any more; REST is for what is left behind it. */
static bool cut_locked(struct xfs_busy *b, u32 agb, u32 end, struct xfs_busy *rest)
{
	u32 b_end = b->agb + b->len;

	if (b->agb < agb) {
		b->len = agb - b->agb;
		if (b_end <= end)
			return false;
		rest->agb = end;
		rest->len = b_end - end;
		rest->keep = b->keep;
		list_add(&rest->list, &b->list);
		insert_locked(b->ag, rest);
		return true;
	}
	if (b_end > end) {
		b->agb = end;	/* its place among the others stays */
		b->len = b_end - end;
		return false;
	}
	erase_locked(b);
	b->len = 0;
	return false;
}

void xfs_tx_unbusy(struct xfs_tx *t, u32 agno, u32 agb, u32 len)
{
	struct xfs_live *live = xfs_ktx(t)->live;
	struct xfs_busy_ag *ag = xfs_busy_of(live, agno);
	struct xfs_busy *rest = new_busy(xfs_ktx(t), agno, 0, 0, false), *b;
	u32 end = agb + len;

	/* Lists of checkpoints are changed too: they are not spliced or taken meanwhile. */
	down_read(&live->j->open);
	spin_lock(&live->busy_lists);
	spin_lock(&ag->lock);
	while ((b = first_locked(ag, agb)) && b->agb < end)
		if (cut_locked(b, agb, end, rest)) {
			rest = NULL;
			break;
		}
	spin_unlock(&ag->lock);
	spin_unlock(&live->busy_lists);
	up_read(&live->j->open);
	kfree(rest);
}

/* One may be cut in two as long as it is in the tree: the other part follows it in LIST. */
static void end_all(struct xfs_live *live, struct list_head *list)
{
	while (!list_empty(list)) {
		struct xfs_busy *b = list_first_entry(list, struct xfs_busy, list);

		spin_lock(&live->busy_lists);
		spin_lock(&b->ag->lock);
		if (b->len)
			erase_locked(b);
		b->ag->gone++;
		spin_unlock(&b->ag->lock);
		list_del(&b->list);
		spin_unlock(&live->busy_lists);
		wake_up_all(&b->ag->wait);
		kfree(b);
		cond_resched();
	}
}

int xfs_busy_hold(struct xfs_mount *mp, u32 agno, u32 agb, u32 len, struct list_head *list)
{
	struct xfs_busy *b = kzalloc(sizeof(*b), GFP_NOFS);

	if (!b)
		return -ENOMEM;
	b->ag = xfs_busy_of(mp->live, agno);
	b->agno = agno;
	b->agb = agb;
	b->len = len;
	list_add_tail(&b->list, list);
	spin_lock(&b->ag->lock);
	insert_locked(b->ag, b);
	spin_unlock(&b->ag->lock);
	return 0;
}

void xfs_busy_end(struct xfs_live *live, struct list_head *list)
{
	end_all(live, list);
}

static void end_taken(struct xfs_live *live, struct list_head *busy, bool durable)
{
	LIST_HEAD(list);

	spin_lock(&live->busy_lists);
	list_splice_init(busy, &list);
	spin_unlock(&live->busy_lists);
	if (durable && smp_load_acquire(&live->discard) && !xfs_journal_dead(live->j))
		xfs_discard_later(live, &list);
	end_all(live, &list);
}

void xfs_busy_freed(void *ctx, struct list_head *busy)
{
	end_taken(ctx, busy, true);
}

void xfs_busy_drop(struct xfs_ktx *tx)
{
	end_taken(tx->live, &tx->busy, false);
}

u32 xfs_busy_ended(struct xfs_fs *fs, u32 agno)
{
	struct xfs_busy_ag *ag = xfs_busy_of(xfs_live_of(fs), agno);
	u32 n;

	spin_lock(&ag->lock);
	n = ag->gone;
	spin_unlock(&ag->lock);
	return n;
}

/*
 * Some are others', or ended since GONE. TX has the AGF locked: no other task adds extents of this
 * AG to the tree, or takes out or cuts those on TX's list.
 */
static bool others(struct xfs_busy_ag *ag, const struct xfs_ktx *tx, u32 gone)
{
	u32 own = 0, all;
	struct xfs_busy *b;

	list_for_each_entry(b, &tx->busy, list)
		own += b->ag == ag && b->len;
	spin_lock(&ag->lock);
	all = ag->gone != gone ? own + 1 : ag->count;
	spin_unlock(&ag->lock);
	return all != own;
}

int xfs_busy_wait(struct xfs_tx *t, u32 agno, u32 ended)
{
	struct xfs_ktx *tx = xfs_ktx(t);
	struct xfs_busy_ag *ag = xfs_busy_of(tx->live, agno);

	if (!others(ag, tx, ended))
		return -EAGAIN;
	if (READ_ONCE(ag->gone) == ended && xfs_journal_force(tx->live->j, 0))
		return -EIO;
	wait_event(ag->wait, READ_ONCE(ag->gone) != ended || xfs_journal_dead(tx->live->j));
	return xfs_journal_dead(tx->live->j) ? -EIO : 0;
}
