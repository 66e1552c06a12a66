// SPDX-License-Identifier: MIT
/*
 * Run in the guest: scrub_names DEVICE DIR, a device with an XFS that nobody has mounted, and where
 * to mount it. What online scrub says of sound directories and attributes, and of one damage of
 * them on the device behind its back. The same on Linux (tests/command/xfs_scrub.py).
 */
#include "hurt_ino.h"
#include <sys/xattr.h>

#define LEAF_OFF (32ull << 30)	/* bytes: hashes of a directory */
#define FREE_OFF (64ull << 30)

/* The block at byte OFF of a fork whose extents are in the inode. */
static uint64_t block_of(const char *name, bool attr, uint64_t off)
{
	uint64_t at = record_of(name), rec = at + 176 + (attr ? value(at + 82, 1) * 8 : 0);
	uint64_t blk = off / block_size;

	CHECK(value(at + (attr ? 83 : 5), 1) == 2);
	for (int i = 0; i < 20; i++, rec += 16) {
		uint64_t hi = value(rec, 8), lo = value(rec + 8, 8);
		uint64_t first = hi >> 9 & ((1ull << 54) - 1), n = lo & 0x1fffff;

		if (blk >= first && blk < first + n)
			return fsb_at(((hi & 0x1ff) << 43 | lo >> 21) + (blk - first));
	}
	CHECK(!"no extent");
	return 0;
}

static void in_dir(const char *name, uint64_t off, size_t crc)
{
	in_block(block_of(name, false, off), crc);
	region_len = 4096;
}

static void one_block(void)
{
	uint64_t at;

	in_dir("block", 0, 4);
	at = region;
	one("block: checksum", "block", 4, 4, 0x11223344, false, DIR, CORRUPT);
	one("block: owner", "block", 40, 8, 77, true, DIR, CORRUPT);
	one("block: longest hole", "block", 50, 2, value(at + 50, 2) - 8, true, DIR, CORRUPT);
	one("block: no hole", "block", 48, 4, 0, true, DIR, CORRUPT);
	one("block: dot", "block", 64, 8, ino_of("a"), true, DIR, CORRUPT);
	one("block: inode", "block", 96, 8, value(at + 96, 8) + 100000, true, DIR, CORRUPT);
	one("block: name", "block", 105, 1, 'z', true, DIR, CORRUPT);
	one("block: type", "block", 105 + value(at + 104, 1), 1, 2, true, DIR, CORRUPT);
	one("block: hash", "block", 4096 - 8 - 8, 4, 0xfffffff0, true, DIR, CORRUPT);
	one("block: address", "block", 4096 - 8 - 4, 4, 9, true, DIR, CORRUPT);
	one("block, for its extents", "block", 4, 4, 0x11223344, false, BMBTD, 0);
	in_inode("short");
	one("short: parent", "short", 178, 4, 7, true, DIR, CORRUPT);
}

static void leaves(void)
{
	uint64_t at;

	in_dir("leaf", LEAF_OFF, 12);
	at = region;
	CHECK(value(at + 8, 2) == 0x3df1);
	one("leaf: checksum", "leaf", 12, 4, 0x11223344, false, DIR, CORRUPT);
	one("leaf: owner", "leaf", 48, 8, 77, true, DIR, CORRUPT);
	one("leaf: padding", "leaf", 10, 2, 1, true, DIR, CORRUPT);
	one("leaf: sibling", "leaf", 0, 4, 5, true, DIR, CORRUPT);
	one("leaf: count of stale ones", "leaf", 58, 2, value(at + 58, 2) + 1, true, DIR, CORRUPT);
	one("leaf: hash", "leaf", 64, 4, value(at + 64, 4) - 1, true, DIR, CORRUPT);
	one("leaf: address", "leaf", 68, 4, value(at + 68, 4) + 1, true, DIR, CORRUPT);
	one("leaf: longest hole", "leaf", 4090, 2, value(at + 4090, 2) ^ 8, true, DIR, CORRUPT);
	one("leaf: holes", "leaf", 4092, 4, value(at + 4092, 4) - 1, true, DIR, CORRUPT);
	in_dir("leaf", 4096, 4);
	one("leaf: longest hole of a block", "leaf", 50, 2, value(region + 50, 2) ^ 8, true, DIR,
	    CORRUPT);
}

