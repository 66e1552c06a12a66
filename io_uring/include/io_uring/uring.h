/* SPDX-License-Identifier: MIT */
/* io_uring(7): rings of requests and completions that programs share with the kernel. */
#pragma once

#include <kernel/time.h>
#include <lib/time.h>
#include <lib/types.h>
#include <linux/time.h>

struct file;
struct io_uring_params;
struct task;
struct uptr;

/*
 * A ring for ENTRIES requests. P is read and filled in; it has no errors but in what is done with
 * it. A descriptor, which the caller installs FILE under when P is with the user, or -errno.
 */
int uring_setup(u32 entries, struct io_uring_params *p, struct file **file);

/* T in ns, at most KTIME_MAX; below zero: -1. */
static inline ktime_t uring_ns(const struct __kernel_timespec *t)
{
	if (t->tv_sec < 0)
		return -1;
	if (t->tv_sec >= KTIME_MAX / NSEC_PER_SEC)
		return KTIME_MAX;
	return ktime_add_safe(t->tv_sec * NSEC_PER_SEC, t->tv_nsec);
}

/*
 * io_uring_enter(2): submits up to N requests, then waits for MIN events if FLAGS say so. FD: a
 * descriptor, or with IORING_ENTER_REGISTERED_RING an index. ARG, of SIZE bytes: how it waits, user
 * memory that is read when the requests are submitted. How many were submitted, or -errno.
 */
long uring_enter(unsigned int fd, u32 n, u32 min, u32 flags, struct uptr arg, size_t size);
long uring_register(unsigned int fd, unsigned int opcode, struct uptr arg, unsigned int nr);
