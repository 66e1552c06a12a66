// SPDX-License-Identifier: MIT
#pragma once
/*
 * Poll: a file's poll operation returns its ready events at once and, when a table is given, puts
 * one callback wait entry on every wait queue that can change the answer. poll, select, epoll and
 * io_uring differ only in the table's _qproc.
 */
#include <lib/types.h>
#include <sched/wait.h>
#include <linux/poll.h>
#include <linux/eventpoll.h>

struct file;
struct poll_table_struct;

typedef void (*poll_queue_proc)(struct file *, wait_queue_head_t *, struct poll_table_struct *);

typedef struct poll_table_struct {
	poll_queue_proc	_qproc;		/* NULL: do not queue, only report */
	__poll_t	_key;		/* events the caller wants */
} poll_table;

#define DEFAULT_POLLMASK (EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLWRNORM)

static inline void poll_wait(struct file *filp, wait_queue_head_t *wq, poll_table *p)
{
	if (p && p->_qproc) {
		p->_qproc(filp, wq, p);
		/* Pairs with the barrier of the waker between its state change and the queue test. */
		smp_mb();
	}
}

static inline bool poll_does_not_wait(const poll_table *p)
{
	return !p || !p->_qproc;
}

static inline __poll_t poll_requested_events(const poll_table *p)
{
	return p ? p->_key : ~(__poll_t)0;
}

static inline void init_poll_funcptr(poll_table *pt, poll_queue_proc qproc)
{
	pt->_qproc = qproc;
	pt->_key = ~(__poll_t)0;
}

/* Ready events of @file; files without a poll operation are always readable and writable. */
__poll_t vfs_poll(struct file *file, poll_table *pt);
bool file_can_poll(struct file *file);
