// SPDX-License-Identifier: MIT
/* Priorities of input and output, as they are kept. proves: ioprio_set ioprio_get */
#include "t.h"

enum { PROCESS = 1, PGRP, USER };
#define PRIO(class, data) ((class) << 13 | (data))

static long set(int which, int who, int p)
{
	return syscall(SYS_ioprio_set, which, who, p);
}

static long get(int which, int who)
{
	return syscall(SYS_ioprio_get, which, who);
}

TEST(kept_and_inherited)
{
	pid_t pid;

	EQ(get(PROCESS, 0), 0);
	OK(set(PROCESS, 0, PRIO(2, 6)));
	EQ(get(PROCESS, 0), PRIO(2, 6));
	EQ(get(PROCESS, getpid()), PRIO(2, 6));
	pid = OK(fork());
	if (pid == 0) {
		EQ(get(PROCESS, 0), PRIO(2, 6));
		OK(set(PROCESS, 0, PRIO(3, 0)));
		EQ(get(PROCESS, getppid()), PRIO(2, 6));
		_exit(0);
	}
	CHECK(t_child_ok(pid));
	OK(setpgid(0, 0));
	EQ(get(PGRP, 0), PRIO(2, 6));
	OK(set(PGRP, getpgrp(), PRIO(1, 1)));
	EQ(get(PROCESS, 0), PRIO(1, 1));
}

TEST(errors)
{
	ERR(set(PROCESS, 0, PRIO(5, 0)), EINVAL);
	ERR(set(PROCESS, 0, PRIO(0, 1)), EINVAL);
	ERR(set(7, 0, PRIO(2, 0)), EINVAL);
	ERR(get(7, 0), EINVAL);
	ERR(set(PROCESS, 0x3fffffff, PRIO(2, 0)), ESRCH);
	ERR(get(PROCESS, 0x3fffffff), ESRCH);
	OK(setuid(1234));
	ERR(set(PROCESS, 0, PRIO(1, 0)), EPERM);
	OK(set(PROCESS, 0, PRIO(3, 0)));
	ERR(set(PROCESS, 1, PRIO(2, 0)), EPERM);
}
