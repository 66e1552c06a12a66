// SPDX-License-Identifier: MIT
/*
 * Run in the guest: repair_ino DEVICE DIR, a device with an XFS that nobody has mounted, and where
 * to mount it. Inodes, their extents and the trees of these are damaged on the device behind its
 * back, and repaired by the ioctl while it is mounted: checks find nothing then, and data, sizes
 * and attributes are as they were, also after a shutdown. What has no second source stays as it is.
 */
#define _GNU_SOURCE
#include "hurt_ino.h"
#include <linux/fs.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>

enum { REPAIR = 1, NO_NEED = 128, REBUILD = 256, DIRTREE = 28 };

static const char *const names[] = { "plain", "long", "shared", "holes", "valued", "many", "dir" };
#define NAMES (sizeof(names) / sizeof(*names))

static int call(unsigned type, uint64_t ino, uint32_t gen, unsigned flags)
{
	struct meta m = { .type = type, .ino = ino, .gen = gen, .flags = flags };

	return ioctl(root, SCRUB, &m) ? -errno : (int)(m.flags & 0xfe);
}

static uint32_t gen_of(const char *name)
{
	uint32_t gen = 0;
	int fd = openat(root, name, O_RDONLY);

	CHECK(fd >= 0 && !ioctl(fd, FS_IOC_GETVERSION, &gen) && !close(fd));
	return gen;
}

/* ---- what files have ---- */

static uint64_t mix(uint64_t sum, const void *p, size_t n)
{
	const unsigned char *b = p;
	uint64_t v;

	for (; n >= 8; n -= 8, b += 8) {
		memcpy(&v, b, 8);
		sum = (sum ^ v ^ sum >> 29) * 1099511628211ull;
	}
	while (n--)
		sum = (sum ^ *b++) * 1099511628211ull;
	return sum;
}

static uint64_t sum_of_dir(int fd)
{
	static char b[32768];
	uint64_t sum = 0;
	long n;

	while ((n = syscall(SYS_getdents64, fd, b, sizeof(b))) > 0)
		for (long at = 0; at < n; at += (unsigned char)b[at + 16] | b[at + 17] << 8)
			sum += mix(be((unsigned char *)b + at, 8), b + at + 19,
				   strlen(b + at + 19));
	CHECK(!n && !close(fd));
	return sum;
}

static uint64_t sum_of(const char *name)
{
	static char b[1 << 16];
	int fd = openat(root, name, O_RDONLY);
	uint64_t sum = 14695981039346656037ull;
	struct stat st;
	ssize_t n;

	CHECK(fd >= 0 && !fstat(fd, &st));
	sum = mix(sum, &st.st_size, sizeof(st.st_size));
	sum = mix(sum, &st.st_mode, sizeof(st.st_mode));
	for (int i = 0; i < 20; i++) {
		char attr[16];

		sprintf(attr, "user.a%d", i);
		n = fgetxattr(fd, attr, b, sizeof(b));
		if (n > 0)
			sum = mix(sum + (uint64_t)i, b, (size_t)n);
	}
	if (S_ISDIR(st.st_mode))
		return sum ^ sum_of_dir(fd);
	while ((n = read(fd, b, sizeof(b))) > 0)
		sum = mix(sum, b, (size_t)n);
	CHECK(!n && !close(fd));
	return sum;
}

static uint64_t was[NAMES];

/* ONLY: NULL: of all. */
static void same(const char *when, const char *only)
{
	for (unsigned i = 0; i < NAMES; i++)
		if ((!only || !strcmp(only, names[i])) && sum_of(names[i]) != was[i]) {
			printf("%s: %s is not as it was <--\n", when, names[i]);
			failed = true;
		}
}

static void sound(const char *when, const char *only)
{
	for (unsigned i = 0; i < NAMES; i++)
		for (unsigned type = INODE; type <= BMBTA; type++) {
			int flags;

			if (only && strcmp(only, names[i]))
				continue;
			flags = call(type, ino_of(names[i]), gen_of(names[i]), 0);

			if (flags) {
				printf("%s: type %u of %s: %d <--\n", when, type, names[i], flags);
				failed = true;
			}
		}
}

/* ---- damage ---- */

static unsigned char good[4096], bad[4096];

/* As one() of hurt_ino.h; it is mounted again. */
static void spoil(size_t off, int width, uint64_t new, bool crc)
{
	uint32_t sum;

	end();
	read_at(region, good, region_len);
	memcpy(bad, good, region_len);
	for (int i = 0; i < width; i++)
		bad[off + (size_t)i] = (unsigned char)(new >> 8 * (width - 1 - i));
	CHECK(memcmp(good, bad, region_len));
	if (crc) {
		memset(bad + region_crc, 0, 4);
		sum = ~crc32c(~0u, bad, region_len);
		memcpy(bad + region_crc, &sum, 4);
	}
	CHECK(pwrite(raw, bad, region_len, (off_t)region) == (ssize_t)region_len && !fsync(raw));
	begin();
}

