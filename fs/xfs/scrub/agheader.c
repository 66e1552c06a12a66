// SPDX-License-Identifier: MIT
/* The headers of AGs: copies of the superblock, AGF, AGFL, AGI. */
#include "fs/xfs/scrub/scrub.h"
#include "fs/xfs/format/agheader.h"
#include <alloc/slab.h>
#include <lib/minmax.h>

/* Block of the AG that has its SECTOR-th sector. */
static u32 block_of(const struct xfs_scrub *sc, u32 sector)
{
	const struct xfs_sb *sb = &sc->mp->fs.vol.sb;

	return sector * sb->sectsize >> sb->blocklog;
}

static void refer_header(struct xfs_scrub *sc, u32 sector)
{
	u32 agb = block_of(sc, sector);

	xfs_scrub_xref_begin(sc);
	xfs_scrub_used(sc, agb, 1);
	xfs_scrub_no_inodes(sc, agb, 1);
	xfs_scrub_owned(sc, agb, 1, XFS_OWN_FS, true);
	xfs_scrub_not_shared(sc, agb, 1);
	xfs_scrub_not_staged(sc, agb, 1);
}

/* ---- the superblock's copy ---- */

/* Bytes that are as in the superblock, else this is said. */
static const struct sb_field {
	u16 off, len;
	bool preen;
} sb_fields[] = {
#define SAME(from, to) \
	{ offsetof(struct xfs_dsb, from), offsetof(struct xfs_dsb, to) - offsetof(struct xfs_dsb, from), false }
#define PREEN(from, to) \
	{ offsetof(struct xfs_dsb, from), offsetof(struct xfs_dsb, to) - offsetof(struct xfs_dsb, from), true }
	SAME(blocksize, uuid),	PREEN(uuid, logstart),	     SAME(logstart, rootino),
	PREEN(rootino, rbmino), SAME(rextsize, versionnum),  SAME(sectsize, fname),
	PREEN(fname, blocklog), SAME(blocklog, inprogress),  PREEN(imax_pct, icount),
	SAME(flags, unit),	PREEN(unit, dirblklog),	     SAME(dirblklog, features2),
	SAME(compat, incompat), SAME(spino_align, pquotino),
};
/* With a directory of metadata these numbers mean nothing. */
static const struct sb_field old_fields[] = {
	PREEN(rbmino, rextsize), PREEN(uquotino, qflags), PREEN(pquotino, lsn),
}, new_fields[] = {
	PREEN(metadirino, rgcount), SAME(rgcount, pad),
};

static void compare(struct xfs_scrub *sc, const u8 *a, const u8 *b, const struct sb_field *f, u32 n)
{
	for (u32 i = 0; i < n; i++)
		if (memcmp(a + f[i].off, b + f[i].off, f[i].len))
			sc->req->flags |= f[i].preen ? XFS_SCRUB_PREEN : XFS_SCRUB_CORRUPT;
}

#define VERSION_SAME	0x3f8fu		/* bits that mkfs sets for ever */
#define VERSION_PREEN	0x0070u
#define FEATURES2_SAME	0x0382u
#define FEATURES2_PREEN 0x0008u

static void compare_bits(struct xfs_scrub *sc, u32 differ, u32 same, u32 preen)
{
	if (differ & same)
		xfs_scrub_bad(sc);
	if (differ & preen)
		sc->req->flags |= XFS_SCRUB_PREEN;
}

static void compare_sb(struct xfs_scrub *sc, const void *copy, const void *sector)
{
	const struct xfs_sb *sb = &sc->mp->fs.vol.sb;
	const struct xfs_dsb *c = copy, *d = sector;
	bool metadir = sb->incompat & XFS_IN_METADIR;

	compare(sc, copy, sector, sb_fields, ARRAY_SIZE(sb_fields));
	compare(sc, copy, sector, metadir ? new_fields : old_fields,
		metadir ? ARRAY_SIZE(new_fields) : ARRAY_SIZE(old_fields));
	if (metadir && (be64_get(c->rbmino) || be64_get(c->rsumino) || be64_get(c->uquotino) ||
			be64_get(c->pquotino)))
		xfs_scrub_bad(sc);
	compare_bits(sc, be16_get(c->versionnum) ^ be16_get(d->versionnum), VERSION_SAME,
		     VERSION_PREEN);
	compare_bits(sc, be32_get(c->features2) ^ be32_get(d->features2), FEATURES2_SAME,
		     FEATURES2_PREEN);
	compare_bits(sc, be32_get(c->features2), ~(FEATURES2_SAME | FEATURES2_PREEN), 0);
	compare_bits(sc, be32_get(c->features2) ^ be32_get(c->bad_features2), 0, ~0u);
	compare_bits(sc, be32_get(c->incompat) ^ be32_get(d->incompat), ~XFS_IN_NEEDSREPAIR,
		     XFS_IN_NEEDSREPAIR);
	compare_bits(sc, be32_get(c->log_incompat), 0, ~0u);
	if (sb->incompat & XFS_IN_META_UUID && memcmp(c->meta_uuid, d->meta_uuid, XFS_UUID_SIZE))
		xfs_scrub_bad(sc);
	if (memchr_inv((const u8 *)copy + sizeof(*c), 0, sb->sectsize - sizeof(*c)))
		xfs_scrub_bad(sc);
}

