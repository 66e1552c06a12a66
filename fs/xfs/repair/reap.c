// SPDX-License-Identifier: MIT
/* Blocks change hands: those of a new tree get their owner, those of an old one are freed. */
#include "fs/xfs/repair/repair.h"
#include <lib/minmax.h>

/* The length of the run of blocks that begins at R->gone; at most MOST. */
static u32 run_of(const struct xfs_repair *r, u32 most)
{
	const u64 *v = r->old.v + r->gone;
	u32 left = min(r->old.n - r->gone, most), n = 1;

	while (n < left && v[n] == v[0] + n)
		n++;
	return n;
}

int xfs_reap(struct xfs_repair *r)
{
	const struct xfs_owner owner = { r->old_owner, 0, false };
	u32 bbs = r->sb->blocksize / XFS_SECTOR, left = XFS_REAP_MOST;
	int e = 0;

	for (u32 i = 0; !e && left && i < r->most_extents && r->gone < r->old.n; i++) {
		u32 n = run_of(r, left), agb = (u32)r->old.v[r->gone];

		/* What is in memory, or in the log, of it is not written any more. */
		for (u32 k = 0; k < n; k++)
			xfs_tx_kill_at(r->tx, xfs_agb_daddr(r->sb, r->ag->agno, agb + k), bbs);
		e = xfs_free_later(r->tx, xfs_fsb_make(r->sb, r->ag->agno, agb), n, &owner, true);
		r->gone += n;
		left -= n;
	}
	return e;
}

int xfs_own_pieces(struct xfs_repair *r, struct xfs_agop *op, const struct xfs_owner *owner)
{
	/* The new trees of free space do not have their own blocks. */
	bool taken = owner->owner == XFS_OWN_AG;
	const u64 *v = r->pieces.v;
	int e = 0;

	/*
	 * Others stay in the trees until they are taken: whoever fills the list passes over them.
	 */
	for (u32 i = 0; !e && !taken && i < r->pieces.n; i++)
		e = xfs_busy_hold(r->mp, r->ag->agno, (u32)(v[i] >> 32), (u32)v[i], &r->busy);

	for (u32 i = 0; !e && i < r->pieces.n; i++) {
		/* As many as the list can have: each change may take some. */
		e = taken || i ? xfs_agop_fill(op) : 0;
		if (e == -ENOSPC)
			e = 0;
		if (!e && !taken)
			e = xfs_space_take(op, (u32)(v[i] >> 32), (u32)v[i]);
		e = e ?: xfs_rmap_map(op, (u32)(v[i] >> 32), (u32)v[i], owner);
	}
	if (!list_empty(&r->busy))
		xfs_busy_end(r->mp->live, &r->busy);
	return e;
}
