// SPDX-License-Identifier: MIT
/* The trees of free space: by block, and by length. */
#include "fs/xfs/scrub/scrub.h"

struct alloc {
	enum xfs_bt kind, other;
	struct xfs_bt_rec before;
	struct xfs_scrub_later *later;
};

static int check_rec(struct xfs_scrub *sc, const struct xfs_bt_rec *r, void *ctx)
{
	const struct xfs_sb *sb = &sc->mp->fs.vol.sb;
	struct alloc *a = ctx;
	struct xfs_bt_rec twin;
	bool known;

	if (!r->count || !xfs_fsb_ok(sb, xfs_fsb_make(sb, sc->agno, r->start), r->count) ||
	    r->start >= xfs_ag_blocks(sb, sc->agno)) {
		xfs_scrub_bad(sc);
		return 0;
	}
	/* Two that touch would be one. */
	if (a->kind == XFS_BT_BNO && a->before.count &&
	    a->before.start + a->before.count == r->start) {
		xfs_scrub_bad(sc);
		return 0;
	}
	a->before = *r;
	if (!xfs_scrub_find(sc, a->other, r->start, r->count, &twin, &known) && known)
		xfs_scrub_differs(sc);
	xfs_scrub_no_inodes(sc, r->start, r->count);
	xfs_scrub_no_owner(sc, r->start, r->count);
	xfs_scrub_not_shared(sc, r->start, r->count);
	xfs_scrub_not_staged(sc, r->start, r->count);
	return 0;
}

static void look_up(struct xfs_scrub *sc, u32 agb)
{
	xfs_scrub_used(sc, agb, 1);
	xfs_scrub_owned(sc, agb, 1, XFS_OWN_AG, false);
}

static int check_block(struct xfs_scrub *sc, u32 agb, void *ctx)
{
	struct alloc *a = ctx;

	if (a->kind == XFS_BT_BNO)
		return xfs_scrub_add_later(&a->later, agb);
	look_up(sc, agb);
	return 0;
}

int xfs_scrub_alloc(struct xfs_scrub *sc)
{
	struct alloc a = { .kind = XFS_BT_BNO, .other = XFS_BT_CNT };
	struct xfs_scrub_tree t = {
		.rec = check_rec, .block = check_block, .ctx = &a, .last = U32_MAX, .check = true
	};
	int e;

	if (sc->req->type == XFS_SCRUB_CNTBT)
		a = (struct alloc){ .kind = XFS_BT_CNT, .other = XFS_BT_BNO };
	t.kind = a.kind;
	xfs_scrub_xref_begin(sc);
	e = xfs_scrub_walk(sc, &t);
	sc->error = sc->error ?: e;
	xfs_scrub_each_later(sc, a.later, look_up);
	return e;
}
