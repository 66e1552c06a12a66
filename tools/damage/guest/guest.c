// SPDX-License-Identifier: MIT
/*
 * The other program that ./ochre heal-demo runs in its guest, static and on no disk:
 *
 *   guest prepare DIR       a directory in each AG, with files of many extents and attributes;
 *                           a line each: AG DIR
 *   guest work DIR          makes, renames and removes files until SIGTERM; how many
 *   guest meet TYPE DIR     reads what there is of that structure in DIR's AG, as programs do
 *   guest attrs FILE        reads its attributes
 *   guest check TYPE PATH   asks online scrub: status 0: whole, 3: damaged
 *   guest remount OPTIONS   of the root
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/fsmap.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

struct geometry {
	uint32_t blocksize, rtextsize, agblocks, agcount, logblocks, sectsize, inodesize, more[57];
};
struct ag_geometry {
	uint32_t number, length, freeblks, icount, ifree, sick, checked, flags;
	uint64_t reserved[12];
};
struct inumbers {
	uint64_t ino;
	uint32_t flags, icount, ocount, agno;
	uint64_t reserved[5];
	uint64_t recs[64][3];
};
struct scrub {
	uint32_t type, flags;
	uint64_t ino;
	uint32_t gen, agno;
	uint64_t reserved[5];
};
#define GEOMETRY _IOR('X', 126, struct geometry)
#define AG_GEOMETRY _IOWR('X', 61, struct ag_geometry)
#define INUMBERS _IOC(_IOC_READ, 'X', 128, 64)
#define SCRUB _IOWR('X', 60, struct scrub)

/* As Linux's own programs say it; musl has no words for the two that a damaged XFS answers. */
static const char *words(int e)
{
	return e == EUCLEAN ? "Structure needs cleaning" :
	       e == EBADMSG ? "Bad message" :
			      strerror(e);
}

static void __attribute__((noreturn)) fail(const char *what)
{
	printf("%s: %s\n", what, words(errno));
	exit(1);
}

static int need(int result, const char *what)
{
	if (result < 0)
		fail(what);
	return result;
}

static struct geometry geometry(int fd)
{
	struct geometry g;

	_Static_assert(sizeof(g) == 256, "struct xfs_fsop_geom");
	need(ioctl(fd, GEOMETRY, &g), "FSGEOMETRY");
	return g;
}

static unsigned int log_up(uint32_t v)
{
	unsigned int n = 0;

	while (1ull << n < v)
		n++;
	return n;
}

static uint32_t ag_of(const struct geometry *g, uint64_t ino)
{
	return (uint32_t)(ino >> (log_up(g->agblocks) + log_up(g->blocksize / g->inodesize)));
}

/* ---- prepare ---- */

static char block[4096];

static int make(const char *name)
{
	return need(open(name, O_RDWR | O_CREAT | O_TRUNC, 0644), name);
}

/*
 * Files whose extents, and attributes' extents, need a tree each; inodes that are free; shared
 * blocks.
 */
static void fill(void)
{
	int fd = make("extents"), other, attrs;

	for (int i = 0; i < 400; i++)
		need((int)pwrite(fd, block, sizeof(block), i * 8192), "extents");
	need(fsync(fd), "extents");
	other = make("shared");
	need(ioctl(other, FICLONE, fd), "FICLONE");
	close(other);
	close(fd);
	fd = make("room");
	attrs = make("attrs");
	for (int i = 0; i < 60; i++) {
		char name[20];

		/* A block between two of the attributes, so that they do not make one extent. */
		sprintf(name, "user.%d", i);
		need(fsetxattr(attrs, name, block, 3000, 0), name);
		need(fallocate(fd, 0, i * 8192, 4096), "room");
		need(fsync(fd), "room");
	}
	close(attrs);
	close(fd);
	/*
	 * Every third one stays: a new file finds an inode that is free, and changes nothing before
	 * it.
	 */
	for (int i = 0; i < 90; i++) {
		char name[20];

		sprintf(name, "file%d", i);
		fd = make(name);
		need((int)write(fd, block, (size_t)(i * 20 + 1)), name);
		close(fd);
	}
	for (int i = 0; i < 90; i++) {
		char name[20];

		sprintf(name, "file%d", i);
		if (i % 3)
			need(unlink(name), name);
	}
}

