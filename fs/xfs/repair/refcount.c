// SPDX-License-Identifier: MIT
/*
 * The tree of shared and of staged blocks. How many files have a block: as many extents as begin at
 * or before it, less those that end at or before it.
 */
#include "fs/xfs/repair/repair.h"
#include <lib/minmax.h>

static int add(struct xfs_list *l, u32 start, u64 len, u64 refs)
{
	int e;

	if (refs < 2 || !len)
		return 0;
	/* Of two that touch and have one count there is one record. */
	if (l->n && (l->v[l->n - 2] >> 32) + (u32)l->v[l->n - 2] == start &&
	    l->v[l->n - 1] == refs) {
		l->v[l->n - 2] += len;
		return 0;
	}
	e = xfs_list_add(l, xfs_pair(start, (u32)len));
	return e ?: xfs_list_add(l, refs);
}

static int count(struct xfs_repair *r, struct xfs_list *l)
{
	u32 s = 0, n = 0;
	u64 at = 0;
	int e = 0;

	xfs_list_sort(&r->ends);
	while (!e && n < r->ends.n) {
		u64 next = s < r->starts.n ? min(r->starts.v[s], r->ends.v[n]) : r->ends.v[n];

		e = add(l, (u32)at, next - at, min(s - n, U32_MAX));
		at = next;
		while (s < r->starts.n && r->starts.v[s] == at)
			s++;
		while (n < r->ends.n && r->ends.v[n] == at)
			n++;
	}
	for (u32 i = 0; !e && i < r->staged.n; i++) {
		e = xfs_list_add(l, r->staged.v[i] | (u64)XFS_REFC_STAGED << 32);
		e = e ?: xfs_list_add(l, 1);
	}
	return e;
}

static int switch_root(struct xfs_repair *r, const struct xfs_new_tree *t)
{
	const struct xfs_owner owner = { XFS_OWN_REFC, 0, false };
	struct xfs_agop op;
	struct xfs_dagf *d;
	int e;

	xfs_agop_open(&op, r->tx, r->ag->agno, r->agf);
	e = xfs_own_pieces(r, &op, &owner);
	d = xfs_agop_agf(&op);
	r->tx->fdblocks -= t->blocks;
	xfs_ag_use_kept(r->tx, r->ag, (s32)(t->blocks - be32_get(d->refc_blocks)));
	d->refc_root = be32_make(t->root);
	d->refc_level = be32_make(t->levels);
	d->refc_blocks = be32_make(t->blocks);
	xfs_agf_log(&op);
	xfs_agop_close(&op);
	swap(r->refc, r->old);
	r->old_owner = XFS_OWN_REFC;
	return e ?: xfs_reap(r);
}

int xfs_repair_refcount(struct xfs_repair *r)
{
	struct xfs_list recs = { 0 };
	struct xfs_new_tree t = { .kind = XFS_BT_REFC, .recs = &recs };
	int e = xfs_gather_owners(r);

	e = e ?: xfs_repair_space_ok(r);
	e = e ?: count(r, &recs);
	t.n = recs.n / 2;
	xfs_new_tree_size(r, &t);
	e = e ?: xfs_pick_blocks(r, t.blocks, true);
	e = e ?: xfs_load_tree(r, &t);
	e = e ?: bdev_flush(r->mp->sb->s_bdev);
	e = e ?: switch_root(r, &t);
	xfs_list_free(&recs);
	return e;
}
