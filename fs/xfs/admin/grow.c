// SPDX-License-Identifier: MIT
/*
 * XFS_IOC_FSGROWFSDATA: the file system becomes larger, while it is used.
 *
 * New AGs are written whole, past the log, where nothing is yet. Then one transaction makes the
 * last AG longer, and says in the superblock how large the file system is. When it is durable, and
 * not before, other tasks get the new AGs: no transaction of theirs can be in the log before this
 * one. They see the size rise at once to the end of the last AG, whose AGF keeps them from its new
 * blocks until the commit.
 *
 * An AG's structures stay where they are (struct xfs_fs). Their number is set after a grace period
 * of RCU, so that a CPU that sees the number sees the structures. xfs_ag_blocks() needs no number
 * but that of all blocks.
 */
#include "fs/xfs/admin/admin.h"
#include "fs/xfs/ag/ag.h"
#include "fs/xfs/ag/ialloc.h"
#include "fs/xfs/format/agheader.h"
#include <alloc/slab.h>
#include <kernel/rcu.h>
#include <lib/minmax.h>
#include <mm/uaccess.h>
#include <vfs/mount.h>
#include <linux/capability.h>

#define AG_LEAST 64u			/* blocks */

struct grow {
	struct xfs_mount *mp;
	struct xfs_sb sb;		/* as it will be */
	u64 free;			/* of new AGs, without blocks kept for trees */
	struct xfs_dsb d;
};

static void put_size(struct xfs_dsb *d, const void *arg)
{
	const struct xfs_sb *sb = arg;

	d->dblocks = be64_make(sb->dblocks);
	d->agcount = be32_make(sb->agcount);
}

static void put_imaxpct(struct xfs_dsb *d, const void *arg)
{
	d->imax_pct = *(const u8 *)arg;
}

static int set_imaxpct(struct xfs_mount *mp, u32 percent)
{
	u8 v = (u8)percent;
	struct xfs_dsb d;
	int e;

	if (percent > 100)
		return -EINVAL;
	e = xfs_change_sb(mp, put_imaxpct, &v, &d);
	if (e)
		return e;
	WRITE_ONCE(mp->fs.vol.sb.imax_pct, percent);
	return xfs_copy_sb(mp, &d);
}

/* Sets how many blocks AG keeps for its trees when it is as long as SB says. */
static void keep(struct xfs_ag *ag, const struct xfs_sb *sb)
{
	xfs_ag_kept_of(sb, ag->agno, &ag->kept_rmap, &ag->kept_other);
}

/* The superblock as it is, for copies in AGs that are not there yet. */
static int read_sb(struct grow *g)
{
	const struct xfs_sb *sb = &g->mp->fs.vol.sb;
	struct xfs_txbuf *b;
	struct xfs_tx *tx;
	int e = xfs_trans_begin(g->mp, XFS_SB_BYTES, 1, 0, XFS_TX_RESERVE, &tx);

	if (e)
		return e;
	e = xfs_tx_get(tx, XFS_BLK_SB, 0, sb->sectsize / XFS_SECTOR, 0, &b);
	if (!e)
		memcpy(&g->d, b->data, sizeof(g->d));
	xfs_trans_cancel(tx);
	put_size(&g->d, &g->sb);
	return e;
}

static int write_new(struct grow *g)
{
	struct xfs_mount *mp = g->mp;
	int e = xfs_live_add_ags(mp, &g->sb);

	e = e ?: read_sb(g);
	for (u32 i = mp->fs.vol.sb.agcount; !e && i < g->sb.agcount; i++) {
		struct xfs_ag *ag = xfs_ag_of(&mp->fs, i);

		e = xfs_new_ag(mp, &g->sb, &g->d, i, &ag->freeblks);
		ag->longest = ag->freeblks;
		ag->used_other = (g->sb.ro_compat & XFS_RO_REFLINK ? 1 : 0) +
				 (g->sb.ro_compat & XFS_RO_FINOBT ? 1 : 0);
		keep(ag, &g->sb);
		g->free += ag->freeblks - min(ag->freeblks, xfs_ag_kept_left(ag));
		if (!e && mp->fs.vol.stop(&mp->fs.vol))
			e = -EINTR;
	}
	return e ?: bdev_flush(mp->sb->s_bdev);
}

