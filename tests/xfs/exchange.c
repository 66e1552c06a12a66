// SPDX-License-Identifier: MIT
/*
 * Run in the guest: exchange DIR [plain], a directory of a mounted XFS whose blocks have 4 KiB at
 * most. Files exchange ranges by XFS_IOC_EXCHANGE_RANGE and XFS_IOC_COMMIT_RANGE; all errnos. The
 * same on Linux (tests/command/xfs_exchange.py). "plain": the file system has not that feature.
 * "cut": the file system is shut down in the middle of an exchange; "check": afterwards the two
 * files have all of what they had, or all of each other's.
 */
#define _GNU_SOURCE
#include "check.h"
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <linux/fiemap.h>
#include <linux/fs.h>

#define B 4096			/* a block, or some */

/* ioctl_xfs_exchange_range(2), ioctl_xfs_commit_range(2) */
struct range {
	int32_t fd;
	uint32_t pad;
	uint64_t off1, off2, length, flags;
};
struct commit {
	struct range r;
	uint64_t fresh[6];
};
#define EXCHANGE _IOW('X', 129, struct range)
#define START_COMMIT _IOR('X', 130, struct commit)
#define COMMIT _IOW('X', 131, struct commit)
enum { TO_EOF = 1, DSYNC = 2, DRY_RUN = 4, FILE1_WRITTEN = 8 };

static char text[64 * B], back[64 * B], zero[64 * B];

/* A file with N bytes of the text from FROM on. */
static int file(const char *name, int from, int n)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);

	CHECK(fd >= 0 && (!n || pwrite(fd, text + from, (size_t)n, 0) == n));
	return fd;
}

static int has(int fd, const char *want, long n, long at)
{
	return pread(fd, back, (size_t)n, at) == n && !memcmp(back, want, (size_t)n);
}

static long size(int fd)
{
	struct stat st;

	CHECK(!fstat(fd, &st));
	return st.st_size;
}

static int later(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec > b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec > b->tv_nsec);
}

/* Where byte AT lies on the device, 0: nowhere. */
static unsigned long long place(int fd, long at, unsigned *flags)
{
	struct {
		struct fiemap m;
		struct fiemap_extent e;
	} q = { .m = { .fm_start = (unsigned long long)at,
		       .fm_length = 1,
		       .fm_flags = FIEMAP_FLAG_SYNC,
		       .fm_extent_count = 1 } };

	CHECK(!ioctl(fd, FS_IOC_FIEMAP, &q));
	if (!q.m.fm_mapped_extents)
		return 0;
	if (flags)
		*flags = q.e.fe_flags;
	return q.e.fe_physical + ((unsigned long long)at - q.e.fe_logical);
}

static int swap(int fd1, long off1, int fd2, long off2, long n, uint64_t flags)
{
	struct range r = { fd1, 0, (uint64_t)off1, (uint64_t)off2, (uint64_t)n, flags };

	return ioctl(fd2, EXCHANGE, &r);
}

static int commit(struct commit *c, int fd1, long off1, int fd2, long off2, long n, uint64_t flags)
{
	c->r = (struct range){ fd1, 0, (uint64_t)off1, (uint64_t)off2, (uint64_t)n, flags };
	return ioctl(fd2, COMMIT, c);
}

/* FN in a process of its own, with the rights of UID. */
static void as(uid_t uid, void (*fn)(void))
{
	int status;

	fflush(stdout);
	if (!fork()) {
		if (uid)
			CHECK(!setgid(uid) && !setuid(uid));
		fn();
		fflush(stdout);
		_exit(0);
	}
	CHECK(wait(&status) > 0);
	CHECK(!status);
}

/* ---- what is exchanged ---- */

