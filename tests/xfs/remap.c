// SPDX-License-Identifier: MIT
/*
 * Run in the guest: remap DIR, a directory of a mounted XFS whose blocks have 4 KiB at most. Files
 * share blocks by FICLONE, FICLONERANGE, FIDEDUPERANGE and copy_file_range(2), lose them again by
 * writing and FALLOC_FL_UNSHARE_RANGE; FALLOC_FL_COLLAPSE_RANGE and FALLOC_FL_INSERT_RANGE; all
 * errnos. The same on Linux (tests/command/xfs_remap.py). remap DIR down: of a file system that was
 * shut down.
 */
#define _GNU_SOURCE
#include "check.h"
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/falloc.h>
#include <linux/fiemap.h>
#include <linux/fs.h>

#define B 4096			/* a block, or some */
#define SIZE (10 * B + 100)

static char text[64 * B], back[64 * B];

/* A file with N bytes of the text from FROM on. */
static int file(const char *name, int from, int n)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);

	CHECK(fd >= 0 && (!n || pwrite(fd, text + from, (size_t)n, 0) == n));
	return fd;
}

static int has(int fd, const char *want, size_t n, off_t at)
{
	return pread(fd, back, n, at) == (ssize_t)n && !memcmp(back, want, n);
}

static off_t size(int fd)
{
	struct stat st;

	CHECK(!fstat(fd, &st));
	return st.st_size;
}

/* Where byte AT lies on the device, 0: nowhere; *FLAGS: of its extent. */
static unsigned long long place(int fd, off_t at, unsigned *flags)
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

static int shares(int a, off_t aoff, int b, off_t boff)
{
	unsigned fa = 0, fb = 0;
	unsigned long long at = place(a, aoff, &fa);

	return at && at == place(b, boff, &fb) && fa & fb & FIEMAP_EXTENT_SHARED;
}

static int clone(int out, int in, long long from, unsigned long long n, long long to)
{
	struct file_clone_range r = { in, (unsigned long long)from, n, (unsigned long long)to };

	return ioctl(out, FICLONERANGE, &r);
}

static long dedupe(int in, long long from, unsigned long long n, int out, long long to,
		   unsigned long long *bytes)
{
	char space[sizeof(struct file_dedupe_range) + sizeof(struct file_dedupe_range_info)] = { 0 };
	struct file_dedupe_range *r = (void *)space;

	*r = (struct file_dedupe_range){ .src_offset = (unsigned long long)from,
					 .src_length = n,
					 .dest_count = 1 };
	r->info[0] = (struct file_dedupe_range_info){ .dest_fd = out,
						      .dest_offset = (unsigned long long)to };
	if (ioctl(in, FIDEDUPERANGE, r))
		return -1000 - errno;
	if (bytes)
		*bytes = r->info[0].bytes_deduped;
	return r->info[0].status;
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

/* ---- clone ---- */

static void clone_whole(void)
{
	int a = file("a", 0, SIZE), b = file("b", 7, 100), c;
	struct stat before, after;
	char *p;

	CHECK(!fstat(b, &before));
	CHECK(!ioctl(b, FICLONE, a));
	CHECK(size(b) == SIZE && has(b, text, SIZE, 0) && shares(a, 0, b, 0));
	CHECK(shares(a, 10 * B, b, 10 * B));
	CHECK(!fstat(a, &after) && after.st_blocks >= SIZE / 512);
	CHECK(!fstat(b, &after) && after.st_blocks >= SIZE / 512);
	CHECK(after.st_mtim.tv_sec != before.st_mtim.tv_sec ||
	      after.st_mtim.tv_nsec != before.st_mtim.tv_nsec);
	/* Each has its own bytes, however they are written. */
	CHECK(pwrite(b, "new", 3, B) == 3 && has(a, text, SIZE, 0));
	CHECK(!fsync(b) && has(a, text, SIZE, 0) && !shares(a, B, b, B) && shares(a, 0, b, 0));
	p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, a, 0);
	CHECK(p != MAP_FAILED && !memcmp(p, text, SIZE));
	p[3 * B] ^= 1;
	CHECK(!msync(p, SIZE, MS_SYNC) && has(b, text + 2 * B, SIZE - 2 * B, 2 * B));
	p[3 * B] ^= 1;
	c = file("c", 0, 0);
	/* What was stored through a mapping is cloned, and a store afterwards is not. */
	p[4 * B] ^= 2;
	CHECK(!ioctl(c, FICLONE, a));
	p[4 * B] ^= 2;
	text[4 * B] ^= 2;
	CHECK(has(c, text, SIZE, 0));
	text[4 * B] ^= 2;
	CHECK(!msync(p, SIZE, MS_SYNC) && has(a, text, SIZE, 0));
	CHECK(!munmap(p, SIZE) && !close(a) && !close(b) && !close(c));
}

