/* SPDX-License-Identifier: MIT */
/* The time structures of the ABI, decoded once. All times in ns, saturated. */
#pragma once

#include <lib/minmax.h>
#include <lib/time.h>
#include <mm/uaccess.h>
#include <abi/errno.h>

struct user_timespec { s64 sec, nsec; };	/* struct __kernel_timespec */
struct user_timeval { s64 sec, usec; };		/* struct __kernel_old_timeval */

/* 0; -EFAULT; -EINVAL: negative or nsec out of range. */
static inline int get_timespec_ns(s64 *ns, struct uptr p)
{
	struct user_timespec u;
	struct timespec64 t;

	if (copy_from_user(&u, p, sizeof(u)))
		return -EFAULT;
	t = (struct timespec64){ u.sec, u.nsec };
	if (!timespec64_valid(&t))
		return -EINVAL;
	*ns = timespec64_to_ns(&t);
	return 0;
}

static inline int put_timespec_ns(s64 ns, struct uptr p)
{
	struct timespec64 t = ns_to_timespec64(ns);
	struct user_timespec u = { t.tv_sec, t.tv_nsec };

	return copy_to_user(p, &u, sizeof(u)) ? -EFAULT : 0;
}

static inline struct user_timeval ns_to_user_timeval(u64 ns)
{
	return (struct user_timeval){ (s64)(ns / NSEC_PER_SEC), (s64)(ns % NSEC_PER_SEC / NSEC_PER_USEC) };
}
