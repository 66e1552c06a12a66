// SPDX-License-Identifier: MIT
/*
 * Run in the guest by tests/command/xfs_heal_many.py, on an XFS that tools/damage damages:
 *
 *   heal_many fill DIR         300 files, some in each AG, with trees of extents and of attributes,
 *                              shared blocks and free inodes; a line for each AG: its number, DIR
 *   heal_many sums DIR         a line for each file below: sum or -ERRNO, inode, path
 *   heal_many meet TYPE PATH   reads or changes what is of that structure in PATH's AG, or of PATH
 *   heal_many stir PATH        makes, changes and removes files in that directory
 *   heal_many freeze|thaw DIR
 *   heal_many repair DIR       scrub with repair of everything; a line for what is left
 *   heal_many gen PATH         its inode and generation
 *   heal_many one TYPE DIR AG INODE GENERATION [look]
 *                              scrub with repair of that; look: without, "old" or "new"
 *   heal_many mark DEVICE AT   a sector there, durable when it returns
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/fsmap.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define FILES 300
#define PIECES 300

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
#define GEOMETRY    _IOR('X', 126, struct geometry)
#define AG_GEOMETRY _IOWR('X', 61, struct ag_geometry)
#define INUMBERS    _IOC(_IOC_READ, 'X', 128, 64)
#define SCRUB	    _IOWR('X', 60, struct scrub)

enum { AG_TYPES = 10, FIRST_OF_INO = 11, LAST_OF_INO = 18, FSCOUNTERS = 24 };

static char data[1 << 16];

static int need(int result, const char *what)
{
	if (result >= 0)
		return result;
	printf("%s: errno %d\n", what, errno);
	exit(1);
}

static struct geometry geometry(int fd)
{
	struct geometry g;

	need(ioctl(fd, GEOMETRY, &g), "FSGEOMETRY");
	return g;
}

static unsigned log_up(uint32_t v)
{
	unsigned n = 0;

	while (1ull << n < v)
		n++;
	return n;
}

static uint32_t ag_of(const struct geometry *g, uint64_t ino)
{
	return (uint32_t)(ino >> (log_up(g->agblocks) + log_up(g->blocksize / g->inodesize)));
}

/* ---- fill ---- */

static int make(const char *name)
{
	return need(open(name, O_RDWR | O_CREAT | O_TRUNC, 0644), name);
}

static void write_at(int fd, size_t len, off_t at)
{
	need((int)pwrite(fd, data + at / 4096 % 16, len, at), "pwrite");
}

static void big_ones(uint32_t blocksize)
{
	int fd = make("extents"), other, attrs;
	char name[40];

	for (int i = 0; i < PIECES; i++)
		write_at(fd, blocksize, 2ll * i * blocksize);
	need(fsync(fd), "extents");
	other = make("shared");
	need(ioctl(other, FICLONE, fd), "FICLONE");
	/* Each count of owners is a record. */
	for (int i = 0; i < PIECES; i += 5)
		write_at(other, blocksize, 2ll * i * blocksize);
	close(other);
	close(fd);
	fd = make("room");
	attrs = make("attrs");
	for (int i = 0; i < 60; i++) {
		sprintf(name, "user.%d", i);
		need(fsetxattr(attrs, name, data, 3000, 0), name);
		need(fallocate(fd, 0, 8192ll * i, 4096), "room");
		need(fsync(fd), "room");
	}
	close(attrs);
	close(fd);
}

static void small_one(int i)
{
	char name[40];
	int fd;

	if (i % 10 == 9) {
		sprintf(name, "link%d", i);
		need(symlink("a target/of some/length/that is no file", name), name);
		return;
	}
	sprintf(name, "file%d", i);
	fd = make(name);
	write_at(fd, (size_t)(i * 331 % 20000), 0);
	if (i % 3 == 0)
		need(fsetxattr(fd, "user.one", data + i, (size_t)(i % 100 + 1), 0), name);
	close(fd);
	/* Inodes between the others that are free. */
	if (i % 2) {
		need(close(make("gone")), "gone");
		need(rename("gone", "gone2"), "gone");
	}
}

