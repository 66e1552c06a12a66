// SPDX-License-Identifier: MIT
/*
 * Node form's index of free space: blocks, each with the largest free piece of so many blocks of
 * names, in their order; one that is not there counts as a mark, and a block of the index without
 * anything but marks is not there either. Its last number is never a mark.
 */
#include "fs/xfs/dirent/dirent_priv.h"

static struct xfs_ddir_free *free_of(struct xfs_txbuf *b)
{
	return (void *)b->data;
}

static u64 free_off(const struct xfs_dop *o, u32 f)
{
	return (XFS_DIR_FREE_START >> o->sb->blocklog) + ((u64)f << o->sb->dirblklog);
}

int xfs_dirfree_get(struct xfs_dop *o, u32 f, struct xfs_txbuf **out)
{
	struct xfs_ddir_free *h;
	int e = xfs_fork_get(o->tx, o->dp, false, free_off(o, f), XFS_BLK_DIR_FREE, 0, out);

	if (e)
		return e;
	h = free_of(*out);
	if (xfs_dir_blk_owner(h) != o->dp->node.core.ino)
		return xfs_dop_bad(o, "owner", xfs_dir_blk_owner(h));
	return be32_get(h->firstdb) == f * xfs_dirfree_max(o->sb) ?
		       0 :
		       xfs_dop_bad(o, "firstdb", be32_get(h->firstdb));
}

int xfs_dirfree_new(struct xfs_dop *o, u32 f, struct xfs_txbuf **out)
{
	struct xfs_ddir_free *h;
	int e = xfs_fork_new(o->tx, o->dp, false, free_off(o, f), XFS_BLK_DIR_FREE, out);

	if (e)
		return e;
	h = free_of(*out);
	h->h = (struct xfs_ddir_blk){ .magic = be32_make(XFS_DIR_FREE_MAGIC),
				      .blkno = be64_make((*out)->daddr),
				      .owner = be64_make(o->dp->node.core.ino) };
	memcpy(h->h.uuid, o->sb->meta_uuid, XFS_UUID_SIZE);
	h->firstdb = be32_make(f * xfs_dirfree_max(o->sb));
	xfs_tx_log_all(o->tx, *out);
	return 0;
}

/* In block F of the index; *HOLE: a number without a block of names, where there is one. */
static int find_in(struct xfs_dop *o, u32 f, u32 need, u32 *db, u32 *hole)
{
	u32 max = xfs_dirfree_max(o->sb), n;
	int e = xfs_fork_has(o->tx, o->dp, false, free_off(o, f));
	struct xfs_txbuf *b;

	if (e <= 0) {
		*hole = f * max;
		return e;
	}
	e = xfs_dirfree_get(o, f, &b);
	if (e)
		return e;
	n = be32_get(free_of(b)->nvalid);
	if (n < max)
		*hole = f * max + n;
	for (u32 i = n; i--;) {
		u32 best = be16_get(free_of(b)->best[i]);

		if (best == XFS_DIR_NULL_BEST) {
			*hole = f * max + i;
		} else if (best >= need) {
			*db = f * max + i;
			xfs_tx_put(o->tx, b);
			return 1;
		}
	}
	xfs_tx_put(o->tx, b);
	return 0;
}

/* From the end on: the last block is the one that is filled. */
int xfs_dirfree_find(struct xfs_dop *o, u32 need, u32 *db)
{
	u32 end = (u32)(o->dp->node.core.size / o->sb->dirblksize), hole = end;

	for (u32 f = DIV_ROUND_UP(end, xfs_dirfree_max(o->sb)); f--;) {
		int e = find_in(o, f, need, db, &hole);

		if (e)
			return e;
	}
	*db = hole;
	return 0;
}

/* The last number of H is no mark. */
static void trim(struct xfs_ddir_free *h)
{
	u32 n = be32_get(h->nvalid);

	while (n && be16_get(h->best[n - 1]) == XFS_DIR_NULL_BEST)
		n--;
	h->nvalid = be32_make(n);
}

int xfs_dirfree_set(struct xfs_dop *o, u32 db, u32 best)
{
	u32 max = xfs_dirfree_max(o->sb), f = db / max, i = db % max, n, from;
	int has = xfs_fork_has(o->tx, o->dp, false, free_off(o, f));
	struct xfs_ddir_free *h;
	struct xfs_txbuf *b;
	int e = has < 0 ? has : has ? xfs_dirfree_get(o, f, &b) : xfs_dirfree_new(o, f, &b);

	if (e)
		return e;
	h = free_of(b);
	n = from = be32_get(h->nvalid);
	for (; n <= i; n++)
		h->best[n] = be16_make(XFS_DIR_NULL_BEST);
	if (be16_get(h->best[i]) == best)
		return 0;
	h->nused = be32_make(be32_get(h->nused) - (best == XFS_DIR_NULL_BEST) +
			     (be16_get(h->best[i]) == XFS_DIR_NULL_BEST));
	h->nvalid = be32_make(n);
	h->best[i] = be16_make((u16)best);
	from = min(from, i);
	xfs_tx_log(o->tx, b, (u32)(sizeof(*h) + 2 * from), 2 * (n - from));
	trim(h);
	xfs_tx_log(o->tx, b, 0, sizeof(*h));
	if (be32_get(h->nused) > be32_get(h->nvalid))
		return xfs_dop_bad(o, "nused", be32_get(h->nused));
	if (!be32_get(h->nused) && f && xfs_fork_may_free(o->tx, false, 1))
		return xfs_fork_shrink(o->tx, o->dp, false, free_off(o, f), b);
	return 0;
}

int xfs_dirfree_end(struct xfs_dop *o, u32 end, u32 *blocks)
{
	u32 max = xfs_dirfree_max(o->sb);

	for (u32 f = DIV_ROUND_UP(end, max); f--;) {
		struct xfs_txbuf *b;
		int e = xfs_fork_has(o->tx, o->dp, false, free_off(o, f));

		if (!e)
			continue;
		e = e < 0 ? e : xfs_dirfree_get(o, f, &b);
		if (e)
			return e;
		*blocks = be32_get(free_of(b)->nvalid);
		if (*blocks) {
			*blocks += f * max;
			return 0;
		}
	}
	return xfs_dop_bad(o, "nvalid", 0);
}
