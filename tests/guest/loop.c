// SPDX-License-Identifier: MIT
/* Loop devices, loop(4). */
#include "t.h"
#include <dirent.h>
#include <linux/blkpg.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define IMAGE "/tmp/loop.img"
#define MIB (1 << 20)

static int control, number;
static char dev[32];

static int backing(off_t size)
{
	int f = OK(open(IMAGE, O_RDWR | O_CREAT | O_TRUNC, 0600));

	OK(ftruncate(f, size));
	return f;
}

/* A free device, open. */
static int start(void)
{
	control = open("/dev/loop-control", O_RDWR);
	if (control < 0 && errno == ENOENT)
		SKIP("no loop devices");
	CHECK(control >= 0);
	number = OK(ioctl(control, LOOP_CTL_GET_FREE));
	snprintf(dev, sizeof(dev), "/dev/loop%d", number);
	return OK(open(dev, O_RDWR));
}

/* Everything is given back: closing lets go, then the device can go. */
static void finish(int d)
{
	OK(ioctl(d, LOOP_CLR_FD));
	ERR(ioctl(d, LOOP_CLR_FD), ENXIO);		/* going: its only user said so */
	ERR(open(dev, O_RDONLY), ENXIO);
	close(d);
	EQ(ioctl(control, LOOP_CTL_REMOVE, number), number);
	CHECK(access(dev, F_OK));
	unlink(IMAGE);
}

static int configure(int d, int f, unsigned int flags, unsigned long long offset,
		     unsigned long long limit)
{
	struct loop_config c = {
		.fd = (unsigned int)f,
		.info = { .lo_flags = flags, .lo_offset = offset, .lo_sizelimit = limit }
	};

	strcpy((char *)c.info.lo_file_name, IMAGE);
	return ioctl(d, LOOP_CONFIGURE, &c);
}

static unsigned long long size_of(int d)
{
	unsigned long long n;

	OK(ioctl(d, BLKGETSIZE64, &n));
	return n;
}

TEST(a_file_as_a_disk)
{
	int d = start(), f = backing(MIB);
	struct loop_info64 i;
	struct stat st;
	char b[8192], path[80], line[128];

	EQ(size_of(d), 0);
	ERR(ioctl(d, LOOP_GET_STATUS64, &i), ENXIO);
	OK(configure(d, f, 0, 0, 0));
	ERR(configure(d, f, 0, 0, 0), EBUSY);
	ERR(ioctl(d, LOOP_SET_FD, f), EBUSY);
	EQ(size_of(d), MIB);
	OK(fstat(d, &st));
	CHECK(S_ISBLK(st.st_mode) && major(st.st_rdev) == 7 && (int)minor(st.st_rdev) == number);
	OK(fstat(f, &st));
	OK(ioctl(d, LOOP_GET_STATUS64, &i));
	EQ(i.lo_number, number);
	EQ(i.lo_inode, st.st_ino);
	CHECK(!strcmp((char *)i.lo_file_name, IMAGE));
	snprintf(path, sizeof(path), "/sys/block/loop%d/loop/backing_file", number);
	int s = OK(open(path, O_RDONLY)), n = OK(read(s, line, sizeof(line) - 1));

	line[n] = 0;
	CHECK(!strcmp(line, IMAGE "\n"));
	close(s);
	/* Writing reaches the file with fsync, reading comes from it. */
	memset(b, 'x', sizeof(b));
	EQ(pwrite(d, b, sizeof(b), 5000), sizeof(b));
	OK(fsync(d));
	EQ(pread(f, b, 2, 5000 + 8191), 2);
	CHECK(b[0] == 'x' && b[1] == 0);
	EQ(pwrite(f, "direct", 6, 512 * 100), 6);
	EQ(pread(d, b, 6, 512 * 100), 6);
	CHECK(!memcmp(b, "direct", 6));
	EQ(pread(d, b, 100, MIB), 0);
	ERR(pwrite(d, b, 1, MIB), ENOSPC);
	EQ(pread(d, b, 4096, MIB - 100), 100);
	finish(d);
}

TEST(ranges_are_written)
{
	int d = start(), f = backing(MIB);
	unsigned long long range[2] = { 0 }, cs[5];	/* cachestat(2): cached, dirty, ... */
	char b[PAGE];

	OK(configure(d, f, 0, 0, 0));
	memset(b, 'x', sizeof(b));
	/* Of every length: the last page is written, too. */
	for (int n = 1; n <= 40; n++) {
		range[1] = n * PAGE;
		for (int i = 0; i < n; i++)
			EQ(pwrite(d, b, PAGE, i * PAGE), PAGE);
		OK(sync_file_range(d, 0, n * PAGE,
				   SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
					   SYNC_FILE_RANGE_WAIT_AFTER));
		OK((int)syscall(SYS_cachestat, d, range, cs, 0));
		EQ(cs[0], n);
		EQ(cs[1] + cs[2], 0);
	}
	finish(d);
}

