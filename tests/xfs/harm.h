/* SPDX-License-Identifier: MIT */
/*
 * Run in a guest: where things of an XFS are on its device, and damage of eight bytes behind the
 * back of the mounted file system.
 */
#pragma once
#include "check.h"
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

static int raw;	/* the device */
static unsigned block_size, ag_blocks, sector, inode_size, agblklog, inopblog;

static uint64_t be(const unsigned char *p, int n)
{
	uint64_t v = 0;

	while (n--)
		v = v << 8 | *p++;
	return v;
}

static void read_at(uint64_t at, void *buf, size_t n)
{
	CHECK(pread(raw, buf, n, (off_t)at) == (ssize_t)n);
}

/* The device of a file system that is not mounted. */
static void open_device(const char *dev)
{
	unsigned char sb[512];

	CHECK((raw = open(dev, O_RDWR)) >= 0);
	read_at(0, sb, sizeof(sb));
	block_size = (unsigned)be(sb + 4, 4);
	ag_blocks = (unsigned)be(sb + 84, 4);
	sector = (unsigned)be(sb + 102, 2);
	inode_size = (unsigned)be(sb + 104, 2);
	inopblog = sb[123];
	agblklog = sb[124];
}

/* Whatever is in memory of the device and the file system and need not be. */
static inline void forget(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	CHECK(fd >= 0);
	sync();
	for (int i = 0; i < 8; i++)
		CHECK(write(fd, "3", 1) == 1);
	close(fd);
}

static unsigned char kept[8];

/* Eight bytes at AT become others; the next make_whole() undoes it. */
static inline void damage(uint64_t at)
{
	unsigned char bad[8];

	forget();
	read_at(at, kept, 8);
	for (int i = 0; i < 8; i++)
		bad[i] = kept[i] ^ 0x5a;
	CHECK(pwrite(raw, bad, 8, (off_t)at) == 8 && !fsync(raw));
	forget();
}

static inline void make_whole(uint64_t at)
{
	CHECK(pwrite(raw, kept, 8, (off_t)at) == 8 && !fsync(raw));
	forget();
}

/* ---- where things are ---- */

static uint64_t fsb_at(uint64_t fsb)
{
	return ((fsb >> agblklog) * ag_blocks + (fsb & ((1ull << agblklog) - 1))) * block_size;
}

static uint64_t inode_at(uint64_t ino)
{
	return fsb_at(ino >> inopblog) + (ino & ((1u << inopblog) - 1)) * inode_size;
}

static inline uint64_t ag_at(unsigned agno)
{
	return (uint64_t)agno * ag_blocks * block_size;
}

/* The first block of a fork, be it of data or of the tree of extents. */
static inline uint64_t fork_at(const char *name, bool attr, int format)
{
	unsigned char d[2048], *p;
	unsigned off, size;
	struct stat st;

	CHECK(!lstat(name, &st));
	forget();
	read_at(inode_at(st.st_ino), d, inode_size);
	CHECK(d[0] == 'I' && d[1] == 'N' && d[attr ? 83 : 5] == format);
	off = 176 + (attr ? d[82] * 8u : 0);
	size = inode_size - 176;
	size = attr ? size - d[82] * 8u : d[82] ? d[82] * 8u : size;
	p = d + off;
	if (format == 3)	/* of the root: the first pointer, behind the room of all keys */
		return fsb_at(be(p + 4 + (size - 4) / 16 * 8, 8));
	return fsb_at((be(p, 8) & 0x1ff) << 43 | be(p + 8, 8) >> 21);
}
