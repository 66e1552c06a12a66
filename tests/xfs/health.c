// SPDX-License-Identifier: MIT
/*
 * Run in the guest: health DEVICE DIR, a device with an XFS that nobody has mounted, and where to
 * mount it. Known blocks are damaged on the device behind the file system's back, and are met at
 * work; then they are made whole again. What ioctls say of the objects stays. The same on Linux,
 * but for inodes that went out of memory (tests/command/xfs_health.py).
 */
#define _GNU_SOURCE
#include "harm.h"
#include <dirent.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

struct geometry {
	uint32_t a[8];
	uint64_t b[4];
	uint8_t uuid[16];
	uint32_t c[8], sick, checked, d[2];
	uint64_t e[16];
};
struct ag_geometry {
	uint32_t number, length, freeblks, icount, ifree, sick, checked, flags;
	uint64_t reserved[12];
};
struct bulk {
	uint64_t ino;
	uint32_t flags, icount, ocount, agno;
	uint64_t reserved[5];
	/* struct xfs_bulkstat */
	uint64_t found[8];
	uint32_t gen, c[14];
	uint16_t version, forkoff, sick, checked, mode, pad2;
	uint64_t d[7];
};
_Static_assert(sizeof(struct geometry) == 256 && sizeof(struct ag_geometry) == 128 &&
		       sizeof(struct bulk) == 64 + 192,
	       "the ABI");
#define GEOMETRY _IOR('X', 126, struct geometry)
#define AG_GEOMETRY _IOWR('X', 61, struct ag_geometry)
#define BULKSTAT (int)_IOR('X', 127, unsigned char[64])
#define INUMBERS (int)_IOR('X', 128, unsigned char[64])

enum { AGF = 1 << 1, AGI = 1 << 3, CNT = 1 << 5, INO = 1 << 6, FINO = 1 << 7, REFC = 1 << 9 };
enum { CORE = 1 << 0, BMBTD = 1 << 1, IS_DIR = 1 << 4, XATTR = 1 << 5, SYMLINK = 1 << 6 };

static const char *dev;
static int root;
static bool remembers;		/* inodes that are not in memory: Ochre does */

/* ---- where things are ---- */

/* The root of a tree whose number is at OFF of a header in sector SECT of AG 0. */
static uint64_t tree_at(unsigned sect, unsigned off)
{
	unsigned char b[4];

	read_at(ag_at(0) + sect * sector + off, b, 4);
	return ag_at(0) + be(b, 4) * block_size;
}

/* ---- what is told ---- */

static unsigned ag_sick(unsigned agno)
{
	struct ag_geometry g = { .number = agno };

	CHECK(!ioctl(root, AG_GEOMETRY, &g) && !g.checked);
	return g.sick;
}

static struct bulk bulkstat(uint64_t ino)
{
	struct bulk b = { .ino = ino, .icount = 1 };

	CHECK(!ioctl(root, BULKSTAT, &b) && b.ocount == 1 && b.found[0] == ino && !b.checked);
	return b;
}

static unsigned ino_sick(const char *name)
{
	struct stat st;

	CHECK(!lstat(name, &st));
	return bulkstat(st.st_ino).sick;
}

static void fs_is_well(void)
{
	struct geometry g;

	CHECK(!ioctl(root, GEOMETRY, &g) && !g.sick && !g.checked);
}

/* ---- what is there ---- */

static char big[4096];

/* A file whose blocks another one has too. */
static void clone(void)
{
	int from = open("holes", O_RDONLY), to = open("shared", O_RDWR | O_CREAT, 0644);

	CHECK(from >= 0 && to >= 0 && !ioctl(to, FICLONE, from));
	close(from);
	close(to);
}

static void fill(void)
{
	int fd;
	char name[300];

	memset(big, 'x', sizeof(big));
	CHECK((fd = open("holes", O_RDWR | O_CREAT, 0644)) >= 0);
	for (int i = 0; i < 200; i++)
		CHECK(pwrite(fd, big, sizeof(big), i * 8192) == sizeof(big));
	CHECK(!fsync(fd) && !close(fd));
	CHECK(!mkdir("dir", 0755));
	for (int i = 0; i < 100; i++) {
		sprintf(name, "dir/%0200d", i);
		CHECK((fd = open(name, O_RDWR | O_CREAT, 0644)) >= 0 && !close(fd));
	}
	CHECK((fd = open("attr", O_RDWR | O_CREAT, 0644)) >= 0 && !close(fd));
	CHECK(!setxattr("attr", "user.long", big, 1000, 0));
	memset(name, 'y', 299);
	name[299] = 0;
	memset(big + 1000, 0, 1);
	CHECK(!symlink(big, "link"));
	memset(big, 'x', sizeof(big));
	CHECK((fd = open("record", O_RDWR | O_CREAT, 0644)) >= 0 && !close(fd));
	clone();
	sync();
}

