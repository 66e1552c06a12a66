// SPDX-License-Identifier: MIT
/*
 * Run in the guest: scrub_links DEVICE DIR, a device with an XFS that has pointers to parents and
 * that nobody has mounted, and where to mount it. What online scrub says of counts of links, of the
 * tree of directories and of the sums of free space, when all is sound and of one damage on the
 * device behind its back. The same on Linux (tests/command/xfs_scrub.py).
 */
#include "hurt_ino.h"

enum { FSCOUNTERS = 24, NLINKS = 26, DIRTREE = 28 };
enum { INCOMPLETE = 32 };

static const char *const dirs[] = { ".", "a", "a/b", "a/b/c", "a/b/c/d", "e" };

static void sound(void)
{
	CHECK(!ask(FSCOUNTERS, 0, 0) && !ask(NLINKS, 0, 0) && !ask(DIRTREE, 0, 0));
	for (unsigned i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		CHECK(!ask_of(DIRTREE, dirs[i]));
	CHECK(ask_of(DIRTREE, "f") == -ENOENT);
	CHECK(ask(NLINKS, ino_of("a"), 0) == -EINVAL && ask(FSCOUNTERS, 0, 1) == -EINVAL);
}

/* The same of the whole file system. */
static void all(const char *what, size_t off, int width, uint64_t new, bool crc, unsigned type,
		int want)
{
	of_fs = true;
	one(what, ".", off, width, new, crc, type, want);
	of_fs = false;
}

/* Where the first attribute of an inode lies in its record: name, then parent and generation. */
static size_t pointer_of(const char *name)
{
	uint64_t at = record_of(name);
	size_t off = 176 + (size_t)value(at + 82, 1) * 8 + 4;

	CHECK(value(at + 83, 1) == 1 && value(at + off + 2, 1) & 8);
	return off + 3 + (size_t)value(at + off, 1);
}

static void links(void)
{
	in_inode("f");
	all("links: a file", 16, 4, 5, true, NLINKS, CORRUPT);
	all("links: none", 16, 4, 1, true, NLINKS, CORRUPT);
	all("links: an inode that cannot be read", 100, 4, 0x11223344, false, NLINKS,
	    XFAIL | INCOMPLETE);
	in_inode("a");
	all("links: a directory", 16, 4, 4, true, NLINKS, CORRUPT);
	/* Where there are pointers to parents they count, and not "..". */
	in_inode("e");
	all("links: another parent above", 178, 4, ino_of("a"), true, NLINKS, 0);
	all("links: another pointer", pointer_of("e"), 8, ino_of("a"), true, NLINKS, XCORRUPT);
	/* The entry of x, behind its length and address. */
	all("links: another inode", 182 + 3 + 1 + 1, 4, ino_of("f"), true, NLINKS, CORRUPT);
	all("links: no inode", 182 + 3 + 1 + 1, 4, ino_of("f") + 40, true, NLINKS, CORRUPT);
}

/* The pointer of CHILD, at AT, leads to PARENT: what NAME's check says. */
static void leads(const char *what, const char *child, const char *parent, const char *name,
		  int want)
{
	size_t at = pointer_of(child);

	more_off = at + 8;
	more = (uint32_t)value(record_of(parent) + 92, 4);
	in_inode(child);
	one(what, name, at, 8, ino_of(parent), true, DIRTREE, want);
	more_off = 0;
}

static void loops(void)
{
	size_t at = pointer_of("a");

	leads("tree: itself", "a", "a", "a", CORRUPT);
	leads("tree: a loop", "a", "a/b/c", "a", CORRUPT);
	leads("tree: a loop through it", "a/b", "a/b/c", "a/b/c", CORRUPT);
	leads("tree: a loop above it", "a", "a/b/c", "a/b/c/d", XCORRUPT);
	leads("tree: another way", "a/b/c", "e", "a/b/c", 0);
	leads("tree: a file", "a", "f", "a", XCORRUPT | INCOMPLETE);
	leads("tree: a file above it", "a", "f", "a/b", XCORRUPT);
	in_inode("a");
	one("tree: generation", "a", at + 8, 4, 77, true, DIRTREE, XCORRUPT | INCOMPLETE);
	one("tree: generation above it", "a/b/c", at + 8, 4, 77, true, DIRTREE, XCORRUPT);
	one("tree: free", "a", at, 8, ino_of("f") + 40, true, DIRTREE, XCORRUPT | INCOMPLETE);
	one("tree: no number", "a", at, 8, 0, true, DIRTREE, XCORRUPT | INCOMPLETE);
	one("tree: no number above it", "a/b", at, 8, 0, true, DIRTREE, XCORRUPT);
	one("tree: no pointer", "a", at - 2, 1, 0, true, DIRTREE, CORRUPT);
	one("tree: no pointer above it", "a/b", at - 2, 1, 0, true, DIRTREE, XCORRUPT);
}

/* The sums in the superblock, of a mount that counts nothing itself. */
static void counters(void)
{
	end();
	mount_flags = MS_RDONLY;
	begin();
	in_block(0, 224);
	region_len = 512;
	all("sums: inodes", 128, 8, value(128, 8) + 64, true, FSCOUNTERS, CORRUPT);
	all("sums: free inodes", 136, 8, value(136, 8) + 1, true, FSCOUNTERS, CORRUPT);
	all("sums: free blocks", 144, 8, value(144, 8) - 1, true, FSCOUNTERS, CORRUPT);
	end();
	mount_flags = 0;
	begin();
}

static void fill(void)
{
	int fd = make("promised");

	/* Blocks that are promised to a file are in no AG's numbers. */
	for (int i = 0; i < 20; i++)
		CHECK(write(fd, big, sizeof(big)) == sizeof(big));
	CHECK(!ask(FSCOUNTERS, 0, 0) && !close(fd));
	CHECK(!mkdir("a", 0755) && !mkdir("a/b", 0755) && !mkdir("a/b/c", 0755));
	CHECK(!mkdir("a/b/c/d", 0755));
	CHECK(!mkdir("e", 0755) && !close(make("f")) && !link("f", "a/f") && !close(make("e/x")));
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
	CHECK(!ask(FSCOUNTERS, 0, 0) && !ask(NLINKS, 0, 0) && !ask(DIRTREE, 0, 0));
	end();
	begin();
	sound();
	links();
	loops();
	counters();
	sound();
	end();
	CHECK(!failed);
	printf("scrub_links: ok\n");
	return 0;
}
