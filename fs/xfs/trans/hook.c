// SPDX-License-Identifier: MIT
/*
 * Who is told of changes of names (hook.h). An operation that began before a check and sees no
 * watcher has its inodes locked until it is done, so that the check finds them as it left them.
 */
#include "fs/xfs/trans/hook.h"

void xfs_name_watch(struct xfs_mount *mp, struct xfs_name_watch *w)
{
	spin_lock(&mp->names_lock);
	list_add_tail(&w->list, &mp->names_watchers);
	WRITE_ONCE(mp->names_watched, mp->names_watched + 1);
	spin_unlock(&mp->names_lock);
}

void xfs_name_unwatch(struct xfs_mount *mp, struct xfs_name_watch *w)
{
	spin_lock(&mp->names_lock);
	list_del(&w->list);
	WRITE_ONCE(mp->names_watched, mp->names_watched - 1);
	spin_unlock(&mp->names_lock);
}

void xfs_name_tell(struct xfs_mount *mp, const struct xfs_name_change *c)
{
	struct xfs_name_watch *w;

	spin_lock(&mp->names_lock);
	list_for_each_entry(w, &mp->names_watchers, list)
		w->fn(w, c);
	spin_unlock(&mp->names_lock);
}