static void clone_parts(void)
{
	int a = file("a", 0, SIZE), b = file("b", 20 * B, 20 * B), d;

	/* Into the middle; to the end; behind the end, where zeroes come between. */
	CHECK(!clone(b, a, B, 3 * B, 5 * B));
	CHECK(size(b) == 20 * B && has(b, text + B, 3 * B, 5 * B));
	CHECK(has(b, text + 20 * B, 5 * B, 0) && has(b, text + 28 * B, 12 * B, 8 * B));
	CHECK(!clone(b, a, 8 * B, 0, 40 * B));
	CHECK(size(b) == 42 * B + 100 && has(b, text + 8 * B, 2 * B + 100, 40 * B));
	memset(back + sizeof(back) / 2, 0, 20 * B);
	CHECK(has(b, back + sizeof(back) / 2, 20 * B, 20 * B));
	CHECK(!place(b, 30 * B, NULL));
	/* A hole replaces what was there; in one file, which may be read alone. */
	d = open("b", O_RDONLY);
	CHECK(d >= 0 && !clone(b, d, 30 * B, 2 * B, 0));
	CHECK(has(b, back + sizeof(back) / 2, 2 * B, 0) && !place(b, 0, NULL));
	CHECK(has(b, text + 22 * B, 3 * B, 2 * B));
	/* All of it into a file that had more: its end stays. */
	CHECK(!clone(a, b, 0, 2 * B, 0) && size(a) == SIZE && has(a, text + 2 * B, 8 * B, 2 * B));
	/* An end within a block reaches the end of the other. */
	CHECK(!ftruncate(a, B + 50) && !clone(b, a, 0, 0, 44 * B) && size(b) == 45 * B + 50);
	FAILS(clone(b, a, 0, 0, 0), EINVAL);
	CHECK(!close(a) && !close(b) && !close(d));
}

static void clone_errors(void)
{
	int a = file("a", 0, SIZE), b = file("b", 0, SIZE), ro = open("b", O_RDONLY),
	    wo = open("a", O_WRONLY), ap = open("b", O_WRONLY | O_APPEND),
	    dir = open(".", O_RDONLY), other = open("/tmp/remap", O_RDWR | O_CREAT, 0600), p[2],
	    flags = FS_IMMUTABLE_FL;

	CHECK(ro >= 0 && wo >= 0 && ap >= 0 && dir >= 0 && other >= 0 && !pipe(p));
	FAILS(ioctl(b, FICLONE, 99), EBADF);
	FAILS(ioctl(ro, FICLONE, a), EBADF);
	FAILS(ioctl(b, FICLONE, wo), EBADF);
	FAILS(ioctl(ap, FICLONE, a), EBADF);
	FAILS(ioctl(b, FICLONE, other), EXDEV);
	FAILS(ioctl(other, FICLONE, a), EXDEV);
	FAILS(ioctl(b, FICLONE, p[0]), EXDEV);
	FAILS(ioctl(b, FICLONE, dir), EISDIR);
	FAILS(ioctl(dir, FICLONE, a), EISDIR);
	FAILS(ioctl(b, FICLONERANGE, 8), EFAULT);
	FAILS(clone(b, a, 100, B, 0), EINVAL);
	FAILS(clone(b, a, 0, B, 100), EINVAL);
	FAILS(clone(b, a, 0, B + 1, 0), EINVAL);
	FAILS(clone(b, a, 0, SIZE + 1, 0), EINVAL);
	FAILS(clone(b, a, 11 * B, 0, 0), EINVAL);
	FAILS(clone(b, a, 11 * B, B, 0), EINVAL);
	FAILS(clone(b, a, -B, B, 0), EINVAL);
	FAILS(clone(b, a, 0, B, -B), EINVAL);
	FAILS(clone(b, a, 0, 1ull << 63, 0), EINVAL);
	FAILS(clone(b, a, B, (1ull << 63) - B, 0), EINVAL);
	FAILS(clone(b, a, 0, 2 * B, 0x7ffffffffffff000), EINVAL);
	FAILS(clone(a, a, 0, 2 * B, B), EINVAL);
	FAILS(clone(a, a, 0, 0, 0), EINVAL);
	CHECK(has(b, text, SIZE, 0) && !clone(a, a, 0, 2 * B, 2 * B));
	/* Nothing to do. */
	CHECK(!ftruncate(a, 0) && !ioctl(b, FICLONE, a) && size(b) == SIZE);
	CHECK(!ftruncate(a, B));
	CHECK(!ioctl(b, FS_IOC_SETFLAGS, &flags));
	FAILS(ioctl(b, FICLONE, a), EPERM);
	FAILS(clone(b, a, 0, 0, 0), EPERM);
	flags = 0;
	CHECK(!ioctl(b, FS_IOC_SETFLAGS, &flags));
	CHECK(!close(a) && !close(b) && !close(ro) && !close(wo) && !close(ap) && !close(dir));
	CHECK(!close(other) && !unlink("/tmp/remap"));
}

