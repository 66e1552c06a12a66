// SPDX-License-Identifier: MIT
/* ptrace(2) at the edge: whom it is about. */
#include <lib/types.h>
#include <abi/syscalls.h>
#include <proc/pid.h>
#include <proc/ptrace.h>
#include <sched/task.h>
#include <abi/errno.h>
#include <linux/ptrace.h>

/* partial: ptrace: PTRACE_SINGLEBLOCK, seccomp filters of the tracee, PTRACE_O_SUSPEND_SECCOMP */
long sys_ptrace(long request, long pid, unsigned long addr, unsigned long data)
{
	struct task *t;
	long r;

	if (request == PTRACE_TRACEME)
		return ptrace_traceme();
	t = find_get_task_by_vpid((pid_t)pid);
	if (!t)
		return -ESRCH;
	if (request == PTRACE_ATTACH)
		r = ptrace_attach(t, request, 0);
	else if (request == PTRACE_SEIZE)
		r = addr || (data & ~(unsigned long)(PTRACE_O_MASK & ~PTRACE_O_SUSPEND_SECCOMP)) ? -EIO : ptrace_attach(t, request, data);
	else
		r = ptrace_request(t, request, addr, data);
	put_task_struct(t);
	return r;
}
