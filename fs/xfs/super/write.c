// SPDX-License-Identifier: MIT
/*
 * A mount that writes: it begins behind recovery, and lasts until the file system is unmounted,
 * also while it is mounted read-only in between; then its log is clean.
 *
 * Counters of the superblock are summed up from the headers of AGs, whose numbers are the truth.
 * Each AG keeps blocks for trees that a change of files cannot do without: that of owners, of
 * references, of free inodes. As many as those trees could need at most are taken out of what is
 * free, so that an operation that has its reservation does not fail half way.
 */
#include "fs/xfs/ag/ag.h"
#include "fs/xfs/super/super.h"
#include <lib/minmax.h>

/* ---- what AGs say ---- */

static int get_sector(struct xfs_mount *mp, u32 agno, u32 which, enum xfs_kind kind,
		      struct xfs_run *run, struct xfs_blk *b)
{
	const struct xfs_sb *sb = &mp->fs.vol.sb;

	run->bbs = sb->sectsize / XFS_SECTOR;
	run->daddr = xfs_agb_daddr(sb, agno, 0) + which * run->bbs;
	return mp->fs.vol.get(&mp->fs.vol, kind, run, 1, b);
}

/* Blocks of the tree of free inodes, where the header does not say: from sibling to sibling. */
static int count_tree(struct xfs_mount *mp, const struct xfs_ag *ag, struct xfs_btroot root, u32 *n)
{
	struct xfs_vol *v = &mp->fs.vol;
	struct xfs_fault f = { "finobt", "number of blocks", ag->agno, 0 };
	u32 first = root.block;

	for (u32 level = root.levels; level--;) {
		u64 next = first;
		bool leftmost = true;

		while (next != XFS_NULL32) {
			struct xfs_run run = { xfs_agb_daddr(&v->sb, ag->agno, (u32)next),
					       v->sb.blocksize / XFS_SECTOR };
			struct xfs_bt_block h;
			struct xfs_blk b;
			int e = v->get(v, XFS_BLK_BT + XFS_BT_FINO, &run, 1, &b);

			if (e)
				return e;
			xfs_bt_head(b.data, &h);
			if (leftmost && level && h.level == level && h.numrecs)
				first = xfs_bt_ptr_at(&v->sb, XFS_BT_FINO, b.data, 0);
			v->put(v, &b);
			leftmost = false;
			next = h.right;
			if (h.level != level || ++*n > ag->length) {
				xfs_sick_ag(v, ag->agno, XFS_SICK_AG_FINOBT);
				v->report(v, &f);
				return -XFS_CORRUPT;
			}
			if (v->stop(v))
				return -EINTR;
		}
	}
	return 0;
}

/* AG's numbers, and SUM's rise by them. */
static int look_at_ag(struct xfs_mount *mp, struct xfs_ag *ag, struct xfs_sb *sum)
{
	struct xfs_vol *v = &mp->fs.vol;
	const struct xfs_sb *sb = &v->sb;
	struct xfs_fault f = { 0 };
	struct xfs_run run;
	struct xfs_blk b;
	struct xfs_agf agf;
	struct xfs_agi agi;
	int e = get_sector(mp, ag->agno, 1, XFS_BLK_AGF, &run, &b);

	if (e)
		return e;
	e = xfs_agf_decode(sb, ag->agno, b.data, run.daddr, &agf, &f);
	v->put(v, &b);
	e = e ?: get_sector(mp, ag->agno, 2, XFS_BLK_AGI, &run, &b);
	if (e)
		goto out;
	e = xfs_agi_decode(sb, ag->agno, b.data, run.daddr, &agi, &f);
	v->put(v, &b);
	if (e)
		goto out;
	ag->freeblks = agf.freeblks;
	ag->longest = agf.longest;
	ag->flcount = agf.flcount;
	ag->btreeblks = agf.btreeblks;
	ag->inodes = agi.count;
	ag->freeinodes = agi.freecount;
	ag->agf_known = ag->agi_known = true;
	ag->used_other = sb->ro_compat & XFS_RO_REFLINK ? agf.refc_blocks : 0;
	sum->icount += agi.count;
	sum->ifree += agi.freecount;
	sum->fdblocks += (u64)agf.freeblks + agf.flcount + agf.btreeblks;
	if (sb->ro_compat & XFS_RO_FINOBT) {
		u32 n = 0;

		if (sb->ro_compat & XFS_RO_INOBTCNT)
			n = agi.fblocks;
		else
			e = count_tree(mp, ag, agi.fino, &n);
		ag->used_other += n;
	}
out:
	if (e && f.what)
		v->report(v, &f);
	return xfs_errno(e);
}

