// SPDX-License-Identifier: MIT
/* Cross-references: what the other trees of an AG say of blocks (scrub.h). */
#include "fs/xfs/scrub/scrub.h"
#include <lib/minmax.h>

bool xfs_scrub_can(const struct xfs_scrub *sc, enum xfs_bt kind)
{
	bool ino = kind == XFS_BT_INO || kind == XFS_BT_FINO;

	return sc->xref && (ino ? sc->agi : sc->agf) && xfs_scrub_has(sc, kind) && !sc->no[kind] &&
	       !sc->error;
}

void xfs_scrub_xref_begin(struct xfs_scrub *sc)
{
	struct xfs_ag_marks ag;
	u32 sick = 0;

	if (sc->xref)
		return;
	sc->xref = true;
	if (xfs_ag_marks(sc->mp, sc->agno, &ag))
		sick = xfs_health_of(&sc->mp->health, ag.marks).sick & ~(sc->li ? 0 : sc->mask);
	for (u32 i = 0; i < XFS_BT_KINDS; i++) {
		enum xfs_bt kind = (enum xfs_bt)i;

		if (!xfs_scrub_can(sc, kind) ||
		    !(sick & xfs_sick_of_kind((enum xfs_kind)(XFS_BLK_BT + i))))
			continue;
		sc->no[i] = true;
		sc->req->flags |= XFS_SCRUB_XFAIL;
	}
}

bool xfs_scrub_xref_ok(struct xfs_scrub *sc, enum xfs_bt kind, int e)
{
	if (!e)
		return true;
	if (e == -EINTR || e == -EDEADLK) {
		sc->error = sc->error ?: e;
	} else {
		sc->no[kind] = true;
		sc->req->flags |= XFS_SCRUB_XFAIL;
	}
	return false;
}

/* ---- records of a range ---- */

#define ENOUGH 1		/* a walk that needs no more ends with it */

struct range {
	u32 from, last;			/* blocks, or inodes */
	u64 owner;
	u64 covered;   /* of the range by OWNER's, by inodes, or by staged blocks */
	bool others;			/* there are others */
	struct xfs_bt_rec rec;
};

static u64 overlap(const struct range *g, u32 start, u64 len)
{
	u64 a = max(g->from, start), b = min((u64)g->last + 1, start + len);

	return b > a ? b - a : 0;
}

static bool look(struct xfs_scrub *sc, enum xfs_bt kind, struct range *g,
		 int (*rec)(struct xfs_scrub *sc, const struct xfs_bt_rec *r, void *ctx))
{
	struct xfs_scrub_tree t = {
		.kind = kind, .rec = rec, .ctx = g, .from = g->from, .last = g->last
	};
	int e;

	if (!xfs_scrub_can(sc, kind))
		return false;
	e = xfs_scrub_walk(sc, &t);
	return xfs_scrub_xref_ok(sc, kind, e == ENOUGH ? 0 : e);
}

static int any(struct xfs_scrub *sc, const struct xfs_bt_rec *r, void *ctx)
{
	struct range *g = ctx;

	(void)sc;
	(void)r;
	g->others = true;
	return ENOUGH;
}

static void none(struct xfs_scrub *sc, enum xfs_bt kind, u32 from, u32 len)
{
	struct range g = { .from = from, .last = from + (len - 1) };

	if (len && look(sc, kind, &g, any) && g.others)
		xfs_scrub_differs(sc);
}

void xfs_scrub_used(struct xfs_scrub *sc, u32 agb, u32 len)
{
	none(sc, XFS_BT_BNO, agb, len);
}

void xfs_scrub_no_owner(struct xfs_scrub *sc, u32 agb, u32 len)
{
	none(sc, XFS_BT_RMAP, agb, len);
}

void xfs_scrub_not_shared(struct xfs_scrub *sc, u32 agb, u32 len)
{
	none(sc, XFS_BT_REFC, agb, len);
}

