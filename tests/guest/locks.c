// SPDX-License-Identifier: MIT
/* File locks of all three kinds, and their deadlock. proves: flock */
#include "t.h"
#include <sys/epoll.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>

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
	return fl.l_type == F_WRLCK && fl.l_start == 10 && fl.l_len == 10 && fl.l_pid == getppid() ?
		       0 :
		       1;
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

/* What each of two open files has locked, byte by byte. */
#define BYTES 48

static unsigned int seed = 1;

static int below(int n)
{
	seed = seed * 1103515245 + 12345;
	return (int)(seed >> 16) % n;
}

static int stands_in_the_way(const char *other, int type, int start, int len)
{
	for (int i = start; type != F_UNLCK && i < start + len; i++)
		if (other[i] == 'w' || (other[i] == 'r' && type == F_WRLCK))
			return 1;
	return 0;
}

/* What a third asks of byte I, and of all behind it. */
static void ask(int fd, char has[2][BYTES], int i)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = i, .l_len = 1 };
	int end = i;
	char *h;

	OK(fcntl(fd, F_OFD_GETLK, &l));
	if (!has[0][i] && !has[1][i]) {
		EQ(l.l_type, F_UNLCK);
		return;
	}
	EQ(l.l_pid, -1);
	/* Whosever it is of two readers: the whole of that lock. */
	for (int k = 0; k < 2; k++) {
		h = has[k];
		if (!h[i])
			continue;
		for (end = i; end < BYTES && h[end] == h[i]; end++)
			;
		if (l.l_type == (h[i] == 'w' ? F_WRLCK : F_RDLCK) && l.l_start + l.l_len == end &&
		    (!l.l_start || h[l.l_start - 1] != h[i]) && h[l.l_start] == h[i])
			return;
	}
	CHECK(!"the lock that is named exists");
}

TEST(ranges_as_a_table_of_bytes_has_them)
{
	static const char letter[] = { [F_RDLCK] = 'r', [F_WRLCK] = 'w', [F_UNLCK] = 0 };
	char has[2][BYTES] = { { 0 } };
	int fds[3];

	for (int i = 0; i < 3; i++)
		fds[i] = OK(open("/tmp/lk6", O_CREAT | O_RDWR, 0600));
	for (int round = 0; round < 4000; round++) {
		int who = below(2), type = below(3), start = below(BYTES),
		    len = 1 + below(BYTES - start);
		int r = lock(fds[who], F_OFD_SETLK, type, start, len);

		if (stands_in_the_way(has[!who], type, start, len)) {
			EQ(r, -1);
		} else {
			EQ(r, 0);
			memset(has[who] + start, letter[type], (size_t)len);
		}
		ask(fds[2], has, below(BYTES));
	}
	OK(lock(fds[0], F_OFD_SETLK, F_UNLCK, 0, 0));
	close(fds[1]);
	OK(lock(fds[2], F_OFD_SETLK, F_WRLCK, 0, 0));
	unlink("/tmp/lk6");
}

static int locked_lines(const char *path, unsigned long ino, char *out, size_t size)
{
	char line[256], want[32];
	FILE *f = fopen(path, "r");
	int n = 0;

	CHECK(f != NULL);
	snprintf(want, sizeof(want), ":%lu ", ino);
	*out = 0;
	while (fgets(line, sizeof(line), f)) {
		char *p = strstr(line, want);

		if (!p || !strstr(line, "ADVISORY"))
			continue;
		n++;
		strncat(out, p + strlen(want), size - strlen(out) - 1);
	}
	fclose(f);
	return n;
}

