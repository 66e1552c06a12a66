// SPDX-License-Identifier: MIT
/*
 * Memory policies and moving between nodes, on a machine of one node: what is set can be asked for,
 * pages say where they are. proves: migrate_pages move_pages set_mempolicy_home_node set_mempolicy
 * get_mempolicy mbind
 */
#include "t.h"
#include <sys/mman.h>

#define PG ((unsigned long)PAGE)
enum { DEFAULT, PREFERRED, BIND, INTERLEAVE, LOCAL, PREFERRED_MANY };
enum { F_NODE = 1, F_ADDR = 2 };
#define STATIC_NODES (1 << 15)

static char *map(size_t pages)
{
	char *p =
		mmap(NULL, pages * PG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

static int have_policies(void)
{
	int mode;

	return !syscall(SYS_get_mempolicy, &mode, NULL, 0, NULL, 0) || errno != ENOSYS;
}

TEST(the_node_is_shown)
{
	char text[4096] = "";
	int fd = open("/sys/devices/system/node/node0/meminfo", O_RDONLY), n;
	unsigned long kb = 0;

	if (fd < 0 && !have_policies())
		SKIP("built without them");
	n = OK(read(fd, text, sizeof(text) - 1));
	CHECK(n > 500);
	EQ(sscanf(text, "Node 0 MemTotal: %lu kB", &kb), 1);
	CHECK(kb > 1024);
	CHECK(strstr(text, "\nNode 0 MemFree: ") && strstr(text, "\nNode 0 FilePages: "));
	close(fd);
	fd = OK(open("/sys/devices/system/node/online", O_RDONLY));
	EQ(read(fd, text, sizeof(text)), 2);
	CHECK(!memcmp(text, "0\n", 2));
	close(fd);
	fd = OK(open("/sys/devices/system/node/node0/cpulist", O_RDONLY));
	CHECK(OK(read(fd, text, sizeof(text))) >= 2 && text[0] == '0');
	close(fd);
	/* The same as a mask: lscpu looks for it. */
	fd = OK(open("/sys/devices/system/node/node0/cpumap", O_RDONLY));
	n = OK(read(fd, text, sizeof(text) - 1));
	text[n] = 0;
	CHECK(n >= 2 && text[n - 1] == '\n' &&
	      strtoul(strrchr(text, ',') ? strrchr(text, ',') + 1 : text, NULL, 16) & 1);
	close(fd);
}

TEST(policy_of_the_task)
{
	unsigned long one = 1, two = 2, mask = 99;
	int mode = -1;
	pid_t pid;

	if (!have_policies())
		SKIP("built without them");
	OK(syscall(SYS_get_mempolicy, &mode, &mask, 64, NULL, 0));
	EQ(mode, DEFAULT);
	EQ(mask, 0);
	OK(syscall(SYS_set_mempolicy, BIND | STATIC_NODES, &one, 64));
	OK(syscall(SYS_get_mempolicy, &mode, &mask, 64, NULL, 0));
	EQ(mode, BIND | STATIC_NODES);
	EQ(mask, 1);
	pid = OK(fork());
	if (pid == 0) {
		OK(syscall(SYS_get_mempolicy, &mode, NULL, 0, NULL, 0));
		EQ(mode, BIND | STATIC_NODES);
		OK(syscall(SYS_set_mempolicy, INTERLEAVE, &one, 64));
		OK(syscall(SYS_get_mempolicy, &mode, NULL, 0, NULL, F_NODE));
		EQ(mode, 0);			/* the node that is next */
		_exit(0);
	}
	CHECK(t_child_ok(pid));
	ERR(syscall(SYS_get_mempolicy, &mode, NULL, 0, NULL, F_NODE), EINVAL);
	ERR(syscall(SYS_set_mempolicy, BIND, &two, 64), EINVAL);
	ERR(syscall(SYS_set_mempolicy, BIND, NULL, 0), EINVAL);
	ERR(syscall(SYS_set_mempolicy, DEFAULT, &one, 64), EINVAL);
	ERR(syscall(SYS_set_mempolicy, 99, &one, 64), EINVAL);
	ERR(syscall(SYS_set_mempolicy, BIND, 8, 64), EFAULT);
	OK(syscall(SYS_get_mempolicy, &mode, NULL, 0, NULL, 0));
	EQ(mode, BIND | STATIC_NODES);		/* none of these changed it */
	OK(syscall(SYS_set_mempolicy, PREFERRED, NULL, 0));
	OK(syscall(SYS_get_mempolicy, &mode, NULL, 0, NULL, 0));
	CHECK(mode == LOCAL || mode == PREFERRED);	/* later kernels know them to be one */
	OK(syscall(SYS_set_mempolicy, DEFAULT, NULL, 0));
}

TEST(policy_of_memory)
{
	unsigned long one = 1, mask = 99;
	char *p = map(4);
	int mode = -1;

	if (!have_policies())
		SKIP("built without them");
	OK(syscall(SYS_mbind, p + PG, PG, BIND, &one, 64, 0));
	OK(syscall(SYS_get_mempolicy, &mode, &mask, 64, p + PG, F_ADDR));
	EQ(mode, BIND);
	EQ(mask, 1);
	/* The others have none, whatever the task's is. */
	OK(syscall(SYS_set_mempolicy, BIND, &one, 64));
	OK(syscall(SYS_get_mempolicy, &mode, &mask, 64, p, F_ADDR));
	EQ(mode, DEFAULT);
	EQ(mask, 0);
	OK(syscall(SYS_set_mempolicy, DEFAULT, NULL, 0));
	p[PG] = 1;
	OK(syscall(SYS_get_mempolicy, &mode, NULL, 0, p + PG, F_ADDR | F_NODE));
	EQ(mode, 0);
	ERR(syscall(SYS_get_mempolicy, &mode, NULL, 0, 8, F_ADDR), EFAULT);
	ERR(syscall(SYS_get_mempolicy, &mode, NULL, 0, -1L, F_ADDR), EFAULT);
	ERR(syscall(SYS_get_mempolicy, &mode, NULL, 0, p, 0), EINVAL);
	OK(munmap(p + 3 * PG, PG));
	ERR(syscall(SYS_mbind, p, 4 * PG, BIND, &one, 64, 0), EFAULT);
}

TEST(home_node)
{
	unsigned long one = 1;
	char *p = map(4);

	if (!have_policies())
		SKIP("built without them");
	ERR(syscall(SYS_set_mempolicy_home_node, p, PG, 0, 0), ENOENT);	/* no policy there */
	OK(syscall(SYS_mbind, p, PG, BIND, &one, 64, 0));
	OK(syscall(SYS_set_mempolicy_home_node, p, PG, 0, 0));
	OK(syscall(SYS_mbind, p + PG, PG, INTERLEAVE, &one, 64, 0));
	ERR(syscall(SYS_set_mempolicy_home_node, p + PG, PG, 0, 0), EOPNOTSUPP);
	ERR(syscall(SYS_set_mempolicy_home_node, p + 1, PG, 0, 0), EINVAL);
	ERR(syscall(SYS_set_mempolicy_home_node, p, PG, 0, 1), EINVAL);
	ERR(syscall(SYS_set_mempolicy_home_node, p, PG, 7, 0), EINVAL);
	OK(syscall(SYS_set_mempolicy_home_node, p, 0, 0, 0));
}

TEST(pages_say_where_they_are)
{
	char *p = map(3);
	void *pages[3] = { p, p + PG, (void *)8 };
	int status[3] = { 77, 77, 77 }, nodes[2] = { 0, 0 }, bad = 9;
	pid_t pid;

	if (syscall(SYS_move_pages, 0, 0, NULL, NULL, NULL, 0) && errno == ENOSYS)
		SKIP("built without it");
	p[0] = 1;
	OK(syscall(SYS_move_pages, 0, 3, pages, NULL, status, 0));
	EQ(status[0], 0);
	EQ(status[1], -ENOENT);				/* never touched */
	EQ(status[2], -EFAULT);				/* nothing is mapped there */
	status[0] = 77;
	OK(syscall(SYS_move_pages, 0, 1, pages, nodes, status, 2 /* MOVE */));
	EQ(status[0], 0);
	EQ(p[0], 1);
	ERR(syscall(SYS_move_pages, 0, 1, pages, &bad, status, 2), ENODEV);
	ERR(syscall(SYS_move_pages, 0, 1, pages, NULL, status, 1), EINVAL);
	ERR(syscall(SYS_move_pages, 0, 1, 8, NULL, status, 0), EFAULT);
	ERR(syscall(SYS_move_pages, 0, 1, pages, NULL, 8, 0), EFAULT);
	ERR(syscall(SYS_move_pages, 0x3fffffff, 1, pages, NULL, status, 0), ESRCH);
	pid = OK(fork());
	if (pid == 0) {
		pause();
		_exit(0);
	}
	status[0] = 77;
	OK(syscall(SYS_move_pages, pid, 1, pages, NULL, status, 0));	/* a child's memory */
	EQ(status[0], 0);
	if (fork() == 0) {
		if (setgid(1234) || setuid(1234))
			_exit(1);
		ERR(syscall(SYS_move_pages, pid, 1, pages, NULL, status, 0), EPERM);
		ERR(syscall(SYS_move_pages, 0, 1, pages, nodes, status, 4 /* MOVE_ALL */), EPERM);
		_exit(0);
	}
	CHECK(({
		int st;
		wait(&st);
		st == 0;
	}));
	OK(kill(pid, SIGKILL));
	t_wait(pid);
}

TEST(migrate)
{
	unsigned long one = 1, none = 0, two = 2;
	char *p = map(1);

	if (syscall(SYS_migrate_pages, 0, 64, &one, &one) && errno == ENOSYS)
		SKIP("built without it");
	p[0] = 5;
	EQ(syscall(SYS_migrate_pages, 0, 64, &one, &one), 0);	/* nothing had to stay behind */
	EQ(p[0], 5);
	ERR(syscall(SYS_migrate_pages, 0, 64, &one, &two), EINVAL);
	ERR(syscall(SYS_migrate_pages, 0, 64, &one, &none), EINVAL);
	ERR(syscall(SYS_migrate_pages, 0, 64, 8, &one), EFAULT);
	ERR(syscall(SYS_migrate_pages, 0x3fffffff, 64, &one, &one), ESRCH);
	if (fork() == 0) {
		if (setgid(1234) || setuid(1234))
			_exit(1);
		ERR(syscall(SYS_migrate_pages, 1, 64, &one, &one), EPERM);
		_exit(0);
	}
	CHECK(({
		int st;
		wait(&st);
		st == 0;
	}));
}
