// SPDX-License-Identifier: MIT
#include "fs/xfs/format/dir.h"
#include <lib/string.h>

#define SF "short directory"
#define DATA "directory block"
#define HEAD ((u32)sizeof(struct xfs_ddir_data))

u8 xfs_ftype_to_dt(u8 ftype)
{
	/* unknown, regular, directory, character, block, FIFO, socket, symlink, whiteout */
	static const u8 dt[] = { 0, 8, 4, 2, 6, 1, 12, 10, 14 };

	return ftype < sizeof(dt) ? dt[ftype] : 0;
}

static u32 entry_size(u32 namelen)
{
	return (8 + 1 + namelen + 1 + 2 + 7) & ~7u;
}

/*
 * ---- shortform: count, count of 8-byte numbers, parent; then length, offset, name, type, number
 * ----
 */

static u32 sf_ino_size(const u8 *p)
{
	return p[1] ? 8 : 4;
}

static u64 ino_at(const u8 *p)
{
	be64 v;

	memcpy(&v, p, sizeof(v));
	return be64_get(v);
}

static u64 sf_ino(const u8 *p, u32 size)
{
	be32 v;

	if (size == 8)
		return ino_at(p);
	memcpy(&v, p, sizeof(v));
	return be32_get(v);
}

u64 xfs_dirsf_parent(const u8 *p)
{
	return sf_ino(p + 2, sf_ino_size(p));
}

bool xfs_dirsf_next(const u8 *p, u32 *at, struct xfs_dirent *out)
{
	/* entries that are done, where the next lies */
	u32 w = sf_ino_size(p), i = *at >> 16, pos = *at & 0xffff;
	const u8 *e;

	if (!*at)
		pos = 2 + w;
	if (i >= p[0])
		return false;
	e = p + pos;
	*out = (struct xfs_dirent){
		.ino = sf_ino(e + 4 + e[0], w),
		.name = e + 3,
		.cookie = ((u32)e[1] << 8 | e[2]) >> 3,
		.len = e[0],
		.ftype = e[3 + e[0]],
	};
	*at = (i + 1) << 16 | (pos + 4 + e[0] + w);
	return true;
}

/* No byte of an entry may lie outside before it is looked at. */
int xfs_dirsf_check(const struct xfs_sb *sb, const u8 *p, u32 size, u64 ino, struct xfs_fault *f)
{
	u32 w, at, last = XFS_COOKIE_DOTDOT(sb);

	if (size < 6)
		return xfs_bad(f, SF, "size", ino, size);
	w = sf_ino_size(p);
	at = 2 + w;
	if (size < at)
		return xfs_bad(f, SF, "size", ino, size);
	if (!xfs_ino_ok(sb, xfs_dirsf_parent(p)))
		return xfs_bad(f, SF, "parent", ino, xfs_dirsf_parent(p));
	for (u32 i = 0; i < p[0]; i++) {
		u32 len, cookie;

		if (size - at < 4 || size - at < 4u + p[at] + w)
			return xfs_bad(f, SF, "namelen", ino, i);
		len = p[at];
		cookie = ((u32)p[at + 1] << 8 | p[at + 2]) >> 3;
		if (!len || memchr(p + at + 3, '/', len) || memchr(p + at + 3, 0, len))
			return xfs_bad(f, SF, "name", ino, i);
		if (cookie <= last || (p[at + 2] & 7))
			return xfs_bad(f, SF, "offset", ino, cookie);
		last = cookie;
		if (!xfs_ino_ok(sb, sf_ino(p + at + 4 + len, w)))
			return xfs_bad(f, SF, "inumber", ino, sf_ino(p + at + 4 + len, w));
		at += 4 + len + w;
	}
	return at == size ? 0 : xfs_bad(f, SF, "size", ino, size);
}

/* ---- blocks ---- */

static int check_blk(const struct xfs_sb *sb, u64 daddr, const void *p, const char *what,
		     struct xfs_fault *f)
{
	const struct xfs_ddir_blk *h = p;

	if (!xfs_crc_ok(p, sb->dirblksize, offsetof(struct xfs_ddir_blk, crc))) {
		xfs_bad(f, what, "crc", daddr, le32_get(h->crc));
		return -XFS_BAD_CRC;
	}
	if (memcmp(h->uuid, sb->meta_uuid, XFS_UUID_SIZE))
		return xfs_bad(f, what, "uuid", daddr, 0);
	if (be64_get(h->blkno) != daddr)
		return xfs_bad(f, what, "blkno", daddr, be64_get(h->blkno));
	return 0;
}

bool xfs_dir_data_is_block(const void *p)
{
	return be32_get(((const struct xfs_ddir_blk *)p)->magic) == XFS_DIR_BLOCK_MAGIC;
}

static const struct xfs_ddir_tail *tail_of(const struct xfs_sb *sb, const void *p)
{
	return (const void *)((const u8 *)p + sb->dirblksize - sizeof(struct xfs_ddir_tail));
}

u32 xfs_dir_block_count(const struct xfs_sb *sb, const void *p)
{
	return be32_get(tail_of(sb, p)->count);
}

const struct xfs_ddir_ent *xfs_dir_block_ents(const struct xfs_sb *sb, const void *p)
{
	return (const struct xfs_ddir_ent *)tail_of(sb, p) - xfs_dir_block_count(sb, p);
}

/* Where the names of a verified block end. */
static u32 data_end(const struct xfs_sb *sb, const void *p)
{
	return xfs_dir_data_is_block(p) ?
		       (u32)((const u8 *)xfs_dir_block_ents(sb, p) - (const u8 *)p) :
		       sb->dirblksize;
}