static void parts(void)
{
	int a = file("a", 0, 10 * B), b = file("b", 20 * B, 12 * B);
	unsigned long long at = place(a, 2 * B, NULL), to = place(b, 5 * B, NULL);
	struct stat was, is;

	CHECK(at && to && !fstat(b, &was));
	CHECK(!swap(a, 2 * B, b, 5 * B, 3 * B, DRY_RUN) && has(a, text, 10 * B, 0));
	CHECK(place(a, 2 * B, NULL) == at && !fstat(b, &is) && !later(&is.st_ctim, &was.st_ctim));
	/* By blocks, not by copying; what is around stays. */
	usleep(20000);
	CHECK(!swap(a, 2 * B, b, 5 * B, 3 * B, 0));
	CHECK(place(a, 2 * B, NULL) == to && place(b, 5 * B, NULL) == at);
	CHECK(size(a) == 10 * B && size(b) == 12 * B);
	CHECK(has(a, text, 2 * B, 0) && has(a, text + 25 * B, 3 * B, 2 * B));
	CHECK(has(a, text + 5 * B, 5 * B, 5 * B) && has(b, text + 2 * B, 3 * B, 5 * B));
	CHECK(has(b, text + 20 * B, 5 * B, 0) && has(b, text + 28 * B, 4 * B, 8 * B));
	CHECK(!fstat(b, &is) && later(&is.st_ctim, &was.st_ctim) &&
	      later(&is.st_mtim, &was.st_mtim));
	CHECK(is.st_blocks == was.st_blocks);
	/* And back, at once durable. */
	CHECK(!swap(b, 5 * B, a, 2 * B, 3 * B, DSYNC));
	CHECK(has(a, text, 10 * B, 0) && has(b, text + 20 * B, 12 * B, 0));
	/* Ranges of one file, which need not be the same descriptor. */
	CHECK(!swap(a, 0, a, 5 * B, 4 * B, 0) && has(a, text + 5 * B, 4 * B, 0));
	CHECK(has(a, text, 4 * B, 5 * B) && has(a, text + 4 * B, B, 4 * B));
	FAILS(swap(a, 0, a, 3 * B, 4 * B, 0), EINVAL);
	FAILS(swap(a, 3 * B, a, 0, 4 * B, 0), EINVAL);
	CHECK(!close(a) && !close(b));
}

/* Data that are only in memory, and mapped pages, go with their blocks. */
static void dirty(void)
{
	int a = file("a", 0, 10 * B), b = file("b", 20 * B, 10 * B);
	char *p = mmap(NULL, 10 * B, PROT_READ | PROT_WRITE, MAP_SHARED, a, 0),
	     *q = mmap(NULL, 10 * B, PROT_READ | PROT_WRITE, MAP_SHARED, b, 0);

	CHECK(p != MAP_FAILED && q != MAP_FAILED);
	p[4 * B + 7] ^= 3;
	CHECK(q[4 * B + 7] == text[24 * B + 7]);
	CHECK(!swap(a, 4 * B, b, 4 * B, B, 0));
	CHECK(q[4 * B + 7] == (text[4 * B + 7] ^ 3) && p[4 * B + 7] == text[24 * B + 7]);
	q[4 * B + 7] ^= 3;
	CHECK(!msync(q, 10 * B, MS_SYNC) && has(b, text + 4 * B, B, 4 * B));
	CHECK(has(a, text + 24 * B, B, 4 * B) && !munmap(p, 10 * B) && !munmap(q, 10 * B));
	CHECK(!close(a) && !close(b));
}

