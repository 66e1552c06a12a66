// SPDX-License-Identifier: MIT
/*
 * Run in the guest: scrub_ino DEVICE DIR, a device with an XFS that nobody has mounted, and where
 * to mount it. What online scrub says of sound inodes, and of one damage of an inode, its extents
 * or its target on the device behind its back. The same on Linux (tests/command/xfs_scrub.py).
 */
#define _GNU_SOURCE
#include "hurt_ino.h"
#include <linux/fs.h>
#include <sys/xattr.h>

static void cores(void)
{
	uint64_t at = record_of("plain");

	in_inode("plain");
	one("no mode", "plain", 2, 2, 0, true, INODE, -ENOENT);
	one("mode", "plain", 2, 2, 0xe1a4, true, INODE, CORRUPT);
	one("mode: link", "plain", 2, 2, 0xa1a4, true, INODE, CORRUPT);
	one("size", "plain", 56, 1, 0x80, true, INODE, CORRUPT);
	one("blocks", "plain", 64, 8, value(at + 64, 8) + 1, true, INODE, XCORRUPT);
	one("no blocks", "plain", 64, 8, 0, true, INODE, CORRUPT);
	one("owner", "plain", 8, 4, 0xffffffff, true, INODE, WARNING);
	one("unknown flag", "plain", 120, 1, 0x10, true, INODE, WARNING);
	one("flag of directories", "plain", 90, 2, 0x400, true, INODE, CORRUPT);
	one("hint without flag", "plain", 72, 4, 3, true, INODE, CORRUPT);
	one("flag without hint", "plain", 90, 2, 0x800, true, INODE, CORRUPT);
	one("checksum", "plain", 100, 4, 0x11223344, false, INODE, CORRUPT);
	one("number", "plain", 152, 8, 77, true, INODE, CORRUPT);
	one("flag of sharing", "plain", 127, 1, value(at + 127, 1) | 2, true, INODE, PREEN);
	one("checksum, for extents", "plain", 100, 4, 0x11223344, false, BMBTD, CORRUPT);
	one("no blocks, for extents", "plain", 64, 8, 0, true, BMBTD, CORRUPT);
	in_inode("shared");
	at = record_of("shared");
	one("no flag of sharing", "shared", 127, 1, value(at + 127, 1) & ~2u, true, INODE, CORRUPT);
	/* It is not looked at. */
	in_inode("fifo");
	one("size of a fifo", "fifo", 56, 8, 1, true, INODE, 0);
	in_inode("long");
	at = record_of("long");
	/* Counts of extents: of 64 bits, or of 32. */
	one("extents", "long", value(at + 24, 8) ? 24 : 76, value(at + 24, 8) ? 8 : 4,
	    value(at + 24, 8) ? value(at + 24, 8) - 1 : value(at + 76, 4) - 1, true, INODE, XFAIL);
	one("extents, for them", "long", value(at + 24, 8) ? 24 : 76, value(at + 24, 8) ? 8 : 4,
	    value(at + 24, 8) ? value(at + 24, 8) - 1 : value(at + 76, 4) - 1, true, BMBTD,
	    CORRUPT);
}

/* ---- extents ---- */

static void extents(void)
{
	uint64_t at = record_of("plain"), first, low;

	in_inode("plain");
	low = value(at + 184, 8);
	one("extent: block", "plain", 184, 8, low + (1 << 21), true, BMBTD, XCORRUPT);
	one("extent: length", "plain", 184, 8, low - 1, true, BMBTD, XCORRUPT);
	one("extent: offset", "plain", 176, 8, value(at + 176, 8) + (1 << 9), true, BMBTD,
	    XCORRUPT);
	one("extent: unwritten", "plain", 176, 1, 0x80, true, BMBTD, XCORRUPT);
	one("extent: outside", "plain", 184, 8, 0x7ffffffull << 21 | 1, true, BMBTD, CORRUPT);
	one("extents: overlap", "plain", 192, 8, value(at + 176, 8), true, BMBTD, CORRUPT);
	at = fork_at("long", false, 3);
	while (value(at + 4, 2))
		at = fsb_at(value(at + 72 + (block_size - 72) / 16 * 8, 8));
	in_block(at, 64);
	low = value(at + 80, 8);
	one("tree: block", "long", 80, 8, low + (1 << 21), true, BMBTD, XCORRUPT);
	one("tree: order", "long", 88, 8, value(at + 72, 8), true, BMBTD, CORRUPT);
	one("tree: first key", "long", 72, 8, value(at + 72, 8) + (1 << 9), true, BMBTD, CORRUPT);
	one("tree: sibling", "long", 8, 8, 5, true, BMBTD, CORRUPT);
	one("tree: level", "long", 4, 2, 1, true, BMBTD, CORRUPT);
	one("tree: owner", "long", 56, 8, 77, true, BMBTD, CORRUPT);
	one("tree: records", "long", 6, 2, value(at + 6, 2) - 1, true, BMBTD, CORRUPT);
	one("tree: checksum", "long", 64, 4, 0x11223344, false, BMBTD, CORRUPT);
	one("tree: checksum, for the inode", "long", 64, 4, 0x11223344, false, INODE, XFAIL);
	at = record_of("valued");
	first = 176 + value(at + 82, 1) * 8;
	in_inode("valued");
	CHECK(value(at + 83, 1) == 2);
	low = value(at + first + 8, 8);
	one("attributes: block", "valued", first + 8, 8, low + (1 << 21), true, BMBTA, XCORRUPT);
	one("attributes: unwritten", "valued", first, 1, 0x80, true, BMBTA, CORRUPT);
}

