// SPDX-License-Identifier: MIT
/* What of a structure becomes what: fields by the structures of fs/xfs/format/disk.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "fs/xfs/format/stamp.h"
#include "tools/damage/damage.h"
#include <lib/minmax.h>
#include <lib/string.h>

#define WIDTH(s, f) \
	(sizeof(((struct s *)0)->f) > 8 ? 8 : (u8)sizeof(((struct s *)0)->f))
#define F(s, f, flags) { #f, offsetof(struct s, f), WIDTH(s, f), flags, 0 }
#define ARRAY(s, f, flags, n) { #f, offsetof(struct s, f), WIDTH(s, f[0]), flags, n }
#define BOTH (DERIVED | VERIFIED)

static const struct field of_sb[] = {
	F(xfs_dsb, magic, BOTH),	F(xfs_dsb, blocksize, BOTH),   F(xfs_dsb, dblocks, BOTH),
	F(xfs_dsb, uuid, DERIVED),	F(xfs_dsb, logstart, DERIVED), F(xfs_dsb, rootino, DERIVED),
	F(xfs_dsb, agblocks, BOTH),	F(xfs_dsb, agcount, BOTH),     F(xfs_dsb, versionnum, BOTH),
	F(xfs_dsb, sectsize, BOTH),	F(xfs_dsb, inodesize, BOTH),   F(xfs_dsb, fname, DERIVED),
	F(xfs_dsb, ro_compat, DERIVED), F(xfs_dsb, incompat, DERIVED), F(xfs_dsb, crc, DERIVED),
};
static const struct field of_counters[] = {
	F(xfs_dsb, icount, DERIVED),
	F(xfs_dsb, ifree, DERIVED),
	F(xfs_dsb, fdblocks, DERIVED),
};
/* Where the free list begins and ends Linux's repair takes from the damaged AGF. */
static const struct field of_agf[] = {
	F(xfs_dagf, magic, BOTH),	   F(xfs_dagf, version, BOTH),
	F(xfs_dagf, seqno, BOTH),	   F(xfs_dagf, length, BOTH),
	F(xfs_dagf, bno_root, DERIVED),	   F(xfs_dagf, cnt_root, DERIVED),
	F(xfs_dagf, rmap_root, 0),	   F(xfs_dagf, bno_level, BOTH),
	F(xfs_dagf, cnt_level, BOTH),	   F(xfs_dagf, rmap_level, 0),
	F(xfs_dagf, flfirst, VERIFIED),	   F(xfs_dagf, fllast, VERIFIED),
	F(xfs_dagf, flcount, VERIFIED),	   F(xfs_dagf, freeblks, BOTH),
	F(xfs_dagf, longest, DERIVED),	   F(xfs_dagf, btreeblks, DERIVED),
	F(xfs_dagf, uuid, BOTH),	   F(xfs_dagf, rmap_blocks, DERIVED),
	F(xfs_dagf, refc_blocks, DERIVED), F(xfs_dagf, refc_root, DERIVED),
	F(xfs_dagf, refc_level, BOTH),	   F(xfs_dagf, lsn, 0),
	F(xfs_dagf, crc, DERIVED),
};
static const struct field of_agi[] = {
	F(xfs_dagi, magic, BOTH),      F(xfs_dagi, version, BOTH),
	F(xfs_dagi, seqno, BOTH),      F(xfs_dagi, length, BOTH),
	F(xfs_dagi, count, DERIVED),   F(xfs_dagi, root, DERIVED),
	F(xfs_dagi, level, BOTH),      F(xfs_dagi, freecount, DERIVED),
	F(xfs_dagi, newino, DERIVED),  ARRAY(xfs_dagi, unlinked, 0, XFS_AGI_BUCKETS),
	F(xfs_dagi, uuid, BOTH),       F(xfs_dagi, free_root, DERIVED),
	F(xfs_dagi, free_level, BOTH), F(xfs_dagi, iblocks, DERIVED),
	F(xfs_dagi, fblocks, DERIVED), F(xfs_dagi, lsn, 0),
	F(xfs_dagi, crc, DERIVED),
};
/* There are as many entries in every sector. */
static const struct field of_agfl[] = {
	F(xfs_dagfl, magic, BOTH), F(xfs_dagfl, seqno, BOTH),  F(xfs_dagfl, uuid, BOTH),
	F(xfs_dagfl, lsn, 0),	   F(xfs_dagfl, crc, DERIVED), ARRAY(xfs_dagfl, bno, DERIVED, 119),
};
static const struct field of_short[] = {
	F(xfs_dbt_short, magic, BOTH),	    F(xfs_dbt_short, level, DERIVED),
	F(xfs_dbt_short, numrecs, DERIVED), F(xfs_dbt_short, left, DERIVED),
	F(xfs_dbt_short, right, DERIVED),   F(xfs_dbt_short, blkno, BOTH),
	F(xfs_dbt_short, lsn, 0),	    F(xfs_dbt_short, uuid, BOTH),
	F(xfs_dbt_short, owner, BOTH),	    F(xfs_dbt_short, crc, DERIVED),
};
static const struct field of_long[] = {
	F(xfs_dbt_long, magic, BOTH),	   F(xfs_dbt_long, level, DERIVED),
	F(xfs_dbt_long, numrecs, DERIVED), F(xfs_dbt_long, left, DERIVED),
	F(xfs_dbt_long, right, DERIVED),   F(xfs_dbt_long, blkno, BOTH),
	F(xfs_dbt_long, lsn, 0),	   F(xfs_dbt_long, uuid, BOTH),
	F(xfs_dbt_long, owner, DERIVED),   F(xfs_dbt_long, crc, DERIVED),
};
static const struct field of_dinode[] = {
	F(xfs_dinode, magic, 0),	 F(xfs_dinode, mode, 0),
	F(xfs_dinode, version, 0),	 F(xfs_dinode, format, 0),
	F(xfs_dinode, uid, 0),		 F(xfs_dinode, gid, 0),
	F(xfs_dinode, nlink, 0),	 F(xfs_dinode, big_nextents, 0),
	F(xfs_dinode, size, 0),		 F(xfs_dinode, nblocks, DERIVED),
	F(xfs_dinode, extsize, 0),	 F(xfs_dinode, nextents, 0),
	F(xfs_dinode, forkoff, 0),	 F(xfs_dinode, aformat, 0),
	F(xfs_dinode, flags, 0),	 F(xfs_dinode, gen, 0),
	F(xfs_dinode, next_unlinked, 0), F(xfs_dinode, flags2, 0),
	F(xfs_dinode, cowextsize, 0),	 F(xfs_dinode, mtime, 0),
	F(xfs_dinode, lsn, 0),		 F(xfs_dinode, ino, BOTH),
	F(xfs_dinode, uuid, BOTH),	 F(xfs_dinode, crc, DERIVED),
};