/*
 * Memory that ends within what a write takes: what is there goes into a block that is read for it,
 * and the rest of the block stays.
 */
TEST(memory_that_ends)
{
	int d = start(), f = backing(MIB);
	char b[2 * PAGE], *m = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(m != MAP_FAILED);
	memset(b, 'o', sizeof(b));
	EQ(pwrite(f, b, sizeof(b), 65536), (ssize_t)sizeof(b));
	memset(m, 'n', 2 * PAGE);
	OK(munmap(m + 2 * PAGE, PAGE));
	OK(configure(d, f, 0, 0, 0));
	EQ(pwrite(d, m + 2 * PAGE - 100, PAGE, 65536), 100);
	EQ(pwrite(d, m + PAGE - 50, 3 * PAGE, 65536 + PAGE), PAGE + 50);
	ERR(pwrite(d, m + 2 * PAGE, PAGE, 65536), EFAULT);
	EQ(pread(d, b, sizeof(b), 65536), (ssize_t)sizeof(b));
	CHECK(b[0] == 'n' && b[99] == 'n' && b[100] == 'o' && b[PAGE - 1] == 'o' &&
	      b[PAGE] == 'n' && b[2 * PAGE - 1] == 'n');
	EQ(pread(d, b, 100, 65536 + 2 * PAGE), 100);
	CHECK(b[0] == 'n' && b[49] == 'n' && !b[50] && !b[99]);
	finish(d);
	munmap(m, 2 * PAGE);
	close(f);
}

/* Any range may be asked for; it ends with the device, at once. */
TEST(readahead_behind_the_end)
{
	int d = start(), f = backing(MIB);

	OK(configure(d, f, 0, 0, 0));
	OK(readahead(d, 0, SIZE_MAX));
	OK(readahead(d, 4096, SIZE_MAX));
	OK(readahead(d, MIB, 1));
	OK(readahead(d, INT64_MAX, SIZE_MAX));
	OK(posix_fadvise(d, 0, INT64_MAX, POSIX_FADV_WILLNEED));
	finish(d);
	close(f);
}

TEST(offset_limit_size)
{
	int d = start(), f = backing(MIB);
	struct loop_info64 i;
	char b[512];

	EQ(pwrite(f, "at", 2, 8192), 2);
	OK(configure(d, f, 0, 8192, 4096));
	EQ(size_of(d), 4096);
	EQ(pread(d, b, 2, 0), 2);
	CHECK(!memcmp(b, "at", 2));
	OK(ioctl(d, LOOP_GET_STATUS64, &i));
	EQ(i.lo_offset, 8192);
	EQ(i.lo_sizelimit, 4096);
	struct loop_info old;

	OK(ioctl(d, LOOP_GET_STATUS, &old));
	EQ(old.lo_offset, 8192);
	EQ(pwrite(d, "new", 3, 1024), 3); /* cached still when the device gets another place */
	i.lo_sizelimit = 0;
	i.lo_offset = 0;
	OK(ioctl(d, LOOP_SET_STATUS64, &i));
	EQ(size_of(d), MIB);
	EQ(pread(f, b, 3, 8192 + 1024), 3);
	CHECK(!memcmp(b, "new", 3));
	EQ(pread(d, b, 2, 8192), 2);
	CHECK(!memcmp(b, "at", 2));
	OK(ftruncate(f, 2 * MIB));
	EQ(size_of(d), MIB);
	OK(ioctl(d, LOOP_SET_CAPACITY));
	EQ(size_of(d), 2 * MIB);
	i.lo_encrypt_type = LO_CRYPT_XOR;
	ERR(ioctl(d, LOOP_SET_STATUS64, &i), EINVAL);
	ERR(ioctl(d, LOOP_SET_BLOCK_SIZE, 1000), EINVAL);
	OK(ioctl(d, LOOP_SET_BLOCK_SIZE, 4096));
	int n;

	OK(ioctl(d, BLKSSZGET, &n));
	EQ(n, 4096);
	finish(d);
}

TEST(read_only)
{
	unsigned long long range[2] = { 0, PAGE };
	int d = start(), f, n;
	struct loop_info64 i;

	close(backing(MIB));
	f = OK(open(IMAGE, O_RDONLY));
	OK(configure(d, f, 0, 0, 0));
	OK(ioctl(d, LOOP_GET_STATUS64, &i));
	CHECK(i.lo_flags & LO_FLAGS_READ_ONLY);
	OK(ioctl(d, BLKROGET, &n));
	EQ(n, 1);
	ERR(pwrite(d, "x", 1, 0), EPERM);
	ERR(ioctl(d, BLKDISCARD, range), EPERM);
	ERR(ioctl(d, BLKZEROOUT, range), EPERM);
	ERR(fallocate(d, FALLOC_FL_ZERO_RANGE, 0, PAGE), EPERM);
	finish(d);
}