static void nodes(void)
{
	uint64_t at;

	in_dir("node", LEAF_OFF, 12);
	at = region;
	CHECK(value(at + 8, 2) == 0x3ebe);
	one("node: checksum", "node", 12, 4, 0x11223344, false, DIR, CORRUPT);
	one("node: owner", "node", 48, 8, 77, true, DIR, CORRUPT);
	one("node: level", "node", 58, 2, 2, true, DIR, CORRUPT);
	one("node: pointer", "node", 68, 4, 1, true, DIR, CORRUPT);
	one("node: hash", "node", 64, 4, value(at + 64, 4) - 1, true, DIR, CORRUPT);
	in_dir("node", (uint64_t)value(at + 68, 4) * block_size, 12);
	one("node: sibling", "node", 0, 4, 5, true, DIR, CORRUPT);
	in_dir("node", FREE_OFF, 4);
	at = region;
	one("free: longest hole", "node", 64, 2, value(at + 64, 2) ^ 8, true, DIR, CORRUPT);
	one("free: used", "node", 56, 4, value(at + 56, 4) - 1, true, DIR, CORRUPT);
	one("free: owner", "node", 40, 8, 77, true, DIR, CORRUPT);
	one("free: checksum", "node", 4, 4, 0x11223344, false, DIR, CORRUPT);
}

static void attributes(void)
{
	uint64_t at, name;

	in_block(block_of("valued", true, 0), 12);
	at = region;
	CHECK(value(at + 8, 2) == 0x3bee);
	name = value(at + 84, 2);
	one("attributes: checksum", "valued", 12, 4, 0x11223344, false, XATTR, CORRUPT);
	one("attributes: owner", "valued", 48, 8, 77, true, XATTR, CORRUPT);
	one("attributes: used bytes", "valued", 58, 2, value(at + 58, 2) + 4, true, XATTR, CORRUPT);
	one("attributes: padding", "valued", 63, 1, 1, true, XATTR, CORRUPT);
	one("attributes: free bytes", "valued", 66, 2, value(at + 66, 2) + 4, true, XATTR, CORRUPT);
	one("attributes: hash", "valued", 80, 4, value(at + 80, 4) - 1, true, XATTR, CORRUPT);
	one("attributes: flag", "valued", 86, 1, value(at + 86, 1) | 0x10, true, XATTR, CORRUPT);
	one("attributes: two spaces", "valued", 86, 1, value(at + 86, 1) | 6, true, XATTR, CORRUPT);
	one("attributes: incomplete", "valued", 86, 1, value(at + 86, 1) | 0x80, true, XATTR,
	    PREEN);
	one("attributes: name", "valued", name + 10, 1, 'z', true, XATTR, CORRUPT);
	one("attributes: block of a value", "valued", name, 4, 77, true, XATTR, CORRUPT);
	in_block(block_of("valued", true, value(at + name, 4) * (uint64_t)block_size), 12);
	one("value: owner", "valued", 32, 8, 77, true, XATTR, CORRUPT);
	one("value: checksum", "valued", 12, 4, 0x11223344, false, XATTR, CORRUPT);
}

