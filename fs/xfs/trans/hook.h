/* SPDX-License-Identifier: MIT */
/*
 * Changes of names, told to checks that go on while the file system is used. A directory operation
 * tells of each entry that it added or removed, when it has committed and before it unlocks the
 * inodes that took part: a check that has an inode's li->lock has heard of all that happened to it.
 *
 * Without checks it costs one test of a word of the mount.
 */
#pragma once

#include "fs/xfs/buf/mount.h"

/* An entry of directory DIR for inode INO came (BY 1) or went (-1). */
struct xfs_name_change {
	u64 dir, ino;
	bool is_dir;			/* INO is a directory: its ".." changed as well */
	int by;
};

struct xfs_name_watch {
	struct list_head list;		/* mp->names_lock */
	/* With mp->names_lock held, which is what guards a watcher's data: it may not sleep. */
	void (*fn)(struct xfs_name_watch *w, const struct xfs_name_change *c);
};

void xfs_name_watch(struct xfs_mount *mp, struct xfs_name_watch *w);
/* FN does not run any more, nor will it. */
void xfs_name_unwatch(struct xfs_mount *mp, struct xfs_name_watch *w);
void xfs_name_tell(struct xfs_mount *mp, const struct xfs_name_change *c);

/* The locks of both inodes are held for writing. */
static inline void xfs_name_changed(struct xfs_mount *mp, u64 dir, u64 ino, bool is_dir, int by)
{
	if (unlikely(READ_ONCE(mp->names_watched)))
		xfs_name_tell(mp, &(struct xfs_name_change){ dir, ino, is_dir, by });
}
