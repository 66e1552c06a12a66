/* SPDX-License-Identifier: MIT */
/* The floating-point area of a task, shared by the switch, signals and ptrace. */
#pragma once

#include <lib/types.h>

struct task;

struct arch_fpu {
	u64 f[31];		/* $f31 is zero */
	u64 fpcr;
};
static_assert(sizeof(struct arch_fpu) == 256, "fpu.S");

#define FPU_NO_CPU 0xffffffffU

void alpha_fpu_switch(struct task *prev, struct task *next);
/* Writes the running task's registers into its area. */
void alpha_fpu_sync(void);
/* The area of a stopped or the running task was changed: registers anywhere are stale. */
void alpha_fpu_changed(struct task *task);
