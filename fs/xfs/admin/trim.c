// SPDX-License-Identifier: MIT
/*
 * FITRIM: free space is discarded, AG by AG, in the order of its blocks.
 *
 * A few free extents at a time are found with the AGF locked, and become busy: nobody allocates
 * them. They are discarded without any lock, after which they are not busy any more. What was freed
 * and is not durable is busy already, and left alone: after a power cut it may be a file's again.
 *
 * None of this changes the file system: a freeze does not stop it, as on Linux.
 *
 * A mount that never wrote has no such list: there the AGF stays locked, and whoever makes it write
 * allocates nothing until the discards have ended.
 */
#include "fs/xfs/admin/admin.h"
#include "fs/xfs/ag/ag.h"
#include <mm/uaccess.h>
#include <lib/minmax.h>
#include <linux/capability.h>
#include <linux/fs.h>

#define FOUND_MOST 32u			/* extents discarded at once */
#define LOOKED_MOST 512u		/* records looked at with the AGF locked */

struct found {
	u32 agb, len;
};
struct trim {
	struct xfs_mount *mp;
	u64 first, end, least;		/* blocks of the file system, in the order of the device */
	u64 done;			/* blocks */
	struct found found[FOUND_MOST];
	u32 nr;
	bool looks;			/* nothing is busy: the mount never wrote */
	struct list_head held;
};

/* The part of a free extent of AG AGNO that is wanted and not busy: it is held. */
static int take(struct trim *t, u32 agno, u32 agb, u32 len)
{
	u64 base = (u64)agno * t->mp->fs.vol.sb.agblocks;
	u64 from = max(base + agb, t->first), to = min(base + agb + len, t->end);
	u32 at, n;
	int e;

	if (from >= to)
		return 0;
	at = (u32)(from - base);
	if (t->looks) {
		if (to - from >= t->least)
			t->found[t->nr++] = (struct found){ at, (u32)(to - from) };
		return 0;
	}
	n = xfs_busy_trim(&t->mp->fs, agno, &at, (u32)(to - from), false);
	if (!n || n < t->least)
		return 0;
	e = xfs_busy_hold(t->mp, agno, at, n, &t->held);
	if (!e)
		t->found[t->nr++] = (struct found){ at, n };
	return e;
}

/* Looks from block *NEXT of the AG on; *NEXT: where to go on, U32_MAX: nowhere. */
static int look(struct trim *t, struct xfs_agop *op, u32 *next)
{
	struct xfs_bt_key k = { { 0 } };
	u32 agb = 0, len = 0, n = 0;
	bool found;
	int e;

	xfs_put32(k.b, *next);
	e = xfs_bt_lookup(&op->bno, &k, XFS_BT_LE, &found);
	if (!e && !found)
		e = xfs_bt_lookup(&op->bno, &k, XFS_BT_GE, &found);
	while (!e && found && t->nr < FOUND_MOST && n++ < LOOKED_MOST) {
		xfs_space_rec(&op->bno, &agb, &len);
		if (agb >= op->ag->length || len > op->ag->length - agb)
			return xfs_tx_bad_ag(op->tx, op->ag->agno, XFS_SICK_AG_BNOBT, "bnobt",
					     "free extent", op->ag->agno, agb);
		if (agb + len > *next)
			e = take(t, op->ag->agno, max(agb, *next), agb + len - max(agb, *next));
		*next = max(*next, agb + len);
		e = e ?: xfs_bt_next(&op->bno, &found);
	}
	if (!e && !found)
		*next = U32_MAX;
	return e;
}

static int discard_found(struct trim *t, u32 agno)
{
	const struct xfs_sb *sb = &t->mp->fs.vol.sb;
	u8 bits = (u8)(sb->blocklog - SECTOR_SHIFT);
	int e = 0;

	for (u32 i = 0; !e && i < t->nr; i++) {
		e = bdev_discard(t->mp->sb->s_bdev, xfs_agb_daddr(sb, agno, t->found[i].agb),
				 (u64)t->found[i].len << bits, false);
		if (!e)
			t->done += t->found[i].len;
	}
	t->nr = 0;
	return e;
}

static int find_some(struct trim *t, u32 agno, u32 *next)
{
	struct xfs_txbuf *agf;
	struct xfs_agop op;
	struct xfs_tx *tx;
	int e;

	t->looks = !READ_ONCE(t->mp->live);
	e = t->looks ? xfs_trans_look(t->mp, &tx) :
		       xfs_begin(t->mp, XFS_RES_SB, 0, 0, XFS_TX_RESERVE | XFS_TX_FROZEN, &tx);
	if (e)
		return e;
	e = xfs_ag_agf(tx, agno, 0, &agf);
	if (!e && t->looks && READ_ONCE(t->mp->live)) {
		/* It writes now: the caller comes again. */
	} else if (!e && xfs_ag_of(&t->mp->fs, agno)->longest < t->least) {
		*next = U32_MAX;
	} else if (!e) {
		xfs_agop_open(&op, tx, agno, agf);
		e = look(t, &op, next);
		xfs_agop_close(&op);
		if (t->looks)
			e = e ?: discard_found(t, agno);
	}
	xfs_trans_cancel(tx);
	return e;
}

static int trim_ag(struct trim *t, u32 agno)
{
	u64 base = (u64)agno * t->mp->fs.vol.sb.agblocks;
	u32 next = t->first > base ? (u32)(t->first - base) : 0;
	int e = 0;

	while (!e && next != U32_MAX && base + next < t->end) {
		if (t->mp->fs.vol.stop(&t->mp->fs.vol))
			return -EINTR;
		e = find_some(t, agno, &next);
		e = e ?: discard_found(t, agno);
		t->nr = 0;
		if (!list_empty(&t->held))
			xfs_busy_end(t->mp->live, &t->held);
		INIT_LIST_HEAD(&t->held);
	}
	return e;
}

static int trim_all(struct trim *t)
{
	const struct xfs_sb *sb = &t->mp->fs.vol.sb;
	int e = 0;

	for (u64 agno = t->first / sb->agblocks;
	     !e && agno < sb->agcount && agno * sb->agblocks < t->end; agno++)
		e = trim_ag(t, (u32)agno);
	return e;
}

long xfs_trim(struct super_block *s, struct uptr arg)
{
	struct xfs_mount *mp = XFS_M(s);
	const struct xfs_sb *sb = &mp->fs.vol.sb;
	struct trim t = { .mp = mp };
	struct fstrim_range r;
	int e;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (!s->s_bdev->disk->max_discard_sectors)
		return -EOPNOTSUPP;
	if (mp->norecovery)
		return -EROFS;
	if (copy_from_user(&r, arg, sizeof(r)))
		return -EFAULT;
	if (r.start >= sb->dblocks << sb->blocklog || r.len < sb->blocksize ||
	    r.minlen > (u64)sb->agblocks << sb->blocklog)
		return -EINVAL;
	INIT_LIST_HEAD(&t.held);
	t.first = r.start >> sb->blocklog;
	t.end = t.first + min(r.len >> sb->blocklog, sb->dblocks - t.first);
	t.least = max((r.minlen + sb->blocksize - 1) >> sb->blocklog, (u64)1);
	e = trim_all(&t);
	if (e)
		return e;
	r.len = t.done << sb->blocklog;
	return copy_to_user(arg, &r, sizeof(r)) ? -EFAULT : 0;
}
