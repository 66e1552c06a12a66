/* SPDX-License-Identifier: MIT */
/* Between notify.c (who watches what), inotify.c (what a watcher reads) and dnotify.c (who gets a signal). Locks: [i] the inode's i_lock  [c] constant. */
#pragma once

#include <vfs/notify.h>
#include <kernel/refcount.h>

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
/* Inode locked: the events that anybody waits for. */
void watch_update_inode_mask(struct inode *inode);
/* Ends W: true for the one who did it. It is off its inode then and freed when nobody reads it any more. Does not sleep. */
bool watch_end(struct watch *w, bool tell);