TEST(what_cannot_be_one)
{
	int d = start(), p[2], f = backing(MIB), e;
	struct loop_config c = { .fd = 999 };

	ERR(ioctl(d, LOOP_CONFIGURE, &c), EBADF);
	OK(pipe(p));
	ERR(ioctl(d, LOOP_SET_FD, p[0]), EINVAL);
	e = OK(open(dev, O_RDWR));
	ERR(ioctl(d, LOOP_SET_FD, e), EBADF);
	close(e);
	ERR(configure(d, f, 0x8000, 0, 0), EINVAL);
	ERR(ioctl(d, LOOP_CLR_FD), ENXIO);
	ERR(ioctl(control, LOOP_CTL_ADD, number), EEXIST);
	ERR(ioctl(control, LOOP_CTL_REMOVE, 99999), ENODEV);
	OK(ioctl(d, LOOP_SET_FD, f));
	ERR(ioctl(control, LOOP_CTL_REMOVE, number), EBUSY);
	finish(d);
}

/* The numbers of devices from loop7000 on, as D lists them up to MOST, to NUMBERS. */
static int listed(DIR *d, int *numbers, int most)
{
	struct dirent *e;
	int n = 0;

	while (n < most && (e = readdir(d)))
		if (!strncmp(e->d_name, "loop7", 5) && atoi(e->d_name + 4) >= 7000)
			numbers[n++] = atoi(e->d_name + 4);
	return n;
}

/* What a program lists while entries go: each one that stays is listed, and once. */
TEST(listed_while_they_go)
{
	enum { FIRST = 7000, MANY = 600 };
	static int numbers[MANY + 1], rest[MANY + 1];
	int d = start(), before, after;
	DIR *dir;

	for (int i = 0; i < MANY; i++)
		EQ(ioctl(control, LOOP_CTL_ADD, FIRST + i), FIRST + i);
	dir = opendir("/sys/block");
	CHECK(dir != NULL);
	/* The library (musl) asks for 2 KiB at a time: most are not read yet. */
	before = listed(dir, numbers, 50);
	EQ(before, 50);
	for (int i = 0; i < before; i++)
		OK(ioctl(control, LOOP_CTL_REMOVE, numbers[i]));
	after = listed(dir, rest, MANY + 1);
	EQ(after, MANY - before);
	for (int i = 0; i < after; i++)
		OK(ioctl(control, LOOP_CTL_REMOVE, rest[i])); /* fails, if it was there twice */
	closedir(dir);
	close(d);
	close(control);
}

/*
 * Paths that are walked while what they name goes: names are there or not, and nothing is read that
 * is freed.
 */
TEST(walked_while_they_go)
{
	enum { WALKERS = 3, ROUNDS = 300, WHICH = 7900 };
	pid_t walkers[WALKERS];
	int d = start();

	for (int i = 0; i < WALKERS; i++) {
		walkers[i] = OK(fork());
		while (!walkers[i]) {
			int f = open("/sys/block/loop7900/dev", O_RDONLY);

			if (f >= 0)
				close(f);
			else if (errno != ENOENT && errno != ENODEV)
				_exit(1);
		}
	}
	for (int i = 0; i < ROUNDS; i++) {
		EQ(ioctl(control, LOOP_CTL_ADD, WHICH), WHICH);
		OK(access("/sys/block/loop7900/dev", R_OK));
		OK(ioctl(control, LOOP_CTL_REMOVE, WHICH));
		ERR(access("/sys/block/loop7900/dev", R_OK), ENOENT);
	}
	for (int i = 0; i < WALKERS; i++) {
		int status;

		OK(kill(walkers[i], SIGKILL));
		EQ(waitpid(walkers[i], &status, 0), walkers[i]);
		EQ(status, SIGKILL);
	}
	close(d);
	close(control);
}

TEST(clearing_itself)
{
	int d = start(), f = backing(MIB), again;
	struct stat st;

	OK(configure(d, f, LO_FLAGS_AUTOCLEAR, 0, 0));
	again = OK(open(dev, O_RDONLY));
	close(d);
	EQ(size_of(again), MIB);
	close(again);
	again = OK(open(dev, O_RDONLY));
	EQ(size_of(again), 0);
	close(again);
	OK(fstat(f, &st));
	EQ(ioctl(control, LOOP_CTL_REMOVE, number), number);
	unlink(IMAGE);
}

