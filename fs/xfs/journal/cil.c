// SPDX-License-Identifier: MIT
/* Checkpoints: what commits put into them, closing, and their end (journal.h). */
#include "fs/xfs/journal/priv.h"
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <sched/task.h>
#include <abi/errno.h>

#define ALIGNED(n) (((n) + 7u) & ~7u)

/* ---- copies ---- */

static u8 *add(struct xfs_lvec *lv, u32 len)
{
	u32 off = lv->used;

	len = (len + 3) & ~3u;
	BUG_ON(lv->n == lv->max_n || ALIGNED(len) > lv->cap - off);
	lv->r[lv->n].off = off;
	lv->r[lv->n].len = len;
	lv->n++;
	lv->used += ALIGNED(len);
	return lv->data + off;
}

void *xfs_lvec_add(struct xfs_lvec *lv, u32 len)
{
	u8 *p = add(lv, len);

	memset(p, 0, ALIGNED(len));
	return p;
}

void xfs_lvec_copy(struct xfs_lvec *lv, const void *from, u32 len)
{
	u8 *p = add(lv, len);

	memcpy(p, from, len);
	memset(p + len, 0, ALIGNED(len) - len);
}

static struct xfs_lvec *new_lvec(struct xfs_item *it)
{
	u32 n = 0, bytes = 0;
	size_t head;
	struct xfs_lvec *lv;

	it->ops->size(it, &n, &bytes);
	bytes += 8 * n;
	head = sizeof(*lv) + (size_t)n * sizeof(lv->r[0]);
	lv = kvmalloc(head + bytes, GFP_NOFS | __GFP_NOFAIL);
	memset(lv, 0, sizeof(*lv));
	lv->item = it;
	lv->max_n = n;
	lv->cap = bytes;
	lv->r = (void *)(lv + 1);
	lv->data = (u8 *)lv + head;
	return lv;
}

static u64 lvec_space(const struct xfs_lvec *lv)
{
	u64 bytes = 0;

	for (u32 i = 0; i < lv->n; i++)
		bytes += lv->r[i].len + sizeof(struct xfs_dlog_op);
	return bytes;
}

struct xfs_ckpt *xfs_ckpt_new(u64 seq)
{
	struct xfs_ckpt *ck = kzalloc(sizeof(*ck), GFP_NOFS | __GFP_NOFAIL);

	ck->seq = seq;
	INIT_LIST_HEAD(&ck->node);
	INIT_LIST_HEAD(&ck->lvs);
	INIT_LIST_HEAD(&ck->busy);
	return ck;
}

void xfs_ckpt_free(struct xfs_ckpt *ck)
{
	kfree(ck);
}

/* ---- commit ---- */

/* LV is the item's in the open checkpoint from now on. *OLD: the one that it was. */
static void put_in(struct xfs_journal *j, struct xfs_ckpt *ck, struct xfs_lvec *lv,
		   struct list_head *old)
{
	struct xfs_item *it = lv->item;

	lockdep_assert_held(&j->cil_lock);
	if (it->seq == ck->seq) {
		ck->space -= lvec_space(it->lv);
		ck->regions -= it->lv->n;
		list_move_tail(&it->lv->node, old);
	} else {
		it->seq = ck->seq;
		ck->items++;
		it->ops->pin(it);
	}
	it->lv = lv;
	if (it->once) {
		it->dirty = false;
		list_del_init(&it->tx);
	}
	ck->space += lvec_space(lv);
	ck->regions += lv->n;
	list_move_tail(&lv->node, &ck->lvs);
}

/* CK has grown to what it is: the ticket pays for it. */
static void pay(struct xfs_journal *j, struct xfs_ckpt *ck, struct xfs_ticket *t)
{
	u64 need = xfs_ckpt_bytes(j, ck->space + 4 * sizeof(struct xfs_dlog_op) + 16);
	s64 more = (s64)need - (s64)ck->res;

	if (more <= 0)
		return;
	ck->res += (u64)more;
	t->left -= more;
	if (WARN_ONCE(t->left < 0,
		      "xfs: a transaction took %lld bytes of the log more than it had\n",
		      -t->left)) {
		xfs_grant_give(j, t->left);
		t->left = 0;
	}
}

static void format_all(struct list_head *items, struct list_head *lvs)
{
	struct xfs_item *it;

	list_for_each_entry(it, items, tx) {
		struct xfs_lvec *lv;

		if (!it->dirty)
			continue;
		lv = new_lvec(it);
		it->ops->format(it, lv);
		list_add_tail(&lv->node, lvs);
	}
}

static void free_lvecs(struct list_head *lvs)
{
	struct xfs_lvec *lv, *next;

	list_for_each_entry_safe(lv, next, lvs, node)
		kvfree(lv);
}

