// SPDX-License-Identifier: MIT
/*
 * Choosing an inode (ialloc.h): in the AG of the directory where it can be, so that what is used
 * together lies together; directories go round the AGs.
 */
#include "fs/xfs/ag/ialloc_priv.h"

/* C goes to a chunk with a free inode, near NEAR: the nearest on either side. */
static int nearest(struct xfs_bt_cur *c, u32 near, struct xfs_chunk *k, bool *found)
{
	struct xfs_chunk left;
	bool have;
	int e = xfs_chunk_find(c, near, XFS_BT_LE, &have);

	if (!e && have)
		e = xfs_chunk_get(c, &left);
	if (e)
		return e;
	if (have && near - left.start < XFS_CHUNK) {
		*k = left;
		*found = true;
		return 0;
	}
	e = xfs_chunk_find(c, near, XFS_BT_GE, found);
	if (!e && *found)
		e = xfs_chunk_get(c, k);
	if (e || !have || (*found && k->start - near <= near - left.start))
		return e;
	*k = left;
	return xfs_chunk_find(c, left.start, XFS_BT_EQ, found);
}

/* Without a tree of chunks with free inodes: from NEAR's on, and then from the first. */
static int search(struct xfs_bt_cur *c, u32 near, struct xfs_chunk *k, bool *found)
{
	int e = xfs_chunk_find(c, near, XFS_BT_LE, found);

	for (int round = 0; !e && round < 2; round++) {
		while (!e && *found) {
			e = xfs_chunk_get(c, k);
			if (e || k->nfree)
				return e;
			e = xfs_bt_next(c, found);
		}
		if (!e && !round)
			e = xfs_chunk_find(c, 0, XFS_BT_GE, found);
	}
	*found = false;
	return e;
}

static int take_from(struct xfs_iop *op, struct xfs_bt_cur *c, struct xfs_chunk *k, u32 *agino)
{
	u64 can = k->free & ~xfs_chunk_hole_inodes(k->holes);
	bool found;
	u32 bit;
	int e;

	if (!can)
		return xfs_tx_bad_ag(op->tx, op->ag->agno, XFS_SICK_AG_INOBT, "inobt",
				     "chunk without a free inode", op->ag->agno, k->start);
	bit = (u32)__builtin_ctzll(can);
	k->free &= ~(1ull << bit);
	k->nfree--;
	*agino = k->start + bit;
	if (c == &op->free) {
		e = k->nfree ? xfs_chunk_update(c, k) : xfs_bt_delete(c);
		e = e ?: xfs_chunk_find(&op->all, k->start, XFS_BT_EQ, &found);
		if (!e && !found)
			e = xfs_tx_bad_ag(op->tx, op->ag->agno, XFS_SICK_AG_INOBT, "inobt", "chunk",
					  op->ag->agno, k->start);
		if (e)
			return e;
	}
	e = xfs_chunk_update(&op->all, k);
	if (!e)
		xfs_iop_count(op, 0, -1);
	return e;
}

/* An inode of OP's AG, which has a free one. */
static int take(struct xfs_iop *op, u32 near, u32 *agino)
{
	struct xfs_bt_cur *c = op->with_free ? &op->free : &op->all;
	struct xfs_chunk k;
	bool found;
	int e = op->with_free ? nearest(c, near, &k, &found) : search(c, near, &k, &found);

	if (!e && !found)
		e = xfs_tx_bad_ag(op->tx, op->ag->agno, XFS_SICK_AG_AGI, "AGI", "freecount",
				  op->ag->agno, be32_get(xfs_iop_agi(op)->freecount));
	return e ?: take_from(op, c, &k, agino);
}

/* May there be more inodes? The share of blocks that they may take is the superblock's. */
static bool may_grow(const struct xfs_tx *tx)
{
	const struct xfs_sb *sb = &tx->fs->vol.sb;
	u64 most = sb->dblocks * sb->imax_pct / 100 << sb->inopblog;

	return !most || sb->icount + (u64)tx->icount + XFS_CHUNK <= most;
}

/* In AG AGNO, where there is a free one, or one can be made; -EAGAIN, -ENOSPC: try another. */
static int try_ag(struct xfs_tx *tx, u32 agno, u32 near, bool make, u32 flags, u64 *ino)
{
	struct xfs_iop op;
	u32 agino;
	int e = xfs_iop_open(&op, tx, agno, flags);

	if (e)
		return e;
	if (!be32_get(xfs_iop_agi(&op)->freecount)) {
		e = make && may_grow(tx) ? xfs_chunk_make(&op) : -ENOSPC;
		xfs_bt_close(&op.all);
		xfs_bt_close(&op.free);
	}
	e = e ?: take(&op, near, &agino);
	xfs_iop_close(&op);
	if (!e)
		*ino = xfs_ino_make(&tx->fs->vol.sb, agno, agino);
	else if (!tx->dirty)
		xfs_tx_put(tx, op.agi);
	return e;
}

