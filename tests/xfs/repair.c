// SPDX-License-Identifier: MIT
/*
 * Run in the guest: repair DEVICE DIR [linux], a device with an XFS that nobody has mounted, and
 * where to mount it. Headers and trees of an AG are damaged on the device behind its back, and
 * repaired by the ioctl while it is mounted: checks find nothing then, the marks are gone, files
 * are as they were and can be written. Where the source is damaged all stays. The same on Linux,
 * where its kernel repairs (tests/command/xfs_repair_online.py).
 */
#define _GNU_SOURCE
#include "harm.h"
#include <linux/fs.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>

struct meta {
	uint32_t type, flags;
	uint64_t ino;
	uint32_t gen, agno;
	uint64_t reserved[5];
};
struct ag_geometry {
	uint32_t number, length, freeblks, icount, ifree, sick, checked, flags;
	uint64_t reserved[12];
};
#define SCRUB _IOWR('X', 60, struct meta)
#define AG_GEOMETRY _IOWR('X', 61, struct ag_geometry)

enum { PROBE, SB, AGF, AGFL, AGI, BNOBT, CNTBT, INOBT, FINOBT, RMAPBT, REFCNTBT, COUNTERS = 24 };
enum { REPAIR = 1, CORRUPT = 2, PREEN = 4, XFAIL = 8, XCORRUPT = 16, NO_NEED = 128, REBUILD = 256 };

static const char *dev, *dir;
static int root;
static int failures;
static int on_linux;

/* The flags that go out, or -errno. */
static int ask(unsigned type, unsigned agno, unsigned flags)
{
	struct meta m = { .type = type, .agno = agno, .flags = flags };

	return ioctl(root, SCRUB, &m) ? -errno : (int)(m.flags & 0xfe);
}

static unsigned sick(unsigned agno)
{
	struct ag_geometry g = { .number = agno };

	CHECK(!ioctl(root, AG_GEOMETRY, &g));
	return g.sick;
}

static void sound(const char *when)
{
	for (unsigned ag = 0; ag < 2; ag++) {
		for (unsigned type = SB; type <= REFCNTBT; type++) {
			int flags = ask(type, ag, 0);

			if (flags) {
				printf("%s: type %u of AG %u: %d\n", when, type, ag, flags);
				failures++;
			}
		}
		CHECK(!sick(ag));
	}
	if (ask(COUNTERS, 0, 0)) {
		printf("%s: counters: %d\n", when, ask(COUNTERS, 0, 0));
		failures++;
	}
}

/* ---- files ---- */

static char big[4096];

static void fill(void)
{
	int fd, to;

	memset(big, 'x', sizeof(big));
	CHECK((fd = open("holes", O_RDWR | O_CREAT, 0644)) >= 0);
	for (int i = 0; i < 400; i++)
		CHECK(pwrite(fd, big, 1024, i * 4096) == 1024);
	CHECK((to = open("shared", O_RDWR | O_CREAT, 0644)) >= 0 && !ioctl(to, FICLONE, fd));
	/* Some are shared by three. */
	CHECK(!close(to) && (to = open("thrice", O_RDWR | O_CREAT, 0644)) >= 0);
	CHECK(!ioctl(to, FICLONE, fd) && !ftruncate(to, 100 * 4096));
	CHECK(!close(to) && (to = open("cut", O_RDWR | O_CREAT, 0644)) >= 0);
	for (int i = 0; i < 200; i++)
		CHECK(pwrite(to, big, 4096, i * 4096) == 4096);
	CHECK(!fsync(to));
	for (int i = 0; i < 400; i++)
		CHECK(!fallocate(to, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, i * 2048, 1024));
	CHECK(!close(fd) && !close(to));
	for (int i = 0; i < 300; i++) {
		char name[20];

		sprintf(name, "f%d", i);
		CHECK((fd = open(name, O_RDWR | O_CREAT, 0644)) >= 0 && !close(fd));
		if (i % 3 == 1)
			CHECK(!unlink(name));
	}
	sync();
}

static uint64_t sum_of(const char *name)
{
	static unsigned char b[1 << 16];
	uint64_t sum = 14695981039346656037ull;
	int fd = open(name, O_RDONLY);
	ssize_t n;

	CHECK(fd >= 0);
	while ((n = read(fd, b, sizeof(b))) > 0)
		for (ssize_t i = 0; i < n; i++)
			sum = (sum ^ b[i]) * 1099511628211ull;
	CHECK(!n && !close(fd));
	return sum;
}

