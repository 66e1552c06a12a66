// SPDX-License-Identifier: MIT
/* A monitor and its mount: made, attached, told, taken apart (monitor.h). */
#include "fs/xfs/monitor/priv.h"
#include <alloc/slab.h>
#include <lib/string.h>
#include <linux/capability.h>
#include <mm/uaccess.h>
#include <vfs/file.h>
#include <vfs/inode.h>

/* mp->monitor and m->sb of all. */
static DEFINE_SPINLOCK(monitors_lock);

/* ---- telling ---- */

/* Which parts a reader is told of. */
static u32 told(struct xfs_monitor *m, const struct xfs_mark_event *ev)
{
	if (READ_ONCE(m->verbose) || ev->what == XFS_MARK_SICK)
		return ev->obj.mask;
	return ev->what == XFS_MARK_CORRUPT ? ev->obj.mask & ~ev->was : ev->obj.mask & ev->was;
}

static void tell_mark(struct xfs_monitor *m, const struct xfs_mark_event *ev)
{
	static const u32 types[] = {
		[XFS_MARK_SICK] = XFS_EVENT_SICK,
		[XFS_MARK_CORRUPT] = XFS_EVENT_CORRUPT,
		[XFS_MARK_HEALTHY] = XFS_EVENT_HEALTHY,
	};
	struct xfs_event e = { .domain = ev->obj.domain, .type = types[ev->what] };
	u32 mask = told(m, ev);

	if (!mask)
		return;
	switch (ev->obj.domain) {
	case XFS_DOMAIN_FS:
		e.fs.mask = mask;
		break;
	case XFS_DOMAIN_AG:
		e.group.mask = mask;
		e.group.gno = (u32)ev->obj.who;
		break;
	case XFS_DOMAIN_INO:
		e.inode.mask = mask;
		e.inode.gen = ev->obj.gen;
		e.inode.ino = ev->obj.who;
		break;
	}
	xfs_monitor_push(m, &e);
}

void xfs_monitor_tell(void *ctx, const struct xfs_mark_event *ev)
{
	struct xfs_event down = { .domain = XFS_EVENT_MOUNT, .type = XFS_EVENT_SHUTDOWN };
	struct xfs_mount *mp = ctx;
	struct xfs_monitor *m;

	rcu_read_lock();
	m = rcu_dereference(mp->monitor);
	if (m && ev->what == XFS_TOLD_DOWN) {
		down.shutdown.reasons = ev->obj.mask;
		xfs_monitor_push(m, &down);
	} else if (m) {
		tell_mark(m, ev);
	}
	rcu_read_unlock();
}

/* ---- attaching ---- */

int xfs_monitor_attach(struct xfs_mount *mp, struct xfs_monitor *m)
{
	int e = 0;

	spin_lock(&monitors_lock);
	if (rcu_access_pointer(mp->monitor)) {
		e = -EEXIST;
	} else {
		m->sb = mp->sb;
		rcu_assign_pointer(mp->monitor, m);
	}
	spin_unlock(&monitors_lock);
	return e;
}

static void detach_locked(struct xfs_monitor *m)
{
	lockdep_assert_held(&monitors_lock);
	if (m->sb)
		RCU_INIT_POINTER(XFS_M(m->sb)->monitor, NULL);
	m->sb = NULL;
}

void xfs_monitor_close(struct xfs_monitor *m)
{
	spin_lock(&monitors_lock);
	detach_locked(m);
	spin_unlock(&monitors_lock);
	/* Who tells it something may still see it. */
	kvfree_rcu(m, rcu);
}

void xfs_monitor_unmount(struct xfs_mount *mp)
{
	struct xfs_monitor *m;

	spin_lock(&monitors_lock);
	/* Its last close waits for the lock before it frees it. */
	m = rcu_dereference_protected(mp->monitor, lockdep_is_held(&monitors_lock));
	if (m) {
		detach_locked(m);
		xfs_monitor_finish(m);
	}
	spin_unlock(&monitors_lock);
}

bool xfs_monitor_is_on(struct xfs_monitor *m, const struct super_block *s)
{
	bool is;

	spin_lock(&monitors_lock);
	is = m->sb == s;
	spin_unlock(&monitors_lock);
	return is;
}

/* ---- the ioctl ---- */

int xfs_monitor_request(struct uptr arg, bool *verbose)
{
	struct xfs_monitor_req req;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if (req.flags & ~1ull || req.format || memchr_inv(req.pad, 0, sizeof(req.pad)))
		return -EINVAL;
	*verbose = req.flags;
	return 0;
}

struct xfs_monitor *xfs_monitor_new(struct xfs_mount *mp, bool verbose)
{
	struct xfs_event running = { .domain = XFS_EVENT_MOUNT, .type = XFS_EVENT_RUNNING };
	struct xfs_monitor *m = kvzalloc(sizeof(*m), GFP_KERNEL_ACCOUNT);

	if (!m)
		return NULL;
	spin_lock_init(&m->lock);
	mutex_init(&m->reading);
	init_waitqueue_head(&m->wait);
	m->verbose = verbose;
	m->dev = mp->sb->s_dev;
	xfs_monitor_push(m, &running);
	return m;
}

long xfs_monitor_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct inode *inode = file_inode(file);
	struct xfs_mount *mp = XFS_M(inode->i_sb);
	struct xfs_monitor *m;
	bool verbose;
	int e, fd;

	if (cmd != XFS_IOC_HEALTH_MONITOR)
		return -ENOTTY;
	if (!capable(CAP_SYS_ADMIN) || inode->i_ino != mp->fs.vol.sb.rootino)
		return -EPERM;
	e = xfs_monitor_request(UPTR(arg), &verbose);
	if (e)
		return e;
	m = xfs_monitor_new(mp, verbose);
	if (!m)
		return -ENOMEM;
	e = xfs_monitor_attach(mp, m);
	fd = e ?: xfs_monitor_open(m);
	if (fd < 0)
		xfs_monitor_close(m);
	return fd;
}
