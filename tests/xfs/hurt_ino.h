/* SPDX-License-Identifier: MIT */
/*
 * Run in the guest: damages aimed at fields of inodes and their blocks, and what online scrub says
 * of them. Each mounts the file system anew, so that nothing is in memory.
 */
#pragma once
#define _GNU_SOURCE
#include "harm.h"
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

struct meta {
	uint32_t type, flags;
	uint64_t ino;
	uint32_t gen, agno;
	uint64_t reserved[5];
};
#define SCRUB _IOWR('X', 60, struct meta)

enum { INODE = 11, BMBTD, BMBTA, BMBTC, DIR, XATTR, SYMLINK, PARENT };
enum { CORRUPT = 2, PREEN = 4, XFAIL = 8, XCORRUPT = 16, WARNING = 64 };

static const char *dev, *dir;
static int root;
static bool failed, of_fs;		/* of_fs: a type of the whole file system */

static uint32_t crc32c(uint32_t crc, const unsigned char *p, size_t n)
{
	while (n--) {
		crc ^= *p++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return crc;
}

static uint64_t value(uint64_t at, int n)
{
	unsigned char b[8];

	read_at(at, b, (size_t)n);
	return be(b, n);
}

static uint64_t ino_of(const char *name)
{
	struct stat st;

	CHECK(!fstatat(root, name, &st, AT_SYMLINK_NOFOLLOW));
	return st.st_ino;
}

static uint64_t record_of(const char *name)
{
	return inode_at(ino_of(name));
}

static int ask(unsigned type, uint64_t ino, uint32_t gen)
{
	struct meta m = { .type = type, .ino = ino, .gen = gen };

	return ioctl(root, SCRUB, &m) ? -errno : (int)m.flags;
}

static inline int ask_of(unsigned type, const char *name)
{
	return ask(type, ino_of(name), (uint32_t)value(record_of(name) + 92, 4));
}

/* ---- damage ---- */

static unsigned long mount_flags;
static const char *mount_options;

static void begin(void)
{
	CHECK(!mount(dev, dir, "xfs", mount_flags, mount_options));
	CHECK((root = open(dir, O_RDONLY)) >= 0 && !chdir(dir));
}

static void end(void)
{
	CHECK(!chdir("/") && !close(root) && !umount(dir));
}

static uint64_t region;			/* where the bytes are that have one checksum */
static size_t region_len, region_crc;
static size_t more_off;			/* not 0: four bytes there become MORE, too */
static uint32_t more;

static inline void in_inode(const char *name)
{
	region = record_of(name);
	region_len = inode_size;
	region_crc = 100;
}

static inline void in_block(uint64_t at, size_t crc)
{
	region = at;
	region_len = block_size;
	region_crc = crc;
}

/*
 * WIDTH bytes at OFF of the region become NEW, and its checksum right (CRC false: it stays): TYPE
 * says WANT of the inode, and nothing when all is whole again.
 */
static inline void one(const char *what, const char *name, size_t off, int width, uint64_t new,
		       bool crc, unsigned type, int want)
{
	static unsigned char good[4096], bad[4096];
	uint64_t ino = ino_of(name);
	uint32_t gen = (uint32_t)value(inode_at(ino) + 92, 4), sum;
	int flags;

	if (of_fs)
		ino = gen = 0;
	end();
	read_at(region, good, region_len);
	memcpy(bad, good, region_len);
	for (int i = 0; i < width; i++)
		bad[off + (size_t)i] = (unsigned char)(new >> 8 * (width - 1 - i));
	for (int i = 0; more_off && i < 4; i++)
		bad[more_off + (size_t)i] = (unsigned char)(more >> 8 * (3 - i));
	CHECK(memcmp(good, bad, region_len));
	if (crc) {
		memset(bad + region_crc, 0, 4);
		sum = ~crc32c(~0u, bad, region_len);
		memcpy(bad + region_crc, &sum, 4);
	}
	CHECK(pwrite(raw, bad, region_len, (off_t)region) == (ssize_t)region_len && !fsync(raw));
	begin();
	flags = ask(type, ino, gen);
	end();
	CHECK(pwrite(raw, good, region_len, (off_t)region) == (ssize_t)region_len && !fsync(raw));
	begin();
	printf("%s: %d, wanted %d%s\n", what, flags, want, flags == want ? "" : " <--");
	failed |= flags != want;
	flags = ask(type, ino, gen);
	if (flags > 0)
		printf("%s: %d when whole\n", what, flags);
	CHECK(flags <= 0);
}

static char big[65536];

static int make(const char *name)
{
	int fd = open(name, O_RDWR | O_CREAT, 0644);

	CHECK(fd >= 0);
	return fd;
}
