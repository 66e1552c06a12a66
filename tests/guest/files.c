// SPDX-License-Identifier: MIT
/* Plain files: data, positions, holes, append, truncation, descriptors. proves: open openat read
 * write pread64 pwrite64 lseek close creat truncate ftruncate fallocate dup dup2 dup3 fcntl readv
 * writev preadv pwritev preadv2 pwritev2 close_range fsync fdatasync sync syncfs sync_file_range
 * fadvise64 readahead */
#include "t.h"
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>

static int fresh(const char *name, int flags)
{
	unlink(name);
	return OK(open(name, O_CREAT | O_EXCL | O_RDWR | flags, 0644));
}

TEST(read_write_seek)
{
	char b[64];
	int fd = fresh("f1", 0);

	EQ(write(fd, "hello world", 11), 11);
	EQ(lseek(fd, 0, SEEK_CUR), 11);
	EQ(lseek(fd, 6, SEEK_SET), 6);
	EQ(read(fd, b, sizeof(b)), 5);
	CHECK(!memcmp(b, "world", 5));
	EQ(read(fd, b, sizeof(b)), 0);
	EQ(lseek(fd, -5, SEEK_END), 6);
	EQ(lseek(fd, 100, SEEK_END), 111);
	EQ(read(fd, b, 1), 0);
	ERR(lseek(fd, -1, SEEK_SET), EINVAL);
	ERR(lseek(fd, 0, 99), EINVAL);
	ERR(lseek(99, 0, SEEK_SET), EBADF);
	EQ(pread(fd, b, 5, 0), 5);
	CHECK(!memcmp(b, "hello", 5));
	EQ(lseek(fd, 0, SEEK_CUR), 111);
	EQ(pwrite(fd, "J", 1, 0), 1);
	EQ(pread(fd, b, 2, 0), 2);
	CHECK(!memcmp(b, "Je", 2));
	ERR(pread(fd, b, 1, -1), EINVAL);
	close(fd);
	ERR(close(fd), EBADF);
	ERR(read(fd, b, 1), EBADF);
	unlink("f1");
}

TEST(holes)
{
	struct stat st;
	char b[100];
	int fd = fresh("f2", 0);

	EQ(pwrite(fd, "end", 3, 1 << 20), 3);
	OK(fstat(fd, &st));
	EQ(st.st_size, (1 << 20) + 3);
	CHECK(st.st_blocks < 200);
	EQ(pread(fd, b, 100, 5000), 100);
	for (int i = 0; i < 100; i++)
		EQ(b[i], 0);
	EQ(lseek(fd, 0, SEEK_DATA), 1 << 20);
	EQ(lseek(fd, 0, SEEK_HOLE), 0);
	EQ(lseek(fd, 1 << 20, SEEK_HOLE), (1 << 20) + 3);
	ERR(lseek(fd, 2 << 20, SEEK_DATA), ENXIO);
	unlink("f2");
}

TEST(append)
{
	int fd = fresh("f3", O_APPEND), other;

	EQ(write(fd, "aa", 2), 2);
	other = OK(open("f3", O_WRONLY));
	EQ(write(other, "bbbb", 4), 4);
	EQ(write(fd, "cc", 2), 2);
	EQ(lseek(fd, 0, SEEK_CUR), 6);
	EQ(lseek(fd, 0, SEEK_SET), 0);
	EQ(write(fd, "d", 1), 1);
	EQ(lseek(fd, 0, SEEK_CUR), 7);
	unlink("f3");
}

TEST(truncate)
{
	char b[8];
	struct stat st;
	int fd = fresh("f4", 0);

	EQ(write(fd, "12345678", 8), 8);
	OK(ftruncate(fd, 3));
	OK(fstat(fd, &st));
	EQ(st.st_size, 3);
	OK(truncate("f4", 8));
	EQ(pread(fd, b, 8, 0), 8);
	CHECK(!memcmp(b, "123\0\0\0\0\0", 8));	/* what was cut off does not come back */
	ERR(ftruncate(fd, -1), EINVAL);
	ERR(truncate("nothere", 1), ENOENT);
	ERR(truncate(".", 1), EISDIR);
	close(fd);
	fd = OK(open("f4", O_RDONLY));
	ERR(ftruncate(fd, 0), EINVAL);
	ERR(write(fd, "x", 1), EBADF);
	close(fd);
	fd = OK(open("f4", O_WRONLY | O_TRUNC));
	OK(fstat(fd, &st));
	EQ(st.st_size, 0);
	ERR(read(fd, b, 1), EBADF);
	unlink("f4");
}