static void fill(const char *dir)
{
	struct geometry g;
	uint32_t left;
	char dirs[16][20], name[20], *have;
	int fd;

	need(chdir(dir), dir);
	fd = need(open(".", O_RDONLY), dir);
	g = geometry(fd);
	left = g.agcount;
	have = calloc(g.agcount, 1);
	if (!have || g.agcount > 16)
		exit(1);
	/* A new directory goes to another AG than the last one. */
	for (int i = 0; left && i < 200; i++) {
		struct stat st;

		sprintf(name, "dir%d", i);
		need(mkdir(name, 0755), name);
		need(stat(name, &st), name);
		if (have[ag_of(&g, st.st_ino)]++) {
			need(rmdir(name), name);
			continue;
		}
		left--;
		strcpy(dirs[ag_of(&g, st.st_ino)], name);
		printf("%u %s/%s\n", ag_of(&g, st.st_ino), dir, name);
	}
	if (left)
		exit(1);
	for (uint32_t i = 0; i < g.agcount; i++) {
		need(chdir(dirs[i]), dirs[i]);
		big_ones(g.blocksize);
		for (int f = 0; f < (int)(FILES / g.agcount) - 4; f++)
			small_one(f);
		need(chdir(".."), "..");
	}
	sync();
}

/* ---- sums ---- */

static uint64_t add(uint64_t sum, const void *p, size_t n)
{
	const unsigned char *b = p;

	for (size_t i = 0; i < n; i++)
		sum = (sum ^ b[i]) * 1099511628211ull;
	return sum;
}

/* Of what programs see of it, but times; -errno: it cannot be read. */
static int sum_of(const char *path, uint64_t *sum)
{
	static char names[65536], value[65536];
	struct stat st;
	ssize_t n;
	int fd;

	if (lstat(path, &st))
		return -errno;
	*sum = add(14695981039346656037ull, &st.st_mode, sizeof(st.st_mode));
	*sum = add(*sum, &st.st_uid, sizeof(st.st_uid));
	*sum = add(*sum, &st.st_gid, sizeof(st.st_gid));
	*sum = add(*sum, &st.st_size, S_ISREG(st.st_mode) ? sizeof(st.st_size) : 0);
	*sum = add(*sum, &st.st_nlink, S_ISREG(st.st_mode) ? sizeof(st.st_nlink) : 0);
	if (S_ISLNK(st.st_mode)) {
		n = readlink(path, value, sizeof(value));
		if (n < 0)
			return -errno;
		*sum = add(*sum, value, (size_t)n);
	}
	if (S_ISREG(st.st_mode)) {
		fd = open(path, O_RDONLY);
		if (fd < 0)
			return -errno;
		while ((n = read(fd, value, sizeof(value))) > 0)
			*sum = add(*sum, value, (size_t)n);
		close(fd);
		if (n < 0)
			return -errno;
	}
	n = llistxattr(path, names, sizeof(names));
	if (n < 0)
		return -errno;
	for (char *p = names; p < names + n; p += strlen(p) + 1) {
		ssize_t len = lgetxattr(path, p, value, sizeof(value));

		if (len < 0)
			return -errno;
		*sum += add(add(0, p, strlen(p)), value, (size_t)len);	/* in any order */
	}
	return 0;
}

static void sums(const char *path)
{
	struct dirent *e;
	uint64_t sum = 0;
	int err = sum_of(path, &sum);
	struct stat st = { 0 };
	DIR *d;

	(void)lstat(path, &st);
	if (err)
		printf("%d %llu %s\n", err, (unsigned long long)st.st_ino, path);
	else
		printf("%016llx %llu %s\n", (unsigned long long)sum, (unsigned long long)st.st_ino,
		       path);
	d = S_ISDIR(st.st_mode) ? opendir(path) : NULL;
	while (d && (errno = 0, e = readdir(d))) {
		char child[600];

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") ||
		    !strncmp(e->d_name, "stir", 4))
			continue;
		snprintf(child, sizeof(child), "%s/%s", path, e->d_name);
		sums(child);
	}
	if (d && errno)
		printf("%d readdir %s\n", -errno, path);
	if (d)
		closedir(d);
}

/* ---- meet ---- */

static void said(const char *what, long result)
{
	if (result < 0)
		printf("%s: %d\n", what, errno);
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
		if (!root)
			need(setuid(65534), "setuid");
		map.h.fmh_count = 512;
		memset(&map.h.fmh_keys[1], 0xff, sizeof(struct fsmap));
		memset(map.h.fmh_keys[1].fmr_reserved, 0, sizeof(map.h.fmh_keys[1].fmr_reserved));
		map.h.fmh_keys[1].fmr_length = 0;
		do {
			if (ioctl(fd, FS_IOC_GETFSMAP, &map) < 0) {
				said("GETFSMAP", -1);
				break;
			}
			if (map.h.fmh_entries)
				map.h.fmh_keys[0] = map.recs[map.h.fmh_entries - 1];
		} while (map.h.fmh_entries && !(map.h.fmh_keys[0].fmr_flags & FMR_OF_LAST));
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, &status, 0);
}

