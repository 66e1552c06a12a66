/* SPDX-License-Identifier: MIT */
/*
 * Deferred work that is pending for an AG: from when it is queued until it was done, or forgotten.
 * In between its trees may disagree, also while none of its headers is locked: a file has lost
 * blocks that are not free yet. Who compares the trees locks the headers and sees that nothing is
 * pending; else it unlocks them and waits for that (xfs_fs.drained).
 *
 * It costs two atomic additions for each piece of work, to a word of its AG.
 */
#pragma once

#include "fs/xfs/tx/tx.h"

/* Embedded in a piece of work; zeroes: it counts nowhere. */
struct xfs_pending {
	struct xfs_fs *fs;
	struct xfs_ag *ag;
};

/* P counts for the AG of block FSB, which may be any number. Before the queuing commits. */
void xfs_pending_begin(struct xfs_pending *p, struct xfs_fs *fs, u64 fsb);
/* No more: while the headers that the work changed are locked. */
void xfs_pending_end(struct xfs_pending *p);
/* Is nothing pending? The AG's headers are locked, so that what is queued elsewhere waits. */
static inline bool xfs_ag_drained(const struct xfs_ag *ag)
{
	return !__atomic_load_n(&ag->pending, __ATOMIC_ACQUIRE);
}
