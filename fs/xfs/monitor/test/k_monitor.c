// SPDX-License-Identifier: MIT
/* What a monitor says of marks that checks set and take away, merging, and loss. */
#include "fs/xfs/monitor/priv.h"
#include <alloc/slab.h>
#include <kernel/ktest.h>

static struct xfs_mount *mp;
static struct super_block *sb;
static struct xfs_monitor *m;

static bool begin(bool verbose)
{
	mp = kzalloc(sizeof(*mp), GFP_KERNEL);
	sb = kzalloc(sizeof(*sb), GFP_KERNEL);
	if (!mp || !sb)
		return false;
	mp->sb = sb;
	sb->s_fs_info = mp;
	xfs_health_init(&mp->health);
	xfs_health_watch(&mp->health, xfs_monitor_tell, mp);
	m = xfs_monitor_new(mp, verbose);
	return m && !xfs_monitor_attach(mp, m);
}

static void end(void)
{
	xfs_monitor_close(m);
	xfs_health_destroy(&mp->health);
	kfree(mp);
	kfree(sb);
}

/* The next event, of the domain INODE or FS, says this; one of losses: so many. */
static bool next(u32 domain, u32 type, u32 mask)
{
	struct xfs_event ev;

	if (!xfs_monitor_pop(m, &ev))
		return false;
	return ev.domain == domain && ev.type == type &&
	       (type == XFS_EVENT_LOST ? ev.lost.count : ev.fs.mask) == mask;
}

static bool no_more(void)
{
	struct xfs_event ev;

	return !xfs_monitor_pop(m, &ev);
}

enum { A = XFS_SICK_COUNTERS, B = XFS_SICK_NLINKS, C = XFS_SICK_QUOTACHECK };

/* A is sick; then a check finds A and B, finds them again, and finds all well. */
static void mark_all(void)
{
	xfs_mark_fs(&mp->health, XFS_MARK_SICK, A);
	xfs_mark_fs(&mp->health, XFS_MARK_CORRUPT, A | B);
	xfs_mark_fs(&mp->health, XFS_MARK_CORRUPT, A | B);
	xfs_mark_fs(&mp->health, XFS_MARK_HEALTHY, A | B | C);
	xfs_mark_fs(&mp->health, XFS_MARK_HEALTHY, C);
}

KTEST(xfs_monitor_events)
{
	KT_ASSERT(begin(false));
	KT_EQ(xfs_monitor_attach(mp, m), -EEXIST);
	KT_ASSERT(next(XFS_EVENT_MOUNT, XFS_EVENT_RUNNING, 0) && no_more());
	mark_all();
	KT_ASSERT(next(XFS_EVENT_FS, XFS_EVENT_SICK, A));
	KT_ASSERT(next(XFS_EVENT_FS, XFS_EVENT_CORRUPT, B));
	KT_ASSERT(next(XFS_EVENT_FS, XFS_EVENT_HEALTHY, A | B) && no_more());
	/* Reasons of two deaths are those of one. */
	xfs_health_down(&mp->health, XFS_WHY_ASKED);
	xfs_health_down(&mp->health, XFS_WHY_LOG_IO);
	KT_ASSERT(next(XFS_EVENT_MOUNT, XFS_EVENT_SHUTDOWN, XFS_WHY_ASKED | XFS_WHY_LOG_IO));
	KT_ASSERT(no_more());
	xfs_monitor_unmount(mp);
	xfs_mark_fs(&mp->health, XFS_MARK_SICK, A);
	KT_ASSERT(next(XFS_EVENT_MOUNT, XFS_EVENT_UNMOUNT, 0) && no_more() && m->dead);
	KT_ASSERT(!xfs_monitor_is_on(m, sb) && !rcu_access_pointer(mp->monitor));
	end();
}

KTEST(xfs_monitor_verbose)
{
	KT_ASSERT(begin(true));
	KT_ASSERT(next(XFS_EVENT_MOUNT, XFS_EVENT_RUNNING, 0));
	mark_all();
	KT_ASSERT(next(XFS_EVENT_FS, XFS_EVENT_SICK, A));
	KT_ASSERT(next(XFS_EVENT_FS, XFS_EVENT_CORRUPT, A | B));
	KT_ASSERT(next(XFS_EVENT_FS, XFS_EVENT_HEALTHY, A | B | C) && no_more());
	end();
}

/* Each time there is room for the count, and no more: what is lost then is added to it. */
KTEST(xfs_monitor_lost)
{
	struct xfs_marks words = { 0 };
	struct xfs_ag_marks ag = { 0, &words };
	u32 most = XFS_MONITOR_EVENTS;

	KT_ASSERT(begin(false));
	for (ag.agno = 0; ag.agno < most + 9; ag.agno++)
		xfs_mark_ag(&mp->health, &ag, XFS_MARK_SICK, XFS_SICK_AG_AGF);
	KT_ASSERT(m->events == most && m->lost == 10 && m->lost_now == 10);
	KT_ASSERT(next(XFS_EVENT_MOUNT, XFS_EVENT_RUNNING, 0) && !m->lost_now);
	xfs_mark_ag(&mp->health, &ag, XFS_MARK_SICK, XFS_SICK_AG_AGF);
	KT_ASSERT(m->nr == most && m->lost == 11 && m->lost_now == 1);
	for (u32 i = 0; i < most - 1; i++)
		KT_ASSERT(next(XFS_EVENT_AG, XFS_EVENT_SICK, XFS_SICK_AG_AGF));
	KT_ASSERT(next(XFS_EVENT_MOUNT, XFS_EVENT_LOST, 11) && no_more());
	xfs_mark_ag(&mp->health, &ag, XFS_MARK_SICK, XFS_SICK_AG_AGF);
	KT_ASSERT(next(XFS_EVENT_AG, XFS_EVENT_SICK, XFS_SICK_AG_AGF) && no_more());
	end();
}