/* Counts of owners of all that the AG's files share. */
static void ask_shared(const char *dir)
{
	static struct {
		struct fiemap m;
		struct fiemap_extent more[1024];
	} u;
	char path[600];
	int fd;

	snprintf(path, sizeof(path), "%s/shared", dir);
	fd = open(path, O_RDONLY);
	if (fd < 0) {
		said(path, fd);
		return;
	}
	u.m.fm_length = ~0ull;
	u.m.fm_extent_count = 1024;
	said("FIEMAP", ioctl(fd, FS_IOC_FIEMAP, &u.m));
	close(fd);
}

static void all_inodes(int fd, uint32_t agno)
{
	struct inumbers in = { .flags = 1, .icount = 64, .agno = agno };

	do {
		int e = ioctl(fd, INUMBERS, &in);

		said("INUMBERS", e);
		if (e < 0)
			break;
	} while (in.ocount);
}

static void create(const char *dir)
{
	char path[600];
	int fd;

	snprintf(path, sizeof(path), "%s/stir.new", dir);
	fd = open(path, O_RDWR | O_CREAT, 0644);
	said("open", fd);
	if (fd >= 0)
		close(fd);
}

/* Extents of some lengths; blocks between others, which divide free ones. */
static void allocate(const char *dir, bool divide)
{
	char path[600];
	int fd;

	snprintf(path, sizeof(path), "%s/stir.room", dir);
	fd = open(path, O_RDWR | O_CREAT, 0644);
	said("open", fd);
	if (fd < 0)
		return;
	for (int n = 1; n <= 256; n *= 4)
		said("fallocate", fallocate(fd, 0, n * 65536ll, n * 4096));
	for (int i = 0; divide && i < 256; i += 2)
		said("punch", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
					256 * 65536ll + i * 4096, 4096));
	close(fd);
}

static void meet(const char *type, const char *path)
{
	struct geometry g;
	struct ag_geometry ag = { 0 };
	struct stat st;
	struct statfs fs;
	uint64_t sum;
	int e, fd;

	if (!strcmp(type, "inode") || !strncmp(type, "bmap", 4)) {
		e = sum_of(path, &sum);
		if (e)
			printf("%s: %d\n", path, -e);
		return;
	}
	fd = need(open(path, O_RDONLY | O_DIRECTORY), path);
	g = geometry(fd);
	need(fstat(fd, &st), path);
	ag.number = ag_of(&g, st.st_ino);
	if (!strcmp(type, "agf") || !strcmp(type, "agi"))
		said("AG_GEOMETRY", ioctl(fd, AG_GEOMETRY, &ag));
	else if (!strcmp(type, "bnobt") || !strcmp(type, "rmapbt"))
		map_of(fd, *type == 'r');
	else if (!strcmp(type, "refcountbt"))
		ask_shared(path);
	else if (!strcmp(type, "inobt"))
		all_inodes(fd, ag.number);
	else if (!strcmp(type, "finobt"))
		create(path);
	else if (!strcmp(type, "cntbt"))
		allocate(path, false);
	else if (!strcmp(type, "agfl"))
		allocate(path, true);
	else if (!strcmp(type, "sb"))
		said("SETFSLABEL", ioctl(fd, FS_IOC_SETFSLABEL, "some"));
	else
		said("statfs", statfs(path, &fs));
}

static void stir(const char *dir)
{
	char path[600];
	int fd;

	for (int i = 0; i < 40; i++) {
		snprintf(path, sizeof(path), "%s/stir%d", dir, i);
		fd = open(path, O_RDWR | O_CREAT, 0644);
		said("open", fd);
		if (fd < 0)
			break;
		if (pwrite(fd, data, 9000, i * 512) < 0 || fsync(fd))
			said("write", -1);
		close(fd);
	}
	for (int i = 0; i < 40; i++) {
		snprintf(path, sizeof(path), "%s/stir%d", dir, i);
		(void)unlink(path);
	}
	allocate(dir, true);
	snprintf(path, sizeof(path), "%s/stir.room", dir);
	(void)unlink(path);
	sync();
}

/* ---- repair ---- */

static bool loud;  /* the second way: trees are compared with others that are whole by then */