/* Is it worth a look at AGNO's headers? */
static bool may_have(const struct xfs_ag *ag, bool make)
{
	if (!ag->agi_known || ag->freeinodes)
		return true;
	return make && (!ag->agf_known || ag->longest);
}

int xfs_ialloc(struct xfs_tx *tx, u64 near, bool is_dir, u64 *ino)
{
	struct xfs_fs *fs = tx->fs;
	u32 n = fs->vol.sb.agcount, first = xfs_ino_ag(&fs->vol.sb, near);
	u32 agino = xfs_ino_agino(&fs->vol.sb, near);
	int e = -ENOSPC;

	if (is_dir) {
		first = __atomic_fetch_add(&fs->next_ag, 1, __ATOMIC_RELAXED) % n;
		if (first != xfs_ino_ag(&fs->vol.sb, near))
			agino = 0;
	}
	/* Inodes that exist or can be made, without waiting; then with; then any that is free. */
	for (u32 round = 0; round < 3; round++) {
		for (u32 i = 0; i < n; i++) {
			u32 agno = (first + i) % n;

			if (!may_have(xfs_ag_of(fs, agno), round < 2))
				continue;
			e = try_ag(tx, agno, i ? 0 : agino, round < 2, round ? 0 : XFS_GET_TRY,
				   ino);
			if (e != -EAGAIN && e != -ENOSPC)
				return e;
			if (tx->dirty)
				return e == -EAGAIN ? -ENOSPC : e;
		}
	}
	return -ENOSPC;
}

/* ---- what a new inode is ---- */

/* Flags that say something of directories alone are no file's: xfs_repair takes them for damage. */
static u16 inherited(const struct xfs_core *parent, bool is_dir)
{
	u16 f = 0;

	if (is_dir)
		f = parent->flags &
		    (XFS_DIFLAG_RTINHERIT | XFS_DIFLAG_EXTSZINHERIT | XFS_DIFLAG_PROJINHERIT);
	else if (parent->flags & XFS_DIFLAG_EXTSZINHERIT)
		f = XFS_DIFLAG_EXTSIZE;
	return f | (parent->flags & (XFS_DIFLAG_NODUMP | XFS_DIFLAG_SYNC | XFS_DIFLAG_NOATIME |
				     XFS_DIFLAG_NODEFRAG));
}

#define MODE_TYPE 0170000u
#define MODE_DIR 0040000u
#define MODE_FILE 0100000u
#define MODE_LINK 0120000u

void xfs_ino_init(struct xfs_tx *tx, struct xfs_ino *ip, u64 ino, const struct xfs_new *how)
{
	const struct xfs_sb *sb = &tx->fs->vol.sb;
	u32 type = how->mode & MODE_TYPE, gen = ip->node.core.gen;
	bool with_data = type == MODE_FILE || type == MODE_DIR || type == MODE_LINK;
	struct xfs_core *c = &ip->node.core;
	be32 dev;

	*c = (struct xfs_core){ .ino = ino,
				.mode = how->mode,
				.format = with_data ? XFS_FMT_EXTENTS : XFS_FMT_DEV,
				.aformat = XFS_FMT_EXTENTS,
				.uid = how->uid,
				.gid = how->gid,
				.projid = how->projid,
				.rdev = how->rdev,
				.gen = gen ? gen : xfs_random(),
				.changecount = 1,
				.atime = how->now,
				.mtime = how->now,
				.ctime = how->now,
				.crtime = how->now,
				.next_unlinked = XFS_NULL32 };
	if (sb->incompat & XFS_IN_BIGTIME)
		c->flags2 |= XFS_DIFLAG2_BIGTIME;
	if (sb->incompat & XFS_IN_NREXT64)
		c->flags2 |= XFS_DIFLAG2_NREXT64;
	if (how->parent && (type == MODE_DIR || type == MODE_FILE)) {
		c->flags = inherited(how->parent, type == MODE_DIR);
		if (c->flags & (XFS_DIFLAG_EXTSZINHERIT | XFS_DIFLAG_EXTSIZE))
			c->extsize = how->parent->extsize;
		if (how->parent->flags2 & XFS_DIFLAG2_COWEXTSIZE) {
			c->flags2 |= XFS_DIFLAG2_COWEXTSIZE;
			c->cowextsize = how->parent->cowextsize;
		}
	}
	memset(xfs_ino_literal(ip), 0, xfs_literal_size(sb));
	/* The disk's device numbers have 18 bits of minor, the core's 20. */
	dev = be32_make(how->rdev >> 20 << 18 | (how->rdev & 0x3ffff));
	if (!with_data)
		memcpy(xfs_ino_literal(ip), &dev, sizeof(dev));
	xfs_tx_inode(tx, ip, XFS_LI_CORE | (with_data ? 0 : XFS_LI_DEV));
}