/* The superblock as transactions have it. */
static int read_first(struct xfs_scrub *sc, u8 *to)
{
	const struct xfs_sb *sb = &sc->mp->fs.vol.sb;
	struct xfs_run run = { 0, sb->sectsize / XFS_SECTOR };
	struct xfs_fault f;
	struct xfs_buf *b;
	int e = xfs_buf_take(&sc->mp->cache, sb, XFS_BLK_SB, &run, 1, 0, &b, &f);

	if (e)
		return e;
	memcpy(to, b->tx.data, sb->sectsize);
	xfs_buf_unlock(b);
	xfs_buf_rele(b);
	return 0;
}

/* Who changes the copies holds mp->admin, and writes them past the cache. */
static int read_and_compare(struct xfs_scrub *sc, u8 *copy)
{
	const struct xfs_sb *sb = &sc->mp->fs.vol.sb;
	u64 daddr = xfs_agb_daddr(sb, sc->agno, 0);
	struct xfs_fault f;
	int e = read_first(sc, copy + sb->sectsize);

	e = e ?: xfs_read_raw(sc->mp->sb->s_bdev, daddr, copy, sb->sectsize);
	if (e)
		return e;
	e = xfs_verify(sb, XFS_BLK_SB, daddr, copy, sb->sectsize, &f);
	if (e)
		xfs_scrub_bad(sc);
	else
		compare_sb(sc, copy, copy + sb->sectsize);
	return 0;
}

int xfs_scrub_sb(struct xfs_scrub *sc)
{
	u8 *copy;
	int e;

	/* That the first is right, the mount has seen to. */
	if (!sc->agno)
		return 0;
	copy = kmalloc(2 * sc->mp->fs.vol.sb.sectsize, GFP_NOFS);
	if (!copy)
		return -ENOMEM;
	e = read_and_compare(sc, copy);
	kfree(copy);
	return e;
}

void xfs_scrub_sb_refer(struct xfs_scrub *sc)
{
	refer_header(sc, 0);
}

/* ---- AGF ---- */

static int add_free(struct xfs_scrub *sc, const struct xfs_bt_rec *r, void *ctx)
{
	(void)sc;
	*(u64 *)ctx += r->count;
	return 0;
}

static int longest(struct xfs_scrub *sc, const struct xfs_bt_rec *r, void *ctx)
{
	(void)sc;
	*(u32 *)ctx = r->count;
	return 0;
}

static void refer_free(struct xfs_scrub *sc, const struct xfs_dagf *d)
{
	u64 free = 0;
	u32 most = 0;
	struct xfs_scrub_tree bno = {
		.kind = XFS_BT_BNO, .rec = add_free, .ctx = &free, .last = U32_MAX
	};
	struct xfs_scrub_tree cnt = {
		.kind = XFS_BT_CNT, .rec = longest, .ctx = &most, .last = U32_MAX
	};

	if (xfs_scrub_can(sc, XFS_BT_BNO) &&
	    xfs_scrub_xref_ok(sc, XFS_BT_BNO, xfs_scrub_walk(sc, &bno)) &&
	    free != be32_get(d->freeblks))
		xfs_scrub_differs(sc);
	if (xfs_scrub_can(sc, XFS_BT_CNT) &&
	    xfs_scrub_xref_ok(sc, XFS_BT_CNT, xfs_scrub_walk(sc, &cnt)) &&
	    most != be32_get(d->longest))
		xfs_scrub_differs(sc);
}

