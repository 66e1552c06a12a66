// SPDX-License-Identifier: MIT
/*
 * Both trees of free space: what the tree of owners leaves. Their own blocks come out of that, too.
 * Where extents are taken whole for them, there are fewer records, and perhaps fewer blocks of
 * trees than were taken: those are freed with the old ones.
 */
#include "fs/xfs/repair/repair.h"
#include <lib/minmax.h>

/* What the roots, and the sums, are with both trees. */
static void set_roots(struct xfs_repair *r, struct xfs_agop *op, const struct xfs_new_tree *bno,
		      const struct xfs_new_tree *cnt)
{
	struct xfs_dagf *d = xfs_agop_agf(op);
	u32 sum = 0, longest = 0, blocks = r->rmap_blocks + bno->blocks + cnt->blocks - 3;
	s64 was = (s64)r->ag->freeblks + r->ag->flcount + r->ag->btreeblks;

	for (u32 i = 0; i < r->free.n; i++) {
		sum += (u32)r->free.v[i];
		longest = max(longest, (u32)r->free.v[i]);
	}
	d->bno_root = be32_make(bno->root);
	d->bno_level = be32_make(bno->levels);
	d->cnt_root = be32_make(cnt->root);
	d->cnt_level = be32_make(cnt->levels);
	d->freeblks = be32_make(sum);
	d->longest = be32_make(longest);
	d->btreeblks = be32_make(blocks);
	xfs_agf_log(op);
	/* The old blocks come back when they are freed. */
	r->tx->fdblocks += (s64)sum + be32_get(d->flcount) + blocks - was;
}

static int switch_roots(struct xfs_repair *r, const struct xfs_new_tree *bno,
			const struct xfs_new_tree *cnt)
{
	const struct xfs_owner owner = { XFS_OWN_AG, 0, false };
	struct xfs_agop op;
	int e;

	xfs_agop_open(&op, r->tx, r->ag->agno, r->agf);
	set_roots(r, &op, bno, cnt);
	e = xfs_own_pieces(r, &op, &owner);
	xfs_agop_close(&op);
	return e ?: xfs_reap(r);
}

static int by_length(const struct xfs_repair *r, struct xfs_list *l)
{
	int e = 0;

	for (u32 i = 0; !e && i < r->free.n; i++)
		e = xfs_list_add(l, r->free.v[i] << 32 | r->free.v[i] >> 32);
	xfs_list_sort(l);
	return e;
}

/* The blocks of both old trees: what the list and the tree of owners leave. */
static int find_old(struct xfs_repair *r)
{
	struct xfs_list listed = { 0 };
	int e = xfs_agfl_blocks(r, &listed);

	e = e ?: xfs_list_subtract(&r->own, &listed);
	xfs_list_free(&listed);
	swap(r->own, r->old);
	r->old_owner = XFS_OWN_AG;
	return e;
}

int xfs_repair_alloc(struct xfs_repair *r)
{
	struct xfs_list lens = { 0 };
	struct xfs_new_tree bno = { .kind = XFS_BT_BNO, .recs = &r->free },
			    cnt = { .kind = XFS_BT_CNT, .recs = &lens };
	int e = xfs_gather_owners(r);

	e = e ?: find_old(r);
	bno.n = cnt.n = r->free.n;
	xfs_new_tree_size(r, &bno);
	xfs_new_tree_size(r, &cnt);
	e = e ?: xfs_pick_blocks(r, bno.blocks + cnt.blocks, false);
	bno.n = cnt.n = r->free.n;
	xfs_new_tree_size(r, &bno);
	xfs_new_tree_size(r, &cnt);
	e = e ?: by_length(r, &lens);
	e = e ?: xfs_load_tree(r, &bno);
	e = e ?: xfs_load_tree(r, &cnt);
	e = e ?: xfs_spare_blocks(r);
	e = e ?: bdev_flush(r->mp->sb->s_bdev);
	e = e ?: switch_roots(r, &bno, &cnt);
	xfs_list_free(&lens);
	return e;
}