static uint64_t contents(void)
{
	return sum_of("holes") ^ sum_of("shared") * 3 ^ sum_of("thrice") * 5 ^ sum_of("cut") * 7;
}

/* The trees are changed: a file is made, written, shared, and goes. */
static void work(void)
{
	int fd = open("work", O_RDWR | O_CREAT | O_EXCL, 0644), to;

	CHECK(fd >= 0);
	for (int i = 0; i < 40; i++)
		CHECK(pwrite(fd, big, 2048, i * 5000) == 2048);
	CHECK(!fsync(fd) && (to = open("work2", O_RDWR | O_CREAT | O_EXCL, 0644)) >= 0);
	CHECK(!ioctl(to, FICLONE, fd) && !close(to) && !close(fd));
	CHECK(!unlink("work") && !unlink("work2"));
	sync();
}

/* ---- damage ---- */

static uint32_t crc32c(uint32_t crc, const unsigned char *p, size_t n)
{
	while (n--) {
		crc ^= *p++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return crc;
}

static unsigned char good[65536], bad[65536];

/* WIDTH bytes at OFF of the LEN at AT become NEW, and the checksum at CRC right; 0: it stays. */
static void spoil(uint64_t at, size_t len, size_t crc, size_t off, int width, uint64_t new)
{
	uint32_t sum;

	forget();
	read_at(at, good, len);
	memcpy(bad, good, len);
	for (int i = 0; i < width; i++)
		bad[off + (size_t)i] = (unsigned char)(new >> 8 * (width - 1 - i));
	CHECK(memcmp(good, bad, len));
	if (crc) {
		memset(bad + crc, 0, 4);
		sum = ~crc32c(~0u, bad, len);
		memcpy(bad + crc, &sum, 4);
	}
	CHECK(pwrite(raw, bad, len, (off_t)at) == (ssize_t)len && !fsync(raw));
	forget();
}

static void mended(const char *what, unsigned type, unsigned agno)
{
	uint64_t was = contents();
	int found = ask(type, agno, 0), flags = ask(type, agno, REPAIR);

	printf("%s: %d, repair: %d\n", what, found, flags);
	if (!(found & (CORRUPT | XCORRUPT | PREEN)) || flags)
		failures++;
	sound(what);
	work();
	sound("after work");
	forget();
	sound("read again");
	CHECK(contents() == was);
}

static void one(const char *what, uint64_t at, size_t len, size_t crc, size_t off, int width,
		uint64_t new, unsigned type, unsigned agno)
{
	spoil(at, len, crc, off, width, new);
	mended(what, type, agno);
}

/* Of the device as it was at the last forget(). */
static uint64_t value(uint64_t at, int n)
{
	unsigned char b[8];

	read_at(at, b, (size_t)n);
	return be(b, n);
}

/* The block of AG 0 whose number is at OFF of the header in sector SECT. */
static uint64_t tree_at(unsigned sect, unsigned off)
{
	return ag_at(0) + value(ag_at(0) + sect * sector + off, 4) * block_size;
}

/* The first leaf below a root, by its first pointer behind the room of all keys of KEY bytes. */
static uint64_t leaf_of(uint64_t at, unsigned key)
{
	while (value(at + 4, 2))
		at = ag_at(0) +
		     value(at + 56 + (block_size - 56) / (key + 4) * key, 4) * block_size;
	return at;
}

static void headers(void)
{
	uint64_t sb = ag_at(1), agf = ag_at(0) + sector, agi = ag_at(0) + 2 * sector;
	uint64_t agfl = ag_at(0) + 3 * sector;
	int fd;

	forget();
	one("copy: name", sb, sector, 224, 108, 4, 0x61626364, SB, 1);
	one("copy: alignment", sb, sector, 224, 180, 4, 99, SB, 1);
	one("copy: checksum", sb, sector, 0, 224, 4, 0x11223344, SB, 1);
	one("AGF: longest", agf, sector, 216, 56, 4, value(agf + 56, 4) - 1, AGF, 0);
	one("AGF: blocks of owners", agf, sector, 216, 80, 4, value(agf + 80, 4) + 1, AGF, 0);
	one("AGF: checksum", agf, sector, 0, 216, 4, 0x11223344, AGF, 0);
	one("AGF: roots", agf, sector, 0, 16, 8, 0x0000000100000002, AGF, 0);
	/* Linux 7 reads what that says from beyond the AGFL, and dies. */
	if (!on_linux)
		one("AGF: free list", agf, sector, 0, 40, 8, 0x7fffffff00000002, AGF, 0);
	one("AGF: in AG 1", ag_at(1) + sector, sector, 0, 216, 4, 0x11223344, AGF, 1);
	one("AGFL: twice", agfl, sector, 32, 36 + 4 * value(agf + 40, 4), 4,
	    value(agfl + 40 + 4 * value(agf + 40, 4), 4), AGFL, 0);
	one("AGFL: checksum", agfl, sector, 0, 32, 4, 0x11223344, AGFL, 0);
	one("AGFL: a number", agfl, sector, 32, 36 + 4 * value(agf + 40, 4), 4, 0x7fffffff, AGFL,
	    0);
	one("AGI: new inode", agi, sector, 312, 32, 4, 0x7ffffff0, AGI, 0);
	one("AGI: blocks", agi, sector, 312, 336, 4, value(agi + 336, 4) + 1, AGI, 0);
	one("AGI: checksum", agi, sector, 0, 312, 4, 0x11223344, AGI, 0);
	one("AGI: roots", agi, sector, 0, 20, 8, 0x0000000100000002, AGI, 0);
	/* Files without a name stay in their lists. */
	CHECK((fd = open("f0", O_RDONLY)) >= 0 && !unlink("f0"));
	one("AGI: lists", agi, sector, 0, 40, 8, 0x7fffffff7fffffff, AGI, 0);
	CHECK(!close(fd));
	sync();
	sound("a list is empty again");
	forget();
}

static void trees(void)
{
	size_t b = block_size;

	one("bnobt: sibling", leaf_of(tree_at(1, 16), 8), b, 52, 12, 4, 0xffffffff, BNOBT, 0);
	one("bnobt: order", leaf_of(tree_at(1, 16), 8), b, 52, 64, 4, 1, BNOBT, 0);
	one("bnobt: checksum", leaf_of(tree_at(1, 16), 8), b, 0, 52, 4, 0x11223344, BNOBT, 0);
	one("bnobt: root", tree_at(1, 16), b, 52, 4, 2, 2, BNOBT, 0);
	one("cntbt: order", leaf_of(tree_at(1, 20), 8), b, 52, 60, 4, 30000, CNTBT, 0);
	one("cntbt: checksum", leaf_of(tree_at(1, 20), 8), b, 0, 52, 4, 0x11223344, CNTBT, 0);
	one("inobt: free", leaf_of(tree_at(2, 20), 4), b, 52, 56 + 8, 4, 0x12345678, INOBT, 0);
	one("inobt: checksum", leaf_of(tree_at(2, 20), 4), b, 0, 52, 4, 0x11223344, INOBT, 0);
	one("finobt: checksum", leaf_of(tree_at(2, 328), 4), b, 0, 52, 4, 0x11223344, FINOBT, 0);
	one("refcountbt: references", leaf_of(tree_at(1, 88), 4), b, 52, 64, 4, 9, REFCNTBT, 0);
	one("refcountbt: none", leaf_of(tree_at(1, 88), 4), b, 52, 64, 4, 1, REFCNTBT, 0);
	one("refcountbt: checksum", leaf_of(tree_at(1, 88), 4), b, 0, 52, 4, 0x11223344, REFCNTBT,
	    0);
}

static void begin(unsigned long flags)
{
	CHECK(!mount(dev, dir, "xfs", flags, NULL) && (root = open(dir, O_RDONLY)) >= 0);
	CHECK(!chdir(dir));
}

static void end(void)
{
	CHECK(!chdir("/") && !close(root) && !umount(dir));
}

/* ---- what is not repaired ---- */

static int call(unsigned type, unsigned flags)
{
	struct meta m = { .type = type, .flags = flags };

	return ioctl(root, SCRUB, &m) ? errno : 0;
}

static void by_user(void)
{
	pid_t pid = fork();
	int status;

	CHECK(pid >= 0);
	if (!pid) {
		CHECK(!setresgid(1000, 1000, 1000) && !setresuid(1000, 1000, 1000));
		CHECK(call(AGF, REPAIR) == EPERM);
		exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && !status);
}

static void refused(void)
{
	uint64_t leaf = leaf_of(tree_at(1, 24), 40), bno = leaf_of(tree_at(1, 16), 8);
	unsigned char keep[4], mess[4] = { 1, 2, 3, 4 };

	printf("what is refused\n");
	CHECK(ask(PROBE, 0, REPAIR) == 0 && ask(PROBE, 0, REPAIR | REBUILD) == 0);
	CHECK(ask(AGF, 0, REPAIR) == NO_NEED && ask(BNOBT, 1, REPAIR) == NO_NEED);
	CHECK(call(AGF, REBUILD) == EINVAL);
	CHECK(call(SB, REPAIR | REBUILD) == EOPNOTSUPP);	/* the first */
	by_user();
	/* The source is damaged as well: all stays as it is, with its mark. */
	spoil(bno, block_size, 52, 64, 4, 1);
	read_at(leaf + 52, keep, 4);
	CHECK(pwrite(raw, mess, 4, (off_t)leaf + 52) == 4 && !fsync(raw));
	forget();
	CHECK(ask(BNOBT, 0, REPAIR) & CORRUPT);
	CHECK(sick(0) & 1u << (BNOBT - 1));
	read_at(bno, good, block_size);
	CHECK(!memcmp(good, bad, block_size));
	CHECK(pwrite(raw, keep, 4, (off_t)leaf + 52) == 4 && !fsync(raw));
	forget();
	(void)ask(RMAPBT, 0, 0);
	CHECK(ask(BNOBT, 0, REPAIR) == 0);
	sound("the source is whole again");
	printf("the source was damaged\n");
}

static void rebuild(void)
{
	for (int round = 0; round < 3; round++) {
		for (unsigned ag = 0; ag < 2; ag++)
			for (unsigned type = SB; type <= REFCNTBT; type++) {
				int flags;

				if ((type == SB && !ag) || type == RMAPBT)
					continue;
				flags = ask(type, ag, REPAIR | REBUILD);
				if (flags) {
					printf("rebuild of %u of AG %u: %d\n", type, ag, flags);
					failures++;
				}
			}
		sound("rebuilt");
		printf("rebuilt\n");
		work();
	}
}

/* After a shutdown the log has the repair, or nothing of it. */
static void cut_off(void)
{
	for (unsigned type = AGF; type <= REFCNTBT; type++) {
		if (type == RMAPBT)
			continue;
		CHECK(ask(type, 0, REPAIR | REBUILD) == 0);
		if (type & 1)
			CHECK(!close(open("later", O_RDWR | O_CREAT, 0644)) && !unlink("later"));
		CHECK(!ioctl(root, _IOR('X', 125, uint32_t), &(uint32_t){ 2 }));
		end();
		begin(0);
		sound("cut off");
	}
	printf("cut off\n");
}

/* Repairs of both AGs while others change them. */
static void under_load(void)
{
	pid_t pids[3];

	for (int i = 0; i < 3; i++) {
		CHECK((pids[i] = fork()) >= 0);
		if (pids[i])
			continue;
		sprintf(big, "load%d", i);
		CHECK(!mkdir(big, 0755) && !chdir(big));
		for (;;)
			work();
	}
	for (int round = 0; round < 3; round++) {
		CHECK(!ask(COUNTERS, 0, REPAIR | REBUILD));
		for (unsigned type = AGF; type <= REFCNTBT; type++)
			for (unsigned ag = 0; ag < 2 && type != RMAPBT; ag++) {
				int flags = ask(type, ag, REPAIR | REBUILD);

				if (flags && flags != -EBUSY) {
					printf("load: %u of AG %u: %d\n", type, ag, flags);
					failures++;
				}
			}
	}
	for (int i = 0; i < 3; i++)
		CHECK(!kill(pids[i], SIGKILL) && waitpid(pids[i], NULL, 0) == pids[i]);
	sound("after the load");
	printf("under load\n");
}

/* Without space a repair leaves what is there. */
static void full(void)
{
	int fd = open("full", O_RDWR | O_CREAT, 0644), n = 0;

	CHECK(fd >= 0);
	for (off_t at = 0; pwrite(fd, big, 4096, at) == 4096; at += 4096)
		;
	CHECK(errno == ENOSPC);
	fsync(fd);
	for (unsigned type = AGF; type <= REFCNTBT; type++)
		for (unsigned ag = 0; ag < 2 && type != RMAPBT; ag++) {
			int flags = ask(type, ag, REPAIR | REBUILD);

			CHECK(!flags || flags == -ENOSPC);
			n += !!flags;
		}
	sound("full");
	CHECK(!close(fd) && !unlink("full"));
	sync();
	printf("full: %d refused\n", n);
}

/* ---- free space in single blocks ---- */

static off_t take_all(int fd, off_t at)
{
	for (off_t n = 1 << 20; n >= 1024; n /= 4)
		while (!fallocate(fd, 0, at, n))
			at += n;
	return at;
}

static void punch(int fd, off_t from, int n)
{
	for (int i = 0; i < n; i++)
		CHECK(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, from + i * 2048,
				 1024));
}

