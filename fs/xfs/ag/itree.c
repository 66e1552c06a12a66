// SPDX-License-Identifier: MIT
/* The AGI, and its trees of chunks of inodes. */
#include "fs/xfs/ag/ialloc_priv.h"

int xfs_ag_agi(struct xfs_tx *tx, u32 agno, u32 flags, struct xfs_txbuf **out)
{
	const struct xfs_sb *sb = &tx->fs->vol.sb;
	struct xfs_ag *ag = xfs_ag_of(tx->fs, agno);
	u32 bbs = sb->sectsize / XFS_SECTOR;
	const struct xfs_dagi *d;
	int e = xfs_tx_get(tx, XFS_BLK_AGI, xfs_agb_daddr(sb, agno, 0) + (u64)bbs * 2, bbs,
			   agno < tx->lowest ? flags | XFS_GET_TRY : flags, out);

	if (e)
		return e;
	tx->lowest = max(tx->lowest, agno);
	d = (const struct xfs_dagi *)(*out)->data;
	ag->inodes = be32_get(d->count);
	ag->freeinodes = be32_get(d->freecount);
	ag->agi_known = true;
	return 0;
}

void xfs_agi_log(struct xfs_iop *op)
{
	xfs_tx_log(op->tx, op->agi, 0, offsetof(struct xfs_dagi, unlinked));
	xfs_tx_log(op->tx, op->agi, offsetof(struct xfs_dagi, free_root),
		   (u32)sizeof(struct xfs_dagi) - offsetof(struct xfs_dagi, free_root));
}

void xfs_iop_count(struct xfs_iop *op, int by, int free)
{
	struct xfs_dagi *d = xfs_iop_agi(op);

	d->count = be32_make(be32_get(d->count) + (u32)by);
	d->freecount = be32_make(be32_get(d->freecount) + (u32)free);
	op->ag->inodes = be32_get(d->count);
	op->ag->freeinodes = be32_get(d->freecount);
	op->tx->icount += by;
	op->tx->ifree += free;
	xfs_agi_log(op);
}

/* ---- roots and blocks ---- */

static bool is_free_tree(const struct xfs_bt_cur *c)
{
	return c->shape == &xfs_bt_shapes[XFS_BT_FINO];
}

static void root(struct xfs_bt_cur *c, u64 *ptr, u32 *levels)
{
	const struct xfs_dagi *d = xfs_iop_agi(c->ctx);

	*ptr = be32_get(is_free_tree(c) ? d->free_root : d->root);
	*levels = be32_get(is_free_tree(c) ? d->free_level : d->level);
}

static void set_root(struct xfs_bt_cur *c, u64 ptr, u32 levels)
{
	struct xfs_dagi *d = xfs_iop_agi(c->ctx);

	*(is_free_tree(c) ? &d->free_root : &d->root) = be32_make((u32)ptr);
	*(is_free_tree(c) ? &d->free_level : &d->level) = be32_make(levels);
	xfs_agi_log(c->ctx);
}

static const struct xfs_owner owner = { XFS_OWN_INOBT, 0, false };

static void count_block(struct xfs_bt_cur *c, u32 by)
{
	struct xfs_dagi *d = xfs_iop_agi(c->ctx);
	be32 *n = is_free_tree(c) ? &d->fblocks : &d->iblocks;

	if (!(c->tx->fs->vol.sb.ro_compat & XFS_RO_INOBTCNT))
		return;
	*n = be32_make(be32_get(*n) + by);
	xfs_agi_log(c->ctx);
}

static int take_block(struct xfs_bt_cur *c, u64 near, u64 *ptr)
{
	int e = xfs_tree_block(c, near, &owner, is_free_tree(c), ptr);

	if (!e)
		count_block(c, 1);
	return e;
}

static int free_block(struct xfs_bt_cur *c, u64 ptr)
{
	count_block(c, (u32)-1);
	return xfs_tree_block_free(c, ptr, &owner, is_free_tree(c));
}

static const struct xfs_bt_ops ops = {
	.root = root, .set_root = set_root, .alloc = take_block, .free = free_block
};

