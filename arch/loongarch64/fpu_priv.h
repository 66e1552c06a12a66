/* SPDX-License-Identifier: MIT */
/*
 * The FPU area of a task, shared by the switch, signals and ptrace. A program begins with the floating-point registers; the first
 * instruction on 128 or 256 bits traps and widens what the task owns from then on.
 */
#pragma once

#include <lib/types.h>

struct task;

enum fpu_width { FPU_NONE, FPU_64, FPU_128, FPU_256 };

struct arch_fpu {
	u64 v[32][4];
	u64 fcc;		/* a byte for each condition flag */
	u32 fcsr;
	u32 width;		/* enum fpu_width: what is saved and loaded; what lies above is zero */
};
static_assert(offsetof(struct arch_fpu, fcc) == 1024 && offsetof(struct arch_fpu, fcsr) == 1032, "fpu.S");

#define FPU_NO_CPU 0xffffffffU

void la64_fpu_switch(struct task *prev, struct task *next);
/* Writes the running task's registers into its area. */
void la64_fpu_sync(void);
/* The area of a stopped or the running task was changed: registers anywhere are stale. */
void la64_fpu_changed(struct task *task);
/* The running task may use WIDTH from now on. False: this CPU has no such registers, or the task none at all. */
bool la64_fpu_widen(enum fpu_width width);
