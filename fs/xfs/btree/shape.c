// SPDX-License-Identifier: MIT
/* Records and keys of each kind of tree. */
#include "fs/xfs/btree/btree.h"
#include "fs/xfs/btree/owner.h"
#include <lib/string.h>

static int cmp64(u64 a, u64 b)
{
	return a < b ? -1 : a > b;
}

static int by_start(const u8 *a, const u8 *b)
{
	return cmp64(xfs_get32(a), xfs_get32(b));
}

static void start_of(const u8 *rec, struct xfs_bt_key *k)
{
	memcpy(k->b, rec, 4);
}

/* ---- free space: start and length are the key of both trees ---- */

static void alloc_of(const u8 *rec, struct xfs_bt_key *k)
{
	memcpy(k->b, rec, 8);
}

static int by_length(const u8 *a, const u8 *b)
{
	int d = cmp64(xfs_get32(a + 4), xfs_get32(b + 4));

	return d ? d : by_start(a, b);
}

/* ---- owners: whether blocks are written does not count ---- */

static void rmap_of(const u8 *rec, struct xfs_bt_key *k)
{
	memcpy(k->b, rec, 4);
	memcpy(k->b + 4, rec + 8, 8);
	xfs_put64(k->b + 12, xfs_get64(rec + 16) & ~XFS_RMAP_UNWRITTEN);
}

static void rmap_high(const u8 *rec, struct xfs_bt_key *k)
{
	u32 more = xfs_get32(rec + 4) - 1;
	u64 off = xfs_get64(rec + 16) & ~XFS_RMAP_UNWRITTEN;

	rmap_of(rec, k);
	xfs_put32(k->b, xfs_get32(rec) + more);
	if (xfs_get64(rec + 8) >> 63 || off & XFS_RMAP_BMBT)
		return;
	xfs_put64(k->b + 12, ((off + more) & XFS_RMAP_OFF) | (off & ~XFS_RMAP_OFF));
}

static int by_owner(const u8 *a, const u8 *b)
{
	int d = by_start(a, b);

	d = d ? d : cmp64(xfs_get64(a + 4), xfs_get64(b + 4));
	return d ? d :
		   cmp64(xfs_get64(a + 12) & ~XFS_RMAP_UNWRITTEN,
			 xfs_get64(b + 12) & ~XFS_RMAP_UNWRITTEN);
}

/* ---- extents of files ---- */

static void ext_of(const u8 *rec, struct xfs_bt_key *k)
{
	xfs_put64(k->b, xfs_get64(rec) << 1 >> 10);
}

static int by_offset(const u8 *a, const u8 *b)
{
	return cmp64(xfs_get64(a), xfs_get64(b));
}

#define AG_KIND(kind) (enum xfs_kind)(XFS_BLK_BT + (kind))

const struct xfs_bt_shape xfs_bt_shapes[XFS_BT_KINDS] = {
	[XFS_BT_BNO] = { "bnobt", AG_KIND(XFS_BT_BNO), XFS_BNO_MAGIC, 8, 8, false, false, alloc_of,
			 NULL, by_start },
	[XFS_BT_CNT] = { "cntbt", AG_KIND(XFS_BT_CNT), XFS_CNT_MAGIC, 8, 8, false, false, alloc_of,
			 NULL, by_length },
	[XFS_BT_INO] = { "inobt", AG_KIND(XFS_BT_INO), XFS_INO_MAGIC, 16, 4, false, false, start_of,
			 NULL, by_start },
	[XFS_BT_FINO] = { "finobt", AG_KIND(XFS_BT_FINO), XFS_FINO_MAGIC, 16, 4, false, false,
			  start_of, NULL, by_start },
	[XFS_BT_RMAP] = { "rmapbt", AG_KIND(XFS_BT_RMAP), XFS_RMAP_MAGIC, 24, 20, false, true,
			  rmap_of, rmap_high, by_owner },
	[XFS_BT_REFC] = { "refcountbt", AG_KIND(XFS_BT_REFC), XFS_REFC_MAGIC, 12, 4, false, false,
			  start_of, NULL, by_start },
};

const struct xfs_bt_shape xfs_bmbt_shape = {
	"bmbt", XFS_BLK_BMBT, XFS_BMAP_MAGIC, 16, 8, true, false, ext_of, NULL, by_offset
};
