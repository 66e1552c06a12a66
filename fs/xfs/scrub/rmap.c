// SPDX-License-Identifier: MIT
/* The tree of owners of blocks. */
#include "fs/xfs/scrub/scrub.h"
#include <lib/minmax.h>

struct rmap {
	struct xfs_bt_rec before;
	struct xfs_scrub_later *later;
	u64 reach;			/* the first block behind all before */
	bool reach_shares;		/* what reaches there may be shared */
	u64 ag, inobt, refc, headers;	/* blocks that have these owners */
};

/* A file's data, of which others may have the same blocks. */
static bool may_share(const struct xfs_scrub *sc, const struct xfs_bt_rec *r)
{
	return xfs_scrub_has(sc, XFS_BT_REFC) && !(r->owner >> 63) &&
	       !(r->offset & (XFS_RMAP_ATTR | XFS_RMAP_BMBT | XFS_RMAP_UNWRITTEN));
}

static bool rec_ok(const struct xfs_scrub *sc, const struct xfs_bt_rec *r)
{
	const struct xfs_sb *sb = &sc->mp->fs.vol.sb;
	u64 flags = r->offset & ~XFS_RMAP_OFF, off = r->offset & XFS_RMAP_OFF;
	bool file = !(r->owner >> 63), bmbt = flags & XFS_RMAP_BMBT;

	if (!r->count || (u64)r->start + r->count > xfs_ag_blocks(sb, sc->agno))
		return false;
	/* The headers of an AG are its beginning, all of them. */
	if (r->owner == XFS_OWN_FS ?
		    r->start || r->count != (4 * sb->sectsize + sb->blocksize - 1) / sb->blocksize :
		    !xfs_agb_ok(sb, sc->agno, r->start))
		return false;
	if (flags & ~(XFS_RMAP_ATTR | XFS_RMAP_BMBT | XFS_RMAP_UNWRITTEN))
		return false;
	if (!file)
		return r->owner >= XFS_OWN_COW && r->owner <= XFS_OWN_FS && !flags && !off;
	if (!xfs_ino_ok(sb, r->owner) || (bmbt && off) ||
	    (flags & XFS_RMAP_UNWRITTEN && flags & (XFS_RMAP_BMBT | XFS_RMAP_ATTR)))
		return false;
	return bmbt || off + r->count <= XFS_OFF_MAX;
}

/* Would both be one? */
static bool goes_on(const struct xfs_bt_rec *a, const struct xfs_bt_rec *b)
{
	u64 bmbt = a->offset & XFS_RMAP_BMBT;

	if (!a->count || a->owner != b->owner || a->start + a->count != b->start ||
	    (u64)a->count + b->count > U32_MAX)
		return false;
	if (a->owner >> 63)
		return true;
	return (a->offset & ~XFS_RMAP_OFF) == (b->offset & ~XFS_RMAP_OFF) &&
	       (bmbt || (a->offset & XFS_RMAP_OFF) + a->count == (b->offset & XFS_RMAP_OFF));
}

static void refer(struct xfs_scrub *sc, const struct xfs_bt_rec *r)
{
	xfs_scrub_used(sc, r->start, r->count);
	if (r->owner == XFS_OWN_INODES)
		xfs_scrub_inodes(sc, r->start, r->count);
	else
		xfs_scrub_no_inodes(sc, r->start, r->count);
	if (r->owner == XFS_OWN_COW)
		xfs_scrub_staged(sc, r->start, r->count);
	else
		xfs_scrub_not_staged(sc, r->start, r->count);
	if (!may_share(sc, r))
		xfs_scrub_not_shared(sc, r->start, r->count);
}

static int check_rec(struct xfs_scrub *sc, const struct xfs_bt_rec *r, void *ctx)
{
	struct rmap *m = ctx;
	bool shares = may_share(sc, r);

	if (!rec_ok(sc, r) || goes_on(&m->before, r) ||
	    (r->start < m->reach && !(shares && m->reach_shares))) {
		xfs_scrub_bad(sc);
		return 0;
	}
	if ((u64)r->start + r->count >= m->reach) {
		m->reach = (u64)r->start + r->count;
		m->reach_shares = shares;
	}
	m->before = *r;
	m->ag += r->owner == XFS_OWN_AG ? r->count : 0;
	m->inobt += r->owner == XFS_OWN_INOBT ? r->count : 0;
	m->refc += r->owner == XFS_OWN_REFC ? r->count : 0;
	m->headers += r->owner == XFS_OWN_FS ? r->count : 0;
	refer(sc, r);
	return 0;
}

static int check_block(struct xfs_scrub *sc, u32 agb, void *ctx)
{
	struct rmap *m = ctx;

	(void)sc;
	return xfs_scrub_add_later(&m->later, agb);
}

static void look_up(struct xfs_scrub *sc, u32 agb)
{
	xfs_scrub_used(sc, agb, 1);
	xfs_scrub_owned(sc, agb, 1, XFS_OWN_AG, false);
}

/* The AG's own structures have as many blocks as the records say. */
static void check_sums(struct xfs_scrub *sc, const struct rmap *m, u64 own)
{
	u64 bno, cnt, ino, fino = 0, refc = 0;

	if (!m->headers)
		xfs_scrub_differs(sc);
	if (xfs_scrub_tree_blocks(sc, XFS_BT_BNO, &bno) &&
	    xfs_scrub_tree_blocks(sc, XFS_BT_CNT, &cnt) &&
	    m->ag != bno + cnt + own + be32_get(xfs_scrub_agf(sc)->flcount))
		xfs_scrub_differs(sc);
	if (xfs_scrub_tree_blocks(sc, XFS_BT_INO, &ino) &&
	    (!xfs_scrub_has(sc, XFS_BT_FINO) || xfs_scrub_tree_blocks(sc, XFS_BT_FINO, &fino)) &&
	    m->inobt != ino + fino)
		xfs_scrub_differs(sc);
	if (xfs_scrub_has(sc, XFS_BT_REFC) && xfs_scrub_tree_blocks(sc, XFS_BT_REFC, &refc) &&
	    m->refc != refc)
		xfs_scrub_differs(sc);
}

int xfs_scrub_rmap(struct xfs_scrub *sc)
{
	struct rmap m = { 0 };
	struct xfs_scrub_tree t = { .kind = XFS_BT_RMAP,
				    .rec = check_rec,
				    .block = check_block,
				    .ctx = &m,
				    .last = U32_MAX,
				    .check = true };
	int e;

	xfs_scrub_xref_begin(sc);
	e = xfs_scrub_walk(sc, &t);
	sc->error = sc->error ?: e;
	xfs_scrub_each_later(sc, m.later, look_up);
	if (!sc->error && !xfs_scrub_is_bad(sc))
		check_sums(sc, &m, t.blocks);
	return e;
}
