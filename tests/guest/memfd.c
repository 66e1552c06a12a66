// SPDX-License-Identifier: MIT
/* Memory files and their seals. proves: memfd_create */
#include "t.h"
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/stat.h>

#ifndef F_ADD_SEALS
#define F_ADD_SEALS 1033
#define F_GET_SEALS 1034
#define F_SEAL_SEAL 1
#define F_SEAL_SHRINK 2
#define F_SEAL_GROW 4
#define F_SEAL_WRITE 8
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 16
#endif

/*
 * Reads of all lengths over pages, some of which were never written, and the end; into memory that
 * ends half-way.
 */
TEST(reads_over_pages_and_holes)
{
	enum { PAGES = 90 };
	static unsigned char want[PAGES * PAGE + 777], got[PAGES * PAGE + 777];
	int fd = OK(memfd_create("runs", 0));
	unsigned int seed = 1;
	char *edge;

	for (int i = 0; i < PAGES; i++) {
		if (i % 7 == 3 || (i > 40 && i < 62))
			continue;
		for (int k = 0; k < PAGE; k++)
			want[i * PAGE + k] = (unsigned char)(i + k * 3);
		EQ(pwrite(fd, want + i * PAGE, PAGE, i * PAGE), PAGE);
	}
	OK(ftruncate(fd, sizeof(want)));
	for (int i = 0; i < 600; i++) {
		long at = rand_r(&seed) % sizeof(want), n = rand_r(&seed) % (i % 3 ? 9000 : 200000);
		long have = at + n > (long)sizeof(want) ? (long)sizeof(want) - at : n;

		memset(got, 0xee, sizeof(got));
		EQ(pread(fd, got, n, at), have);
		if (memcmp(got, want + at, have) || (have < (long)sizeof(got) && got[have] != 0xee))
			FAIL("%ld bytes from %ld on", n, at);
	}
	edge = mmap(NULL, 20 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	OK(munmap(edge + 10 * PAGE, 10 * PAGE));
	EQ(pread(fd, edge + 100, 20 * PAGE, 5 * PAGE + 7), 10 * PAGE - 100);
	CHECK(!memcmp(edge + 100, want + 5 * PAGE + 7, 10 * PAGE - 100));
	ERR(pread(fd, edge + 10 * PAGE, 20 * PAGE, 0), EFAULT);
	munmap(edge, 10 * PAGE);
	close(fd);
}

/*
 * Writes of all lengths over pages, holes and the end; from memory that ends half-way; into a
 * filesystem with little room left.
 */
TEST(writes_over_pages_and_holes)
{
	char size[32];
	enum { SIZE = 150 * 4096 };	/* of small pages: it is read 400 times */
	static unsigned char want[SIZE], got[SIZE], data[SIZE];
	int fd = OK(memfd_create("runs", 0));
	unsigned int seed = 2;
	long end = 0, room;
	struct statfs f;
	char *edge;

	for (int i = 0; i < SIZE; i++)
		data[i] = (unsigned char)rand_r(&seed);
	for (int i = 0; i < 400; i++) {
		long n = rand_r(&seed) % (i % 3 ? 9000 : 200000), at = rand_r(&seed) % (SIZE - n),
		     from = rand_r(&seed) % (SIZE - n);

		if (i % 2)
			at &= -(long)PAGE;
		if (i % 50 == 49) {
			OK(ftruncate(fd, end = end / 8));
			memset(want + end, 0, SIZE - end);
		}
		if (i % 5 == 4) {
			OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, n + 1));
			memset(want + at, 0, n + 1);
			continue;
		}
		EQ(pwrite(fd, data + from, n, at), n);
		memcpy(want + at, data + from, n);
		end = n && at + n > end ? at + n : end;
		EQ(pread(fd, got, SIZE, 0), end);
		if (memcmp(got, want, end))
			FAIL("%ld bytes to %ld", n, at);
	}
	OK(ftruncate(fd, 0));
	edge = mmap(NULL, 20 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memcpy(edge, data, 10 * PAGE);
	OK(munmap(edge + 10 * PAGE, 10 * PAGE));
	EQ(pwrite(fd, edge + 4, 20 * PAGE, PAGE), 10 * PAGE - 4);
	EQ(pread(fd, got, SIZE, PAGE), 10 * PAGE - 4);
	CHECK(!memcmp(got, data + 4, 10 * PAGE - 4));
	ERR(pwrite(fd, edge + 10 * PAGE, 20 * PAGE, 0), EFAULT);
	munmap(edge, 10 * PAGE);
	close(fd);

	OK(mkdir("/tmp/little", 0700));
	snprintf(size, sizeof(size), "size=%dk", 10 * PAGE / 1024);
	OK(mount("none", "/tmp/little", "tmpfs", 0, size));
	fd = OK(open("/tmp/little/file", O_RDWR | O_CREAT, 0600));
	OK(statfs("/tmp/little", &f));
	room = f.f_bfree * PAGE;
	EQ(room, 10 * PAGE);
	EQ(write(fd, data, SIZE), room);
	ERR(write(fd, data, SIZE), ENOSPC);
	OK(statfs("/tmp/little", &f));
	EQ(f.f_bfree, 0);
	OK(ftruncate(fd, 0));
	OK(statfs("/tmp/little", &f));
	EQ(f.f_bfree, 10);
	close(fd);
	OK(umount("/tmp/little"));
	OK(rmdir("/tmp/little"));
}

TEST(lives_and_maps)
{
	char link[100] = "", path[40];
	int fd = OK(memfd_create("name", MFD_CLOEXEC));
	char *p;

	OK(ftruncate(fd, 2 * PAGE));
	p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
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
	OK(ftruncate(fd, 2 * PAGE));
	OK(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	ERR(ftruncate(fd, 9000), EPERM);
	ERR(pwrite(fd, "x", 1, 2 * PAGE), EPERM);
	EQ(pwrite(fd, "x", 1, 8191), 1);
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	ERR(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
	OK(munmap(p, PAGE));
	OK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	ERR(pwrite(fd, "x", 1, 0), EPERM);
	CHECK(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
	EQ(errno, EPERM);
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(p != MAP_FAILED);
	OK(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
	ERR(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), EPERM);
}

/* A mapping from before the seal gives its rights to no later mapping beside it. */
TEST(mappings_beside_older_ones)
{
	int fd = OK(memfd_create("f", MFD_ALLOW_SEALING));
	char *p = mmap(NULL, 6 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	OK(ftruncate(fd, 4 * PAGE));
	for (int i = 0; i < 2; i++)
		CHECK(mmap(p + i * PAGE, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, fd, i * PAGE) == p + i * PAGE);
	/* Without a seal two become one: only one mapping can grow. */
	CHECK(mremap(p, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + 3 * PAGE) == p + 3 * PAGE);
	p += 3 * PAGE;
	OK(munmap(p + 2 * PAGE, PAGE));
	OK(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
	CHECK(mmap(p + 2 * PAGE, PAGE, PROT_READ, MAP_SHARED, fd, 2 * PAGE) == p + 2 * PAGE);
	ERR(mprotect(p + 2 * PAGE, PAGE, PROT_READ | PROT_WRITE), EACCES);
	OK(mprotect(p, 2 * PAGE, PROT_READ | PROT_WRITE));
	p[0] = 1;
	OK(munmap(p + 2 * PAGE, PAGE));
	CHECK(mmap(p + 2 * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 2 * PAGE) == MAP_FAILED);
	EQ(errno, EPERM);
}