/* ---- inodes ---- */

static int seek(const char *name)
{
	int fd = open(name, O_RDONLY), n, e;

	if (fd < 0)
		return -1;
	n = (int)lseek(fd, 0, SEEK_HOLE);
	e = errno;
	close(fd);
	errno = e;
	return n;
}

static int read_attr(const char *name)
{
	return (int)getxattr(name, "user.long", big, sizeof(big));
}

static int read_link(const char *name)
{
	return (int)readlink(name, big, sizeof(big));
}

static int list(const char *name)
{
	DIR *d = opendir(name);
	int n = 0, e;

	errno = 0;
	while (d && readdir(d))
		n++;
	e = errno;
	if (d)
		closedir(d);
	errno = e;
	return e ? -1 : n;
}

/* NAME, kept open, is damaged AT and used: exactly BIT of it is sick, also when it is whole. */
static void one_inode(const char *name, uint64_t at, int (*use)(const char *), unsigned bit)
{
	int fd = open(name, O_PATH | O_NOFOLLOW);
	unsigned left;

	CHECK(fd >= 0 && !ino_sick(name));
	damage(at + 16);
	FAILS(use(name), EUCLEAN);
	CHECK(ino_sick(name) == bit);
	make_whole(at + 16);
	CHECK(use(name) >= 0);
	CHECK(ino_sick(name) == bit);
	close(fd);
	forget();
	/* Out of memory, and read again. */
	left = ino_sick(name);
	CHECK(!remembers || left == bit);
}

/* "record", inode INO, is freed, and with it what was known: the next of that number is well. */
static void forget_freed(uint64_t ino)
{
	struct stat st = { 0 };
	char name[20];

	CHECK(!unlink("record"));
	forget();
	for (int i = 0; i < 1000 && st.st_ino != ino; i++) {
		sprintf(name, "again%d", i);
		CHECK(!mknod(name, S_IFREG | 0644, 0) && !stat(name, &st));
	}
	CHECK(st.st_ino == ino && !ino_sick(name));
}

/* A record that cannot be read: remembered by its number alone. */
static void record(void)
{
	struct stat st;
	struct bulk b;

	CHECK(!stat("record", &st));
	damage(inode_at(st.st_ino) + 8);
	FAILS(stat("record", &st), EUCLEAN);
	b = (struct bulk){ .ino = st.st_ino, .icount = 1 };
	FAILS(ioctl(root, BULKSTAT, &b), EUCLEAN);
	make_whole(inode_at(st.st_ino) + 8);
	CHECK(!stat("record", &st));
	CHECK(ino_sick("record") == (remembers ? CORE : 0));
	forget_freed(st.st_ino);
}

/* ---- AGs ---- */

static int ask_ag(void)
{
	struct ag_geometry g = { .number = 0 };

	return ioctl(root, AG_GEOMETRY, &g);
}

static int inumbers(void)
{
	struct bulk b = { .ino = 0, .icount = 1 };

	return ioctl(root, INUMBERS, &b);
}

static void one_of_ag(uint64_t at, int (*use)(void), unsigned bit)
{
	unsigned was = ag_sick(0);

	CHECK(!(was & bit));
	damage(at);
	FAILS(use(), EUCLEAN);
	make_whole(at);
	CHECK(!use() && (ag_sick(0) & ~bit) == was && ag_sick(0) & bit);
	CHECK(!ag_sick(1));
}

static int allocate(void)
{
	int fd = open("new", O_RDWR | O_CREAT, 0644), e;

	CHECK(fd >= 0);
	e = ftruncate(fd, 0);
	e = fallocate(fd, 0, 0, 65536);
	close(fd);
	return e;
}

/* Which of the blocks are shared: of the tree of counts. */
static int ask_shared(void)
{
	struct fiemap m = { .fm_length = 4096 };
	int fd = open("shared", O_RDONLY), n, e;
	union {
		struct fiemap m;
		char room[sizeof(m) + sizeof(struct fiemap_extent)];
	} u = { m };

	u.m.fm_extent_count = 1;
	CHECK(fd >= 0);
	n = ioctl(fd, FS_IOC_FIEMAP, &u.m);
	e = errno;
	CHECK(n || u.m.fm_extents[0].fe_flags & FIEMAP_EXTENT_SHARED);
	close(fd);
	errno = e;
	return n;
}