/* An MBR with a partition: its node comes and goes, and reads at its place. */
TEST(partitions)
{
	unsigned char mbr[512] = { 0 };
	int d = start(), f = backing(MIB), p;
	char path[48], b[4];

	mbr[446 + 4] = 0x83;
	mbr[446 + 8] = 8;			/* starts at sector 8, 16 sectors */
	mbr[446 + 12] = 16;
	mbr[510] = 0x55;
	mbr[511] = 0xaa;
	EQ(pwrite(f, mbr, 512, 0), 512);
	EQ(pwrite(f, "part", 4, 8 * 512), 4);
	OK(configure(d, f, LO_FLAGS_PARTSCAN, 0, 0));
	snprintf(path, sizeof(path), "/dev/loop%dp1", number);
	p = OK(open(path, O_RDONLY));
	EQ(size_of(p), 16 * 512);
	EQ(pread(p, b, 4, 0), 4);
	CHECK(!memcmp(b, "part", 4));
	ERR(ioctl(d, BLKRRPART), EBUSY);
	close(p);
	mbr[446 + 12] = 24;
	EQ(pwrite(d, mbr, 512, 0), 512);
	OK(fsync(d));
	OK(ioctl(d, BLKRRPART));
	p = OK(open(path, O_RDONLY));
	EQ(size_of(p), 24 * 512);
	close(p);

	/* One that the table has end behind the disk is cut, one that begins there is none. */
	memcpy(mbr + 446 + 16,
	       (unsigned char[]){ 0, 0, 0, 0, 0x83, 0, 0, 0, 0xd0, 7, 0, 0, 0x88, 0x13, 0, 0 }, 16);
	memcpy(mbr + 446 + 32,
	       (unsigned char[]){ 0, 0, 0, 0, 0x83, 0, 0, 0, 0, 8, 0, 0, 8, 0, 0, 0 }, 16);
	EQ(pwrite(d, mbr, 512, 0), 512);
	OK(fsync(d));
	OK(ioctl(d, BLKRRPART));
	path[strlen(path) - 1] = '2';
	p = OK(open(path, O_RDWR));
	EQ(size_of(p), 48 * 512);
	EQ(pread(p, b, 4, 48 * 512 - 2), 2);
	EQ(pwrite(p, b, 4, 48 * 512 - 2), 2);
	ERR(pwrite(p, b, 4, 48 * 512), ENOSPC);
	close(p);
	path[strlen(path) - 1] = '3';
	ERR(open(path, O_RDWR), ENOENT);
	finish(d);
	path[strlen(path) - 1] = '1';
	CHECK(access(path, F_OK));
}

static void mbr_entry(int f, int sector, int i, int type, unsigned int at, unsigned int n)
{
	unsigned char e[16] = { [4] = (unsigned char)type };

	memcpy(e + 8, &at, 4);
	memcpy(e + 12, &n, 4);
	EQ(pwrite(f, e, 16, sector * 512 + 446 + 16 * i), 16);
	EQ(pwrite(f, "\x55\xaa", 2, sector * 512 + 510), 2);
}

/* Logical partitions are numbered as they come in their chain, which may go back, as after one was deleted and another made. */
TEST(logical_partitions)
{
	int d = start(), f = backing(MIB), p;
	char path[48];

	mbr_entry(f, 0, 0, 5, 100, 1000);
	mbr_entry(f, 100, 1, 5, 500, 100);	/* has none */
	mbr_entry(f, 600, 0, 0x83, 8, 16);
	mbr_entry(f, 600, 1, 5, 200, 100);
	mbr_entry(f, 300, 0, 0x83, 8, 24);
	mbr_entry(f, 300, 1, 5, 500, 100);	/* a circle */
	OK(configure(d, f, LO_FLAGS_PARTSCAN, 0, 0));
	for (int i = 5; i < 7; i++) {
		snprintf(path, sizeof(path), "/dev/loop%dp%d", number, i);
		p = OK(open(path, O_RDONLY));
		EQ(size_of(p), (i == 5 ? 16 : 24) * 512);
		close(p);
	}
	snprintf(path, sizeof(path), "/dev/loop%dp7", number);
	ERR(open(path, O_RDONLY), ENOENT);
	finish(d);
	close(f);
}

static int part(int d, int op, int number, long long start, long long length)
{
	struct blkpg_partition p = { .start = start, .length = length, .pno = number };
	struct blkpg_ioctl_arg a = { .op = op, .datalen = sizeof(p), .data = &p };

	return ioctl(d, BLKPG, &a);
}