static const struct field rec_alloc[] = { F(xfs_dalloc, start, DERIVED),
					  F(xfs_dalloc, count, DERIVED) };
static const struct field rec_ino[] = { F(xfs_dinobt, start, DERIVED),
					F(xfs_dinobt, holemask, DERIVED),
					F(xfs_dinobt, count, DERIVED),
					F(xfs_dinobt, freecount, DERIVED),
					F(xfs_dinobt, free, DERIVED) };
static const struct field rec_rmap[] = { F(xfs_drmap, start, 0), F(xfs_drmap, count, 0),
					 F(xfs_drmap, owner, 0), F(xfs_drmap, offset, 0) };
static const struct field rec_refc[] = { F(xfs_drefc, start, DERIVED), F(xfs_drefc, count, DERIVED),
					 F(xfs_drefc, refs, DERIVED) };
static const struct field rec_ext[] = { F(xfs_dext, hi, DERIVED), F(xfs_dext, lo, DERIVED) };
static const struct field key_offset[] = { { "offset", 0, 8, DERIVED, 0 } };

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define HEADER(n, k, f, s) \
	{ .name = (n), .kind = (k), .fields = (f), .nr_fields = N(f), .crc = offsetof(struct s, crc) }
/* Keys begin with the record's first fields. */
#define TREE(n, bt, r, rs, nk, ks)                                                                \
	{                                                                                         \
		.name = (n), .kind = XFS_BLK_BT + (bt), .fields = of_short, .nr_fields = N(of_short), \
		.rec = (r), .key = (r), .nr_rec = N(r), .nr_key = (nk), .rec_size = sizeof(struct rs), \
		.key_size = (ks), .head = sizeof(struct xfs_dbt_short),                           \
		.crc = offsetof(struct xfs_dbt_short, crc)                                        \
	}