static void want_push(struct xfs_journal *j, u64 seq)
{
	spin_lock(&j->cil_lock);
	if (seq > j->push_seq)
		j->push_seq = seq;
	spin_unlock(&j->cil_lock);
	queue_work(j->push_wq, &j->push_work);
}

int xfs_journal_commit(struct xfs_journal *j, struct xfs_ticket *t, struct list_head *items,
		       struct list_head *busy, u64 *seq)
{
	struct xfs_lvec *lv, *next;
	struct xfs_ckpt *ck;
	LIST_HEAD(lvs);
	LIST_HEAD(old);
	bool full;

	format_all(items, &lvs);
	down_read(&j->open);
	if (xfs_journal_dead(j)) {
		up_read(&j->open);
		free_lvecs(&lvs);
		return -EIO;
	}
	ck = j->cur;
	spin_lock(&j->cil_lock);
	list_for_each_entry_safe(lv, next, &lvs, node)
		put_in(j, ck, lv, &old);
	list_splice_tail_init(busy, &ck->busy);
	pay(j, ck, t);
	full = ck->space >= j->limit;
	*seq = ck->seq;
	spin_unlock(&j->cil_lock);
	if (READ_ONCE(j->coverer) != current)
		WRITE_ONCE(j->uncovered, 2);
	up_read(&j->open);
	free_lvecs(&old);
	if (full)
		want_push(j, *seq);
	return 0;
}

void xfs_journal_throttle(struct xfs_journal *j)
{
	struct xfs_ckpt *ck;
	u64 seq, space;

	down_read(&j->open);
	ck = j->cur;
	seq = ck->seq;
	space = READ_ONCE(ck->space);
	up_read(&j->open);
	if (space >= 2 * j->limit)
		wait_event(j->room, READ_ONCE(j->open_seq) != seq || xfs_journal_dead(j));
}

/* ---- closing ---- */

void xfs_cil_push(struct work_struct *w)
{
	struct xfs_journal *j = container_of(w, struct xfs_journal, push_work);
	unsigned int nofs = memalloc_nofs_save();
	struct xfs_ckpt *ck, *new;
	bool wanted;

	new = xfs_ckpt_new(0);
	down_write(&j->open);
	ck = j->cur;
	spin_lock(&j->cil_lock);
	wanted = j->push_seq >= ck->seq && (ck->items || !list_empty(&ck->busy));
	spin_unlock(&j->cil_lock);
	if (wanted) {
		new->seq = ck->seq + 1;
		j->cur = new;
		WRITE_ONCE(j->open_seq, new->seq);
		spin_lock(&j->lock);
		list_add_tail(&ck->node, &j->committing);
		spin_unlock(&j->lock);
	}
	up_write(&j->open);
	if (wanted) {
		wake_up_all(&j->room);
		xfs_ckpt_write(j, ck);
	} else {
		xfs_ckpt_free(new);
	}
	memalloc_nofs_restore(nofs);
}

void xfs_journal_force_async(struct xfs_journal *j)
{
	want_push(j, READ_ONCE(j->open_seq));
}

int xfs_journal_force(struct xfs_journal *j, u64 seq)
{
	struct xfs_ckpt *ck;
	bool empty;

	down_read(&j->open);
	ck = j->cur;
	spin_lock(&j->cil_lock);
	empty = !ck->items && list_empty(&ck->busy);
	spin_unlock(&j->cil_lock);
	if (!seq || seq > ck->seq)
		seq = ck->seq;
	if (seq == ck->seq && empty)
		seq--;
	up_read(&j->open);
	want_push(j, seq);
	wait_event(j->done, READ_ONCE(j->done_seq) >= seq || xfs_journal_dead(j));
	return xfs_journal_dead(j) ? -EIO : 0;
}

/* ---- the end ---- */

static void tell_item(struct xfs_lvec *lv, u64 lsn, bool aborted)
{
	struct xfs_item *it = lv->item;

	if (!aborted) {
		lsn = it->ops->committed(it, lv, lsn);
		if (!lsn)
			return;
		if (lsn != READ_ONCE(it->lsn))
			xfs_ail_insert(it, lsn);
	}
	it->ops->unpin(it, aborted);
}

void xfs_ckpt_done(struct xfs_journal *j, struct xfs_ckpt *ck)
{
	struct xfs_lvec *lv, *next;
	bool dead = xfs_journal_dead(j);

	list_for_each_entry_safe(lv, next, &ck->lvs, node) {
		tell_item(lv, ck->start_lsn, dead);
		kvfree(lv);
		cond_resched();
	}
	if (!dead)
		xfs_ail_done(j, ck->commit_lsn);
	if (j->freed)
		j->freed(j->ctx, &ck->busy);
	spin_lock(&j->lock);
	list_del_init(&ck->node);
	if (!dead)
		WRITE_ONCE(j->done_seq, ck->seq);
	spin_unlock(&j->lock);
	wake_up_all(&j->done);
	xfs_ckpt_free(ck);
}