TEST(fallocate)
{
	struct stat st;
	char b[8];
	int fd = fresh("f5", 0);

	OK(fallocate(fd, 0, 0, 100000));
	OK(fstat(fd, &st));
	EQ(st.st_size, 100000);
	CHECK(st.st_blocks >= 100000 / 512);
	OK(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 200000));
	OK(fstat(fd, &st));
	EQ(st.st_size, 100000);
	EQ(pwrite(fd, "xxxxxxxx", 8, 8192), 8);
	OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 8192, 4096));
	EQ(pread(fd, b, 8, 8192), 8);
	CHECK(!memcmp(b, "\0\0\0\0\0\0\0\0", 8));
	ERR(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 1), EOPNOTSUPP);
	ERR(fallocate(fd, 0, 0, 0), EINVAL);
	ERR(fallocate(fd, 0, -1, 1), EINVAL);
	unlink("f5");
}

TEST(open_flags)
{
	int fd;

	unlink("f6");
	ERR(open("f6", O_RDWR), ENOENT);
	fd = OK(open("f6", O_CREAT | O_WRONLY, 0600));
	close(fd);
	ERR(open("f6", O_CREAT | O_EXCL | O_WRONLY, 0600), EEXIST);
	ERR(open("f6", O_DIRECTORY), ENOTDIR);
	ERR(open("f6/x", O_RDONLY), ENOTDIR);
	ERR(open("f6/", O_RDONLY), ENOTDIR);
	ERR(open(".", O_WRONLY), EISDIR);
	ERR(open("", O_RDONLY), ENOENT);
	ERR(open("newdir/", O_CREAT | O_WRONLY, 0600), EISDIR);
	symlink("f6", "s6");
	ERR(open("s6", O_RDONLY | O_NOFOLLOW), ELOOP);
	fd = OK(open("s6", O_PATH | O_NOFOLLOW));
	ERR(read(fd, &fd, 1), EBADF);
	fd = OK(open("/tmp", O_TMPFILE | O_RDWR, 0600));
	EQ(write(fd, "x", 1), 1);
	unlink("s6");
	unlink("f6");
}

TEST(descriptors)
{
	int a = fresh("f7", 0), b, c;
	char x;

	b = OK(dup(a));
	CHECK(b > a);
	EQ(write(a, "abc", 3), 3);
	EQ(lseek(b, 0, SEEK_CUR), 3);
	c = OK(dup2(a, 100));
	EQ(c, 100);
	EQ(dup2(a, a), a);
	ERR(dup3(a, a, 0), EINVAL);
	ERR(dup2(99, 5), EBADF);
	ERR(dup2(a, -1), EBADF);
	OK(dup3(a, 101, O_CLOEXEC));
	EQ(fcntl(101, F_GETFD), FD_CLOEXEC);
	EQ(fcntl(100, F_GETFD), 0);
	EQ(fcntl(a, F_DUPFD, 50), 50);
	EQ(fcntl(a, F_DUPFD_CLOEXEC, 50), 51);
	EQ(fcntl(51, F_GETFD), FD_CLOEXEC);
	EQ(fcntl(a, F_GETFL) & O_ACCMODE, O_RDWR);
	OK(fcntl(a, F_SETFL, O_APPEND | O_NONBLOCK));
	EQ(fcntl(b, F_GETFL) & (O_APPEND | O_NONBLOCK), O_APPEND | O_NONBLOCK);
	OK(syscall(SYS_close_range, 50, 101, 0));
	ERR(fcntl(100, F_GETFD), EBADF);
	ERR(read(51, &x, 1), EBADF);
	ERR(syscall(SYS_close_range, 5, 4, 0), EINVAL);
	/* The lowest free number is taken. */
	close(a);
	EQ(open("f7", O_RDONLY), a);
	unlink("f7");
}

TEST(vectors)
{
	char a[3], b[5], c[10];
	struct iovec w[3] = { { "abc", 3 }, { NULL, 0 }, { "defgh", 5 } };
	struct iovec r[3] = { { a, 3 }, { b, 5 }, { c, 10 } };
	int fd = fresh("f8", 0);

	EQ(writev(fd, w, 3), 8);
	EQ(lseek(fd, 0, SEEK_SET), 0);
	EQ(readv(fd, r, 3), 8);
	CHECK(!memcmp(a, "abc", 3) && !memcmp(b, "defgh", 5));
	EQ(pwritev(fd, w, 3, 2), 8);
	EQ(preadv(fd, r, 1, 2), 3);
	CHECK(!memcmp(a, "abc", 3));
	EQ(readv(fd, r, 0), 0);
	ERR(readv(fd, r, -1), EINVAL);
	ERR(readv(fd, r, 1025), EINVAL);
	w[0].iov_len = (size_t)-1;
	ERR(writev(fd, w, 1), EINVAL);
	/* With RWF_APPEND the position given is not used. */
	w[0].iov_len = 3;
	EQ(syscall(SYS_pwritev2, fd, w, 1, 0, 0, 0x10), 3);
	EQ(lseek(fd, 0, SEEK_END), 13);
	ERR(syscall(SYS_preadv2, fd, r, 1, 0, 0, 0x40000000), EOPNOTSUPP);
	unlink("f8");
}

