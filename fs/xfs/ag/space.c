// SPDX-License-Identifier: MIT
/* Free extents in both trees: part of one is taken, one is given back and joins its neighbours. */
#include "fs/xfs/ag/ag.h"
#include <lib/minmax.h>
#include <lib/string.h>
#include <abi/errno.h>

void xfs_space_rec(const struct xfs_bt_cur *c, u32 *agb, u32 *len)
{
	const u8 *r = xfs_bt_rec(c);

	*agb = xfs_get32(r);
	*len = xfs_get32(r + 4);
}

static void make_rec(u8 *rec, u32 agb, u32 len)
{
	xfs_put32(rec, agb);
	xfs_put32(rec + 4, len);
}

/* The record of an extent that the other tree has. */
static int find(struct xfs_bt_cur *c, u32 agb, u32 len)
{
	struct xfs_bt_key k;
	bool found;
	int e;

	make_rec(k.b, agb, len);
	e = xfs_bt_lookup(c, &k, XFS_BT_EQ, &found);
	if (!e && (!found || memcmp(xfs_bt_rec(c), k.b, 8)))
		e = xfs_tx_bad_ag(c->tx, c->agno, xfs_sick_of_kind(c->shape->kind), c->shape->name,
				  "extent of the other tree", c->agno, agb);
	return e;
}

static int insert(struct xfs_bt_cur *c, u32 agb, u32 len)
{
	u8 rec[8];

	make_rec(rec, agb, len);
	return xfs_bt_insert(c, rec);
}

static int cnt_delete(struct xfs_agop *op, u32 agb, u32 len)
{
	int e = find(&op->cnt, agb, len);

	return e ?: xfs_bt_delete(&op->cnt);
}

/* The AGF has BY blocks more that are free, and the longest extent that there is. */
static int count(struct xfs_agop *op, u32 by)
{
	struct xfs_dagf *d = xfs_agop_agf(op);
	u32 agb, len = 0, free = be32_get(d->freeblks) + by;
	struct xfs_bt_key k;
	bool found;
	int e;

	memset(k.b, 0xff, sizeof(k.b));
	e = xfs_bt_lookup(&op->cnt, &k, XFS_BT_LE, &found);
	if (!e && found)
		xfs_space_rec(&op->cnt, &agb, &len);
	if (e)
		return e;
	if (free > op->ag->length || len > free)
		return xfs_tx_bad_ag(op->tx, op->ag->agno, XFS_SICK_AG_AGF, "AGF", "freeblks",
				     op->agf->daddr, free);
	d->freeblks = be32_make(free);
	d->longest = be32_make(len);
	xfs_agf_log(op);
	return 0;
}

int xfs_space_take(struct xfs_agop *op, u32 agb, u32 len)
{
	u32 start, all, left, right;
	struct xfs_bt_key k;
	bool found;
	u8 rec[8];
	int e;

	make_rec(k.b, agb, 0);
	e = xfs_bt_lookup(&op->bno, &k, XFS_BT_LE, &found);
	if (e)
		return e;
	if (found)
		xfs_space_rec(&op->bno, &start, &all);
	if (!found || agb - start >= all || len > all - (agb - start) || !len ||
	    !xfs_agb_ok(&op->tx->fs->vol.sb, op->ag->agno, agb))
		return xfs_tx_bad_ag(op->tx, op->ag->agno, XFS_SICK_AG_BNOBT, "bnobt",
				     "free extent", op->ag->agno, agb);
	left = agb - start;
	right = all - left - len;
	e = cnt_delete(op, start, all);
	if (!e && !left && !right) {
		e = xfs_bt_delete(&op->bno);
	} else if (!e) {
		make_rec(rec, left ? start : agb + len, left ? left : right);
		e = xfs_bt_update(&op->bno, rec);
		e = e ?: insert(&op->cnt, left ? start : agb + len, left ? left : right);
		if (!e && left && right) {
			e = insert(&op->bno, agb + len, right);
			e = e ?: insert(&op->cnt, agb + len, right);
		}
	}
	return e ?: count(op, 0u - len);
}

