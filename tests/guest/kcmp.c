// SPDX-License-Identifier: MIT
/* What two processes share. proves: kcmp */
#include "t.h"
#include <linux/kcmp.h>
#include <linux/sched.h>
#include <sched.h>

static long cmp(pid_t a, pid_t b, int type, unsigned long i, unsigned long k)
{
	return syscall(SYS_kcmp, a, b, type, i, k);
}

static int idle(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return 0;
}

static char stack[65536] __attribute__((aligned(16)));

TEST(what_is_shared)
{
	int fd = OK(open("/dev/null", O_RDONLY)), same = OK(dup(fd)),
	    other = OK(open("/dev/null", O_RDONLY));
	pid_t me = getpid(), child, sharing;
	long x, y;

	if (cmp(me, me, KCMP_VM, 0, 0) < 0 && errno == ENOSYS)
		SKIP("built without it");
	EQ(cmp(me, me, KCMP_VM, 0, 0), 0);
	EQ(cmp(me, me, KCMP_FILE, fd, same), 0);
	x = OK(cmp(me, me, KCMP_FILE, fd, other));
	y = OK(cmp(me, me, KCMP_FILE, other, fd));
	CHECK((x == 1 && y == 2) || (x == 2 && y == 1));	/* an order, the same both ways */
	child = OK(fork());
	if (child == 0)
		idle(NULL);
	EQ(cmp(me, child, KCMP_FILE, fd, fd), 0);
	EQ(cmp(me, child, KCMP_FILE, fd, same), 0);
	CHECK(cmp(me, child, KCMP_VM, 0, 0) > 0);
	CHECK(cmp(me, child, KCMP_FILES, 0, 0) > 0);
	CHECK(cmp(me, child, KCMP_FS, 0, 0) > 0);
	CHECK(cmp(me, child, KCMP_SIGHAND, 0, 0) > 0);
	sharing = OK(clone(idle, stack + sizeof(stack), CLONE_VM | CLONE_FILES | CLONE_FS | SIGCHLD,
			   NULL));
	EQ(cmp(me, sharing, KCMP_VM, 0, 0), 0);
	EQ(cmp(me, sharing, KCMP_FILES, 0, 0), 0);
	EQ(cmp(me, sharing, KCMP_FS, 0, 0), 0);
	CHECK(cmp(me, sharing, KCMP_SIGHAND, 0, 0) > 0);
	ERR(cmp(me, child, KCMP_FILE, 99, fd), EBADF);
	ERR(cmp(me, child, 99, 0, 0), EINVAL);
	ERR(cmp(me, 0x3fffffff, KCMP_VM, 0, 0), ESRCH);
	if (fork() == 0) {
		if (setgid(1234) || setuid(1234))
			_exit(1);
		ERR(cmp(me, child, KCMP_VM, 0, 0), EPERM);
		_exit(0);
	}
	int st;

	EQ(waitpid(-1, &st, 0) > 0, 1);
	EQ(st, 0);
	OK(kill(child, SIGKILL));
	OK(kill(sharing, SIGKILL));
	t_wait(child);
	t_wait(sharing);
}
