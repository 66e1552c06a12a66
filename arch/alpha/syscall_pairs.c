// SPDX-License-Identifier: MIT
/* Calls of alpha's that no other CPU has: those with a second result in a4, and what OSF/1 asked for that is a constant here. */
#include <abi/syscalls.h>
#include <abi/errno.h>
#include <arch/ptrace.h>
#include <arch/switch.h>
#include <arch/syscall.h>
#include <sched/task.h>
#include <vfs/file.h>
#include <vfs/pipe.h>

#include "arch/alpha/alpha_priv.h"

static void set_second(unsigned long v)
{
	arch_syscall_set_second(task_pt_regs(current), v);
}

long sys_getxpid(void)
{
	set_second((unsigned long)sys_getppid());
	return sys_getpid();
}

long sys_getxuid(void)
{
	set_second((unsigned long)sys_geteuid());
	return sys_getuid();
}

long sys_getxgid(void)
{
	set_second((unsigned long)sys_getegid());
	return sys_getgid();
}

long sys_getpagesize(void)
{
	return PAGE_SIZE;
}

/* pipe(2) has no argument: the descriptors are the two results. */
long ret2_pipe(struct pt_regs *regs)
{
	struct file *files[2];
	int fd[2], err = do_pipe_flags(fd, files, 0);

	if (err)
		return err;
	fd_install((unsigned int)fd[0], files[0]);
	fd_install((unsigned int)fd[1], files[1]);
	arch_syscall_set_second(regs, (unsigned long)fd[1]);
	return fd[0];
}
