// SPDX-License-Identifier: MIT
/*
 * Run in the guest: failing DEVICE DIR OPTIONS WHAT. Thirteen operations fail in all places where
 * they can. WHAT "nth" (a kernel with fault injection): at the operation's first allocation of
 * memory, request of the disk or copy from user memory, at its second, and so on, until one passes
 * with nothing having failed; every other time with nothing in the caches. WHAT "full": with no
 * block left on the disk, with one, and so on. An operation that failed has done nothing, and does
 * it when it is asked again; or, where the disk failed, the file system is shut down, and mounted
 * again it has done it or has not. Nothing else of the directory, which was synced before, has
 * changed.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <linux/falloc.h>
#include <linux/fs.h>

#define BLOCK 4096
#define SIZE (5 * BLOCK)
#define ROOM 150			/* the most blocks that an operation is left */
#define ENOUGH 400			/* blocks with which none fails */
#define LONG 700

static const char *device, *dir, *options, *doing = "";
static char large[60000], target[LONG + 1];

static _Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));
static _Noreturn void die(const char *format, ...)
{
	int e = errno;
	va_list a;

	va_start(a, format);
	fprintf(stderr, "failing: %s: ", doing);
	vfprintf(stderr, format, a);
	fprintf(stderr, " (%s)\n", strerror(e));
	va_end(a);
	_exit(1);
}

static int must(int r, const char *what)
{
	if (r < 0)
		die("%s", what);
	return r;
}

static int is_there(int d, const char *name)
{
	struct stat st;

	if (!fstatat(d, name, &st, AT_SYMLINK_NOFOLLOW))
		return 1;
	if (errno != ENOENT)
		die("stat %s", name);
	return 0;
}

/* FILE has N bytes of C from AT on; -1: it has not. */
static int has(int d, const char *file, off_t at, size_t n, char c)
{
	static char buf[SIZE];
	int fd = must(openat(d, file, O_RDONLY), file), bad = pread(fd, buf, n, at) != (ssize_t)n;

	for (size_t i = 0; !bad && i < n; i++)
		bad = buf[i] != c;
	close(fd);
	return bad ? -1 : 0;
}

static off_t size_of(int d, const char *file)
{
	struct stat st;

	must(fstatat(d, file, &st, 0), file);
	return st.st_size;
}

/*
 * ---- the operations: done by run(), which look() tells; in a directory that prepare() made ----
 */

static int run_mkdir(int d)
{
	return mkdirat(d, "new", 0755);
}

static int run_create(int d)
{
	return openat(d, "new", O_CREAT | O_EXCL | O_WRONLY, 0644);
}

static int run_unlink(int d)
{
	return unlinkat(d, "file", 0);
}

static int run_rename(int d)
{
	return renameat(d, "file", d, "other");
}

static int run_link(int d)
{
	return linkat(d, "file", d, "new", 0);
}

static int run_symlink(int d)
{
	return symlinkat(target, d, "new");
}

static int look_new(int d)
{
	return is_there(d, "new");
}

static int look_unlink(int d)
{
	return !is_there(d, "file");
}

static int look_rename(int d)
{
	return is_there(d, "file") ? 0 : has(d, "other", 0, SIZE, 'f') ? -1 : 1;
}

static int look_symlink(int d)
{
	char buf[LONG + 1];

	if (!is_there(d, "new"))
		return 0;
	return readlinkat(d, "new", buf, sizeof(buf)) == LONG && !memcmp(buf, target, LONG) ? 1 :
											      -1;
}

static int with_file(int d, const char *file, int (*f)(int fd))
{
	int fd = openat(d, file, O_RDWR), r, e;

	if (fd < 0)
		return -1;
	r = f(fd);
	e = errno;
	close(fd);
	errno = e;
	return r;
}

static int truncate_it(int fd)
{
	return ftruncate(fd, BLOCK + 100);
}

static int allocate(int fd)
{
	return fallocate(fd, 0, 0, 12 * BLOCK);
}

static int punch(int fd)
{
	return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 2 * BLOCK);
}

static int set_value(int fd)
{
	return fsetxattr(fd, "user.value", large, sizeof(large), 0);
}

static int run_truncate(int d)
{
	return with_file(d, "file", truncate_it);
}