/* Parent pointers, which mkfs.xfs may have left out. */
static void parents(void)
{
	uint64_t at = block_of("valued", true, 0), parent = 0;

	in_inode("short");
	one("short: another parent", "short", 178, 4, ino_of("block"), true, PARENT, CORRUPT);
	for (int i = 0; i < (int)value(at + 56, 2); i++)
		if (value(at + 86 + i * 8, 1) & 8)
			parent = value(at + 84 + i * 8, 2);
	if (!parent)
		return;
	in_inode("valued");
	one("links", "valued", 16, 4, 2, true, PARENT, CORRUPT);
	in_block(at, 12);
	/* Its name, and behind that the directory and its generation. */
	one("pointer: name", "valued", parent + 3, 1, 'w', true, PARENT, XCORRUPT);
	one("pointer: slash", "valued", parent + 3, 1, '/', true, PARENT, CORRUPT);
	parent += 3 + 6;
	one("pointer: inode", "valued", parent + 7, 1, 120, true, PARENT, CORRUPT);
	one("pointer: itself", "valued", parent, 8, ino_of("valued"), true, PARENT, CORRUPT);
	one("pointer: another directory", "valued", parent, 8, ino_of("block"), true, PARENT,
	    XCORRUPT);
	one("pointer: a file", "valued", parent, 8, ino_of("few"), true, PARENT, XCORRUPT);
	one("pointer: generation", "valued", parent + 8, 4, 5, true, PARENT, XCORRUPT);
	one("pointer, for the directory", ".", parent + 7, 1, 120, true, DIR, XCORRUPT);
}

static void sound(void)
{
	static const char *const names[] = { "short", "block", "leaf", "node" };

	for (unsigned i = 0; i < 4; i++) {
		int flags = ask_of(DIR, names[i]);

		if (flags)
			printf("sound: %s: %d\n", names[i], flags);
		CHECK(!flags);
	}
	for (unsigned i = 0; i < 4; i++)
		CHECK(!ask_of(PARENT, names[i]));
	CHECK(!ask(PARENT, 0, 0) && !ask_of(PARENT, "a") && !ask_of(PARENT, "valued"));
	CHECK(!ask(DIR, 0, 0) && ask_of(DIR, "a") == -ENOENT && ask_of(DIR, "valued") == -ENOENT);
	CHECK(!ask_of(XATTR, "valued") && !ask_of(XATTR, "few"));
	/* What Linux writes has holes of no bytes, which it would have put in order. */
	CHECK((ask_of(XATTR, "many") & ~PREEN) == 0);
}

static void fill_dir(const char *name, int n)
{
	char path[80];

	CHECK(!mkdir(name, 0755));
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/a-name-of-%d", name, i);
		CHECK(!link("a", path));
	}
	/* Holes. */
	for (int i = 1; i < n; i += 7) {
		snprintf(path, sizeof(path), "%s/a-name-of-%d", name, i);
		CHECK(!unlink(path));
	}
}

static void fill(void)
{
	char name[] = "user.a00";
	int fd = make("a");

	CHECK(!close(fd));
	memset(big, 'x', sizeof(big));
	fill_dir("short", 3);
	fill_dir("block", 20);
	fill_dir("leaf", 200);
	fill_dir("node", 700);
	fd = make("valued");
	for (int i = 0; i < 4; i++) {
		name[7] = (char)('0' + i);
		CHECK(!fsetxattr(fd, name, big, 3000, 0));
	}
	CHECK(!close(fd) && (fd = make("few")) >= 0 && !fsetxattr(fd, name, big, 30, 0));
	CHECK(!close(fd) && (fd = make("many")) >= 0);
	for (int i = 0; i < 90; i++) {
		name[6] = (char)('0' + i / 10);
		name[7] = (char)('0' + i % 10);
		CHECK(!fsetxattr(fd, name, big, 100, 0));
	}
	CHECK(!close(fd));
	sync();
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	CHECK(argc == 3);
	dev = argv[1];
	dir = argv[2];
	open_device(dev);
	begin();
	fill();
	end();
	begin();
	sound();
	one_block();
	leaves();
	nodes();
	attributes();
	parents();
	sound();
	end();
	CHECK(!failed);
	printf("scrub_names: ok\n");
	return 0;
}
