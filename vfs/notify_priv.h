/* SPDX-License-Identifier: MIT */
/* Between notify.c (who watches what), inotify.c (what a watcher reads) and dnotify.c (who gets a signal). Locks: [i] the inode's i_lock  [c] constant. */
#pragma once

#include <vfs/notify.h>
#include <kernel/refcount.h>
#include <lib/rbtree.h>

struct inotify;
struct watch;

/* Of a watch. RCU held; they do not sleep. */
struct watch_ops {
	/* It has happened: MASK has events of the watch. True: that used the watch up, it is to end. */
	bool (*tell)(struct watch *w, u32 mask, u32 cookie, const struct qstr *name);
	void (*forget)(struct watch *w, bool tell);	/* it ends; TELL: say so */
	void (*free)(struct watch *w);			/* nobody sees it any more */
};

/* A file got another name in the same directory: an event for dnotify alone, in a bit that no inotify watch keeps. */
#define NOTIFY_RENAME 0x10000000u

struct watch {
	struct hlist_node link;		/* [i] inode->i_watches; RCU */
	struct rb_node by_whom;		/* [i] inode->i_watchers */
	const void *whom, *also;	/* [c] who watches: an inotify instance; a file and its owner */
	const struct watch_ops *ops;	/* [c] */
	struct inotify *group;		/* [c] inotify: referenced */
	struct inode *inode;		/* [c] referenced while it is linked */
	u32 mask;			/* [i] IN_* of events, NOTIFY_RENAME, and IN_ONESHOT, IN_EXCL_UNLINK */
	int wd;				/* [c] inotify */
	atomic_t dead;			/* whoever makes it 1 ends it */
	struct watch *reap_next;
	struct rcu_head rcu;
};

/* Before a watch is added, with nothing locked: from now on events are told. */
void notify_begin(void);
/* Inode locked. W, which holds its inode, is on it from now on. */
void watch_add(struct watch *w);
/* Inode locked: who watches it as these, or NULL. It may have been used up, and is about to end: then watch_remove() makes room for another. */
struct watch *watch_find(const struct inode *inode, const void *whom, const void *also);
void watch_remove(struct watch *w);
/* Inode locked: the mask of W, which is on it, has changed. */
void watch_changed(struct watch *w);
/* Ends W: true for the one who did it. It is off its inode then and freed when nobody reads it any more. Does not sleep. */
bool watch_end(struct watch *w, bool tell);
