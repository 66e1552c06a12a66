// SPDX-License-Identifier: MIT
#include "fs/xfs/format/btree.h"
#include <lib/minmax.h>
#include <lib/string.h>

static const struct kind {
	const char *name;
	u32 magic;
	u8 rec, key;		/* bytes; an rmap's node has a low and a high key */
} kinds[XFS_BT_KINDS] = {
	[XFS_BT_BNO] = { "bnobt", XFS_BNO_MAGIC, 8, 8 },
	[XFS_BT_CNT] = { "cntbt", XFS_CNT_MAGIC, 8, 8 },
	[XFS_BT_INO] = { "inobt", XFS_INO_MAGIC, 16, 4 },
	[XFS_BT_FINO] = { "finobt", XFS_FINO_MAGIC, 16, 4 },
	[XFS_BT_RMAP] = { "rmapbt", XFS_RMAP_MAGIC, 24, 40 },
	[XFS_BT_REFC] = { "refcountbt", XFS_REFC_MAGIC, 12, 4 },
};

#define HEAD ((u32)sizeof(struct xfs_dbt_short))
#define LHEAD ((u32)sizeof(struct xfs_dbt_long))

const char *xfs_bt_name(enum xfs_bt kind)
{
	return kinds[kind].name;
}

static u32 max_recs(const struct xfs_sb *sb, const struct kind *k, u32 level)
{
	return (sb->blocksize - HEAD) / (level ? k->key + 4u : k->rec);
}

static const u8 *rec_at(const struct xfs_sb *sb, enum xfs_bt kind, const void *p, u32 i)
{
	(void)sb;
	return (const u8 *)p + HEAD + (size_t)i * kinds[kind].rec;
}

u32 xfs_bt_ptr_at(const struct xfs_sb *sb, enum xfs_bt kind, const void *p, u32 i)
{
	const struct kind *k = &kinds[kind];
	be32 v;

	memcpy(&v, (const u8 *)p + HEAD + (size_t)max_recs(sb, k, 1) * k->key + (size_t)i * 4,
	       sizeof(v));
	return be32_get(v);
}

void xfs_bt_head(const void *p, struct xfs_bt_block *out)
{
	const struct xfs_dbt_short *d = p;

	*out = (struct xfs_bt_block){ be16_get(d->level), be16_get(d->numrecs), be32_get(d->left),
				      be32_get(d->right), be32_get(d->owner) };
}

void xfs_bmbt_head(const void *p, struct xfs_bt_block *out)
{
	const struct xfs_dbt_long *d = p;

	*out = (struct xfs_bt_block){ be16_get(d->level), be16_get(d->numrecs), be64_get(d->left),
				      be64_get(d->right), be64_get(d->owner) };
}

static void inobt_rec(const struct xfs_sb *sb, const struct xfs_dinobt *d, struct xfs_bt_rec *out)
{
	out->start = be32_get(d->start);
	out->free = be64_get(d->free);
	out->inodes = 64;
	out->freecount = d->freecount;
	if (sb->incompat & XFS_IN_SPINODES) {
		out->holemask = be16_get(d->holemask);
		out->inodes = d->count;
	}
}

void xfs_bt_rec_at(const struct xfs_sb *sb, enum xfs_bt kind, const void *p, u32 i,
		   struct xfs_bt_rec *out)
{
	const u8 *r = rec_at(sb, kind, p, i);

	*out = (struct xfs_bt_rec){ 0 };
	switch (kind) {
	case XFS_BT_BNO:
	case XFS_BT_CNT:
		out->start = be32_get(((const struct xfs_dalloc *)r)->start);
		out->count = be32_get(((const struct xfs_dalloc *)r)->count);
		break;
	case XFS_BT_INO:
	case XFS_BT_FINO:
		inobt_rec(sb, (const struct xfs_dinobt *)r, out);
		break;
	case XFS_BT_RMAP:
		out->start = be32_get(((const struct xfs_drmap *)r)->start);
		out->count = be32_get(((const struct xfs_drmap *)r)->count);
		out->owner = be64_get(((const struct xfs_drmap *)r)->owner);
		out->offset = be64_get(((const struct xfs_drmap *)r)->offset);
		break;
	default:
		out->start = be32_get(((const struct xfs_drefc *)r)->start);
		out->count = be32_get(((const struct xfs_drefc *)r)->count);
		out->refs = be32_get(((const struct xfs_drefc *)r)->refs);
	}
}

