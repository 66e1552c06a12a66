// SPDX-License-Identifier: MIT
/* Headers of an AG: the AGF, the free list, and the roots of the three trees that live from it. */
#include "fs/xfs/ag/ag.h"
#include <lib/minmax.h>
#include <lib/string.h>
#include <abi/errno.h>

int xfs_ag_agf(struct xfs_tx *tx, u32 agno, u32 flags, struct xfs_txbuf **out)
{
	const struct xfs_sb *sb = &tx->fs->vol.sb;
	struct xfs_ag *ag = xfs_ag_of(tx->fs, agno);
	u32 bbs = sb->sectsize / XFS_SECTOR;
	const struct xfs_dagf *d;
	const void *agf;
	int e = xfs_tx_get(tx, XFS_BLK_AGF, xfs_agb_daddr(sb, agno, 0) + bbs, bbs,
			   agno < tx->lowest ? flags | XFS_GET_TRY : flags, out);

	if (e)
		return e;
	tx->lowest = max(tx->lowest, agno);
	agf = (*out)->data;
	d = agf;
	ag->freeblks = be32_get(d->freeblks);
	ag->longest = be32_get(d->longest);
	ag->flcount = be32_get(d->flcount);
	ag->btreeblks = be32_get(d->btreeblks);
	ag->agf_known = true;
	return 0;
}

void xfs_agf_log(struct xfs_agop *op)
{
	const struct xfs_dagf *d = xfs_agop_agf(op);

	op->ag->freeblks = be32_get(d->freeblks);
	op->ag->longest = be32_get(d->longest);
	op->ag->flcount = be32_get(d->flcount);
	op->ag->btreeblks = be32_get(d->btreeblks);
	xfs_tx_log(op->tx, op->agf, 0, offsetof(struct xfs_dagf, spare));
}

/* ---- roots ---- */

static void tree_root(struct xfs_bt_cur *c, u64 *ptr, u32 *levels)
{
	const struct xfs_dagf *d = xfs_agop_agf(c->ctx);
	enum xfs_bt kind = (enum xfs_bt)(c->shape->kind - XFS_BLK_BT);

	*ptr = be32_get(kind == XFS_BT_BNO ? d->bno_root :
			kind == XFS_BT_CNT ? d->cnt_root :
					     d->rmap_root);
	*levels = be32_get(kind == XFS_BT_BNO ? d->bno_level :
			   kind == XFS_BT_CNT ? d->cnt_level :
						d->rmap_level);
}

static void tree_set_root(struct xfs_bt_cur *c, u64 ptr, u32 levels)
{
	struct xfs_dagf *d = xfs_agop_agf(c->ctx);
	be32 root = be32_make((u32)ptr), level = be32_make(levels);

	if (c->shape->kind == (enum xfs_kind)(XFS_BLK_BT + XFS_BT_BNO)) {
		d->bno_root = root;
		d->bno_level = level;
	} else if (c->shape->kind == (enum xfs_kind)(XFS_BLK_BT + XFS_BT_CNT)) {
		d->cnt_root = root;
		d->cnt_level = level;
	} else {
		d->rmap_root = root;
		d->rmap_level = level;
	}
	xfs_agf_log(c->ctx);
}

static void count_rmap(struct xfs_bt_cur *c, u32 by)
{
	struct xfs_dagf *d = xfs_agop_agf(c->ctx);

	if (c->shape->kind != (enum xfs_kind)(XFS_BLK_BT + XFS_BT_RMAP))
		return;
	d->rmap_blocks = be32_make(be32_get(d->rmap_blocks) + by);
	xfs_agf_log(c->ctx);
}

static int tree_alloc(struct xfs_bt_cur *c, u64 near, u64 *ptr)
{
	u32 agb;
	int e = xfs_agfl_get(c->ctx, true, &agb);

	(void)near;
	if (e)
		return e;
	xfs_tx_unbusy(c->tx, c->agno, agb, 1);
	count_rmap(c, 1);
	*ptr = agb;
	return 0;
}

static int tree_free(struct xfs_bt_cur *c, u64 ptr)
{
	int e = xfs_agfl_put(c->ctx, true, (u32)ptr);

	if (e)
		return e;
	xfs_tx_busy(c->tx, c->agno, (u32)ptr, 1, true);
	count_rmap(c, -1u);
	return 0;
}

