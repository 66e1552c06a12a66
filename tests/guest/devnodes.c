// SPDX-License-Identifier: MIT
/* The devices every program expects, and random numbers. proves: getrandom */
#include "t.h"
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

TEST(null_zero_full)
{
	char b[100];
	int fd = OK(open("/dev/null", O_RDWR));

	EQ(write(fd, b, 100), 100);
	EQ(read(fd, b, 100), 0);
	fd = OK(open("/dev/zero", O_RDWR));
	memset(b, 1, 100);
	EQ(read(fd, b, 100), 100);
	for (int i = 0; i < 100; i++)
		EQ(b[i], 0);
	EQ(write(fd, b, 100), 100);
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

	CHECK(p != MAP_FAILED);
	EQ(p[5000], 0);
	p[5000] = 1;
	p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	p[5000] = 7;
	pid_t pid = OK(fork());

	if (pid == 0) {
		p[6000] = 9;
		_exit(p[5000] == 7 ? 0 : 1);
	}
	CHECK(t_child_ok(pid));
	EQ(p[6000], 9);
	fd = OK(open("/dev/full", O_RDWR));
	ERR(write(fd, b, 1), ENOSPC);
	EQ(read(fd, b, 10), 10);
}

TEST(numbers)
{
	static const struct {
		const char *name;
		int major, minor;
	} t[] = {
		{ "/dev/null", 1, 3 },	 { "/dev/zero", 1, 5 },	   { "/dev/full", 1, 7 },
		{ "/dev/random", 1, 8 }, { "/dev/urandom", 1, 9 }, { "/dev/kmsg", 1, 11 },
		{ "/dev/tty", 5, 0 },	 { "/dev/console", 5, 1 }, { "/dev/ptmx", 5, 2 },
	};

	for (unsigned int i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct stat st;

		OK(stat(t[i].name, &st));
		CHECK(S_ISCHR(st.st_mode));
		EQ(major(st.st_rdev), t[i].major);
		EQ(minor(st.st_rdev), t[i].minor);
	}
	OK(mknod("/nodev", S_IFCHR | 0600, makedev(222, 111)));
	ERR(open("/nodev", O_RDONLY), ENXIO);
	unlink("/nodev");
}

TEST(random_numbers)
{
	unsigned char a[4096], b[4096];
	int ones = 0, fd;

	EQ(syscall(SYS_getrandom, a, 256, 0), 256);
	EQ(syscall(SYS_getrandom, b, 256, 0), 256);
	CHECK(memcmp(a, b, 256));
	fd = OK(open("/dev/urandom", O_RDONLY));
	EQ(read(fd, a, 4096), 4096);
	for (int i = 0; i < 4096; i++)
		ones += __builtin_popcount(a[i]);
	CHECK(ones > 15800 && ones < 16970);	/* 16384 +- 6 sigma */
	fd = OK(open("/dev/random", O_RDONLY));
	EQ(read(fd, b, 100), 100);
	ERR(syscall(SYS_getrandom, a, 10, 0x100), EINVAL);
	ERR(syscall(SYS_getrandom, a, 10, 6), EINVAL);
	ERR(syscall(SYS_getrandom, 8L, 10, 0), EFAULT);
	EQ(syscall(SYS_getrandom, a, 0, 0), 0);
	/* Two processes do not share what comes. */
	int p[2];

	OK(pipe(p));
	pid_t pid = OK(fork());

	OK((int)syscall(SYS_getrandom, a, 64, 0));
	if (pid == 0) {
		EQ(write(p[1], a, 64), 64);
		_exit(0);
	}
	EQ(read(p[0], b, 64), 64);
	CHECK(memcmp(a, b, 64));
	t_wait(pid);
}