static volatile int signals;

static void on_signal(int sig)
{
	(void)sig;
	signals++;
}

static void limited(void)
{
	struct rlimit lim = { 4 * B, 4 * B };
	int a = file("a", 0, 2 * B), b = file("b", 0, 2 * B);

	signal(SIGXFSZ, on_signal);
	CHECK(!setrlimit(RLIMIT_FSIZE, &lim));
	CHECK(!clone(b, a, 0, 0, 2 * B) && size(b) == 4 * B);
	FAILS(clone(b, a, 0, 0, 3 * B), EINVAL);
	CHECK(!signals);
	FAILS(clone(b, a, 0, 0, 4 * B), EFBIG);
	CHECK(signals == 1 && size(b) == 4 * B);
	FAILS(fallocate(b, FALLOC_FL_INSERT_RANGE, 0, B), EFBIG);
	CHECK(signals == 2 && size(b) == 4 * B);
}

/* Whoever may write without being root: a clone takes the file's privileges away. */
static void loses_privileges(void)
{
	int a = file("mine", 0, B), b = file("mine too", 0, B);
	struct stat st;

	CHECK(!fchmod(b, 04755) && !ioctl(b, FICLONE, a) && !fstat(b, &st));
	CHECK((st.st_mode & 07777) == 0755);
	CHECK(!unlink("mine") && !unlink("mine too"));
}

/* The largest holes take no time. */
static void sparse(void)
{
	off_t most = 0x7ffffffffffff000;
	int a = file("a", 0, 2 * B), b = file("b", 0, 0);

	CHECK(!ftruncate(a, most) && !ioctl(b, FICLONE, a));
	CHECK(size(b) == most && has(b, text, 2 * B, 0) && shares(a, B, b, B));
	CHECK(!fallocate(b, FALLOC_FL_UNSHARE_RANGE | FALLOC_FL_KEEP_SIZE, 0, 4 * B));
	CHECK(!clone(b, a, 2 * B, 0, 2 * B) && size(b) == most && !place(b, 2 * B, NULL));
	CHECK(pwrite(a, "end", 3, most - B) == 3 && !clone(b, a, 0, 0, 0));
	CHECK(has(b, "end", 3, most - B) && shares(a, most - B, b, most - B));
	CHECK(!fallocate(b, FALLOC_FL_COLLAPSE_RANGE, B, most / 2 & -B) && has(b, text, B, 0));
	CHECK(size(b) == most - (most / 2 & -B));
	CHECK(shares(a, most - B, b, most - B - (most / 2 & -B)));
	CHECK(!close(a) && !close(b) && !unlink("b") && !unlink("a"));
}