static u16 u16_at(const u8 *p)
{
	return (u16)(p[0] << 8 | p[1]);
}

static int check_tail(const struct xfs_sb *sb, u64 daddr, const void *p, struct xfs_fault *f)
{
	u32 count = xfs_dir_block_count(sb, p), last = 0;
	const struct xfs_ddir_ent *e;

	if (count > (sb->dirblksize - HEAD - sizeof(struct xfs_ddir_tail)) / sizeof(*e))
		return xfs_bad(f, DATA, "count", daddr, count);
	if (be32_get(tail_of(sb, p)->stale) > count)
		return xfs_bad(f, DATA, "stale", daddr, be32_get(tail_of(sb, p)->stale));
	e = xfs_dir_block_ents(sb, p);
	for (u32 i = 0; i < count; i++) {
		if (be32_get(e[i].hash) < last)
			return xfs_bad(f, DATA, "order of hashes", daddr, i);
		last = be32_get(e[i].hash);
	}
	return 0;
}

int xfs_dir_data_verify(const struct xfs_sb *sb, u64 daddr, const void *p, struct xfs_fault *f)
{
	const u8 *b = p;
	u32 magic = be32_get(((const struct xfs_ddir_blk *)p)->magic), end;
	int e;

	if (magic != XFS_DIR_BLOCK_MAGIC && magic != XFS_DIR_DATA_MAGIC)
		return xfs_bad(f, DATA, "magic", daddr, magic);
	e = check_blk(sb, daddr, p, DATA, f);
	if (!e && magic == XFS_DIR_BLOCK_MAGIC)
		e = check_tail(sb, daddr, p, f);
	if (e)
		return e;
	end = data_end(sb, p);
	for (u32 at = HEAD, len; at < end; at += len) {
		if (end - at < 8)
			return xfs_bad(f, DATA, "end of entries", daddr, at);
		if (u16_at(b + at) == XFS_DIR_FREE_TAG) {
			len = u16_at(b + at + 2);
		} else {
			if (end - at < 16)
				return xfs_bad(f, DATA, "end of entries", daddr, at);
			len = entry_size(b[at + 8]);
			if (!b[at + 8])
				return xfs_bad(f, DATA, "namelen", daddr, at);
		}
		if (!len || (len & 7) || len > end - at)
			return xfs_bad(f, DATA, "length", daddr, len);
		if (u16_at(b + at + len - 2) != at)
			return xfs_bad(f, DATA, "tag", daddr, at);
		if (u16_at(b + at) == XFS_DIR_FREE_TAG)
			continue;
		if (memchr(b + at + 9, '/', b[at + 8]) || memchr(b + at + 9, 0, b[at + 8]))
			return xfs_bad(f, DATA, "name", daddr, at);
		if (!xfs_ino_ok(sb, ino_at(b + at)))
			return xfs_bad(f, DATA, "inumber", daddr, ino_at(b + at));
	}
	return 0;
}

/* The entry at AT, if one lies there as a whole. */
static bool entry_in(const struct xfs_sb *sb, const u8 *b, u32 db, u32 at, u32 end,
		     struct xfs_dirent *out)
{
	u32 len;

	if (end < 16 || at > end - 16)
		return false;
	len = b[at + 8];
	if (!len || entry_size(len) > end - at)
		return false;
	out->ino = ino_at(b + at);
	out->name = b + at + 9;
	out->cookie = (u32)(((u64)db * sb->dirblksize + at) >> 3);
	out->len = (u8)len;
	out->ftype = b[at + 9 + len];
	return true;
}

/* AT comes from elsewhere: is there an entry at all? */
bool xfs_dir_data_entry(const struct xfs_sb *sb, const void *p, u32 db, u32 at,
			struct xfs_dirent *out)
{
	const u8 *b = p;
	struct xfs_dirent d;

	if (at < HEAD || (at & 7) || !entry_in(sb, b, db, at, data_end(sb, p), &d) ||
	    u16_at(b + at) == XFS_DIR_FREE_TAG || u16_at(b + at + entry_size(d.len) - 2) != at ||
	    !xfs_ino_ok(sb, d.ino))
		return false;
	*out = d;
	return true;
}

/* All of the block was verified: only what keeps the walk inside of it is looked at again. */
bool xfs_dir_data_next(const struct xfs_sb *sb, const void *p, u32 db, u32 *at,
		       struct xfs_dirent *out)
{
	const u8 *b = p;
	u32 end = data_end(sb, p);

	while (*at < end && u16_at(b + *at) == XFS_DIR_FREE_TAG) {
		if (!u16_at(b + *at + 2))
			return false;
		*at += u16_at(b + *at + 2);
	}
	if (!entry_in(sb, b, db, *at, end, out))
		return false;
	*at += entry_size(out->len);
	return true;
}

int xfs_dir_free_verify(const struct xfs_sb *sb, u64 daddr, const void *p, struct xfs_fault *f)
{
	const struct xfs_ddir_free *d = p;
	u32 max = (sb->dirblksize - (u32)sizeof(*d)) / 2, n = be32_get(d->nvalid);
	int e;

	if (be32_get(d->h.magic) != XFS_DIR_FREE_MAGIC)
		return xfs_bad(f, "directory free block", "magic", daddr, be32_get(d->h.magic));
	e = check_blk(sb, daddr, p, "directory free block", f);
	if (e)
		return e;
	if (n > max || be32_get(d->nused) > n)
		return xfs_bad(f, "directory free block", "nvalid", daddr, n);
	return be32_get(d->firstdb) % max ?
		       xfs_bad(f, "directory free block", "firstdb", daddr, be32_get(d->firstdb)) :
		       0;
}