static unsigned free_of(unsigned ag, unsigned off)
{
	return (unsigned)value(ag_at(ag) + sector + off, 4);
}

/* No two free blocks of an AG touch, and the new trees take many of them whole. */
static void in_pieces(void)
{
	int fd = open("pieces", O_RDWR | O_CREAT, 0644);
	uint64_t none[2] = { 0, 0 };
	off_t end;

	CHECK(fd >= 0 && !ioctl(root, _IOWR('X', 114, uint64_t[2]), none));
	end = take_all(fd, 0) & ~2047l;
	/* These are what is left when the longer ones are taken. */
	punch(fd, 0, 2000);
	punch(fd, end / 2, 2000);
	(void)take_all(fd, end + 4096);
	punch(fd, 2000 * 2048, 600);
	punch(fd, end / 2 + 2000 * 2048, 600);
	CHECK(!fsync(fd));
	sound("in pieces");
	forget();
	for (unsigned ag = 0; ag < 2; ag++)
		printf("in pieces: AG %u: %u free, the longest %u\n", ag, free_of(ag, 52),
		       free_of(ag, 56));
	for (unsigned type = AGF; type <= REFCNTBT; type++)
		for (unsigned ag = 0; ag < 2 && type != RMAPBT; ag++) {
			int flags = ask(type, ag, REPAIR | REBUILD);

			if (flags) {
				printf("in pieces: %u of AG %u: %d\n", type, ag, flags);
				failures++;
			}
		}
	sound("in pieces, rebuilt");
	CHECK(!close(fd) && !unlink("pieces"));
	sync();
	printf("in pieces\n");
}