static void prepare(const char *dir)
{
	struct geometry g;
	uint32_t left;
	uint8_t *have;
	int fd;

	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = (char)(i * 7 + i / 64);
	need(mkdir(dir, 0755), dir);
	need(chdir(dir), dir);
	fd = need(open(".", O_RDONLY), dir);
	g = geometry(fd);
	left = g.agcount;
	have = calloc(g.agcount, 1);
	if (!have)
		fail("memory");
	/* A new directory goes to another AG than the last one. */
	for (int i = 0; left && i < 64 + 16 * (int)g.agcount; i++) {
		char name[20];
		struct stat st;

		sprintf(name, "dir%d", i);
		need(mkdir(name, 0755), name);
		need(stat(name, &st), name);
		if (have[ag_of(&g, st.st_ino)]++) {
			need(rmdir(name), name);
			continue;
		}
		left--;
		printf("%u %s/%s\n", ag_of(&g, st.st_ino), dir, name);
		need(chdir(name), name);
		fill();
		need(chdir(".."), "..");
	}
	sync();
}

/* ---- work ---- */

static volatile sig_atomic_t stop;

static void on_term(int sig)
{
	stop = 1;
}

static void work(const char *dir)
{
	unsigned long made = 0, failed = 0;
	char from[32], to[32];

	signal(SIGTERM, on_term);
	need(chdir(dir), dir);
	while (!stop) {
		int fd;

		sprintf(from, "new%lu", made % 50);
		sprintf(to, "old%lu", made % 20);
		fd = open(from, O_RDWR | O_CREAT, 0600);
		if (fd < 0 || write(fd, block, sizeof(block)) < 0)
			failed++;
		if (fd >= 0)
			close(fd);
		failed += rename(from, to) < 0;
		if (made % 3 == 2)
			failed += unlink(to) < 0;
		made++;
		usleep(2000);
	}
	printf("%lu files, %lu errors\n", made, failed);
}

/* ---- meet ---- */

static void said(const char *what, int result)
{
	if (result < 0)
		printf("%s: %s\n", what, words(errno));
}

/* Without CAP_SYS_ADMIN free space is told by its tree, with it by the tree of owners. */
static void map_of(int fd, bool root)
{
	static struct {
		struct fsmap_head h;
		struct fsmap recs[512];
	} map;
	pid_t pid = fork();
	int status;

	if (!pid) {
		if (!root && setuid(65534))
			fail("setuid");
		memset(&map, 0, sizeof(map));
		map.h.fmh_count = 512;
		memset(&map.h.fmh_keys[1], 0xff, sizeof(struct fsmap));
		memset(map.h.fmh_keys[1].fmr_reserved, 0, sizeof(map.h.fmh_keys[1].fmr_reserved));
		map.h.fmh_keys[1].fmr_length = 0;
		for (;;) {
			if (ioctl(fd, FS_IOC_GETFSMAP, &map) < 0) {
				said("GETFSMAP", -1);
				break;
			}
			if (!map.h.fmh_entries ||
			    map.recs[map.h.fmh_entries - 1].fmr_flags & FMR_OF_LAST)
				break;
			map.h.fmh_keys[0] = map.recs[map.h.fmh_entries - 1];
		}
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, &status, 0);
}

