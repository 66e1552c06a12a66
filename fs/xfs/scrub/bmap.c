// SPDX-License-Identifier: MIT
/*
 * Extents of a fork: of data, of attributes, and those that are staged. What is wrong with them
 * alone is CORRUPT, what other trees say otherwise XCORRUPT. Neighbours that could be one extent
 * are compared as one with the owners' tree, which has them as one.
 */
#include "fs/xfs/scrub/scrub.h"
#include <lib/minmax.h>
#include <sched/task.h>

#define EXT_MOST 0x1fffffu		/* blocks of one extent on the disk */

struct bmap {
	bool attr;
	struct xfs_ext x;		/* what is gathered; count: COUNT */
	u64 count;
	u32 parts;
};

static bool refers(const struct xfs_scrub *sc)
{
	return !(sc->req->flags & (XFS_SCRUB_CORRUPT | XFS_SCRUB_XCORRUPT)) && !sc->error;
}

static void refer(struct xfs_scrub *sc, const struct bmap *b)
{
	u32 agb = xfs_fsb_agb(&sc->mp->fs.vol.sb, b->x.fsb), len = (u32)b->count;
	bool shares = !b->attr && xfs_scrub_node(sc)->core.flags2 & XFS_DIFLAG2_REFLINK;
	u64 off = b->x.off | (b->attr ? XFS_RMAP_ATTR : 0) |
		  (b->x.unwritten ? XFS_RMAP_UNWRITTEN : 0);

	xfs_scrub_used(sc, agb, len);
	xfs_scrub_no_inodes(sc, agb, len);
	xfs_scrub_owned_by(sc, agb, len, xfs_scrub_node(sc)->core.ino, off, !shares);
	if (!shares)
		xfs_scrub_not_shared(sc, agb, len);
	xfs_scrub_not_staged(sc, agb, len);
}

static int locked(struct xfs_scrub *sc, u64 fsb)
{
	return xfs_scrub_lock_ag(sc, xfs_fsb_ag(&sc->mp->fs.vol.sb, fsb));
}

/* What was gathered is all of its kind. */
static int finish(struct xfs_scrub *sc, struct bmap *b)
{
	int e = 0;

	if (!b->parts)
		return 0;
	if (b->parts > (b->count + EXT_MOST - 1) / EXT_MOST)
		sc->req->flags |= XFS_SCRUB_PREEN;
	if (refers(sc)) {
		e = locked(sc, b->x.fsb);
		if (!e)
			refer(sc, b);
		xfs_scrub_unlock_ag(sc);
	}
	b->parts = 0;
	return e ?: sc->error;
}

static int gather(struct xfs_scrub *sc, const struct xfs_ext *x, void *ctx)
{
	struct bmap *b = ctx;
	int e = 0;

	/* Names and attributes have block numbers of 32 bits. */
	if ((b->attr && x->unwritten) ||
	    ((b->attr || S_ISDIR(xfs_scrub_node(sc)->core.mode)) && x->off + x->count > 1ull << 32))
		return -XFS_CORRUPT;
	if (b->parts && x->off == b->x.off + b->count && x->fsb == b->x.fsb + b->count &&
	    x->unwritten == b->x.unwritten) {
		b->count += x->count;
		b->parts++;
		return 0;
	}
	e = finish(sc, b);
	b->x = *x;
	b->count = x->count;
	b->parts = 1;
	return e;
}

/* A block of the tree of extents. */
static int check_block(struct xfs_scrub *sc, u64 fsb, void *ctx)
{
	u32 agb = xfs_fsb_agb(&sc->mp->fs.vol.sb, fsb);
	const struct bmap *b = ctx;
	u64 kind = XFS_RMAP_BMBT | (b->attr ? XFS_RMAP_ATTR : 0);
	int e;

	if (!refers(sc))
		return 0;
	e = locked(sc, fsb);
	if (!e) {
		xfs_scrub_used(sc, agb, 1);
		xfs_scrub_has_owner(sc, agb, xfs_scrub_node(sc)->core.ino, kind);
	}
	xfs_scrub_unlock_ag(sc);
	return e ?: sc->error;
}

/* ---- what the owners' trees say that the fork has ---- */

