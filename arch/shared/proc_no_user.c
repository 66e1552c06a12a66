// SPDX-License-Identifier: MIT
/* This CPU's ABI has no user area beyond the register sets. */
#include <arch/ptrace.h>
#include <abi/errno.h>

int arch_peek_user(struct task *task, unsigned long off, unsigned long *val)
{
	return -EIO;
}

int arch_poke_user(struct task *task, unsigned long off, unsigned long val)
{
	return -EIO;
}
