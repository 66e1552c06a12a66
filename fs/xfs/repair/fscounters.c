// SPDX-License-Identifier: MIT
/*
 * The sums in memory become what the headers of all AGs say, while the file system is frozen: no
 * transaction is in flight, and nothing is promised or given back. The superblock gets them with
 * the next checkpoint that has it.
 */
#include "fs/xfs/repair/repair.h"

static int set(void *ctx)
{
	struct xfs_mount *mp = ctx;
	struct xfs_live *live = mp->live;
	struct xfs_sums n;
	int e;

	/* It may have become read-only, as nobody counts as a writer here (scrub/setup.c). */
	if (sb_rdonly(mp->sb))
		return -EROFS;
	e = xfs_errno(xfs_scrub_count(mp, &n));
	if (e)
		return e;
	atomic64_set(&live->icount, n.icount);
	atomic64_set(&live->ifree, n.ifree);
	atomic64_set(&live->fdblocks, n.fdblocks - atomic64_read(&live->delayed));
	return 0;
}

int xfs_repair_fscounters(struct xfs_scrub *sc)
{
	return xfs_scrub_frozen(sc, set, sc->mp);
}
