/* SPDX-License-Identifier: MIT */
/* The FPU area of a task, shared by the switch, signals and ptrace. */
#pragma once

#include <lib/types.h>

struct task;

struct arch_fpu {
	u64 v[32];		/* %f0, %f2 .. %f62 */
	u64 fsr, gsr, fprs;
};
static_assert(offsetof(struct arch_fpu, fsr) == 256, "fpu.S");

#define FPU_NO_CPU 0xffffffffU

void sparc_fpu_switch(struct task *prev, struct task *next);
/* Writes the running task's registers into its area. */
void sparc_fpu_sync(void);
/* The area of a stopped or the running task was changed: registers anywhere are stale. */
void sparc_fpu_changed(struct task *task);