/* The last page that a file can have ends behind the largest offset. */
static void last_page(void)
{
	off_t end = 0x7fffffffffffffff;
	int a = file("a", 0, B), b = file("b", 0, 0);

	CHECK(pwrite(a, "end", 3, end - 3) == 3 && !fsync(a));
	CHECK(size(a) == end);
	CHECK(has(a, "end", 3, end - 3));
	CHECK(place(a, end - 1, NULL));
	CHECK(!ftruncate(a, end - 2) && !ftruncate(a, end) && has(a, "e\0", 3, end - 3));
	CHECK(pwrite(a, text, 2 * B, (end & -B) - 2 * B) == 2 * B && !fsync(a));
	CHECK(lseek(a, end - 1, SEEK_DATA) == end - 1 && lseek(a, end - 1, SEEK_HOLE) == end);
	CHECK(!clone(b, a, 0, 0, 0) && size(b) == end && has(b, "e\0", 3, end - 3));
	CHECK(!ftruncate(a, B) && size(a) == B && has(a, text, B, 0));
	CHECK(!close(a) && !close(b) && !unlink("b") && !unlink("a"));
}

/* ---- dedupe ---- */

static void dedupe_same(void)
{
	int a = file("a", 0, SIZE), b = file("b", 0, SIZE), c = file("c", 5, SIZE),
	    ro = open("b", O_RDONLY), other = open("/tmp/remap", O_RDWR | O_CREAT, 0600),
	    dir = open(".", O_RDONLY);
	struct stat before, after;
	unsigned long long n = 0;

	CHECK(!fsync(a) && !fsync(b) && !fstat(b, &before));
	CHECK(!dedupe(a, 0, 4 * B, b, 0, &n) && n == 4 * B && shares(a, 0, b, 0));
	CHECK(!shares(a, 4 * B, b, 4 * B) && has(b, text, SIZE, 0));
	CHECK(!dedupe(a, 0, SIZE, ro, 0, &n) && n == SIZE && shares(a, 10 * B, b, 10 * B));
	CHECK(!fstat(b, &after) && after.st_mtim.tv_nsec == before.st_mtim.tv_nsec &&
	      after.st_ctim.tv_nsec == before.st_ctim.tv_nsec && after.st_size == SIZE);
	CHECK(dedupe(a, 0, B, c, 0, &n) == FILE_DEDUPE_RANGE_DIFFERS && !n);
	CHECK(!shares(a, 0, c, 0) && has(c, text + 5, SIZE, 0));
	CHECK(pwrite(b, "x", 1, 2 * B) == 1 && dedupe(a, B, 2 * B, b, B, NULL) == 1);
	CHECK(!dedupe(a, 0, 0, c, 0, &n) && !n);
	CHECK(dedupe(a, 0, B, 99, 0, NULL) == -EBADF);
	CHECK(dedupe(a, 0, B, dir, 0, NULL) == -EISDIR);
	CHECK(dedupe(a, 0, B, other, 0, NULL) == -EXDEV);
	CHECK(dedupe(a, 0, B, a, 0, NULL) == -EINVAL);
	CHECK(dedupe(a, 0, B, c, 100, NULL) == -EINVAL);
	CHECK(dedupe(a, 100, B, c, 0, NULL) == -EINVAL);
	CHECK(dedupe(a, 0, B, c, 11 * B, NULL) == -EINVAL);
	CHECK(dedupe(a, 0, B, c, -B, NULL) == -EINVAL);
	CHECK(dedupe(a, 0, SIZE + 1, c, 0, NULL) == -1000 - EINVAL);
	CHECK(dedupe(a, -B, B, c, 0, NULL) == -1000 - EINVAL);
	CHECK(dedupe(dir, 0, B, c, 0, NULL) == -1000 - EISDIR);
	CHECK(dedupe(open("a", O_WRONLY), 0, B, c, 0, NULL) == -1000 - EINVAL);
	CHECK(dedupe(other, 0, 0, c, 0, NULL) == -1000 - EOPNOTSUPP);
	CHECK(!close(a) && !close(b) && !close(c) && !close(ro) && !close(dir) && !close(other));
	CHECK(!unlink("/tmp/remap"));
}

