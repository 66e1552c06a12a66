/* SPDX-License-Identifier: MIT */
/*
 * Namespaces of control groups (cgroup_namespaces(7)): made by clone(2) and unshare(2), told apart,
 * entered, limited; a process in one sees the root of its groups.
 * proves: clone unshare setns
 */
#include "t.h"
#include <sched.h>
#include <sys/ioctl.h>
#include <linux/nsfs.h>

#define ALL                                                                                        \
	(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUSER | \
	 CLONE_NEWCGROUP)

static ino_t own(void)
{
	struct stat st;

	OK(stat("/proc/self/ns/cgroup", &st));
	return st.st_ino;
}

/* Does FN in a child made with FLAGS, and says how it ended. */
static int in_child(unsigned long flags, void (*fn)(ino_t), ino_t before)
{
	int status;
	pid_t pid = (pid_t)syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);

	if (!pid) {
		fn(before);
		_exit(0);
	}
	OK(pid);
	EQ(waitpid(pid, &status, 0), pid);
	return status;
}

static void is_other(ino_t before)
{
	CHECK(own() != before);
}

static void is_same(ino_t before)
{
	CHECK(own() == before);
}

TEST(by_clone)
{
	int status;
	pid_t pid;

	EQ(in_child(CLONE_NEWCGROUP, is_other, own()), 0);
	EQ(in_child(0, is_same, own()), 0);
	/* As sandboxes do it. (/proc is that of the other pid namespace.) */
	pid = (pid_t)syscall(SYS_clone, ALL | SIGCHLD, 0, 0, 0, 0);
	if (!pid)
		_exit(7);
	OK(pid);
	EQ(waitpid(pid, &status, 0), pid);
	EQ(WEXITSTATUS(status), 7);
}

TEST(by_unshare)
{
	ino_t first = own(), second;
	unsigned long long id[2];
	char line[256];
	int fd, mine;
	FILE *f;

	fd = OK(open("/proc/self/ns/cgroup", O_RDONLY));
	OK(unshare(CLONE_NEWCGROUP));
	second = own();
	CHECK(second != first);
	mine = OK(open("/proc/self/ns/cgroup", O_RDONLY));
	EQ(ioctl(mine, NS_GET_NSTYPE), CLONE_NEWCGROUP);
	if (!ioctl(fd, _IOR(0xb7, 13, unsigned long long), &id[0])) {
		OK(ioctl(mine, _IOR(0xb7, 13, unsigned long long), &id[1]));
		CHECK(id[0] != id[1]);
	}
	f = fopen("/proc/self/cgroup", "r");
	CHECK(f);
	while (fgets(line, sizeof(line), f))
		CHECK(!strcmp(strrchr(line, ':'), ":/\n"));
	fclose(f);
	ERR(setns(fd, CLONE_NEWUTS), EINVAL);
	OK(setns(fd, CLONE_NEWCGROUP));
	EQ(own(), first);
	OK(setns(mine, 0));
	EQ(own(), second);
}

static void without_rights(ino_t before)
{
	int fd = OK(open("/proc/self/ns/cgroup", O_RDONLY));

	OK(setuid(1000));
	ERR(unshare(CLONE_NEWCGROUP), EPERM);
	ERR(setns(fd, CLONE_NEWCGROUP), EPERM);
	ERR(syscall(SYS_clone, CLONE_NEWCGROUP | SIGCHLD, 0, 0, 0, 0), EPERM);
	EQ(own(), before);
	/* Root of a user namespace may make one, but not enter that of others. */
	OK(unshare(CLONE_NEWUSER | CLONE_NEWCGROUP));
	CHECK(own() != before);
	ERR(setns(fd, CLONE_NEWCGROUP), EPERM);
}

TEST(rights)
{
	EQ(in_child(0, without_rights, own()), 0);
}

TEST(limit)
{
	int f;

	OK(unshare(CLONE_NEWUSER));
	f = OK(open("/proc/sys/user/max_cgroup_namespaces", O_WRONLY));
	EQ(write(f, "1", 1), 1);
	OK(unshare(CLONE_NEWCGROUP));
	ERR(unshare(CLONE_NEWCGROUP), ENOSPC);
}
