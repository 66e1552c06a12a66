// SPDX-License-Identifier: MIT
/* The volume that the walks read from, and what they say of damage. */
#include "fs/xfs/buf/mount.h"
#include <sched/task.h>

static void report(struct xfs_vol *v, const struct xfs_fault *f)
{
	struct xfs_mount *mp = container_of(v, struct xfs_mount, fs.vol);

	printk_ratelimited(KERN_ERR "xfs: %s: %s %llu: %s is wrong (%llu)\n", mp->sb->s_id, f->what,
			   f->place, f->field, f->value);
}

static int get(struct xfs_vol *v, enum xfs_kind kind, const struct xfs_run *runs, u32 n,
	       struct xfs_blk *out)
{
	struct xfs_mount *mp = container_of(v, struct xfs_mount, fs.vol);
	struct xfs_fault f = { 0 };
	int e = xfs_buf_get(&mp->cache, &v->sb, kind, runs, n, out, &f);

	if (e && f.what)
		report(v, &f);
	e = xfs_errno(e);
	/* A read that failed is no damage. */
	if (e == -XFS_CORRUPT)
		xfs_sick_block(v, kind, runs[0].daddr);
	return e;
}

bool xfs_ag_marks(struct xfs_mount *mp, u32 agno, struct xfs_ag_marks *out)
{
	struct xfs_fs *fs = &mp->fs;

	/* AGs of a growth are there before the superblock says so. */
	if (!smp_load_acquire(&fs->ags) || agno >= smp_load_acquire(&fs->vol.sb.agcount))
		return false;
	*out = (struct xfs_ag_marks){ agno, &xfs_ag_of(fs, agno)->marks };
	return true;
}

static void sick(struct xfs_vol *v, const struct xfs_sick *s)
{
	struct xfs_mount *mp = container_of(v, struct xfs_mount, fs.vol);
	u32 agno = s->domain == XFS_DOMAIN_INO ? xfs_ino_ag(&v->sb, s->who) : (u32)s->who;
	struct xfs_ag_marks ag;

	if (s->domain == XFS_DOMAIN_FS)
		xfs_mark_fs(&mp->health, XFS_MARK_SICK, s->mask);
	if (s->domain == XFS_DOMAIN_FS || !xfs_ag_marks(mp, agno, &ag))
		return;
	if (s->domain == XFS_DOMAIN_AG)
		xfs_mark_ag(&mp->health, &ag, XFS_MARK_SICK, s->mask);
	else
		xfs_mark_ino(&mp->health, &ag, s->who, s->gen, XFS_MARK_SICK, s->mask);
}

static void put(struct xfs_vol *v, struct xfs_blk *b)
{
	xfs_buf_put(&container_of(v, struct xfs_mount, fs.vol)->cache, b);
}

static bool stop(struct xfs_vol *v)
{
	(void)v;
	cond_resched();
	return fatal_signal_pending(current);
}

/* By transactions, with locks of buffers. */
static void drained(struct xfs_fs *fs)
{
	struct xfs_mount *mp = container_of(fs, struct xfs_mount, fs);

	if (wq_has_sleeper(&mp->drained))
		wake_up_all(&mp->drained);
}

void xfs_vol_init(struct xfs_mount *mp, struct super_block *sb)
{
	mp->sb = sb;
	mp->fs.vol.get = get;
	mp->fs.vol.put = put;
	mp->fs.vol.report = report;
	mp->fs.vol.sick = sick;
	mp->fs.vol.stop = stop;
	spin_lock_init(&mp->names_lock);
	INIT_LIST_HEAD(&mp->names_watchers);
	init_waitqueue_head(&mp->drained);
	mp->fs.drained = drained;
}