/* ---- sums ---- */

/*
 * The mount adds up what headers say: one of them, of LEN bytes at AT with its checksum at CRC, is
 * wrong BY so much at OFF then, and right later.
 */
static void sum(const char *what, uint64_t at, size_t crc, size_t off, int by)
{
	uint64_t was[3];

	end();
	forget();
	for (unsigned i = 0; i < 3; i++)
		was[i] = value(128 + i * 8, 8);
	spoil(at, sector, crc, off, 4, value(at + off, 4) + (uint64_t)(int64_t)by);
	begin(0);
	CHECK(pwrite(raw, good, sector, (off_t)at) == (ssize_t)sector && !fsync(raw));
	forget();
	printf("%s\n", what);
	CHECK(ask(COUNTERS, 0, 0) == CORRUPT);
	CHECK(ask(COUNTERS, 0, REPAIR) == 0 && ask(COUNTERS, 0, REPAIR) == NO_NEED);
	sound(what);
	end();
	forget();
	for (unsigned i = 0; i < 3; i++)
		CHECK(value(128 + i * 8, 8) == was[i]);
	begin(0);
}

static void sums(void)
{
	uint64_t agf = ag_at(1) + sector, agi = ag_at(0) + 2 * sector;

	/* Linux counts only what was not unmounted. */
	if (!on_linux) {
		sum("sums: inodes", agi, 312, 16, 64);
		sum("sums: free inodes", agi, 312, 28, -1);
		sum("sums: free blocks", agf, 216, 52, -5);
	}
	CHECK(ask(COUNTERS, 0, REPAIR | REBUILD) == 0);
}

