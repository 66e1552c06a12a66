/* SPDX-License-Identifier: MIT */
/*
 * Plugs: a task that is about to submit many bios holds them back, so that adjacent ones become one
 * request and the device is told once. What is held goes to the disk when the plug is finished,
 * when the task goes to sleep (schedule() with a state that is not TASK_RUNNING: nothing that the
 * task could wait for stays behind), or when the plug is full (block/plug.c). A plug is on the
 * stack of its task and no other task looks at it; a second plug inside the first does nothing.
 * Preemption leaves it as it is. Starting and finishing do not sleep.
 */
#pragma once

#include <lib/list.h>
#include <kernel/bug.h>
#include <sched/task.h>

struct plug {
	struct list_head held;	/* t: block's requests, sorted */
	unsigned int count;	/* t: how many */
};

/* block/: sends what P, of the running task, holds back. Does not sleep; any state of the task. */
void block_unplug(struct plug *p);

static inline void plug_start(struct plug *p)
{
	INIT_LIST_HEAD(&p->held);
	p->count = 0;
	if (!current->plug)
		current->plug = p;
}

static inline void plug_finish(struct plug *p)
{
	if (current->plug != p)
		return;
	if (p->count)
		block_unplug(p);
	current->plug = NULL;
}
