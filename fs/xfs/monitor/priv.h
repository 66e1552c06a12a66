/* SPDX-License-Identifier: MIT */
/* Between the files of this part. */
#pragma once

#include "fs/xfs/monitor/monitor.h"
#include <kernel/rcu.h>
#include <kernel/spinlock.h>
#include <sched/mutex.h>
#include <sched/wait.h>

enum xfs_event_domain {
	XFS_EVENT_MOUNT = 0,
	XFS_EVENT_FS = XFS_DOMAIN_FS,
	XFS_EVENT_AG = XFS_DOMAIN_AG,
	XFS_EVENT_INODE = XFS_DOMAIN_INO,
};

enum xfs_event_type {
	XFS_EVENT_RUNNING = 0,
	XFS_EVENT_LOST = 1,
	XFS_EVENT_UNMOUNT = 2,
	XFS_EVENT_SICK = 3,
	XFS_EVENT_CORRUPT = 4,
	XFS_EVENT_HEALTHY = 5,
	XFS_EVENT_SHUTDOWN = 6,
};

/* What users read: struct xfs_health_monitor_event of Linux. */
struct xfs_event {
	u32 domain, type;
	u64 time_ns;			/* of real time */
	union {
		struct {
			u64 count;
		} lost;
		struct {
			u32 mask;
		} fs;
		struct {
			u32 mask, gno;
		} group;
		struct {
			u32 mask, gen;
			u64 ino;
		} inode;
		struct {
			u32 reasons;	/* XFS_WHY_* */
		} shutdown;
		u64 room[4];
	};
	u64 pad[2];
};
_Static_assert(sizeof(struct xfs_event) == 64, "struct xfs_health_monitor_event");

#define XFS_MONITOR_EVENTS ((32u << 10) / sizeof(struct xfs_event))

/*
 * monitors_lock > m->lock > m->wait's lock, all spinning; m->reading is held while users' memory is
 * written.
 */
struct xfs_monitor {
	spinlock_t lock;
	u32 first, nr;			/* lock: events in the ring */
	bool verbose;			/* lock to set: marks that change nothing are told too */
	bool unmounted;			/* lock: UNMOUNT comes before the ring */
	bool dead;			/* lock to set: nothing is added any more */
	u64 unmount_ns;			/* lock */
	u64 lost_now;			/* lock: not in the ring, and not yet in an event LOST */
	u64 events, lost;		/* lock: all that were in the ring; all that were not */
	wait_queue_head_t wait;
	struct mutex reading;
	struct xfs_event part;		/* reading: an event of which a read took a part */
	u32 part_left;			/* reading to change: bytes of PART that are left */
	const struct super_block *sb;	/* monitors_lock; NULL: attached to none any more */
	dev_t dev;			/* c */
	struct rcu_head rcu;
	struct xfs_event ring[XFS_MONITOR_EVENTS];	/* lock */
};

/* ---- queue.c ---- */

/*
 * EV, whose time is now, is added, merged into the last one, or lost. An RCU section, or M's own.
 */
void xfs_monitor_push(struct xfs_monitor *m, struct xfs_event *ev);
/* The next event: false: there is none now. */
bool xfs_monitor_pop(struct xfs_monitor *m, struct xfs_event *ev);
/* Nothing comes after what is in the ring, and an event UNMOUNT before it. */
void xfs_monitor_finish(struct xfs_monitor *m);

/* ---- read.c ---- */

/* A descriptor of M, which it owns from now on; -errno: it does not. */
int xfs_monitor_open(struct xfs_monitor *m);

/* ---- attach.c ---- */

/* The request of XFS_IOC_HEALTH_MONITOR. */
struct xfs_monitor_req {
	u64 flags;
	u8 format, pad[23];
};
#define XFS_IOC_HEALTH_MONITOR _IOW('X', 68, struct xfs_monitor_req)
/* *VERBOSE: what a request at ARG asks for. 0, -EFAULT, -EINVAL. */
int xfs_monitor_request(struct uptr arg, bool *verbose);
/* One of MP that is not attached yet, with the event RUNNING. NULL: no memory. */
struct xfs_monitor *xfs_monitor_new(struct xfs_mount *mp, bool verbose);
/* M is told of MP from now on. -EEXIST: another one is. */
int __must_check xfs_monitor_attach(struct xfs_mount *mp, struct xfs_monitor *m);
/* M is attached to S. */
bool xfs_monitor_is_on(struct xfs_monitor *m, const struct super_block *s);
/* M is attached to nothing, and freed when nobody can see it any more. */
void xfs_monitor_close(struct xfs_monitor *m);