static int run_allocate(int d)
{
	return with_file(d, "file", allocate);
}

static int run_punch(int d)
{
	return with_file(d, "file", punch);
}

static int run_setxattr(int d)
{
	return with_file(d, "file", set_value);
}

static int write_more(int fd)
{
	ssize_t n = pwrite(fd, large, SIZE, SIZE);

	if (n >= 0 && n < SIZE) {	/* the rest says why */
		ssize_t more = pwrite(fd, large, (size_t)(SIZE - n), SIZE + n);

		n = more < 0 ? -1 : n + more;
	}
	return n == SIZE ? fsync(fd) : -1;
}

static int run_write(int d)
{
	return with_file(d, "file", write_more);
}

static int run_clone(int d)
{
	int from = openat(d, "file", O_RDONLY), to = openat(d, "other", O_WRONLY), r = -1, e;

	if (from >= 0 && to >= 0)
		r = ioctl(to, FICLONE, from);
	e = errno;
	close(from);
	close(to);
	errno = e;
	return r;
}

static int run_tmpfile(int d)
{
	int fd = openat(d, ".", O_TMPFILE | O_RDWR, 0644), r, e;

	if (fd < 0)
		return -1;
	r = pwrite(fd, large, 100, 0) == 100 ? linkat(fd, "", d, "new", AT_EMPTY_PATH) : -1;
	e = errno;
	close(fd);
	errno = e;
	return r;
}

/*
 * What is behind the new end in its block is zeroed, and may be written, before the size changes.
 */
static int look_truncate(int d)
{
	off_t n = size_of(d, "file");

	if (has(d, "file", 0, BLOCK + 100, 'f') || n == BLOCK + 100)
		return n == BLOCK + 100 ? 1 : -1;
	if (n != SIZE || has(d, "file", 2 * BLOCK, SIZE - 2 * BLOCK, 'f'))
		return -1;
	return has(d, "file", BLOCK + 100, BLOCK - 100, 'f') &&
			       has(d, "file", BLOCK + 100, BLOCK - 100, 0) ?
		       -1 :
		       0;
}

static int look_allocate(int d)
{
	return has(d, "file", 0, SIZE, 'f')	? -1 :
	       size_of(d, "file") == SIZE	? 0 :
	       size_of(d, "file") == 12 * BLOCK ? 1 :
						  -1;
}

static int look_punch(int d)
{
	if (has(d, "file", 2 * BLOCK, SIZE - 2 * BLOCK, 'f'))
		return -1;
	return !has(d, "file", 0, 2 * BLOCK, 'f') ? 0 : !has(d, "file", 0, 2 * BLOCK, 0) ? 1 : -1;
}

static int look_setxattr(int d)
{
	static char buf[sizeof(large)];
	int fd = must(openat(d, "file", O_RDONLY), "file");
	ssize_t n = fgetxattr(fd, "user.value", buf, sizeof(buf));

	close(fd);
	if (n < 0 && errno == ENODATA)
		return 0;
	return n == sizeof(buf) && !memcmp(buf, large, sizeof(buf)) ? 1 : -1;
}

static int look_clone(int d)
{
	return size_of(d, "other") == 100     ? has(d, "other", 0, 100, 'o') :
	       !has(d, "other", 0, SIZE, 'f') ? 1 :
						-1;
}

/* What a write that failed wrote is there, or is not: a size that is a whole number of blocks. */
static int look_write(int d)
{
	off_t n = size_of(d, "file");

	if (has(d, "file", 0, SIZE, 'f') || n % BLOCK || n > 2 * SIZE)
		return -1;
	return n == 2 * SIZE && !has(d, "file", SIZE, SIZE, 'l') ? 1 : 0;
}

static const struct op {
	const char *name;
	int (*run)(int d), (*look)(int d);
	int parts;			/* it may be done in part where it fails */
} ops[] = {
	{ "mkdir", run_mkdir, look_new, 0 },
	{ "create", run_create, look_new, 0 },
	{ "unlink", run_unlink, look_unlink, 0 },
	{ "rename", run_rename, look_rename, 0 },
	{ "link", run_link, look_new, 0 },
	{ "symlink", run_symlink, look_symlink, 0 },
	{ "truncate", run_truncate, look_truncate, 1 },
	{ "fallocate", run_allocate, look_allocate, 0 },
	{ "punch", run_punch, look_punch, 1 },
	{ "setxattr", run_setxattr, look_setxattr, 0 },
	{ "clone", run_clone, look_clone, 1 },
	{ "write and fsync", run_write, look_write, 1 },
	{ "O_TMPFILE and linkat", run_tmpfile, look_new, 0 },
};
#define OPS (sizeof(ops) / sizeof(ops[0]))

