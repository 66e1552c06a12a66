// SPDX-License-Identifier: MIT
/*
 * Work on a disk that fails, and its judge (faults.h). A file has the bytes of a tag, which is a
 * function of the offset; what was never written or was taken away reads as zeroes. A call that
 * fails leaves its file out of what is promised from then on.
 */
#define _GNU_SOURCE
#include "faults.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <linux/falloc.h>
#include <linux/fs.h>

#define SIZE 20000u
#define VALUE 9000u
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#define BLOCK 4096u
#define OLD_FILES 150

static struct promises *mine;
static int top;				/* the task's directory */
static unsigned int me;

void die(const char *format, ...)
{
	int e = errno;
	va_list a;

	va_start(a, format);
	fprintf(stderr, "faults: task %u: ", me);
	vfprintf(stderr, format, a);
	fprintf(stderr, " (%s)\n", strerror(e));
	va_end(a);
	_exit(1);
}

/* A call on the disk: it ends well, or with EIO. */
static int tried(long r, const char *what)
{
	if (r < 0 && errno != EIO)
		die("%s fails", what);
	if (r < 0)
		mine->failed++;
	else
		mine->done++;
	return r >= 0;
}
#define TRY(call) tried(call, #call)

static unsigned char byte_of(unsigned int tag, unsigned int at)
{
	return (unsigned char)(1 + (tag * 37 + at / 64 * 11 + at) % 250);
}

static void fill(unsigned char *p, unsigned int tag, unsigned int from, unsigned int to)
{
	for (unsigned int i = from; i < to; i++)
		p[i - from] = byte_of(tag, i);
}

static void promise(enum what what, const char *path, unsigned int tag, unsigned int from,
		    unsigned int to)
{
	struct promise *p = &mine->p[mine->n];

	if (mine->n == sizeof(mine->p) / sizeof(mine->p[0]))
		die("too many promises");
	*p = (struct promise){ what, "", tag, from, to };
	snprintf(p->path, sizeof(p->path), "%s", path);
	__atomic_store_n(&mine->n, mine->n + 1, __ATOMIC_SEQ_CST);
}

/* ---- the work ---- */

static int open_new(const char *name, int flags)
{
	int fd = openat(top, name, O_CREAT | O_EXCL | O_RDWR | flags, 0644);

	return TRY(fd) ? fd : -1;
}

static int put(int fd, unsigned int tag, unsigned int from, unsigned int to)
{
	static unsigned char buf[SIZE];

	while (from < to) {
		unsigned int n = to - from > sizeof(buf) ? sizeof(buf) : to - from;
		ssize_t r;

		fill(buf, tag, from, from + n);
		r = pwrite(fd, buf, n, from);
		if (!tried(r, "pwrite"))
			return 0;
		from += (unsigned int)r;
	}
	return 1;
}

/* A file with bytes that are durable, and an attribute. */
static void whole_file(void)
{
	static char value[VALUE];
	int fd = open_new("whole", 0);

	if (fd < 0)
		return;
	if (put(fd, 1, 0, SIZE) && TRY(fsync(fd)))
		promise(HAS_DATA, "whole", 1, 0, SIZE);
	memset(value, 'v', sizeof(value));
	if (TRY(fsetxattr(fd, "user.value", value, sizeof(value), 0)) && TRY(fsync(fd)))
		promise(HAS_ATTR, "whole", 'v', 0, VALUE);
	close(fd);
}

/* Written by nobody's wish. */
static void lazy_file(void)
{
	int fd = open_new("lazy", 0);

	if (fd < 0)
		return;
	put(fd, 2, 0, SIZE);
	close(fd);
}

