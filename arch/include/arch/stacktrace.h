/* SPDX-License-Identifier: MIT */
/* Return addresses of a kernel stack, found by frame pointers; never follows one off the stacks it knows. */
#pragma once

#include <lib/types.h>

struct pt_regs;
struct task;

/* Calls FN with each address until it returns false. REGS NULL: from the caller. Current context. */
void arch_stack_walk(const struct pt_regs *regs, bool (*fn)(void *arg, unsigned long addr), void *arg);
/* Of a task that does not run. */
void arch_stack_walk_task(struct task *task, bool (*fn)(void *arg, unsigned long addr), void *arg);
/* Prints registers. */
void arch_show_regs(const struct pt_regs *regs);