static void put_file(int d, const char *name, char c, size_t n)
{
	static char buf[SIZE];
	int fd = must(openat(d, name, O_CREAT | O_EXCL | O_WRONLY, 0644), name);

	memset(buf, c, n);
	if (write(fd, buf, n) != (ssize_t)n || fsync(fd))
		die("%s cannot be written", name);
	close(fd);
}

static char where[200];

static int open_where(void)
{
	return must(open(where, O_RDONLY | O_DIRECTORY), where);
}

static void prepare(void)
{
	int d;

	must(mkdir(where, 0755), where);
	d = open_where();
	put_file(d, "file", 'f', SIZE);
	put_file(d, "other", 'o', 100);
	must(fsync(d), "fsync");
	close(d);
}

static void remove_where(void)
{
	static const char *const names[] = { "file", "other" };
	int d = open_where();

	for (int i = 0; i < 2; i++)
		if (unlinkat(d, names[i], 0) && errno != ENOENT)
			die("%s cannot be removed", names[i]);
	if (unlinkat(d, "new", 0) && (errno != EISDIR || unlinkat(d, "new", AT_REMOVEDIR)) &&
	    errno != ENOENT)
		die("what is new cannot be removed");
	close(d);
	must(rmdir(where), where);
}

/* ---- fail-nth ---- */

static void put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die("%s", path);
	close(fd);
}

static void let_fail(void)
{
	static const char *const of[][2] = {
		{ "failslab/ignore-gfp-wait", "N" },  { "fail_page_alloc/ignore-gfp-wait", "N" },
		{ "fail_page_alloc/min-order", "0" }, { "failslab/verbose", "0" },
		{ "fail_page_alloc/verbose", "0" },   { "fail_usercopy/verbose", "0" },
		{ "fail_make_request/verbose", "0" },
	};
	char path[200];

	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s", of[i][0]);
		put_text(path, of[i][1]);
	}
	snprintf(path, sizeof(path), "/sys/block/%s/make-it-fail", strrchr(device, '/') + 1);
	put_text(path, "1");
}

static int nth_fd;

static void set_nth(int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", n);

	if (pwrite(nth_fd, text, (size_t)len, 0) != len)
		die("fail-nth");
}

/* True: what was to fail did. */
static int has_failed(void)
{
	char text[16] = "";

	if (pread(nth_fd, text, sizeof(text) - 1, 0) <= 0)
		die("fail-nth");
	set_nth(0);
	return !atoi(text);
}

static int is_down(void)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY), down = fsync(fd) && errno == EIO;

	close(fd);
	return down;
}

static unsigned long failures, downs, rounds;

/* Place N of OP. 0: it has fewer. */
static int one(const struct op *op, int n)
{
	int d, r, e, hit, seen;

	snprintf(where, sizeof(where), "%s/%s", dir, "w");
	prepare();
	if (n % 2)
		put_text("/proc/sys/vm/drop_caches", "3");
	d = open_where();
	set_nth(n);
	r = op->run(d);
	e = errno;
	hit = has_failed();
	rounds++;
	errno = e;
	if (r < 0 && !hit)
		die("it fails by itself");
	if (r < 0 && e != ENOMEM && e != EIO && e != EFAULT)
		die("failure %d: it fails with another error", n);
	if (r > 0)
		close(r);
	failures += r < 0;
	if (is_down()) {
		if (r < 0 && e == ENOMEM)
			die("failure %d: it is shut down for lack of memory", n);
		downs++;
		close(d);
		must(umount(dir), "umount after a shutdown");
		must(mount(device, dir, "xfs", 0, options), "mount after a shutdown");
		d = open_where();
		if (op->look(d) < 0)
			die("failure %d: after a shutdown it is half done", n);
	} else {
		seen = op->look(d);
		if (seen < 0 && !op->parts)
			die("failure %d: it is half done", n);
		if ((r >= 0 && seen != 1) || (r < 0 && seen && !op->parts))
			die("failure %d: it says %s, and has%s been done", n, r < 0 ? "no" : "yes",
			    seen ? "" : " not");
		if (r < 0 && !seen) {
			r = op->run(d);
			if (r < 0)
				die("failure %d: a second try fails", n);
			if (r > 0)
				close(r);
		}
	}
	close(d);
	remove_where();
	return hit;
}