/* Partitions that no table names come, grow and go one by one. */
TEST(partitions_by_hand)
{
	int d = start(), f = backing(MIB), p, status;
	char path[48], b[4];
	pid_t pid;

	EQ(pwrite(f, "part", 4, 64 << 10), 4);
	OK(configure(d, f, 0, 0, 0));
	OK(part(d, BLKPG_ADD_PARTITION, 3, 64 << 10, 128 << 10));
	snprintf(path, sizeof(path), "/dev/loop%dp3", number);
	p = OK(open(path, O_RDWR));
	EQ(size_of(p), 128 << 10);
	EQ(pread(p, b, 4, 0), 4);
	CHECK(!memcmp(b, "part", 4));
	ERR(part(d, BLKPG_ADD_PARTITION, 3, 512 << 10, 512), EBUSY);
	ERR(part(d, BLKPG_ADD_PARTITION, 4, (192 << 10) - 512, 1024), EBUSY);
	ERR(part(d, BLKPG_ADD_PARTITION, 4, 100, 512), EINVAL);
	ERR(part(d, BLKPG_ADD_PARTITION, 4, 0, 0), EINVAL);
	ERR(part(d, BLKPG_ADD_PARTITION, 4, -512, 512), EINVAL);
	ERR(part(d, BLKPG_ADD_PARTITION, 4, MIB, 512), EINVAL);
	ERR(part(d, BLKPG_ADD_PARTITION, 4, MIB - 512, 1024), EINVAL);
	ERR(part(d, BLKPG_ADD_PARTITION, 0, 0, 512), EINVAL);
	ERR(part(d, BLKPG_ADD_PARTITION, 256, 0, 512), EINVAL);
	ERR(part(d, 9, 4, 0, 512), EINVAL);
	ERR(part(p, BLKPG_ADD_PARTITION, 4, 0, 512), EINVAL);	/* of a partition */
	ERR(ioctl(d, BLKPG, 8), EFAULT);
	OK(part(d, BLKPG_ADD_PARTITION, 4, 192 << 10, 512));
	ERR(part(d, BLKPG_RESIZE_PARTITION, 3, 64 << 10, 256 << 10), EBUSY);
	OK(part(d, BLKPG_DEL_PARTITION, 4, 0, 0));
	ERR(part(d, BLKPG_RESIZE_PARTITION, 3, 0, 64 << 10), EINVAL);
	ERR(part(d, BLKPG_RESIZE_PARTITION, 4, 0, 512), ENXIO);
	OK(part(d, BLKPG_RESIZE_PARTITION, 3, 64 << 10, 256 << 10));
	EQ(size_of(p), 256 << 10);
	EQ(pwrite(p, "tail", 4, (256 << 10) - 4), 4);
	ERR(part(d, BLKPG_DEL_PARTITION, 3, 0, 0), EBUSY);
	close(p);
	pid = OK(fork());
	if (!pid) {
		OK(setresuid(1000, 1000, 1000));
		ERR(part(d, BLKPG_DEL_PARTITION, 3, 0, 0), EACCES);
		_exit(0);
	}
	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, 0);
	OK(part(d, BLKPG_DEL_PARTITION, 3, 0, 0));
	ERR(part(d, BLKPG_DEL_PARTITION, 3, 0, 0), ENXIO);
	ERR(open(path, O_RDONLY), ENOENT);
	EQ(pread(d, b, 4, (320 << 10) - 4), 4);
	CHECK(!memcmp(b, "tail", 4));
	finish(d);
}

TEST(holes)
{
	int d = start(), f = backing(MIB);
	unsigned long long range[2] = { 65536, 262144 };
	char b[64];
	struct stat st;
	long before;

	OK(configure(d, f, 0, 0, 0));
	static char data[MIB];

	memset(data, 'd', sizeof(data));
	EQ(pwrite(d, data, sizeof(data), 0), sizeof(data));
	OK(fsync(d));
	OK(fstat(f, &st));
	before = (long)st.st_blocks;
	OK(ioctl(d, BLKDISCARD, range));
	EQ(pread(d, b, 64, 65536), 64);
	for (int i = 0; i < 64; i++)
		EQ(b[i], 0);
	EQ(pread(d, b, 1, 65535), 1);
	EQ(b[0], 'd');
	OK(fstat(f, &st));
	EQ(before - (long)st.st_blocks, 512);
	OK(ioctl(d, BLKZEROOUT, range));
	finish(d);
}

static volatile int reading;

static void *read_on(void *arg)
{
	char b[512];

	while (reading && pread(*(int *)arg, b, sizeof(b), 65536) > 0)
		;
	return NULL;
}

/* Who reads meanwhile does not bring the old data back into the cache. */
TEST(zeroes_under_a_reader)
{
	int d = start(), f = backing(MIB);
	unsigned long long range[2] = { 65536, 4096 };
	pthread_t t[2];
	char b[512];

	OK(configure(d, f, 0, 0, 0));
	reading = 1;
	for (int i = 0; i < 2; i++)
		EQ(pthread_create(&t[i], NULL, read_on, &d), 0);
	for (int i = 0; i < 100; i++) {
		memset(b, 'd', sizeof(b));
		EQ(pwrite(d, b, sizeof(b), 65536), sizeof(b));
		OK(ioctl(d, i & 1 ? BLKZEROOUT : BLKDISCARD, range));
		EQ(pread(d, b, sizeof(b), 65536), sizeof(b));
		for (int k = 0; k < 512; k++)
			EQ(b[k], 0);
	}
	reading = 0;
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	finish(d);
}

static void *sync_on(void *arg)
{
	(void)arg;
	while (reading)
		sync();
	return NULL;
}

/* Whatever others sync at the same time: after sync(2) all that was written before is below. */
TEST(sync_beside_others)
{
	int d = start(), f = backing(MIB), got;
	pthread_t t[2];

	OK(configure(d, f, 0, 0, 0));
	reading = 1;
	for (int i = 0; i < 2; i++)
		EQ(pthread_create(&t[i], NULL, sync_on, NULL), 0);
	for (int i = 1; i <= 100; i++) {
		EQ(pwrite(d, &i, sizeof(i), 65536), sizeof(i));
		sync();
		EQ(pread(f, &got, sizeof(got), 65536), sizeof(got));
		EQ(got, i);
	}
	reading = 0;
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	finish(d);
}