TEST(locks_are_listed_by_owner_and_place)
{
	int a = OK(open("/tmp/lk7", O_CREAT | O_RDWR, 0600)), b = OK(open("/tmp/lk7", O_RDWR));
	char text[512], path[64];
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct stat st;

	OK(fstat(a, &st));
	OK(lock(b, F_OFD_SETLK, F_WRLCK, 90, 10));
	OK(lock(a, F_OFD_SETLK, F_WRLCK, 40, 10));
	OK(lock(a, F_OFD_SETLK, F_WRLCK, 0, 10));
	OK(lock(b, F_OFD_SETLK, F_WRLCK, 60, 10));
	OK(lock(a, F_OFD_SETLK, F_UNLCK, 2, 2));
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", a);
	EQ(locked_lines(path, st.st_ino, text, sizeof(text)), 3);
	CHECK(!strcmp(text, "0 1\n4 9\n40 49\n"));
	EQ(locked_lines("/proc/locks", st.st_ino, text, sizeof(text)), 5);
	/* Who asks is told of the first of these that stands in its way: B's, which came first. */
	OK(fcntl(a, F_OFD_GETLK, &l));
	EQ(l.l_start, 60);
	l = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET };
	OK(fcntl(a, F_GETLK, &l));
	EQ(l.l_start, 60);
	/* Enough of them that a search finds its way by trees. */
	for (int i = 0; i < 200; i++)
		OK(lock(a, F_OFD_SETLK, F_RDLCK, 1000 + 4 * i, 2));
	ERR(lock(b, F_OFD_SETLK, F_WRLCK, 1000 + 4 * 199 + 1, 100), EAGAIN);
	OK(lock(b, F_OFD_SETLK, F_RDLCK, 1000, 10000));
	ERR(lock(a, F_OFD_SETLK, F_WRLCK, 0, 0), EAGAIN);
	OK(lock(b, F_OFD_SETLK, F_UNLCK, 0, 0));
	OK(lock(a, F_OFD_SETLK, F_WRLCK, 0, 0));
	EQ(locked_lines(path, st.st_ino, text, sizeof(text)), 1);
	CHECK(!strcmp(text, "0 EOF\n"));
	close(b);
	unlink("/tmp/lk7");
}

/* Those who wait for one lock are all told when it goes, and each gets it. */
TEST(all_that_wait_for_a_lock_come_to_it)
{
	int a = OK(open("/tmp/lk8", O_CREAT | O_RDWR, 0600)), p[2], ready[2];
	char c[64];
	pid_t pid[40];

	OK(pipe(p));
	OK(pipe(ready));
	OK(flock(a, LOCK_EX));
	for (int i = 0; i < 40; i++) {
		pid[i] = OK(fork());
		if (!pid[i]) {
			int own = OK(open("/tmp/lk8", O_RDWR));

			EQ(write(ready[1], "r", 1), 1);
			OK(flock(own, i % 4 ? LOCK_EX : LOCK_SH));
			EQ(write(p[1], "x", 1), 1);
			_exit(0);
		}
	}
	for (int i = 0; i < 40; i++)
		EQ(read(ready[0], c, 1), 1);
	OK(flock(a, LOCK_UN));
	for (int i = 0; i < 40; i++)
		EQ(read(p[0], c, 1), 1);
	for (int i = 0; i < 40; i++)
		CHECK(t_child_ok(pid[i]));
	OK(flock(a, LOCK_EX | LOCK_NB));
	unlink("/tmp/lk8");
}

/* The process of the line of a procfs' locks that is about INO: -2 where there is none. */
static int holder_in(const char *path, ino_t ino)
{
	FILE *f = fopen(path, "r");
	char line[200];
	int pid = -2;

	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		unsigned long of;
		int nr;

		if (sscanf(line, "%*d: %*s %*s %*s %d %*x:%*x:%lu", &nr, &of) == 2 && of == ino)
			pid = nr;
	}
	fclose(f);
	return pid;
}

