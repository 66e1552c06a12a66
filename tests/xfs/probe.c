// SPDX-License-Identifier: MIT
/*
 * Run in the guest on a mounted XFS (argument: where): what shell programs do not ask. Prints lines
 * that tests/command/xfs.py compares.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <linux/fiemap.h>
#include <linux/fs.h>

static unsigned long sum(const unsigned char *p, size_t n)
{
	unsigned long h = 5381;

	while (n--)
		h = h * 33 + *p++;
	return h;
}

static void xattrs(const char *path)
{
	static char list[65536], value[65536];
	ssize_t n = listxattr(path, list, sizeof(list));

	printf("xattrs %s %zd\n", path, n);
	for (char *p = list; p < list + n; p += strlen(p) + 1) {
		ssize_t len = getxattr(path, p, value, sizeof(value));

		if (len != getxattr(path, p, NULL, 0) ||
		    (len > 1 && (getxattr(path, p, value, 1) != -1 || errno != ERANGE)))
			printf("wrong length of %s\n", p);
		printf("xattr %s %s %zd %lx\n", path, p, len,
		       len < 0 ? 0 : sum((unsigned char *)value, (size_t)len));
	}
	if (getxattr(path, "user.nothing", value, 1) != -1 || errno != ENODATA)
		printf("user.nothing is there\n");
}

/* Each position is returned to: what follows is what followed. */
static void seekdir_test(const char *path)
{
	static struct {
		long pos;
		char name[256];
	} seen[5000];
	DIR *d = opendir(path);
	struct dirent *e;
	int n = 0, wrong = 0;

	if (!d)
		return;
	while (n < 5000) {
		long pos = telldir(d);

		e = readdir(d);
		if (!e)
			break;
		seen[n].pos = pos;
		strcpy(seen[n++].name, e->d_name);
	}
	for (int i = n - 1; i >= 0; i -= 7) {
		seekdir(d, seen[i].pos);
		e = readdir(d);
		wrong += !e || strcmp(e->d_name, seen[i].name);
	}
	closedir(d);
	printf("seekdir %s %d %d\n", path, n, wrong);
}

static void extents(const char *path)
{
	struct {
		struct fiemap m;
		struct fiemap_extent x[512];
	} b = { .m = { .fm_length = ~0ull, .fm_extent_count = 512 } };
	int fd = open(path, O_RDONLY);
	off_t at = 0, data = 0;
	int holes = 0;

	if (fd < 0)
		return;
	if (ioctl(fd, FS_IOC_FIEMAP, &b))
		printf("fiemap: %s\n", strerror(errno));
	printf("fiemap %s %u %d\n", path, b.m.fm_mapped_extents,
	       b.m.fm_mapped_extents ?
		       !!(b.x[b.m.fm_mapped_extents - 1].fe_flags & FIEMAP_EXTENT_LAST) :
		       -1);
	for (;;) {
		off_t from = lseek(fd, at, SEEK_DATA);

		if (from < 0) {
			printf("seek end %d\n", errno == ENXIO);
			break;
		}
		at = lseek(fd, from, SEEK_HOLE);
		data += at - from;
		holes++;
	}
	printf("seek %s %d %ld\n", path, holes, (long)data);
	close(fd);
}

/* By mapping, in the worst order for readahead. */
static void mapped(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY);
	unsigned char *p, *copy;

	if (fd < 0 || fstat(fd, &st) || st.st_size > 64 << 20)
		return;
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	copy = malloc((size_t)st.st_size);
	if (p == MAP_FAILED || !copy)
		return;
	for (off_t at = st.st_size; at > 0;) {
		at = at > 5000 ? at - 5000 : 0;
		memcpy(copy + at, p + at,
		       (size_t)(st.st_size - at < 5000 ? st.st_size - at : 5000));
	}
	printf("mapped %s %lx\n", path, sum(copy, (size_t)st.st_size));
	close(fd);
}

