// SPDX-License-Identifier: MIT
/* The tree of shared and of staged blocks. */
#include "fs/xfs/scrub/scrub.h"
#include <lib/minmax.h>

struct refcount {
	struct xfs_bt_rec before;
	u64 staged;			/* blocks */
};

static bool rec_ok(const struct xfs_scrub *sc, const struct xfs_bt_rec *r)
{
	const struct xfs_sb *sb = &sc->mp->fs.vol.sb;
	u32 start = r->start & ~XFS_REFC_STAGED;
	bool staged = r->start & XFS_REFC_STAGED;

	return r->count && xfs_agb_ok(sb, sc->agno, start) &&
	       (u64)start + r->count <= xfs_ag_blocks(sb, sc->agno) &&
	       (staged ? r->refs == 1 : r->refs >= 2);
}

/*
 * Owners of a run of blocks. Each block has REFS of them where the first has and inside as many
 * records begin as end at each block, which equal sums of hashes of the blocks say.
 */
struct owners {
	const struct xfs_bt_rec *r;
	u64 covers;			/* that have the first block */
	u64 begin, end;			/* sums */
	bool other;			/* not a file's data */
};

static u64 mix(u64 v)
{
	v *= 0x9e3779b97f4a7c15ull;
	v = (v ^ v >> 29) * 0xbf58476d1ce4e5b9ull;
	return v ^ v >> 32;
}

static int add_owner(struct xfs_scrub *sc, const struct xfs_bt_rec *r, void *ctx)
{
	struct owners *o = ctx;
	u64 first = o->r->start, behind = first + o->r->count, end = (u64)r->start + r->count;

	(void)sc;
	if (r->owner >> 63 || r->offset & (XFS_RMAP_ATTR | XFS_RMAP_BMBT))
		o->other = true;
	if (r->start <= first)
		o->covers++;
	else
		o->begin += mix(r->start);
	if (end < behind)
		o->end += mix(end);
	return 0;
}

static void check_owners(struct xfs_scrub *sc, const struct xfs_bt_rec *r)
{
	struct owners o = { .r = r };
	struct xfs_scrub_tree t = { .kind = XFS_BT_RMAP,
				    .rec = add_owner,
				    .ctx = &o,
				    .from = r->start,
				    .last = r->start + (r->count - 1) };

	if (!xfs_scrub_can(sc, XFS_BT_RMAP) ||
	    !xfs_scrub_xref_ok(sc, XFS_BT_RMAP, xfs_scrub_walk(sc, &t)))
		return;
	if (o.other || o.covers != r->refs || o.begin != o.end)
		xfs_scrub_differs(sc);
}

static int check_rec(struct xfs_scrub *sc, const struct xfs_bt_rec *r, void *ctx)
{
	bool staged = r->start & XFS_REFC_STAGED;
	u32 start = r->start & ~XFS_REFC_STAGED;
	struct refcount *c = ctx;

	if (!rec_ok(sc, r) ||
	    (c->before.count && c->before.start + c->before.count == r->start &&
	     c->before.refs == r->refs && (u64)c->before.count + r->count <= U32_MAX)) {
		xfs_scrub_bad(sc);
		return 0;
	}
	c->before = *r;
	c->staged += staged ? r->count : 0;
	xfs_scrub_used(sc, start, r->count);
	xfs_scrub_no_inodes(sc, start, r->count);
	if (staged)
		xfs_scrub_owned(sc, start, r->count, XFS_OWN_COW, true);
	else
		check_owners(sc, r);
	return 0;
}

static int check_block(struct xfs_scrub *sc, u32 agb, void *ctx)
{
	(void)ctx;
	xfs_scrub_used(sc, agb, 1);
	xfs_scrub_owned(sc, agb, 1, XFS_OWN_REFC, false);
	return 0;
}

int xfs_scrub_refcount(struct xfs_scrub *sc)
{
	struct refcount c = { 0 };
	struct xfs_scrub_tree t = { .kind = XFS_BT_REFC,
				    .rec = check_rec,
				    .block = check_block,
				    .ctx = &c,
				    .last = U32_MAX,
				    .check = true };
	u64 n;
	int e;

	xfs_scrub_xref_begin(sc);
	e = xfs_scrub_walk(sc, &t);
	if (e || xfs_scrub_is_bad(sc))
		return e;
	if (xfs_scrub_owner_blocks(sc, XFS_OWN_COW, &n) && n != c.staged)
		xfs_scrub_differs(sc);
	if (xfs_scrub_owner_blocks(sc, XFS_OWN_REFC, &n) && n != t.blocks)
		xfs_scrub_differs(sc);
	return 0;
}