/* The call's own fields, and several files of which each has its status. */
static void dedupe_many(void)
{
	int a = file("a", 0, 4 * B), b = file("b", 0, 4 * B), c = file("c", 5, 4 * B);
	size_t bytes =
		sizeof(struct file_dedupe_range) + 200 * sizeof(struct file_dedupe_range_info);
	struct file_dedupe_range *r = calloc(1, bytes);

	r->src_length = 4 * B;
	r->dest_count = 4;
	r->info[0].dest_fd = c;
	r->info[1].dest_fd = 99;
	r->info[2].dest_fd = b;
	r->info[3].dest_fd = b;
	r->info[3].reserved = 1;
	CHECK(!ioctl(a, FIDEDUPERANGE, r));
	CHECK(r->info[0].status == 1 && r->info[1].status == -EBADF && !r->info[2].status);
	CHECK(r->info[2].bytes_deduped == 4 * B && r->info[3].status == -EINVAL);
	CHECK(shares(a, 0, b, 0));
	r->reserved1 = 1;
	FAILS(ioctl(a, FIDEDUPERANGE, r), EINVAL);
	r->reserved1 = 0;
	r->reserved2 = 1;
	FAILS(ioctl(a, FIDEDUPERANGE, r), EINVAL);
	r->reserved2 = 0;
	r->dest_count = 200;
	FAILS(ioctl(a, FIDEDUPERANGE, r), ENOMEM);
	r->dest_count = 0;
	CHECK(!ioctl(a, FIDEDUPERANGE, r));
	FAILS(ioctl(a, FIDEDUPERANGE, 8), EFAULT);
	free(r);
	CHECK(!close(a) && !close(b) && !close(c));
}

/* Files of root: what others may read alone is not theirs to dedupe. */
static void dedupe_others(void)
{
	int a = open("a", O_RDONLY), b = open("b", O_RDONLY), mine, ro;

	CHECK(a >= 0 && b >= 0 && dedupe(a, 0, B, b, 0, NULL) == -EPERM);
	FAILS(open("c", O_RDWR), EACCES);
	mine = open("mine", O_RDWR | O_CREAT, 0400);
	ro = open("mine", O_RDONLY);
	CHECK(mine >= 0 && ro >= 0 && pwrite(mine, text, B, 0) == B);
	CHECK(!dedupe(a, 0, B, ro, 0, NULL) && shares(a, 0, mine, 0));
	CHECK(!unlink("mine"));
}

/* ---- copy_file_range ---- */

static void copies_share(void)
{
	int a = file("a", 0, SIZE), b = file("b", 0, 0);
	loff_t in = 0, out = 0;

	CHECK(copy_file_range(a, &in, b, &out, 1 << 20, 0) == SIZE);
	CHECK(in == SIZE && out == SIZE && has(b, text, SIZE, 0) && shares(a, 0, b, 0));
	in = out = B + 1;
	CHECK(copy_file_range(a, &in, b, &out, 100, 0) == 100 && has(b, text, SIZE, 0));
	/* What is not whole blocks is copied: as much as can be is shared first. */
	in = 0;
	out = 20 * B;
	CHECK(copy_file_range(a, &in, b, &out, 2 * B + 5, 0) >= 2 * B);
	CHECK(shares(a, 0, b, 20 * B) && has(b, text, 2 * B, 20 * B));
	CHECK(!close(a) && !close(b));
}

/* ---- fallocate ---- */

static void unshared(void)
{
	int a = file("a", 0, SIZE), b = file("b", 0, 0);

	CHECK(!ioctl(b, FICLONE, a) && shares(a, 0, b, 0));
	CHECK(!fallocate(b, FALLOC_FL_UNSHARE_RANGE, 0, 4 * B));
	CHECK(!shares(a, 0, b, 0) && place(b, 0, NULL) != place(a, 0, NULL));
	CHECK(place(b, 3 * B, NULL) != place(a, 3 * B, NULL) && shares(a, 4 * B, b, 4 * B));
	CHECK(has(a, text, SIZE, 0) && has(b, text, SIZE, 0));
	/* Holes get blocks, and the file may grow. */
	CHECK(!fallocate(b, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 2 * B));
	CHECK(!fallocate(b, FALLOC_FL_UNSHARE_RANGE | FALLOC_FL_KEEP_SIZE, 0, 20 * B));
	CHECK(size(b) == SIZE && place(b, 0, NULL) && has(b, text + 2 * B, SIZE - 2 * B, 2 * B));
	CHECK(place(b, 10 * B, NULL) != place(a, 10 * B, NULL));
	CHECK(!fallocate(b, FALLOC_FL_UNSHARE_RANGE, 0, 20 * B) && size(b) == 20 * B);
	CHECK(!close(a) && !close(b));
}

