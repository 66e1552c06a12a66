// SPDX-License-Identifier: MIT
/*
 * Chunks of inodes are made and given back. Where no place is long enough for a chunk, a part of
 * one is made (the sparse feature): it lies inside an aligned place of a chunk's length, and joins
 * the other parts that are there.
 */
#include "fs/xfs/ag/ialloc_priv.h"

static u32 chunk_blocks(const struct xfs_sb *sb)
{
	return max(XFS_CHUNK >> sb->inopblog, 1u);
}

u32 xfs_ialloc_room(const struct xfs_sb *sb)
{
	return chunk_blocks(sb) + 2 * XFS_BT_MAXLEVELS;
}

static int take_blocks(struct xfs_iop *op, u32 len, u32 align, u32 *agb)
{
	const struct xfs_sb *sb = &op->tx->fs->vol.sb;
	u32 near = be32_get(xfs_iop_agi(op)->newino), whole = max(sb->inoalignmt, 1u);
	struct xfs_alloc a = { .minlen = len,
			       .maxlen = len,
			       .align = align,
			       .where = XFS_ALLOC_NEAR,
			       .same_ag = true,
			       .metadata = true,
			       .minleft = XFS_BT_MAXLEVELS,
			       .owner = { XFS_OWN_INODES, 0, false } };
	int e;

	near = near == XFS_NULL32 ? be32_get(xfs_iop_agi(op)->root) : near >> sb->inopblog;
	a.near = xfs_fsb_make(sb, op->ag->agno, near);
	/* The whole place of the chunk lies in the AG, and not at its headers. */
	if (len < chunk_blocks(sb)) {
		a.from = whole;
		a.below = op->ag->length / whole * whole;
	}
	e = xfs_alloc(op->tx, &a);
	if (!e)
		*agb = xfs_fsb_agb(sb, a.fsb);
	return e;
}

/* The tree of chunks with free inodes gets the record of K, or loses it. */
static int note_free(struct xfs_iop *op, const struct xfs_chunk *k, bool exists)
{
	bool found;
	int e;

	if (!op->with_free)
		return 0;
	e = xfs_chunk_find(&op->free, k->start, XFS_BT_EQ, &found);
	if (e)
		return e;
	if (!exists)
		return found ? xfs_bt_delete(&op->free) : 0;
	return found ? xfs_chunk_update(&op->free, k) : xfs_chunk_insert(&op->free, k);
}

/* Both trees have K, which is a new chunk or a new part of one. */
static int note(struct xfs_iop *op, struct xfs_chunk *k)
{
	struct xfs_chunk was;
	bool found;
	int e = xfs_chunk_find(&op->all, k->start, XFS_BT_EQ, &found);

	if (e)
		return e;
	if (found) {
		e = xfs_chunk_get(&op->all, &was);
		if (!e && (k->holes | was.holes) != 0xffff)
			e = xfs_tx_bad_ag(op->tx, op->ag->agno, XFS_SICK_AG_INOBT, "inobt", "holes",
					  op->ag->agno, k->start);
		if (e)
			return e;
		k->holes &= was.holes;
		k->count += was.count;
		k->nfree += was.nfree;
		k->free &= was.free;
	}
	e = found ? xfs_chunk_update(&op->all, k) : xfs_chunk_insert(&op->all, k);
	return e ?: note_free(op, k, true);
}

static int begin_chunk(struct xfs_iop *op, u32 agb, u32 blocks, struct xfs_chunk *k)
{
	const struct xfs_sb *sb = &op->tx->fs->vol.sb;
	u32 inodes = blocks << sb->inopblog, first = agb << sb->inopblog, whole, at;

	if (inodes >= XFS_CHUNK) {
		*k = (struct xfs_chunk){ first, 0, XFS_CHUNK, XFS_CHUNK, ~0ull };
	} else {
		whole = agb / max(sb->inoalignmt, 1u) * max(sb->inoalignmt, 1u);
		*k = (struct xfs_chunk){ whole << sb->inopblog, 0xffff, inodes, inodes, ~0ull };
		at = (first - k->start) / 4;
		for (u32 i = 0; i < inodes / 4; i++)
			k->holes &= (u16) ~(1u << (at + i));
	}
	return xfs_tx_new_inodes(op->tx, op->ag->agno, agb, min(inodes, XFS_CHUNK), blocks,
				 xfs_random());
}

