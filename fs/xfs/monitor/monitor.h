/* SPDX-License-Identifier: MIT */
/*
 * The health monitor: a descriptor from which a program (xfs_healer) reads what happens to a
 * mounted file system, as ioctl_xfs_health_monitor(2) of Linux 7.0 has it. At most one is attached
 * to a file system.
 *
 * A monitor is owned by its file alone. The mount points to it (mp->monitor, RCU), it points to the
 * mount (m->sb), neither keeps the other: both pointers are set and cleared together under
 * monitors_lock, by the ioctl, by the file's last close and by the unmount. Code that has something
 * to tell finds the monitor in an RCU section; its memory is freed a grace period after the close.
 * So nobody waits for a reader, and an unmount neither.
 *
 * What is told is written to a ring of XFS_MONITOR_EVENTS events (32 KiB), allocated with the
 * monitor: nothing is allocated where damage is met. What finds the ring full is counted, and an
 * event LOST takes the place behind those that were there as soon as one of them is read.
 */
#pragma once

#include "fs/xfs/buf/mount.h"

/* The hook of xfs_health_watch(); CTX: the struct xfs_mount. */
void xfs_monitor_tell(void *ctx, const struct xfs_mark_event *ev);
/*
 * XFS_IOC_HEALTH_MONITOR on the root directory, by who has CAP_SYS_ADMIN of the machine: a new
 * descriptor. -ENOTTY: CMD is another call; -EPERM, -EFAULT, -EINVAL, -ENOMEM, -EEXIST.
 */
long xfs_monitor_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
/* The mount ends, and has no files: readers are told so, and then that there is no more. */
void xfs_monitor_unmount(struct xfs_mount *mp);
