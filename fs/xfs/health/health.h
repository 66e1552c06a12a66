/* SPDX-License-Identifier: MIT */
/*
 * What is known of the health of a mounted file system: marks of the file system, of its AGs, of
 * its inodes. A mark stays until a complete check of the object has found nothing, or the unmount.
 *
 * The words of the file system and of AGs are embedded in them (marks.h). An inode's object comes
 * and goes, and one whose record is damaged never comes: the words of those that are sick are
 * kept here by number, in the order of AGs, whether they are in memory or not. Healthy ones have
 * none. Memory for them is taken without waiting, and is at most a small share of all; where there
 * is none, the AG's bit XFS_SICK_AG_INODES says that some inode is sick.
 *
 * This room knows neither buffers nor inodes. Nothing here sleeps but xfs_health_watch() and
 * xfs_health_destroy(). lock (spinning) is held for one look-up at most; a healthy file system
 * never takes it.
 */
#pragma once

#include "fs/xfs/health/marks.h"
#include <kernel/spinlock.h>
#include <lib/rbtree.h>

/*
 * What happened: the damage was met at work; a check found it; a complete check found nothing. The
 * last is no mark, and is only told: the file system was shut down.
 */
enum xfs_mark { XFS_MARK_SICK, XFS_MARK_CORRUPT, XFS_MARK_HEALTHY, XFS_TOLD_DOWN };

/* A change: of OBJ's parts OBJ.mask, of which those in WAS were sick before. */
struct xfs_mark_event {
	enum xfs_mark what;
	struct xfs_sick obj;	/* of XFS_TOLD_DOWN the mask alone: XFS_WHY_* */
	u32 was;
};

/* Queues of repairs (todo.h), each of AGs, of inodes and of the file system. */
enum xfs_todo { XFS_TODO_NEW, XFS_TODO_RIPE, XFS_TODO_LATER, XFS_TODOS };
#define XFS_TODO_DOMAINS 3

struct xfs_health {
	spinlock_t lock;
	bool healing;			/* lock to set: marks of damage that was met are queued */
	struct list_head todo[XFS_TODOS][XFS_TODO_DOMAINS];	/* lock */
	struct xfs_marks fs;		/* lock */
	struct rb_root inodes;		/* lock: by number */
	u32 nr_inodes, most_inodes;	/* lock; c */
	/*
	 * RCU; NULL: nobody. Told of each mark after it is set, and of the shutdown, in any context
	 * that may hold sleeping locks of metadata: it may not sleep.
	 */
	void (*hook)(void *ctx, const struct xfs_mark_event *ev);
	void *hook_ctx;			/* set before HOOK */
};

/* The words of an AG. */
struct xfs_ag_marks {
	u32 agno;
	struct xfs_marks *marks;
};

void xfs_health_init(struct xfs_health *health);
/* Nobody uses it any more: forgets all inodes. Sleeps. */
void xfs_health_destroy(struct xfs_health *h);
/* HOOK takes the place of the one before, which has returned; NULL: of none. Sleeps. */
void xfs_health_watch(struct xfs_health *h,
		      void (*hook)(void *ctx, const struct xfs_mark_event *ev), void *ctx);

/*
 * Marks parts MASK, at least one. SICK sets them as sick; CORRUPT also as checked; HEALTHY takes
 * sick away and sets checked. AG: the words of AG AGNO.
 */
void xfs_mark_fs(struct xfs_health *h, enum xfs_mark what, u32 mask);
void xfs_mark_ag(struct xfs_health *h, const struct xfs_ag_marks *ag, enum xfs_mark what, u32 mask);
/* AG: the one of inode INO, whose bit is set where there is no memory. */
void xfs_mark_ino(struct xfs_health *h, const struct xfs_ag_marks *ag, u64 ino, u32 gen,
		  enum xfs_mark what, u32 mask);
/* The file system was shut down, for REASONS (XFS_WHY_*). Nothing is marked. */
void xfs_health_down(struct xfs_health *h, u32 reasons);
/* INO was freed: what was said of it is not true of the next one of that number. */
void xfs_mark_ino_gone(struct xfs_health *h, u64 ino);

/* A copy of what M, of the file system or an AG, says. */
struct xfs_marks xfs_health_of(struct xfs_health *h, const struct xfs_marks *m);
/* Of inode INO; zeroes where it is not sick. */
struct xfs_marks xfs_health_of_ino(struct xfs_health *h, u64 ino);
/* The first inode with marks from INO on, and its generation: false: there is none. */
bool xfs_health_next_ino(struct xfs_health *h, u64 *ino, u32 *gen, struct xfs_marks *m);