/*
 * A record lies in the AG; *ORDER ascends over a tree (not the tree by length, nor that of owners,
 * whose records may begin at one block).
 */
static bool rec_ok(const struct xfs_sb *sb, enum xfs_bt kind, u32 agno, const struct xfs_bt_rec *r,
		   u64 *order)
{
	u32 blocks = xfs_ag_blocks(sb, agno);

	*order = r->start;
	switch (kind) {
	case XFS_BT_CNT:
		*order = (u64)r->count << 32 | r->start;
		break;
	case XFS_BT_INO:
	case XFS_BT_FINO:
		return !(r->start & (min(64u, 1u << sb->inopblog) - 1)) &&
		       xfs_agino_ok(sb, agno, r->start) && r->start <= U32_MAX - 63 &&
		       xfs_agino_ok(sb, agno, r->start + 63) && r->inodes <= 64 &&
		       r->freecount <= r->inodes;
	case XFS_BT_REFC:	/* the highest bit marks what copy-on-write staged */
		return r->refs && r->count && (r->start & 0x7fffffffu) < blocks &&
		       r->count <= blocks - (r->start & 0x7fffffffu);
	default:
		break;
	}
	return r->count && r->start < blocks && r->count <= blocks - r->start;
}

static int check_leaf(const struct xfs_sb *sb, enum xfs_bt kind, u32 agno, u64 daddr, const void *p,
		      u32 n, struct xfs_fault *f)
{
	u64 order, last = 0;

	for (u32 i = 0; i < n; i++) {
		struct xfs_bt_rec r;

		xfs_bt_rec_at(sb, kind, p, i, &r);
		if (!rec_ok(sb, kind, agno, &r, &order))
			return xfs_bad(f, kinds[kind].name, "rec", daddr, i);
		if (i && (kind == XFS_BT_RMAP ? order < last : order <= last))
			return xfs_bad(f, kinds[kind].name, "order of recs", daddr, i);
		last = order;
	}
	return 0;
}

int xfs_bt_verify(const struct xfs_sb *sb, enum xfs_bt kind, u64 daddr, const void *p,
		  struct xfs_fault *f)
{
	const struct kind *k = &kinds[kind];
	const struct xfs_dbt_short *d = p;
	u32 agno = (u32)((daddr >> (sb->blocklog - 9)) / sb->agblocks), level = be16_get(d->level),
	    n = be16_get(d->numrecs);

	if (be32_get(d->magic) != k->magic)
		return xfs_bad(f, k->name, "magic", daddr, be32_get(d->magic));
	if (!xfs_crc_ok(p, sb->blocksize, offsetof(struct xfs_dbt_short, crc))) {
		xfs_bad(f, k->name, "crc", daddr, le32_get(d->crc));
		return -XFS_BAD_CRC;
	}
	if (memcmp(d->uuid, sb->meta_uuid, XFS_UUID_SIZE))
		return xfs_bad(f, k->name, "uuid", daddr, 0);
	if (be64_get(d->blkno) != daddr)
		return xfs_bad(f, k->name, "blkno", daddr, be64_get(d->blkno));
	if (be32_get(d->owner) != agno)
		return xfs_bad(f, k->name, "owner", daddr, be32_get(d->owner));
	if (level >= XFS_BT_MAXLEVELS)
		return xfs_bad(f, k->name, "level", daddr, level);
	if (n > max_recs(sb, k, level) || (level && !n))
		return xfs_bad(f, k->name, "numrecs", daddr, n);
	if (!level)
		return check_leaf(sb, kind, agno, daddr, p, n, f);
	for (u32 i = 0; i < n; i++)
		if (!xfs_agb_ok(sb, agno, xfs_bt_ptr_at(sb, kind, p, i)))
			return xfs_bad(f, k->name, "ptr", daddr, xfs_bt_ptr_at(sb, kind, p, i));
	return 0;
}

/* ---- extents ---- */

