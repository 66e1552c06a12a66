// SPDX-License-Identifier: MIT
/*
 * Blocks of files: allocated and mapped, unmapped and freed, marked as written or not (bmap.h).
 *
 * The owner of a block is noted at once where it is allocated, as its AG is locked; all that
 * unmapping asks for is deferred, since the blocks may lie in several AGs.
 */
#include "fs/xfs/bmap/bmap_priv.h"
#include "fs/xfs/ag/intents.h"

#define MODE_TYPE 0170000u
#define MODE_FILE 0100000u

/* Blocks of directories and attributes, and of links, are metadata. */
static bool is_metadata(const struct xfs_ino *ip, bool attr)
{
	return attr || (ip->node.core.mode & MODE_TYPE) != MODE_FILE;
}

int xfs_bmap_count(struct xfs_tx *tx, struct xfs_ino *ip, s64 by)
{
	struct xfs_core *c = &ip->node.core;
	u64 now = c->nblocks + (u64)by;

	if ((by < 0 && now > c->nblocks) ||
	    (by > 0 && now > tx->fs->vol.sb.dblocks && !(c->flags2 & XFS_DIFLAG2_REFLINK)))
		return xfs_tx_bad_ino(tx, ip, XFS_SICK_INO_CORE, "inode", "nblocks", c->nblocks);
	c->nblocks = now;
	xfs_tx_inode(tx, ip, XFS_LI_CORE);
	return 0;
}

/* LOGGED: what is written there goes through the log, so that blocks may be busy. */
static int extend(struct xfs_tx *tx, struct xfs_ino *ip, bool attr, u64 off, u32 least, u32 count,
		  u64 near, bool unwritten, bool logged, struct xfs_ext *got)
{
	struct xfs_ext x = { .off = off, .unwritten = unwritten };
	struct xfs_alloc a = { .near = near ? near : xfs_beside_inode(ip),
			       .minlen = least,
			       .maxlen = min(count, XFS_EXT_MOST),
			       .where = XFS_ALLOC_NEAR,
			       .metadata = logged,
			       .minleft = xfs_bmap_tree_room(&tx->fs->vol.sb, attr),
			       .owner = { ip->node.core.ino, xfs_owner_offset(attr, &x),
					  xfs_fork_shares(ip, attr) } };
	struct xfs_exts l;
	int e = xfs_alloc(tx, &a);

	if (e)
		return e;
	x.fsb = a.fsb;
	x.count = a.len;
	e = xfs_bmap_count(tx, ip, a.len);
	if (e)
		return e;
	xfs_exts_open(&l, tx, ip, attr);
	e = xfs_exts_add(&l, &x);
	xfs_exts_close(&l);
	if (got)
		*got = x;
	return e;
}

int xfs_bmap_extend(struct xfs_tx *tx, struct xfs_ino *ip, bool attr, u64 off, u32 least, u32 count,
		    u64 near, bool unwritten, struct xfs_ext *got)
{
	return extend(tx, ip, attr, off, least, count, near, unwritten, is_metadata(ip, attr), got);
}

int xfs_bmap_alloc(struct xfs_tx *tx, struct xfs_ino *ip, bool attr, u64 off, u32 count, u64 near,
		   bool logged)
{
	while (count) {
		struct xfs_ext got;
		int e = extend(tx, ip, attr, off, 1, count, near, false, logged, &got);

		if (e)
			return e;
		off += got.count;
		count -= got.count;
		near = got.fsb + got.count - 1;
	}
	return 0;
}

int xfs_bmap_map(struct xfs_tx *tx, struct xfs_ino *ip, const struct xfs_ext *x)
{
	struct xfs_exts l;
	int e;

	xfs_exts_open(&l, tx, ip, false);
	e = xfs_exts_add(&l, x);
	xfs_exts_close(&l);
	if (!e)
		e = xfs_bmap_count(tx, ip, x->count);
	if (e)
		return e;
	return xfs_rmap_later(tx, XFS_RMAP_MAP, x->fsb, x->count, ip->node.core.ino,
			      xfs_owner_offset(false, x), xfs_fork_shares(ip, false));
}

int xfs_bmap_let_go(struct xfs_tx *tx, struct xfs_ino *ip, bool attr, const struct xfs_ext *x)
{
	static const struct xfs_owner nobody = { XFS_OWN_NULL, 0, false };
	bool shared = xfs_fork_shares(ip, attr);
	int e = xfs_rmap_later(tx, XFS_RMAP_UNMAP, x->fsb, x->count, ip->node.core.ino,
			       xfs_owner_offset(attr, x), shared);

	if (!e)
		e = xfs_bmap_count(tx, ip, -(s64)x->count);
	if (e)
		return e;
	return shared ? xfs_refcount_later(tx, XFS_REFC_DOWN, x->fsb, x->count) :
			xfs_free_later(tx, x->fsb, x->count, &nobody, is_metadata(ip, attr));
}

int xfs_bmap_each_cut(struct xfs_tx *tx, struct xfs_ino *ip, bool attr, u64 off, u64 count,
		      u32 most, u64 *left, int (*fn)(struct xfs_exts *l, struct xfs_ext *x))
{
	u64 end = off + count;
	struct xfs_ext x;
	struct xfs_exts l;
	int e = 0;

	xfs_exts_open(&l, tx, ip, attr);
	while (!e && off < end && most--) {
		e = xfs_exts_cut(&l, off, end - off, &x);
		if (e || !x.count) {
			off = end;
			break;
		}
		off = x.off + x.count;
		e = fn(&l, &x);
	}
	xfs_exts_close(&l);
	if (left)
		*left = end - off;
	return e;
}

static int let_go(struct xfs_exts *l, struct xfs_ext *x)
{
	return xfs_bmap_let_go(l->tx, l->ip, l->attr, x);
}

int xfs_bmap_unmap(struct xfs_tx *tx, struct xfs_ino *ip, bool attr, u64 off, u64 count, u32 most,
		   u64 *left)
{
	return xfs_bmap_each_cut(tx, ip, attr, off, count, most, left, let_go);
}

int xfs_bmap_free(struct xfs_tx *tx, struct xfs_ino *ip, bool attr, u64 off, u32 count)
{
	return xfs_bmap_unmap(tx, ip, attr, off, count, ~0u, NULL);
}

/* X goes back with the other mark, if it has not that one yet. */
static int mark(struct xfs_exts *l, struct xfs_ext *x, bool unwritten)
{
	bool differs = x->unwritten != unwritten;
	int e = 0;

	x->unwritten = unwritten;
	if (differs)
		e = xfs_rmap_later(l->tx, XFS_RMAP_MARK, x->fsb, x->count, l->ip->node.core.ino,
				   xfs_owner_offset(false, x), xfs_fork_shares(l->ip, false));
	return e ?: xfs_exts_add(l, x);
}

static int mark_unwritten(struct xfs_exts *l, struct xfs_ext *x)
{
	return mark(l, x, true);
}

static int mark_written(struct xfs_exts *l, struct xfs_ext *x)
{
	return mark(l, x, false);
}

int xfs_bmap_mark(struct xfs_tx *tx, struct xfs_ino *ip, u64 off, u64 count, bool unwritten,
		  u32 most, u64 *left)
{
	return xfs_bmap_each_cut(tx, ip, false, off, count, most, left,
				 unwritten ? mark_unwritten : mark_written);
}
