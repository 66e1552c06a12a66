// SPDX-License-Identifier: MIT
/*
 * Run in the guest: scrub DEVICE DIR, a device with an XFS that nobody has mounted, and where to
 * mount it. What online scrub says of a sound file system, of one damage a structure on the device
 * behind its back, and when it is whole again; errnos; vectors. The same on Linux
 * (tests/command/xfs_scrub.py).
 */
#define _GNU_SOURCE
#include "check.h"
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/fsmap.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct meta {
	uint32_t type, flags;
	uint64_t ino;
	uint32_t gen, agno;
	uint64_t reserved[5];
};
struct vec {
	uint32_t type, flags;
	int32_t ret;
	uint32_t reserved;
};
struct vec_head {
	uint64_t ino;
	uint32_t gen, agno, flags;
	uint16_t rest_us, nr;
	uint64_t reserved, vectors;
};
struct ag_geometry {
	uint32_t number, length, freeblks, icount, ifree, sick, checked, flags;
	uint64_t reserved[12];
};
_Static_assert(sizeof(struct meta) == 64 && sizeof(struct vec_head) == 40, "the ABI");
#define SCRUB _IOWR('X', 60, struct meta)
#define SCRUBV _IOWR('X', 64, struct vec_head)
#define AG_GEOMETRY _IOWR('X', 61, struct ag_geometry)

enum {
	PROBE,
	SB,
	AGF,
	AGFL,
	AGI,
	BNOBT,
	CNTBT,
	INOBT,
	FINOBT,
	RMAPBT,
	REFCNTBT,
	INODE,
	HEALTHY = 27
};
enum { REPAIR = 1, CORRUPT = 2, PREEN = 4, XFAIL = 8, XCORRUPT = 16, REBUILD = 256 };

static const char *dev, *dir;
static int raw, root;
static unsigned block_size, ag_blocks, sector;

static uint64_t be(const unsigned char *p, int n)
{
	uint64_t v = 0;

	while (n--)
		v = v << 8 | *p++;
	return v;
}