/* How many blocks trees have. */
static void refer_blocks(struct xfs_scrub *sc, const struct xfs_dagf *d)
{
	u64 rmap = 1, bno, cnt, refc;
	bool known = true;

	if (xfs_scrub_has(sc, XFS_BT_RMAP)) {
		known = xfs_scrub_tree_blocks(sc, XFS_BT_RMAP, &rmap);
		if (known && rmap != be32_get(d->rmap_blocks))
			xfs_scrub_differs(sc);
	}
	if (known && xfs_scrub_tree_blocks(sc, XFS_BT_BNO, &bno) &&
	    xfs_scrub_tree_blocks(sc, XFS_BT_CNT, &cnt) &&
	    rmap + bno + cnt - 3 != be32_get(d->btreeblks))
		xfs_scrub_differs(sc);
	if (xfs_scrub_has(sc, XFS_BT_REFC) && xfs_scrub_tree_blocks(sc, XFS_BT_REFC, &refc) &&
	    refc != be32_get(d->refc_blocks))
		xfs_scrub_differs(sc);
}

int xfs_scrub_check_agf(struct xfs_scrub *sc)
{
	const struct xfs_sb *sb = &sc->mp->fs.vol.sb;
	const struct xfs_dagf *d = xfs_scrub_agf(sc);
	const struct xfs_ag *ag = xfs_ag_of(&sc->mp->fs, sc->agno);
	u32 size = xfs_agfl_size(sb), n = be32_get(d->flcount);
	struct xfs_heights h;

	xfs_heights_of(sb, &h);
	if (be32_get(d->length) != xfs_ag_blocks(sb, sc->agno) ||
	    !xfs_agb_ok(sb, sc->agno, be32_get(d->bno_root)) ||
	    !xfs_agb_ok(sb, sc->agno, be32_get(d->cnt_root)) || !be32_get(d->bno_level) ||
	    be32_get(d->bno_level) > h.alloc || !be32_get(d->cnt_level) ||
	    be32_get(d->cnt_level) > h.alloc)
		xfs_scrub_bad(sc);
	if (xfs_scrub_has(sc, XFS_BT_RMAP) &&
	    (!xfs_agb_ok(sb, sc->agno, be32_get(d->rmap_root)) || !be32_get(d->rmap_level) ||
	     be32_get(d->rmap_level) > h.rmap))
		xfs_scrub_bad(sc);
	if (xfs_scrub_has(sc, XFS_BT_REFC) &&
	    (!xfs_agb_ok(sb, sc->agno, be32_get(d->refc_root)) || !be32_get(d->refc_level) ||
	     be32_get(d->refc_level) > h.refc))
		xfs_scrub_bad(sc);
	if (n && (be32_get(d->fllast) + size - be32_get(d->flfirst)) % size + 1 != n)
		xfs_scrub_bad(sc);
	if (ag->agf_known && (ag->freeblks != be32_get(d->freeblks) || ag->flcount != n ||
			      ag->btreeblks != be32_get(d->btreeblks)))
		xfs_scrub_bad(sc);
	if (xfs_scrub_is_bad(sc))
		return 0;
	refer_header(sc, 1);
	refer_free(sc, d);
	refer_blocks(sc, d);
	return 0;
}

/* ---- AGFL ---- */

static void check_entry(struct xfs_scrub *sc, const u8 *agfl, u32 first, u32 i)
{
	const struct xfs_sb *sb = &sc->mp->fs.vol.sb;
	u32 size = xfs_agfl_size(sb), agb = xfs_agfl_at(agfl, (first + i) % size);

	if (!xfs_agb_ok(sb, sc->agno, agb)) {
		xfs_scrub_bad(sc);
		return;
	}
	/* A sector has a thousand at most. */
	for (u32 k = 0; k < i; k++)
		if (xfs_agfl_at(agfl, (first + k) % size) == agb)
			xfs_scrub_bad(sc);
	xfs_scrub_used(sc, agb, 1);
	xfs_scrub_no_inodes(sc, agb, 1);
	xfs_scrub_owned(sc, agb, 1, XFS_OWN_AG, true);
	xfs_scrub_not_shared(sc, agb, 1);
	xfs_scrub_not_staged(sc, agb, 1);
}

int xfs_scrub_check_agfl(struct xfs_scrub *sc)
{
	const struct xfs_sb *sb = &sc->mp->fs.vol.sb;
	struct xfs_run run = { xfs_agb_daddr(sb, sc->agno, 0) + 3 * (sb->sectsize / XFS_SECTOR),
			       sb->sectsize / XFS_SECTOR };
	const struct xfs_dagf *d;
	struct xfs_fault f;
	struct xfs_buf *b;
	int e;

	if (!sc->agf) {
		sc->mask = 0;	/* nothing of the list was seen */
		return -XFS_CORRUPT;
	}
	d = xfs_scrub_agf(sc);
	e = xfs_buf_take(&sc->mp->cache, sb, XFS_BLK_AGFL, &run, 1, 0, &b, &f);
	if (e)
		return e;
	refer_header(sc, 3);
	if (be32_get(d->flcount) > xfs_agfl_size(sb))
		xfs_scrub_bad(sc);
	for (u32 i = 0; !xfs_scrub_is_bad(sc) && !sc->error && i < be32_get(d->flcount); i++)
		check_entry(sc, b->tx.data, be32_get(d->flfirst), i);
	xfs_buf_unlock(b);
	xfs_buf_rele(b);
	return 0;
}

