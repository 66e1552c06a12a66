/* SPDX-License-Identifier: MIT */
/* %g6 holds the running task while the kernel runs: it moves with the task, so reading it is one safe step. */
#pragma once

static __always_inline struct task *get_current(void)
{
	struct task *t;

	__asm__("mov %%g6, %0" : "=r"(t));
	return t;
}
