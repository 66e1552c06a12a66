// SPDX-License-Identifier: MIT
/*
 * Applying a committed transaction's items to the image. Blocks come first, inodes made among them,
 * as inodes are changed in them; then all other items; then unlinked lists, which are kept in the
 * blocks of inodes; freed blocks last, as they void what comes before.
 */
#include "fs/xfs/log/replay_priv.h"
#include <lib/minmax.h>
#include <lib/string.h>
#include <abi/errno.h>

#define NO_LSN (~0ull)

u64 xfs_cancel_key(u64 daddr, u32 bbs)
{
	return daddr << 8 | bbs;
}

bool xfs_is_cancelled(struct xfs_replay *r, u64 daddr, u32 bbs)
{
	return xfs_table_find(&r->cancels, xfs_cancel_key(daddr, bbs));
}

static int damaged(struct xfs_replay *r, const char *what, u64 place, u64 value)
{
	return xfs_bad(r->f, "log item", what, place, value);
}

/* It was written later than what LSN brings. What this recovery wrote is older. */
static bool newer(struct xfs_replay *r, u64 daddr, u32 bbs, u64 lsn)
{
	u64 has = xfs_block_lsn(r->sb, r->block, bbs);

	return has && has != NO_LSN && has >= lsn && !xfs_image_touched(r, daddr, bbs);
}

static int put_inodes(struct xfs_replay *r, u64 daddr, u32 bbs)
{
	u32 each = r->sb->inodesize / XFS_SECTOR;
	int e = 0;

	for (u32 at = 0; !e && at + each <= bbs; at += each)
		e = xfs_image_put(r, daddr + at, each, r->block + (size_t)at * XFS_SECTOR,
				  XFS_LK_INODES, 0);
	return e;
}

/* The superblock was changed: from here on it is what the others are judged by. */
static int new_sb(struct xfs_replay *r, u64 lsn)
{
	struct xfs_object o = { .kind = XFS_LK_SB,
				.bbs = r->sb->sectsize / XFS_SECTOR,
				.lsn = lsn };
	struct xfs_sb sb;
	const char *why;
	int e = xfs_block_finish(r->sb, &o, r->block, r->f);

	e = e ?: xfs_sb_decode(r->block, r->sb->sectsize, &sb, r->f);
	if (e)
		return e;
	why = xfs_sb_unsupported(&sb, &r->out->bits);
	if (why) {
		r->out->why = why;
		return -EINVAL;
	}
	if (sb.dblocks << (sb.blocklog - 9) > r->env->sectors || sb.blocksize != r->sb->blocksize ||
	    sb.sectsize != r->sb->sectsize || sb.inodesize != r->sb->inodesize ||
	    sb.agblocks != r->sb->agblocks || sb.agblklog != r->sb->agblklog ||
	    sb.logstart != r->sb->logstart || sb.logblocks != r->sb->logblocks ||
	    sb.dirblksize != r->sb->dirblksize ||
	    memcmp(sb.meta_uuid, r->sb->meta_uuid, XFS_UUID_SIZE))
		return damaged(r, "geometry in a superblock", 0, 0);
	*r->sb = sb;
	return 0;
}

/* The changed runs into r->block, and it into the image. */
static int put_block(struct xfs_replay *r, const struct xfs_litem *it, const struct xfs_lbuf *b,
		     u64 lsn)
{
	u32 per = r->sb->blocksize / XFS_SECTOR;
	struct xfs_lrun run = { .region = 1 };
	int e = 0;

	while (xfs_lbuf_next(it, b, &run))
		memcpy(r->block + run.off, run.data, run.len);
	if (!xfs_block_fits(r->sb, b->kind, r->block, b->bbs))
		return damaged(r, "kind of a block", b->daddr, b->kind);
	if (b->kind == XFS_LK_INODES)
		return put_inodes(r, b->daddr, b->bbs);
	if (b->kind == XFS_LK_SB && !b->daddr)
		e = new_sb(r, lsn);
	if (b->kind != XFS_LK_ATTR_RMT)
		return e ?: xfs_image_put(r, b->daddr, b->bbs, r->block, b->kind, lsn);
	for (u32 at = 0; !e && at < b->bbs; at += per)
		e = xfs_image_put(r, b->daddr + at, per, r->block + (size_t)at * XFS_SECTOR,
				  b->kind, 0);
	return e;
}

