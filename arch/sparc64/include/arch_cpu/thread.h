/* SPDX-License-Identifier: MIT */
#pragma once

#include <lib/types.h>

/* See <arch_cpu/preempt.h>. */
struct arch_preempt {
	union {
		struct {
			volatile u32 no_resched;		/* 0: a reschedule is wanted */
			volatile u32 count;			/* the low half */
		};
		volatile u64 both;
	};
};
#define TASK_PREEMPT_OFFSET 16		/* of thread.preempt in struct task; sched_switch.c checks it */

struct arch_fpu;

struct arch_window {
	u64 local[8], in[8];
};

/* A window of the program that did not fit any more while the kernel ran, and the stack it belongs to. */
struct arch_spilled {
	struct arch_window w;
	u64 sp;
};
#define ARCH_USER_WINDOWS 7

struct arch_thread {
	struct arch_preempt preempt;	/* of the CPU while the task runs; first: see above */
	unsigned long sp;		/* where the kernel's stack is used from while it does not run, without the bias; entry.S knows these three */
	struct arch_spilled *next_spilled;	/* behind the last of spilled; while the task runs the trap block has it */
	struct arch_window window;	/* of the program, to be loaded on the way to it, if the CPU's registers lost it */
	struct arch_spilled spilled[ARCH_USER_WINDOWS];
	struct arch_fpu *fpu;		/* NULL: kernel thread */
	unsigned int fpu_cpu;
};
