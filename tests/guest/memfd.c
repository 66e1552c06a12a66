// SPDX-License-Identifier: MIT
/* Memory files and their seals. proves: memfd_create */
#include "t.h"
#include <sys/mman.h>
#include <sys/stat.h>

#ifndef F_ADD_SEALS
#define F_ADD_SEALS 1033
#define F_GET_SEALS 1034
#define F_SEAL_SEAL 1
#define F_SEAL_SHRINK 2
#define F_SEAL_GROW 4
#define F_SEAL_WRITE 8
#endif

TEST(lives_and_maps)
{
	char link[100] = "", path[40];
	int fd = OK(memfd_create("name", MFD_CLOEXEC));
	char *p;

	OK(ftruncate(fd, 8192));
	p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	strcpy(p + 5000, "mapped");
	char b[7];

	EQ(pread(fd, b, 7, 5000), 7);
	CHECK(!strcmp(b, "mapped"));
	EQ(pwrite(fd, "file", 5, 100), 5);
	CHECK(!strcmp(p + 100, "file"));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	OK(readlink(path, link, sizeof(link) - 1));
	CHECK(!strncmp(link, "/memfd:name", 11));
	ERR(memfd_create("x", 0x800), EINVAL);
	ERR(syscall(SYS_memfd_create, 8L, 0), EFAULT);
}

TEST(seals)
{
	int fd = OK(memfd_create("s", MFD_ALLOW_SEALING)), plain = OK(memfd_create("p", 0));
	void *p;

	EQ(fcntl(plain, F_GET_SEALS), F_SEAL_SEAL);
	ERR(fcntl(plain, F_ADD_SEALS, F_SEAL_WRITE), EPERM);
	OK(ftruncate(fd, 4096));
	EQ(fcntl(fd, F_GET_SEALS), 0);
	OK(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
	ERR(ftruncate(fd, 100), EPERM);
	OK(ftruncate(fd, 8192));
	OK(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	ERR(ftruncate(fd, 9000), EPERM);
	ERR(pwrite(fd, "x", 1, 8192), EPERM);
	EQ(pwrite(fd, "x", 1, 8191), 1);
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	ERR(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
	OK(munmap(p, 4096));
	OK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	ERR(pwrite(fd, "x", 1, 0), EPERM);
	CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
	EQ(errno, EPERM);
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(p != MAP_FAILED);
	OK(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
	ERR(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), EPERM);
}
