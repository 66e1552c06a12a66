// SPDX-License-Identifier: MIT
/* The trees of inodes: of all chunks, and of those with a free one. */
#include "fs/xfs/scrub/scrub.h"
#include <lib/minmax.h>

struct ialloc {
	enum xfs_bt kind;
	u64 inodes;
};

/* Each bit of the mask of holes is four inodes. */
static u64 holes_of(const struct xfs_bt_rec *r)
{
	u64 holes = 0;

	for (u32 i = 0; i < 16; i++)
		if (r->holemask >> i & 1)
			holes |= 0xfull << i * 4;
	return holes;
}

static u32 bits(u64 v)
{
	return (u32)__builtin_popcountll(v);
}

static bool rec_ok(const struct xfs_scrub *sc, const struct xfs_bt_rec *r)
{
	const struct xfs_sb *sb = &sc->mp->fs.vol.sb;
	u32 per = 1u << sb->inopblog, agb = r->start >> sb->inopblog;
	u64 holes = holes_of(r);

	if (r->start % min(per, 64u) || r->start > U32_MAX - 63)
		return false;
	if (!(sb->incompat & XFS_IN_SPINODES) && sb->inoalignmt > 1 && agb % sb->inoalignmt)
		return false;
	if (r->inodes != 64 - bits(holes) || !r->inodes || r->freecount != bits(r->free & ~holes))
		return false;
	/* Where a block has many, a part of it is not there only with all of it. */
	for (u32 i = 0; i < 64; i += min(per, 64u)) {
		u64 all = per >= 64 ? ~0ull : ((1ull << per) - 1) << i;

		if ((holes & all) && (holes & all) != all)
			return false;
		if (!(holes & all) && !xfs_agino_ok(sb, sc->agno, r->start + i))
			return false;
	}
	return true;
}

/* The other tree has the same; that of free ones only where there are free ones. */
static void check_other(struct xfs_scrub *sc, const struct ialloc *a, const struct xfs_bt_rec *r)
{
	enum xfs_bt other = a->kind == XFS_BT_INO ? XFS_BT_FINO : XFS_BT_INO;
	struct xfs_bt_rec twin;
	bool known, is = xfs_scrub_find(sc, other, r->start, 0, &twin, &known);

	if (!known)
		return;
	if (a->kind == XFS_BT_FINO && !r->freecount)
		is = false;
	if (is != (a->kind == XFS_BT_FINO || r->freecount) ||
	    (is && (twin.free != r->free || twin.holemask != r->holemask ||
		    twin.freecount != r->freecount || twin.inodes != r->inodes)))
		xfs_scrub_differs(sc);
}

static int check_rec(struct xfs_scrub *sc, const struct xfs_bt_rec *r, void *ctx)
{
	u8 log = sc->mp->fs.vol.sb.inopblog;
	u64 holes = holes_of(r);
	struct ialloc *a = ctx;

	if (!rec_ok(sc, r)) {
		xfs_scrub_bad(sc);
		return 0;
	}
	a->inodes += r->inodes;
	check_other(sc, a, r);
	for (u32 i = 0; i < 64; i += min(1u << log, 64u)) {
		u32 agb = (r->start + i) >> log;

		if (holes >> i & 1)
			continue;
		xfs_scrub_used(sc, agb, 1);
		xfs_scrub_owned(sc, agb, 1, XFS_OWN_INODES, true);
		xfs_scrub_not_shared(sc, agb, 1);
		xfs_scrub_not_staged(sc, agb, 1);
	}
	return 0;
}

static int check_block(struct xfs_scrub *sc, u32 agb, void *ctx)
{
	(void)ctx;
	xfs_scrub_used(sc, agb, 1);
	xfs_scrub_owned(sc, agb, 1, XFS_OWN_INOBT, false);
	return 0;
}

/* Owners have as many blocks of inodes and of these trees as there are. */
static void check_sums(struct xfs_scrub *sc, const struct ialloc *a)
{
	u8 log = sc->mp->fs.vol.sb.inopblog;
	u64 n, ino, fino = 0;

	if (a->kind != XFS_BT_INO)
		return;
	if (xfs_scrub_owner_blocks(sc, XFS_OWN_INODES, &n) &&
	    n != (a->inodes + (1u << log) - 1) >> log)
		xfs_scrub_differs(sc);
	if (xfs_scrub_tree_blocks(sc, XFS_BT_INO, &ino) &&
	    (!xfs_scrub_has(sc, XFS_BT_FINO) || xfs_scrub_tree_blocks(sc, XFS_BT_FINO, &fino)) &&
	    xfs_scrub_owner_blocks(sc, XFS_OWN_INOBT, &n) && n != ino + fino)
		xfs_scrub_differs(sc);
}

int xfs_scrub_ialloc(struct xfs_scrub *sc)
{
	struct ialloc a = { .kind = XFS_BT_INO };
	struct xfs_scrub_tree t = { .rec = check_rec, .ctx = &a, .last = U32_MAX, .check = true };
	int e;

	if (sc->req->type == XFS_SCRUB_FINOBT)
		a.kind = XFS_BT_FINO;
	t.kind = a.kind;
	t.block = check_block;
	xfs_scrub_xref_begin(sc);
	e = xfs_scrub_walk(sc, &t);
	if (!e && !xfs_scrub_is_bad(sc))
		check_sums(sc, &a);
	return e;
}
