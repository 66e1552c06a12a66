// SPDX-License-Identifier: MIT
/*
 * What /proc/diskstats and the files stat and inflight in /sys count: requests of a disk and of
 * each of its partitions. The disk is a loop device with a partition in the middle.
 */
#include <linux/blkpg.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include "t.h"

#define IMAGE "/tmp/diskstats.img"
#define MIB (1 << 20)
#define FIELDS 17
enum {
	READS,
	READ_MERGES,
	READ_SECTORS,
	READ_MS,
	WRITES,
	WRITE_MERGES,
	WRITE_SECTORS,
	WRITE_MS,
	IN_FLIGHT,
	BUSY_MS,
	ALL_MS,
	DISCARDS,
	DISCARD_MERGES,
	DISCARD_SECTORS,
	DISCARD_MS,
	FLUSHES,
	FLUSH_MS
};

static int number;

struct stats {
	unsigned long long at[FIELDS];
};

static int fields(const char *from, struct stats *s)
{
	char *end;
	int n = 0;

	for (; n < FIELDS; from = end, n++) {
		s->at[n] = strtoull(from, &end, 10);
		if (end == from)
			break;
	}
	CHECK(*from == '\n');
	return n;
}

static void slurp(const char *path, char *to, size_t size)
{
	int f = OK(open(path, O_RDONLY));
	size_t n = 0;
	ssize_t got;

	while ((got = OK((int)read(f, to + n, size - 1 - n))) > 0)
		n += (size_t)got;
	to[n] = 0;
	close(f);
}

/* Of the disk, or of its partition. */
static struct stats of(const char *part)
{
	char path[80], line[400];
	struct stats s;

	snprintf(path, sizeof(path), "/sys/class/block/loop%d%s/stat", number, part);
	slurp(path, line, sizeof(line));
	EQ(fields(line, &s), FIELDS);
	return s;
}

static struct stats since(const struct stats *old, const char *part)
{
	struct stats s = of(part);

	for (int i = 0; i < FIELDS; i++)
		s.at[i] -= old->at[i];
	return s;
}

static int start(void)
{
	struct loop_config c = { .info.lo_flags = LO_FLAGS_PARTSCAN };
	struct blkpg_partition p = { .start = 256 << 10, .length = 512 << 10, .pno = 1 };
	struct blkpg_ioctl_arg a = { .op = BLKPG_ADD_PARTITION, .datalen = sizeof(p), .data = &p };
	int control = open("/dev/loop-control", O_RDWR), d, f;
	char path[40];

	if (control < 0 && errno == ENOENT)
		SKIP("no loop devices");
	CHECK(control >= 0);
	f = OK(open(IMAGE, O_RDWR | O_CREAT | O_TRUNC, 0600));
	OK(ftruncate(f, MIB));
	number = OK(ioctl(control, LOOP_CTL_GET_FREE));
	snprintf(path, sizeof(path), "/dev/loop%d", number);
	d = OK(open(path, O_RDWR | O_DIRECT));
	c.fd = (unsigned int)f;
	OK(ioctl(d, LOOP_CONFIGURE, &c));
	OK(ioctl(d, BLKPG, &a));
	close(control);
	close(f);
	return d;
}

static void finish(int d)
{
	OK(ioctl(d, LOOP_CLR_FD));
	close(d);
	unlink(IMAGE);
}

static int open_part(void)
{
	char path[40];

	snprintf(path, sizeof(path), "/dev/loop%dp1", number);
	return OK(open(path, O_RDWR | O_DIRECT));
}

TEST(a_partition_counts_and_its_disk_does_too)
{
	int d = start(), p = open_part();
	struct stats disk = of(""), part = of("p1"), s;
	static _Alignas(4096) char page[4096];

	memset(page, 7, 4096);
	for (int i = 0; i < 3; i++)
		EQ(pwrite(p, page, 4096, i * 8192), 4096);
	for (int i = 0; i < 2; i++)
		EQ(pread(p, page, 1024, i * 4096), 1024);
	EQ(pread(d, page, 4096, 0), 4096);
	s = since(&part, "p1");
	EQ(s.at[WRITES], 3);
	EQ(s.at[WRITE_SECTORS], 24);
	EQ(s.at[READS], 2);
	EQ(s.at[READ_SECTORS], 4);
	s = since(&disk, "");
	EQ(s.at[WRITES], 3);
	EQ(s.at[WRITE_SECTORS], 24);
	EQ(s.at[READS], 3);
	EQ(s.at[READ_SECTORS], 12);
	close(p);
	finish(d);
}

/* Flushes are the disk's; one without data is also a write of no sectors. */
TEST(flushes_and_discards)
{
	unsigned long long range[2] = { 0, 8192 };
	int d = start(), p = open_part();
	struct stats disk = of(""), part = of("p1"), s;

	OK(fsync(p));
	OK(fsync(d));
	OK(ioctl(p, BLKDISCARD, range));
	s = since(&part, "p1");
	EQ(s.at[WRITES], 1);
	EQ(s.at[WRITE_SECTORS], 0);
	EQ(s.at[DISCARDS], 1);
	EQ(s.at[DISCARD_SECTORS], 16);
	EQ(s.at[FLUSHES], 0);
	EQ(s.at[FLUSH_MS], 0);
	s = since(&disk, "");
	EQ(s.at[WRITES], 2);
	EQ(s.at[DISCARDS], 1);
	EQ(s.at[DISCARD_SECTORS], 16);
	EQ(s.at[FLUSHES], 2);
	EQ(s.at[READS], 0);
	close(p);
	finish(d);
}

/* Neither a place behind the end nor zeroes that are written are discards. */
TEST(zeroes_are_writes)
{
	unsigned long long range[2] = { 0, 8192 };
	int d = start(), p = open_part();
	struct stats part = of("p1"), s;
	static _Alignas(4096) char page[4096];

	OK(ioctl(p, BLKZEROOUT, range));
	EQ(pread(p, page, 4096, 512 << 10), 0);
	s = since(&part, "p1");
	/* Twice where the file below cannot zero a range. */
	CHECK(s.at[WRITES] >= 1 && s.at[WRITE_SECTORS] >= 16);
	EQ(s.at[DISCARDS], 0);
	EQ(s.at[READS], 0);
	close(p);
	finish(d);
}

TEST(nothing_is_in_flight_where_all_is_done)
{
	int d = start();
	char path[80], line[400];

	snprintf(path, sizeof(path), "/sys/block/loop%d/inflight", number);
	slurp(path, line, sizeof(line));
	CHECK(!strcmp(line, "       0        0\n"));
	snprintf(path, sizeof(path), "/sys/block/loop%d/loop%dp1/inflight", number, number);
	slurp(path, line, sizeof(line));
	CHECK(!strcmp(line, "       0        0\n"));
	EQ(of("").at[IN_FLIGHT], 0);
	finish(d);
}

TEST(proc_and_sys_say_the_same)
{
	static char all[1 << 16];
	int d = start(), p = open_part();
	static _Alignas(4096) char page[4096];
	char name[40], *at;
	const char *const parts[] = { "", "p1" };
	struct stats s, t;

	EQ(pread(p, page, 4096, 0), 4096);
	slurp("/proc/diskstats", all, sizeof(all));
	for (int i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), " loop%d%s ", number, parts[i]);
		at = strstr(all, name);
		CHECK(at);
		EQ(fields(at + strlen(name), &s), FIELDS);
		t = of(parts[i]);
		for (int j = 0; j < FIELDS; j++)
			EQ(s.at[j], t.at[j]);
	}
	close(p);
	finish(d);
}
