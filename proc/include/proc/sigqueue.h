/* SPDX-License-Identifier: MIT */
/* Queues of signals: see sigqueue.c. All under siglock. */
#pragma once

#include <lib/types.h>
#include <proc/proc_priv.h>
#include <proc/signal.h>

#define FLUSH_MOST 128U		/* signals that are thrown away in one critical section */

static inline struct sigpending *task_pending(struct task *t)
{
	return (struct sigpending *)&t->pending;
}

/* A signal to be queued for T, counted for T's user. NULL: over RLIMIT_SIGPENDING, or no memory. */
struct sigqueue *sigqueue_alloc(struct task *t, gfp_t gfp, bool override_limit);
struct siginfo *signal_owned_info(struct sigqueue *q);
void sigqueue_add(struct sigqueue *q, struct sigpending *p);
/* One SIG of P, which has it pending: its info, or, where nothing was queued, that of a plain one. */
void sigqueue_take(int sig, struct sigpending *p, struct siginfo *info);
/* At most MOST signals of MASK are pending no more; MOST is less by what they were. True: there are more. */
bool __must_check flush_mask_some(u64 mask, struct sigpending *p, unsigned int *most);
void flush_mask(u64 mask, struct sigpending *p);
