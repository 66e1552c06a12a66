// SPDX-License-Identifier: MIT
/* A copy of the superblock is written anew, past the log as all copies are (admin/sb.c). */
#include "fs/xfs/repair/repair.h"
#include "fs/xfs/format/stamp.h"
#include <alloc/slab.h>

/* The superblock as transactions have it. */
static int read_first(struct xfs_mount *mp, u8 *to)
{
	const struct xfs_sb *sb = &mp->fs.vol.sb;
	struct xfs_run run = { 0, sb->sectsize / XFS_SECTOR };
	struct xfs_fault f;
	struct xfs_buf *b;
	int e = xfs_buf_take(&mp->cache, sb, XFS_BLK_SB, &run, 1, 0, &b, &f);

	if (e)
		return e;
	memcpy(to, b->tx.data, sizeof(struct xfs_dsb));
	xfs_buf_unlock(b);
	xfs_buf_rele(b);
	return 0;
}

static int write_copy(struct xfs_scrub *sc, u8 *sector)
{
	const struct xfs_sb *sb = &sc->mp->fs.vol.sb;
	struct xfs_dsb *d = (struct xfs_dsb *)sector;
	int e = read_first(sc->mp, sector);

	if (e)
		return xfs_errno(e);
	/* What these say is true of the first alone. */
	d->incompat = be32_make(be32_get(d->incompat) & ~XFS_IN_NEEDSREPAIR);
	d->log_incompat = be32_make(0);
	d->bad_features2 = d->features2;
	xfs_block_stamp(sb, XFS_BLK_SB, sector, sb->sectsize, 0);
	e = xfs_write_raw(sc->mp->sb->s_bdev, xfs_agb_daddr(sb, sc->agno, 0), sector, sb->sectsize);
	return e ?: bdev_flush(sc->mp->sb->s_bdev);
}

int xfs_repair_sb(struct xfs_scrub *sc)
{
	u8 *sector;
	int e;

	/* There is nothing to make the first from: the mount has it. */
	if (!sc->agno)
		return -EOPNOTSUPP;
	sector = kzalloc(sc->mp->fs.vol.sb.sectsize, GFP_KERNEL);
	if (!sector)
		return -ENOMEM;
	if (mutex_lock_killable(&sc->mp->admin)) {
		e = -EINTR;
	} else {
		e = write_copy(sc, sector);
		mutex_unlock(&sc->mp->admin);
	}
	kfree(sector);
	return e;
}
