// SPDX-License-Identifier: MIT
/*
 * A block of names: entries and free pieces one behind the other, each ending with its own offset.
 * The header has the three largest free pieces, sorted by length; among equal ones any may be
 * there. Neighbouring free pieces are always one.
 *
 * A piece that leaves a full table may have to be replaced by one that is not in it: then all are
 * looked at again.
 */
#include "fs/xfs/dirent/dirent_priv.h"

#define BESTS 3

static u32 u16_at(const struct xfs_txbuf *b, u32 at)
{
	return (u32)b->data[at] << 8 | b->data[at + 1];
}

static void u16_put(struct xfs_txbuf *b, u32 at, u32 v)
{
	b->data[at] = (u8)(v >> 8);
	b->data[at + 1] = (u8)v;
}

static struct xfs_ddir_data *head_of(struct xfs_txbuf *b)
{
	return (void *)b->data;
}

static void log_head(struct xfs_dop *o, struct xfs_txbuf *b)
{
	xfs_tx_log(o->tx, b, 0, XFS_DD_HEAD);
}

u32 xfs_dd_end(const struct xfs_sb *sb, const struct xfs_txbuf *b)
{
	return xfs_dir_data_is_block(b->data) ?
		       (u32)((const u8 *)xfs_dir_block_ents(sb, b->data) - b->data) :
		       sb->dirblksize;
}

/* ---- the table ---- */

static void best_add(struct xfs_ddir_data *h, u32 at, u32 len)
{
	u32 i = BESTS;

	while (i && be16_get(h->best[i - 1].length) < len)
		i--;
	if (i == BESTS)
		return;
	memmove(h->best + i + 1, h->best + i, (BESTS - 1 - i) * sizeof(h->best[0]));
	h->best[i].offset = be16_make((u16)at);
	h->best[i].length = be16_make((u16)len);
}

/*
 * Takes the piece at AT out. The length from which on a piece that is added next belongs to the
 * table without doubt: 0 where the table has all pieces.
 */
static u32 best_del(struct xfs_ddir_data *h, u32 at)
{
	u32 limit = be16_get(h->best[BESTS - 1].length);

	for (u32 i = 0; i < BESTS; i++) {
		if (be16_get(h->best[i].offset) != at || !be16_get(h->best[i].length))
			continue;
		memmove(h->best + i, h->best + i + 1, (BESTS - 1 - i) * sizeof(h->best[0]));
		memset(h->best + BESTS - 1, 0, sizeof(h->best[0]));
		return limit;
	}
	return 0;
}

/* At SKIP lie SKIP_LEN bytes that are neither free nor filled in yet. */
static void rescan(struct xfs_dop *o, struct xfs_txbuf *b, u32 skip, u32 skip_len)
{
	struct xfs_ddir_data *h = head_of(b);
	u32 end = xfs_dd_end(o->sb, b), len;

	memset(h->best, 0, sizeof(h->best));
	for (u32 at = XFS_DD_HEAD; at < end; at += len) {
		if (at == skip) {
			len = skip_len;
		} else if (u16_at(b, at) == XFS_DIR_FREE_TAG) {
			len = u16_at(b, at + 2);
			best_add(h, at, len);
		} else {
			len = xfs_dd_size(b->data[at + 8]);
		}
	}
	log_head(o, b);
}

void xfs_dd_rescan(struct xfs_dop *o, struct xfs_txbuf *b)
{
	rescan(o, b, 0, 0);
}

static void put_free(struct xfs_dop *o, struct xfs_txbuf *b, u32 at, u32 len)
{
	u16_put(b, at, XFS_DIR_FREE_TAG);
	u16_put(b, at + 2, len);
	u16_put(b, at + len - 2, at);
	xfs_tx_log(o->tx, b, at, 4);
	xfs_tx_log(o->tx, b, at + len - 2, 2);
}

/* ---- use ---- */

int xfs_dd_find(struct xfs_dop *o, struct xfs_txbuf *b, u32 size, u32 *at)
{
	u32 len = xfs_dd_best(b), end = xfs_dd_end(o->sb, b);

	*at = 0;
	if (!len)
		return 0;
	*at = be16_get(head_of(b)->best[0].offset);
	if (*at < XFS_DD_HEAD || *at >= end || len > end - *at || (*at & 7) || (len & 7) ||
	    u16_at(b, *at) != XFS_DIR_FREE_TAG || u16_at(b, *at + 2) != len ||
	    u16_at(b, *at + len - 2) != *at)
		return xfs_dop_bad(o, "bestfree", *at);
	if (len < size)
		*at = 0;
	return 0;
}

void xfs_dd_use(struct xfs_dop *o, struct xfs_txbuf *b, u32 from, u32 at, u32 len)
{
	struct xfs_ddir_data *h = head_of(b);
	u32 limit, left = u16_at(b, from + 2) - len, rest = from == at ? at + len : from;

	limit = best_del(h, from);
	if (left) {
		put_free(o, b, rest, left);
		best_add(h, rest, left);
	}
	if (limit && left < limit)
		rescan(o, b, at, len);
	log_head(o, b);
}