static void shifted(void)
{
	int a = file("a", 0, 20 * B + 9), f;

	CHECK(!fallocate(a, FALLOC_FL_COLLAPSE_RANGE, 2 * B, 3 * B) && size(a) == 17 * B + 9);
	CHECK(has(a, text, 2 * B, 0) && has(a, text + 5 * B, 15 * B + 9, 2 * B));
	CHECK(!fallocate(a, FALLOC_FL_INSERT_RANGE, 2 * B, 3 * B) && size(a) == 20 * B + 9);
	memset(back + sizeof(back) / 2, 0, 3 * B);
	CHECK(has(a, back + sizeof(back) / 2, 3 * B, 2 * B) && !place(a, 2 * B, NULL));
	CHECK(has(a, text, 2 * B, 0) && has(a, text + 5 * B, 15 * B + 9, 5 * B));
	FAILS(fallocate(a, FALLOC_FL_COLLAPSE_RANGE, 100, B), EINVAL);
	FAILS(fallocate(a, FALLOC_FL_COLLAPSE_RANGE, 0, 100), EINVAL);
	FAILS(fallocate(a, FALLOC_FL_COLLAPSE_RANGE, 19 * B, 2 * B), EINVAL);
	CHECK(!ftruncate(a, 20 * B));
	FAILS(fallocate(a, FALLOC_FL_COLLAPSE_RANGE, 19 * B, B), EINVAL);
	FAILS(fallocate(a, FALLOC_FL_INSERT_RANGE, 20 * B, B), EINVAL);
	FAILS(fallocate(a, FALLOC_FL_INSERT_RANGE, 100, B), EINVAL);
	FAILS(fallocate(a, FALLOC_FL_INSERT_RANGE, 0, 100), EINVAL);
	FAILS(fallocate(a, FALLOC_FL_INSERT_RANGE, 0, 0x7ffffffffffff000), EFBIG);
	FAILS(fallocate(a, FALLOC_FL_INSERT_RANGE, B, 0x7ffffffffffff000), EFBIG);
	FAILS(fallocate(a, FALLOC_FL_INSERT_RANGE | FALLOC_FL_KEEP_SIZE, 0, B), EOPNOTSUPP);
	FAILS(fallocate(a, FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_KEEP_SIZE, 0, B), EOPNOTSUPP);
	FAILS(fallocate(a, FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_ZERO_RANGE, 0, B), EOPNOTSUPP);
	FAILS(fallocate(a, FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE, 0, B), EOPNOTSUPP);
	FAILS(fallocate(a, FALLOC_FL_UNSHARE_RANGE | FALLOC_FL_ZERO_RANGE, 0, B), EOPNOTSUPP);
	FAILS(fallocate(a, FALLOC_FL_PUNCH_HOLE, 0, B), EOPNOTSUPP);
	FAILS(fallocate(a, 0x400, 0, B), EOPNOTSUPP);
	CHECK(size(a) == 20 * B);
	f = FS_APPEND_FL;
	CHECK(!ioctl(a, FS_IOC_SETFLAGS, &f));
	FAILS(fallocate(a, FALLOC_FL_INSERT_RANGE, 0, B), EPERM);
	FAILS(fallocate(a, FALLOC_FL_UNSHARE_RANGE, 0, B), EPERM);
	f = 0;
	CHECK(!ioctl(a, FS_IOC_SETFLAGS, &f) && !close(a));
	f = open("a", O_RDONLY);
	FAILS(fallocate(f, FALLOC_FL_COLLAPSE_RANGE, 0, B), EBADF);
	CHECK(!close(f));
}

