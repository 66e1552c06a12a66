/* SPDX-License-Identifier: MIT */
/* wait(2) and getrusage(2) below the system-call edge. */
#pragma once

#include <lib/types.h>
#include <proc/pid.h>

struct signal_struct;

struct rusage_k {
	u64 utime_ns, stime_ns;
	unsigned long maxrss_pages, minflt, majflt, inblock, oublock, nvcsw, nivcsw;
};

enum { PROC_RUSAGE_SELF, PROC_RUSAGE_CHILDREN, PROC_RUSAGE_THREAD, PROC_RUSAGE_BOTH };
void proc_getrusage(struct task *t, int who, struct rusage_k *out);
/* User and system time of the whole process, dead threads included. */
void thread_group_cputime(struct task *t, u64 *utime_ns, u64 *stime_ns);

/* Guest time of all threads that it had, and has. */
u64 process_guest_time(const struct signal_struct *s);

struct wait_args {
	enum pid_type type;		/* PIDTYPE_MAX: any child */
	struct pid *pid;
	int options;			/* W*, __W* */
	bool want_rusage;
	/* out */
	int status, cause, info_status;
	pid_t info_pid;
	uid_t info_uid;
	struct rusage_k ru;
};

/* The child's number, 0 with WNOHANG, -ECHILD, -ERESTARTSYS. */
long do_wait(struct wait_args *a);
long kernel_wait_any(void);
/* vfork's parent and CLONE_CHILD_CLEARTID's waiters are told that the space is left (exit, exec). */
void mm_release(struct task *t);
