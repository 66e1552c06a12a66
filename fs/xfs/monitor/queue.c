// SPDX-License-Identifier: MIT
/* The ring of events (monitor.h): merged, lost, taken out. */
#include "fs/xfs/monitor/priv.h"
#include <kernel/time.h>
#include <vfs/file.h>

static struct xfs_event *slot(struct xfs_monitor *m, u32 n)
{
	return &m->ring[(m->first + n) % XFS_MONITOR_EVENTS];
}

static bool same_object(const struct xfs_event *a, const struct xfs_event *b)
{
	switch (a->domain) {
	case XFS_EVENT_AG:
		return a->group.gno == b->group.gno;
	case XFS_EVENT_INODE:
		return a->inode.ino == b->inode.ino && a->inode.gen == b->inode.gen;
	}
	return true;
}

/* EV says more of what LAST says: false: it is something else. */
static bool merge(struct xfs_event *last, const struct xfs_event *ev)
{
	if (last->type != ev->type || last->domain != ev->domain || !same_object(last, ev))
		return false;
	switch (last->type) {
	case XFS_EVENT_LOST:
		last->lost.count += ev->lost.count;
		return true;
	case XFS_EVENT_SHUTDOWN:
		last->shutdown.reasons |= ev->shutdown.reasons;
		return true;
	case XFS_EVENT_SICK:
	case XFS_EVENT_CORRUPT:
	case XFS_EVENT_HEALTHY:
		/* The first word of each domain. */
		last->fs.mask |= ev->fs.mask;
		return true;
	}
	return false;
}

static void add_locked(struct xfs_monitor *m, const struct xfs_event *ev)
{
	lockdep_assert_held(&m->lock);
	if (m->nr && merge(slot(m, m->nr - 1), ev))
		return;
	if (m->nr == XFS_MONITOR_EVENTS) {
		m->lost_now++;
		m->lost++;
		return;
	}
	*slot(m, m->nr) = *ev;
	WRITE_ONCE(m->nr, m->nr + 1);
	m->events++;
}

static void wake(struct xfs_monitor *m)
{
	wake_up_interruptible_poll(&m->wait, EPOLLIN);
}

void xfs_monitor_push(struct xfs_monitor *m, struct xfs_event *ev)
{
	ev->time_ns = ktime_get_real_coarse_ns();
	spin_lock(&m->lock);
	if (!m->dead && m->lost_now) {
		/* Others were lost after the last one in the ring. */
		m->lost_now++;
		m->lost++;
	} else if (!m->dead) {
		add_locked(m, ev);
	}
	spin_unlock(&m->lock);
	wake(m);
}

/* There is room again: what was lost has its place here. */
static void tell_lost_locked(struct xfs_monitor *m)
{
	struct xfs_event ev = {
		.domain = XFS_EVENT_MOUNT,
		.type = XFS_EVENT_LOST,
		.time_ns = ktime_get_real_coarse_ns(),
		.lost.count = m->lost_now,
	};

	m->lost_now = 0;
	add_locked(m, &ev);
}

bool xfs_monitor_pop(struct xfs_monitor *m, struct xfs_event *ev)
{
	bool found = true;

	spin_lock(&m->lock);
	if (m->unmounted) {
		m->unmounted = false;
		*ev = (struct xfs_event){ .domain = XFS_EVENT_MOUNT,
					  .type = XFS_EVENT_UNMOUNT,
					  .time_ns = m->unmount_ns };
	} else if (m->nr) {
		*ev = *slot(m, 0);
		m->first = (m->first + 1) % XFS_MONITOR_EVENTS;
		WRITE_ONCE(m->nr, m->nr - 1);
		if (m->lost_now)
			tell_lost_locked(m);
	} else {
		found = false;
	}
	spin_unlock(&m->lock);
	return found;
}

void xfs_monitor_finish(struct xfs_monitor *m)
{
	spin_lock(&m->lock);
	m->unmounted = true;
	m->unmount_ns = ktime_get_real_coarse_ns();
	m->events++;
	WRITE_ONCE(m->dead, true);
	spin_unlock(&m->lock);
	wake(m);
}