static void mend(const char *what, const char *name, size_t off, int width, uint64_t new, bool crc,
		 unsigned type)
{
	uint64_t ino = ino_of(name);
	uint32_t gen = gen_of(name);
	int found, flags;

	spoil(off, width, new, crc);
	found = call(type, ino, gen, 0);
	flags = call(type, ino, gen, REPAIR);
	printf("%s: %d, repair: %d\n", what, found, flags);
	if (!(found & (CORRUPT | XCORRUPT | PREEN)) || found < 0 || flags) {
		printf("<--\n");
		failed = true;
	}
	sound(what, name);
	same(what, name);
	end();
	begin();
	same("mounted again", name);
}

/* What is found is still there after a repair; then all is whole again. */
static void stays(const char *what, const char *name, size_t off, int width, uint64_t new, bool crc,
		  unsigned type)
{
	uint64_t ino = ino_of(name);
	uint32_t gen = gen_of(name);
	unsigned char now[4096];
	int found, flags;

	spoil(off, width, new, crc);
	found = call(type, ino, gen, 0);
	flags = call(type, ino, gen, REPAIR);
	printf("%s: %d, repair: %d\n", what, found, flags);
	failed |= !(found & CORRUPT) || flags < 0 || !(flags & CORRUPT);
	end();
	read_at(region, now, region_len);
	CHECK(!memcmp(now, bad, region_len));
	CHECK(pwrite(raw, good, region_len, (off_t)region) == (ssize_t)region_len && !fsync(raw));
	begin();
	same(what, NULL);
}

static void cores(void)
{
	uint64_t at = record_of("plain");

	in_inode("plain");
	mend("size", "plain", 56, 1, 0x80, true, INODE);
	mend("blocks", "plain", 64, 8, value(at + 64, 8) + 1, true, INODE);
	mend("no blocks", "plain", 64, 8, 0, true, INODE);
	mend("flag of directories", "plain", 90, 2, 0x400, true, INODE);
	mend("hint without flag", "plain", 72, 4, 3, true, INODE);
	mend("flag without hint", "plain", 90, 2, 0x800, true, INODE);
	mend("checksum", "plain", 100, 4, 0x11223344, false, INODE);
	mend("number", "plain", 152, 8, 77, true, INODE);
	mend("identity", "plain", 160, 8, 77, true, INODE);
	mend("flag of sharing", "plain", 127, 1, value(at + 127, 1) | 2, true, INODE);
	mend("magic", "plain", 0, 2, 0x1234, true, INODE);
	mend("version", "plain", 4, 1, 2, true, INODE);
	mend("format", "plain", 5, 1, 3, true, INODE);
	mend("extent of the core", "plain", 184, 8, 0x7ffffffull << 21 | 1, true, INODE);
	in_inode("shared");
	at = record_of("shared");
	mend("no flag of sharing", "shared", 127, 1, value(at + 127, 1) & ~2u, true, INODE);
	in_inode("many");
	at = record_of("many");
	mend("checksum, of many", "many", 100, 4, 0x11223344, false, INODE);
	mend("root: level", "many", 176, 2, 0, true, INODE);
	mend("root: entries", "many", 178, 2, 700, true, INODE);
	at = record_of("dir");
	in_inode("dir");
	mend("checksum, of a directory", "dir", 100, 4, 0x11223344, false, INODE);
	mend("no blocks, of a directory", "dir", 64, 8, 0, true, INODE);
	in_inode("long");
	at = record_of("long");
	mend("extents", "long", value(at + 24, 8) ? 24 : 76, value(at + 24, 8) ? 8 : 4,
	     value(at + 24, 8) ? value(at + 24, 8) - 1 : value(at + 76, 4) - 1, true, BMBTD);
}

static uint64_t leaf_of(const char *name)
{
	uint64_t at = fork_at(name, false, 3);

	while (value(at + 4, 2))
		at = fsb_at(value(at + 72 + (block_size - 72) / 16 * 8, 8));
	return at;
}

/* The damage WHAT of the first leaf of NAME's tree, which is another after each repair. */
static void leaf(const char *what, const char *name, size_t off, int width, int64_t by, bool crc)
{
	uint64_t at = leaf_of(name);

	in_block(at, 64);
	mend(what, name, off, width, value(at + off, width) + (uint64_t)by, crc, BMBTD);
}