/* The neighbours of a used extent, free themselves; *RLEN, *LLEN 0: they do not touch it. */
static int neighbours(struct xfs_agop *op, u32 agb, u32 len, u32 *left, u32 *llen, u32 *rlen)
{
	struct xfs_bt_key k;
	bool found;
	u32 right;
	int e;

	*llen = *rlen = 0;
	make_rec(k.b, agb + len - 1, 0);
	e = xfs_bt_lookup(&op->bno, &k, XFS_BT_GE, &found);
	if (!e && found)
		xfs_space_rec(&op->bno, &right, rlen);
	if (!e && *rlen && right < agb + len)
		return xfs_tx_bad_ag(op->tx, op->ag->agno, XFS_SICK_AG_BNOBT, "bnobt",
				     "freed block", op->ag->agno, agb);
	if (*rlen && right > agb + len)
		*rlen = 0;
	make_rec(k.b, agb + len - 1, 0);
	e = e ?: xfs_bt_lookup(&op->bno, &k, XFS_BT_LE, &found);
	if (!e && found)
		xfs_space_rec(&op->bno, left, llen);
	if (!e && *llen && *left + *llen > agb)
		return xfs_tx_bad_ag(op->tx, op->ag->agno, XFS_SICK_AG_BNOBT, "bnobt",
				     "freed block", op->ag->agno, agb);
	if (*llen && *left + *llen < agb)
		*llen = 0;
	return e;
}

/* Joins with neither, the left (where the cursor is), the right or both. */
static int join(struct xfs_agop *op, u32 agb, u32 len, u32 left, u32 llen, u32 rlen)
{
	u32 start = llen ? left : agb, all = llen + len + rlen;
	u8 rec[8];
	int e = 0;

	make_rec(rec, start, all);
	if (llen)
		e = cnt_delete(op, left, llen);
	if (!e && rlen)
		e = cnt_delete(op, agb + len, rlen);
	if (!e && rlen)
		e = find(&op->bno, agb + len, rlen);
	if (!e && rlen && llen) {
		e = xfs_bt_delete(&op->bno);
		e = e ?: find(&op->bno, left, llen);
	}
	if (!e && (llen || rlen))
		e = xfs_bt_update(&op->bno, rec);
	else
		e = e ?: xfs_bt_insert(&op->bno, rec);
	return e ?: insert(&op->cnt, start, all);
}

int xfs_space_give(struct xfs_agop *op, u32 agb, u32 len)
{
	u32 left = 0, llen, rlen;
	int e = neighbours(op, agb, len, &left, &llen, &rlen);

	e = e ?: join(op, agb, len, left, llen, rlen);
	return e ?: count(op, len);
}

int xfs_free(struct xfs_tx *tx, u64 fsb, u32 len, const struct xfs_owner *owner, bool keep,
	     bool kept)
{
	const struct xfs_sb *sb = &tx->fs->vol.sb;
	u32 agno = xfs_fsb_ag(sb, fsb), agb = xfs_fsb_agb(sb, fsb);
	struct xfs_agop op;
	struct xfs_txbuf *agf;
	int e;

	if (!xfs_fsb_ok(sb, fsb, len))
		return xfs_tx_bad(tx, "extent", "freed", fsb, len);
	e = xfs_ag_agf(tx, agno, 0, &agf);
	if (e)
		return e;
	xfs_agop_open(&op, tx, agno, agf);
	e = xfs_agop_fill(&op);
	if (e == -ENOSPC)	/* as much as there is: what is freed now fills it next time */
		e = 0;
	if (!e && owner->owner != XFS_OWN_NULL)
		e = xfs_rmap_unmap(&op, agb, len, owner);
	e = e ?: xfs_space_give(&op, agb, len);
	xfs_agop_close(&op);
	if (e)
		return e;
	xfs_tx_busy(tx, agno, agb, len, keep);
	tx->fdblocks += len;
	if (kept)
		xfs_ag_use_kept(tx, op.ag, -(s32)len);
	return 0;
}

int xfs_tree_block_free(struct xfs_bt_cur *c, u64 ptr, const struct xfs_owner *owner, bool kept)
{
	u64 fsb = xfs_fsb_make(&c->tx->fs->vol.sb, c->agno, (u32)ptr);

	return xfs_free(c->tx, fsb, 1, owner, true, kept);
}