static void to_end(void)
{
	int a = file("a", 0, 3 * B + 100), b = file("b", 20 * B, 9 * B + 77), c;

	CHECK(!swap(a, 0, b, 0, 0, TO_EOF));
	CHECK(size(a) == 9 * B + 77 && size(b) == 3 * B + 100);
	CHECK(has(a, text + 20 * B, 9 * B + 77, 0) && has(b, text, 3 * B + 100, 0));
	/* What was behind the end is zeroes when the file grows again. */
	CHECK(!ftruncate(b, 8 * B) && has(b, zero, 4 * B - 100, 3 * B + 100));
	CHECK(!ftruncate(b, 3 * B + 100));
	/* From an offset on: the length is not looked at. */
	CHECK(!swap(b, B, a, B, -5, TO_EOF));
	CHECK(size(a) == 3 * B + 100 && size(b) == 9 * B + 77);
	CHECK(has(a, text + 20 * B, B, 0) && has(a, text + B, 2 * B + 100, B));
	CHECK(has(b, text, B, 0) && has(b, text + 21 * B, 8 * B + 77, B));
	/* With a file that has nothing. */
	c = file("c", 0, 0);
	CHECK(!swap(c, 0, b, 0, 0, TO_EOF) && size(b) == 0 && size(c) == 9 * B + 77);
	CHECK(has(c, text + 21 * B, 8 * B + 77, B) && !place(b, 0, NULL));
	CHECK(!swap(b, 0, b, 0, 0, 0) && !swap(a, 0, c, 0, 0, 0));
	CHECK(!close(a) && !close(b) && !close(c));
}

/* Holes and unwritten blocks go too, or are left out. */
static void holes(void)
{
	int a = file("a", 0, 0), b = file("b", 20 * B, 12 * B);

	CHECK(!ftruncate(a, 12 * B) && pwrite(a, text, 2 * B, 4 * B) == 2 * B);
	CHECK(!posix_fallocate(a, 8 * B, 2 * B) && !fsync(a));
	CHECK(!swap(a, 0, b, 0, 12 * B, FILE1_WRITTEN));
	CHECK(has(b, text + 20 * B, 4 * B, 0) && has(b, text, 2 * B, 4 * B));
	CHECK(has(b, text + 26 * B, 6 * B, 6 * B) && has(a, text + 24 * B, 2 * B, 4 * B));
	CHECK(has(a, zero, 4 * B, 0) && has(a, zero, 6 * B, 6 * B) && !place(a, 0, NULL));
	CHECK(!swap(a, 0, b, 0, 12 * B, 0));
	CHECK(has(a, text + 20 * B, 4 * B, 0) && has(a, text, 2 * B, 4 * B) && !place(b, 0, NULL));
	CHECK(has(b, zero, 4 * B, 0) && has(b, text + 24 * B, 2 * B, 4 * B));
	CHECK(has(b, zero, 6 * B, 6 * B));
	CHECK(!close(a) && !close(b));
}

/* Blocks that a third file has too. */
static void shared(void)
{
	int a = file("a", 0, 10 * B), b = file("b", 20 * B, 10 * B), c = file("c", 0, 0);
	unsigned flags = 0;

	if (ioctl(c, FICLONE, a) && errno == EOPNOTSUPP)
		return;
	CHECK(!swap(a, 2 * B, b, 2 * B, 5 * B, 0));
	CHECK(place(b, 3 * B, &flags) == place(c, 3 * B, NULL) && flags & FIEMAP_EXTENT_SHARED);
	/* A change of what is now B's is C's no more than before. */
	CHECK(pwrite(b, "new", 3, 3 * B) == 3 && !fsync(b) && has(c, text, 10 * B, 0));
	CHECK(pwrite(a, "new", 3, 3 * B) == 3 && !fsync(a) && has(b, "new", 3, 3 * B));
	CHECK(has(b, text + 4 * B, 3 * B, 4 * B) && has(a, text + 24 * B, 3 * B, 4 * B));
	/* What both have is left as it is. */
	CHECK(!swap(a, 8 * B, c, 8 * B, B, 0) && has(a, text + 8 * B, B, 8 * B));
	CHECK(!close(a) && !close(b) && !close(c));
}

