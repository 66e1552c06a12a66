// SPDX-License-Identifier: MIT
/* File locks of all three kinds, and their deadlock. proves: flock */
#include "t.h"
#include <sys/file.h>

#ifndef F_OFD_SETLK
#define F_OFD_GETLK 36
#define F_OFD_SETLK 37
#endif

static int lock(int fd, int cmd, int type, off_t start, off_t len)
{
	struct flock fl = { .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len };

	return fcntl(fd, cmd, &fl);
}

static int in_child(int (*fn)(int), int fd)
{
	pid_t pid = OK(fork());

	if (pid == 0)
		_exit(fn(fd));
	return WEXITSTATUS(t_wait(pid));
}

static int try_all(int fd)
{
	return lock(fd, F_SETLK, F_WRLCK, 0, 0) ? errno : 0;
}

static int try_head(int fd)
{
	return lock(fd, F_SETLK, F_WRLCK, 0, 10) ? errno : 0;
}

static int who_holds(int fd)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(fd, F_GETLK, &fl))
		return 99;
	return fl.l_type == F_WRLCK && fl.l_start == 10 && fl.l_len == 10 && fl.l_pid == getppid() ? 0 : 1;
}

static int try_read(int fd)
{
	return lock(fd, F_SETLK, F_RDLCK, 0, 0) ? errno : 0;
}

TEST(posix_ranges)
{
	int fd = OK(open("/tmp/lk", O_CREAT | O_RDWR, 0600)), other;

	OK(lock(fd, F_SETLK, F_WRLCK, 10, 10));
	EQ(in_child(try_all, fd), EAGAIN);
	EQ(in_child(try_head, fd), 0);
	EQ(in_child(who_holds, fd), 0);
	OK(lock(fd, F_SETLK, F_RDLCK, 10, 10));
	EQ(in_child(try_read, fd), 0);
	OK(lock(fd, F_SETLK, F_UNLCK, 12, 2));		/* splits it */
	EQ(in_child(try_all, fd), EAGAIN);
	/* Closing any descriptor of the file gives all of them up. */
	other = OK(open("/tmp/lk", O_RDONLY));
	close(other);
	EQ(in_child(try_all, fd), 0);
	ERR(lock(fd, F_SETLK, 77, 0, 0), EINVAL);
	ERR(lock(fd, F_SETLK, F_WRLCK, -5, 0), EINVAL);
	ERR(lock(99, F_SETLK, F_WRLCK, 0, 0), EBADF);
	other = OK(open("/tmp/lk", O_RDONLY));
	ERR(lock(other, F_SETLK, F_WRLCK, 0, 0), EBADF);
	unlink("/tmp/lk");
}

TEST(posix_waiting)
{
	int fd = OK(open("/tmp/lk2", O_CREAT | O_RDWR, 0600)), p[2];
	long long start;
	char c;
	pid_t pid;

	OK(pipe(p));
	pid = OK(fork());
	if (pid == 0) {
		OK(lock(fd, F_SETLK, F_WRLCK, 0, 0));
		EQ(write(p[1], "x", 1), 1);
		t_sleep_ms(150);
		_exit(0);				/* its end gives it up */
	}
	EQ(read(p[0], &c, 1), 1);
	start = t_now_ns();
	OK(lock(fd, F_SETLKW, F_WRLCK, 0, 0));
	CHECK(t_now_ns() - start > 50000000);
	t_wait(pid);
	unlink("/tmp/lk2");
}

TEST(posix_deadlock)
{
	int fd = OK(open("/tmp/lk3", O_CREAT | O_RDWR, 0600)), p[2];
	char c;
	pid_t pid;

	OK(pipe(p));
	OK(lock(fd, F_SETLK, F_WRLCK, 0, 1));
	pid = OK(fork());
	if (pid == 0) {
		OK(lock(fd, F_SETLK, F_WRLCK, 1, 1));
		EQ(write(p[1], "x", 1), 1);
		_exit(lock(fd, F_SETLKW, F_WRLCK, 0, 1) ? 1 : 0);
	}
	EQ(read(p[0], &c, 1), 1);
	t_sleep_ms(100);
	ERR(lock(fd, F_SETLKW, F_WRLCK, 1, 1), EDEADLK);
	OK(lock(fd, F_SETLK, F_UNLCK, 0, 1));
	CHECK(t_child_ok(pid));
	unlink("/tmp/lk3");
}

TEST(ofd_belong_to_the_open_file)
{
	int a = OK(open("/tmp/lk4", O_CREAT | O_RDWR, 0600)), b = OK(open("/tmp/lk4", O_RDWR)), c;

	OK(lock(a, F_OFD_SETLK, F_WRLCK, 0, 0));
	ERR(lock(b, F_OFD_SETLK, F_WRLCK, 0, 0), EAGAIN);
	ERR(lock(b, F_SETLK, F_WRLCK, 0, 0), EAGAIN);
	c = OK(dup(a));
	close(a);
	ERR(lock(b, F_OFD_SETLK, F_WRLCK, 0, 0), EAGAIN);
	close(c);
	OK(lock(b, F_OFD_SETLK, F_WRLCK, 0, 0));
	unlink("/tmp/lk4");
}

TEST(flock_kind)
{
	int a = OK(open("/tmp/lk5", O_CREAT | O_RDWR, 0600)), b = OK(open("/tmp/lk5", O_RDWR));
	pid_t pid;

	OK(flock(a, LOCK_SH));
	OK(flock(b, LOCK_SH));
	ERR(flock(a, LOCK_EX | LOCK_NB), EAGAIN);
	OK(flock(b, LOCK_UN));
	OK(flock(a, LOCK_EX | LOCK_NB));
	ERR(flock(b, LOCK_SH | LOCK_NB), EAGAIN);
	pid = OK(fork());
	if (pid == 0) {
		OK(flock(a, LOCK_UN));		/* the same open file */
		_exit(0);
	}
	CHECK(t_child_ok(pid));
	OK(flock(b, LOCK_EX | LOCK_NB));
	ERR(flock(a, 77), EINVAL);
	pid = OK(fork());
	if (pid == 0) {
		t_sleep_ms(80);
		OK(flock(b, LOCK_UN));
		_exit(0);
	}
	OK(flock(a, LOCK_EX));
	t_wait(pid);
	unlink("/tmp/lk5");
}
