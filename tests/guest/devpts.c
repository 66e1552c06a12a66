// SPDX-License-Identifier: MIT
/* Instances of devpts: numbers, their limits, who may have how many. proves: mount umount2 */
#include "t.h"
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

static long read_number(const char *path)
{
	char b[32] = "";
	int fd = OK(open(path, O_RDONLY));

	OK(read(fd, b, sizeof(b) - 1));
	close(fd);
	return atol(b);
}

static void write_number(const char *path, long v)
{
	int fd = OK(open(path, O_WRONLY));

	OK(dprintf(fd, "%ld", v));
	close(fd);
}

static void instance(const char *options)
{
	OK(mkdir("/tmp/dp", 0755) == 0 || errno == EEXIST ? 0 : -1);
	OK(mount("devpts", "/tmp/dp", "devpts", 0, options));
}

static int number(int fd)
{
	int n = -1;

	OK(ioctl(fd, TIOCGPTN, &n));
	return n;
}

TEST(max_of_an_instance)
{
	int a, b;

	instance("newinstance,ptmxmode=0666,max=2");
	a = OK(open("/tmp/dp/ptmx", O_RDWR | O_NOCTTY));
	b = OK(open("/tmp/dp/ptmx", O_RDWR | O_NOCTTY));
	EQ(number(a), 0);
	EQ(number(b), 1);
	ERR(open("/tmp/dp/ptmx", O_RDWR | O_NOCTTY), ENOSPC);
	CHECK(!access("/tmp/dp/1", F_OK));
	close(a);
	CHECK(access("/tmp/dp/0", F_OK));
	a = OK(open("/tmp/dp/ptmx", O_RDWR | O_NOCTTY));
	EQ(number(a), 0);
	close(a);
	close(b);
	OK(umount("/tmp/dp"));
	ERR(mount("devpts", "/tmp/dp", "devpts", 0, "newinstance,max=1048577"), EINVAL);
}

/* More than fit one word, one page, or the default maximum of a bitmap. */
TEST(many)
{
	enum { N = 900 };
	static int fd[N];
	long before = read_number("/proc/sys/kernel/pty/nr");

	instance("newinstance,ptmxmode=0666");
	for (int i = 0; i < N; i++) {
		fd[i] = OK(open("/tmp/dp/ptmx", O_RDWR | O_NOCTTY));
		EQ(number(fd[i]), i);
	}
	EQ(read_number("/proc/sys/kernel/pty/nr") - before, N);
	for (int i = 0; i < N; i++)
		close(fd[i]);
	EQ(read_number("/proc/sys/kernel/pty/nr"), before);
	OK(umount("/tmp/dp"));
}

TEST(limits_of_all)
{
	long max = read_number("/proc/sys/kernel/pty/max"),
	     nr = read_number("/proc/sys/kernel/pty/nr");
	int fd;

	EQ(max, 4096);
	EQ(read_number("/proc/sys/kernel/pty/reserve"), 1024);
	instance("newinstance,ptmxmode=0666");
	write_number("/proc/sys/kernel/pty/max", nr + 1);
	ERR(open("/tmp/dp/ptmx", O_RDWR | O_NOCTTY), ENOSPC);
	write_number("/proc/sys/kernel/pty/max", nr + 2);
	fd = open("/tmp/dp/ptmx", O_RDWR | O_NOCTTY);
	if (fd >= 0)
		ERR(open("/tmp/dp/ptmx", O_RDWR | O_NOCTTY), ENOSPC);
	write_number("/proc/sys/kernel/pty/max", max);
	CHECK(fd >= 0);
	close(fd);
	OK(umount("/tmp/dp"));
}
