/* SPDX-License-Identifier: MIT */
/* Processes as files (pidfd_open(2)): a descriptor holds a struct pid, so it never comes to mean another process. */
#pragma once

#include <lib/types.h>

struct file;
struct pid;

/* An open file for PID. FLAGS: O_NONBLOCK, O_EXCL (PIDFD_THREAD: the thread, not its process). ERR_PTR. */
struct file *pidfs_file(struct pid *pid, unsigned int flags);
/* The pid of an open pidfd (borrowed) or NULL: not one. */
struct pid *pidfs_pid(const struct file *file);
/* Descriptor FD, or PIDFD_SELF_*: a reference to its pid, and the file's flags. ERR_PTR(-EBADF). */
struct pid *pidfd_get_pid(int fd, unsigned int *flags);
/* The same, or FD is a process's directory in /proc, which pidfd_send_signal(2) takes too. */
struct pid *pidfd_get_pid_or_dir(int fd, unsigned int *flags);
