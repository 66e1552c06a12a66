/* SPDX-License-Identifier: MIT */
/* The running task. Changes only inside the context switch, so a function may keep it. */
#pragma once

#include <arch/percpu.h>

struct task;
DECLARE_PER_CPU(struct task *, current_task);

#include <arch_cpu/current.h>		/* static struct task *get_current(void) */

#define current get_current()
