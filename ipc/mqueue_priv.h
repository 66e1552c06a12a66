/* SPDX-License-Identifier: MIT */
/* POSIX message queues: what they are (mqueue.c), and where (mqueue_fs.c). */
#pragma once

#include <lib/list.h>
#include <ipc/mqueue.h>
#include <proc/cred.h>
#include <sched/mutex.h>
#include <sched/wait.h>
#include <vfs/file.h>
#include <linux/signal.h>

struct ipc_namespace;

struct mqueue {
	struct user_struct *user;	/* c: charged for the messages */
	unsigned long bytes;		/* c: what is paid */
	struct mutex lock;
	wait_queue_head_t wait;		/* pollers */
	/* lock: of struct mq_waiter, who is served first in front */
	struct list_head senders, receivers;
	long max_messages, max_size;	/* c */
	struct list_head messages;	/* lock: highest priority first */
	long count;			/* lock: messages */
	size_t used;			/* lock: bytes of text */
	struct pid *notify;		/* lock: whom to tell of a message in an empty queue */
	struct sigevent how;		/* lock */
	u64 exec_id;			/* lock: of the program that asked for it */
};

extern const struct file_operations mqueue_fops;

/* With what A asks for, or NULL: the defaults of NS; the caller pays. -EINVAL, -EMFILE, -ENOMEM. */
struct mqueue *mqueue_new(const struct ipc_namespace *ns, const struct mq_attr *a);
void mqueue_free(struct mqueue *q);
