// SPDX-License-Identifier: MIT
/* Blocks of a directory: what is free in them, and what others say of that. */
#include "fs/xfs/scrub/scrub.h"
#include "fs/xfs/format/da.h"

#define BESTS 3u
#define NO_BLOCK 0xffffu		/* best of a block that is not there */

static u32 u16_at(const u8 *p)
{
	return (u32)p[0] << 8 | p[1];
}

static u32 entry_len(u32 name)
{
	return (8 + 1 + name + 1 + 2 + 7) & ~7u;
}

static int data_block(struct xfs_scrub *sc, u32 off, struct xfs_blk *b)
{
	int e = xfs_scrub_da_block(sc, false, XFS_BLK_DIR_DATA, off, b);

	if (e || xfs_dir_blk_owner(b->data) == xfs_scrub_node(sc)->core.ino)
		return e;
	sc->vol->put(sc->vol, b);
	return -XFS_CORRUPT;
}

int xfs_scrub_dir_data(struct xfs_scrub *sc, u32 db, struct xfs_blk *b)
{
	return data_block(sc, db << sc->mp->fs.vol.sb.dirblklog, b);
}

/* The best holes are holes, the longest first; *N: how many there are. */
static bool bests_ok(const struct xfs_sb *sb, const void *p, u32 *n)
{
	const struct xfs_ddir_data *h = p;
	u32 last = U32_MAX;
	const u8 *b = p;

	for (u32 i = 0; i < BESTS; i++) {
		u32 at = be16_get(h->best[i].offset), len = be16_get(h->best[i].length);

		if (!at)
			continue;
		if (at > sb->dirblksize - 8 || u16_at(b + at) != XFS_DIR_FREE_TAG ||
		    u16_at(b + at + 2) != len || len < 8 || len > sb->dirblksize - at ||
		    u16_at(b + at + len - 2) != at || len > last)
			return false;
		last = len;
		++*n;
	}
	return true;
}

static bool among_bests(const struct xfs_ddir_data *h, u32 len)
{
	if (len < be16_get(h->best[BESTS - 1].length))
		return true;
	for (u32 i = 0; i < BESTS; i++)
		if (len == be16_get(h->best[i].length))
			return true;
	return false;
}

static bool free_ok(const struct xfs_sb *sb, const void *p)
{
	u32 end = sb->dirblksize, bests = 0, holes = 0;
	const u8 *b = p;

	if (xfs_dir_data_is_block(p))
		end = (u32)((const u8 *)xfs_dir_block_ents(sb, p) - b);
	if (!bests_ok(sb, p, &bests))
		return false;
	/* All of it was verified: lengths are of 8 bytes at least, and end where the block does. */
	for (u32 at = sizeof(struct xfs_ddir_data); at < end;) {
		if (u16_at(b + at) != XFS_DIR_FREE_TAG) {
			at += entry_len(b[at + 8]);
			continue;
		}
		if (!among_bests(p, u16_at(b + at + 2)))
			return false;
		holes++;
		at += u16_at(b + at + 2);
	}
	return holes >= bests;
}

/* All blocks of names; *LAST: the number of the last one. */
static int check_data(struct xfs_scrub *sc, u32 *last)
{
	const struct xfs_sb *sb = &sc->mp->fs.vol.sb;
	u64 end = XFS_DIR_LEAF_START >> sb->blocklog, each = 1u << sb->dirblklog;

	for (u64 off = 0; off < end;) {
		struct xfs_map m;
		struct xfs_blk b;
		bool ok;
		int e = xfs_bmap(sc->vol, xfs_scrub_node(sc), false, off, &m);

		if (e)
			return e;
		if (m.type == XFS_MAP_HOLE) {
			off = (m.off + m.count + each - 1) / each * each;
			continue;
		}
		*last = (u32)(off >> sb->dirblklog);
		e = data_block(sc, (u32)off, &b);
		if (e)
			return e;
		ok = free_ok(sb, b.data) && (!xfs_dir_data_is_block(b.data) || !off);
		sc->vol->put(sc->vol, &b);
		if (!ok)
			return -XFS_CORRUPT;
		off += each;
	}
	return 0;
}