int xfs_chunk_make(struct xfs_iop *op)
{
	const struct xfs_sb *sb = &op->tx->fs->vol.sb;
	u32 blocks = chunk_blocks(sb), agb, first, inodes;
	struct xfs_chunk k;
	int e = take_blocks(op, blocks, max(sb->inoalignmt, 1u), &agb);

	if (e == -ENOSPC && sb->incompat & XFS_IN_SPINODES && sb->spino_align &&
	    sb->spino_align < blocks) {
		blocks = sb->spino_align;
		e = take_blocks(op, blocks, blocks, &agb);
	}
	if (e)
		return e;
	first = agb << sb->inopblog;
	e = begin_chunk(op, agb, blocks, &k);
	if (e)
		return e;
	inodes = k.count;
	e = note(op, &k);
	if (e)
		return e;
	xfs_iop_agi(op)->newino = be32_make(first);
	xfs_iop_count(op, (int)inodes, (int)inodes);
	return 0;
}

/* ---- giving back ---- */

/* The blocks of K that exist, in runs. */
static int free_blocks(struct xfs_iop *op, const struct xfs_chunk *k)
{
	static const struct xfs_owner owner = { XFS_OWN_INODES, 0, false };
	const struct xfs_sb *sb = &op->tx->fs->vol.sb;
	u64 gone = xfs_chunk_hole_inodes(k->holes);
	u32 per = 1u << sb->inopblog, first = k->start >> sb->inopblog, n = chunk_blocks(sb);
	u32 cluster = min(xfs_cluster_blocks(sb), n), i = 0;
	int e = 0;

	while (!e && i < n) {
		u32 run = 0;

		while (i + run < n && !(gone >> ((i + run) * per) & 1)) {
			xfs_tx_kill_at(op->tx, xfs_agb_daddr(sb, op->ag->agno, first + i + run),
				       cluster << (sb->blocklog - 9));
			run += cluster;
		}
		if (run)
			e = xfs_free_later(op->tx, xfs_fsb_make(sb, op->ag->agno, first + i), run,
					   &owner, true);
		i += run + cluster;
	}
	return e;
}

/* The chunk that has inode AGINO: the position of OP's tree of all. */
static int chunk_of(struct xfs_iop *op, u32 agino, struct xfs_chunk *k)
{
	bool found;
	int e = xfs_chunk_find(&op->all, agino, XFS_BT_LE, &found);

	if (!e && found)
		e = xfs_chunk_get(&op->all, k);
	if (!e && (!found || agino - k->start >= XFS_CHUNK ||
		   xfs_chunk_hole_inodes(k->holes) >> (agino - k->start) & 1))
		e = xfs_tx_bad_ag(op->tx, op->ag->agno, XFS_SICK_AG_INOBT, "inobt",
				  "inode without a chunk", op->ag->agno, agino);
	return e;
}

static int free_inode(struct xfs_iop *op, u32 agino, bool keep, bool *gone)
{
	struct xfs_chunk k;
	int e = chunk_of(op, agino, &k);
	u64 bit;

	if (e)
		return e;
	bit = 1ull << (agino - k.start);
	if (k.free & bit)
		return xfs_tx_bad_ag(op->tx, op->ag->agno, XFS_SICK_AG_INOBT, "inobt",
				     "inode that is free", op->ag->agno, agino);
	k.free |= bit;
	k.nfree++;
	/* A block that has more than one chunk's inodes stays. */
	*gone = !keep && k.nfree == k.count && 1u << op->tx->fs->vol.sb.inopblog <= XFS_CHUNK;
	if (!*gone) {
		e = xfs_chunk_update(&op->all, &k);
		e = e ?: note_free(op, &k, true);
		if (!e)
			xfs_iop_count(op, 0, 1);
		return e;
	}
	e = xfs_bt_delete(&op->all);
	e = e ?: note_free(op, &k, false);
	if (e)
		return e;
	xfs_iop_count(op, -(int)k.count, 1 - (int)k.nfree);
	return free_blocks(op, &k);
}

int xfs_ifree(struct xfs_tx *tx, u64 ino, bool keep, bool *gone)
{
	const struct xfs_sb *sb = &tx->fs->vol.sb;
	struct xfs_iop op;
	int e = xfs_iop_open(&op, tx, xfs_ino_ag(sb, ino), 0);

	*gone = false;
	if (e)
		return e;
	e = free_inode(&op, xfs_ino_agino(sb, ino), keep, gone);
	xfs_iop_close(&op);
	return e;
}