/* A record of AG 0's owners that is of file NAME; not the first of its leaf. */
static uint64_t owner_record(const char *name, uint64_t *leaf)
{
	uint64_t at = value(ag_at(0) + sector + 24, 4) * block_size, ino = ino_of(name);

	while (value(at + 4, 2))
		at = value(at + 56 + (block_size - 56) / 44 * 40, 4) * block_size;
	while (at != 0xffffffffull * block_size) {
		for (unsigned i = 1; i < value(at + 6, 2); i++)
			if (value(at + 56 + i * 24 + 8, 8) == ino) {
				*leaf = at;
				return 56 + i * 24;
			}
		at = value(at + 12, 4) * block_size;
	}
	CHECK(!"no record");
	return 0;
}

/* What the tree of owners says of extents that the file does not have. */
static void owners(void)
{
	uint64_t leaf, rec = owner_record("plain", &leaf);

	in_block(leaf, 52);
	/* Those of a file without any are sought, as if they had been lost. */
	one("owner: of another file", "long", rec + 8, 8, ino_of("long"), true, BMBTD, 0);
	one("owner: of an empty file", "sparse", rec + 8, 8, ino_of("sparse"), true, BMBTD,
	    CORRUPT);
	one("owner: not of this one", "plain", rec + 8, 8, ino_of("long"), true, BMBTD, XCORRUPT);
	one("owner: checksum", "plain", 52, 4, 0x11223344, false, BMBTD, XFAIL);
	one("owner: checksum, for the inode", "plain", 52, 4, 0x11223344, false, INODE, XFAIL);
}

static void links(void)
{
	uint64_t at = fork_at("link", false, 2);

	in_block(at, 12);
	region_len = block_size;
	one("target: owner", "link", 32, 8, 77, true, SYMLINK, CORRUPT);
	one("target: a zero", "link", 100, 1, 0, true, SYMLINK, CORRUPT);
	one("target: length", "link", 8, 4, value(at + 8, 4) - 1, true, SYMLINK, CORRUPT);
	one("target: checksum", "link", 12, 4, 0x11223344, false, SYMLINK, CORRUPT);
	in_inode("short");
	one("target in the inode: a zero", "short", 178, 1, 0, true, SYMLINK, CORRUPT);
}

/* ---- sound ones ---- */

static void sound(void)
{
	static const char *const names[] = { "plain", "long", "shared", "holes",  "valued",
					     "fifo",  "link", "short",	"sparse", "sub" };

	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
		for (unsigned type = INODE; type <= BMBTC; type++) {
			int flags = ask_of(type, names[i]);

			if (flags && flags != -ENOENT)
				printf("sound: type %u of %s: %d\n", type, names[i], flags);
			CHECK(!flags || (type == BMBTC && flags == -ENOENT));
		}
	CHECK(!ask_of(SYMLINK, "link") && !ask_of(SYMLINK, "short"));
	CHECK(!ask(INODE, 0, 0) && !ask(BMBTD, 0, 0) && !ask(BMBTA, 0, 0));
}

static void errnos(void)
{
	uint64_t ino = ino_of("plain");
	uint32_t gen = (uint32_t)value(inode_at(ino) + 92, 4);

	CHECK(ask(SYMLINK, ino, gen) == -ENOENT);
	CHECK(ask(SYMLINK, 0, 0) == -ENOENT);
	CHECK(ask(BMBTC, ino, gen) == -ENOENT && !ask_of(BMBTC, "shared"));
	for (unsigned type = INODE; type <= BMBTC; type++) {
		CHECK(ask(type, ino, gen + 1) == -ENOENT);
		CHECK(ask(type, 7, 1) == -ENOENT && ask(type, 1ull << 60, 1) == -ENOENT);
	}
}

static void fill(void)
{
	char target[900];
	int fd, to;

	memset(big, 'x', sizeof(big));
	memset(target, 't', sizeof(target));
	target[899] = 0;
	fd = make("plain");
	for (int i = 0; i < 3; i++)
		CHECK(pwrite(fd, big, 8192, i * 65536) == 8192);
	CHECK(!fsync(fd) && !close(fd));
	fd = make("long");
	for (int i = 0; i < 400; i++)
		CHECK(pwrite(fd, big, 1024, i * 4096) == 1024);
	CHECK(!fsync(fd) && !close(fd));
	fd = make("holes");
	for (int i = 0; i < 20; i++)
		CHECK(pwrite(fd, big, 1024, i * 4096) == 1024);
	CHECK(!fsync(fd) && (to = make("shared")) >= 0 && !ioctl(to, FICLONE, fd));
	/* Copied, some of them, and more of them staged. */
	CHECK(pwrite(to, big, 1024, 8192) == 1024 && !fsync(to) && !close(to) && !close(fd));
	fd = make("valued");
	for (int i = 0; i < 4; i++) {
		char name[] = "user.a0";

		name[6] = (char)('0' + i);
		CHECK(!fsetxattr(fd, name, big, 3000, 0));
	}
	CHECK(!close(fd));
	fd = make("sparse");
	CHECK(!ftruncate(fd, 1 << 20) && !close(fd));
	CHECK(!mkfifo("fifo", 0644) && !mkdir("sub", 0755) && !symlink("here", "short") &&
	      !symlink(target, "link"));
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
	errnos();
	cores();
	extents();
	owners();
	links();
	sound();
	end();
	CHECK(!failed);
	printf("scrub_ino: ok\n");
	return 0;
}
