// SPDX-License-Identifier: MIT
/*
 * Deleting records. A block that is less than half full is joined with a neighbour under the same
 * block, whose entry for one of them is then deleted too, or takes entries from it. A root with one
 * child is replaced by it.
 */
#include "fs/xfs/btree/priv.h"

static void take_out(const struct xfs_bt_view *v, u32 pos)
{
	u32 n = xfs_bt_count(v) - 1;

	xfs_bt_move(v, pos + 1, v, pos, n - pos);
	xfs_bt_set_count(v, n);
	xfs_bt_log(v, pos, n);
}

static int drop_block(struct xfs_bt_cur *c, struct xfs_txbuf *b, u64 ptr)
{
	xfs_tx_kill(c->tx, b);
	return c->ops->free(c, ptr);
}

/* All of B goes to A, its left neighbour; B is freed. */
static int join(struct xfs_bt_cur *c, const struct xfs_bt_view *a, u64 a_ptr,
		const struct xfs_bt_view *b, u64 b_ptr)
{
	u32 na = xfs_bt_count(a), nb = xfs_bt_count(b);
	u64 right = xfs_bt_sibling(b, true);
	int e = xfs_bt_relink(c, a->level, right, b_ptr, a_ptr);

	if (e)
		return e;
	xfs_bt_move(b, 0, a, na, nb);
	xfs_bt_set_count(a, na + nb);
	xfs_bt_set_sibling(a, true, right);
	xfs_bt_log(a, na, na + nb);
	return drop_block(c, b->b, b_ptr);
}

/* Joins the path's block with the one beside it; *POS: the entry above that is to be deleted. */
static int join_with(struct xfs_bt_cur *c, u32 level, bool right, const struct xfs_bt_view *beside,
		     u64 ptr, u32 *pos)
{
	u32 at = c->lv[level + 1].at;
	struct xfs_bt_view v, up;
	int e;

	xfs_bt_view_at(c, level, &v);
	xfs_bt_view_at(c, level + 1, &up);
	*pos = right ? at + 1 : at;
	if (right) {
		e = join(c, &v, c->lv[level].ptr, beside, ptr);
		if (!e)
			xfs_bt_put_key(&up, at, &v);
		return e;
	}
	e = join(c, beside, ptr, &v, c->lv[level].ptr);
	if (!e)
		xfs_bt_put_key(&up, at - 1, beside);
	c->lv[level].b = NULL;
	return e;
}

/* The path's block gets half of the entries that the one beside has more. */
static void take_from(struct xfs_bt_cur *c, u32 level, bool right, const struct xfs_bt_view *beside)
{
	struct xfs_bt_view v, up;
	u32 n;

	xfs_bt_view_at(c, level, &v);
	xfs_bt_view_at(c, level + 1, &up);
	n = (xfs_bt_count(beside) - xfs_bt_count(&v) + 1) / 2;
	if (right)
		xfs_bt_shift(&v, beside, n, false);
	else
		xfs_bt_shift(beside, &v, n, true);
	xfs_bt_put_key(&up, c->lv[level + 1].at + (right ? 1 : -1u), beside);
	xfs_bt_fix_keys(c, level);
}

/* The path's block is less than half full. *POS: see join_with(), where *MORE. */
static int balance(struct xfs_bt_cur *c, u32 level, u32 *pos, bool *more)
{
	struct xfs_bt_view v, side[2];
	bool ok[2];
	u64 ptr[2];
	u32 n;
	int e = 0;

	xfs_bt_view_at(c, level, &v);
	n = xfs_bt_count(&v);
	for (u32 i = 0; !e && i < 2; i++)
		e = xfs_bt_beside(c, level, i, &side[i], &ptr[i], &ok[i]);
	if (e)
		return e;
	for (u32 i = 0; i < 2; i++)
		if (ok[i] && n + xfs_bt_count(&side[i]) <= v.max) {
			*more = true;
			return join_with(c, level, i, &side[i], ptr[i], pos);
		}
	for (u32 i = 0; i < 2; i++)
		if (ok[i]) {
			take_from(c, level, i, &side[i]);
			return 0;
		}
	return 0;	/* the only block of its level, below a root in an inode */
}

/* A root that lies in a block and has one child. */
static int shrink_root(struct xfs_bt_cur *c)
{
	u32 level = c->levels - 1;
	struct xfs_bt_view v;
	u64 child, old;

	if (!level || c->shape->wide)
		return 0;
	xfs_bt_view_at(c, level, &v);
	if (xfs_bt_count(&v) != 1)
		return 0;
	child = xfs_bt_ptr(&v, 0);
	old = c->lv[level].ptr;
	c->lv[level].b = NULL;
	c->ops->set_root(c, child, level);
	return drop_block(c, v.b, old);
}

/* While the root in an inode has one child, a node whose entries have room in it. */
static int shrink_iroot(struct xfs_bt_cur *c)
{
	while (c->shape->wide && c->levels > 2) {
		u32 level = c->levels - 1, n;
		struct xfs_bt_view root, v;
		struct xfs_txbuf *b;
		u64 ptr;
		int e;

		xfs_bt_view_at(c, level, &root);
		if (xfs_bt_count(&root) != 1)
			return 0;
		ptr = xfs_bt_ptr(&root, 0);
		e = xfs_bt_block(c, level - 1, ptr, &b);
		if (e)
			return e;
		xfs_bt_view(c, level - 1, b, &v);
		n = xfs_bt_count(&v);
		/* The entries of both are alike, as both are nodes. */
		if (n > root.max)
			return 0;
		xfs_bt_set_iroot_level(&root, level - 1);
		xfs_bt_set_count(&root, n);
		xfs_bt_move(&v, 0, &root, 0, n);
		c->ops->log_iroot(c);
		c->levels--;
		c->lv[level - 1].b = NULL;
		e = drop_block(c, b, ptr);
		if (e)
			return e;
	}
	return 0;
}

int xfs_bt_delete(struct xfs_bt_cur *c)
{
	bool more = true;
	u32 pos = c->lv[0].at;
	int e = 0;

	for (u32 l = 0; !e && more; l++) {
		struct xfs_bt_key gone;
		struct xfs_bt_view v;

		more = false;
		xfs_bt_view_at(c, l, &v);
		if (c->shape->overlap)
			xfs_bt_high_key(&v, pos, &gone);
		take_out(&v, pos);
		if (l + 1 == c->levels) {
			e = shrink_root(c);
			break;
		}
		if (xfs_bt_count(&v))
			xfs_bt_fix_entry(c, l, &gone, NULL);
		if (xfs_bt_count(&v) < v.max / 2)
			e = balance(c, l, &pos, &more);
	}
	e = e ?: shrink_iroot(c);
	xfs_bt_close(c);
	return e;
}
