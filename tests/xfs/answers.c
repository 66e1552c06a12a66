// SPDX-License-Identifier: MIT
/*
 * Run in the guest: answers DEVICE DIR, a device with an XFS that nobody has mounted, and where to
 * mount it. What users ask of a file system and its device: mount options, times beyond the format,
 * what the page caches of files and of the device keep, reads that must not wait, the label. The
 * same on Linux (tests/command/xfs_answers.py).
 */
#define _GNU_SOURCE
#include "check.h"
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include <linux/fiemap.h>
#include <linux/fs.h>

#define PAGES 40		/* more than a CPU's batch of new pages, and no multiple of it */
#define CACHESTAT 451
#define GETFSUUID (int)_IOR(0x15, 0, unsigned char[17])

static const char *dev, *dir;
static char page[65536];

static int try(const char *options)
{
	int e = mount(dev, dir, "xfs", 0, options);

	if (!e)
		CHECK(!umount(dir));
	return e;
}

static void options(void)
{
	static const char *const good[] = { ",",
					    "logbufs=2",
					    "logbufs=8,logbsize=256k",
					    "logbsize=32768",
					    "allocsize=64k",
					    "inode64,largeio" };
	static const char *const bad[] = { "logbufs",	   "logbufs=",	  "logbufs=1",
					   "logbufs=9",	   "logbufs=x",	  "logbufs=4k",
					   "logbsize=48k", "logbsize=8k", "logbsize=32x",
					   "allocsize=3",  "nouuid=1",	  "inode64=1",
					   "nonesuch" };

	for (unsigned i = 0; i < sizeof(good) / sizeof(*good); i++)
		CHECK(!try(good[i]));
	for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		FAILS(try(bad[i]), EINVAL);
	FAILS(mount("", dir, "xfs", 0, NULL), EINVAL);
}

static int cached(int fd)
{
	unsigned long long range[2] = { 0, 0 }, cs[5];

	CHECK(!syscall(CACHESTAT, fd, range, cs, 0));
	return (int)cs[0];
}

static void caches(void)
{
	struct {
		struct fiemap m;
		struct fiemap_extent x;
	} map = { { .fm_length = sizeof(page), .fm_extent_count = 1 }, { 0 } };
	long size = sysconf(_SC_PAGESIZE);
	int f, d;

	CHECK(!mount(dev, dir, "xfs", 0, NULL) && !chdir(dir));
	CHECK((f = open("f", O_RDWR | O_CREAT, 0644)) >= 0);
	for (int i = 0; i < PAGES; i++)
		CHECK(pwrite(f, page, (size_t)size, i * size) == size);
	CHECK(!fsync(f) && cached(f) == PAGES);
	CHECK(!posix_fadvise(f, 0, 0, POSIX_FADV_DONTNEED) && !cached(f));
	/* What the device's cache has is not older than what a mount wrote. */
	memset(page, 'a', 4096);
	CHECK(pwrite(f, page, 4096, 0) == 4096 && !fsync(f) && !ioctl(f, FS_IOC_FIEMAP, &map) &&
	      !close(f));
	CHECK(!chdir("/") && !umount(dir) && (d = open(dev, O_RDONLY)) >= 0);
	CHECK(pread(d, page, 4096, (off_t)map.x.fe_physical) == 4096 && page[9] == 'a');
	CHECK(!mount(dev, dir, "xfs", 0, NULL) && !chdir(dir) && (f = open("f", O_RDWR)) >= 0);
	memset(page, 'b', 4096);
	CHECK(pwrite(f, page, 4096, 0) == 4096 && !close(f) && !chdir("/") && !umount(dir));
	CHECK(pread(d, page, 4096, (off_t)map.x.fe_physical) == 4096 && page[9] == 'b' &&
	      !close(d));
}

static void times(void)
{
	struct timespec t[2] = { { 100000000000, 5 }, { -99999999999, 5 } };
	struct stat st;
	int f = open("t", O_RDWR | O_CREAT, 0644);

	CHECK(f >= 0 && !futimens(f, t) && !fstat(f, &st));
	CHECK(st.st_atim.tv_sec == 16299260424 && st.st_atim.tv_nsec == 0);
	CHECK(st.st_mtim.tv_sec == -2147483648 && st.st_mtim.tv_nsec == 0);
	CHECK(!close(f));
}

static ssize_t no_wait(int f, struct iovec *v, long at)
{
	return syscall(SYS_preadv2, f, v, 1, at, 0, RWF_NOWAIT);
}

static void no_waiting(void)
{
	int f = open("n", O_RDWR | O_CREAT, 0644), d = open("n", O_RDONLY | O_DIRECT), i;
	struct iovec v = { page, 4096 };
	ssize_t n;

	memset(page, 'n', 4096);
	CHECK(f >= 0 && d >= 0 && pwrite(f, page, 4096, 0) == 4096);
	CHECK(no_wait(f, &v, 0) == 4096 && page[4095] == 'n');
	CHECK(!no_wait(f, &v, 4096));
	n = syscall(SYS_pwritev2, f, &v, 1, 0, 0, RWF_NOWAIT);
	CHECK(n == 4096 || (n < 0 && errno == EAGAIN));
	CHECK(!fsync(f) && !posix_fadvise(f, 0, 0, POSIX_FADV_DONTNEED));
	memset(page, 0, 4096);
	for (i = 0; i < 100000; i++) {
		n = no_wait(f, &v, 0);
		if (n >= 0)
			break;
		CHECK(errno == EAGAIN);
		if (i == 50)
			CHECK(pread(f, page, 1, 0) == 1);
	}
	CHECK(n == 4096 && page[0] == 'n' && page[4095] == 'n' && !close(f) && !close(d));
}

static void label(void)
{
	unsigned char sector[512], id[17] = { 0 };
	char text[FSLABEL_MAX] = "at_once";
	int f = open(".", O_RDONLY), d = open(dev, O_RDONLY);

	CHECK(f >= 0 && d >= 0 && pread(d, sector, 512, 0) == 512);
	CHECK(!ioctl(f, GETFSUUID, id) && id[0] == 16 && !memcmp(id + 1, sector + 32, 16));
	CHECK(!ioctl(f, FS_IOC_SETFSLABEL, text));
	CHECK(pread(d, sector, 512, 0) == 512 && !memcmp(sector + 108, "at_once\0", 8));
	CHECK(!close(f) && !close(d));
}

int main(int argc, char **argv)
{
	CHECK(argc > 2);
	dev = argv[1];
	dir = argv[2];
	options();
	caches();
	CHECK(!mount(dev, dir, "xfs", 0, NULL) && !chdir(dir));
	times();
	no_waiting();
	label();
	CHECK(!chdir("/") && !umount(dir));
	printf("answers: ok\n");
	return 0;
}
