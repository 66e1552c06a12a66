/* SPDX-License-Identifier: MIT */
/* Signal frames of the user ABI, and the way back from them. */
#pragma once

#include <lib/types.h>
#include <arch/ptrace.h>

struct pt_regs;

struct arch_sigframe {
	int sig;
	unsigned long handler;
	unsigned long restorer;		/* SA_RESTORER */
	unsigned long flags;		/* SA_* */
	const void *info;		/* siginfo_t, the part that can hold anything: zeroes follow */
	size_t info_size;		/* at most 128 */
	u64 mask;			/* what rt_sigreturn puts back */
	unsigned long altstack_sp;	/* the task's sigaltstack as of now, for uc_stack and SA_ONSTACK */
	size_t altstack_size;
	int altstack_flags;
};

/* Builds the frame and points REGS at the handler. 0, -EFAULT (the stack cannot take it): the caller forces SIGSEGV. */
int arch_signal_setup(struct pt_regs *regs, const struct arch_sigframe *f);

struct arch_sigreturn {
	u64 mask;
	unsigned long altstack_sp;
	size_t altstack_size;
	int altstack_flags;
};
/* Takes the frame at the user's stack pointer back. 0 or -EFAULT (forces SIGSEGV). REGS then hold the whole context. */
int arch_signal_return(struct pt_regs *regs, struct arch_sigreturn *out);
/* Smallest alternate stack that can hold a frame (AT_MINSIGSTKSZ). */
size_t arch_signal_frame_size(void);

/* Does sigaltstack(2), which asks for MINSIGSTKSZ, take a stack of SIZE bytes? ARCH_ANY_SIGNAL_STACK: of any, frames are mostly shorter. */
static inline bool arch_signal_stack_fits(size_t size)
{
#ifdef ARCH_ANY_SIGNAL_STACK
	return true;
#else
	return size >= arch_signal_frame_size();
#endif
}
