/* SPDX-License-Identifier: MIT */
/* Between notify.c (who watches what) and inotify.c (what a watcher reads). Locks: [i] the inode's i_lock  [c] constant. */
#pragma once

#include <vfs/notify.h>
#include <kernel/refcount.h>

struct inotify;

struct watch {
	struct hlist_node link;		/* [i] inode->i_watches; RCU */
	struct inotify *group;		/* [c] referenced */
	struct inode *inode;		/* [c] referenced while it is linked */
	u32 mask;			/* [i] IN_* of events and IN_ONESHOT, IN_EXCL_UNLINK */
	int wd;				/* [c] */
	atomic_t dead;			/* whoever makes it 1 ends it */
	struct watch *reap_next;
	struct rcu_head rcu;
};

/* Inode locked: the events that anybody waits for. */
void watch_update_inode_mask(struct inode *inode);
/* Ends W: true for the one who did it. It is off its inode then and freed when nobody reads it any more. Does not sleep. */
bool watch_end(struct watch *w, bool tell);

/* inotify.c. RCU held; do not sleep. */
void inotify_queue(struct watch *w, u32 mask, u32 cookie, const struct qstr *name);
void inotify_forget(struct watch *w, bool tell);	/* its number is free again; TELL: IN_IGNORED */
void inotify_free_watch(struct watch *w);		/* nobody sees it any more */
