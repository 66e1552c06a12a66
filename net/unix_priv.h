/* SPDX-License-Identifier: MIT */
/* Between unix.c and unix_gc.c. Lock letters: (l) u->lock, (n) name_lock, (g) gc_lock, (c) constant. */
#pragma once

#include <lib/list.h>
#include <kernel/refcount.h>
#include <kernel/spinlock.h>
#include <net/socket.h>
#include <proc/cred.h>
#include <sched/mutex.h>
#include <sched/wait.h>
#include <vfs/fs.h>
#include <vfs/namei.h>
#include <linux/un.h>

enum { UNIX_CLOSED, UNIX_LISTEN, UNIX_CONNECTED };

struct unix_addr {
	refcount_t refs;
	int len;
	struct sockaddr_un name;
};

/* Descriptors under way in one message. */
struct unix_fds {
	struct user_struct *user;
	unsigned int count;
	bool attached;		/* counted in inflight */
	struct list_head all;
	struct file *file[SCM_MAX_FD];
};

struct unix_sock {
	refcount_t refs;
	int type;			/* c */
	spinlock_t lock;
	int state;			/* l */
	struct unix_sock *peer;		/* l: referenced */
	struct unix_addr *addr;		/* set once, release */
	struct path path;		/* set before addr */
	struct hlist_node name_node;	/* n */
	struct mutex io_lock;		/* readers of one stream */
	struct list_head queue;		/* l: struct unix_msg */
	size_t bytes;			/* l: unread */
	unsigned int queued;		/* l: datagrams or connections */
	unsigned int backlog;		/* l */
	struct list_head accept_link;
	wait_queue_head_t wait;		/* readers, and writers of ours */
	wait_queue_head_t peer_wait;	/* who waits to send to us or connect */
	atomic_t wmem;			/* bytes of ours that others have not read */
	int sndbuf, rcvbuf, rcvlowat;
	long rcvtimeo, sndtimeo;	/* jiffies */
	int shut;			/* l: 1 no more reading, 2 no more writing */
	int err;			/* positive errno, atomic */
	bool dead, passcred, reuse, keepalive, broadcast;
	struct pid *peer_pid;
	kuid_t peer_uid, uid;
	kgid_t peer_gid;
	struct list_head track;		/* g: all sockets */
	struct file *file;		/* g: set while a message carries it */
	int inflight, scan;		/* g: how often our file is under way; the collector's count */
	bool candidate, reached;	/* g */
};

struct unix_msg {
	struct list_head list;		/* receiver's l */
	struct unix_sock *from;		/* referenced */
	struct unix_sock *embryo;	/* a connection to accept instead of data */
	struct unix_fds *fds;
	struct pid *pid;
	kuid_t uid;
	kgid_t gid;
	size_t len, off, truesize;
	u8 data[];
};

void unix_put(struct unix_sock *u);
void unix_release_sock(struct unix_sock *u, bool embryo);
void unix_track(struct unix_sock *u);
void unix_untrack(struct unix_sock *u);
void unix_fds_attach(struct unix_fds *f);
void unix_fds_free(struct unix_fds *f);
/* Something was closed: look for cycles if descriptors are under way. */
void unix_gc_poke(void);