/* Past the cache, in odd pieces of 512 bytes; and what is not aligned is refused. */
static void direct(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_DIRECT), k = 0;
	unsigned char *buf, *copy;
	ssize_t n = -1;
	off_t at = 0;

	if (fd < 0 || fstat(fd, &st) || st.st_size > 64 << 20)
		return;
	buf = aligned_alloc(4096, 1 << 20);
	copy = malloc((size_t)st.st_size + (1 << 20));
	while ((n = pread(fd, buf, (size_t)(1 + k++ * 37 % 1500) * 512, at)) > 0) {
		memcpy(copy + at, buf, (size_t)n);
		at += n;
		if (n % 512)
			break;
	}
	printf("direct %s %d %lx %d\n", path, at == st.st_size, sum(copy, (size_t)at),
	       pread(fd, buf, 512, 100) < 0 ? errno : 0);
	close(fd);
}

static int as_user(uid_t uid, gid_t gid, const char *path, int flags)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		int fd;

		if (setgid(gid) || setuid(uid))
			_exit(99);
		fd = open(path, flags);
		_exit(fd < 0 ? errno : 0);
	}
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

/* What trusted attributes are called is root's to know. */
static void listed(const char *path)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (setgid(1000) || setuid(1000))
			_exit(99);
		printf("listed %s %zd\n", path, listxattr(path, NULL, 0));
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void caps(const char *path)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (setgid(1000) || setuid(1000))
			_exit(99);
		execl(path, path, "caps", NULL);
		_exit(98);
	}
	waitpid(pid, &status, 0);
	printf("caps %s %d\n", path, WEXITSTATUS(status));
}

int main(int argc, char **argv)
{
	unsigned char g[256];
	int fd;

	/* run as an executable of the image, with capabilities of its file */
	if (argc > 1 && !strcmp(argv[1], "caps"))
		return chroot("/") ? errno : 0;
	if (chdir(argv[1]))
		return 1;
	for (int i = 2; i < argc; i++)
		xattrs(argv[i]);
	seekdir_test("node");
	seekdir_test("block");
	seekdir_test("sf");
	extents("sparse");
	extents("small");
	mapped("sparse");
	mapped("large");
	direct("sparse");
	direct("large");
	printf("acl %d %d %d %d\n", as_user(1000, 1000, "acl", O_RDONLY),
	       as_user(1001, 1001, "acl", O_RDONLY), as_user(1002, 77, "acl", O_RDONLY),
	       as_user(1003, 1003, "acl", O_RDONLY));
	listed("sparse");
	caps("./probe");
	caps("./plain");
	fd = open("small", O_RDONLY);
	memset(g, 0, sizeof(g));
	printf("geometry %d", ioctl(fd, _IOR('X', 126, unsigned char[256]), g));
	printf(" %u %u\n", *(unsigned *)g, *(unsigned *)(g + 8));
	close(fd);
	/*
	 * A directory and a file with many attributes: XFS_IOC_FSGEOMETRY_V4, XFS_IOC_FSGETXATTRA
	 * (flags, size, extents).
	 */
	fd = open(".", O_RDONLY | O_DIRECTORY);
	memset(g, 0, sizeof(g));
	printf("geometry_of_dir %d", ioctl(fd, _IOR('X', 124, unsigned char[112]), g));
	printf(" %u\n", *(unsigned *)g);
	close(fd);
	fd = open("sparse", O_RDONLY);
	memset(g, 0, sizeof(g));
	printf("attr_fork %d", ioctl(fd, _IOR('X', 45, unsigned char[28]), g));
	printf(" %#x %d", *(unsigned *)g & 0x80000000u, *(unsigned *)(g + 8) > 0);
	/* XFS_IOC_DIOINFO: alignments, the largest transfer. */
	printf(" %d", ioctl(fd, _IOR('X', 30, unsigned[3]), g));
	printf(" %u %u %u\n", *(unsigned *)g, *(unsigned *)(g + 4), *(unsigned *)(g + 8));
	close(fd);
	printf("write %d\n", open("small", O_RDWR) < 0 ? errno : 0);
	printf("setxattr %d\n", setxattr("small", "user.x", "y", 1, 0) ? errno : 0);
	return 0;
}
