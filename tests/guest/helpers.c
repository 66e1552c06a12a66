// SPDX-License-Identifier: MIT
/*
 * Programs that the kernel starts for itself (kernel.modprobe), while all CPUs are busy with
 * others.
 */
#include "t.h"
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>

enum { ASKERS = 4, SPINNERS = 4, ROUNDS = 50 };

/* A file system of a name that no module has is asked for each time anew. */
static void ask(int who)
{
	char name[20];

	for (int i = 0; i < ROUNDS; i++) {
		snprintf(name, sizeof(name), "none%d-%d", who, i);
		ERR(mount("none", "/", name, 0, NULL), ENODEV);
	}
	_exit(0);
}

/*
 * proves: mount
 * A kernel thread that becomes a program is preempted on the way, and borrows another address space
 * each time.
 */
TEST(programs_of_the_kernel_beside_busy_tasks)
{
	pid_t busy[SPINNERS], asking[ASKERS];
	int status;

	for (int i = 0; i < SPINNERS; i++) {
		busy[i] = fork();
		OK(busy[i]);
		if (!busy[i])
			for (;;)
				sched_yield();
	}
	for (int i = 0; i < ASKERS; i++) {
		asking[i] = fork();
		OK(asking[i]);
		if (!asking[i])
			ask(i);
	}
	for (int i = 0; i < ASKERS; i++) {
		EQ(waitpid(asking[i], &status, 0), asking[i]);
		EQ(status, 0);
	}
	for (int i = 0; i < SPINNERS; i++) {
		OK(kill(busy[i], SIGKILL));
		EQ(waitpid(busy[i], NULL, 0), busy[i]);
	}
}