#define FORK(n)                                                                                \
	{                                                                                      \
		.name = (n), .kind = XFS_BLK_BMBT, .of_inode = true, .fields = of_long,        \
		.nr_fields = N(of_long), .rec = rec_ext, .key = key_offset, .nr_rec = N(rec_ext), \
		.nr_key = 1, .rec_size = sizeof(struct xfs_dext), .key_size = 8,               \
		.head = sizeof(struct xfs_dbt_long), .crc = offsetof(struct xfs_dbt_long, crc) \
	}

const struct type types[TYPES] = {
	[T_SB] = HEADER("sb", XFS_BLK_SB, of_sb, xfs_dsb),
	[T_AGF] = HEADER("agf", XFS_BLK_AGF, of_agf, xfs_dagf),
	[T_AGFL] = HEADER("agfl", XFS_BLK_AGFL, of_agfl, xfs_dagfl),
	[T_AGI] = HEADER("agi", XFS_BLK_AGI, of_agi, xfs_dagi),
	[T_BNOBT] = TREE("bnobt", XFS_BT_BNO, rec_alloc, xfs_dalloc, 2, 8),
	[T_CNTBT] = TREE("cntbt", XFS_BT_CNT, rec_alloc, xfs_dalloc, 2, 8),
	[T_INOBT] = TREE("inobt", XFS_BT_INO, rec_ino, xfs_dinobt, 1, 4),
	[T_FINOBT] = TREE("finobt", XFS_BT_FINO, rec_ino, xfs_dinobt, 1, 4),
	[T_RMAPBT] = TREE("rmapbt", XFS_BT_RMAP, rec_rmap, xfs_drmap, 1, 40),
	[T_REFCOUNTBT] = TREE("refcountbt", XFS_BT_REFC, rec_refc, xfs_drefc, 1, 4),
	[T_INODE] = { .name = "inode",
		      .kind = XFS_BLK_INODES,
		      .of_inode = true,
		      .fields = of_dinode,
		      .nr_fields = N(of_dinode),
		      .crc = offsetof(struct xfs_dinode, crc) },
	[T_BMAPBTD] = FORK("bmapbtd"),
	[T_BMAPBTA] = FORK("bmapbta"),
	[T_COUNTERS] = HEADER("fscounters", XFS_BLK_SB, of_counters, xfs_dsb),
};

/* ---- chance: splitmix64 ---- */

