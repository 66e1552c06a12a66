/* SPDX-License-Identifier: MIT */
/* Between the files of this part. */
#pragma once

#include "fs/xfs/heal/heal.h"
#include "fs/xfs/health/todo.h"
#include <kernel/printk.h>
#include <kernel/rcu.h>
#include <kernel/spinlock.h>
#include <sched/mutex.h>
#include <sched/wait.h>

/* s_umount > control; LOCK is held for a copy. */
struct xfs_heal {
	struct xfs_mount *mp;		/* c */
	struct mutex control;
	struct task *thread;		/* control; NULL: there is none */
	bool paused, ro, attr;		/* control */
	enum xfs_heal_option option;	/* control to set */
	bool told_rmap;			/* control: that the reverse map is missing */
	bool on;			/* control to set */
	wait_queue_head_t wait;
	spinlock_t lock;
	struct xfs_sick work;		/* lock: in work, mask: one part; 0: nothing is */
	u64 found, repaired, failed;	/* lock */
	/* The thread's. */
	unsigned long delay, due;	/* jiffies; DUE is valid while LATER has objects */
	bool is_due;
	struct ratelimit rl;
	struct rcu_head rcu;
};

/* thread.c: DATA: a struct xfs_heal. Runs until kthread_stop(). */
int xfs_heal_thread(void *data);

/* name.c */
#define XFS_HEAL_PATH 600		/* bytes of a path in the log, with the NUL */
/*
 * The path of inode INO from the root by parent pointers, in BUF (XFS_HEAL_PATH bytes); NULL: it
 * cannot be said. No lock of metadata is held. Tells nobody of damage in parent pointers.
 */
const char *xfs_heal_path(struct xfs_mount *mp, u64 ino, char *buf);
