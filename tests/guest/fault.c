// SPDX-License-Identifier: MIT
/*
 * Fault injection of the debug build, as Linux documents it; the release build has no trace of it.
 */
#include "t.h"
#include <pthread.h>
#include <sched.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define DEBUG "/sys/kernel/debug"

static bool exists(const char *path)
{
	return !access(path, F_OK);
}

static void need_debug(void)
{
	if (!exists(DEBUG "/plant"))
		mount("debugfs", DEBUG, "debugfs", 0, NULL);
	if (!exists(DEBUG "/plant")) {
		CHECK(!exists(DEBUG "/failslab"));
		CHECK(!exists("/proc/self/fail-nth"));
		CHECK(!exists("/proc/self/make-it-fail"));
		SKIP("a release kernel");
	}
}

static void put(const char *path, const char *text)
{
	int fd = OK(open(path, O_WRONLY | O_CLOEXEC));

	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		FAIL("%s: %s: %s", path, text, strerror(errno));
	close(fd);
}

static void is(const char *path, const char *want)
{
	char buf[64] = "";
	int fd = OK(open(path, O_RDONLY | O_CLOEXEC));

	OK(read(fd, buf, sizeof(buf) - 1));
	close(fd);
	if (strcmp(buf, want))
		FAIL("%s is %s, not %s", path, buf, want);
}

static void quiet(void)
{
	need_debug();
	put(DEBUG "/failslab/verbose", "0");
	put(DEBUG "/fail_page_alloc/verbose", "0");
	put(DEBUG "/fail_usercopy/verbose", "0");
	put(DEBUG "/failslab/ignore-gfp-wait", "N");
	put(DEBUG "/fail_page_alloc/ignore-gfp-wait", "N");
	put(DEBUG "/fail_page_alloc/min-order", "0");
}

TEST(files)
{
	static const char *const kinds[] = { "failslab", "fail_page_alloc", "fail_usercopy",
					     "fail_make_request" };
	static const char *const common[] = { "probability",
					      "interval",
					      "times",
					      "space",
					      "verbose",
					      "task-filter",
					      "verbose_ratelimit_interval_ms",
					      "verbose_ratelimit_burst" };
	struct stat st;
	char path[128];

	need_debug();
	for (size_t k = 0; k < 4; k++)
		for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++) {
			snprintf(path, sizeof(path), DEBUG "/%s/%s", kinds[k], common[i]);
			OK(stat(path, &st));
			EQ(st.st_mode, S_IFREG | 0600);
		}
	CHECK(exists(DEBUG "/failslab/ignore-gfp-wait"));
	CHECK(exists(DEBUG "/fail_page_alloc/min-order"));
	is(DEBUG "/failslab/probability", "0\n");
	is(DEBUG "/failslab/interval", "1\n");
	put(DEBUG "/failslab/space", "12");
	is(DEBUG "/failslab/space", "12\n");
	put(DEBUG "/failslab/space", "0");
	put(DEBUG "/failslab/task-filter", "Y");
	is(DEBUG "/failslab/task-filter", "Y\n");
	put(DEBUG "/failslab/task-filter", "N");
}

/*
 * Makes CALL with its first, second, ... chance taken until none is left to take; how many there
 * were. A cache that is filled up meanwhile has chances of its own, so that a certain one may be
 * passed over: which error comes is not for here.
 */
static int each_place(int (*call)(void))
{
	int nth = OK(open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC)), first = OK(dup(0)),
	    failed = 0, n;

	close(first);
	for (n = 1;; n++) {
		char buf[16] = "";
		int r, e, len = sprintf(buf, "%d", n);

		EQ(pwrite(nth, buf, (size_t)len, 0), len);
		r = call();
		e = errno;
		CHECK(pread(nth, buf, sizeof(buf) - 1, 0) > 1);
		/* a C library may make pwrite(2) of calls with chances of their own */
		EQ(write(nth, "0", 1), 1);
		if (r) {
			EQ(atoi(buf), 0);
			CHECK(e == ENOMEM || e == ENFILE || e == EFAULT || e == ENOBUFS);
			failed++;
		}
		/* It left no descriptor behind. */
		EQ(dup(0), first);
		close(first);
		if (atoi(buf))
			break;
	}
	close(nth);
	CHECK(failed > 0);
	return n - 1;
}

static int a_pair(void)
{
	int fds[2], r = socketpair(AF_LOCAL, SOCK_STREAM, 0, fds);

	if (!r) {
		close(fds[0]);
		close(fds[1]);
	}
	return r;
}

static int a_pipe(void)
{
	int fds[2] = { -1, -1 }, r = pipe(fds);

	if (!r) {
		close(fds[0]);
		close(fds[1]);
	}
	return r;
}

TEST(each_place_of_a_call)
{
	quiet();
	CHECK(each_place(a_pair) >= 6);		/* two of each: socket, inode, file */
	CHECK(each_place(a_pipe) >= 4);
}