static void extents(void)
{
	uint64_t at = record_of("plain"), first, low = value(at + 184, 8);

	in_inode("plain");
	mend("extent: block", "plain", 184, 8, low + (1 << 21), true, BMBTD);
	mend("extent: length", "plain", 184, 8, low - 1, true, BMBTD);
	mend("extent: offset", "plain", 176, 8, value(at + 176, 8) + (1 << 9), true, BMBTD);
	mend("extent: unwritten", "plain", 176, 1, 0x80, true, BMBTD);
	for (unsigned i = 1; i < 6; i += 4) {
		const char *name = names[i];

		leaf("tree: block", name, 80, 8, 1 << 21, true);
		leaf("tree: first key", name, 72, 8, 1 << 9, true);
		leaf("tree: sibling", name, 8, 8, 5, true);
		leaf("tree: level", name, 4, 2, 1, true);
		leaf("tree: owner", name, 56, 8, 1, true);
		leaf("tree: records", name, 6, 2, -1, true);
		leaf("tree: checksum", name, 64, 4, 1, false);
	}
	at = fork_at("many", false, 3);
	in_block(at, 64);
	mend("node: pointer", "many", 72 + (block_size - 72) / 16 * 8, 8, 7, true, BMBTD);
	at = record_of("valued");
	first = 176 + value(at + 82, 1) * 8;
	in_inode("valued");
	CHECK(value(at + 83, 1) == 2);
	low = value(at + first + 8, 8);
	mend("attributes: block", "valued", first + 8, 8, low + (1 << 21), true, BMBTA);
	mend("attributes: length", "valued", first + 8, 8, low - 1, true, BMBTA);
}

static void refused(void)
{
	uint64_t ino = ino_of("plain");
	uint32_t gen = gen_of("plain");

	in_inode("plain");
	stays("mode", "plain", 2, 2, 0xe1a4, true, INODE);
	stays("checksum, for extents", "plain", 100, 4, 0x11223344, false, BMBTD);
	CHECK(call(SYMLINK, ino_of("short"), (uint32_t)value(record_of("short") + 92, 4),
		   REPAIR | REBUILD) == -EOPNOTSUPP);
	CHECK(call(BMBTD, ino, gen, REPAIR) == NO_NEED && call(INODE, ino, gen, REPAIR) == NO_NEED);
	CHECK(call(DIR, ino_of("dir"), gen_of("dir"), REPAIR | REBUILD) == -EOPNOTSUPP);
	CHECK(call(XATTR, ino, gen, REPAIR | REBUILD) == -EOPNOTSUPP);
	CHECK(call(PARENT, ino, gen, REPAIR | REBUILD) == -EOPNOTSUPP);
	CHECK(call(BMBTC, ino_of("shared"), gen_of("shared"), REPAIR | REBUILD) == -EOPNOTSUPP);
	printf("refused\n");
}

/* The tree of owners of AG 0 is damaged: the fork stays as it is. */
static void no_source(void)
{
	uint64_t ino = ino_of("plain"), record = record_of("plain");
	uint64_t at = ag_at(0) + value(ag_at(0) + sector + 24, 4) * block_size;
	unsigned char keep[4], now[4096];
	uint32_t gen = gen_of("plain");

	in_inode("plain");
	spoil(184, 8, value(record + 184, 8) + (1 << 21), true);
	end();
	read_at(at + 52, keep, 4);
	CHECK(pwrite(raw, "\1\2\3\4", 4, (off_t)at + 52) == 4 && !fsync(raw));
	begin();
	CHECK(call(BMBTD, ino, gen, REPAIR) & (CORRUPT | XFAIL));
	end();
	read_at(record, now, inode_size);
	CHECK(!memcmp(now, bad, inode_size));
	CHECK(pwrite(raw, keep, 4, (off_t)at + 52) == 4 && !fsync(raw));
	begin();
	CHECK(call(BMBTD, ino, gen, REPAIR) == 0);
	sound("the source is whole", NULL);
	same("the source is whole", NULL);
	printf("no source\n");
}

/* All is made anew, while somebody has written what is only in memory. */
static void rebuild(void)
{
	int fd = openat(root, "long", O_RDWR);
	char b[1024];

	CHECK(fd >= 0);
	memset(b, 'y', sizeof(b));
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 50; i++)
			CHECK(pwrite(fd, b, 1024, i * 4096 + 1024 + round * 1024) == 1024);
		for (unsigned i = 0; i < NAMES; i++)
			for (unsigned type = INODE; type <= BMBTA; type++) {
				int flags = call(type, ino_of(names[i]), gen_of(names[i]),
						 REPAIR | REBUILD);

				if (flags && (type != BMBTA || flags != -ENOENT)) {
					printf("rebuild: %u of %s: %d <--\n", type, names[i],
					       flags);
					failed = true;
				}
			}
		for (int i = 0; i < 50; i++)
			CHECK(pread(fd, b, 1024, i * 4096 + 1024 + round * 1024) == 1024 &&
			      b[0] == 'y' && b[1023] == 'y');
		CHECK(!fsync(fd));
		sound("rebuilt", NULL);
	}
	CHECK(!close(fd));
	was[1] = sum_of("long");
	printf("rebuilt\n");
}