/* The last AG that there is becomes as long as it will be. */
static int lengthen(struct grow *g, struct xfs_tx *tx)
{
	struct xfs_sb *sb = &g->mp->fs.vol.sb;
	const struct xfs_owner nobody = { XFS_OWN_NULL, 0, false };
	u32 last = sb->agcount - 1, was, now = xfs_ag_blocks(&g->sb, last), kept;
	struct xfs_ag *ag = xfs_ag_of(&g->mp->fs, last);
	struct xfs_txbuf *agi, *agf;
	be32 length = be32_make(now);
	int e = xfs_ag_agi(tx, last, 0, &agi);

	e = e ?: xfs_ag_agf(tx, last, 0, &agf);
	if (e)
		return e;
	was = ag->length;
	memcpy(agi->data + offsetof(struct xfs_dagi, length), &length, sizeof(length));
	memcpy(agf->data + offsetof(struct xfs_dagf, length), &length, sizeof(length));
	xfs_tx_log(tx, agi, offsetof(struct xfs_dagi, length), sizeof(length));
	xfs_tx_log(tx, agf, offsetof(struct xfs_dagf, length), sizeof(length));
	WRITE_ONCE(ag->length, now);
	WRITE_ONCE(sb->dblocks, sb->dblocks + (now - was));
	e = xfs_free(tx, xfs_fsb_make(sb, last, was), now - was, &nobody, false, false);
	kept = xfs_ag_kept_left(ag);
	keep(ag, &g->sb);
	tx->kept += (s64)kept - xfs_ag_kept_left(ag);
	return e;
}

static int commit(struct grow *g)
{
	struct xfs_mount *mp = g->mp;
	const struct xfs_sb *sb = &mp->fs.vol.sb;
	u32 last = sb->agcount - 1;
	struct xfs_tx *tx;
	int e = xfs_trans_begin(mp, mp->res[XFS_RES_TRUNCATE].bytes + XFS_SB_BYTES, 1, 0,
				XFS_TX_RESERVE | XFS_TX_SYNC, &tx);

	if (e)
		return e;
	if (xfs_ag_blocks(&g->sb, last) > xfs_ag_blocks(sb, last))
		e = lengthen(g, tx);
	return xfs_end(tx, e ?: xfs_tx_sb(tx, mp, put_size, &g->sb, &g->d));
}

static int grow(struct grow *g)
{
	struct xfs_sb *sb = &g->mp->fs.vol.sb;
	int e = write_new(g);

	e = e ?: commit(g);
	if (e)
		return e;
	synchronize_rcu();
	smp_store_release(&sb->agcount, g->sb.agcount);	/* pairs with xfs_ag_marks() */
	WRITE_ONCE(sb->dblocks, g->sb.dblocks);
	atomic64_add((s64)g->free, &g->mp->live->fdblocks);
	return xfs_copy_sb(g->mp, &g->d);
}

static int set_blocks(struct xfs_mount *mp, u64 blocks)
{
	struct grow *g = kzalloc(sizeof(*g), GFP_KERNEL);
	u32 rest;
	int e = -EINVAL;

	if (!g)
		return -ENOMEM;
	g->mp = mp;
	g->sb = mp->fs.vol.sb;
	/* Smaller: never, as Linux says where more than the last AG's end would go. */
	if (blocks < g->sb.dblocks || blocks >> (63 - g->sb.blocklog))
		goto out;
	e = -EIO;
	if (blocks > mp->sb->s_bdev->sectors >> (g->sb.blocklog - SECTOR_SHIFT))
		goto out;
	rest = (u32)(blocks % g->sb.agblocks);
	if (rest && rest < AG_LEAST)
		blocks -= rest;
	e = 0;
	if (blocks <= g->sb.dblocks)
		goto out;
	e = -EFBIG;
	if (blocks / g->sb.agblocks >= S32_MAX)
		goto out;
	g->sb.dblocks = blocks;
	g->sb.agcount = (u32)((blocks + g->sb.agblocks - 1) / g->sb.agblocks);
	e = grow(g);
	if (!e)
		pr_notice("xfs: %s: it has %llu blocks in %u groups now\n", mp->sb->s_id,
			  mp->fs.vol.sb.dblocks, mp->fs.vol.sb.agcount);
out:
	kfree(g);
	return e;
}

static int change(struct xfs_mount *mp, const struct xfs_growfs *want)
{
	int e = 0;

	/* As on Linux: growing may take long, so a second request fails instead of waiting. */
	if (!mutex_trylock(&mp->admin))
		return -EAGAIN;
	if (want->imaxpct != mp->fs.vol.sb.imax_pct)
		e = set_imaxpct(mp, want->imaxpct);
	if (!e && want->blocks != mp->fs.vol.sb.dblocks)
		e = set_blocks(mp, want->blocks);
	mutex_unlock(&mp->admin);
	return e;
}

long xfs_growfs(struct file *file, struct uptr arg)
{
	struct xfs_mount *mp = XFS_M(file_inode(file)->i_sb);
	struct xfs_growfs want;
	int e;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (copy_from_user(&want, arg, sizeof(want)))
		return -EFAULT;
	e = mnt_want_write_file(file);
	if (e)
		return e;
	e = mp->live ? change(mp, &want) : -EROFS;
	mnt_drop_write_file(file);
	return e;
}
