// SPDX-License-Identifier: MIT
/*
 * The first of all: a process can start, write, fork, wait and end. proves: fork wait4 exit_group
 * write getpid getppid
 */
#include "t.h"

TEST(process_ids)
{
	int p[2], got[2];
	pid_t pid;

	OK(pipe(p));
	pid = OK(fork());
	if (pid == 0) {
		int me[2] = { getpid(), getppid() };

		_exit(write(p[1], me, sizeof(me)) == sizeof(me) ? 0 : 1);
	}
	CHECK(t_child_ok(pid));
	EQ(read(p[0], got, sizeof(got)), sizeof(got));
	EQ(got[0], pid);
	EQ(got[1], getpid());
}

TEST(exit_status)
{
	pid_t pid = OK(fork());
	int status;

	if (pid == 0)
		_exit(42);
	status = t_wait(pid);
	CHECK(WIFEXITED(status));
	EQ(WEXITSTATUS(status), 42);
}

TEST(killed_by_signal)
{
	pid_t pid = OK(fork());
	int status;

	if (pid == 0) {
		raise(SIGUSR1);
		_exit(0);
	}
	status = t_wait(pid);
	CHECK(WIFSIGNALED(status));
	EQ(WTERMSIG(status), SIGUSR1);
}