int xfs_iop_open(struct xfs_iop *op, struct xfs_tx *tx, u32 agno, u32 flags)
{
	int e = xfs_ag_agi(tx, agno, flags, &op->agi);

	if (e)
		return e;
	op->tx = tx;
	op->ag = xfs_ag_of(tx->fs, agno);
	op->with_free = tx->fs->vol.sb.ro_compat & XFS_RO_FINOBT;
	xfs_bt_open_ag(&op->all, tx, XFS_BT_INO, &ops, agno, op->agi);
	xfs_bt_open_ag(&op->free, tx, XFS_BT_FINO, &ops, agno, op->agi);
	op->all.ctx = op->free.ctx = op;
	return 0;
}

void xfs_iop_close(struct xfs_iop *op)
{
	xfs_bt_close(&op->all);
	xfs_bt_close(&op->free);
}

/* ---- records ---- */

static bool is_sparse(const struct xfs_bt_cur *c)
{
	return c->tx->fs->vol.sb.incompat & XFS_IN_SPINODES;
}

u64 xfs_chunk_hole_inodes(u16 holes)
{
	u64 m = 0;

	for (u32 i = 0; i < XFS_HOLE_BITS; i++)
		if (holes >> i & 1)
			m |= 0xfull << (i * 4);
	return m;
}

int xfs_chunk_get(struct xfs_bt_cur *c, struct xfs_chunk *out)
{
	const u8 *p = xfs_bt_rec(c);
	u64 gone;

	*out = (struct xfs_chunk){ xfs_get32(p), 0, XFS_CHUNK, xfs_get32(p + 4), xfs_get64(p + 8) };
	if (is_sparse(c)) {
		out->holes = (u16)(p[4] << 8 | p[5]);
		out->count = p[6];
		out->nfree = p[7];
	}
	gone = xfs_chunk_hole_inodes(out->holes);
	if (out->count != XFS_CHUNK - (u32)__builtin_popcountll(gone) ||
	    (out->free & gone) != gone ||
	    out->nfree != (u32)__builtin_popcountll(out->free & ~gone) ||
	    !xfs_agino_ok(&c->tx->fs->vol.sb, c->agno, out->start))
		return xfs_tx_bad_ag(c->tx, c->agno, xfs_sick_of_kind(c->shape->kind),
				     c->shape->name, "record", c->agno, out->start);
	return 0;
}

static void put(const struct xfs_bt_cur *c, const struct xfs_chunk *k, u8 *rec)
{
	xfs_put32(rec, k->start);
	xfs_put32(rec + 4,
		  is_sparse(c) ? (u32)k->holes << 16 | k->count << 8 | k->nfree : k->nfree);
	xfs_put64(rec + 8, k->free);
}

int xfs_chunk_update(struct xfs_bt_cur *c, const struct xfs_chunk *k)
{
	u8 rec[16];

	put(c, k, rec);
	return xfs_bt_update(c, rec);
}

int xfs_chunk_insert(struct xfs_bt_cur *c, const struct xfs_chunk *k)
{
	u8 rec[16];

	put(c, k, rec);
	return xfs_bt_insert(c, rec);
}

int xfs_chunk_find(struct xfs_bt_cur *c, u32 start, enum xfs_bt_dir dir, bool *found)
{
	struct xfs_bt_key key = { 0 };

	xfs_put32(key.b, start);
	return xfs_bt_lookup(c, &key, dir, found);
}

int xfs_chunk_from(struct xfs_bt_cur *c, u32 agino, struct xfs_chunk *k, bool *found)
{
	int e = xfs_chunk_find(c, agino, XFS_BT_LE, found);

	if (!e && *found)
		e = xfs_chunk_get(c, k);
	if (e || (*found && agino < k->start + XFS_CHUNK))
		return e;
	e = *found ? xfs_bt_next(c, found) : xfs_chunk_find(c, agino, XFS_BT_GE, found);
	return e || !*found ? e : xfs_chunk_get(c, k);
}