/* Of a block of inodes, the links of the unlinked lists alone. */
static int put_unlinked(struct xfs_replay *r, const struct xfs_litem *it, const struct xfs_lbuf *b)
{
	u32 size = r->sb->inodesize, field = offsetof(struct xfs_dinode, next_unlinked);
	struct xfs_lrun run = { .region = 1 };
	int e = 0;

	while (!e && xfs_lbuf_next(it, b, &run)) {
		u32 i = run.off <= field ? 0 : (run.off - field + size - 1) / size;

		for (; !e && i * size + field + 4 <= run.off + run.len; i++) {
			u8 *p = r->block + (size_t)i * size;
			be32 link;
			be16 magic;

			memcpy(&link, run.data + (i * size + field - run.off), sizeof(link));
			memcpy(&magic, p, sizeof(magic));
			if (!be32_get(link) || be16_get(magic) != XFS_DI_MAGIC)
				return damaged(r, "unlinked list", b->daddr, i);
			memcpy(p + field, &link, sizeof(link));
			e = xfs_image_put(r, b->daddr + i * (size / XFS_SECTOR), size / XFS_SECTOR,
					  p, XFS_LK_INODES, 0);
		}
	}
	return e;
}

/* The bit of qflags that stands for a kind of dquots. */
static u32 quota_of(u8 kind)
{
	return kind == XFS_LK_UDQUOT ? 0x01 : kind == XFS_LK_PDQUOT ? 0x08 : 0x40;
}

static int apply_buf(struct xfs_replay *r, const struct xfs_litem *it, u64 lsn)
{
	u32 per = r->sb->sectsize / XFS_SECTOR;
	struct xfs_lbuf b;
	int e = xfs_lbuf_get(it, r->log.place + r->record, &b, r->f);

	if (e || xfs_is_cancelled(r, b.daddr, b.bbs))
		return e;
	if (b.daddr % per || b.bbs % per)
		return damaged(r, "address", b.daddr, b.bbs);
	if (b.dquots && r->quotaoff & quota_of(b.kind))
		return 0;
	if (!b.kind && !b.unlinked) {
		r->out->why = "it changes a directory block that lies in several pieces";
		return -EINVAL;
	}
	e = xfs_image_get(r, b.daddr, b.bbs, r->block);
	if (e)
		return e;
	if (b.unlinked)
		return put_unlinked(r, it, &b);
	return newer(r, b.daddr, b.bbs, lsn) ? 0 : put_block(r, it, &b, lsn);
}

static int apply_inode(struct xfs_replay *r, const struct xfs_litem *it, u64 lsn)
{
	const struct xfs_sb *sb = r->sb;
	u32 per = sb->inodesize / XFS_SECTOR;
	struct xfs_dinode old;
	struct xfs_linode li;
	u64 daddr, has;
	int e = xfs_linode_get(it, r->log.place + r->record, &li, r->f);

	if (e || xfs_is_cancelled(r, li.daddr, li.bbs))
		return e;
	daddr = li.daddr + li.offset / XFS_SECTOR;
	if (!xfs_ino_ok(sb, li.ino) || li.offset % sb->inodesize ||
	    daddr != xfs_fsb_daddr(sb, li.ino >> sb->inopblog) +
			     (li.ino & ((1u << sb->inopblog) - 1)) * per)
		return damaged(r, "inode number", li.daddr, li.ino);
	if (li.fields & XFS_LI_OWNERS) {
		r->out->why = "it exchanges the extents of two files in an old way";
		return -EINVAL;
	}
	e = xfs_image_get(r, daddr, per, r->block);
	if (e)
		return e;
	memcpy(&old, r->block, sizeof(old));
	if (be16_get(old.magic) != XFS_DI_MAGIC)
		return damaged(r, "place of an inode", daddr, li.ino);
	has = be64_get(old.lsn);
	if (has && has != NO_LSN && has > lsn &&
	    xfs_crc_ok(r->block, sb->inodesize, offsetof(struct xfs_dinode, crc)))
		return 0;
	e = xfs_linode_apply(sb, &li, lsn, r->block, r->f);
	return e ?: xfs_image_put(r, daddr, per, r->block, XFS_LK_INODES, 0);
}

static void new_inode(const struct xfs_sb *sb, u64 ino, u32 gen, u8 *p)
{
	struct xfs_dinode d = { .magic = be16_make(XFS_DI_MAGIC),
				.version = 3,
				.gen = be32_make(gen),
				.next_unlinked = be32_make(XFS_NULL32),
				.ino = be64_make(ino) };

	memcpy(d.uuid, sb->meta_uuid, sizeof(d.uuid));
	memset(p, 0, sb->inodesize);
	memcpy(p, &d, sizeof(d));
}

static int apply_icreate(struct xfs_replay *r, const struct xfs_litem *it)
{
	const struct xfs_sb *sb = r->sb;
	u32 cluster = xfs_cluster_blocks(sb), bbs = sb->blocksize / XFS_SECTOR;
	u64 place = r->log.place + r->record, daddr;
	struct xfs_licreate c;
	int e = xfs_licreate_get(it, place, &c, r->f);

	if (e)
		return e;
	if (c.agno >= sb->agcount || !xfs_agb_ok(sb, c.agno, c.agb) ||
	    !xfs_fsb_ok(sb, xfs_fsb_make(sb, c.agno, c.agb), c.blocks) ||
	    c.isize != sb->inodesize || c.blocks > 64 || c.count != c.blocks << sb->inopblog)
		return damaged(r, "new inodes", place, c.agb);
	daddr = xfs_agb_daddr(sb, c.agno, c.agb);
	for (u32 i = 0; i + cluster <= c.blocks; i += cluster)
		if (xfs_is_cancelled(r, daddr + (u64)i * bbs, cluster * bbs))
			return 0;
	for (u32 i = 0; !e && i < c.blocks; i++) {
		u64 first = xfs_ino_make(sb, c.agno, (c.agb + i) << sb->inopblog);

		for (u32 k = 0; k < 1u << sb->inopblog; k++)
			new_inode(sb, first + k, c.gen, r->block + ((size_t)k << sb->inodelog));
		e = put_inodes(r, daddr + (u64)i * bbs, bbs);
	}
	return e;
}

