// SPDX-License-Identifier: MIT
/*
 * Run in the guest: scrub_load DEVICE DIR, a device with an XFS that nobody has mounted, and where
 * to mount it. Online scrub finds nothing wrong while two tasks write, rename, link, share names
 * and set attributes.
 */
#define _GNU_SOURCE
#include "check.h"
#include <fcntl.h>
#include <linux/falloc.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

struct meta {
	uint32_t type, flags;
	uint64_t ino;
	uint32_t gen, agno;
	uint64_t reserved[5];
};
#define SCRUB _IOWR('X', 60, struct meta)

enum { SB = 1, INODE = 11, PARENT = 18, FSCOUNTERS = 24, NLINKS = 26, DIRTREE = 28 };
#define PREEN 4
#define ROUNDS 25

static int file, dir;

static void change(int task)
{
	static char buf[8192];
	char a[40], b[40];

	snprintf(a, sizeof(a), "d/a%d-%d", task, rand() % 60);
	snprintf(b, sizeof(b), "%s/b%d-%d", rand() & 1 ? "d" : "e", task, rand() % 60);
	switch (rand() % 8) {
	case 0:
		close(open(a, O_CREAT | O_WRONLY, 0644));
		break;
	case 1:
		rename(a, b);
		break;
	case 2:
		(void)!link(a, b);
		break;
	case 3:
		unlink(a);
		unlink(b);
		break;
	case 4:
		(void)!pwrite(file, buf, 1 + (size_t)rand() % 8192, rand() % 4000000);
		break;
	case 5:
		(void)!fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, rand() % 4000000,
				 1 + rand() % 30000);
		break;
	case 6:
		rename("d/s", "e/s");
		rename("e/s", "d/s");
		break;
	default:
		snprintf(a, sizeof(a), "user.x%d", rand() % 60);
		if (rand() & 1)
			fsetxattr(dir, a, buf, (size_t)rand() % 3000, 0);
		else
			fremovexattr(dir, a);
	}
}

static pid_t begin_task(int task)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid)
		return pid;
	srand((unsigned)task + 1);
	for (;;)
		change(task);
}

static void scrub_all(const int *fds)
{
	for (unsigned type = SB + 1; type <= PARENT; type++)
		for (unsigned i = 0; i < 4; i++) {
			struct meta m = { .type = type, .agno = type < INODE ? i & 1 : 0 };
			int e = ioctl(fds[i], SCRUB, &m) ? errno : 0;

			if (m.flags & ~PREEN || (e && e != ENOENT && e != EBUSY))
				printf("type %u of %u: flags %u, errno %d\n", type, i, m.flags, e);
			CHECK(!(m.flags & ~PREEN) && (!e || e == ENOENT || e == EBUSY));
		}
	for (unsigned i = 0; i < 3; i++) {
		struct meta m = { .type = i == 0 ? FSCOUNTERS : i == 1 ? NLINKS : DIRTREE };
		int e = ioctl(fds[3], SCRUB, &m) ? errno : 0;

		if (m.flags || (e && e != EBUSY && e != ENOENT))
			printf("type %u: flags %u, errno %d\n", m.type, m.flags, e);
		CHECK(!m.flags && (!e || e == EBUSY || (e == ENOENT && m.type == DIRTREE)));
	}
}

int main(int argc, char **argv)
{
	int fds[4];
	pid_t tasks[2];

	setvbuf(stdout, NULL, _IOLBF, 0);
	CHECK(argc == 3 && !mount(argv[1], argv[2], "xfs", 0, NULL) && !chdir(argv[2]));
	CHECK(!mkdir("d", 0755) && !mkdir("e", 0755) && !mkdir("d/s", 0755));
	CHECK((file = fds[0] = open("f", O_RDWR | O_CREAT, 0644)) >= 0);
	CHECK((dir = fds[1] = open("d", O_RDONLY)) >= 0);
	CHECK((fds[2] = open("e", O_RDONLY)) >= 0 && (fds[3] = open("d/s", O_RDONLY)) >= 0);
	for (int i = 0; i < 2; i++)
		tasks[i] = begin_task(i);
	for (int i = 0; i < ROUNDS; i++)
		scrub_all(fds);
	for (int i = 0; i < 2; i++)
		CHECK(!kill(tasks[i], SIGKILL) && waitpid(tasks[i], NULL, 0) == tasks[i]);
	scrub_all(fds);
	for (int i = 0; i < 4; i++)
		close(fds[i]);
	CHECK(!chdir("/") && !umount(argv[2]));
	printf("scrub_load: ok\n");
	return 0;
}
