/* SPDX-License-Identifier: MIT */
/* SP_EL0 holds the running task while the kernel runs: it moves with the task, so reading it is one safe step. */
#pragma once

static __always_inline struct task *get_current(void)
{
	struct task *t;

	__asm__("mrs %0, sp_el0" : "=r"(t));
	return t;
}
