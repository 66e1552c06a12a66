// SPDX-License-Identifier: MIT
/*
 * Work that recovery found begun. Its beginnings come into the AIL, so that the log's tail stays
 * before them.
 *
 * The log has no order of work: one transaction's pieces come one after another, but what a piece
 * asked for when it was done comes behind all of them, and is to be done before them. So, as on
 * Linux, there are two passes. The first does each piece once, in a transaction that logs its end
 * and the beginnings of what that asks for. Then all that was begun before the power went is done,
 * and the second pass does the rest in the same order, as work of our own. An exchange, whose steps
 * are many, is wholly left to the second pass.
 */
#include "fs/xfs/ag/intents.h"
#include "fs/xfs/bmap/exchange.h"
#include "fs/xfs/bmap/later.h"
#include "fs/xfs/bmap/reflink.h"
#include "fs/xfs/super/super.h"
#include <alloc/slab.h>
#include <sched/task.h>

struct begun {
	struct list_head node;
	u64 lsn;
	struct xfs_litem it;		/* a copy, which lies behind */
	struct xfs_intent *intent;
	struct list_head later;		/* what it asked for (tx/defer.h) */
	/*
	 * An exchange: what is left, and of which inodes, referenced; the second may be the first.
	 */
	struct xfs_lexch x;
	struct xfs_lino *li[2];
};

static u8 *head_bytes(struct begun *b)
{
	return (u8 *)(uintptr_t)xfs_lregion_at(&b->it, 0);
}

static const struct xfs_work_ops *ops_of(u16 type)
{
	switch (type) {
	case XFS_LI_EFI:
		return &xfs_free_ops;
	case XFS_LI_RUI:
		return &xfs_rmap_ops;
	case XFS_LI_CUI:
		return &xfs_refcount_ops;
	}
	return NULL;
}

/* ---- what there is ---- */

/* Attributes are exchanged by xfs_scrub alone, which there is not here. */
static bool can_finish(struct xfs_mount *mp, const struct xfs_litem *it)
{
	struct xfs_lexch x;
	struct xfs_fault f;
	u32 n;

	switch (it->type) {
	case XFS_LI_ATTRI:
		return true;
	case XFS_LI_XMI:
		return !xfs_lexch_get(&mp->fs.vol.sb, it, 0, &x, &f) && !(x.flags & XFS_LEXCH_ATTR);
	case XFS_LI_EFI:	/* a 32-bit CPU's is laid out otherwise */
		memcpy(&n, xfs_lregion_at(it, 0) + 4, sizeof(n));
		return it->n == 1 && (u64)n * 16 + 16 <= it->r[0].len;
	default:
		return it->n == 1 && (ops_of(it->type) || it->type == XFS_LI_BUI);
	}
}

int xfs_recovery_add(struct xfs_mount *mp, struct xfs_recovery *r, u64 lsn,
		     const struct xfs_litem *it)
{
	struct begun *b;

	if (!can_finish(mp, it))
		return -EOPNOTSUPP;
	b = kvzalloc(sizeof(*b) + xfs_litem_size(it), GFP_KERNEL_ACCOUNT);
	if (!b)
		return -ENOMEM;
	b->lsn = lsn;
	INIT_LIST_HEAD(&b->later);
	xfs_litem_copy(it, b + 1, &b->it);
	list_add_tail(&b->node, &r->begun);
	return 0;
}

static void put_inodes(struct begun *b)
{
	if (b->li[1] && b->li[1] != b->li[0])
		xfs_lino_put(b->li[1]);
	if (b->li[0])
		xfs_lino_put(b->li[0]);
	b->li[0] = b->li[1] = NULL;
}

void xfs_recovery_free(struct xfs_recovery *r)
{
	struct begun *b, *next;

	list_for_each_entry_safe(b, next, &r->begun, node) {
		xfs_defer_forget(&b->later);
		put_inodes(b);
		kvfree(b);
	}
	INIT_LIST_HEAD(&r->begun);
}

int xfs_recovery_begin(struct xfs_mount *mp, struct xfs_recovery *r)
{
	struct begun *b;

	list_for_each_entry(b, &r->begun, node) {
		u64 id;

		memcpy(&id, head_bytes(b) + 8, sizeof(id));
		b->intent = xfs_intent_found(mp->live, id, b->lsn);
		if (!b->intent)
			return -ENOMEM;
	}
	return 0;
}

/* A transaction that frees space, with BLOCKS if there are so many, else with none. */
static int begin(struct xfs_mount *mp, enum xfs_res kind, u32 blocks, struct xfs_tx **tx)
{
	u32 bytes = mp->res[kind].bytes;
	int e;

	if (fatal_signal_pending(current))
		return -EINTR;
	e = xfs_trans_begin(mp, bytes, 1, blocks, XFS_TX_RESERVE, tx);
	return e == -ENOSPC && blocks ? xfs_trans_begin(mp, bytes, 1, 0, XFS_TX_RESERVE, tx) : e;
}

/* ---- the first pass ---- */

/* The end of B: the numbers are the beginnings' plus 1; that of an EFI has its extents. */
static void log_end(struct xfs_tx *tx, struct begun *b)
{
	u16 type = (u16)(b->it.type + 1);
	u8 *head = head_bytes(b);
	u32 zero = 0;

	memcpy(head, &type, sizeof(type));
	if (b->it.type == XFS_LI_EFI) {
		xfs_tx_done(tx, b->intent, head, b->it.r[0].len);
		return;
	}
	memcpy(head + 4, &zero, sizeof(zero));
	xfs_tx_done(tx, b->intent, head, 16);
}

