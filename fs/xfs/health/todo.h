/* SPDX-License-Identifier: MIT */
/*
 * What is to be repaired by the kernel's own thread (heal/): queues of marks. An object that has
 * parts that were met at work and are not given up is in one of them, or in work, while the health
 * is healing; else none is queued, and marking costs a test.
 *
 * NEW: marks that nobody has looked at; RIPE: to be taken now; LATER: to be tried again when a
 * delay has passed, or when another part of the object is met. Failures of each part are counted in
 * the marks, and forgotten when a complete check takes the part's mark away.
 *
 * Nothing here sleeps; no function looks at more than one object.
 */
#pragma once

#include "fs/xfs/health/health.h"

#define XFS_TODO_TRIES 3u		/* failures of a part, then it is given up */

/* How a try of a part ended. NEVER: there is no such repair. */
enum xfs_tried { XFS_TRIED_BUSY, XFS_TRIED_FAILED, XFS_TRIED_NEVER };

/* From now on marks are queued; or no more. What was marked before: xfs_todo_again_*(). */
void xfs_todo_heal(struct xfs_health *h, bool healing);
/*
 * The failures of the file system, of an AG, of the first inode from *INO on (which becomes its
 * number; false: there is none) are forgotten, and it is queued as NEW.
 */
void xfs_todo_again_fs(struct xfs_health *h);
void xfs_todo_again_ag(struct xfs_health *h, const struct xfs_ag_marks *ag);
bool xfs_todo_again_ino(struct xfs_health *h, u64 *ino);

bool xfs_todo_has(const struct xfs_health *h, enum xfs_todo queue);
/* All of FROM go behind those of TO. */
void xfs_todo_move(struct xfs_health *h, enum xfs_todo from, enum xfs_todo to);
/*
 * The first of RIPE, AGs first, then inodes: it is in no queue any more. obj->mask: the parts that
 * are to be tried. False: there is none.
 */
bool xfs_todo_take(struct xfs_health *h, struct xfs_sick *obj);
/* Is part BIT of OBJ still to be tried? AG: OBJ's, in all three: of the file system unused. */
bool xfs_todo_wants(struct xfs_health *h, const struct xfs_ag_marks *ag, const struct xfs_sick *obj,
		    u32 bit);
/* It is said that part BIT is damaged. False: it was said before, or the mark is gone. */
bool xfs_todo_say(struct xfs_health *h, const struct xfs_ag_marks *ag, const struct xfs_sick *obj,
		  u32 bit);
/*
 * A try of part BIT of OBJ did not repair it: it comes to LATER, or is given up. Its failures, at
 * most XFS_TODO_TRIES; 0: its mark is gone, or it was BUSY.
 */
u32 xfs_todo_tried(struct xfs_health *h, const struct xfs_ag_marks *ag, const struct xfs_sick *obj,
		   u32 bit, enum xfs_tried how);

/* ---- between the files of this part ---- */

/* An inode that is sick, or was. */
struct xfs_known {
	struct rb_node node;
	u64 ino;
	u32 gen;
	struct xfs_marks marks;
};

void xfs_todo_init(struct xfs_health *h);
/* h->lock is held. The first from INO on; NULL. */
struct xfs_known *xfs_known_from_locked(struct xfs_health *h, u64 ino);
/* Parts of M, OBJ's, were met; MASK of it is healthy. */
void xfs_todo_met_locked(struct xfs_health *h, struct xfs_marks *m, const struct xfs_sick *obj);
void xfs_todo_healthy_locked(struct xfs_health *h, struct xfs_marks *m, u32 mask);