/* Each second block is another extent: trees of extents, which shrink and grow. */
static void many(void)
{
	int a = file("a", 0, 0), b = file("b", 0, 0), n = 700;

	for (int i = 0; i < n; i++) {
		CHECK(pwrite(a, text + i % 60, B, 2L * i * B) == B);
		CHECK(pwrite(b, text + i % 50 + 100, B, (2L * i + 1) * B) == B);
	}
	CHECK(!ftruncate(a, 2L * n * B) && !fsync(a) && !fsync(b));
	CHECK(!swap(a, 0, b, 0, 2L * n * B, 0));
	for (int i = 0; i < n; i++) {
		CHECK(has(b, text + i % 60, B, 2L * i * B) && has(a, zero, B, 2L * i * B));
		CHECK(has(a, text + i % 50 + 100, B, (2L * i + 1) * B));
	}
	/* Into a file of one extent, which becomes many. */
	CHECK(!close(b));
	b = file("b", 0, 60 * B);
	CHECK(!swap(a, B, b, 0, 60 * B, FILE1_WRITTEN) && has(b, text + 100, B, 0));
	CHECK(has(b, text + B, B, B) && has(b, text + 101, B, 2 * B));
	CHECK(!close(a) && !close(b));
}

/* ---- who may ---- */

static void refused(void)
{
	int a = file("a", 0, 10 * B), b = file("b", 20 * B, 10 * B + 50), ro = open("a", O_RDONLY),
	    wo = open("a", O_WRONLY), ap = open("a", O_RDWR | O_APPEND), dir = open(".", O_RDONLY),
	    other = open("/tmp/exchange", O_RDWR | O_CREAT, 0600), p[2], flags = FS_IMMUTABLE_FL, f;
	struct range r = { a, 1, 0, 0, B, 0 };

	CHECK(ro >= 0 && wo >= 0 && ap >= 0 && dir >= 0 && other >= 0 && !pipe(p));
	FAILS(ioctl(b, EXCHANGE, &r), EINVAL);
	FAILS(ioctl(b, EXCHANGE, (void *)8), EFAULT);
	FAILS(swap(a, 0, b, 0, B, 16), EINVAL);
	FAILS(swap(99, 0, b, 0, B, 0), EBADF);
	FAILS(swap(other, 0, b, 0, B, 0), EXDEV);
	FAILS(swap(p[0], 0, b, 0, B, 0), EXDEV);
	FAILS(swap(dir, 0, b, 0, B, 0), EISDIR);
	FAILS(swap(a, 0, dir, 0, B, 0), EISDIR);
	FAILS(swap(ro, 0, b, 0, B, 0), EBADF);
	FAILS(swap(b, 0, ro, 0, B, 0), EBADF);
	FAILS(swap(wo, 0, b, 0, B, 0), EBADF);
	FAILS(swap(ap, 0, b, 0, B, 0), EBADF);
	FAILS(swap(a, -B, b, 0, B, 0), EINVAL);
	FAILS(swap(a, 0, b, 0, -B, 0), EINVAL);
	FAILS(swap(a, 0x7ffffffffffff000, b, 0, B, 0), EINVAL);
	/* Not whole blocks; behind the end; an end of one in the middle of the other. */
	FAILS(swap(a, 100, b, 0, B, 0), EINVAL);
	FAILS(swap(a, 0, b, 100, B, 0), EINVAL);
	FAILS(swap(a, 0, b, 0, 100, 0), EINVAL);
	FAILS(swap(a, 9 * B, b, 0, 2 * B, 0), EINVAL);
	FAILS(swap(a, 11 * B, b, 0, 0, TO_EOF), EINVAL);
	FAILS(swap(a, 0, b, 10 * B, 50, 0), EINVAL);
	CHECK(!swap(a, 10 * B, b, 10 * B, 0, TO_EOF) && size(a) == 10 * B + 50);
	CHECK(!ioctl(a, FS_IOC_GETFLAGS, &f));
	f |= flags;
	CHECK(!ioctl(a, FS_IOC_SETFLAGS, &f));
	FAILS(swap(a, 0, b, 0, B, 0), EPERM);
	FAILS(swap(b, 0, a, 0, B, 0), EPERM);
	f &= ~flags;
	CHECK(!ioctl(a, FS_IOC_SETFLAGS, &f) && !swap(a, 0, b, 0, B, 0));
	close(a), close(b), close(ro), close(wo), close(ap), close(dir), close(other);
	close(p[0]), close(p[1]);
}

