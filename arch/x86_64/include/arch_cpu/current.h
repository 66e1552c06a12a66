/* SPDX-License-Identifier: MIT */
#pragma once

static __always_inline struct task *get_current(void)
{
	struct task *t;

	__asm__("movq %%gs:%1, %0" : "=r"(t) : "m"(current_task));
	return t;
}