/*
 * Inode INO, referenced. It need not be in the VFS, which would free one without a name as soon as
 * it is done, and with it blocks of which other work is left.
 */
static int get_inode(struct xfs_mount *mp, u64 ino, struct xfs_lino **out)
{
	struct xfs_lino *li = xfs_lino_get(mp, ino);

	if (IS_ERR(li))
		return PTR_ERR(li) == -ESTALE ? -EUCLEAN : (int)PTR_ERR(li);
	*out = li;
	return 0;
}

static int do_mapping(struct xfs_mount *mp, struct begun *b)
{
	struct xfs_lino *li;
	struct xfs_tx *tx;
	int e = get_inode(mp, xfs_bmap_intent_ino(&b->it), &li);

	if (e)
		return e;
	e = begin(mp, XFS_RES_TRUNCATE, xfs_bmap_remap_room(&mp->fs.vol.sb), &tx);
	if (!e) {
		down_write(&li->lock);
		e = xfs_bmap_recover(tx, &li->ip, &b->it);
		if (!e)
			log_end(tx, b);
		e = e ?: xfs_defer_put_off(tx, &b->later);
		e = xfs_end(tx, e);
		up_write(&li->lock);
	}
	xfs_lino_put(li);
	return e;
}

static int put_off_exchange(struct xfs_mount *mp, struct begun *b)
{
	struct xfs_ino *ip[2];
	struct xfs_locked l;
	struct xfs_fault f;
	struct xfs_tx *tx;
	int e = xfs_lexch_get(&mp->fs.vol.sb, &b->it, 0, &b->x, &f);

	e = e ?: get_inode(mp, b->x.ino[0], &b->li[0]);
	if (e)
		return e;
	if (b->x.ino[0] == b->x.ino[1])
		b->li[1] = b->li[0];
	else
		e = get_inode(mp, b->x.ino[1], &b->li[1]);
	e = e ?: begin(mp, XFS_RES_EXCHANGE, 0, &tx);
	if (e)
		return e;
	ip[0] = &b->li[0]->ip;
	ip[1] = &b->li[1]->ip;
	xfs_lock_linos(&l, b->li, 2);
	e = xfs_exchange_check(tx, ip, &b->x);
	e = e ?: xfs_exchange_later(tx, ip, &b->x);
	if (!e)
		log_end(tx, b);
	e = e ?: xfs_defer_put_off(tx, &b->later);
	e = xfs_end(tx, e);
	xfs_unlock_inodes(&l);
	return e;
}

static int do_once(struct xfs_mount *mp, struct begun *b)
{
	struct xfs_tx *tx;
	int e;

	if (b->it.type == XFS_LI_BUI)
		return do_mapping(mp, b);
	if (b->it.type == XFS_LI_XMI)
		return put_off_exchange(mp, b);
	if (b->it.type == XFS_LI_ATTRI)
		return xfs_redo_attr(mp, &b->it, b->intent);
	e = begin(mp, XFS_RES_TRUNCATE, 0, &tx);
	if (e)
		return e;
	e = ops_of(b->it.type)->recover(tx, &b->it);
	if (!e)
		log_end(tx, b);
	e = e ?: xfs_defer_once(tx, &b->later);
	return xfs_end(tx, e);
}

/* ---- the second pass ---- */

static int finish_exchange(struct xfs_mount *mp, struct begun *b)
{
	struct xfs_ino *ip[2] = { &b->li[0]->ip, &b->li[1]->ip };
	struct xfs_locked l;
	struct xfs_tx *tx;
	u32 blocks;
	int e;

	xfs_lock_linos(&l, b->li, 2);
	e = xfs_exchange_room(ip, &b->x, &blocks);
	xfs_unlock_inodes(&l);
	e = e ?: begin(mp, XFS_RES_EXCHANGE, blocks, &tx);
	if (e)
		return e;
	xfs_lock_linos(&l, b->li, 2);
	tx->refill = true;
	e = xfs_end(tx, xfs_defer_go_on(tx, &b->later));
	xfs_unlock_inodes(&l);
	put_inodes(b);
	return e;
}

static int finish_rest(struct xfs_mount *mp, struct begun *b)
{
	struct xfs_tx *tx;
	int e;

	if (list_empty(&b->later))
		return 0;
	if (b->li[0])
		return finish_exchange(mp, b);
	e = begin(mp, XFS_RES_TRUNCATE, 0, &tx);
	return e ?: xfs_end(tx, xfs_defer_go_on(tx, &b->later));
}

static int finish_all(struct xfs_mount *mp, struct xfs_recovery *r, u64 *work)
{
	struct begun *b;
	int e = 0;

	list_for_each_entry(b, &r->begun, node) {
		e = do_once(mp, b);
		if (e)
			return e;
		++*work;
	}
	list_for_each_entry(b, &r->begun, node) {
		e = finish_rest(mp, b);
		if (e)
			return e;
	}
	return 0;
}

int xfs_finish_begun(struct xfs_mount *mp, struct xfs_recovery *r, u64 *work)
{
	struct begun *b;
	int e = finish_all(mp, r, work);

	list_for_each_entry(b, &r->begun, node)
		put_inodes(b);
	return e;
}
