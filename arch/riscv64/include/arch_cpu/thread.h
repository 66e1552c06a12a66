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

/* entry.S knows where the first four lie. */
struct arch_thread {
	struct arch_preempt preempt;	/* of the CPU while the task runs; first: see above */
	unsigned long percpu;		/* gp of the CPU that it runs on, for entry from user mode */
	unsigned long user_regs;	/* its struct pt_regs: where entry from user mode puts the stack pointer */
	unsigned long scratch;		/* for the first steps of entry */
	unsigned long sp;		/* kernel stack pointer while it does not run: callee-saved registers lie there */
	struct arch_fpu *fpu;		/* NULL: kernel thread */
	void *vector;			/* registers of the vector unit; NULL: never used */
	unsigned int fpu_cpu;		/* CPU whose registers hold the same as *fpu, if that CPU's owner says so too */
};
