/* SPDX-License-Identifier: MIT */
#pragma once

#include <lib/types.h>

/* See <arch_cpu/preempt.h>. */
struct arch_preempt {
	union {
		struct {
			volatile u32 count;
			volatile u32 no_resched;		/* 0: a reschedule is wanted */
		};
		volatile u64 both;
	};
};
#define TASK_PREEMPT_OFFSET 16		/* of thread.preempt in struct task; sched_switch.c checks it */

struct arch_fpu;

struct arch_thread {
	struct arch_preempt preempt;	/* of the CPU while the task runs; first: see above */
	unsigned long sp;		/* kernel stack pointer while it does not run: callee-saved registers lie there */
	unsigned long unique;		/* the thread pointer while it does not run: PALcode holds it else */
	struct arch_fpu *fpu;		/* NULL: kernel thread */
	unsigned int fpu_cpu;		/* CPU whose registers hold the same as *fpu, if that CPU's owner says so too */
};

/* What __switch_stacks leaves on the stack of a task that does not run: $9..$15, $26. */
struct switch_frame {
	unsigned long s[7], ra;
};
