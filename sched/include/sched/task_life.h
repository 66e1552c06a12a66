/* SPDX-License-Identifier: MIT */
/* For proc/: the task structure's beginning and count. */
#pragma once

#include <sched/task.h>

/* A copy of FROM with a stack and scheduler state of its own, everything shared still to be sorted out by the caller.
 * NULL without memory. */
struct task *task_dup(const struct task *from);
/* Takes that back, before the task was ever visible. */
void task_dup_undo(struct task *t);
/* Those that were made and are not released yet: what threads-max bounds. */
int nr_tasks_alive(void);
/* One is released: it counts no more, whoever still refers to it. */
void task_uncount(void);
/* The last act of a dead task: never returns. */
void __noreturn sched_exit(void);