/* RLIMIT_FSIZE is as for a write. */
static void limited(void)
{
	struct rlimit l = { 4 * B, RLIM_INFINITY };
	int a = file("a", 0, 10 * B), b = file("b", 20 * B, 10 * B);

	signal(SIGXFSZ, SIG_IGN);
	CHECK(!setrlimit(RLIMIT_FSIZE, &l));
	FAILS(swap(a, 0, b, 5 * B, B, 0), EFBIG);
	FAILS(swap(a, 5 * B, b, 0, B, 0), EFBIG);
	FAILS(swap(a, 2 * B, b, 2 * B, 3 * B, 0), EINVAL);
	CHECK(!swap(a, 2 * B, b, 2 * B, 2 * B, 0));
}

/* As a write by a user, it takes the set-id bits of both away. */
static void privileges(void)
{
	int a = open("a", O_RDWR), b = open("b", O_RDWR);
	struct stat st;

	CHECK(a >= 0 && b >= 0 && !swap(a, 0, b, 0, B, DRY_RUN));
	CHECK(!fstat(a, &st) && st.st_mode & S_ISUID);
	CHECK(!swap(a, 0, b, 0, B, 0));
	CHECK(!fstat(a, &st) && !(st.st_mode & S_ISUID));
	CHECK(!fstat(b, &st) && !(st.st_mode & S_ISUID));
}

/* ---- commits ---- */

static void commits(void)
{
	int a = file("a", 0, 10 * B), b = file("b", 20 * B, 10 * B), dir = open(".", O_RDONLY);
	struct commit c = { .fresh = { 0 } }, d;
	char *p;

	FAILS(commit(&c, a, 0, b, 0, B, 0), EBUSY);
	FAILS(ioctl(b, START_COMMIT, (void *)8), EFAULT);
	CHECK(!ioctl(b, START_COMMIT, &c) && !commit(&c, a, 0, b, 0, B, 0));
	CHECK(has(b, text, B, 0) && has(a, text + 20 * B, B, 0));
	/* That was a change, too. */
	FAILS(commit(&c, a, 0, b, 0, B, 0), EBUSY);
	/* One right after the begin is seen. */
	CHECK(!ioctl(b, START_COMMIT, &c) && pwrite(b, "x", 1, 5 * B) == 1);
	FAILS(commit(&c, a, 0, b, 0, B, 0), EBUSY);
	CHECK(!fsync(b));
	p = mmap(NULL, B, PROT_READ | PROT_WRITE, MAP_SHARED, b, 0);
	CHECK(p != MAP_FAILED && !ioctl(b, START_COMMIT, &c));
	p[0] ^= 1;
	FAILS(commit(&c, a, 0, b, 0, B, DRY_RUN), EBUSY);
	p[0] ^= 1;
	CHECK(!munmap(p, B) && !ioctl(b, START_COMMIT, &c) && !fchmod(b, 0600));
	FAILS(commit(&c, a, 0, b, 0, B, 0), EBUSY);
	/* A change of the other file is none. */
	CHECK(!ioctl(b, START_COMMIT, &c) && pwrite(a, "y", 1, 0) == 1);
	CHECK(!commit(&c, a, 0, b, 0, 0, TO_EOF | FILE1_WRITTEN) && has(b, "y", 1, 0));
	CHECK(!ioctl(b, START_COMMIT, &c));
	FAILS(commit(&c, b, 0, a, 0, B, 0), EBUSY);
	FAILS(commit(&c, a, 0, b, 0, B, 16), EINVAL);
	FAILS(commit(&c, 99, 0, b, 0, B, 0), EBADF);
	FAILS(commit(&c, a, 0, b, 0, 50, 0), EINVAL);
	d = c;
	d.fresh[0] ^= 1;
	FAILS(commit(&d, a, 0, b, 0, B, 0), EBUSY);
	CHECK(dir >= 0 && !ioctl(dir, START_COMMIT, &d) && !commit(&c, a, 0, b, 0, B, 0));
	CHECK(!close(a) && !close(b) && !close(dir));
}