/* One upon another, and never in a circle. */
TEST(stacked)
{
	int d = start(), f = backing(MIB), second, e;
	char b[8], under[32];

	OK(configure(d, f, 0, 4096, 0));
	strcpy(under, dev);
	int n = OK(ioctl(control, LOOP_CTL_GET_FREE));

	CHECK(n != number);
	snprintf(dev, sizeof(dev), "/dev/loop%d", n);
	second = OK(open(dev, O_RDWR));
	OK(ioctl(second, LOOP_SET_FD, d));
	EQ(size_of(second), MIB - 4096);
	EQ(pwrite(second, "deep", 4, 512), 4);
	OK(fsync(second));
	OK(fsync(d));
	EQ(pread(f, b, 4, 4096 + 512), 4);
	CHECK(!memcmp(b, "deep", 4));
	e = OK(open(dev, O_RDWR));
	ERR(ioctl(d, LOOP_CHANGE_FD, e), EBADF);
	close(e);
	OK(ioctl(second, LOOP_CLR_FD));
	close(second);
	EQ(ioctl(control, LOOP_CTL_REMOVE, n), n);
	strcpy(dev, under);
	finish(d);
}

/*
 * Opened and closed from all sides while it lets go of its file each time: nothing written is lost.
 */
TEST(races)
{
	pid_t pid[3];
	int f;

	close(start());
	f = backing(MIB);
	for (int k = 0; k < 3; k++) {
		pid[k] = OK(fork());
		if (pid[k])
			continue;
		for (int i = 0; i < 150; i++) {
			int d = open(dev, O_RDWR);
			char b[4] = { (char)('a' + k), 0 };

			if (d < 0)
				continue;
			if (!configure(d, f, LO_FLAGS_AUTOCLEAR, 0, 0) &&
			    pwrite(d, b, 1, 512 * (k + 1)) != 1)
				_exit(1);
			fsync(d);
			close(d);
		}
		_exit(0);
	}
	for (int k = 0; k < 3; k++)
		CHECK(t_child_ok(pid[k]));
	int d = OK(open(dev, O_RDWR));

	EQ(size_of(d), 0);
	OK(configure(d, f, 0, 0, 0));
	finish(d);
}

static void says(const char *name, const char *want)
{
	char path[96], b[64] = "";
	int fd;

	snprintf(path, sizeof(path), "/sys/block/loop%d/queue/%s", number, name);
	fd = OK(open(path, O_RDONLY));
	CHECK(read(fd, b, sizeof(b) - 1) > 0);
	b[strcspn(b, "\n")] = 0;
	if (strcmp(b, want))
		FAIL("%s is %s, not %s", name, b, want);
	close(fd);
}

/* Its directory is found by its number, as libblkid and losetup do. */
TEST(found_by_number)
{
	int d = start(), f = backing(MIB);
	char path[96], target[96] = "", want[96];
	struct stat st;

	OK(configure(d, f, 0, 0, 0));
	OK(fstat(d, &st));
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(st.st_rdev), minor(st.st_rdev));
	snprintf(want, sizeof(want), "/block/loop%d", number);
	OK(readlink(path, target, sizeof(target) - 1));
	CHECK(strlen(target) >= strlen(want) &&
	      !strcmp(target + strlen(target) - strlen(want), want));
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/loop/backing_file", major(st.st_rdev),
		 minor(st.st_rdev));
	OK(access(path, R_OK));
	finish(d);
}

/* What its queue says of itself, and readahead, by ioctl and by file. */
TEST(the_queue)
{
	int d = start(), f = backing(MIB);
	char path[96];
	long ra = 0;

	OK(configure(d, f, 0, 0, 0));
	says("logical_block_size", "512");
	says("hw_sector_size", "512");
	says("rotational", "0");
	says("zoned", "none");
	OK(ioctl(d, BLKRAGET, &ra));
	EQ(ra, 256);
	says("read_ahead_kb", "128");
	OK(ioctl(d, BLKRASET, 512));
	OK(ioctl(d, BLKFRAGET, &ra));
	EQ(ra, 512);
	says("read_ahead_kb", "256");
	snprintf(path, sizeof(path), "/sys/block/loop%d/queue/read_ahead_kb", number);
	int q = OK(open(path, O_WRONLY));

	EQ(write(q, "64\n", 3), 3);
	ERR(write(q, "many\n", 5), EINVAL);
	OK(ioctl(d, BLKRAGET, &ra));
	EQ(ra, 128);
	ERR(ioctl(d, BLKRAGET, NULL), EFAULT);
	pid_t pid = OK(fork());

	if (!pid) {
		OK(setuid(1000));
		ERR(ioctl(d, BLKRASET, 512), EACCES);
		_exit(0);
	}
	CHECK(t_child_ok(pid));
	close(q);
	finish(d);
	close(f);
}

