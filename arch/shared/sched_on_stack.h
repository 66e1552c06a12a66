/* SPDX-License-Identifier: MIT */
#pragma once

#include <arch/page.h>
#include <sched/task.h>

extern char boot_stack[];

/* [A, A + LEN) lies on a stack that T may be on. */
static inline bool on_stack(unsigned long a, size_t len, const struct task *t)
{
	unsigned long lo = (unsigned long)t->stack;

	if (lo && a >= lo && a + len <= lo + THREAD_SIZE)
		return true;
	lo = (unsigned long)boot_stack;
	return a >= lo && a + len <= lo + THREAD_SIZE;
}
