// SPDX-License-Identifier: MIT
#include "fs/xfs/da/fork.h"
#include <lib/minmax.h>
#include <abi/errno.h>

int xfs_fork_has(struct xfs_tx *tx, struct xfs_ino *ip, bool attr, u64 off)
{
	struct xfs_map m;
	int e = xfs_bmap(&tx->fs->vol, &ip->node, attr, off, &m);

	return e ?: m.type != XFS_MAP_HOLE;
}

int xfs_fork_get(struct xfs_tx *tx, struct xfs_ino *ip, bool attr, u64 off, enum xfs_kind kind,
		 u32 flags, struct xfs_txbuf **out)
{
	const struct xfs_sb *sb = &tx->fs->vol.sb;
	struct xfs_run runs[XFS_MAX_RUNS];
	u32 nr = 0, count = xfs_fork_count(tx, attr);

	for (u32 done = 0; done < count;) {
		struct xfs_map m;
		u64 in;
		int e = xfs_bmap(&tx->fs->vol, &ip->node, attr, off + done, &m);

		if (e)
			return e;
		if (m.type != XFS_MAP_DATA)
			return xfs_tx_bad_ino(tx, ip, xfs_sick_fork(attr), "inode",
					      "block of metadata", off + done);
		in = off + done - m.off;
		m.count = min(m.count - in, (u64)(count - done));
		runs[nr].daddr = xfs_fsb_daddr(sb, m.fsb + in);
		runs[nr++].bbs = (u32)m.count << (sb->blocklog - 9);
		done += (u32)m.count;
	}
	return xfs_sick_if(&tx->fs->vol, xfs_tx_get_runs(tx, kind, runs, nr, flags, out),
			   &ip->node.core, xfs_sick_fork(attr));
}

/* Near the fork's first block; a fork that has none begins near its inode. */
static int near_of(struct xfs_tx *tx, struct xfs_ino *ip, bool attr, u64 *fsb)
{
	struct xfs_map m;
	int e = xfs_bmap(&tx->fs->vol, &ip->node, attr, 0, &m);

	*fsb = !e && m.type == XFS_MAP_DATA ? m.fsb : ip->node.core.ino >> tx->fs->vol.sb.inopblog;
	return e;
}

int xfs_fork_new(struct xfs_tx *tx, struct xfs_ino *ip, bool attr, u64 off, enum xfs_kind kind,
		 struct xfs_txbuf **out)
{
	u32 count = xfs_fork_count(tx, attr);
	u64 near_fsb;
	int e = near_of(tx, ip, attr, &near_fsb);

	if (e)
		return e;
	for (u32 i = 0; i < count; i++) {
		e = xfs_fork_has(tx, ip, attr, off + i);
		if (e)
			return e < 0 ? e :
				       xfs_tx_bad_ino(tx, ip, xfs_sick_fork(attr), "inode",
						      "block that should be a hole", off + i);
	}
	/* In one piece, if there is one anywhere. */
	e = count > 1 ? xfs_bmap_extend(tx, ip, attr, off, count, count, near_fsb, false, NULL) :
			-ENOSPC;
	if (e == -ENOSPC)
		e = xfs_bmap_alloc(tx, ip, attr, off, count, near_fsb, true);
	return e ?: xfs_fork_get(tx, ip, attr, off, kind, XFS_GET_NEW, out);
}

int xfs_fork_hole(struct xfs_tx *tx, struct xfs_ino *ip, bool attr, u64 *off, u64 end, u32 count)
{
	u64 at = *off, free = 0;	/* FREE blocks before AT are a hole */

	while (free < count) {
		struct xfs_map m;
		int e;

		if (at - free + count > end)
			return -ENOSPC;
		e = xfs_bmap(&tx->fs->vol, &ip->node, attr, at, &m);
		if (e)
			return e;
		free = m.type == XFS_MAP_HOLE ? free + m.off + m.count - at : 0;
		at = m.off + m.count;
	}
	*off = at - free;
	return 0;
}

int xfs_fork_shrink(struct xfs_tx *tx, struct xfs_ino *ip, bool attr, u64 off, struct xfs_txbuf *b)
{
	xfs_tx_kill(tx, b);
	return xfs_bmap_free(tx, ip, attr, off, xfs_fork_count(tx, attr));
}
