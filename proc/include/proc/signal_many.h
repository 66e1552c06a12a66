/* SPDX-License-Identifier: MIT */
/* What a signal does to many threads: see signal_many.c. siglock held, but where it says otherwise. */
#pragma once

#include <lib/types.h>
#include <proc/signal.h>

/* Does T take SIG now? (signal.c) */
bool wants_signal(int sig, struct task *t);
/* T takes SIG, which was sent to P or its process: it is woken, or all of them end. (signal.c) */
void signal_chosen(int sig, struct task *p, struct task *t);

/* A thread of P's process, which has many, that takes SIG; or NULL, and one is sought by and by. */
struct task *choose_of_many(int sig, struct task *p);
/* Signals of MASK that are pending for the process of S get threads that take them by and by. */
void seek_receivers(struct signal_struct *s, u64 mask);
/* Those threads of S that are stopped go on; where they are many, the rest by and by. */
void continue_threads(struct signal_struct *s);
/* T, a new thread of the running task's process, stops with the others. */
void thread_joins_stop(struct task *t);
