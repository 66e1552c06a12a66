// SPDX-License-Identifier: MIT
/* Settings of /proc/sys, by what they do. proves: syslog */
#include "t.h"
#include <grp.h>
#include <sys/epoll.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>

static char before[64], changed[80];

static void read_text(const char *name, char *b, size_t n)
{
	char path[96];
	int fd;
	ssize_t r;

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	fd = OK(open(path, O_RDONLY));
	r = OK(read(fd, b, n - 1));
	b[r] = 0;
	b[strcspn(b, "\n")] = 0;
	close(fd);
}

static int write_text(const char *name, const char *v)
{
	char path[96];
	int fd, r;

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	fd = OK(open(path, O_WRONLY));
	r = (int)write(fd, v, strlen(v));
	close(fd);
	return r;
}

static void restore(void)
{
	write_text(changed, before);
}

/* For the rest of this TEST. */
static void set(const char *name, const char *v)
{
	char now[64];

	read_text(name, before, sizeof(before));
	strcpy(changed, name);
	atexit(restore);
	EQ(write_text(name, v), strlen(v));
	read_text(name, now, sizeof(now));
	CHECK(!strcmp(now, v));
}

/* exit() by way of restore(), whatever the checks say. */
static int in_child(int (*fn)(void))
{
	pid_t pid = OK(fork());
	int status;

	if (!pid)
		_exit(fn());
	status = t_wait(pid);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int reads_the_log(void)
{
	char b[100];
	int fd, r = 0;

	if (setgroups(0, NULL) || setuid(1000))
		return 100;
	if (klogctl(3, b, sizeof(b)) < 0)
		r |= errno == EPERM ? 1 : 4;
	fd = open("/dev/kmsg", O_RDONLY);
	if (fd < 0)
		r |= errno == EPERM ? 2 : 8;
	return r;
}

TEST(dmesg_restrict)
{
	int open_to_all;

	set("kernel/dmesg_restrict", "0");
	open_to_all = in_child(reads_the_log);
	write_text("kernel/dmesg_restrict", "1");
	int closed = in_child(reads_the_log);

	restore();
	EQ(open_to_all, 0);
	EQ(closed, 3);
}

/* Where the stack is, as a program of its own says. */
static unsigned long place(void)
{
	char line[256];
	unsigned long a = 0;
	FILE *f = popen("cat /proc/self/maps", "r");

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (strstr(line, "[stack]"))
			a = strtoul(line, NULL, 16);
	pclose(f);
	CHECK(a);
	return a;
}

TEST(randomize_va_space)
{
	unsigned long first, second;
	int same = 0;

	set("kernel/randomize_va_space", "0");
	first = place();
	second = place();
	restore();
	EQ(first, second);
	for (int i = 0; i < 3; i++)
		same += place() == first;
	CHECK(same < 3);
}

static int dumpable_after_setuid(void)
{
	if (setuid(1000))
		return 100;
	return prctl(PR_GET_DUMPABLE);
}

TEST(suid_dumpable)
{
	int got;

	set("fs/suid_dumpable", "2");
	got = in_child(dumpable_after_setuid);
	write_text("fs/suid_dumpable", "0");
	int zero = in_child(dumpable_after_setuid);

	restore();
	EQ(got, 2);
	EQ(zero, 0);
}

static int watches_two(void)
{
	int ep = epoll_create1(0), p[2];
	struct epoll_event ev = { .events = EPOLLIN };

	if (setuid(4711) || pipe(p))
		return 100;
	/* The instance counts for who made it; make it as this user. */
	close(ep);
	ep = epoll_create1(0);
	if (epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev))
		return 101;
	if (!epoll_ctl(ep, EPOLL_CTL_ADD, p[1], &ev))
		return 102;
	if (errno != ENOSPC)
		return 103;
	if (epoll_ctl(ep, EPOLL_CTL_DEL, p[0], NULL) || epoll_ctl(ep, EPOLL_CTL_ADD, p[1], &ev))
		return 104;
	return 0;
}

TEST(epoll_watches)
{
	int got;

	set("fs/epoll/max_user_watches", "1");
	got = in_child(watches_two);
	restore();
	EQ(got, 0);
}

static int small_pipe(void)
{
	int p[2];

	if (setuid(4711) || pipe(p))
		return 100;
	return fcntl(p[1], F_GETPIPE_SZ) / PAGE;
}

/* Also the first size of an unprivileged pipe is no larger. */
TEST(pipe_max_size)
{
	char two[16];
	int got;

	snprintf(two, sizeof(two), "%d", 2 * PAGE);
	set("fs/pipe-max-size", two);
	got = in_child(small_pipe);
	restore();
	EQ(got, 2);
}

TEST(last_pid)
{
	char now[64];
	pid_t pid = 0;
	int hit = 0;

	/* Somebody else may fork in between. */
	for (int i = 0; i < 50 && !hit; i++) {
		snprintf(now, sizeof(now), "%d", 20000 + 100 * i);
		EQ(write_text("kernel/ns_last_pid", now), strlen(now));
		pid = OK(fork());
		if (!pid)
			_exit(0);
		t_wait(pid);
		hit = pid == 20001 + 100 * i;
	}
	CHECK(hit);
	read_text("kernel/ns_last_pid", now, sizeof(now));
	CHECK(atoi(now) >= pid);
}

TEST(socket_buffers)
{
	int s[2], v = 100000, got, max;
	socklen_t len = sizeof(got);

	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	set("net/core/wmem_max", "50000");
	int e = setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &v, sizeof(v));

	getsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &got, &len);
	v = 70000;
	getsockopt(s[0], SOL_SOCKET, SO_RCVBUF, &max, &len);
	restore();
	EQ(e, 0);
	EQ(got, 100000);		/* twice what was allowed */
}

TEST(numbers)
{
	static const char *const names[] = {
		"kernel/panic",
		"kernel/panic_on_oops",
		"kernel/panic_on_warn",
		"kernel/hung_task_panic",
		"kernel/softlockup_panic",
		"vm/dirty_writeback_centisecs",
		"vm/dirty_expire_centisecs",
		"vm/vfs_cache_pressure",
		"net/core/rmem_max",
	};
	char b[64], path[96];
	struct utsname u;

	for (unsigned int i = 0; i < sizeof(names) / sizeof(*names); i++) {
		read_text(names[i], b, sizeof(b));
		EQ(write_text(names[i], b), strlen(b));
		ERR(write_text(names[i], "x"), EINVAL);
	}
	ERR(write_text("kernel/panic_on_warn", "-1"), EINVAL);
	read_text("kernel/arch", b, sizeof(b));
	OK(uname(&u));
	CHECK(!strcmp(b, u.machine));
	/* What is not written at the start does nothing. */
	snprintf(path, sizeof(path), "/proc/sys/vm/vfs_cache_pressure");
	int fd = OK(open(path, O_RDWR));

	EQ(pwrite(fd, "7", 1, 5), 1);
	close(fd);
	read_text("vm/vfs_cache_pressure", b, sizeof(b));
	CHECK(strcmp(b, "7"));
}