u32 xfs_dd_tail(struct xfs_dop *o, struct xfs_txbuf *b, u32 *from)
{
	u32 end = xfs_dd_end(o->sb, b);

	if (end < XFS_DD_HEAD + 8)
		return 0;
	*from = u16_at(b, end - 2);
	return *from >= XFS_DD_HEAD && *from < end && u16_at(b, *from) == XFS_DIR_FREE_TAG &&
			       u16_at(b, *from + 2) == end - *from ?
		       end - *from :
		       0;
}

void xfs_dd_mark_free(struct xfs_dop *o, struct xfs_txbuf *b, u32 at, u32 len)
{
	put_free(o, b, at, len);
}

void xfs_dd_free(struct xfs_dop *o, struct xfs_txbuf *b, u32 at, u32 len)
{
	struct xfs_ddir_data *h = head_of(b);
	u32 next = at + len, limit = 0, prev;

	if (at > XFS_DD_HEAD) {
		prev = u16_at(b, at - 2);
		if (prev >= XFS_DD_HEAD && prev < at && u16_at(b, prev) == XFS_DIR_FREE_TAG &&
		    u16_at(b, prev + 2) == at - prev) {
			limit = max(limit, best_del(h, prev));
			len += at - prev;
			at = prev;
		}
	}
	if (next < xfs_dd_end(o->sb, b) && u16_at(b, next) == XFS_DIR_FREE_TAG) {
		limit = max(limit, best_del(h, next));
		len += u16_at(b, next + 2);
	}
	put_free(o, b, at, len);
	best_add(h, at, len);
	if (limit)
		xfs_dd_rescan(o, b);
	log_head(o, b);
}

static void ino_put(u8 *p, u64 ino)
{
	for (u32 i = 0; i < 8; i++)
		p[i] = (u8)(ino >> (56 - 8 * i));
}

void xfs_dd_put(struct xfs_dop *o, struct xfs_txbuf *b, u32 at, const u8 *name, u32 len, u64 ino,
		u8 ftype)
{
	u32 size = xfs_dd_size(len);
	u8 *p = b->data + at;

	memset(p, 0, size);
	ino_put(p, ino);
	p[8] = (u8)len;
	memcpy(p + 9, name, len);
	p[9 + len] = ftype;
	u16_put(b, at + size - 2, at);
	xfs_tx_log(o->tx, b, at, size);
}

void xfs_dd_set_ino(struct xfs_dop *o, struct xfs_txbuf *b, u32 at)
{
	u8 *p = b->data + at;

	ino_put(p, o->ino);
	p[9 + p[8]] = o->ftype;
	xfs_tx_log(o->tx, b, at, 10u + p[8]);
}

/* ---- blocks ---- */

int xfs_dd_get(struct xfs_dop *o, u32 db, struct xfs_txbuf **out)
{
	u64 off = (u64)db << o->sb->dirblklog;
	int e;

	if (off >= xfs_dir_leaf_off(o->sb))
		return xfs_dop_bad(o, "address", db);
	e = xfs_fork_get(o->tx, o->dp, false, off, XFS_BLK_DIR_DATA, 0, out);
	if (e)
		return e;
	return xfs_dir_blk_owner((*out)->data) == o->dp->node.core.ino ?
		       0 :
		       xfs_dop_bad(o, "owner", xfs_dir_blk_owner((*out)->data));
}

int xfs_dd_new(struct xfs_dop *o, u32 db, struct xfs_txbuf **out)
{
	u64 off = (u64)db << o->sb->dirblklog;
	struct xfs_ddir_data *h;
	struct xfs_txbuf *b;
	int e;

	if (off >= xfs_dir_leaf_off(o->sb))
		return -ENOSPC;
	e = xfs_fork_new(o->tx, o->dp, false, off, XFS_BLK_DIR_DATA, &b);
	if (e)
		return e;
	h = head_of(b);
	h->h = (struct xfs_ddir_blk){ .magic = be32_make(XFS_DIR_DATA_MAGIC),
				      .blkno = be64_make(b->daddr),
				      .owner = be64_make(o->dp->node.core.ino) };
	memcpy(h->h.uuid, o->sb->meta_uuid, XFS_UUID_SIZE);
	put_free(o, b, XFS_DD_HEAD, o->sb->dirblksize - XFS_DD_HEAD);
	best_add(h, XFS_DD_HEAD, o->sb->dirblksize - XFS_DD_HEAD);
	xfs_tx_log_all(o->tx, b);
	if (db >= o->dp->node.core.size / o->sb->dirblksize ||
	    o->dp->node.core.size % o->sb->dirblksize)
		xfs_dd_set_size(o, db + 1);
	*out = b;
	return 0;
}

void xfs_dd_set_size(struct xfs_dop *o, u32 blocks)
{
	o->dp->node.core.size = (u64)blocks * o->sb->dirblksize;
	xfs_tx_inode(o->tx, o->dp, XFS_LI_CORE);
}

int xfs_dd_drop(struct xfs_dop *o, u32 db, struct xfs_txbuf *b)
{
	return xfs_fork_shrink(o->tx, o->dp, false, (u64)db << o->sb->dirblklog, b);
}