/* Blocks that two files share move in one of them; a mapping sees it. */
static void shared_and_shifted(void)
{
	int a = file("a", 0, 20 * B), b = file("b", 0, 0);
	char *p = mmap(NULL, 20 * B, PROT_READ, MAP_SHARED, a, 0);

	CHECK(p != MAP_FAILED && !ioctl(b, FICLONE, a));
	CHECK(!memcmp(p, text, 20 * B));
	CHECK(!fallocate(a, FALLOC_FL_COLLAPSE_RANGE, 0, 4 * B) && has(b, text, 20 * B, 0));
	CHECK(!memcmp(p, text + 4 * B, 16 * B) && shares(a, 0, b, 4 * B));
	CHECK(pwrite(a, "y", 1, 0) == 1 && !fsync(a) && has(b, text, 20 * B, 0));
	CHECK(!munmap(p, 20 * B) && !close(a) && !close(b));
}

/*
 * What only looks does not wait for the end of a freeze: where blocks are, files by handle, what is
 * free.
 */
static void looks_while_frozen(void)
{
	struct {
		struct file_handle h;
		unsigned char bytes[64];
	} q = { .h = { .handle_bytes = sizeof(q.bytes) } };
	int a = file("a", 0, SIZE), b = file("b", 0, 0), c = file("c", 0, B),
	    dir = open(".", O_RDONLY), drop = open("/proc/sys/vm/drop_caches", O_WRONLY), id,
	    trimmed;
	struct fstrim_range range = { .len = ~0ull };

	CHECK(dir >= 0 && drop >= 0 && !ioctl(b, FICLONE, a) && shares(a, 0, b, 0));
	CHECK(!name_to_handle_at(AT_FDCWD, "c", &q.h, &id, 0) && !fsync(c) && !close(c));
	CHECK(write(drop, "3", 1) == 1);
	CHECK(!ioctl(dir, FIFREEZE, 0));
	c = shares(a, B, b, B);
	id = open_by_handle_at(dir, &q.h, O_RDONLY);
	trimmed = ioctl(dir, FITRIM, &range);
	CHECK(!ioctl(dir, FITHAW, 0));
	CHECK(!trimmed);
	CHECK(c && id >= 0 && has(id, text, B, 0));
	CHECK(!close(id) && !close(drop) && !close(dir) && !close(a) && !close(b));
}

/* Of a file system that was shut down nothing is written, also where no time needs to change. */
static void down(void)
{
	struct request {
		unsigned fd;
		const void *path;
		unsigned oflags;
		void *ihandle;
		unsigned ihandlen;
		void *ohandle;
		unsigned *ohandlen;
	};
	unsigned char handle[24];
	unsigned len = sizeof(handle), how = 2;
	int a = file("down", 0, SIZE), fd;
	struct request r = { .fd = (unsigned)a, .ohandle = handle, .ohandlen = &len };

	CHECK(!fsync(a) && !ioctl(a, _IOWR('X', 106, struct request), &r));
	r = (struct request){ .oflags = O_RDWR, .ihandle = handle, .ihandlen = len };
	fd = ioctl(open(".", O_RDONLY), _IOWR('X', 107, struct request), &r);
	CHECK(fd >= 0 && pwrite(fd, text, B, 0) == B && !fsync(fd));
	CHECK(!ioctl(a, _IOR('X', 125, unsigned), &how));
	FAILS(pwrite(fd, text, B, 0), EIO);
	FAILS(pwrite(a, text, B, 0), EIO);
	FAILS(fsync(fd), EIO);
	printf("remap: down\n");
}

int main(int argc, char **argv)
{
	unsigned long x = 1;

	CHECK(argc > 1 && !chdir(argv[1]) && !chmod(".", 0777));
	umask(022);
	for (size_t i = 0; i < sizeof(text); i++) {
		x = x * 6364136223846793005ul + 1442695040888963407ul;
		text[i] = (char)(x >> 56 | 1);
	}
	if (argc > 2) {
		down();
		return 0;
	}
	as(0, clone_whole);
	as(0, clone_parts);
	as(0, clone_errors);
	as(0, sparse);
	as(0, last_page);
	as(0, limited);
	as(1000, loses_privileges);
	as(0, dedupe_same);
	as(0, dedupe_many);
	as(1000, dedupe_others);
	as(0, copies_share);
	as(0, unshared);
	as(0, shifted);
	as(0, shared_and_shifted);
	as(0, looks_while_frozen);
	printf("remap: ok\n");
	return 0;
}
