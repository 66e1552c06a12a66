/* SPDX-License-Identifier: MIT */
/* What the scheduler asks of the rooms above it. */
#pragma once

#include <lib/types.h>

struct task;

/* mm/: loads NEXT's tables, or lets NEXT borrow PREV's. Interrupts off. */
void mm_switch(struct task *prev, struct task *next);
/* mm/: PREV was the last of its kind on this CPU: drops what the switch left over. From finish_task_switch. */
void mm_switch_finish(struct task *prev);
/* mm/: the reference that a dead kernel thread or idle task held. */
void mm_drop_lazy(struct task *t);
/* proc/: a signal that kills is pending. */
bool fatal_signal_pending(const struct task *t);
/* proc/: a new kernel thread, not started yet; ERR_PTR(-ENOMEM). Its parent is kthreadd. */
struct task *kernel_thread_create(int (*fn)(void *), void *arg, const char *name);
/* proc/: the running kernel thread ends. */
void __noreturn kernel_thread_exit(long code);
/* proc/: the last reference to T is gone: releases credentials, pid, signal structures. */
void proc_task_free(struct task *t);
/* proc/: a pending-signal look after TIF_NOTIFY_SIGNAL or a task work was added. */
void signal_wake_up_state(struct task *t, unsigned int state);
/* proc/: CPU-time timers and limits, from the tick, interrupts off. */
void cpu_timers_tick(struct task *t);
/* proc/: calls FN for every thread, under RCU. */
void proc_for_each_task(void (*fn)(struct task *t, u64 arg), u64 arg);