/* After a shutdown the log has the repair. */
static void cut_off(void)
{
	for (unsigned i = 0; i < NAMES; i++) {
		CHECK(!call(INODE, ino_of(names[i]), gen_of(names[i]), REPAIR | REBUILD));
		CHECK(!call(BMBTD, ino_of(names[i]), gen_of(names[i]), REPAIR | REBUILD));
		CHECK(!ioctl(root, _IOR('X', 125, uint32_t), &(uint32_t){ 2 }));
		end();
		begin();
		sound("cut off", NULL);
		same("cut off", NULL);
	}
	printf("cut off\n");
}

/* While others write to them. */
static void under_load(void)
{
	pid_t pids[2];
	int fd;

	for (int i = 0; i < 2; i++) {
		CHECK((pids[i] = fork()) >= 0);
		if (pids[i])
			continue;
		CHECK((fd = openat(root, i ? "load" : "load2", O_RDWR | O_CREAT, 0644)) >= 0);
		for (unsigned n = 0;; n++) {
			CHECK(pwrite(fd, big, 1024, (off_t)(n * 7 % 300) * 3072) == 1024);
			if (n % 50 == 49)
				CHECK(!fsync(fd));
			if (n % 300 == 299)
				CHECK(!ftruncate(fd, 50000));
		}
	}
	while (faccessat(root, "load", F_OK, 0) || faccessat(root, "load2", F_OK, 0))
		;
	for (int round = 0; round < 15; round++)
		for (int i = 0; i < 2; i++)
			for (unsigned type = INODE; type <= BMBTD; type++) {
				const char *name = i ? "load" : "load2";
				int flags =
					call(type, ino_of(name), gen_of(name), REPAIR | REBUILD);

				if (flags && flags != -EBUSY) {
					printf("load: %u: %d <--\n", type, flags);
					failed = true;
				}
			}
	for (int i = 0; i < 2; i++)
		CHECK(!kill(pids[i], SIGKILL) && waitpid(pids[i], NULL, 0) == pids[i]);
	sync();
	sound("after the load", NULL);
	for (int i = 0; i < 2; i++)
		for (unsigned type = INODE; type <= BMBTD; type++) {
			const char *name = i ? "load" : "load2";

			CHECK(!call(type, ino_of(name), gen_of(name), 0));
		}
	printf("under load\n");
}

static void write_at(int fd, int n, off_t stride)
{
	for (int i = 0; i < n; i++) {
		memset(big, 'a' + i % 26, 1024);
		CHECK(pwrite(fd, big, 1024, i * stride) == 1024);
	}
	CHECK(!fsync(fd) && !close(fd));
}

static void fill(void)
{
	int fd = make("plain"), to;

	for (int i = 0; i < 3; i++) {
		memset(big, 'p' + i, 8192);
		CHECK(pwrite(fd, big, 8192, i * 65536) == 8192);
	}
	CHECK(!fsync(fd) && !close(fd));
	write_at(make("long"), 400, 4096);
	write_at(make("many"), 1200, 2048);
	write_at(make("holes"), 20, 4096);
	CHECK((fd = openat(root, "holes", O_RDWR)) >= 0);
	CHECK((to = make("shared")) >= 0 && !ioctl(to, FICLONE, fd));
	CHECK(pwrite(to, big, 1024, 8192) == 1024 && !fsync(to) && !close(to) && !close(fd));
	fd = make("valued");
	for (int i = 0; i < 4; i++) {
		char name[] = "user.a0";

		name[6] = (char)('0' + i);
		CHECK(!fsetxattr(fd, name, big, 3000, 0));
	}
	CHECK(!close(fd) && !mkdir("dir", 0755) && !symlink("here", "short"));
	for (int i = 0; i < 300; i++) {
		char name[64];

		sprintf(name, "dir/a name that takes some room %d", i);
		CHECK(!close(make(name)));
	}
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
	for (unsigned i = 0; i < NAMES; i++)
		was[i] = sum_of(names[i]);
	sound("at first", NULL);
	cores();
	extents();
	sound("mended", NULL);
	same("mended", NULL);
	refused();
	no_source();
	rebuild();
	cut_off();
	under_load();
	end();
	begin();
	same("at last", NULL);
	end();
	CHECK(!failed);
	printf("repair_ino: ok\n");
	return 0;
}
