/* SPDX-License-Identifier: MIT */
/* A completion: waits for something that happens once (or a counted number of times). */
#pragma once

#include <sched/wait.h>

struct completion {
	unsigned int done;		/* wait.lock */
	wait_queue_head_t wait;
};

#define COMPLETION_INITIALIZER(n) { .done = 0, .wait = __WAIT_QUEUE_HEAD_INIT((n).wait) }
#define DECLARE_COMPLETION(n) struct completion n = COMPLETION_INITIALIZER(n)
#define DECLARE_COMPLETION_ONSTACK(n) DECLARE_COMPLETION(n)
#define init_completion(c) do { (c)->done = 0; init_waitqueue_head(&(c)->wait); } while (0)
#define reinit_completion(c) ((c)->done = 0)

void complete(struct completion *c);
void complete_all(struct completion *c);
void wait_for_completion(struct completion *c);
int __must_check wait_for_completion_interruptible(struct completion *c);	/* 0 or -ERESTARTSYS */
int __must_check wait_for_completion_killable(struct completion *c);
/* Jiffies left (at least 1), or 0. */
unsigned long wait_for_completion_timeout(struct completion *c, unsigned long timeout);
bool completion_done(struct completion *c);