static const struct xfs_bt_ops tree_ops = {
	tree_root, tree_set_root, NULL, NULL, tree_alloc, tree_free,
};

void xfs_agop_open(struct xfs_agop *op, struct xfs_tx *tx, u32 agno, struct xfs_txbuf *agf)
{
	*op = (struct xfs_agop){ .tx = tx, .ag = xfs_ag_of(tx->fs, agno), .agf = agf };
	xfs_bt_open_ag(&op->bno, tx, XFS_BT_BNO, &tree_ops, agno, agf);
	xfs_bt_open_ag(&op->cnt, tx, XFS_BT_CNT, &tree_ops, agno, agf);
	xfs_bt_open_ag(&op->rmap, tx, XFS_BT_RMAP, &tree_ops, agno, agf);
	op->bno.ctx = op->cnt.ctx = op->rmap.ctx = op;
}

void xfs_agop_close(struct xfs_agop *op)
{
	xfs_bt_close(&op->bno);
	xfs_bt_close(&op->cnt);
	xfs_bt_close(&op->rmap);
}

/* ---- the free list: a ring ---- */

static int agfl(struct xfs_agop *op)
{
	const struct xfs_sb *sb = &op->tx->fs->vol.sb;
	const struct xfs_dagf *d = xfs_agop_agf(op);
	u32 bbs = sb->sectsize / XFS_SECTOR, size = xfs_agfl_size(sb), n = be32_get(d->flcount);

	if (n && (be32_get(d->fllast) + size - be32_get(d->flfirst)) % size + 1 != n)
		return xfs_tx_bad_ag(op->tx, op->ag->agno, XFS_SICK_AG_AGF, "AGF", "flcount",
				     op->agf->daddr, n);
	if (op->agfl)
		return 0;
	return xfs_tx_get(op->tx, XFS_BLK_AGFL, xfs_agb_daddr(sb, op->ag->agno, 0) + 3 * bbs, bbs,
			  0, &op->agfl);
}

int xfs_agfl_get(struct xfs_agop *op, bool tree, u32 *agb)
{
	struct xfs_dagf *d = xfs_agop_agf(op);
	u32 first = be32_get(d->flfirst), n = be32_get(d->flcount);
	int e = agfl(op);

	if (e)
		return e;
	*agb = xfs_agfl_at(op->agfl->data, first);
	if (!n || !xfs_agb_ok(&op->tx->fs->vol.sb, op->ag->agno, *agb))
		return xfs_tx_bad_ag(op->tx, op->ag->agno, XFS_SICK_AG_AGFL, "AGFL",
				     n ? "bno" : "count", op->agf->daddr, *agb);
	d->flfirst = be32_make((first + 1) % xfs_agfl_size(&op->tx->fs->vol.sb));
	d->flcount = be32_make(n - 1);
	if (tree)
		d->btreeblks = be32_make(be32_get(d->btreeblks) + 1);
	xfs_agf_log(op);
	return 0;
}

int xfs_agfl_put(struct xfs_agop *op, bool tree, u32 agb)
{
	struct xfs_dagf *d = xfs_agop_agf(op);
	u32 size = xfs_agfl_size(&op->tx->fs->vol.sb), last, n = be32_get(d->flcount);
	be32 v = be32_make(agb);
	u32 off;
	int e = agfl(op);

	if (e)
		return e;
	if (n == size || (tree && !be32_get(d->btreeblks)))
		return xfs_tx_bad_ag(op->tx, op->ag->agno, XFS_SICK_AG_AGF, "AGF", "btreeblks",
				     op->agf->daddr, n);
	last = (be32_get(d->fllast) + 1) % size;
	if (!n)	/* wherever the empty ring begins */
		d->flfirst = be32_make(last);
	d->fllast = be32_make(last);
	d->flcount = be32_make(n + 1);
	if (tree)
		d->btreeblks = be32_make(be32_get(d->btreeblks) - 1);
	off = (u32)sizeof(struct xfs_dagfl) + last * 4;
	memcpy(op->agfl->data + off, &v, sizeof(v));
	xfs_tx_log(op->tx, op->agfl, off, 4);
	xfs_agf_log(op);
	return 0;
}

/*
 * A change of a tree splits every level and adds one; then, when the list is filled again, every
 * level below the new root.
 */
