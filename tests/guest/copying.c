// SPDX-License-Identifier: MIT
/*
 * Data from file to file without a buffer of one's own. proves: sendfile copy_file_range splice tee
 * vmsplice
 */
#include "t.h"
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <linux/falloc.h>
#include <linux/fs.h>

static char pattern[100000], back[100000];

static int source(void)
{
	int fd;

	for (unsigned int i = 0; i < sizeof(pattern); i++)
		pattern[i] = i * 31 >> 3;
	unlink("/tmp/src");
	fd = OK(open("/tmp/src", O_CREAT | O_RDWR, 0600));
	EQ(write(fd, pattern, sizeof(pattern)), sizeof(pattern));
	EQ(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static int target(void)
{
	unlink("/tmp/dst");
	return OK(open("/tmp/dst", O_CREAT | O_RDWR, 0600));
}

TEST(send_a_file)
{
	int s = source(), d = target();
	off_t off = 1000;

	EQ(sendfile(d, s, NULL, 50000), 50000);
	EQ(lseek(s, 0, SEEK_CUR), 50000);
	EQ(sendfile(d, s, &off, 200000), 99000);
	EQ(off, 100000);
	EQ(lseek(s, 0, SEEK_CUR), 50000);
	EQ(pread(d, back, 50000, 0), 50000);
	CHECK(!memcmp(back, pattern, 50000));
	EQ(pread(d, back, 99000, 50000), 99000);
	CHECK(!memcmp(back, pattern + 1000, 99000));
	ERR(sendfile(99, s, NULL, 1), EBADF);
	int p[2];

	OK(pipe(p));
	EQ(sendfile(p[1], s, NULL, 5000), 5000);
	EQ(read(p[0], back, 5000), 5000);
	CHECK(!memcmp(back, pattern + 50000, 5000));
	ERR(sendfile(d, p[0], NULL, 10), EINVAL);
}

static long cfr(int in, loff_t *oin, int out, loff_t *oout, size_t n, unsigned int flags)
{
	return syscall(SYS_copy_file_range, in, oin, out, oout, n, flags);
}

/* A file whose text is made as it is read gives some lines a time: sendfile goes on to its end. */
TEST(send_lines)
{
	int s, d = target();
	char name[200];
	ssize_t n;

	memset(name, 'm', sizeof(name));
	name[sizeof(name) - 1] = 0;
	OK(unshare(CLONE_NEWNS));
	OK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	OK(mkdir("/tmp/lines", 0755));
	for (int i = 0; i < 100; i++)
		OK(mount(name, "/tmp/lines", "tmpfs", 0, NULL));
	s = OK(open("/proc/self/mounts", O_RDONLY));
	n = OK(sendfile(d, s, NULL, sizeof(back)));
	for (int i = 0; i < 100; i++)
		OK(umount("/tmp/lines"));
	OK(rmdir("/tmp/lines"));
	CHECK(n > 100 * 200);
	EQ(pread(d, back, sizeof(back), 0), n);
	EQ(back[n - 1], '\n');
}

TEST(copy_a_range)
{
	int s = source(), d = target();
	loff_t in = 123, out = 5000;
	struct stat st;

	EQ(cfr(s, &in, d, &out, 40000, 0), 40000);
	EQ(in, 40123);
	EQ(out, 45000);
	OK(fstat(d, &st));
	EQ(st.st_size, 45000);
	EQ(pread(d, back, 40000, 5000), 40000);
	CHECK(!memcmp(back, pattern + 123, 40000));
	EQ(cfr(s, NULL, d, NULL, 10, 0), 10);
	EQ(lseek(s, 0, SEEK_CUR), 10);
	in = 200000;
	EQ(cfr(s, &in, d, NULL, 10, 0), 0);
	ERR(cfr(s, NULL, d, NULL, 10, 1), EINVAL);
	in = out = 0;
	ERR(cfr(s, &in, s, &out, 10, 0), EINVAL);	/* onto itself */
	int p[2];

	OK(pipe(p));
	ERR(cfr(p[0], NULL, d, NULL, 10, 0), EINVAL);
	ERR(cfr(d, NULL, OK(open("/tmp/dst", O_RDONLY)), NULL, 10, 0), EBADF);
}

/*
 * Only within one file system, whatever is asked for; a file of /proc, which says that it is empty,
 * is not at its end.
 */
TEST(copying_between_file_systems)
{
	int d = target(), p = OK(open("/proc/version", O_RDONLY)), there, here;
	loff_t at = 3;

	ERR(cfr(p, NULL, d, NULL, 50, 0), EXDEV);
	ERR(cfr(p, NULL, d, NULL, 0, 0), EXDEV);
	ERR(cfr(p, &at, d, NULL, 5, 0), EXDEV);
	EQ(sendfile(d, p, NULL, 5), 5);
	OK(unshare(CLONE_NEWNS));
	OK(mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	mkdir("/tmp/other", 0755);	/* there already, where the test runs again */
	OK(mount("tmpfs", "/tmp/other", "tmpfs", 0, NULL));
	there = OK(open("/tmp/other/file", O_CREAT | O_RDWR, 0600));
	ERR(cfr(d, NULL, there, NULL, 5, 0), EXDEV);
	ERR(cfr(d, NULL, OK(open("/tmp/other/file", O_RDONLY)), NULL, 5, 0), EBADF);
	ERR(cfr(d, NULL, OK(open("/tmp/other", O_RDONLY)), NULL, 5, 0), EISDIR);
	/* Two mounts of one. */
	EQ(write(there, "hello", 5), 5);
	mkdir("/tmp/again", 0755);
	OK(mount("/tmp/other", "/tmp/again", NULL, MS_BIND, NULL));
	here = OK(open("/tmp/again/copy", O_CREAT | O_RDWR, 0600));
	at = 0;
	EQ(cfr(there, &at, here, NULL, 5, 0), 5);
}

/* Events that I has, as a text: s and d are the files, r reading, w writing. */
static const char *events(int i)
{
	static char text[64];
	char buf[2048];
	ssize_t n = read(i, buf, sizeof(buf)), at = 0;
	int len = 0;

	while (at < n) {
		struct inotify_event *e = (struct inotify_event *)(buf + at);

		text[len++] = e->wd == 1 ? 's' : 'd';
		text[len++] = e->mask == IN_ACCESS ? 'r' : 'w';
		at += (ssize_t)sizeof(*e) + e->len;
	}
	text[len] = 0;
	return text;
}

TEST(watchers_hear_of_both_files)
{
	int s = source(), d = target(), i = OK(inotify_init1(IN_NONBLOCK)), p[2];
	loff_t at = 0, to = 50000;

	OK(pipe(p));
	EQ(inotify_add_watch(i, "/tmp/src", IN_ACCESS | IN_MODIFY), 1);
	EQ(inotify_add_watch(i, "/tmp/dst", IN_ACCESS | IN_MODIFY), 2);
	EQ(cfr(s, NULL, d, NULL, 50000, 0), 50000);
	CHECK(!strcmp(events(i), "srdw"));
	EQ(cfr(s, NULL, d, NULL, 0, 0), 0);
	CHECK(!strcmp(events(i), ""));
	EQ(sendfile(d, s, &at, 50000), 50000);
	CHECK(!strcmp(events(i), "srdw"));
	at = 0;
	EQ(cfr(d, &at, d, &to, 100, 0), 100);
	CHECK(!strcmp(events(i), "drdw"));
	EQ(splice(s, &at, p[1], NULL, 100, 0), 100);
	CHECK(!strcmp(events(i), "sr"));
	EQ(splice(p[0], NULL, d, NULL, 100, 0), 100);
	CHECK(!strcmp(events(i), "dw"));
}

/* Memory files have no blocks to share. */
TEST(sharing_blocks)
{
	struct {
		long long fd;
		unsigned long long from, n, to;
	} range = { 0 };
	int s = source(), d = target(), p[2];

	ERR(ioctl(d, _IOW(0x94, 9, int), s), EOPNOTSUPP);
	ERR(ioctl(d, _IOW(0x94, 9, int), 99), EBADF);
	OK(pipe(p));
	ERR(ioctl(d, _IOW(0x94, 9, int), p[0]), EXDEV);
	ERR(ioctl(d, _IOW(0x94, 9, int), OK(open("/tmp/dst", O_WRONLY))), EBADF);
	ERR(ioctl(d, _IOW(0x94, 9, int), OK(open("/tmp", O_RDONLY))), EISDIR);
	range.fd = s;
	ERR(ioctl(d, _IOW(0x94, 13, range), &range), EOPNOTSUPP);
	ERR(ioctl(d, _IOW(0x94, 13, range), 8), EFAULT);
}

TEST(sharing_what_is_the_same)
{
	struct file_dedupe_range *r = calloc(1, sizeof(*r) + sizeof(r->info[0]));
	int s = source(), d = target();

	r->src_length = PAGE;
	r->dest_count = 1;
	r->info[0].dest_fd = d;
	ERR(ioctl(s, FIDEDUPERANGE, r), EOPNOTSUPP);
	ERR(ioctl(s, FIDEDUPERANGE, 8), EFAULT);
	ERR(ioctl(OK(open("/tmp", O_RDONLY)), FIDEDUPERANGE, r), EISDIR);
	ERR(ioctl(OK(open("/dev/null", O_RDONLY)), FIDEDUPERANGE, r), EINVAL);
	ERR(ioctl(OK(open("/tmp/src", O_WRONLY)), FIDEDUPERANGE, r), EINVAL);
	r->reserved1 = 1;
	ERR(ioctl(s, FIDEDUPERANGE, r), EINVAL);
	r->dest_count = 60000;
	ERR(ioctl(s, FIDEDUPERANGE, r), ENOMEM);
	free(r);
}

/* Which modes go together is asked before anything else. */
TEST(modes_of_fallocate)
{
	int s = source(), ro = OK(open("/tmp/src", O_RDONLY));

	ERR(fallocate(ro, FALLOC_FL_PUNCH_HOLE, 0, 1), EOPNOTSUPP);
	ERR(fallocate(ro, FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_KEEP_SIZE, 0, 1), EOPNOTSUPP);
	ERR(fallocate(ro, FALLOC_FL_INSERT_RANGE | FALLOC_FL_KEEP_SIZE, 0, 1), EOPNOTSUPP);
	ERR(fallocate(ro, FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE, 0, 1), EOPNOTSUPP);
	ERR(fallocate(ro, FALLOC_FL_UNSHARE_RANGE | FALLOC_FL_ZERO_RANGE, 0, 1), EOPNOTSUPP);
	ERR(fallocate(ro, FALLOC_FL_COLLAPSE_RANGE, 0, 1), EBADF);
	ERR(fallocate(ro, FALLOC_FL_COLLAPSE_RANGE, 0, 0), EINVAL);
	ERR(fallocate(s, FALLOC_FL_COLLAPSE_RANGE, 0, PAGE), EOPNOTSUPP);
	ERR(fallocate(s, FALLOC_FL_INSERT_RANGE, 0, PAGE), EOPNOTSUPP);
	ERR(fallocate(s, FALLOC_FL_UNSHARE_RANGE, 0, PAGE), EOPNOTSUPP);
}

TEST(splicing)
{
	int s = source(), d = target(), p[2], q[2];
	loff_t off = 500;

	OK(pipe(p));
	OK(pipe(q));
	EQ(splice(s, &off, p[1], NULL, 20000, 0), 20000);
	EQ(off, 20500);
	EQ(syscall(SYS_tee, p[0], q[1], 20000, 0), 20000);
	EQ(splice(p[0], NULL, d, NULL, 20000, 0), 20000);
	EQ(pread(d, back, 20000, 0), 20000);
	CHECK(!memcmp(back, pattern + 500, 20000));
	for (int n = 0; n < 20000;) {
		ssize_t r = OK(read(q[0], back + n, 20000 - n));

		CHECK(r > 0);
		n += r;
	}
	CHECK(!memcmp(back, pattern + 500, 20000));
	ERR(splice(s, NULL, d, NULL, 10, 0), EINVAL);	/* one must be a pipe */
	ERR(splice(p[0], &off, d, NULL, 10, 0), ESPIPE);
	ERR(syscall(SYS_splice, p[0], NULL, q[1], NULL, 10, 2 /* NONBLOCK */), EAGAIN);
	struct iovec v = { pattern, 3000 };

	EQ(syscall(SYS_vmsplice, p[1], &v, 1, 0), 3000);
	EQ(read(p[0], back, 3000), 3000);
	CHECK(!memcmp(back, pattern, 3000));
	close(p[1]);
	EQ(splice(p[0], NULL, d, NULL, 10, 0), 0);
}

/* Into a pipe goes what fits; only a full one is waited for. */
TEST(memory_into_a_pipe)
{
	static char much[17 * PAGE] __attribute__((aligned(PAGE)));
	struct iovec v = { much, sizeof(much) };
	int p[2];
	pid_t pid;

	OK(pipe(p));
	EQ(syscall(SYS_vmsplice, p[1], &v, 1, 0), 16 * PAGE);
	ERR(syscall(SYS_vmsplice, p[1], &v, 1, SPLICE_F_NONBLOCK), EAGAIN);
	pid = OK(fork());
	if (pid == 0) {
		t_sleep_ms(50);
		_exit(read(p[0], back, 2 * PAGE) != 2 * PAGE);
	}
	v.iov_len = 5000;
	EQ(syscall(SYS_vmsplice, p[1], &v, 1, 0), 5000);
	CHECK(t_child_ok(pid));
	close(p[0]);
	signal(SIGPIPE, SIG_IGN);
	ERR(syscall(SYS_vmsplice, p[1], &v, 1, 0), EPIPE);
}

/*
 * What the file holds when it is spliced may change afterwards; the pipe then shows either, but
 * never anything else.
 */
TEST(spliced_pages_stay)
{
	int s = source(), p[2];
	loff_t off = 0;

	OK(pipe(p));
	EQ(splice(s, &off, p[1], NULL, 4096, 0), 4096);
	OK(ftruncate(s, 0));
	close(s);
	unlink("/tmp/src");
	EQ(read(p[0], back, 4096), 4096);
	CHECK(!memcmp(back + 4000, pattern + 4000, 96) || back[4000] == 0);
}

/*
 * Data, a hole, data: by reference from the page cache and by copy, from a position that is no
 * page's start.
 */
TEST(holes_and_odd_positions)
{
	static char a[60000], b[60000];
	int s = OK(open("/tmp/sparse", O_RDWR | O_CREAT | O_TRUNC, 0600)),
	    d = OK(open("/tmp/dense", O_RDWR | O_CREAT | O_TRUNC, 0600)), p[2];
	off_t off = 1234;
	loff_t at = 4097;

	for (int i = 0; i < 10000; i++)
		a[i] = a[50000 + i] = (char)(i * 7 + 1);
	EQ(pwrite(s, a, 10000, 0), 10000);
	EQ(pwrite(s, a + 50000, 10000, 50000), 10000);
	EQ(sendfile(d, s, &off, 100000), 60000 - 1234);
	EQ(off, 60000);
	EQ(pread(d, b, 60000, 0), 60000 - 1234);
	CHECK(!memcmp(b, a + 1234, 60000 - 1234));
	OK(pipe(p));
	/* All at once: the pipe has room for it. */
	EQ(splice(s, &at, p[1], NULL, 50000, 0), 50000);
	for (int got = 0; got < 50000;)
		got += OK(read(p[0], b + got, 50000 - got));
	EQ(at, 54097);
	CHECK(!memcmp(b, a + 4097, 50000));
	/* A page in a pipe outlives its file's end, and tells of no later truncation. */
	at = 0;
	EQ(splice(s, &at, p[1], NULL, 5000, 0), 5000);
	OK(ftruncate(s, 0));
	EQ(read(p[0], b, 6000), 5000);
	CHECK(b[0] == a[0]);
}

/* Descriptors of events and directories have no such operation, whether or not they are ready. */
TEST(not_spliced)
{
	int p[2], e = OK(eventfd(0, 0)), t = OK(timerfd_create(CLOCK_MONOTONIC, 0));
	int dir = OK(open("/", O_RDONLY | O_DIRECTORY)),
	    maps = OK(open("/proc/self/maps", O_RDONLY));
	int in = OK(inotify_init1(0)), f = OK(memfd_create("in", 0)),
	    zero = OK(open("/dev/zero", O_RDWR));
	off_t at = 0;

	OK(pipe(p));
	ERR(splice(e, NULL, p[1], NULL, 1, 0), EINVAL);
	ERR(splice(t, NULL, p[1], NULL, 1, 0), EINVAL);
	ERR(splice(in, NULL, p[1], NULL, 1, 0), EINVAL);
	ERR(splice(dir, NULL, p[1], NULL, 1, 0), EINVAL);
	ERR(splice(p[0], NULL, e, NULL, 8, 0), EINVAL);		/* the pipe is empty: no wait */
	ERR(splice(maps, NULL, p[1], NULL, 100, 0), EINVAL);
	EQ(splice(zero, NULL, p[1], NULL, 100, 0), 100);
	EQ(splice(p[0], NULL, zero, NULL, 100, 0), 100);
	EQ(splice(zero, NULL, p[1], NULL, 8, 0), 8);
	ERR(splice(p[0], NULL, e, NULL, 8, 0), EINVAL);
	EQ(write(f, "01234567", 8), 8);
	ERR(sendfile(e, f, &at, 8), EINVAL);
	EQ(splice(p[0], NULL, f, NULL, 8, 0), 8);
}
