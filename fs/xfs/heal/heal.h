/* SPDX-License-Identifier: MIT */
/*
 * Repairs by the kernel's own thread: damage that is met at work is repaired with nobody asking
 * for it.
 *
 * The mount options `heal` and `noheal` decide, else the attribute trusted.xfs:autofsck of the
 * root directory, which switches it on where its value is "repair". Only a mount that writes is
 * healed. Each such mount has one thread, xfs-heal/DEV of the policy SCHED_IDLE, which sleeps
 * without a timer while there is nothing to do.
 *
 * The thread works through marks (health/), not through events: an object whose mark is new is in
 * a queue of the health, in which it is as long as it is to be tried. It takes one object at a
 * time: AGs first, then inodes, then the file system's sums; of each the sick parts by their bits,
 * in which headers come before trees, and a core before its forks. Each part is one call of scrub
 * with repair, the ioctl's own; the complete check after it takes the mark away. Three failures of
 * a part end the trying until a check clears its mark, or a remount. What is busy, or found no
 * memory, is tried again after a delay that doubles, as what failed is.
 *
 * What only a check found (CORRUPT, by online scrub) is not queued: whoever asked for the check
 * knows of it, and decides about a repair by the flag of the same call; xfs_scrub does. It is
 * repaired here when a reader or writer meets it. A copy of the superblock has no reader, and is
 * written over by a change of the label.
 *
 * While a health monitor is open, each mark is left to its reader for five seconds.
 *
 * Lock order: s_umount > control > the thread's end. Whoever holds s_umount waits for the thread.
 * So the thread takes s_umount, mp->repairs and the freeze protection only by trying, and holds
 * none of them while it waits. An attribute is set with the root's i_rwsem held, for which the
 * thread may wait: that changes a flag, and leaves the thread's start to a work item.
 *
 * The log, each line behind "XFS (DEV): ", with kinds as xfs_io's command scrub spells them:
 *
 * - found: AG 2 bnobt
 *
 * - found: inode 131 bmapbtd (/dir/file)
 *
 * - repaired: AG 2 bnobt (4 ms)
 *
 * - not repaired: AG 2 rmapbt: errno 95
 *
 * - cannot be repaired yet: AG 2 rmapbt (behind errno 95: it is not tried again)
 *
 * - given up: AG 2 bnobt after 3 tries
 *
 * A path is by parent pointers, and left out where there are none, or it is long; bytes that are no
 * printable ASCII are written as \ooo.
 */
#pragma once

#include "fs/xfs/buf/mount.h"

enum xfs_heal_option { XFS_HEAL_BY_ATTR, XFS_HEAL_YES, XFS_HEAL_NO };

/* MP is mounted: reads the attribute. RO: it does not write. s_umount is held. -ENOMEM. */
int __must_check xfs_heal_begin(struct xfs_mount *mp, enum xfs_heal_option option, bool ro);
/*
 * No object is in work any more, and none is begun until xfs_heal_go_on(), which also forgets
 * failures. s_umount is held for writing.
 */
void xfs_heal_pause(struct xfs_mount *mp);
void xfs_heal_go_on(struct xfs_mount *mp, enum xfs_heal_option option, bool ro);
/* The mount ends: the thread with it. No effect where it did not begin. */
void xfs_heal_end(struct xfs_mount *mp);
/* What was given; in /proc/mounts. */
enum xfs_heal_option xfs_heal_option_of(const struct xfs_mount *mp);
/* A part of the hook of xfs_health_watch(): wakes the thread; does not sleep. */
void xfs_heal_tell(struct xfs_mount *mp, const struct xfs_mark_event *ev);
/* The root's attribute became VALUE (SIZE bytes), or went (NULL). Does not wait for the thread. */
void xfs_heal_attr(struct xfs_mount *mp, const void *value, size_t size);

/* /sys/fs/xfs/DEV/heal and heal_stats: their text (show_fn). */
ssize_t xfs_heal_show(struct xfs_mount *mp, char *buf, size_t size);
ssize_t xfs_heal_show_stats(struct xfs_mount *mp, char *buf, size_t size);