/* A disk on a file system of 1 MiB that claims to have 8. */
static int too_small(int *d)
{
	int f;

	*d = start();
	mkdir("/tmp/small", 0700);
	OK(mount("small", "/tmp/small", "tmpfs", 0, "size=1m"));
	f = OK(open("/tmp/small/img", O_RDWR | O_CREAT, 0600));
	OK(ftruncate(f, 8 * MIB));
	OK(configure(*d, f, 0, 0, 0));
	close(f);
	return OK(open(dev, O_RDWR));
}

static void end_small(int d)
{
	finish(d);
	umount2("/tmp/small", MNT_DETACH);
	rmdir("/tmp/small");
}

/* Each open file hears of a failed write once; the log has a line. */
TEST(a_write_that_fails)
{
	static char b[2 * MIB], log[1 << 18];
	int d, a = too_small(&d), late, n;
	char words[64];

	memset(b, 'x', sizeof(b));
	EQ(pwrite(a, b, sizeof(b), 0), sizeof(b));
	ERR(fsync(a), EIO);
	OK(fsync(a));
	ERR(fdatasync(d), EIO);
	OK(fdatasync(d));
	late = OK(open(dev, O_RDWR));		/* it came after the news */
	OK(fsync(late));
	EQ(pwrite(late, b, sizeof(b), 0), sizeof(b));
	ERR(sync_file_range(late, 0, 0, SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER), EIO);
	OK(fsync(late));
	ERR(fsync(a), EIO);
	OK(fsync(a));
	EQ(pread(a, words, 2, MIB + MIB / 2), 2);	/* what was written is still to be read */
	CHECK(words[0] == 'x');
	n = OK(klogctl(3, log, sizeof(log) - 1));
	log[n] = 0;
	snprintf(words, sizeof(words), "I/O error, dev loop%d, sector ", number);
	CHECK(strstr(log, words));
	close(late);
	close(a);
	end_small(d);
}

static void setting(const char *name, const char *value)
{
	char path[64];
	int f;

	snprintf(path, sizeof(path), "/proc/sys/vm/%s", name);
	f = OK(open(path, O_WRONLY));
	EQ(write(f, value, strlen(value)), (ssize_t)strlen(value));
	close(f);
}

/* Data is written back by itself when it is as old as vm.dirty_expire_centisecs, and not before. */
TEST(old_data_is_written)
{
	int d = start(), f = backing(MIB);
	char b[PAGE];

	OK(configure(d, f, 0, 0, 0));
	setting("dirty_expire_centisecs", "360000");
	setting("dirty_writeback_centisecs", "1");
	memset(b, 'x', sizeof(b));
	EQ(pwrite(d, b, sizeof(b), 0), PAGE);
	usleep(300000);			/* thirty looks at what is old; a wrong kernel needs one */
	EQ(pread(f, b, 1, 0), 1);
	EQ(b[0], 0);
	setting("dirty_expire_centisecs", "0");
	do {
		usleep(1000);
		EQ(pread(f, b, 1, 0), 1);
	} while (b[0] != 'x');
	setting("dirty_expire_centisecs", "3000");
	setting("dirty_writeback_centisecs", "500");
	finish(d);
	close(f);
}

/* sync(2) writes what devices have in their own caches. */
TEST(sync_of_devices)
{
	int d = start(), f = backing(MIB);
	char b[PAGE];

	OK(configure(d, f, 0, 0, 0));
	memset(b, 'x', sizeof(b));
	EQ(pwrite(d, b, sizeof(b), 0), PAGE);
	sync();
	EQ(pread(f, b, 1, 0), 1);
	EQ(b[0], 'x');
	finish(d);
	close(f);
}