static void names(void)
{
	char target[700];
	int d;

	memset(target, 'x', sizeof(target) - 1);
	target[sizeof(target) - 1] = '\0';
	if (!TRY(mkdirat(top, "d", 0755)))
		return;
	if (TRY(fsync(top)))
		promise(HAS_NAME, "d", 0, 0, 0);
	d = openat(top, "d", O_RDONLY | O_DIRECTORY);
	if (!TRY(d))
		return;
	if (TRY(symlinkat(target, d, "l")) && TRY(fsync(d)))
		promise(HAS_LINK, "d/l", 'x', 0, sizeof(target) - 1);
	if (mine->n && !strcmp(mine->p[0].path, "whole") && TRY(linkat(top, "whole", d, "w", 0)) &&
	    TRY(fsync(d)))
		promise(HAS_DATA, "d/w", 1, 0, SIZE);
	if (TRY(mknodat(d, "one", S_IFREG | 0600, 0)) && TRY(renameat(d, "one", d, "two")) &&
	    TRY(fsync(d))) {
		promise(HAS_NAME, "d/two", 0, 0, 0);
		promise(GONE, "d/one", 0, 0, 0);
	}
	if (TRY(mknodat(d, "three", S_IFREG | 0600, 0)) && TRY(unlinkat(d, "three", 0)) &&
	    TRY(fsync(d)))
		promise(GONE, "d/three", 0, 0, 0);
	close(d);
}

static void no_name(void)
{
	int fd = openat(top, ".", O_TMPFILE | O_RDWR, 0644);
	char path[40];

	if (!TRY(fd))
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (put(fd, 3, 0, SIZE) && TRY(linkat(AT_FDCWD, path, top, "named", AT_SYMLINK_FOLLOW)) &&
	    TRY(fsync(fd)))
		promise(HAS_DATA, "named", 3, 0, SIZE);
	close(fd);
}

/* Blocks are taken, given back, shared, and copied. */
static void blocks(void)
{
	int fd = open_new("blocks", 0), other, synced = 0;

	if (fd < 0)
		return;
	if (TRY(fallocate(fd, 0, 0, 16 * BLOCK)) && put(fd, 4, 2 * BLOCK, 6 * BLOCK))
		synced = TRY(fsync(fd));
	if (synced) {
		promise(HAS_DATA, "blocks", 4, 2 * BLOCK, 6 * BLOCK);
		promise(HAS_DATA, "blocks", 0, 0, 2 * BLOCK);
	}
	other = open_new("clone", 0);
	/* Bytes that could not be written are lost, for a clone too. */
	if (other >= 0 && TRY(ioctl(other, FICLONE, fd)) && TRY(fsync(other)) && synced)
		promise(HAS_DATA, "clone", 4, 3 * BLOCK, 6 * BLOCK);
	if (other >= 0 && put(other, 5, 0, 3 * BLOCK) && TRY(fdatasync(other)))
		promise(HAS_DATA, "clone", 5, 0, 3 * BLOCK);
	if (TRY(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 8 * BLOCK, 4 * BLOCK)) &&
	    TRY(ftruncate(fd, 7 * BLOCK + 100)) && TRY(fsync(fd)))
		promise(HAS_DATA, "blocks", 0, 6 * BLOCK, 7 * BLOCK + 100);
	if (other >= 0)
		close(other);
	close(fd);
}

/* Each write is durable when it returns. */
static void at_once(void)
{
	int fd = open_new("appended", O_DSYNC), direct;
	unsigned char *p;

	for (unsigned int at = 0; fd >= 0 && at < 4000; at += 1000)
		if (put(fd, 6, at, at + 1000))
			promise(HAS_DATA, "appended", 6, at, at + 1000);
		else
			break;
	direct = open_new("direct", O_DIRECT | O_DSYNC);
	if (direct >= 0 && !posix_memalign((void **)&p, BLOCK, 2 * BLOCK)) {
		fill(p, 7, 0, 2 * BLOCK);
		if (TRY(pwrite(direct, p, 2 * BLOCK, 0)))
			promise(HAS_DATA, "direct", 7, 0, 2 * BLOCK);
		free(p);
	}
	if (direct >= 0)
		close(direct);
	if (fd >= 0)
		close(fd);
}