void xfs_ext_get(const void *rec, struct xfs_ext *out)
{
	struct xfs_dext d;
	u64 hi, lo;

	memcpy(&d, rec, sizeof(d));
	hi = be64_get(d.hi);
	lo = be64_get(d.lo);
	*out = (struct xfs_ext){
		.off = hi << 1 >> 10,
		.fsb = (hi & 0x1ff) << 43 | lo >> 21,
		.count = (u32)(lo & 0x1fffff),
		.unwritten = hi >> 63,
	};
}

void xfs_ext_set(void *rec, const struct xfs_ext *x)
{
	struct xfs_dext d = {
		.hi = be64_make((u64)x->unwritten << 63 | x->off << 9 | x->fsb >> 43),
		.lo = be64_make(x->fsb << 21 | x->count),
	};

	memcpy(rec, &d, sizeof(d));
}

bool xfs_ext_ok(const struct xfs_sb *sb, const struct xfs_ext *x)
{
	return x->count && x->off + x->count <= XFS_OFF_MAX && xfs_fsb_ok(sb, x->fsb, x->count);
}

void xfs_bmbt_ext_at(const void *p, u32 i, struct xfs_ext *out)
{
	xfs_ext_get((const u8 *)p + LHEAD + (size_t)i * 16, out);
}

u64 xfs_bmbt_key_at(const void *p, u32 i)
{
	be64 v;

	memcpy(&v, (const u8 *)p + LHEAD + (size_t)i * 8, sizeof(v));
	return be64_get(v);
}

u64 xfs_bmbt_ptr_at(const struct xfs_sb *sb, const void *p, u32 i)
{
	be64 v;

	memcpy(&v,
	       (const u8 *)p + LHEAD + (size_t)((sb->blocksize - LHEAD) / 16) * 8 + (size_t)i * 8,
	       sizeof(v));
	return be64_get(v);
}

static int check_exts(const struct xfs_sb *sb, u64 daddr, const void *p, u32 n, struct xfs_fault *f)
{
	u64 end = 0;

	for (u32 i = 0; i < n; i++) {
		struct xfs_ext x;

		xfs_bmbt_ext_at(p, i, &x);
		if (!xfs_ext_ok(sb, &x))
			return xfs_bad(f, "bmbt", "rec", daddr, i);
		if (x.off < end)
			return xfs_bad(f, "bmbt", "order of recs", daddr, i);
		end = x.off + x.count;
	}
	return 0;
}

int xfs_bmbt_verify(const struct xfs_sb *sb, u64 daddr, const void *p, struct xfs_fault *f)
{
	const struct xfs_dbt_long *d = p;
	u32 level = be16_get(d->level), n = be16_get(d->numrecs);

	if (be32_get(d->magic) != XFS_BMAP_MAGIC)
		return xfs_bad(f, "bmbt", "magic", daddr, be32_get(d->magic));
	if (!xfs_crc_ok(p, sb->blocksize, offsetof(struct xfs_dbt_long, crc))) {
		xfs_bad(f, "bmbt", "crc", daddr, le32_get(d->crc));
		return -XFS_BAD_CRC;
	}
	if (memcmp(d->uuid, sb->meta_uuid, XFS_UUID_SIZE))
		return xfs_bad(f, "bmbt", "uuid", daddr, 0);
	if (be64_get(d->blkno) != daddr)
		return xfs_bad(f, "bmbt", "blkno", daddr, be64_get(d->blkno));
	if (level >= XFS_BT_MAXLEVELS)
		return xfs_bad(f, "bmbt", "level", daddr, level);
	if (!n || n > (sb->blocksize - LHEAD) / 16)
		return xfs_bad(f, "bmbt", "numrecs", daddr, n);
	if (!level)
		return check_exts(sb, daddr, p, n, f);
	for (u32 i = 0; i < n; i++) {
		if (!xfs_fsb_ok(sb, xfs_bmbt_ptr_at(sb, p, i), 1))
			return xfs_bad(f, "bmbt", "ptr", daddr, xfs_bmbt_ptr_at(sb, p, i));
		if (i && xfs_bmbt_key_at(p, i) <= xfs_bmbt_key_at(p, i - 1))
			return xfs_bad(f, "bmbt", "order of keys", daddr, i);
	}
	return 0;
}