int main(int argc, char **argv)
{
	uint64_t was;

	setvbuf(stdout, NULL, _IOLBF, 0);
	CHECK(argc == 3 || argc == 4);
	on_linux = argc == 4;
	dev = argv[1];
	dir = argv[2];
	open_device(dev);
	begin(0);
	if (ask(PROBE, 0, REPAIR) == -EOPNOTSUPP) {
		printf("repair: absent\nrepair: ok\n");
		return 0;
	}
	fill();
	CHECK(!ioctl(root, FS_IOC_SETFSLABEL, (char[FSLABEL_MAX]){ "a label" }));
	end();
	begin(0);
	was = contents();
	sound("at first");
	headers();
	trees();
	refused();
	rebuild();
	under_load();
	full();
	in_pieces();
	sums();
	cut_off();
	CHECK(contents() == was);
	end();
	begin(0);
	sound("mounted again");
	CHECK(contents() == was);
	end();
	begin(MS_RDONLY);
	CHECK(call(AGF, REPAIR) == EROFS);
	end();
	begin(0);
	CHECK(!ioctl(root, _IOR('X', 125, uint32_t), &(uint32_t){ 2 }));
	CHECK(call(AGF, REPAIR) == ESHUTDOWN);
	end();
	CHECK(!failures);
	printf("repair: ok\n");
	return 0;
}
