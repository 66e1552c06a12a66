// SPDX-License-Identifier: MIT
/*
 * Signal frames of the sparc64 ABI are not there yet: a handler cannot be run, which ends the program as a stack that cannot take a
 * frame does. Signals that are ignored, that stop, go on or kill need none.
 */
#include <arch/signal.h>
#include <arch/ptrace.h>
#include <abi/errno.h>
#include <kernel/printk.h>
#include <sched/task.h>

int arch_signal_setup(struct pt_regs *regs, const struct arch_sigframe *f)
{
	static bool said;

	if (!__atomic_exchange_n(&said, true, __ATOMIC_RELAXED))
		pr_warn("signal: handlers do not run on this CPU yet (%s, signal %d)\n", current->comm, f->sig);
	return -EFAULT;
}

int arch_signal_return(struct pt_regs *regs, struct arch_sigreturn *out)
{
	return -EFAULT;
}

size_t arch_signal_frame_size(void)
{
	return 4096;		/* the ABI's MINSIGSTKSZ; not a page */
}
