// SPDX-License-Identifier: MIT
/*
 * Blocks that an AG keeps for trees that may have to grow when no space is left: references change
 * when files are copied on write, chunks get free inodes when files are removed, owners change
 * with everything. Each tree is kept as many blocks as it has when all of the AG's blocks have a
 * record of their own and every block of the tree is half full. The log's AG has so many blocks
 * less that can be in the trees.
 */
#include "fs/xfs/ag/ialloc_priv.h"

/* Blocks of a tree of N records, all half full. */
static u32 worst(const struct xfs_sb *sb, enum xfs_bt kind, u64 n)
{
	const struct xfs_bt_shape *s = &xfs_bt_shapes[kind];
	u32 half = max(xfs_bt_max(sb, s, 1) / 2, 2u), sum;

	n = DIV_ROUND_UP(n, (u64)max(xfs_bt_max(sb, s, 0) / 2, 1u));
	for (sum = (u32)n; n > 1; sum += (u32)n)
		n = DIV_ROUND_UP(n, (u64)half);
	return sum;
}

void xfs_ag_kept_of(const struct xfs_sb *sb, u32 agno, u32 *rmap, u32 *other)
{
	u32 n = xfs_ag_blocks(sb, agno), all = n;

	if (sb->logstart && xfs_fsb_ag(sb, sb->logstart) == agno)
		n -= min(n, sb->logblocks);
	*rmap = *other = 0;
	if (sb->ro_compat & XFS_RO_REFLINK)
		*other += worst(sb, XFS_BT_REFC, n);
	if (sb->ro_compat & XFS_RO_FINOBT)
		*other += worst(sb, XFS_BT_FINO, ((u64)n << sb->inopblog) / XFS_CHUNK);
	if (sb->ro_compat & XFS_RO_RMAPBT)
		*rmap = max(n / 100, worst(sb, XFS_BT_RMAP, n));
	*rmap = min(*rmap, all);
	*other = min(*other, all);
}

bool xfs_ag_is_tight(const struct xfs_fs *fs, u32 agno)
{
	const struct xfs_ag *ag = xfs_ag_of(fs, agno);
	u32 other = ag->kept_other > ag->used_other ? ag->kept_other - ag->used_other : 0,
	    room = ag->freeblks + ag->flcount;

	/*
	 * Counts of references have what they need at most; owners have no most. The free list of
	 * three trees wants two blocks a level at most.
	 */
	if (!(fs->vol.sb.ro_compat & XFS_RO_RMAPBT) || !ag->agf_known)
		return false;
	return room < other + max(ag->kept_rmap / 10, 3 * 2u * XFS_BT_MAXLEVELS);
}