static uint32_t crc32c(uint32_t crc, const unsigned char *p, size_t n)
{
	while (n--) {
		crc ^= *p++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return crc;
}

static void read_at(uint64_t at, void *buf, size_t n)
{
	CHECK(pread(raw, buf, n, (off_t)at) == (ssize_t)n);
}

static void write_at(uint64_t at, const void *buf, size_t n)
{
	CHECK(pwrite(raw, buf, n, (off_t)at) == (ssize_t)n && !fsync(raw));
}

/* Whatever is in memory of the device and the file system and need not be. */
static void forget(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	CHECK(fd >= 0);
	sync();
	for (int i = 0; i < 8; i++)
		CHECK(write(fd, "3", 1) == 1);
	close(fd);
}

static uint64_t ag_at(unsigned agno)
{
	return (uint64_t)agno * ag_blocks * block_size;
}

/* ---- what is asked ---- */

static int ask(unsigned type, unsigned agno)
{
	struct meta m = { .type = type, .agno = agno };

	return ioctl(root, SCRUB, &m) ? -errno : (int)m.flags;
}

static struct ag_geometry geometry(unsigned agno)
{
	struct ag_geometry g = { .number = agno };

	CHECK(!ioctl(root, AG_GEOMETRY, &g));
	return g;
}

static void sound(void)
{
	for (unsigned ag = 0; ag < 2; ag++)
		for (unsigned type = SB; type <= REFCNTBT; type++) {
			int flags = ask(type, ag);

			if (flags)
				printf("sound: type %u of AG %u: %d\n", type, ag, flags);
			CHECK(!flags);
		}
	CHECK(!ask(PROBE, 0) && !ask(HEALTHY, 0) && ask(HEALTHY, 1) == -EINVAL);
	/* What was checked was found healthy. */
	CHECK(!geometry(0).sick && geometry(0).checked == 0x7ff);
}

/* ---- damage ---- */

static bool failed, no_mark;

/*
 * WIDTH bytes at OFF of the LEN at AT become NEW, and the checksum at CRC right (0: it stays): TYPE
 * says WANT, and nothing when all is whole again.
 */
static void one(const char *what, uint64_t at, size_t len, size_t crc, size_t off, int width,
		uint64_t new, unsigned type, unsigned agno, int want)
{
	static unsigned char good[65536], bad[65536];
	uint32_t bit = 1u << (type - 1), sum;
	struct ag_geometry g;
	int flags;

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
	write_at(at, bad, len);
	forget();
	flags = ask(type, agno);
	write_at(at, good, len);
	forget();
	/* The headers are read too, and what is in memory of them is as they are. */
	g = geometry(agno);
	printf("%s: %d, wanted %d, sick %x\n", what, flags, want, g.sick);
	failed |= flags != want;
	if (want & (CORRUPT | XCORRUPT))
		failed |= !(g.sick & bit) != no_mark || !(g.checked & bit);
	CHECK(!(g.sick & bit) || ask(HEALTHY, 0) == CORRUPT);
	/* What Linux marks in other structures as it reads is not told here. */
	for (unsigned t = SB; t <= REFCNTBT; t++)
		(void)ask(t, agno);
	CHECK(!ask(type, agno) && !(geometry(agno).sick & bit));
}

/* The block of AG 0 whose number is at OFF of the header in sector SECT. */
static uint64_t tree_at(unsigned sect, unsigned off)
{
	unsigned char b[4];

	read_at(ag_at(0) + sect * sector + off, b, 4);
	return ag_at(0) + be(b, 4) * block_size;
}

static uint64_t value(uint64_t at, int n)
{
	unsigned char b[8];

	read_at(at, b, (size_t)n);
	return be(b, n);
}

/* The first leaf below a root, by its first pointer behind the room of all keys of KEY bytes. */
static uint64_t leaf_of(uint64_t at, unsigned key)
{
	while (value(at + 4, 2))
		at = ag_at(0) +
		     value(at + 56 + (block_size - 56) / (key + 4) * key, 4) * block_size;
	return at;
}

static uint64_t last_leaf(uint64_t at, unsigned key)
{
	while (value(at + 4, 2))
		at = ag_at(0) + value(at + 56 + (block_size - 56) / (key + 4) * key +
					      4 * (value(at + 6, 2) - 1),
				      4) *
					block_size;
	return at;
}

static void headers(void)
{
	uint64_t sb = ag_at(1), agf = ag_at(0) + sector, agi = ag_at(0) + 2 * sector;
	uint64_t agfl = ag_at(0) + 3 * sector;
	unsigned first = (unsigned)value(agf + 40, 4);

	one("copy: name", sb, sector, 224, 108, 4, 0x61626364, SB, 1, PREEN);
	one("copy: alignment", sb, sector, 224, 180, 4, 99, SB, 1, CORRUPT);
	one("copy: checksum", sb, sector, 0, 224, 4, 0x11223344, SB, 1, CORRUPT);
	one("AGF: free blocks", agf, sector, 216, 52, 4, value(agf + 52, 4) - 1, AGF, 0, CORRUPT);
	one("AGF: longest", agf, sector, 216, 56, 4, value(agf + 56, 4) - 1, AGF, 0, XCORRUPT);
	one("AGF: blocks of owners", agf, sector, 216, 80, 4, value(agf + 80, 4) + 1, AGF, 0,
	    XCORRUPT);
	one("AGF: checksum", agf, sector, 0, 216, 4, 0x11223344, AGF, 0, CORRUPT);
	/* The tree is not marked: nothing of it was seen. */
	no_mark = true;
	one("AGF for a tree", agf, sector, 0, 216, 4, 0x11223344, BNOBT, 0, CORRUPT);
	no_mark = false;
	one("AGFL: twice", agfl, sector, 32, 36 + 4 * first, 4, value(agfl + 40 + 4 * first, 4),
	    AGFL, 0, CORRUPT);
	one("AGFL: checksum", agfl, sector, 0, 32, 4, 0x11223344, AGFL, 0, CORRUPT);
	one("AGI: free inodes", agi, sector, 312, 28, 4, value(agi + 28, 4) - 1, AGI, 0, CORRUPT);
	one("AGI: new inode", agi, sector, 312, 32, 4, 0x7ffffff0, AGI, 0, CORRUPT);
	one("AGI: blocks", agi, sector, 312, 336, 4, value(agi + 336, 4) + 1, AGI, 0, XCORRUPT);
	one("AGI: checksum", agi, sector, 0, 312, 4, 0x11223344, AGI, 0, CORRUPT);
}

static void trees(void)
{
	uint64_t bno = tree_at(1, 16), cnt = tree_at(1, 20), rmap = tree_at(1, 24);
	uint64_t ino = leaf_of(tree_at(2, 20), 4), fino = leaf_of(tree_at(2, 328), 4);
	uint64_t refc = leaf_of(tree_at(1, 88), 4), leaf, last, at;
	size_t b = block_size;

	CHECK(value(bno + 4, 2) == 1);
	leaf = leaf_of(bno, 8);
	one("bnobt: key", bno, b, 52, 56, 4, value(bno + 56, 4) - 1, BNOBT, 0, CORRUPT);
	one("bnobt: sibling", leaf, b, 52, 12, 4, 0xffffffff, BNOBT, 0, CORRUPT);
	one("bnobt: level", bno, b, 52, 4, 2, 2, BNOBT, 0, CORRUPT);
	one("bnobt: order", leaf, b, 52, 64, 4, 1, BNOBT, 0, CORRUPT);
	one("bnobt: checksum", leaf, b, 0, 52, 4, 0x11223344, BNOBT, 0, CORRUPT);
	last = last_leaf(bno, 8);
	at = 56 + 8 * (value(last + 6, 2) - 1) + 4;
	one("bnobt: length", last, b, 52, at, 4, value(last + at, 4) - 1, BNOBT, 0, XCORRUPT);
	leaf = leaf_of(cnt, 8);
	one("cntbt: order", leaf, b, 52, 60, 4, 30000, CNTBT, 0, CORRUPT);
	one("cntbt: checksum", leaf, b, 0, 52, 4, 0x11223344, CNTBT, 0, CORRUPT);
	one("inobt: free", ino, b, 52, 56 + 7, 1, value(ino + 56 + 7, 1) ^ 1, INOBT, 0, CORRUPT);
	one("inobt: checksum", ino, b, 0, 52, 4, 0x11223344, INOBT, 0, CORRUPT);
	one("finobt: free", fino, b, 52, 56 + 7, 1, value(fino + 56 + 7, 1) ^ 1, FINOBT, 0,
	    CORRUPT);
	one("finobt: checksum", fino, b, 0, 52, 4, 0x11223344, FINOBT, 0, CORRUPT);
	leaf = leaf_of(rmap, 40);
	one("rmapbt: headers", leaf, b, 52, 60, 4, value(leaf + 60, 4) - 1, RMAPBT, 0, CORRUPT);
	one("rmapbt: checksum", leaf, b, 0, 52, 4, 0x11223344, RMAPBT, 0, CORRUPT | XFAIL);
	one("refcountbt: references", refc, b, 52, 64, 4, 3, REFCNTBT, 0, XCORRUPT);
	one("refcountbt: none", refc, b, 52, 64, 4, 1, REFCNTBT, 0, CORRUPT);
	one("refcountbt: checksum", refc, b, 0, 52, 4, 0x11223344, REFCNTBT, 0, CORRUPT);
	/* Another tree that cannot be read. */
	one("AGF, by a damaged bnobt", leaf_of(bno, 8), b, 0, 52, 4, 0x11223344, AGF, 0, XFAIL);
}

/* ---- errnos ---- */

static int call(struct meta m)
{
	return ioctl(root, SCRUB, &m) ? errno : 0;
}

static void errnos(void)
{
	struct meta m = { .type = AGF };

	CHECK(call((struct meta){ .type = 33 }) == ENOENT);
	CHECK(call((struct meta){ .type = 0xffffffff }) == ENOENT);
	CHECK(call((struct meta){ .type = 33, .flags = 512 }) == EINVAL);
	CHECK(call((struct meta){ .type = AGF, .flags = REBUILD }) == EINVAL);
	CHECK(call((struct meta){ .type = AGF, .agno = 2 }) == EINVAL);
	CHECK(call((struct meta){ .type = AGF, .ino = 128 }) == EINVAL);
	CHECK(call((struct meta){ .type = AGF, .gen = 1 }) == EINVAL);
	CHECK(call((struct meta){ .type = PROBE, .agno = 1 }) == EINVAL);
	CHECK(call((struct meta){ .type = INODE, .agno = 1 }) == EINVAL);
	CHECK(call((struct meta){ .type = INODE, .gen = 1 }) == EINVAL);
	/* Without a realtime section there are two empty files of it. */
	for (unsigned type = 19; type <= 20; type++) {
		CHECK(!ask(type, 0) && ask(type, 1) == -EINVAL);
		CHECK(call((struct meta){ .type = type, .ino = 128 }) == EINVAL);
	}
	CHECK(call((struct meta){ .type = 29 }) == ENOENT);
	CHECK(call((struct meta){ .type = 31 }) == ENOENT);
	CHECK(call((struct meta){ .type = 21 }) == ENOENT);		/* quota */
	CHECK(call((struct meta){ .type = 25 }) == ENOENT);
	CHECK(call((struct meta){ .type = 21, .agno = 1 }) == EINVAL);
	m.reserved[4] = 1;
	CHECK(call(m) == EINVAL);
	/* What goes out is ignored. */
	m = (struct meta){ .type = AGF, .flags = CORRUPT | XFAIL };
	CHECK(!ioctl(root, SCRUB, &m) && !m.flags);
	FAILS(ioctl(root, SCRUB, NULL), EFAULT);
}

static void by_user(void)
{
	pid_t pid = fork();
	int status;

	CHECK(pid >= 0);
	if (!pid) {
		CHECK(!setresgid(1000, 1000, 1000) && !setresuid(1000, 1000, 1000));
		CHECK(call((struct meta){ .type = PROBE }) == EPERM);
		FAILS(ioctl(root, SCRUBV, NULL), EPERM);
		exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && !status);
}

#define BARRIER 0xffffffffu

static void vectors(void)
{
	struct vec v[300] = {
		{ .type = AGF }, { .type = 33 }, { .type = BARRIER }, { .type = AGI, .ret = 7 }
	};
	struct vec_head h = { .nr = 4, .agno = 1, .rest_us = 10, .vectors = (uintptr_t)v };

	/* What failed ends at a barrier. */
	CHECK(!ioctl(root, SCRUBV, &h));
	CHECK(!v[0].ret && !v[0].flags && v[1].ret == -ENOENT && !v[2].ret);
	CHECK(!v[3].ret);
	v[1].flags = 512;
	v[3].ret = 7;
	CHECK(!ioctl(root, SCRUBV, &h));
	CHECK(!v[0].ret && v[1].ret == -EINVAL && v[2].ret == -ECANCELED);
	CHECK(v[3].ret == 7);
	v[1] = (struct vec){ .type = BNOBT };
	v[2].flags = CORRUPT;
	CHECK(!ioctl(root, SCRUBV, &h) && !v[1].ret && !v[2].ret && !v[3].ret);
	h.nr = 0;
	CHECK(!ioctl(root, SCRUBV, &h));
	h.nr = 257;
	FAILS(ioctl(root, SCRUBV, &h), ENOMEM);
	h.nr = 4;
	v[3].reserved = 1;
	FAILS(ioctl(root, SCRUBV, &h), EINVAL);
	v[3].reserved = 0;
	v[2].flags = REPAIR;
	FAILS(ioctl(root, SCRUBV, &h), EINVAL);
	v[2].flags = 0;
	h.flags = 1;
	FAILS(ioctl(root, SCRUBV, &h), EINVAL);
	h.flags = 0;
	h.reserved = 1;
	FAILS(ioctl(root, SCRUBV, &h), EINVAL);
	h.reserved = 0;
	h.vectors = 8;
	FAILS(ioctl(root, SCRUBV, &h), EFAULT);
}

/* ---- what is there ---- */

static char big[4096];

static void fill(void)
{
	int fd, to;

	memset(big, 'x', sizeof(big));
	CHECK((fd = open("holes", O_RDWR | O_CREAT, 0644)) >= 0);
	for (int i = 0; i < 400; i++)
		CHECK(pwrite(fd, big, 1024, i * 4096) == 1024);
	CHECK((to = open("shared", O_RDWR | O_CREAT, 0644)) >= 0 && !ioctl(to, FICLONE, fd));
	/* Every second block of a long file is free again. */
	CHECK(!close(to) && (to = open("cut", O_RDWR | O_CREAT, 0644)) >= 0);
	for (int i = 0; i < 200; i++)
		CHECK(pwrite(to, big, 4096, i * 4096) == 4096);
	CHECK(!fsync(to));
	for (int i = 0; i < 400; i++)
		CHECK(!fallocate(to, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, i * 2048, 1024));
	CHECK(!close(fd) && !close(to));
	for (int i = 0; i < 100; i++) {
		char name[20];

		sprintf(name, "f%d", i);
		CHECK((fd = open(name, O_RDWR | O_CREAT, 0644)) >= 0 && !close(fd));
	}
	sync();
}

struct bulk {
	uint64_t ino;
	uint32_t flags, icount, ocount, agno;
	uint64_t reserved[5];
	unsigned char room[200][192];
};

/* How many records NR (BULKSTAT, INUMBERS) has. */
static unsigned listed(unsigned nr)
{
	static struct bulk b;

	b.ino = 0;
	b.icount = 200;
	CHECK(!ioctl(root, _IOC(_IOC_READ, 'X', nr, 64), &b));
	return b.ocount;
}

/* All is listed where nothing was ever written, as on Linux. */
static void lists(void)
{
	static struct {
		struct fsmap_head h;
		struct fsmap rec[100];
	} m;

	m.h.fmh_count = 100;
	memset(&m.h.fmh_keys[1], 0xff, sizeof(m.h.fmh_keys[1]));
	m.h.fmh_keys[1].fmr_length = 0;
	memset(m.h.fmh_keys[1].fmr_reserved, 0, sizeof(m.h.fmh_keys[1].fmr_reserved));
	CHECK(listed(127) > 100 && listed(128) > 1);
	CHECK(!ioctl(root, FS_IOC_GETFSMAP, &m) && m.h.fmh_entries == 100);
}

static void begin(unsigned long flags, const char *options)
{
	CHECK(!mount(dev, dir, "xfs", flags, options) && (root = open(dir, O_RDONLY)) >= 0);
}

static void end(void)
{
	CHECK(!close(root) && !umount(dir));
}

int main(int argc, char **argv)
{
	unsigned char sb[512];

	setvbuf(stdout, NULL, _IOLBF, 0);
	CHECK(argc == 3);
	dev = argv[1];
	dir = argv[2];
	CHECK((raw = open(dev, O_RDWR)) >= 0);
	begin(0, NULL);
	CHECK(!chdir(dir));
	read_at(0, sb, sizeof(sb));
	block_size = (unsigned)be(sb + 4, 4);
	ag_blocks = (unsigned)be(sb + 84, 4);
	sector = (unsigned)be(sb + 102, 2);
	fill();
	/* mkfs.xfs with a prototype leaves copies of the superblock without the root's number. */
	CHECK(ask(SB, 1) == PREEN &&
	      !ioctl(root, FS_IOC_SETFSLABEL, (char[FSLABEL_MAX]){ "a label" }));
	/* Of what was changed just now. */
	sound();
	CHECK(!chdir("/"));
	end();
	begin(0, NULL);
	sound();
	errnos();
	by_user();
	vectors();
	headers();
	trees();
	sound();
	end();
	begin(MS_RDONLY, NULL);
	sound();
	lists();
	/* It writes afterwards. */
	CHECK(!mount(NULL, dir, NULL, MS_REMOUNT, NULL) && mkdirat(root, "later", 0755) == 0);
	sound();
	lists();
	end();
	begin(MS_RDONLY, NULL);
	CHECK(call((struct meta){ .type = AGF, .flags = REPAIR }) == EROFS);
	end();
	begin(MS_RDONLY, "norecovery");
	CHECK(call((struct meta){ .type = 99 }) == ENOTRECOVERABLE);
	end();
	begin(0, NULL);
	CHECK(!ioctl(root, _IOR('X', 125, uint32_t), &(uint32_t){ 2 }));
	CHECK(call((struct meta){ .type = 99 }) == ESHUTDOWN);
	end();
	CHECK(!failed);
	printf("scrub: ok\n");
	return 0;
}
