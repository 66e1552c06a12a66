/* SPDX-License-Identifier: MIT */
/* seccomp(2): what system calls a task may still make. */
#pragma once

#include <lib/types.h>

struct task;
struct pt_regs;
struct uptr;

/* Before a call: true when it is to be made; else the result stands in REGS, or the task ended. */
bool seccomp_allows(struct pt_regs *regs);
long seccomp_set_strict(void);
/* UPROG: struct sock_fprog of the caller. -EINVAL, -EACCES, -EFAULT, -ENOMEM; with TSYNC the number of a thread that cannot follow. */
long seccomp_set_filter(unsigned int flags, struct uptr uprog);
bool seccomp_knows_action(u32 action);
/* siglock held: a child starts with the filters of the running task. */
void seccomp_fork(struct task *child);
void seccomp_release(struct task *t);
/* How many filters T has. */
unsigned int seccomp_count(struct task *t);