void xfs_scrub_not_staged(struct xfs_scrub *sc, u32 agb, u32 len)
{
	none(sc, XFS_BT_REFC, agb | XFS_REFC_STAGED, len);
}

static int same(struct xfs_scrub *sc, const struct xfs_bt_rec *r, void *ctx)
{
	struct range *g = ctx;

	(void)sc;
	if (r->start == g->from && r->count == g->last - g->from + 1)
		g->covered = r->count;
	return ENOUGH;
}

void xfs_scrub_staged(struct xfs_scrub *sc, u32 agb, u32 len)
{
	struct range g = { .from = agb | XFS_REFC_STAGED,
			   .last = (agb | XFS_REFC_STAGED) + len - 1 };

	if (look(sc, XFS_BT_REFC, &g, same) && g.covered != len)
		xfs_scrub_differs(sc);
}

bool xfs_scrub_shared(struct xfs_scrub *sc, u32 agb, u32 len, bool *known)
{
	struct range g = { .from = agb, .last = agb + (len - 1) };

	*known = look(sc, XFS_BT_REFC, &g, any);
	return g.others;
}

static int add_staged(struct xfs_scrub *sc, const struct xfs_bt_rec *r, void *ctx)
{
	struct range *g = ctx;

	(void)sc;
	g->covered += overlap(g, r->start, r->count);
	return 0;
}

void xfs_scrub_in_staged(struct xfs_scrub *sc, u32 agb, u32 len)
{
	struct range g = { .from = agb | XFS_REFC_STAGED,
			   .last = (agb | XFS_REFC_STAGED) + len - 1 };

	if (look(sc, XFS_BT_REFC, &g, add_staged) && g.covered != len)
		xfs_scrub_differs(sc);
}

/* ---- inodes ---- */

static int find_free(struct xfs_scrub *sc, const struct xfs_bt_rec *r, void *ctx)
{
	struct range *g = ctx;

	(void)sc;
	if (g->from >= r->start && g->from - r->start < 64 && r->free >> (g->from - r->start) & 1)
		g->others = true;
	return 0;
}

void xfs_scrub_not_free(struct xfs_scrub *sc, u32 agino)
{
	struct range g = { .from = agino, .last = agino };

	if (look(sc, XFS_BT_FINO, &g, find_free) && g.others)
		xfs_scrub_differs(sc);
}

/* Those of R that are there, in the range. */
static int add_inodes(struct xfs_scrub *sc, const struct xfs_bt_rec *r, void *ctx)
{
	struct range *g = ctx;

	(void)sc;
	for (u32 i = 0; i < 16; i++)
		if (!(r->holemask >> i & 1))
			g->covered += overlap(g, r->start + i * 4, 4);
	return 0;
}

static bool count_inodes(struct xfs_scrub *sc, u32 agb, u32 len, u64 *n)
{
	u8 log = sc->mp->fs.vol.sb.inopblog;
	struct range g = { .from = agb << log, .last = ((agb + len) << log) - 1 };

	if (!len || !look(sc, XFS_BT_INO, &g, add_inodes))
		return false;
	*n = g.covered;
	return true;
}

void xfs_scrub_no_inodes(struct xfs_scrub *sc, u32 agb, u32 len)
{
	u64 n;

	if (count_inodes(sc, agb, len, &n) && n)
		xfs_scrub_differs(sc);
}

void xfs_scrub_inodes(struct xfs_scrub *sc, u32 agb, u32 len)
{
	u64 n;

	if (count_inodes(sc, agb, len, &n) && n != (u64)len << sc->mp->fs.vol.sb.inopblog)
		xfs_scrub_differs(sc);
}

/* ---- owners ---- */

static int add_owner(struct xfs_scrub *sc, const struct xfs_bt_rec *r, void *ctx)
{
	struct range *g = ctx;

	(void)sc;
	if (r->owner == g->owner)
		g->covered += overlap(g, r->start, r->count);
	else
		g->others = true;
	return 0;
}