static int check_rmap(struct xfs_scrub *sc, const struct xfs_bt_rec *r, void *ctx)
{
	const struct bmap *b = ctx;
	u64 off = r->offset & XFS_RMAP_OFF, left = r->count;
	u64 fsb = xfs_fsb_make(&sc->mp->fs.vol.sb, sc->agno, r->start);

	if (r->owner != xfs_scrub_node(sc)->core.ino || r->offset & XFS_RMAP_BMBT ||
	    !(r->offset & XFS_RMAP_ATTR) == b->attr)
		return 0;
	while (left) {
		struct xfs_map m;
		int e = fatal_signal_pending(current) ?
				-EINTR :
				xfs_bmap(sc->vol, xfs_scrub_node(sc), b->attr, off, &m);

		if (e)
			return e;
		if (m.type == XFS_MAP_HOLE || m.off != off || m.fsb != fsb || m.count > left) {
			xfs_scrub_bad(sc);
			return 1;
		}
		off += m.count;
		fsb += m.count;
		left -= m.count;
	}
	return 0;
}

/* Only of a fork that is empty though the file is not: each walk is over all owners of all AGs. */
static int check_rmaps(struct xfs_scrub *sc, struct bmap *b, const struct xfs_fork *k)
{
	bool empty = !b->attr && !xfs_scrub_node(sc)->core.size;
	u32 ags = smp_load_acquire(&sc->mp->fs.vol.sb.agcount);
	int e = 0;

	if (!xfs_scrub_has(sc, XFS_BT_RMAP) || k->format != XFS_FMT_EXTENTS || empty || k->nextents)
		return 0;
	for (u32 agno = 0; !e && agno < ags && !xfs_scrub_is_bad(sc); agno++) {
		struct xfs_scrub_tree t = {
			.kind = XFS_BT_RMAP, .rec = check_rmap, .ctx = b, .last = U32_MAX
		};

		e = xfs_scrub_lock_ag(sc, agno);
		e = e ?: xfs_scrub_walk(sc, &t);
		xfs_scrub_unlock_ag(sc);
		e = e == 1 ? 0 : e;
	}
	/* What cannot be read of them is no damage of the fork. */
	if (e == -XFS_CORRUPT) {
		sc->req->flags |= XFS_SCRUB_XFAIL;
		e = 0;
	}
	return e;
}

/* ---- what is staged ---- */

static int check_staged(struct xfs_scrub *sc)
{
	const struct xfs_sb *sb = &sc->mp->fs.vol.sb;
	struct xfs_ext x;
	u64 off = 0;
	int e = 0;

	if (!(xfs_scrub_node(sc)->core.flags2 & XFS_DIFLAG2_REFLINK))
		return -ENOENT;
	while (!e && sc->inode && xfs_copy_find(sc->inode, off, &x)) {
		u32 agb = xfs_fsb_agb(sb, x.fsb);

		if (fatal_signal_pending(current))
			return -EINTR;
		if (!xfs_ext_ok(sb, &x))
			return -XFS_CORRUPT;
		off = x.off + x.count;
		if (!refers(sc))
			break;
		e = locked(sc, x.fsb);
		if (!e) {
			xfs_scrub_used(sc, agb, x.count);
			xfs_scrub_no_inodes(sc, agb, x.count);
			xfs_scrub_owned(sc, agb, x.count, XFS_OWN_COW, true);
			xfs_scrub_in_staged(sc, agb, x.count);
			xfs_scrub_not_shared(sc, agb, x.count);
		}
		xfs_scrub_unlock_ag(sc);
		e = e ?: sc->error;
	}
	return e;
}

int xfs_scrub_bmap(struct xfs_scrub *sc)
{
	struct bmap b = { .attr = sc->req->type == XFS_SCRUB_BMBTA };
	struct xfs_scrub_fork tree = { .attr = b.attr, .block = check_block, .ctx = &b };
	struct xfs_scrub_fork exts = { .attr = b.attr, .ext = gather, .ctx = &b };
	const struct xfs_node *n = xfs_scrub_node(sc);
	struct xfs_fork k;
	int e;

	if (sc->req->type == XFS_SCRUB_BMBTC)
		return check_staged(sc);
	if (!xfs_fork_of(&sc->mp->fs.vol.sb, &n->core, n->literal, b.attr, &k) ||
	    (k.format != XFS_FMT_EXTENTS && k.format != XFS_FMT_BTREE))
		return 0;
	e = xfs_scrub_walk_fork(sc, &tree);
	e = e ?: xfs_scrub_walk_fork(sc, &exts);
	e = e ?: finish(sc, &b);
	if (e || !refers(sc))
		return e;
	return check_rmaps(sc, &b, &k);
}