/* Counters, and what is kept, from all AGs. */
static int look_at_ags(struct xfs_mount *mp)
{
	struct xfs_sb *sb = &mp->fs.vol.sb, sum = { 0 };
	struct xfs_fault f = { "AGF", "sum of free blocks", 0, 0 };
	u64 left;
	bool told = false;
	int e = 0;

	for (u32 i = 0; !e && i < sb->agcount; i++)
		e = mp->fs.vol.stop(&mp->fs.vol) ? -EINTR :
						   look_at_ag(mp, xfs_ag_of(&mp->fs, i), &sum);
	if (e)
		return e;
	if (sum.fdblocks > sb->dblocks || sum.ifree > sum.icount) {
		f.value = sum.fdblocks;
		xfs_vol_sick(&mp->fs.vol, XFS_DOMAIN_FS, 0, 0, XFS_SICK_COUNTERS);
		mp->fs.vol.report(&mp->fs.vol, &f);
		return -XFS_CORRUPT;
	}
	sb->fdblocks = left = sum.fdblocks;
	sb->icount = sum.icount;
	sb->ifree = sum.ifree;
	for (u32 i = 0; i < sb->agcount; i++) {
		struct xfs_ag *ag = xfs_ag_of(&mp->fs, i);
		u64 need, rmap;

		xfs_ag_kept_of(sb, i, &ag->kept_rmap, &ag->kept_other);
		rmap = ag->kept_rmap;
		need = rmap +
		       (ag->kept_other > ag->used_other ? ag->kept_other - ag->used_other : 0);
		/* The tree of owners has some of its blocks. */
		if (need > left || need > (u64)ag->freeblks + ag->flcount + ag->btreeblks) {
			ag->kept_rmap = ag->kept_other = 0;
			if (!told)
				pr_warn("xfs: %s: AG %u has no room for what its trees may need; the file system may run out of space\n",
					mp->sb->s_id, i);
			told = true;
			continue;
		}
		left -= need;
	}
	atomic64_set(&mp->live->fdblocks, (s64)left);
	atomic64_set(&mp->live->icount, (s64)sum.icount);
	atomic64_set(&mp->live->ifree, (s64)sum.ifree);
	return 0;
}

/* ---- begin ---- */

int xfs_judge_writing(const struct xfs_mount *mp)
{
	const struct xfs_sb *sb = &mp->fs.vol.sb;
	const struct bdev *b = mp->sb->s_bdev;
	const char *id = mp->sb->s_id;

	if (xfs_sb_unknown_ro(sb)) {
		pr_err("xfs: %s: it has unknown features %#x that allow reading alone\n", id,
		       xfs_sb_unknown_ro(sb));
		return -EROFS;
	}
	return b->disk->read_only || b->read_only ? -EACCES : 0;
}

/*
 * As Linux does where quotas are not kept: without the flags they are counted anew later.
 */
static int drop_quota_flags(struct xfs_mount *mp)
{
	if (!mp->fs.vol.sb.qflags)
		return 0;
	pr_notice("xfs: %s: quota is not kept: its flags are cleared\n", mp->sb->s_id);
	mp->fs.vol.sb.qflags = 0;
	return xfs_sync_sb(mp, true);
}

static int go_on(struct xfs_mount *mp, struct xfs_recovery *r)
{
	int e = xfs_recovery_begin(mp, r);

	e = e ?: look_at_ags(mp);
	e = e ?: xfs_recovery_finish(mp, r);
	return e ?: drop_quota_flags(mp);
}

int xfs_write_begin(struct xfs_mount *mp, struct xfs_recovery *r)
{
	int e = xfs_live_open(mp, mp->sb->s_bdev, mp->sb->s_id, &r->res.next);

	if (e) {
		pr_err("xfs: %s: writing cannot begin: error %d\n", mp->sb->s_id, e);
		return e;
	}
	e = go_on(mp, r);
	if (!e)
		return 0;
	/*
	 * The next recovery must find all work that is not finished. Where the file system is
	 * mounted read-only, other tasks may use mp->live already: it stays until the end.
	 */
	xfs_journal_kill(mp->live->j, XFS_WHY_LOG_IO, "its recovery failed");
	return e;
}

void xfs_write_end(struct xfs_mount *mp)
{
	if (mp->live && xfs_live_close(mp))
		pr_err("xfs: %s: it was not unmounted cleanly: its log is dirty\n", mp->sb->s_id);
}

int xfs_remount(struct xfs_mount *mp, bool ro)
{
	struct xfs_recovery r;
	int e;

	if (ro) {
		e = mp->live && !xfs_is_down(mp) ? xfs_live_clean(mp) : 0;
		return xfs_is_down(mp) ? 0 : e;
	}
	if (mp->norecovery) {
		pr_err("xfs: %s: it was mounted without recovery, and stays read-only\n",
		       mp->sb->s_id);
		return -EINVAL;
	}
	e = xfs_judge_writing(mp);
	if (e || mp->live)
		return e ?: xfs_is_down(mp) ? -EIO : 0;
	e = xfs_recover(mp, &r);
	e = e ?: xfs_write_begin(mp, &r);
	xfs_recovery_free(&r);
	return e;
}