static void meet(const char *type, const char *dir)
{
	struct inumbers in = { .flags = 1, .icount = 64 };
	struct ag_geometry ag = { 0 };
	struct geometry g;
	struct stat st;
	char what[64];
	int fd = need(open(dir, O_RDONLY | O_DIRECTORY), dir), file;

	g = geometry(fd);
	need(fstat(fd, &st), dir);
	need(fchdir(fd), dir);
	ag.number = in.agno = ag_of(&g, st.st_ino);
	if (!strcmp(type, "agf") || !strcmp(type, "agi"))
		said("AG_GEOMETRY", ioctl(fd, AG_GEOMETRY, &ag));
	if (!strcmp(type, "bnobt"))
		map_of(fd, false);
	if (!strcmp(type, "refcountbt") || !strcmp(type, "rmapbt"))
		map_of(fd, true);
	if (!strcmp(type, "inobt"))
		said("INUMBERS", ioctl(fd, INUMBERS, &in));
	if (!strcmp(type, "finobt")) {
		sprintf(what, "touched%d", getpid());
		file = open(what, O_RDWR | O_CREAT, 0644);
		said("open", file);
		if (file >= 0)
			unlink(what);
	}
	if (!strcmp(type, "bnobt") || !strcmp(type, "cntbt") || !strcmp(type, "agf")) {
		/*
		 * Each time another file: the next extent of one may lie where its last one went.
		 */
		sprintf(what, "file%d", getpid() % 30 * 3);
		file = open(what, O_RDWR);
		/*
		 * Each size is looked for elsewhere in the tree by length. None is freed: that
		 * would change it.
		 */
		for (off_t n = 4096; n <= 16 << 20; n *= 64)
			if (fallocate(file, FALLOC_FL_KEEP_SIZE, (getpid() + 1ll) << 26, n)) {
				said("fallocate", -1);
				break;
			}
	}
}

static void attrs(const char *path)
{
	static char names[65536], value[65536];
	ssize_t n = listxattr(path, names, sizeof(names));

	said("listxattr", (int)n);
	for (char *p = names; n > 0 && p < names + n; p += strlen(p) + 1)
		if (getxattr(path, p, value, sizeof(value)) < 0) {
			said("getxattr", -1);
			break;
		}
}

/* ---- check ---- */

static int check(const char *type, const char *path)
{
	static const struct {
		const char *name;
		int type;
		bool of_inode;
	} types[] = { { "sb", 1, false },	   { "agf", 2, false },	   { "agfl", 3, false },
		      { "agi", 4, false },	   { "bnobt", 5, false },  { "cntbt", 6, false },
		      { "inobt", 7, false },	   { "finobt", 8, false }, { "rmapbt", 9, false },
		      { "refcountbt", 10, false }, { "inode", 11, true },  { "bmapbtd", 12, true },
		      { "bmapbta", 13, true } };
	struct scrub s = { 0 };
	struct geometry g;
	struct stat st;
	int fd = open(path, O_RDONLY);

	if (fd < 0) {
		said(path, fd);
		return 3;
	}
	g = geometry(fd);
	need(fstat(fd, &st), path);
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		if (strcmp(types[i].name, type))
			continue;
		s.type = (uint32_t)types[i].type;
		if (!types[i].of_inode)
			s.agno = ag_of(&g, st.st_ino);
		need(ioctl(fd, SCRUB, &s), "SCRUB_METADATA");
		if (!(s.flags & (2 | 8 | 16)))
			return 0;
		printf("scrub: flags 0x%x\n", s.flags);
		return 3;
	}
	printf("%s: no such type\n", type);
	return 2;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!strcmp(what, "prepare") && argc == 3)
		prepare(argv[2]);
	else if (!strcmp(what, "work") && argc == 3)
		work(argv[2]);
	else if (!strcmp(what, "meet") && argc == 4)
		meet(argv[2], argv[3]);
	else if (!strcmp(what, "attrs") && argc == 3)
		attrs(argv[2]);
	else if (!strcmp(what, "check") && argc == 4)
		return check(argv[2], argv[3]);
	else if (!strcmp(what, "remount") && argc == 3)
		need(mount(NULL, "/", NULL, MS_REMOUNT, argv[2]), "remount");
	else
		return 2;
	return 0;
}
