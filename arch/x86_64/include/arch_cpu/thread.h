/* SPDX-License-Identifier: MIT */
#pragma once

#include <lib/types.h>

struct arch_fpu;
struct guest_fpu;

/* Bits of DR7 that the CPU is given; the others are shown to a debugger that has set them. */
#define DR7_USED 0xffff03fful
#define THREAD_DEBUG 1UL	/* dr7 is not 0 */
#define THREAD_NO_TSC 2UL	/* reading the time stamp counter is SIGSEGV */

#define ARCH_LIMITS_TLS
#define ARCH_GUESTS		/* it can run guests: arch/fpu.h */

struct arch_thread {
	unsigned long sp;		/* kernel stack pointer while it does not run */
	unsigned long fsbase;		/* user FS and GS base, valid while it does not run */
	unsigned long gsbase;
	struct arch_fpu *fpu;		/* NULL: kernel thread; what a switch saves and loads */
	struct guest_fpu *guest_fpu;	/* whose area that is while it runs a guest; NULL: its own */
	unsigned int fpu_cpu;		/* CPU whose registers hold the same as *fpu, if that CPU's owner says so too */
	u16 fs, gs, ds, es;		/* user selectors */
	unsigned long cr2;		/* of the last fault that became a signal: for the frame */
	unsigned long trap_nr;
	unsigned long error_code;
	unsigned long debugreg[4];	/* ptrace watchpoints */
	unsigned long dr6, dr7;
	unsigned long rare;		/* THREAD_*: what a switch looks at only where one of the two tasks has it */
};
