// SPDX-License-Identifier: MIT
/*
 * From the number of an inode to the tree that says whether it is in use. The AGI's checksum is not
 * looked at again: in memory it changes, and gets one when it is written.
 */
#include "fs/xfs/format/walk_priv.h"
#include <lib/string.h>

static int tree_bad(struct xfs_vol *v, u32 agno, const char *field, u64 place, u64 value)
{
	xfs_sick_ag(v, agno, XFS_SICK_AG_INOBT);
	return xfs_walk_bad(v, "inobt", field, place, value);
}

static u32 key_at(const void *p, u32 i)
{
	be32 v;

	memcpy(&v, (const u8 *)p + sizeof(struct xfs_dbt_short) + (size_t)i * 4, sizeof(v));
	return be32_get(v);
}

static u32 start_at(const struct xfs_sb *sb, const void *p, u32 level, u32 i)
{
	struct xfs_bt_rec r;

	if (level)
		return key_at(p, i);
	xfs_bt_rec_at(sb, XFS_BT_INO, p, i, &r);
	return r.start;
}

/* The last of N ascending entries that is not above AGINO; N: there is none. */
static u32 last_below(const struct xfs_sb *sb, const void *p, u32 level, u32 n, u32 agino)
{
	u32 lo = 0, hi = n;

	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (start_at(sb, p, level, mid) <= agino)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? lo - 1 : n;
}

static int in_chunk(const struct xfs_bt_rec *r, u32 agino)
{
	u32 i = agino - r->start;

	if (i >= 64 || r->free >> i & 1 || r->holemask >> (i / 4) & 1)
		return -ESTALE;
	return 0;
}

static int get_root(struct xfs_vol *v, u32 agno, u32 *agb, u32 *levels)
{
	u32 bbs = v->sb.sectsize / XFS_SECTOR;
	struct xfs_run run = { xfs_agb_daddr(&v->sb, agno, 0) + (u64)bbs * 2, bbs };
	const struct xfs_dagi *d;
	struct xfs_blk b;
	int e = v->get(v, XFS_BLK_AGI, &run, 1, &b);

	if (e)
		return e;
	d = b.data;
	*agb = be32_get(d->root);
	*levels = be32_get(d->level);
	v->put(v, &b);
	if (*levels && *levels <= XFS_BT_MAXLEVELS && xfs_agb_ok(&v->sb, agno, *agb))
		return 0;
	xfs_sick_ag(v, agno, XFS_SICK_AG_AGI);
	return xfs_walk_bad(v, "AGI", "root of the inobt", agno, *agb);
}

/* One block of the tree: *AGB becomes the one below, or 0 or -ESTALE is the answer of a leaf. */
static int descend(struct xfs_vol *v, u32 agno, u32 level, u32 agino, u32 *agb)
{
	const struct xfs_sb *sb = &v->sb;
	struct xfs_bt_block h;
	struct xfs_bt_rec r;
	struct xfs_blk b;
	u32 i, at = *agb;
	int e = xfs_get_fsb(v, (enum xfs_kind)(XFS_BLK_BT + XFS_BT_INO), xfs_fsb_make(sb, agno, at),
			    1, &b);

	if (e)
		return e;
	xfs_bt_head(b.data, &h);
	i = last_below(sb, b.data, level, h.numrecs, agino);
	if (h.level != level) {
		e = tree_bad(v, agno, "level", at, h.level);
	} else if (i == h.numrecs) {
		e = -ESTALE;
	} else if (level) {
		*agb = xfs_bt_ptr_at(sb, XFS_BT_INO, b.data, i);
		if (!xfs_agb_ok(sb, agno, *agb))
			e = tree_bad(v, agno, "pointer", at, *agb);
	} else {
		xfs_bt_rec_at(sb, XFS_BT_INO, b.data, i, &r);
		e = in_chunk(&r, agino);
	}
	v->put(v, &b);
	return e;
}

int xfs_ino_in_use(struct xfs_vol *v, u64 ino)
{
	u32 agno, agino, agb, levels;
	int e;

	if (!xfs_ino_ok(&v->sb, ino))
		return -ESTALE;
	agno = xfs_ino_ag(&v->sb, ino);
	agino = xfs_ino_agino(&v->sb, ino);
	e = get_root(v, agno, &agb, &levels);
	while (!e && levels--)
		e = descend(v, agno, levels, agino, &agb);
	return e;
}
