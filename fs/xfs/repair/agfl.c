// SPDX-License-Identifier: MIT
/* The free list: the blocks that trees live from, and have not. */
#include "fs/xfs/repair/repair.h"
#include <lib/minmax.h>

static int get_agfl(struct xfs_repair *r, u32 flags, struct xfs_txbuf **b)
{
	u32 bbs = r->sb->sectsize / XFS_SECTOR;

	return xfs_tx_get(r->tx, XFS_BLK_AGFL, xfs_agb_daddr(r->sb, r->ag->agno, 0) + 3 * bbs, bbs,
			  flags, b);
}

int xfs_agfl_blocks(struct xfs_repair *r, struct xfs_list *l)
{
	const struct xfs_dagf *d = (const void *)r->sc.agf->tx.data;
	u32 first = be32_get(d->flfirst), n = be32_get(d->flcount), size = xfs_agfl_size(r->sb);
	struct xfs_txbuf *b;
	int e;

	if (n > size || first >= size ||
	    (n && (be32_get(d->fllast) + size - first) % size + 1 != n))
		return -XFS_CORRUPT;
	e = get_agfl(r, 0, &b);
	for (u32 i = 0; !e && i < n; i++)
		e = xfs_list_add(l, xfs_agfl_at(b->data, (first + i) % size));
	xfs_list_sort(l);
	return e;
}

int xfs_write_agfl(struct xfs_repair *r, struct xfs_agop *op)
{
	struct xfs_dagfl h = { .magic = be32_make(XFS_AGFL_MAGIC),
			       .seqno = be32_make(r->ag->agno) };
	u32 n = min(r->own.n, xfs_agfl_size(r->sb));
	struct xfs_dagf *d = xfs_agop_agf(op);
	struct xfs_txbuf *b;
	int e = get_agfl(r, XFS_GET_NEW, &b);

	if (e)
		return e;
	memcpy(h.uuid, r->sb->meta_uuid, sizeof(h.uuid));
	memset(b->data, 0xff, b->len);
	memcpy(b->data, &h, sizeof(h));
	for (u32 i = 0; i < n; i++)
		xfs_put32(b->data + sizeof(h) + (size_t)i * 4, (u32)r->own.v[i]);
	xfs_tx_log_all(r->tx, b);
	d->flfirst = be32_make(n ? 0 : 1);
	d->fllast = be32_make(n ? n - 1 : 0);
	d->flcount = be32_make(n);
	for (u32 i = n; !e && i < r->own.n; i++)
		e = xfs_list_add(&r->old, r->own.v[i]);
	r->old_owner = XFS_OWN_AG;
	return e;
}

int xfs_repair_agfl(struct xfs_repair *r)
{
	struct xfs_list trees = { 0 };
	struct xfs_agop op;
	int e = xfs_gather_owners(r);

	e = e ?: xfs_repair_space_ok(r);
	e = e ?: xfs_repair_blocks(r, XFS_BT_BNO, &trees);
	e = e ?: xfs_repair_blocks(r, XFS_BT_CNT, &trees);
	xfs_list_sort(&trees);
	e = e ?: xfs_list_subtract(&r->own, &trees);
	xfs_list_free(&trees);
	if (e)
		return e;
	xfs_agop_open(&op, r->tx, r->ag->agno, r->agf);
	e = xfs_write_agfl(r, &op);
	r->tx->fdblocks += (s64)be32_get(xfs_agop_agf(&op)->flcount) - r->ag->flcount;
	xfs_agf_log(&op);
	xfs_agop_close(&op);
	return e ?: xfs_reap(r);
}