/* Block DB has as its longest hole what is said. */
static int check_best(struct xfs_scrub *sc, u32 db, u32 best)
{
	const struct xfs_ddir_data *h;
	struct xfs_blk b;
	bool ok;
	int e = xfs_scrub_dir_data(sc, db, &b);

	if (e == -ENOENT)
		return best == NO_BLOCK ? 0 : -XFS_CORRUPT;
	if (e)
		return e;
	h = b.data;
	ok = best == be16_get(h->best[0].length) && (!best || be16_get(h->best[0].offset));
	sc->vol->put(sc->vol, &b);
	return ok ? 0 : -XFS_CORRUPT;
}

/* A single leaf of hashes, which also has the longest hole of each block, up to LAST. */
static int check_leaf(struct xfs_scrub *sc, const void *p, u32 last)
{
	u32 size = sc->mp->fs.vol.sb.dirblksize, stale = 0;
	const struct xfs_ddir_ent *ents = xfs_dir_leaf_ents(p);
	const struct xfs_ddir_leaf *d = p;
	const u8 *tail = (const u8 *)p + size - 4;
	u32 n = u16_at(tail) << 16 | u16_at(tail + 2);

	if (be32_get(d->pad) || n != last + 1 || n > (size - 4) / 2)
		return -XFS_CORRUPT;
	for (u32 i = 0; i < xfs_dir_leaf_count(p); i++)
		stale += !be32_get(ents[i].addr);
	if (be16_get(d->stale) != stale)
		return -XFS_CORRUPT;
	for (u32 i = 0; i < n; i++) {
		int e = check_best(sc, i, u16_at(tail - 2 * (n - i)));

		if (e)
			return e;
	}
	return 0;
}

static int check_free(struct xfs_scrub *sc, const struct xfs_ddir_free *d)
{
	u32 n = be32_get(d->nvalid), none = 0;

	if (be32_get(d->pad))
		return -XFS_CORRUPT;
	for (u32 i = 0; i < n; i++) {
		u32 best = be16_get(d->best[i]);
		int e = 0;

		if (best == NO_BLOCK)
			none++;
		else
			e = check_best(sc, be32_get(d->firstdb) + i, best);
		if (e)
			return e;
	}
	return be32_get(d->nused) + none == n ? 0 : -XFS_CORRUPT;
}

/* Blocks that have the longest holes of all. */
static int check_frees(struct xfs_scrub *sc)
{
	const struct xfs_sb *sb = &sc->mp->fs.vol.sb;
	u64 each = 1u << sb->dirblklog, end = 1ull << 32;

	for (u64 off = XFS_DIR_FREE_START >> sb->blocklog; off < end;) {
		struct xfs_map m;
		struct xfs_blk b;
		int e = xfs_bmap(sc->vol, xfs_scrub_node(sc), false, off, &m);

		if (e)
			return e;
		if (m.type == XFS_MAP_HOLE) {
			off = (m.off + m.count + each - 1) / each * each;
			continue;
		}
		e = xfs_scrub_da_block(sc, false, XFS_BLK_DIR_FREE, (u32)off, &b);
		if (e)
			return e;
		e = xfs_dir_blk_owner(b.data) == xfs_scrub_node(sc)->core.ino ?
			    check_free(sc, b.data) :
			    -XFS_CORRUPT;
		sc->vol->put(sc->vol, &b);
		if (e)
			return e;
		off += each;
	}
	return 0;
}

int xfs_scrub_dir_blocks(struct xfs_scrub *sc)
{
	const struct xfs_sb *sb = &sc->mp->fs.vol.sb;
	struct xfs_blk b;
	u32 last = 0;
	int e = check_data(sc, &last);

	if (e)
		return e;
	e = xfs_scrub_da_block(sc, false, XFS_BLK_DIR_HASH,
			       (u32)(XFS_DIR_LEAF_START >> sb->blocklog), &b);
	if (!e) {
		if (xfs_da_magic(b.data) == XFS_DIR_LEAF1_MAGIC)
			e = check_leaf(sc, b.data, last);
		sc->vol->put(sc->vol, &b);
	} else if (e == -ENOENT) {
		/* One block has all. */
		e = xfs_scrub_dir_data(sc, 0, &b);
		if (e)
			return e == -ENOENT ? -XFS_CORRUPT : e;
		e = xfs_dir_data_is_block(b.data) ? 0 : -XFS_CORRUPT;
		sc->vol->put(sc->vol, &b);
	}
	return e ?: check_frees(sc);
}
