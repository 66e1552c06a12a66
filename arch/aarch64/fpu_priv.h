/* SPDX-License-Identifier: MIT */
/* The FPU area of a task, shared by the switch, signals and ptrace. SVE and SME stay off: user mode does not see them. */
#pragma once

#include <asm/ptrace.h>

struct task;

struct arch_fpu {
	struct user_fpsimd_state v;
};

#define FPU_NO_CPU 0xffffffffU

void a64_fpu_save(struct user_fpsimd_state *regs);
void a64_fpu_load(const struct user_fpsimd_state *regs);
void a64_fpu_switch(struct task *prev, struct task *next);
/* Writes the running task's registers into its area. */
void a64_fpu_sync(void);
/* The area of a stopped or the running task was changed: registers anywhere are stale. */
void a64_fpu_changed(struct task *task);