/* One copy to user memory fails, of one task: the next one there is. */
TEST(a_copy_fails_once)
{
	int fd;

	quiet();
	put(DEBUG "/fail_usercopy/times", "1");
	put(DEBUG "/fail_usercopy/task-filter", "Y");
	put("/proc/self/make-it-fail", "1");
	fd = OK(open(DEBUG "/fail_usercopy/probability", O_WRONLY | O_CLOEXEC));
	EQ(write(fd, "100", 3), 3);
	ERR(a_pipe(), EFAULT);
	OK(a_pipe());
	EQ(write(fd, "0", 1), 1);
	close(fd);
	put(DEBUG "/fail_usercopy/task-filter", "N");
	put("/proc/self/make-it-fail", "0");
}

/* It may be half done: a step that was not begun does not end. */
static int a_network(void)
{
	int r = unshare(CLONE_NEWNET);

	if (r && errno == ENOSPC)	/* the count of its user has no memory */
		errno = ENOMEM;
	return r;
}

TEST(no_network_half_way)
{
	quiet();
	CHECK(each_place(a_network) > 20);
	OK(unshare(CLONE_NEWNET));
}

static int a_mount(void)
{
	int r = mount("none", "/tmp/fault", "tmpfs", 0, NULL);

	/* Its end may fail, too, and is asked for again: one chance is taken in all. */
	while (!r && umount("/tmp/fault"))
		CHECK(errno == ENOMEM || errno == EFAULT);
	return r;
}

/* What such calls leave behind is counted around this program. */
TEST(no_mount_leaves_anything)
{
	quiet();
	OK(mkdir("/tmp/fault", 0755));
	CHECK(each_place(a_mount) > 5);
	OK(rmdir("/tmp/fault"));
}

/* A disk has its directory, or it is none. */
static int a_disk(void)
{
	int control = open("/dev/loop-control", O_RDWR),
	    r = control < 0 ? -1 : ioctl(control, LOOP_CTL_ADD, 200);

	if (r >= 0) {
		/* (Looking may fail in its stead.) */
		CHECK(exists("/sys/block/loop200") || errno != ENOENT);
		while (ioctl(control, LOOP_CTL_REMOVE, 200) < 0)
			EQ(errno, ENOMEM);
	}
	if (control >= 0)
		close(control);
	return r < 0 ? r : 0;
}

TEST(no_disk_without_a_directory)
{
	quiet();
	CHECK(each_place(a_disk) > 5);
}

TEST(nth_of_another_task_and_its_child)
{
	char path[64];
	int go[2], fd;
	char c = 0;
	pid_t pid;

	quiet();
	OK(pipe(go));
	pid = OK(fork());
	if (!pid) {
		pid_t child;
		int back = OK(open("/proc/self/fail-nth", O_RDWR));

		if (read(go[0], &c, 1) != 1)
			_exit(1);
		/* One million places further on: and its own child starts at none. */
		child = fork();
		if (!child) {
			back = open("/proc/self/fail-nth", O_RDONLY);
			_exit(read(back, &c, 1) == 1 && c == '0' ? 0 : 2);
		}
		_exit(t_child_ok(child) && pread(back, &c, 1, 0) == 1 && c != '0' ? 0 : 3);
	}
	snprintf(path, sizeof(path), "/proc/%d/fail-nth", pid);
	fd = OK(open(path, O_RDWR));
	EQ(write(fd, "1000000", 7), 7);
	EQ(write(go[1], &c, 1), 1);
	EQ(t_wait(pid), 0);
	ERR(pwrite(fd, "1", 1, 0), ESRCH);
}

TEST(words_that_are_no_numbers)
{
	int fd;

	need_debug();
	fd = OK(open("/proc/self/fail-nth", O_RDWR));
	ERR(pwrite(fd, "x", 1, 0), EINVAL);
	ERR(pwrite(fd, "-1", 2, 0), EINVAL);
	ERR(pwrite(fd, "4294967296", 10, 0), ERANGE);
	fd = OK(open("/proc/self/make-it-fail", O_RDWR));
	ERR(write(fd, "2", 1), EINVAL);
	OK(setresuid(1000, 1000, 1000));
	ERR(write(fd, "1", 1), EPERM);
}

static int sockets_that_fail(void)
{
	int failed = 0;

	for (int i = 0; i < 10; i++)
		failed += socket(AF_LOCAL, SOCK_STREAM, 0) < 0;
	return failed;
}

TEST(tasks_that_were_chosen)
{
	int go[2], fd, status;
	char path[64], c = 0;
	pid_t pid;

	quiet();
	OK(pipe(go));
	put(DEBUG "/failslab/times", "3");
	put(DEBUG "/failslab/task-filter", "Y");
	pid = OK(fork());
	if (!pid) {
		if (read(go[0], &c, 1) != 1)
			_exit(99);
		_exit(sockets_that_fail());
	}
	snprintf(path, sizeof(path), "/proc/%d/make-it-fail", pid);
	put(path, "1");
	is(path, "1\n");
	fd = OK(open(DEBUG "/failslab/probability", O_WRONLY));
	EQ(write(fd, "100", 3), 3);
	EQ(sockets_that_fail(), 0);
	EQ(write(go[1], &c, 1), 1);
	status = t_wait(pid);
	EQ(pwrite(fd, "0", 1, 0), 1);
	put(DEBUG "/failslab/task-filter", "N");
	is(DEBUG "/failslab/times", "0\n");
	put(DEBUG "/failslab/times", "1");
	EQ(WEXITSTATUS(status), 3);
}