TEST(large_and_unaligned)
{
	static unsigned char w[300000], r[300000];
	int fd = fresh("f9", 0);

	for (unsigned int i = 0; i < sizeof(w); i++)
		w[i] = i * 7 + i / 251;
	for (unsigned int off = 0, n = 1; off < sizeof(w); off += n, n = n * 3 % 9973 + 1) {
		if (off + n > sizeof(w))
			n = sizeof(w) - off;
		EQ(pwrite(fd, w + off, n, off), n);
	}
	for (unsigned int off = 0, n = 5; off < sizeof(w); off += n, n = n * 5 % 8191 + 1) {
		unsigned int want = off + n > sizeof(w) ? sizeof(w) - off : n;

		EQ(pread(fd, r + off, n, off), want);
	}
	CHECK(!memcmp(w, r, sizeof(w)));
	unlink("f9");
}

TEST(synchronising)
{
	int fd = fresh("f10", O_SYNC);

	EQ(write(fd, "x", 1), 1);
	OK(fsync(fd));
	OK(fdatasync(fd));
	OK(syncfs(fd));
	sync();
	ERR(fsync(99), EBADF);
	EQ(syscall(SYS_sync_file_range, fd, 0L, 0L, 7), 0);
	ERR(syscall(SYS_sync_file_range, fd, 0L, 0L, 99), EINVAL);
	EQ(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
	EQ(posix_fadvise(fd, 0, 0, 99), EINVAL);
	unlink("f10");
}

TEST(unlinked_file_lives)
{
	char b[4];
	int fd = fresh("f11", 0);
	struct stat st;

	EQ(write(fd, "live", 4), 4);
	OK(unlink("f11"));
	ERR(open("f11", O_RDONLY), ENOENT);
	EQ(pread(fd, b, 4, 0), 4);
	OK(fstat(fd, &st));
	EQ(st.st_nlink, 0);
}

/* ---- a table of descriptors that two share ---- */

static volatile int table_stop;

/*
 * Moves one file between a low number and a high one; at each moment it has one of them at least.
 */
static int move_about(void *arg)
{
	while (!table_stop) {
		if (dup2(40, 3000) != 3000 || close(40) || dup2(3000, 40) != 40 || close(3000))
			return 1;
	}
	return 0;
}

TEST(shared_tables_grow_and_are_copied_at_one_moment)
{
	static char stack[65536];
	struct rlimit lim;
	pid_t pid, child;
	int last = 0;

	OK(getrlimit(RLIMIT_NOFILE, &lim));
	lim.rlim_cur = lim.rlim_max;
	OK(setrlimit(RLIMIT_NOFILE, &lim));
	if (lim.rlim_cur < 4096)
		SKIP("too few descriptors");
	OK(dup2(1, 40));
	pid = OK(clone(move_about, stack + sizeof(stack), CLONE_VM | CLONE_FILES | SIGCHLD, NULL));
	for (int i = 0; i < 40; i++) {
		for (int k = 0; k < 60; k++)
			last = OK(fcntl(0, F_DUPFD, 100));
		child = OK(fork());
		if (!child) {
			for (int fd = 100; fd <= last; fd++)
				if (fd != 3000 && fcntl(fd, F_GETFD) < 0)
					_exit(1);
			_exit(fcntl(40, F_GETFD) < 0 && fcntl(3000, F_GETFD) < 0 ? 2 : 0);
		}
		CHECK(t_child_ok(child));
	}
	table_stop = 1;
	CHECK(t_child_ok(pid));
	/* All but the first few are marked at once. */
	OK((int)syscall(SYS_close_range, 101, ~0u, 4 /* CLOSE_RANGE_CLOEXEC */));
	EQ(fcntl(100, F_GETFD), 0);
	EQ(fcntl(101, F_GETFD), FD_CLOEXEC);
	EQ(fcntl(last, F_GETFD), FD_CLOEXEC);
	OK((int)syscall(SYS_close_range, 100, last - 1, 0));
	EQ(fcntl(last, F_GETFD), FD_CLOEXEC);
	ERR(fcntl(last - 1, F_GETFD), EBADF);
	close(last);
	close(40);
}