static u64 draw(u64 *r)
{
	u64 z = (*r += 0x9e3779b97f4a7c15ull);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static u64 below(u64 *r, u64 n)
{
	return draw(r) % n;
}

/* ---- one change ---- */

static u64 get(const u8 *p, u32 width)
{
	u64 v = 0;

	for (u32 i = 0; i < width; i++)
		v = v << 8 | p[i];
	return v;
}

static void put(u8 *p, u32 width, u64 v)
{
	for (u32 i = width; i--; v >>= 8)
		p[i] = (u8)v;
}

static u64 other_value(u64 *r, u64 old, u32 width)
{
	u64 mask = width == 8 ? ~0ull : (1ull << 8 * width) - 1, v;

	switch (below(r, 6)) {
	case 0:
		v = old ^ 1ull << below(r, 8 * width);
		break;
	case 1:
		v = old + 1;
		break;
	case 2:
		v = old - 1;
		break;
	case 3:
		v = 0;
		break;
	case 4:
		v = ~0ull;
		break;
	default:
		v = draw(r);
	}
	v &= mask;
	return v == old ? old ^ 1 : v;
}

/* A field of D's target: of its header, or of one of the records or keys that it says it has. */
static const struct field *pick_field(u64 *r, struct damage *d)
{
	const struct type *t = &types[d->t.type];
	const struct field *f = t->fields, *of = NULL;
	u32 n = t->nr_fields, base = 0, i;

	if (t->rec && below(r, 2)) {
		u32 level = (u32)get(d->before + 4, 2), recs = (u32)get(d->before + 6, 2);
		u32 size = level ? t->key_size : t->rec_size;

		recs = min(recs, (d->t.len - t->head) / size);
		if (recs) {
			i = (u32)below(r, recs);
			base = t->head + i * size;
			of = level ? t->key : t->rec;
			n = level ? t->nr_key : t->nr_rec;
			f = of + below(r, n);
			snprintf(d->field, sizeof(d->field), "%s %u %s", level ? "key" : "record",
				 i + 1, f->name);
		}
	}
	if (!of) {
		f += below(r, n);
		snprintf(d->field, sizeof(d->field), "%s", f->name);
		if (f->count) {
			i = (u32)below(r, f->count);
			base = i * f->width;
			snprintf(d->field, sizeof(d->field), "%s[%u]", f->name, i);
		}
	}
	d->off = base + f->off;
	d->width = f->width;
	return d->off + d->width <= d->t.len ? f : NULL;
}

/* What a reader of the target says of the bytes that it is to have. */
static void judge(struct image *im, struct damage *d)
{
	const struct xfs_sb *sb = &im->vol.sb;
	struct xfs_core core;
	int e;

	d->fault = (struct xfs_fault){ 0 };
	if (types[d->t.type].kind == XFS_BLK_INODES)
		e = xfs_inode_decode(sb, d->t.ino, d->after, &core, &d->fault);
	else
		e = xfs_verify(sb, types[d->t.type].kind, d->t.at >> 9, d->after, d->t.len,
			       &d->fault);
	d->met = e == -XFS_CORRUPT || e == -XFS_BAD_CRC;
	/* A superblock of another magic is none at all. */
	if (e && !d->met && types[d->t.type].kind == XFS_BLK_SB)
		d->met = true;
}

static bool try_one(struct image *im, u64 *r, const struct wish *w, struct damage *d)
{
	const struct type *t = &types[d->t.type];
	const struct field *f = pick_field(r, d);

	if (!f || (d->right && d->off == t->crc))
		return false;
	d->old = get(d->before + d->off, d->width);
	d->new = other_value(r, d->old, d->width);
	memcpy(d->after, d->before, d->t.len);
	put(d->after + d->off, d->width, d->new);
	if (d->right)
		xfs_put_crc(d->after, d->t.len, t->crc);
	judge(im, d);
	if (w->curable && !(f->flags & DERIVED))
		return false;
	return !w->met || (d->met && (!d->right || f->flags & VERIFIED));
}

/* A structure by its type first, so that rare ones are not drowned by inodes. */
static const struct target *pick_target(u64 *r, const struct targets *t)
{
	u32 have = 0, nr = 0, type = 0;
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		have |= 1u << t->v[i].type;
	for (u32 i = 0; i < TYPES; i++)
		nr += have >> i & 1;
	if (!nr)
		return NULL;
	for (u32 left = (u32)below(r, nr) + 1; left; type++)
		left -= have >> type & 1;
	type--;
	for (size_t i = 0; i < t->n; i++)
		n += t->v[i].type == type;
	n = (size_t)below(r, n);
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].type == type && !n--)
			return &t->v[i];
	return NULL;
}

int choose_damage(struct image *im, const struct targets *t, const struct wish *w, struct damage *d)
{
	u64 r = w->seed;
	const struct target *chosen = pick_target(&r, t);
	int e;

	*d = (struct damage){ 0 };
	if (!chosen)
		return -ENOENT;
	d->t = *chosen;
	d->before = malloc(d->t.len);
	d->after = malloc(d->t.len);
	if (!d->before || !d->after)
		return -ENOMEM;
	e = image_read(im, d->t.at, d->before, d->t.len);
	if (e)
		return e;
	d->right = below(&r, 2);
	if (w->crc >= 0)
		d->right = w->crc;
	for (u32 side = 0; side < (w->crc < 0 ? 2 : 1); side++) {
		for (u32 tries = 0; tries < 4096; tries++)
			if (try_one(im, &r, w, d))
				return 0;
		d->right = !d->right;	/* with this one nothing is as wished */
	}
	return -ENOENT;
}

void free_damage(struct damage *d)
{
	free(d->before);
	free(d->after);
	d->before = d->after = NULL;
}
