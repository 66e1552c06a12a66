/* SPDX-License-Identifier: MIT */
#pragma once

#include <arch/page.h>
#include <mm/uaccess.h>
#include <proc/wait.h>
#include <syscall/time_user.h>
#include <linux/resource.h>

static inline int put_rusage(const struct rusage_k *k, struct uptr p)
{
	struct user_timeval u = ns_to_user_timeval(k->utime_ns), s = ns_to_user_timeval(k->stime_ns);
	struct rusage r = {
		.ru_utime = { u.sec, u.usec }, .ru_stime = { s.sec, s.usec }, .ru_maxrss = (long)(k->maxrss_pages * (PAGE_SIZE >> 10)),
		.ru_minflt = (long)k->minflt, .ru_majflt = (long)k->majflt, .ru_inblock = (long)k->inblock,
		.ru_oublock = (long)k->oublock, .ru_nvcsw = (long)k->nvcsw, .ru_nivcsw = (long)k->nivcsw,
	};

	return copy_to_user(p, &r, sizeof(r)) ? -EFAULT : 0;
}
