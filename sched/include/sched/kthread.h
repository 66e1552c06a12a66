/* SPDX-License-Identifier: MIT */
/* Kernel threads. */
#pragma once

#include <lib/types.h>
#include <lib/err.h>

struct task;
/* A thread that has not run yet; ERR_PTR(-ENOMEM). Its name is FMT. */
struct task *kthread_create(int (*fn)(void *data), void *data, const char *fmt, ...) __printf(3, 4);
struct task *kthread_run(int (*fn)(void *data), void *data, const char *fmt, ...) __printf(3, 4);
void kthread_bind(struct task *t, unsigned int cpu);	/* before its first run */
/* Asks the thread to end (kthread_should_stop() turns true), waits, and gives what its function returned. */
int kthread_stop(struct task *t);
bool kthread_should_stop(void);
