/* SPDX-License-Identifier: MIT */
/*
 * Vector and floating-point registers: each user task owns an area sized by the CPU's features; it is saved whenever the
 * task leaves the CPU and loaded before it returns to user mode. Kernel threads have none. No lazy trap.
 */
#pragma once

#include <lib/types.h>

struct task;

void arch_fpu_init_cpu(void);
/* CHILD gets a copy of the running task's registers, or none (kernel thread). 0, -ENOMEM. */
int arch_fpu_fork(struct task *child);
void arch_fpu_free(struct task *task);
/* The running task's registers become the ABI's initial ones. 0, -ENOMEM (first exec of a kernel thread). */
int arch_fpu_exec(void);
/* Between these the kernel may use vector registers: preemption is off. Not from hard interrupts. */
void kernel_fpu_begin(void);
void kernel_fpu_end(void);
