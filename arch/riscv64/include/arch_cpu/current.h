/* SPDX-License-Identifier: MIT */
/* tp holds the running task while the kernel runs: it moves with the task, so reading it is one safe step. */
#pragma once

static __always_inline struct task *get_current(void)
{
	struct task *t;

	__asm__("mv %0, tp" : "=r"(t));
	return t;
}