static int apply_dquot(struct xfs_replay *r, const struct xfs_litem *it, u64 lsn)
{
	u32 size = (u32)sizeof(struct xfs_ddqblk), bbs = r->sb->blocksize / XFS_SECTOR;
	struct xfs_ddqblk q;
	struct xfs_ldquot d;
	u8 type, kind;
	int e = xfs_ldquot_get(it, r->log.place + r->record, &d, r->f);

	if (e)
		return e;
	type = d.dquot[offsetof(struct xfs_ddquot, type)] & 7;
	kind = type == 1 ? XFS_LK_UDQUOT : type == 2 ? XFS_LK_PDQUOT : XFS_LK_GDQUOT;
	if (r->quotaoff & quota_of(kind))
		return 0;
	if (d.offset > r->sb->blocksize - size || d.offset % size ||
	    d.daddr % (r->sb->sectsize / XFS_SECTOR))
		return damaged(r, "dquot", d.daddr, d.offset);
	e = xfs_image_get(r, d.daddr, bbs, r->block);
	if (e)
		return e;
	memcpy(&q, r->block + d.offset, sizeof(q));
	if (be16_get(q.d.magic) != XFS_DQ_MAGIC)
		return damaged(r, "place of a dquot", d.daddr, d.id);
	if (be64_get(q.lsn) && be64_get(q.lsn) != NO_LSN && be64_get(q.lsn) > lsn &&
	    xfs_crc_ok(&q, size, offsetof(struct xfs_ddqblk, crc)))
		return 0;
	memcpy(&q.d, d.dquot, sizeof(q.d));
	q.lsn = be64_make(lsn);
	q.crc = le32_make(xfs_crc(&q, size, offsetof(struct xfs_ddqblk, crc)));
	memcpy(r->block + d.offset, &q, sizeof(q));
	return xfs_image_put(r, d.daddr, bbs, r->block, kind, 0);
}

/* ---- a transaction ---- */

enum { BLOCKS, OTHERS, UNLINKED, FREED, TURNS };

static int turn_of(struct xfs_replay *r, const struct xfs_litem *it, int *turn)
{
	struct xfs_lbuf b;
	int e;

	*turn = it->type == XFS_LI_ICREATE ? BLOCKS : OTHERS;
	if (it->type != XFS_LI_BUF)
		return 0;
	e = xfs_lbuf_get(it, r->log.place + r->record, &b, r->f);
	*turn = b.cancel ? FREED : b.unlinked ? UNLINKED : BLOCKS;
	return e;
}

static int void_cancel(struct xfs_replay *r, const struct xfs_litem *it)
{
	struct xfs_tnode *n;
	struct xfs_lbuf b;
	int e = xfs_lbuf_get(it, r->log.place + r->record, &b, r->f);

	n = e ? NULL : xfs_table_find(&r->cancels, xfs_cancel_key(b.daddr, b.bbs));
	if (n && !--((struct xfs_counted *)n)->count) {
		xfs_table_del(&r->cancels, n);
		xfs_rfree(r, n, sizeof(struct xfs_counted));
	}
	return e;
}

static int apply(struct xfs_replay *r, const struct xfs_litem *it, int turn, u64 lsn)
{
	if (turn == FREED)
		return void_cancel(r, it);
	switch (it->type) {
	case XFS_LI_BUF:
		return apply_buf(r, it, lsn);
	case XFS_LI_INODE:
		return apply_inode(r, it, lsn);
	case XFS_LI_ICREATE:
		return apply_icreate(r, it);
	case XFS_LI_DQUOT:
		return apply_dquot(r, it, lsn);
	}
	return 0;	/* what begins and ends work was counted before */
}

int xfs_apply_trans(struct xfs_replay *r, struct xfs_ltrans *t)
{
	int e = 0;

	for (int turn = 0; !e && turn < TURNS; turn++) {
		struct xfs_litem it;
		u32 at = 0;
		int mine;

		while (xfs_trans_item(r, t, &at, &it, &e)) {
			e = turn_of(r, &it, &mine);
			if (!e && mine == turn)
				e = apply(r, &it, turn, t->lsn);
		}
	}
	r->out->transactions += !e;
	return e;
}