static void one(int fd, uint32_t type, uint32_t agno, uint64_t ino, uint32_t gen)
{
	struct scrub s = { .type = type, .flags = 1, .agno = agno, .ino = ino, .gen = gen };
	struct scrub look = s;
	int e;

	look.flags = 0;
	/* Of some types there is no repair; what could be better is not damaged. */
	if (!ioctl(fd, SCRUB, &look) && !(look.flags & (2 | 8 | 16 | 32)))
		return;
	e = ioctl(fd, SCRUB, &s) ? errno : 0;
	if (e == ENOENT)
		return;
	if (loud && (e || s.flags & (2 | 8 | 16 | 32)))
		printf("left: type %u AG %u inode %llu: errno %d flags 0x%x\n", type, agno,
		       (unsigned long long)ino, e, s.flags);
}

static void all_below(const char *path)
{
	struct stat st;
	struct dirent *e;
	DIR *d;
	int fd;

	if (lstat(path, &st) || (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
		return;
	fd = open(path, O_RDONLY);
	if (fd < 0) {
		said(path, fd);
		return;
	}
	for (uint32_t t = FIRST_OF_INO; t <= LAST_OF_INO; t++)
		one(fd, t, 0, 0, 0);
	close(fd);
	d = S_ISDIR(st.st_mode) ? opendir(path) : NULL;
	while (d && (e = readdir(d))) {
		char child[600];

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		snprintf(child, sizeof(child), "%s/%s", path, e->d_name);
		all_below(child);
	}
	if (d)
		closedir(d);
}

static void repair(const char *dir)
{
	int fd = need(open(dir, O_RDONLY), dir);
	struct geometry g = geometry(fd);

	for (int way = 0; way < 2; way++) {
		loud = way == 1;
		for (uint32_t agno = 0; agno < g.agcount; agno++)
			for (uint32_t t = 1; t <= AG_TYPES; t++)
				if (t != 1 || agno)	/* the first superblock is no copy */
					one(fd, t, agno, 0, 0);
		all_below(dir);
		one(fd, FSCOUNTERS, 0, 0, 0);
	}
}

static void gen(const char *path)
{
	struct stat st;
	int fd = need(open(path, O_RDONLY), path), g = 0;

	need(fstat(fd, &st), path);
	need(ioctl(fd, FS_IOC_GETVERSION, &g), "GETVERSION");
	printf("%llu %u\n", (unsigned long long)st.st_ino, (unsigned)g);
}

static void one_type(int argc, char **argv)
{
	static const char *const names[] = { "probe",	   "sb",    "agf",     "agfl",	 "agi",
					     "bnobt",	   "cntbt", "inobt",   "finobt", "rmapbt",
					     "refcountbt", "inode", "bmapbtd", "bmapbta" };
	struct scrub s = { .flags = argc == 7, .agno = (uint32_t)atoi(argv[4]) };
	int fd = need(open(argv[3], O_RDONLY), argv[3]);

	while (s.type < 13 && strcmp(names[s.type], argv[2]))
		s.type++;
	if (s.type >= FIRST_OF_INO) {
		s.agno = 0;
		s.ino = strtoull(argv[5], NULL, 10);
		s.gen = (uint32_t)strtoul(argv[6], NULL, 10);
	}
	need(ioctl(fd, SCRUB, &s), argv[2]);
	if (argc == 7)
		printf("flags 0x%x\n", s.flags);
	else
		printf("%s\n", s.flags & (2 | 16) ? "old" : "new");
}

static void mark(const char *path, const char *at)
{
	int fd = need(open(path, O_WRONLY), path);

	memcpy(data, "mark", 4);
	need((int)pwrite(fd, data, 512, strtoll(at, NULL, 10)), path);
	need(fsync(fd), path);
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 7 + i / 64 + i / 4096);
	if (!strcmp(what, "fill"))
		fill(argv[2]);
	else if (!strcmp(what, "sums"))
		sums(argv[2]);
	else if (!strcmp(what, "meet") && argc == 4)
		meet(argv[2], argv[3]);
	else if (!strcmp(what, "stir"))
		stir(argv[2]);
	else if (!strcmp(what, "freeze"))
		need(ioctl(need(open(argv[2], O_RDONLY), argv[2]), FIFREEZE, 0), "FIFREEZE");
	else if (!strcmp(what, "thaw"))
		need(ioctl(need(open(argv[2], O_RDONLY), argv[2]), FITHAW, 0), "FITHAW");
	else if (!strcmp(what, "repair"))
		repair(argv[2]);
	else if (!strcmp(what, "gen"))
		gen(argv[2]);
	else if (!strcmp(what, "one") && argc >= 7)
		one_type(argc, argv);
	else if (!strcmp(what, "mark") && argc == 4)
		mark(argv[2], argv[3]);
	else
		return 2;
	return 0;
}