/* A device that knows no shorter way has zeroes written to it; holes it cannot make. */
TEST(zeroes_written)
{
	unsigned long long range[2] = { 4 * PAGE, MIB / 2 };
	int d = start(), f = backing(MIB), lower = number, upper;
	char b[PAGE], outer[32];

	OK(configure(d, f, 0, 0, 0));
	upper = OK(ioctl(control, LOOP_CTL_GET_FREE));
	snprintf(outer, sizeof(outer), "/dev/loop%d", upper);
	int u = OK(open(outer, O_RDWR));

	OK(configure(u, d, 0, 0, 0));
	memset(b, 'x', sizeof(b));
	for (int i = 0; i < MIB / PAGE; i++)
		EQ(pwrite(u, b, PAGE, i * PAGE), PAGE);
	OK(fsync(u));
	range[1] = 0;
	ERR(ioctl(u, BLKZEROOUT, range), EINVAL);
	ERR(ioctl(d, BLKDISCARD, range), EINVAL);
	range[0] = 0;
	ERR(ioctl(u, BLKZEROOUT, range), EINVAL);
	range[0] = 4 * PAGE;
	range[1] = MIB / 2;
	OK(ioctl(u, BLKZEROOUT, range));
	OK(fsync(d));
	for (int i = 0; i < MIB / PAGE; i++) {
		int want = i >= 4 && i < 4 + MIB / 2 / PAGE ? 0 : 'x';

		EQ(pread(u, b, PAGE, i * PAGE), PAGE);
		CHECK(b[0] == want && b[PAGE - 1] == want);
		EQ(pread(f, b, PAGE, i * PAGE), PAGE);
		CHECK(b[0] == want && b[PAGE - 1] == want);
	}
	ERR(fallocate(u, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE), EOPNOTSUPP);
	OK(fallocate(u, FALLOC_FL_ZERO_RANGE, 0, PAGE));
	EQ(pread(u, b, 1, 0), 1);
	EQ(b[0], 0);
	/* What goes beyond the end is cut only by a call that keeps the size. */
	ERR(fallocate(u, FALLOC_FL_ZERO_RANGE, MIB - PAGE, 2 * PAGE), EINVAL);
	EQ(pread(u, b, 1, MIB - PAGE), 1);
	EQ(b[0], 'x');
	OK(fallocate(u, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, MIB - PAGE, 2 * PAGE + 1));
	EQ(pread(u, b, 1, MIB - PAGE), 1);
	EQ(b[0], 0);
	OK(ioctl(u, LOOP_CLR_FD));
	close(u);
	EQ(ioctl(control, LOOP_CTL_REMOVE, upper), upper);
	number = lower;
	finish(d);
	close(f);
}

/* A device that can make no holes refuses, and keeps what is there: also in its cache. */
TEST(refused_and_kept)
{
	unsigned long long range[2] = { 512, 512 };
	int d = start(), f = backing(MIB), lower = number, upper;
	char b[PAGE], outer[32];

	OK(configure(d, f, 0, 0, 0));
	upper = OK(ioctl(control, LOOP_CTL_GET_FREE));
	snprintf(outer, sizeof(outer), "/dev/loop%d", upper);
	int u = OK(open(outer, O_RDWR));

	OK(configure(u, d, 0, 0, 0));
	memset(b, 'x', sizeof(b));
	EQ(pwrite(u, b, PAGE, 0), PAGE);
	ERR(ioctl(u, BLKDISCARD, range), EOPNOTSUPP);
	ERR(fallocate(u, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2048, 512), EOPNOTSUPP);
	for (int i = 0; i < 2; i++) {
		EQ(pread(i ? f : u, b, PAGE, 0), PAGE);
		EQ(b[512], 'x');
		EQ(b[2048], 'x');
		OK(fsync(u));
		OK(fsync(d));
	}
	OK(ioctl(u, BLKZEROOUT, range));
	EQ(pread(u, b, PAGE, 0), PAGE);
	CHECK(b[511] == 'x' && !b[512] && !b[1023] && b[1024] == 'x');
	OK(ioctl(u, LOOP_CLR_FD));
	close(u);
	EQ(ioctl(control, LOOP_CTL_REMOVE, upper), upper);
	number = lower;
	finish(d);
	close(f);
}

/* LOOP_CHANGE_FD: from then on the other file's data are read, also where the device had them in its cache. */
TEST(another_file)
{
	int d = start(), a, b;
	char data[PAGE];

	a = backing(MIB);
	memset(data, 'a', PAGE);
	EQ(pwrite(a, data, PAGE, 0), PAGE);
	b = OK(open("/tmp/loop2.img", O_RDWR | O_CREAT | O_TRUNC, 0600));
	OK(ftruncate(b, MIB));
	memset(data, 'b', PAGE);
	EQ(pwrite(b, data, PAGE, 0), PAGE);
	OK(configure(d, a, LO_FLAGS_READ_ONLY, 0, 0));
	EQ(pread(d, data, PAGE, 0), PAGE);
	EQ(data[0], 'a');
	OK(ioctl(d, LOOP_CHANGE_FD, b));
	EQ(pread(d, data, PAGE, 0), PAGE);
	EQ(data[0], 'b');
	finish(d);
	OK(unlink("/tmp/loop2.img"));
	close(a);
	close(b);
}

/* BLKROSET keeps new writes out; what was written before comes to the disk. */
TEST(set_read_only)
{
	int d = start(), f = backing(MIB), on = 1;
	char b[PAGE];

	OK(configure(d, f, 0, 0, 0));
	memset(b, 'x', sizeof(b));
	EQ(pwrite(d, b, PAGE, 0), PAGE);
	OK(ioctl(d, BLKROSET, &on));
	OK(ioctl(d, BLKROGET, &on));
	EQ(on, 1);
	ERR(pwrite(d, b, PAGE, PAGE), EPERM);
	OK(fsync(d));
	EQ(pread(f, b, 1, 0), 1);
	EQ(b[0], 'x');
	on = 0;
	OK(ioctl(d, BLKROSET, &on));
	EQ(pwrite(d, b, PAGE, PAGE), PAGE);
	finish(d);
	close(f);
}
