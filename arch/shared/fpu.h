/* SPDX-License-Identifier: MIT */
/*
 * Floating-point and vector registers. arch_cpu/fpu.h gives struct arch_fpu, a task's area, and
 *   FPU_SIZE, FPU_ALIGN: of an area;
 *   fpu_regs_init(): the registers of a CPU that starts;
 *   fpu_regs_save(task, fpu), fpu_regs_load(task, fpu): between the CPU and the area of TASK, which runs or is about to; interrupts are off;
 *   fpu_regs_initial(fpu): the area of a new program;
 *   fpu_kernel_on(), fpu_kernel_off(): the kernel may use the registers between these.
 * Where FPU_MORE is defined a task owns more than that: fpu_more_fork(child), 0 or -ENOMEM; fpu_more_free(task), which may have none;
 * fpu_more_exec(), false where this machine has no registers at all.
 */
#pragma once

#include <lib/types.h>

struct task;

#define FPU_NO_CPU 0xffffffffU

void fpu_switch(struct task *prev, struct task *next);
/* Writes the running task's registers into its area. */
void fpu_sync(void);
/* The area of a stopped or the running task was changed: registers anywhere are stale. Reloads for the running one. */
void fpu_changed(struct task *task);
