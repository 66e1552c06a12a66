/* SPDX-License-Identifier: MIT */
/* The threads of a process: see threads.c. */
#pragma once

#include <lib/types.h>
#include <proc/signal.h>

#define THREADS_MOST 64		/* threads of a process that are looked at in one critical section */

/* tasklist_lock write-held and siglock held. T, which nr_threads counts already, is the last of S; T is one of S no more. */
void thread_joins(struct signal_struct *s, struct task *t);
void thread_leaves(struct signal_struct *s, struct task *t);
/* siglock held: the first thread that came after STAMP (0: of all), the one that came after T; or NULL. */
struct task *thread_after(struct signal_struct *s, u64 stamp);
struct task *thread_next(struct task *t);
/* Takes the siglock of the process while it has a thread; NULL when it has none any more. */
struct sighand_struct *lock_threads(struct signal_struct *s, unsigned long *flags);
#ifdef __CHECKER__
#define lock_threads(s, flags) __acquires_unless_null(siglock, lock_threads(s, flags))
#endif
/*
 * Calls FN for each thread of S in batches under siglock. FN returns its cost, 1 for a few dozen instructions. Threads that join during the walk are visited,
 * threads that exit may be missed. May sleep; false when the running task was killed before the end.
 */
bool __must_check walk_threads(struct signal_struct *s, unsigned int (*fn)(struct task *t, void *arg), void *arg);