/* ---- the power goes ---- */

#define PIECES 1500
#define SHUTDOWN _IOR('X', 125, uint32_t)

/* Piece I of file F. */
static const char *piece(int f, int i)
{
	return text + (f ? 20 * B + i % 900 : i % 800);
}

/* The other task exchanges what has many extents. Writing ends with what the log has by then. */
static void cut(void)
{
	int fd[2] = { file("old", 0, 0), file("new", 0, 0) }, go[2];
	uint32_t logged = 1;
	char byte = 0;
	pid_t task;

	for (int i = PIECES; i--;)
		for (int f = 0; f < 2; f++) {
			CHECK(pwrite(fd[f], piece(f, i), B, 2L * i * B + f * B) == B);
			CHECK(pwrite(fd[f], piece(f, i) + 1, B, (2L * i + 1) * B - f * B) == B);
			CHECK(i % 8 || !fsync(fd[f]));
		}
	CHECK(!fsync(fd[0]) && !fsync(fd[1]) && !pipe(go));
	task = fork();
	CHECK(task >= 0);
	if (!task) {
		CHECK(write(go[1], &byte, 1) == 1);
		swap(fd[0], 0, fd[1], 0, 2L * PIECES * B, 0);
		_exit(0);
	}
	CHECK(read(go[0], &byte, 1) == 1 && !ioctl(fd[0], SHUTDOWN, &logged));
	CHECK(waitpid(task, NULL, 0) == task);
}

/* Are they F's bytes that file NAME has? */
static int whole(const char *name, int f)
{
	int fd = open(name, O_RDONLY), same = 0;

	CHECK(fd >= 0);
	for (int i = 0; i < PIECES; i++) {
		same += has(fd, piece(f, i), B, 2L * i * B + f * B);
		same += has(fd, piece(f, i) + 1, B, (2L * i + 1) * B - f * B);
	}
	CHECK(!close(fd) && (!same || same == 2 * PIECES));
	return same > 0;
}

static void check(void)
{
	int done = whole("old", 1);

	CHECK(whole("old", 0) == !done && whole("new", 0) == done && whole("new", 1) == !done);
	printf("files are %s\n", done ? "exchanged" : "as they were");
}

/* ---- the whole ---- */

static void plain(void)
{
	int a = file("a", 0, 10 * B), b = file("b", 20 * B, 10 * B);
	struct commit c;

	FAILS(swap(a, 0, b, 0, B, 0), EOPNOTSUPP);
	FAILS(swap(a, 0, b, 0, B, 16), EINVAL);
	FAILS(swap(a, 50, b, 0, B, DRY_RUN), EOPNOTSUPP);
	CHECK(!ioctl(b, START_COMMIT, &c));
	FAILS(commit(&c, a, 0, b, 0, B, 0), EOPNOTSUPP);
}

int main(int argc, char **argv)
{
	CHECK(argc >= 2 && !chdir(argv[1]));
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)((i * 7 + i / B * 31 + i / 251) % 251 + 1);
	if (argc > 2) {
		if (!strcmp(argv[2], "cut"))
			cut();
		else if (!strcmp(argv[2], "check"))
			check();
		else
			plain();
		puts("exchange: ok");
		return 0;
	}
	parts();
	dirty();
	to_end();
	holes();
	shared();
	many();
	refused();
	as(0, limited);
	CHECK(!close(file("a", 0, 2 * B)) && !close(file("b", 20 * B, 2 * B)));
	CHECK(!chown("a", 1000, 1000) && !chown("b", 1000, 1000));
	CHECK(!chmod("a", 04755) && !chmod("b", 04755));
	as(1000, privileges);
	CHECK(!unlink("a") && !unlink("b"));
	commits();
	puts("exchange: ok");
	return 0;
}
