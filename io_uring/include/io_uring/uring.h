/* SPDX-License-Identifier: MIT */
/* io_uring(7): rings of requests and completions that programs share with the kernel. */
#pragma once

#include <kernel/time.h>
#include <lib/types.h>

struct file;
struct io_uring_params;
struct task;
struct uptr;

/*
 * A ring for ENTRIES requests. P is read and filled in; it has no errors but in what is done with
 * it. A descriptor, which the caller installs FILE under when P is with the user, or -errno.
 */
int uring_setup(u32 entries, struct io_uring_params *p, struct file **file);

/* What io_uring_enter(2) waits for. */
struct uring_waits {
	u32 min;		/* events */
	clockid_t clock;
	s64 until;		/* of the clock; KTIME_MAX: for ever */
	s64 min_until;  /* until then MIN, afterwards one is enough; 0: there is no such time */
};
/*
 * Submits up to N requests, then waits if FLAGS say so. FD: a descriptor, or with
 * IORING_ENTER_REGISTERED_RING an index. How many were submitted, or -errno.
 */
long uring_enter(unsigned int fd, u32 n, u32 flags, const struct uring_waits *w);
long uring_register(unsigned int fd, unsigned int opcode, struct uptr arg, unsigned int nr);
