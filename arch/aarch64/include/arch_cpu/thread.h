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

#define THREAD_DEBUG 1		/* debug is there */
#define THREAD_SVE 2		/* uses SVE: registers beyond FPSIMD's are its own */
#define THREAD_SVE_ZERO 4	/* the same in a system call: they are zero, and gone with the next switch */
#define THREAD_SVE_ANY (THREAD_SVE | THREAD_SVE_ZERO)

struct arch_thread {
	struct arch_preempt preempt;	/* of the CPU while the task runs; first: see above */
	unsigned long sp;		/* kernel stack pointer while it does not run: callee-saved registers lie there */
	unsigned long tls;		/* TPIDR_EL0, valid while it does not run */
	struct arch_fpu *fpu;		/* NULL: kernel thread */
	unsigned int fpu_cpu;		/* CPU whose registers hold the same as *fpu, if that CPU's owner says so too */
	unsigned long fault_address;	/* of the last fault that became a signal: for the frame */
	unsigned long fault_code;	/* its ESR */
	bool single_step;
	u8 extra;			/* THREAD_*: what the switch and system calls have to mind; 0 for nearly all */
	struct a64_debug *debug;	/* NULL: no breakpoint or watchpoint was ever set */
};
