// SPDX-License-Identifier: MIT
/*
 * Extents of a file go to other offsets, with the blocks that they have: a range is taken out, and
 * what is behind it moves down; or what is behind an offset moves up, and a hole is left.
 *
 * Each extent moves in one transaction with the change of its owner, those that move down from the
 * first one on and those that move up from the last one on, so that none comes where another still
 * is. After a crash a part of them has moved: as on Linux, that is the caller's to know.
 */
#include "fs/xfs/bmap/bmap_priv.h"
#include "fs/xfs/ag/intents.h"

/* The owner of X, which was at OFF, is told. */
static int tell_owner(struct xfs_exts *l, const struct xfs_ext *x, u64 off)
{
	struct xfs_ext was = *x;
	bool shared = xfs_fork_shares(l->ip, false);
	u64 ino = l->ip->node.core.ino;
	int e;

	was.off = off;
	e = xfs_rmap_later(l->tx, XFS_RMAP_UNMAP, x->fsb, x->count, ino,
			   xfs_owner_offset(false, &was), shared);
	return e     ?:
		       xfs_rmap_later(l->tx, XFS_RMAP_MAP, x->fsb, x->count, ino,
				      xfs_owner_offset(false, x), shared);
}

/* The extent at L's position moves to OFF. */
static int move(struct xfs_exts *l, u64 off)
{
	struct xfs_ext x = l->x;
	int e = xfs_exts_move(l, off);

	l->tx->moved = l->ip->moved = true;
	x.off = off;
	return e ?: tell_owner(l, &x, l->x.off);
}

int xfs_bmap_move_down(struct xfs_tx *tx, struct xfs_ino *ip, u64 by, u64 *from)
{
	struct xfs_exts l;
	u64 next = XFS_OFF_MAX;
	int e;

	xfs_exts_open(&l, tx, ip, false);
	e = xfs_exts_seek(&l, *from);
	if (!e && l.have && l.x.off < *from)
		e = xfs_exts_next(&l);
	if (!e && l.have) {
		next = l.x.off + l.x.count;
		e = l.x.off < by ? xfs_tx_bad_ino(tx, ip, XFS_SICK_INO_BMBTD, "inode",
						  "offset of an extent", l.x.off) :
				   move(&l, l.x.off - by);
	}
	xfs_exts_close(&l);
	*from = next;
	return e;
}

int xfs_bmap_move_up(struct xfs_tx *tx, struct xfs_ino *ip, u64 by, u64 from, u64 *end)
{
	struct xfs_exts l;
	u64 next = from;
	int e = 0;

	xfs_exts_open(&l, tx, ip, false);
	if (*end > from)
		e = xfs_exts_seek(&l, *end - 1);
	if (!e && l.have && l.x.off >= from && l.x.off < *end) {
		next = l.x.off;
		e = move(&l, l.x.off + by);
	}
	xfs_exts_close(&l);
	*end = next;
	return e;
}

int xfs_bmap_end(struct xfs_tx *tx, struct xfs_ino *ip, u64 *end)
{
	struct xfs_exts l;
	int e;

	xfs_exts_open(&l, tx, ip, false);
	e = xfs_exts_seek(&l, XFS_OFF_MAX - 1);
	*end = !e && l.have ? l.x.off + l.x.count : 0;
	xfs_exts_close(&l);
	return e;
}

int xfs_bmap_split(struct xfs_tx *tx, struct xfs_ino *ip, u64 off)
{
	struct xfs_exts l;
	int e;

	xfs_exts_open(&l, tx, ip, false);
	e = xfs_exts_seek(&l, off);
	if (!e && l.have && l.x.off < off && l.x.off + l.x.count > off)
		e = xfs_exts_split(&l, off);
	xfs_exts_close(&l);
	return e;
}