/* A pid namespace reads its own numbers, and of locks whose holder it has no number for nothing. */
TEST(holders_in_other_namespaces)
{
	int fd = OK(open("/tmp/outer", O_CREAT | O_RDWR, 0600)), inner;
	struct stat st, in;
	pid_t pid;

	OK(fstat(fd, &st));
	OK(lock(fd, F_SETLK, F_WRLCK, 0, 0));
	EQ(holder_in("/proc/locks", st.st_ino), getpid());
	OK(unshare(CLONE_NEWPID | CLONE_NEWNS));
	OK(mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	pid = OK(fork());
	if (!pid) {
		struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

		OK(mount("none", "/proc", "proc", 0, NULL));
		EQ(getpid(), 1);
		EQ(holder_in("/proc/locks", st.st_ino), -2);
		OK(fcntl(fd, F_GETLK, &fl));
		EQ(fl.l_type, F_WRLCK);
		EQ(fl.l_pid, 0);
		inner = OK(open("/tmp/inner", O_CREAT | O_RDWR, 0600));
		OK(fstat(inner, &in));
		OK(flock(inner, LOCK_EX));
		EQ(holder_in("/proc/locks", in.st_ino), 1);
		OK(umount("/proc"));
		_exit(0);
	}
	CHECK(t_child_ok(pid));
	EQ(holder_in("/proc/locks", st.st_ino), getpid());
	OK(unlink("/tmp/outer"));
	OK(unlink("/tmp/inner"));
}

/* F_UNLCK asks for the open file's own locks; no process holds such a lock. */
TEST(own_locks_of_an_open_file)
{
	int a = OK(open("/tmp/lk9", O_CREAT | O_RDWR, 0600)), b = OK(open("/tmp/lk9", O_RDWR));
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	OK(lock(a, F_OFD_SETLK, F_RDLCK, 0, 10));
	OK(lock(a, F_OFD_SETLK, F_WRLCK, 20, 10));
	OK(lock(b, F_OFD_SETLK, F_WRLCK, 40, 10));
	OK(fcntl(a, F_OFD_GETLK, &fl));
	CHECK(fl.l_type == F_WRLCK && fl.l_start == 40 && fl.l_len == 10 && fl.l_pid == -1);
	fl = (struct flock){ .l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = 10 };
	OK(fcntl(a, F_OFD_GETLK, &fl));
	CHECK(fl.l_type == F_WRLCK && fl.l_start == 20 && fl.l_len == 10 && fl.l_pid == -1);
	fl = (struct flock){ .l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = 9, .l_len = 1 };
	OK(fcntl(a, F_OFD_GETLK, &fl));
	CHECK(fl.l_type == F_RDLCK && fl.l_start == 0 && fl.l_len == 10);
	fl = (struct flock){ .l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = 30 };
	OK(fcntl(a, F_OFD_GETLK, &fl));
	CHECK(fl.l_type == F_UNLCK && fl.l_start == 30 && fl.l_pid == 0);
	unlink("/tmp/lk9");
}

static void execute_again(int left, int tell)
{
	char *argv[] = { "locks", NULL }, env[40], *envp[] = { env, NULL };

	snprintf(env, sizeof(env), "EXECUTE=%d %d", left, tell);
	execve("/proc/self/exe", argv, envp);
	_exit(99);
}

/* The program that executes itself: all before main(). */
__attribute__((constructor)) static void executes_itself(void)
{
	const char *how = getenv("EXECUTE");
	int left, tell;

	if (!how)
		return;
	if (sscanf(how, "%d %d", &left, &tell) != 2)
		_exit(98);
	if (left)
		execute_again(left - 1, tell);
	if (write(tell, "x", 1) != 1)
		_exit(97);
	pause();
}

/* An epoll instance, whose fdinfo is long. */
static int long_to_show(void)
{
	int ep = OK(epoll_create1(0)), p[2];
	struct epoll_event ev = { .events = EPOLLIN };

	OK(pipe(p));
	for (int i = 0; i < 400; i++)
		OK(epoll_ctl(ep, EPOLL_CTL_ADD, OK(dup(p[0])), &ev));
	return ep;
}

/* A reader of /proc/PID/fdinfo does not share the descriptors: execve keeps the locks. */
TEST(kept_while_fdinfo_is_read)
{
	int fd = OK(open("/tmp/lk10", O_CREAT | O_RDWR, 0600)), go[2], told[2];
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char path[60], c;
	pid_t pid, reader;

	OK(pipe(go));
	OK(pipe(told));
	pid = OK(fork());
	if (!pid) {
		int ep = long_to_show();

		OK(lock(fd, F_SETLK, F_WRLCK, 0, 0));
		EQ(write(told[1], &ep, sizeof(ep)), sizeof(ep));
		EQ(read(go[0], &c, 1), 1);
		execute_again(50, told[1]);
	}
	EQ(read(told[0], &fd, sizeof(fd)), sizeof(fd));
	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, fd);
	reader = OK(fork());
	if (!reader) {
		char buf[8192];

		for (bool first = true;; first = false) {
			int info = OK(open(path, O_RDONLY));

			CHECK(read(info, buf, sizeof(buf)) > 0);
			close(info);
			if (first)
				EQ(write(go[1], "x", 1), 1);
		}
	}
	EQ(read(told[0], &c, 1), 1);
	kill(reader, SIGKILL);
	t_wait(reader);
	fd = OK(open("/tmp/lk10", O_RDWR));
	OK(fcntl(fd, F_GETLK, &fl));
	CHECK(fl.l_type == F_WRLCK && fl.l_pid == pid);
	kill(pid, SIGKILL);
	t_wait(pid);
	unlink("/tmp/lk10");
}