static u32 need_of(be32 levels)
{
	return 2 * min(be32_get(levels) + 1, (u32)XFS_BT_MAXLEVELS) - 2;
}

u32 xfs_ag_list_need(const struct xfs_sb *sb, const struct xfs_dagf *d)
{
	u32 n = need_of(d->bno_level) + need_of(d->cnt_level);

	if (sb->ro_compat & XFS_RO_RMAPBT)
		n += need_of(d->rmap_level);
	return min(n, xfs_agfl_size(sb));
}

static const struct xfs_owner list_owner = { XFS_OWN_AG, 0, false };

/* Free blocks that the list gets. */
struct found {
	u32 agb, len;
	bool busy;			/* others would do, but for that */
};

/* The cursor's extent, if more of it can be used than of F; N at most. */
static void consider(struct xfs_agop *op, u32 n, struct found *f)
{
	u32 agb, all, len;

	xfs_space_rec(&op->cnt, &agb, &all);
	len = xfs_busy_trim(op->tx->fs, op->ag->agno, &agb, all, true);
	f->busy |= len < all;
	len = min(len, n);
	if (len > f->len) {
		f->agb = agb;
		f->len = len;
	}
}

/*
 * The shortest that suffices, else the longest. Passes over those that are busy, which small ones
 * often are: files' blocks that were just freed.
 */
static int find_blocks(struct xfs_agop *op, u32 n, struct found *f)
{
	struct xfs_bt_key k = { { 0 } };
	u32 agb = 0, len = n;
	bool found;
	int e;

	*f = (struct found){ 0 };
	xfs_put32(k.b + 4, n);
	e = xfs_bt_lookup(&op->cnt, &k, XFS_BT_GE, &found);
	while (!e && found && f->len < n) {
		consider(op, n, f);
		e = f->len < n ? xfs_bt_next(&op->cnt, &found) : 0;
	}
	if (e || f->len >= n)
		return e;
	e = xfs_bt_lookup(&op->cnt, &k, XFS_BT_LE, &found);
	while (!e && found && f->len < len) {
		consider(op, n, f);
		xfs_space_rec(&op->cnt, &agb, &len);
		e = xfs_bt_prev(&op->cnt, &found);
	}
	return e;
}

/* Some of N blocks become the list's. */
static int add_blocks(struct xfs_agop *op, u32 n)
{
	struct found f;
	int e;

	for (;;) {
		u32 ended = xfs_busy_ended(op->tx->fs, op->ag->agno);

		e = find_blocks(op, n, &f);
		if (e || f.len)
			break;
		e = f.busy ? xfs_busy_wait(op->tx, op->ag->agno, ended) : -EAGAIN;
		if (e)
			return e == -EAGAIN ? -ENOSPC : e;
	}
	e = e ?: xfs_space_take(op, f.agb, f.len);
	for (u32 i = 0; !e && i < f.len; i++)
		e = xfs_agfl_put(op, false, f.agb + i);
	return e ?: xfs_rmap_map(op, f.agb, f.len, &list_owner);
}

static int grow_list(struct xfs_agop *op, u32 need)
{
	int e = 0;

	while (!e && op->ag->flcount < need)
		e = add_blocks(op, need - op->ag->flcount);
	return e;
}

int xfs_agop_fill(struct xfs_agop *op)
{
	const struct xfs_sb *sb = &op->tx->fs->vol.sb;
	u32 need = xfs_ag_list_need(sb, xfs_agop_agf(op));
	/* Read before anything is changed, as on Linux: a damaged one shuts nothing down then. */
	int e = agfl(op);

	if (e)
		return e;
	/* A few at a time: each is a change of all trees. */
	for (u32 i = 0; i < 4 && op->ag->flcount > need; i++) {
		u32 agb;

		e = xfs_agfl_get(op, false, &agb);
		e = e ?: xfs_rmap_unmap(op, agb, 1, &list_owner);
		e = e ?: xfs_space_give(op, agb, 1);
		if (e)
			return e;
		need = xfs_ag_list_need(sb, xfs_agop_agf(op));
	}
	if (op->ag->flcount >= need)
		return 0;
	if (op->ag->freeblks < need - op->ag->flcount)
		return -ENOSPC;
	return grow_list(op, need);
}
