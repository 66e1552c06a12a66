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
	return xfs_errno(e);
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

void xfs_vol_init(struct xfs_mount *mp, struct super_block *sb)
{
	mp->sb = sb;
	mp->fs.vol.get = get;
	mp->fs.vol.put = put;
	mp->fs.vol.report = report;
	mp->fs.vol.stop = stop;
}