/* ---- AGI ---- */

struct counted {
	u64 inodes, free;
};

static int count_chunk(struct xfs_scrub *sc, const struct xfs_bt_rec *r, void *ctx)
{
	struct counted *n = ctx;

	(void)sc;
	n->inodes += r->inodes;
	n->free += r->freecount;
	return 0;
}

static void refer_inodes(struct xfs_scrub *sc, const struct xfs_dagi *d)
{
	bool counts = sc->mp->fs.vol.sb.ro_compat & XFS_RO_INOBTCNT;
	struct counted n = { 0 };
	struct xfs_scrub_tree t = {
		.kind = XFS_BT_INO, .rec = count_chunk, .ctx = &n, .last = U32_MAX
	};
	u64 blocks;

	if (xfs_scrub_can(sc, XFS_BT_INO) &&
	    xfs_scrub_xref_ok(sc, XFS_BT_INO, xfs_scrub_walk(sc, &t)) &&
	    (n.inodes != be32_get(d->count) || n.free != be32_get(d->freecount) ||
	     (counts && t.blocks != be32_get(d->iblocks))))
		xfs_scrub_differs(sc);
	if (counts && xfs_scrub_has(sc, XFS_BT_FINO) &&
	    xfs_scrub_tree_blocks(sc, XFS_BT_FINO, &blocks) && blocks != be32_get(d->fblocks))
		xfs_scrub_differs(sc);
}

/* Inodes without names are in memory; each list ends. */
static bool unlinked_ok(struct xfs_scrub *sc, u32 bucket, u32 agino, u32 *left)
{
	const struct xfs_sb *sb = &sc->mp->fs.vol.sb;

	while (agino != XFS_NULL32) {
		struct xfs_ino *ip;

		if (agino % XFS_AGI_BUCKETS != bucket || !xfs_agino_ok(sb, sc->agno, agino) ||
		    !*left)
			return false;
		--*left;
		ip = xfs_ino_in_memory(&sc->mp->fs, xfs_ino_make(sb, sc->agno, agino));
		if (!ip)
			return false;
		agino = ip->node.core.next_unlinked;
	}
	return true;
}

static bool agino_ok(const struct xfs_scrub *sc, be32 n)
{
	return be32_get(n) == XFS_NULL32 || xfs_agino_ok(&sc->mp->fs.vol.sb, sc->agno, be32_get(n));
}

int xfs_scrub_check_agi(struct xfs_scrub *sc)
{
	const struct xfs_sb *sb = &sc->mp->fs.vol.sb;
	const struct xfs_dagi *d = xfs_scrub_agi(sc);
	const struct xfs_ag *ag = xfs_ag_of(&sc->mp->fs, sc->agno);
	u32 left = be32_get(d->count), length = xfs_ag_blocks(sb, sc->agno);
	struct xfs_heights h;

	xfs_heights_of(sb, &h);
	if (be32_get(d->length) != length || !xfs_agb_ok(sb, sc->agno, be32_get(d->root)) ||
	    !be32_get(d->level) || be32_get(d->level) > h.ino)
		xfs_scrub_bad(sc);
	if (xfs_scrub_has(sc, XFS_BT_FINO) &&
	    (!xfs_agb_ok(sb, sc->agno, be32_get(d->free_root)) || !be32_get(d->free_level) ||
	     be32_get(d->free_level) > h.ino))
		xfs_scrub_bad(sc);
	if (be32_get(d->count) > (u64)length << sb->inopblog ||
	    be32_get(d->count) < be32_get(d->freecount) || !agino_ok(sc, d->newino) ||
	    !agino_ok(sc, d->dirino) || be32_get(d->pad))
		xfs_scrub_bad(sc);
	if (ag->agi_known &&
	    (ag->inodes != be32_get(d->count) || ag->freeinodes != be32_get(d->freecount)))
		xfs_scrub_bad(sc);
	for (u32 i = 0; i < XFS_AGI_BUCKETS; i++)
		if (!unlinked_ok(sc, i, be32_get(d->unlinked[i]), &left)) {
			xfs_scrub_bad(sc);
			break;
		}
	if (xfs_scrub_is_bad(sc))
		return 0;
	refer_header(sc, 2);
	refer_inodes(sc, d);
	return 0;
}
