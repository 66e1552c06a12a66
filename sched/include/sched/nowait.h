/* SPDX-License-Identifier: MIT */
#ifndef SCHED_NOWAIT_H
#define SCHED_NOWAIT_H
/*
 * The debug build's check of calls that promise not to wait (IOCB_NOWAIT).
 *
 * Between nowait_begin() and nowait_end() the task reports each sleep: a wait for an event, for a
 * device, for a lock. What may wait within is what any use of memory may wait for, and what is held
 * for no longer than a copy takes: faults of user memory, the lock of a socket or a pipe and their
 * memory. Those are between nowait_pause() and nowait_resume(). All four are for the running task,
 * nest, and do nothing in the release build.
 */
#include <sched/task.h>

#ifdef CONFIG_DEBUG
/* The value goes to nowait_end() or nowait_resume(). */
static inline bool nowait_begin(bool nowait)
{
	bool was = current->nowait;

	current->nowait = was || nowait;
	return was;
}

static inline bool nowait_pause(void)
{
	bool was = current->nowait;

	current->nowait = false;
	return was;
}

static inline void nowait_end(bool was)
{
	current->nowait = was;
}
#else
static inline bool nowait_begin(bool nowait)
{
	(void)nowait;
	return false;
}

static inline bool nowait_pause(void)
{
	return false;
}

static inline void nowait_end(bool was)
{
	(void)was;
}
#endif
static inline void nowait_resume(bool was)
{
	nowait_end(was);
}

#endif
