/* SPDX-License-Identifier: MIT */
/* Replacing the running program (execve(2)). */
#pragma once

#include <lib/types.h>

/* argv and envp: arrays of pointers in user memory. 0: the task returns to user mode in the new program. */
int do_execveat(int dfd, struct uptr filename, struct uptr argv, struct uptr envp, int flags);
/* The first program, from the kernel: arrays end with NULL. 0 or -errno; nothing has changed on failure. */
int kernel_execve(const char *path, const char *const *argv, const char *const *envp);
