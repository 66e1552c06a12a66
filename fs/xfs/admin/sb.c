// SPDX-License-Identifier: MIT
/*
 * The superblock is changed in a transaction; its copies in the other AGs, which only xfs_repair
 * reads, are written past the log afterwards, as on Linux: a power cut between leaves them old.
 */
#include "fs/xfs/admin/admin.h"
#include "fs/xfs/format/stamp.h"
#include <alloc/slab.h>
#include <mm/filemap.h>

/* The copy of AG AGNO, in SECTOR, becomes as D is. One that cannot be read is made anew. */
static int copy_one(struct xfs_mount *mp, u32 agno, const struct xfs_dsb *d, u8 *sector)
{
	const struct xfs_sb *sb = &mp->fs.vol.sb;
	u64 daddr = xfs_agb_daddr(sb, agno, 0);
	struct xfs_dsb old;
	int e = xfs_read_raw(mp->sb->s_bdev, daddr, sector, sb->sectsize);

	memcpy(&old, sector, sizeof(old));
	if (e || be32_get(old.magic) != XFS_SB_MAGIC)
		memset(sector, 0, sb->sectsize);
	memcpy(sector, d, sizeof(*d));
	xfs_block_stamp(sb, XFS_BLK_SB, sector, sb->sectsize, 0);
	return xfs_write_raw(mp->sb->s_bdev, daddr, sector, sb->sectsize);
}

int xfs_copy_sb(struct xfs_mount *mp, const struct xfs_dsb *d)
{
	u8 *sector = kmalloc(mp->fs.vol.sb.sectsize, GFP_KERNEL);
	int first = 0;

	if (!sector)
		return -ENOMEM;
	for (u32 agno = 1; agno < mp->fs.vol.sb.agcount; agno++) {
		int e = copy_one(mp, agno, d, sector);

		first = first ?: e;
		if (mp->fs.vol.stop(&mp->fs.vol)) {
			first = first ?: -EINTR;
			break;
		}
	}
	kfree(sector);
	return first ?: bdev_flush(mp->sb->s_bdev);
}

int xfs_change_sb(struct xfs_mount *mp, void (*change)(struct xfs_dsb *d, const void *arg),
		  const void *arg, struct xfs_dsb *out)
{
	struct xfs_tx *tx;
	int e = xfs_trans_begin(mp, XFS_SB_BYTES, 1, 0, XFS_TX_SYNC, &tx);

	lockdep_assert_held(&mp->admin);
	return e ?: xfs_end(tx, xfs_tx_sb(tx, mp, change, arg, out));
}