static void mapped(void)
{
	int fd = open_new("mapped", 0);
	unsigned char *p;

	if (fd < 0)
		return;
	if (!put(fd, 8, 0, 4 * BLOCK)) {
		close(fd);
		return;
	}
	p = mmap(NULL, 4 * BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		die("mmap");
	/* What cannot be given to the program is a signal otherwise. */
	if (madvise(p, 4 * BLOCK, MADV_POPULATE_WRITE)) {
		if (errno != EFAULT)
			die("MADV_POPULATE_WRITE fails");
		mine->failed++;
	} else {
		fill(p, 9, 0, 4 * BLOCK);
		if (TRY(msync(p, 4 * BLOCK, MS_SYNC)) && TRY(fsync(fd)))
			promise(HAS_DATA, "mapped", 9, 0, 4 * BLOCK);
	}
	munmap(p, 4 * BLOCK);
	close(fd);
}

static void all_of_it(void)
{
	int fd = open_new("all", 0);

	if (fd < 0)
		return;
	if (put(fd, 10, 0, SIZE) && TRY(syncfs(top)))
		promise(HAS_DATA, "all", 10, 0, SIZE);
	close(fd);
}

/* ---- what was there ---- */

static void old_name(int i, char *name)
{
	sprintf(name,
		i % 3 ? "f%d" : "a-name-of-some-length-so-that-the-directory-has-several-blocks-%d",
		i);
}

void make_old(const char *old)
{
	static unsigned char buf[3 * BLOCK];
	char name[100];
	int d;

	if (mkdir(old, 0755))
		die("%s", old);
	d = open(old, O_RDONLY | O_DIRECTORY);
	for (int i = 0; i < OLD_FILES; i++) {
		int fd;

		old_name(i, name);
		fd = openat(d, name, O_CREAT | O_EXCL | O_WRONLY, 0644);
		fill(buf, (unsigned int)i, 0, sizeof(buf));
		if (fd < 0 || (i % 10 == 0 && write(fd, buf, sizeof(buf)) != sizeof(buf)))
			die("%s", name);
		if (i % 30 == 0 && fsetxattr(fd, "user.value", buf, sizeof(buf), 0))
			die("%s: attribute", name);
		close(fd);
	}
	close(d);
}

static void check_old(int d, int i)
{
	static unsigned char buf[3 * BLOCK + 1], want[3 * BLOCK];
	char name[100];
	ssize_t n;
	int fd;

	old_name(i, name);
	fd = openat(d, name, O_RDONLY);
	if (!TRY(fd))
		return;
	n = read(fd, buf, sizeof(buf));
	fill(want, (unsigned int)i, 0, sizeof(want));
	if (tried(n, "read") &&
	    (n != (i % 10 ? 0 : (ssize_t)sizeof(want)) || memcmp(buf, want, (size_t)n)))
		die("%s has other bytes", name);
	n = i % 30 ? 0 : fgetxattr(fd, "user.value", buf, sizeof(buf));
	if (tried(n, "fgetxattr") && i % 30 == 0 &&
	    (n != sizeof(want) || memcmp(buf, want, sizeof(want))))
		die("%s has another attribute", name);
	close(fd);
}

static void read_old(const char *old)
{
	DIR *d = opendir(old);
	struct dirent *e;
	int n = 0;

	if (!tried(d ? 0 : -1, "opendir"))
		return;
	errno = 0;
	while ((e = readdir(d)))
		n++;
	if (tried(errno ? -1 : 0, "readdir") && n != OLD_FILES + 2)
		die("%s has %d names", old, n);
	for (int i = (int)me * 10; i < OLD_FILES; i += 10 * TASKS)
		check_old(dirfd(d), i);
	closedir(d);
}

void judge_old(const char *old)
{
	static struct promises none;

	mine = &none;
	for (me = 0; me < TASKS; me++)
		read_old(old);
	if (none.failed)
		die("%s cannot be read", old);
}

void work(const char *dir, const char *old, unsigned int task, struct promises *p)
{
	char path[200];

	me = task;
	mine = p;
	read_old(old);
	snprintf(path, sizeof(path), "%s/t%u", dir, task);
	if (!TRY(mkdir(path, 0755)))
		return;
	top = open(path, O_RDONLY | O_DIRECTORY);
	if (!TRY(top))
		return;
	if (TRY(fsync(top)))
		promise(HAS_NAME, ".", 0, 0, 0);
	whole_file();
	lazy_file();
	names();
	no_name();
	blocks();
	at_once();
	mapped();
	all_of_it();
	close(top);
}

/* ---- judging ---- */

static void check_data(const struct promise *p)
{
	int fd = openat(top, p->path, O_RDONLY);
	unsigned char c[SIZE], want[SIZE] = { 0 };
	unsigned int n = p->to - p->from;
	ssize_t r;

	if (fd < 0)
		die("%s was synced and is not there", p->path);
	r = pread(fd, c, n, p->from);
	if (p->tag)
		fill(want, p->tag, p->from, p->to);
	if (r != (ssize_t)n)
		die("%s: %zd bytes at %u, not %u", p->path, r, p->from, n);
	for (unsigned int i = 0; i < n; i++)
		if (c[i] != want[i])
			die("%s was synced and has other bytes at %u: %u, not %u", p->path,
			    p->from + i, c[i], want[i]);
	close(fd);
}

static void check_one(const struct promise *p)
{
	static char buf[VALUE + 1];
	struct stat st;
	int there = !fstatat(top, p->path, &st, AT_SYMLINK_NOFOLLOW), fd;
	ssize_t n = -1;

	if (!there && errno != ENOENT)
		die("%s", p->path);
	if (there != (p->what != GONE))
		die("%s is%s there", p->path, there ? "" : " not");
	if (p->what == HAS_DATA)
		check_data(p);
	if (p->what != HAS_LINK && p->what != HAS_ATTR)
		return;
	if (p->what == HAS_LINK) {
		n = readlinkat(top, p->path, buf, sizeof(buf));
	} else {
		fd = openat(top, p->path, O_RDONLY);
		n = fgetxattr(fd, "user.value", buf, sizeof(buf));
		close(fd);
	}
	if (n != (ssize_t)p->to)
		die("%s: its value has %zd bytes", p->path, n);
	for (ssize_t i = 0; i < n; i++)
		if (buf[i] != (char)p->tag)
			die("%s: its value has other bytes", p->path);
}

/* A file that was not synced may be shorter, but has no other file's bytes. */
static void check_lazy(void)
{
	static unsigned char buf[SIZE + 1];
	int fd = openat(top, "lazy", O_RDONLY);
	ssize_t n;

	if (fd < 0 && errno == ENOENT)
		return;
	n = read(fd, buf, sizeof(buf));
	if (n < 0 || n > (ssize_t)SIZE)
		die("lazy: %zd bytes", n);
	for (unsigned int i = 0; i < n; i++)
		if (buf[i] && buf[i] != byte_of(2, i))
			die("lazy has a foreign byte at %u", i);
	close(fd);
}

void judge(const char *dir, unsigned int task, const struct promises *p)
{
	char path[200];

	me = task;
	snprintf(path, sizeof(path), "%s/t%u", dir, task);
	top = open(path, O_RDONLY | O_DIRECTORY);
	if (top < 0 && (errno != ENOENT || p->n))
		die("%s", path);
	if (top < 0)
		return;
	for (unsigned int i = 0; i < p->n; i++)
		check_one(&p->p[i]);
	check_lazy();
	close(top);
}

void remove_all(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		char path[400];

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (e->d_type == DT_DIR)
			remove_all(path);
		else if (unlink(path))
			die("unlink %s", path);
	}
	if (d)
		closedir(d);
	if (rmdir(dir))
		die("rmdir %s", dir);
}