static void nth(void)
{
	nth_fd = must(open("/proc/thread-self/fail-nth", O_RDWR), "fail-nth");
	let_fail();
	for (size_t i = 0; i < OPS; i++) {
		int quiet = 0;

		doing = ops[i].name;
		/* With full caches it has fewer places than with empty ones. */
		for (int n = 1; quiet < 2; n += 1 + (n > 64 ? n / 64 * 2 : 0))
			quiet = one(&ops[i], n) ? 0 : quiet + 1;
		printf("%s: %lu\n", doing, rounds);
	}
	doing = "nth";
}

/* ---- a full disk ---- */

static void fill(int fd)
{
	struct stat st;

	must(fstat(fd, &st), "fstat");
	for (off_t n = 1 << 20; n >= BLOCK; n /= 2)
		while (!fallocate(fd, 0, st.st_size, n))
			st.st_size += n;
	if (errno != ENOSPC)
		die("the disk cannot be filled");
}

static void one_full(const struct op *op, int fd, int room)
{
	struct stat st;
	int d, r, seen;

	must(fstat(fd, &st), "fstat");
	must(ftruncate(fd, st.st_size - (off_t)ENOUGH * BLOCK), "ftruncate");
	prepare();
	fill(fd);
	must(fstat(fd, &st), "fstat");
	must(ftruncate(fd, st.st_size - (off_t)room * BLOCK), "ftruncate");
	must(fsync(fd), "fsync");
	d = open_where();
	rounds++;
	r = op->run(d);
	failures += r < 0;
	if (r < 0 && errno != ENOSPC)
		die("%d blocks: it fails with another error", room);
	if (r > 0)
		close(r);
	seen = op->look(d);
	if (seen < 0 || (r >= 0 && !seen) || (r < 0 && seen && !op->parts))
		die("%d blocks: it says %s, and has%s been done", room, r < 0 ? "no" : "yes",
		    seen ? "" : " not");
	if (is_down())
		die("%d blocks: it is shut down", room);
	close(d);
	remove_where();
	fill(fd);
}

static void full(void)
{
	char path[200];
	int fd;

	snprintf(where, sizeof(where), "%s/w", dir);
	snprintf(path, sizeof(path), "%s/ballast", dir);
	fd = must(open(path, O_CREAT | O_RDWR, 0644), path);
	fill(fd);
	for (size_t i = 0; i < OPS; i++) {
		doing = ops[i].name;
		for (int room = 0; room < ROOM; room += 1 + room / 4)
			one_full(&ops[i], fd, room);
	}
	close(fd);
	must(unlink(path), path);
	doing = "full";
}

int main(int argc, char **argv)
{
	struct statvfs before, after;

	if (argc != 5)
		return 2;
	device = argv[1];
	dir = argv[2];
	options = argv[3];
	memset(large, 'l', sizeof(large));
	memset(target, 'x', LONG);
	must(mount(device, dir, "xfs", 0, options), "mount");
	must(statvfs(dir, &before), "statvfs");
	if (!strcmp(argv[4], "nth"))
		nth();
	else
		full();
	must(umount(dir), "umount");
	must(mount(device, dir, "xfs", 0, options), "mount");
	must(statvfs(dir, &after), "statvfs");
	/* Chunks of inodes may stay. */
	if (before.f_bfree > after.f_bfree + 64)
		die("%lu free blocks became %lu", (unsigned long)before.f_bfree,
		    (unsigned long)after.f_bfree);
	must(umount(dir), "umount");
	printf("failing %s: ok: %lu rounds, %lu failures, %lu shutdowns\n", argv[4], rounds,
	       failures, downs);
	return 0;
}
