/* SPDX-License-Identifier: MIT */
#pragma once

#define ARCH_HAS_PRCTL

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
	unsigned long tls;		/* TPIDR_EL0, valid while it does not run */
	struct arch_fpu *fpu;		/* NULL: kernel thread */
	unsigned int fpu_cpu;		/* CPU whose registers hold the same as *fpu, if that CPU's owner says so too */
	unsigned long fault_address;	/* of the last fault that became a signal: for the frame */
	unsigned long fault_code;	/* its ESR */
	bool single_step;
	struct a64_debug *debug;	/* NULL: no breakpoint or watchpoint was ever set */
};