static int create(void)
{
	static char name[] = "a-file";
	int fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0644);

	if (fd < 0)
		return -1;
	name[0]++;
	return close(fd);
}

static void ags(void)
{
	struct stat st;
	int fd = open("new", O_RDWR | O_CREAT, 0644);

	CHECK(fd >= 0 && !close(fd) && !stat("new", &st));
	one_of_ag(ag_at(0) + sector + 40, ask_ag, AGF);
	one_of_ag(ag_at(0) + 2 * sector + 100, ask_ag, AGI);
	one_of_ag(tree_at(2, 20) + 60, inumbers, INO);
	one_of_ag(tree_at(1, 88) + 60, ask_shared, REFC);
	one_of_ag(tree_at(1, 20) + 60, allocate, CNT);
	one_of_ag(tree_at(2, 328) + 60, create, FINO);
}

static void see_shown(const char *what)
{
	char path[200], text[4096];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/sys/fs/xfs/%s/health", strrchr(dev, '/') + 1);
	fd = open(path, O_RDONLY);
	CHECK(fd >= 0 && (n = read(fd, text, sizeof(text) - 1)) >= 0 && !close(fd));
	text[n] = 0;
	CHECK(what ? strstr(text, what) != NULL : !n);
}

/* A mount that only reads remembers too, and still does so when it writes. */
static void read_only(const char *dir)
{
	struct ag_geometry g = { .number = 1 };
	unsigned char b[512];

	CHECK(!mount(dev, dir, "xfs", MS_RDONLY, NULL) && !chdir(dir));
	CHECK((root = open(".", O_RDONLY)) >= 0 && !ag_sick(0));
	read_at(ag_at(1) + sector, b, sizeof(b));
	CHECK(!ioctl(root, AG_GEOMETRY, &g) && g.length == ag_blocks);
	/* Nothing is kept for trees while nobody writes. */
	CHECK(g.freeblks == be(b + 48, 4) + be(b + 52, 4) + be(b + 60, 4));
	read_at(ag_at(1) + 2 * sector, b, sizeof(b));
	CHECK(g.icount == be(b + 16, 4) && g.ifree == be(b + 28, 4));
	damage(ag_at(1) + 2 * sector + 100);
	FAILS(ioctl(root, AG_GEOMETRY, &(struct ag_geometry){ .number = 1 }), EUCLEAN);
	make_whole(ag_at(1) + 2 * sector + 100);
	CHECK(ag_sick(1) == AGI && !ag_sick(0));
	CHECK(!mount(NULL, dir, NULL, MS_REMOUNT, NULL));
	CHECK(ag_sick(1) == AGI && !ag_sick(0));
	CHECK(!create());
	CHECK(!close(root) && !chdir("/") && !umount(dir));
}

int main(int argc, char **argv)
{
	CHECK(argc == 3);
	dev = argv[1];
	open_device(dev);
	CHECK(!mount(dev, argv[2], "xfs", 0, NULL) && !chdir(argv[2]));
	CHECK((root = open(".", O_RDONLY)) >= 0);
	fill();
	remembers = !access("/sys/fs/xfs/vda/health", R_OK);
	if (remembers)
		see_shown(NULL);
	/* All is in its place. */
	CHECK(!close(root) && !chdir("/") && !umount(argv[2]));
	CHECK(!mount(dev, argv[2], "xfs", 0, NULL) && !chdir(argv[2]));
	CHECK((root = open(".", O_RDONLY)) >= 0);
	fs_is_well();
	CHECK(!ag_sick(0) && !ag_sick(1));
	one_inode("holes", fork_at("holes", false, 3), seek, BMBTD);
	one_inode("dir", fork_at("dir", false, 2), list, IS_DIR);
	one_inode("attr", fork_at("attr", true, 2), read_attr, XATTR);
	one_inode("link", fork_at("link", false, 2), read_link, SYMLINK);
	record();
	if (remembers)
		CHECK(!ag_sick(0));
	ags();
	fs_is_well();
	if (remembers)
		see_shown("AG 0: AGF, AGI, cntbt, inobt, finobt, refcountbt since ");
	CHECK(!close(root) && !chdir("/") && !umount(argv[2]));
	if (remembers)
		FAILS(access("/sys/fs/xfs/vda", F_OK), ENOENT);
	read_only(argv[2]);
	printf("health: ok\n");
	return 0;
}