void xfs_scrub_owned(struct xfs_scrub *sc, u32 agb, u32 len, u64 owner, bool alone)
{
	struct range g = { .from = agb, .last = agb + (len - 1), .owner = owner };

	if (len && look(sc, XFS_BT_RMAP, &g, add_owner) &&
	    (g.covered != len || (alone && g.others)))
		xfs_scrub_differs(sc);
}

static int find_file(struct xfs_scrub *sc, const struct xfs_bt_rec *r, void *ctx)
{
	struct range *g = ctx;

	(void)sc;
	if (r->owner == g->owner && r->offset == g->rec.offset && r->start == g->from &&
	    r->count == g->last - g->from + 1)
		g->covered = r->count;
	else
		g->others = true;
	return 0;
}

void xfs_scrub_owned_by(struct xfs_scrub *sc, u32 agb, u32 len, u64 ino, u64 off, bool alone)
{
	struct range g = {
		.from = agb, .last = agb + (len - 1), .owner = ino, .rec = { .offset = off }
	};

	if (len && look(sc, XFS_BT_RMAP, &g, find_file) && (!g.covered || (alone && g.others)))
		xfs_scrub_differs(sc);
}

static int find_kind(struct xfs_scrub *sc, const struct xfs_bt_rec *r, void *ctx)
{
	struct range *g = ctx;

	(void)sc;
	if (r->owner == g->owner && (r->offset & ~XFS_RMAP_OFF) == g->rec.offset)
		g->covered = 1;
	else
		g->others = true;
	return 0;
}

void xfs_scrub_has_owner(struct xfs_scrub *sc, u32 agb, u64 ino, u64 kind)
{
	struct range g = { .from = agb, .last = agb, .owner = ino, .rec = { .offset = kind } };

	if (look(sc, XFS_BT_RMAP, &g, find_kind) && (!g.covered || g.others))
		xfs_scrub_differs(sc);
}

bool xfs_scrub_owner_blocks(struct xfs_scrub *sc, u64 owner, u64 *n)
{
	struct range g = { .last = U32_MAX, .owner = owner };

	if (!look(sc, XFS_BT_RMAP, &g, add_owner))
		return false;
	*n = g.covered;
	return true;
}

/* ---- others ---- */

bool xfs_scrub_tree_blocks(struct xfs_scrub *sc, enum xfs_bt kind, u64 *n)
{
	struct xfs_scrub_tree t = { .kind = kind, .last = U32_MAX };

	if (!xfs_scrub_can(sc, kind) || !xfs_scrub_xref_ok(sc, kind, xfs_scrub_walk(sc, &t)))
		return false;
	*n = t.blocks;
	return true;
}

static int found(struct xfs_scrub *sc, const struct xfs_bt_rec *r, void *ctx)
{
	struct range *g = ctx;

	(void)sc;
	if (r->start != g->rec.start || (g->rec.count && r->count != g->rec.count))
		return 0;
	g->rec = *r;
	g->others = true;
	return ENOUGH;
}

bool xfs_scrub_find(struct xfs_scrub *sc, enum xfs_bt kind, u32 start, u32 len,
		    struct xfs_bt_rec *out, bool *known)
{
	struct range g = { .rec = { .start = start, .count = len } };
	struct xfs_scrub_tree t = {
		.kind = kind, .rec = found, .ctx = &g, .from = start, .last = start
	};
	int e;

	*known = false;
	xfs_put32(t.key.b, start);
	xfs_put32(t.key.b + 4, len);
	if (!xfs_scrub_can(sc, kind))
		return false;
	e = xfs_scrub_walk(sc, &t);
	*known = xfs_scrub_xref_ok(sc, kind, e == ENOUGH ? 0 : e);
	*out = g.rec;
	return g.others;
}
