// SPDX-License-Identifier: MIT
/* The descriptor: reading, waiting, its ioctls, what /proc says of it. */
#include "fs/xfs/monitor/priv.h"
#include <lib/minmax.h>
#include <mm/iter.h>
#include <mm/uaccess.h>
#include <sched/task.h>
#include <vfs/file.h>
#include <vfs/poll.h>
#include <vfs/seq_file.h>

struct fd_on_fs {
	s32 fd;
	u32 flags;
};
#define IOC_FD_ON_FS _IOW('X', 69, struct fd_on_fs)

/* A read would return now: there is something, or it is the end. */
static bool readable(struct xfs_monitor *m)
{
	return READ_ONCE(m->dead) || READ_ONCE(m->nr) || READ_ONCE(m->part_left);
}

/* M is readable, and this task alone reads. 0, -EAGAIN, -ERESTARTSYS. */
static int take_turn(struct xfs_monitor *m, bool dont_wait)
{
	for (;;) {
		if (dont_wait) {
			if (!readable(m) || !mutex_trylock(&m->reading))
				return -EAGAIN;
		} else if (wait_event_interruptible(m->wait, readable(m)) ||
			   mutex_lock_interruptible(&m->reading)) {
			return -ERESTARTSYS;
		}
		/* Another reader may have taken all. */
		if (readable(m))
			return 0;
		mutex_unlock(&m->reading);
	}
}

/* A read need not take whole events: the next one goes on where it ended. */
static ssize_t monitor_read(struct kiocb *k, struct iter *to)
{
	struct xfs_monitor *m = k->ki_filp->private_data;
	bool dont_wait = k->ki_filp->f_flags & O_NONBLOCK || k->ki_flags & IOCB_NOWAIT;
	ssize_t done = 0, e = take_turn(m, dont_wait);

	if (e)
		return e;
	while (iter_count(to)) {
		const u8 *end = (const u8 *)(&m->part + 1);
		size_t n;

		if (!m->part_left) {
			if (!xfs_monitor_pop(m, &m->part))
				break;
			WRITE_ONCE(m->part_left, (u32)sizeof(m->part));
		}
		n = copy_to_iter(end - m->part_left, min((size_t)m->part_left, iter_count(to)), to);
		WRITE_ONCE(m->part_left, m->part_left - (u32)n);
		done += (ssize_t)n;
		if (m->part_left) {
			e = n ? 0 : -EFAULT;
			break;
		}
	}
	mutex_unlock(&m->reading);
	return done ?: e;
}

static __poll_t monitor_poll(struct file *f, struct poll_table_struct *p)
{
	struct xfs_monitor *m = f->private_data;

	poll_wait(f, &m->wait, p);
	return readable(m) ? EPOLLIN : 0;
}

/* ---- ioctls ---- */

static long set_verbose(struct xfs_monitor *m, struct uptr arg)
{
	bool verbose;
	int e = xfs_monitor_request(arg, &verbose);

	if (e)
		return e;
	spin_lock(&m->lock);
	WRITE_ONCE(m->verbose, verbose);
	spin_unlock(&m->lock);
	return 0;
}

static long fd_on_fs(struct xfs_monitor *m, struct uptr arg)
{
	struct fd_on_fs req;
	struct fd f;
	bool on;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if (req.flags)
		return -EINVAL;
	f = fdget((unsigned int)req.fd);
	if (fd_empty(f))
		return -EBADF;
	on = xfs_monitor_is_on(m, file_inode(fd_file(f))->i_sb);
	fdput(f);
	return on ? 0 : -ESTALE;
}

static long monitor_ioctl(struct file *f, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case XFS_IOC_HEALTH_MONITOR:
		return set_verbose(f->private_data, UPTR(arg));
	case IOC_FD_ON_FS:
		return fd_on_fs(f->private_data, UPTR(arg));
	}
	return -ENOTTY;
}

static void monitor_fdinfo(struct seq_file *s, struct file *f)
{
	struct xfs_monitor *m = f->private_data;
	u64 events, lost;
	bool dead;

	spin_lock(&m->lock);
	dead = m->dead;
	events = m->events;
	lost = m->lost;
	spin_unlock(&m->lock);
	seq_printf(s, "state:\t%s\ndev:\t%u:%u\nformat:\tv0\nevents:\t%llu\nlost:\t%llu\n",
		   dead ? "dead" : "alive", MAJOR(m->dev), MINOR(m->dev), events, lost);
}

static int monitor_release(struct inode *inode, struct file *f)
{
	(void)inode;
	xfs_monitor_close(f->private_data);
	return 0;
}

static const struct file_operations monitor_fops = {
	.read_iter = monitor_read,
	.poll = monitor_poll,
	.ioctl = monitor_ioctl,
	.release = monitor_release,
	.show_fdinfo = monitor_fdinfo,
};

int xfs_monitor_open(struct xfs_monitor *m)
{
	return anon_inode_getfd("xfs_healthmon", &monitor_fops, m, O_RDONLY | O_CLOEXEC);
}
