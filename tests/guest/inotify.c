// SPDX-License-Identifier: MIT
/* inotify(7). proves: inotify_init inotify_init1 inotify_add_watch inotify_rm_watch */
#include "t.h"
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#ifndef IN_MASK_CREATE
#define IN_MASK_CREATE 0x10000000
#endif

#define DIR "/tmp/in"

static char buf[65536] __attribute__((aligned(8)));
static long have, at;

/* The next event; NULL: none is waiting. */
static struct inotify_event *next(int fd)
{
	struct inotify_event *e;

	if (at >= have) {
		have = read(fd, buf, sizeof(buf));
		if (have < 0 && errno == EAGAIN)
			have = 0;
		CHECK(have >= 0);
		at = 0;
		if (!have)
			return NULL;
	}
	e = (void *)(buf + at);
	at += (long)sizeof(*e) + e->len;
	CHECK(at <= have);
	EQ(e->len % 16, 0);
	return e;
}

static uint32_t cookie;

static void expect(int line, int fd, int wd, uint32_t mask, const char *name)
{
	struct inotify_event *e = next(fd);

	if (!e)
		FAIL("line %d: no event, not %#x %s", line, mask, name ? name : "");
	if (e->wd != wd || e->mask != mask || !!e->len != !!name || (name && strcmp(e->name, name)))
		FAIL("line %d: wd %d mask %#x %s, not wd %d mask %#x %s", line, e->wd, e->mask,
		     e->len ? e->name : "-", wd, mask, name ? name : "-");
	cookie = e->cookie;
}
#define EXPECT(fd, wd, mask, name) expect(__LINE__, fd, wd, mask, name)
#define NOTHING(fd) do { struct inotify_event *e_ = next(fd); if (e_) FAIL("event %#x %s", e_->mask, e_->len ? e_->name : ""); } while (0)

static int start(void)
{
	OK(unshare(CLONE_NEWNS));
	OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	if (mkdir(DIR, 0755))
		EQ(errno, EEXIST);
	OK(mount("none", DIR, "tmpfs", 0, NULL));
	return OK(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
}

static int touch(const char *path)
{
	return OK(open(path, O_RDWR | O_CREAT, 0644));
}

TEST(arguments)
{
	int fd = start(), wd;
	char small[8];

	EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ERR(inotify_init1(1), EINVAL);
	ERR(inotify_add_watch(99, DIR, IN_OPEN), EBADF);
	ERR(inotify_add_watch(0, DIR, IN_OPEN), EINVAL);
	ERR(inotify_add_watch(fd, DIR, 0), EINVAL);
	ERR(inotify_add_watch(fd, DIR, 0x00100000), EINVAL);
	ERR(inotify_add_watch(fd, DIR "/none", IN_OPEN), ENOENT);
	ERR(inotify_add_watch(fd, NULL, IN_OPEN), EFAULT);
	ERR(inotify_add_watch(fd, DIR, IN_OPEN | IN_MASK_ADD | IN_MASK_CREATE), EINVAL);
	close(touch(DIR "/f"));
	ERR(inotify_add_watch(fd, DIR "/f", IN_OPEN | IN_ONLYDIR), ENOTDIR);
	OK(symlink("f", DIR "/link"));
	wd = OK(inotify_add_watch(fd, DIR "/f", IN_OPEN));
	EQ(wd, 1);
	EQ(inotify_add_watch(fd, DIR "/link", IN_OPEN), wd);
	CHECK(inotify_add_watch(fd, DIR "/link", IN_OPEN | IN_DONT_FOLLOW) != wd);
	ERR(inotify_add_watch(fd, DIR "/f", IN_OPEN | IN_MASK_CREATE), EEXIST);
	ERR(inotify_rm_watch(fd, 99), EINVAL);
	ERR(inotify_rm_watch(fd, 0), EINVAL);
	ERR(inotify_rm_watch(0, wd), EINVAL);
	ERR(inotify_rm_watch(99, wd), EBADF);
	close(touch(DIR "/f"));
	ERR(read(fd, small, sizeof(small)), EINVAL);
	ERR(write(fd, small, 1), EBADF);
	EXPECT(fd, wd, IN_OPEN, NULL);
	OK(inotify_rm_watch(fd, wd));
	EXPECT(fd, wd, IN_IGNORED, NULL);
	ERR(inotify_rm_watch(fd, wd), EINVAL);
	NOTHING(fd);
}

TEST(file_events_in_a_directory)
{
	int fd = start(), wd = OK(inotify_add_watch(fd, DIR, IN_ALL_EVENTS)), f;
	struct timespec times[2] = { { 1, 0 }, { 2, 0 } };
	char c;

	f = touch(DIR "/file");
	EXPECT(fd, wd, IN_CREATE, "file");
	EXPECT(fd, wd, IN_OPEN, "file");
	EQ(write(f, "xyz", 3), 3);
	EXPECT(fd, wd, IN_MODIFY, "file");
	EQ(pread(f, &c, 1, 0), 1);
	EXPECT(fd, wd, IN_ACCESS, "file");
	EQ(pread(f, &c, 1, 100), 0);
	OK(ftruncate(f, 1));
	EXPECT(fd, wd, IN_MODIFY, "file");
	OK(fallocate(f, 0, 0, 100));
	EXPECT(fd, wd, IN_MODIFY, "file");
	OK(fchmod(f, 0600));
	EXPECT(fd, wd, IN_ATTRIB, "file");
	OK(fchown(f, 1, 1));
	EXPECT(fd, wd, IN_ATTRIB, "file");
	OK(futimens(f, times));
	EXPECT(fd, wd, IN_ATTRIB, "file");
	OK(fsetxattr(f, "trusted.a", "b", 1, 0));
	EXPECT(fd, wd, IN_ATTRIB, "file");
	OK(fremovexattr(f, "trusted.a"));
	EXPECT(fd, wd, IN_ATTRIB, "file");
	close(f);
	EXPECT(fd, wd, IN_CLOSE_WRITE, "file");
	close(OK(open(DIR "/file", O_RDONLY)));
	EXPECT(fd, wd, IN_OPEN, "file");
	EXPECT(fd, wd, IN_CLOSE_NOWRITE, "file");
	close(OK(open(DIR "/file", O_PATH)));
	NOTHING(fd);
	OK(truncate(DIR "/file", 0));
	EXPECT(fd, wd, IN_MODIFY, "file");
	OK(link(DIR "/file", DIR "/second"));
	EXPECT(fd, wd, IN_CREATE, "second");
	OK(unlink(DIR "/second"));
	EXPECT(fd, wd, IN_DELETE, "second");
	OK(symlink("x", DIR "/sym"));
	EXPECT(fd, wd, IN_CREATE, "sym");
	OK(mknod(DIR "/fifo", S_IFIFO | 0600, 0));
	EXPECT(fd, wd, IN_CREATE, "fifo");
	OK(mkdir(DIR "/sub", 0755));
	EXPECT(fd, wd, IN_CREATE | IN_ISDIR, "sub");
	OK(rmdir(DIR "/sub"));
	EXPECT(fd, wd, IN_DELETE | IN_ISDIR, "sub");
	NOTHING(fd);
}

TEST(renames)
{
	int fd = start(), a, b, self, replaced;
	uint32_t c;

	OK(mkdir(DIR "/a", 0755));
	OK(mkdir(DIR "/b", 0755));
	close(touch(DIR "/a/old"));
	close(touch(DIR "/b/there"));
	a = OK(inotify_add_watch(fd, DIR "/a", IN_MOVE | IN_CREATE | IN_DELETE));
	b = OK(inotify_add_watch(fd, DIR "/b", IN_MOVE | IN_CREATE | IN_DELETE));
	self = OK(inotify_add_watch(fd, DIR "/a/old", IN_MOVE_SELF | IN_ATTRIB | IN_DELETE_SELF));
	replaced = OK(
		inotify_add_watch(fd, DIR "/b/there", IN_MOVE_SELF | IN_ATTRIB | IN_DELETE_SELF));
	OK(rename(DIR "/a/old", DIR "/b/there"));
	EXPECT(fd, a, IN_MOVED_FROM, "old");
	c = cookie;
	CHECK(c);
	EXPECT(fd, b, IN_MOVED_TO, "there");
	EQ(cookie, c);
	EXPECT(fd, replaced, IN_ATTRIB, NULL);
	EXPECT(fd, self, IN_MOVE_SELF, NULL);
	EXPECT(fd, replaced, IN_DELETE_SELF, NULL);
	EXPECT(fd, replaced, IN_IGNORED, NULL);
	OK(mkdir(DIR "/a/d", 0755));
	EXPECT(fd, a, IN_CREATE | IN_ISDIR, "d");
	OK(syscall(SYS_renameat2, AT_FDCWD, DIR "/a/d", AT_FDCWD, DIR "/b/there", 2));
	EXPECT(fd, a, IN_MOVED_FROM | IN_ISDIR, "d");
	c = cookie;
	EXPECT(fd, b, IN_MOVED_TO | IN_ISDIR, "there");
	EQ(cookie, c);
	EXPECT(fd, b, IN_MOVED_FROM, "there");
	CHECK(cookie != c);
	EXPECT(fd, a, IN_MOVED_TO, "d");
	EXPECT(fd, self, IN_MOVE_SELF, NULL);
	NOTHING(fd);
}

TEST(the_file_itself)
{
	int fd = start(), f = touch(DIR "/f"),
	    wd = OK(inotify_add_watch(fd, DIR "/f", IN_ALL_EVENTS)), dir;

	OK(unlink(DIR "/f"));
	EXPECT(fd, wd, IN_ATTRIB, NULL);
	NOTHING(fd);			/* somebody has it open */
	EQ(write(f, "a", 1), 1);
	EXPECT(fd, wd, IN_MODIFY, NULL);
	close(f);
	EXPECT(fd, wd, IN_CLOSE_WRITE, NULL);
	EXPECT(fd, wd, IN_DELETE_SELF, NULL);
	EXPECT(fd, wd, IN_IGNORED, NULL);
	ERR(inotify_rm_watch(fd, wd), EINVAL);
	OK(mkdir(DIR "/d", 0755));
	dir = OK(inotify_add_watch(fd, DIR "/d", IN_ALL_EVENTS));
	CHECK(dir != wd);		/* numbers are not used again soon */
	close(OK(open(DIR "/d", O_RDONLY | O_DIRECTORY)));
	EXPECT(fd, dir, IN_OPEN | IN_ISDIR, NULL);
	EXPECT(fd, dir, IN_CLOSE_NOWRITE | IN_ISDIR, NULL);
	OK(rmdir(DIR "/d"));
	EXPECT(fd, dir, IN_DELETE_SELF, NULL);
	EXPECT(fd, dir, IN_IGNORED, NULL);
	NOTHING(fd);
}

TEST(flags_of_a_watch)
{
	int fd = start(), wd, f;

	close(touch(DIR "/f"));
	wd = OK(inotify_add_watch(fd, DIR, IN_OPEN | IN_ONESHOT));
	close(touch(DIR "/f"));
	EXPECT(fd, wd, IN_OPEN, "f");
	EXPECT(fd, wd, IN_IGNORED, NULL);
	close(touch(DIR "/f"));
	NOTHING(fd);
	wd = OK(inotify_add_watch(fd, DIR, IN_OPEN));
	EQ(inotify_add_watch(fd, DIR, IN_CLOSE | IN_MASK_ADD), wd);
	close(touch(DIR "/f"));
	EXPECT(fd, wd, IN_OPEN, "f");
	EXPECT(fd, wd, IN_CLOSE_WRITE, "f");
	EQ(inotify_add_watch(fd, DIR, IN_MODIFY | IN_EXCL_UNLINK), wd);
	f = touch(DIR "/f");
	EQ(write(f, "1", 1), 1);
	EXPECT(fd, wd, IN_MODIFY, "f");
	OK(unlink(DIR "/f"));
	EQ(write(f, "1", 1), 1);
	NOTHING(fd);
}

TEST(equal_events_are_one)
{
	int fd = start(), wd = OK(inotify_add_watch(fd, DIR, IN_MODIFY)), f = touch(DIR "/f"),
	    g = touch(DIR "/g"), n;

	for (int i = 0; i < 10; i++)
		EQ(write(f, "1", 1), 1);
	EQ(write(g, "1", 1), 1);
	EQ(write(f, "1", 1), 1);
	OK(ioctl(fd, FIONREAD, &n));
	EQ(n, 3 * 32);
	EXPECT(fd, wd, IN_MODIFY, "f");
	EXPECT(fd, wd, IN_MODIFY, "g");
	EXPECT(fd, wd, IN_MODIFY, "f");
	NOTHING(fd);
	OK(ioctl(fd, FIONREAD, &n));
	EQ(n, 0);
}

#define CROWD 100

/*
 * Many instances at one directory: each is told once, in whatever order they come, change and go.
 */
TEST(many_instances)
{
	int fd = start(), in[CROWD], wd[CROWD];

	for (int i = 0; i < CROWD; i++) {
		in[i] = OK(inotify_init1(IN_NONBLOCK));
		wd[i] = OK(
			inotify_add_watch(in[i], DIR, i % 3 ? IN_CREATE : IN_DELETE | IN_ONESHOT));
		EQ(inotify_add_watch(in[i], DIR,
				     (i % 3 ? IN_CREATE : IN_DELETE | IN_ONESHOT) | IN_MASK_ADD),
		   wd[i]);
		ERR(inotify_add_watch(in[i], DIR, IN_OPEN | IN_MASK_CREATE), EEXIST);
	}
	close(touch(DIR "/f"));
	OK(unlink(DIR "/f"));
	OK(mkdir(DIR "/d", 0700));
	OK(rmdir(DIR "/d"));
	for (int i = 0; i < CROWD; i++) {
		if (i % 3) {
			EXPECT(in[i], wd[i], IN_CREATE, "f");
			EXPECT(in[i], wd[i], IN_CREATE | IN_ISDIR, "d");
			EQ(inotify_add_watch(in[i], DIR, IN_ATTRIB), wd[i]);
		} else {
			EXPECT(in[i], wd[i], IN_DELETE, "f");
			EXPECT(in[i], wd[i], IN_IGNORED, NULL);
			/* Used up: this is another. */
			CHECK(OK(inotify_add_watch(in[i], DIR, IN_CREATE)) != wd[i]);
			NOTHING(in[i]);
			close(in[i]);
			continue;
		}
		NOTHING(in[i]);
	}
	/* Nobody waits for a new name any more; then somebody does again. */
	close(touch(DIR "/g"));
	OK(chmod(DIR, 0700));
	for (int i = 0; i < CROWD; i++) {
		if (i % 3 == 1) {
			EXPECT(in[i], wd[i], IN_ATTRIB | IN_ISDIR, NULL);
			EQ(inotify_add_watch(in[i], DIR, IN_CREATE | IN_MASK_ADD), wd[i]);
			close(touch(DIR "/h"));
			OK(unlink(DIR "/h"));
			EXPECT(in[i], wd[i], IN_CREATE, "h");
			close(in[i]);
		}
	}
	OK(umount2(DIR, 0));
	for (int i = 2; i < CROWD; i += 3) {
		EXPECT(in[i], wd[i], IN_ATTRIB | IN_ISDIR, NULL);
		EXPECT(in[i], wd[i], IN_UNMOUNT | IN_ISDIR, NULL);
		EXPECT(in[i], wd[i], IN_IGNORED, NULL);
		NOTHING(in[i]);
		close(in[i]);
	}
	close(fd);
}

TEST(unmounting_ends_it)
{
	int fd = start(), wd = OK(inotify_add_watch(fd, DIR, IN_ALL_EVENTS)), f;

	close(touch(DIR "/f"));
	f = OK(inotify_add_watch(fd, DIR "/f", IN_OPEN));
	while (next(fd))
		;
	OK(umount(DIR));
	for (int i = 0; i < 2; i++) {
		struct inotify_event *e = next(fd);
		int which;

		CHECK(e);
		which = e->wd;
		CHECK(which == wd || which == f);
		EQ(e->mask, which == wd ? IN_UNMOUNT | IN_ISDIR : IN_UNMOUNT);
		EXPECT(fd, which, IN_IGNORED, NULL);
	}
	NOTHING(fd);
}

TEST(waiting)
{
	int fd = start(), wd = OK(inotify_add_watch(fd, DIR, IN_CREATE)), ep = OK(epoll_create1(0));
	struct pollfd p = { fd, POLLIN, 0 };
	struct epoll_event ev = { .events = EPOLLIN };
	pid_t pid;

	EQ(poll(&p, 1, 0), 0);
	OK(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev));
	EQ(epoll_wait(ep, &ev, 1, 0), 0);
	OK(fcntl(fd, F_SETFL, 0));
	pid = OK(fork());
	if (!pid) {
		close(OK(open(DIR "/new", O_CREAT, 0600)));
		_exit(0);
	}
	EXPECT(fd, wd, IN_CREATE, "new");		/* sleeps until then */
	CHECK(t_child_ok(pid));
	close(OK(open(DIR "/newer", O_CREAT, 0600)));
	EQ(poll(&p, 1, 0), 1);
	EQ(p.revents, POLLIN);
	EQ(epoll_wait(ep, &ev, 1, 0), 1);
	EXPECT(fd, wd, IN_CREATE, "newer");
	EQ(poll(&p, 1, 0), 0);
}

static long limit(const char *name, long v)
{
	char path[80], b[32] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/fs/inotify/%s", name);
	fd = OK(open(path, O_RDWR));
	OK(read(fd, b, sizeof(b) - 1));
	close(fd);
	if (v >= 0) {
		fd = OK(open(path, O_WRONLY));
		OK(dprintf(fd, "%ld", v));
		close(fd);
	}
	return atol(b);
}

TEST(limits)
{
	long events, instances, watches = limit("max_user_watches", -1);
	int fd, wd, many[200], n = 0;
	char path[64];

	CHECK(watches >= 8192);
	events = limit("max_queued_events", 5);
	fd = start();
	wd = OK(inotify_add_watch(fd, DIR, IN_CREATE));
	for (int i = 0; i < 9; i++) {
		snprintf(path, sizeof(path), DIR "/%d", i);
		close(touch(path));
	}
	limit("max_queued_events", events);
	EQ(events, 16384);
	for (int i = 0; i < 5; i++) {
		snprintf(path, sizeof(path), "%d", i);
		EXPECT(fd, wd, IN_CREATE, path);
	}
	EXPECT(fd, -1, IN_Q_OVERFLOW, NULL);
	NOTHING(fd);
	close(touch(DIR "/more"));
	EXPECT(fd, wd, IN_CREATE, "more");

	instances = limit("max_user_instances", -1);
	EQ(instances, 128);
	while (n < 200 && (many[n] = inotify_init1(0)) >= 0)
		n++;
	EQ(errno, EMFILE);
	CHECK(n <= 127 && n > 100);
	while (n)
		close(many[--n]);
	close(OK(inotify_init1(0)));

	limit("max_user_watches", 1);
	n = inotify_add_watch(fd, DIR "/more", IN_OPEN);
	wd = errno;
	limit("max_user_watches", watches);
	EQ(n, -1);
	EQ(wd, ENOSPC);
	OK(inotify_add_watch(fd, DIR "/more", IN_OPEN));
}

/* Watches come and go while what they watch is renamed, removed and unmounted. */
TEST(races)
{
	int fd = start();
	pid_t pid[3];
	char b[4096];

	for (int k = 0; k < 3; k++) {
		pid[k] = OK(fork());
		if (pid[k])
			continue;
		for (int i = 0; i < 400; i++) {
			if (k == 0) {
				close(open(DIR "/x", O_RDWR | O_CREAT, 0600));
				rename(DIR "/x", DIR "/y");
				unlink(DIR "/y");
			} else if (k == 1) {
				int wd =
					inotify_add_watch(fd, i & 1 ? DIR "/x" : DIR "/y",
							  IN_ALL_EVENTS | (i & 2 ? IN_ONESHOT : 0));

				if (wd > 0 && i % 3)
					inotify_rm_watch(fd, wd);
			} else {
				int in = inotify_init1(IN_NONBLOCK);

				if (in < 0)
					_exit(1);
				inotify_add_watch(in, DIR, IN_ALL_EVENTS);
				inotify_add_watch(in, DIR "/x", IN_ALL_EVENTS);
				read(in, b, sizeof(b));
				close(in);
			}
		}
		_exit(0);
	}
	for (int k = 0; k < 3; k++)
		CHECK(t_child_ok(pid[k]));
	while (read(fd, buf, sizeof(buf)) > 0)
		;
}

/*
 * A name changes, long and short, while somebody writes to the file: each event has one of the two
 * whole.
 */
TEST(names_are_whole)
{
	static char longer[201], from[300], to[300];
	int fd = start(), f = OK(open(DIR "/short", O_RDWR | O_CREAT, 0600));
	pid_t pid[2];

	memset(longer, 'l', 200);
	snprintf(from, sizeof(from), "%s/short", DIR);
	snprintf(to, sizeof(to), "%s/%s", DIR, longer);
	OK(inotify_add_watch(fd, DIR, IN_MODIFY));
	for (int k = 0; k < 2; k++) {
		pid[k] = OK(fork());
		if (pid[k])
			continue;
		for (int i = 0; i < 1000; i++) {
			if (!k)
				EQ(write(f, "x", 1), 1);
			else if (i & 1)
				OK(rename(to, from));
			else
				OK(rename(from, to));
		}
		_exit(0);
	}
	for (int k = 0; k < 2; k++)
		CHECK(t_child_ok(pid[k]));
	for (long n; (n = read(fd, buf, sizeof(buf))) > 0;) {
		for (char *p = (char *)buf; p < (char *)buf + n;) {
			struct inotify_event *e = (void *)p;

			CHECK(!strcmp(e->name, "short") || !strcmp(e->name, longer));
			p += sizeof(*e) + e->len;
		}
	}
	close(f);
	unlink(from);
	unlink(to);
}

/* fdinfo has a line for each watch, however many they are. */
TEST(many_watches_are_shown)
{
	enum { MANY = 1000 };
	static char text[MANY * 250];
	int fd = start(), info, lines = 0;
	char path[60];
	ssize_t n, have_text = 0;

	for (int i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), DIR "/%d", i);
		close(touch(path));
		OK(inotify_add_watch(fd, path, IN_OPEN));
	}
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = OK(open(path, O_RDONLY));
	while ((n = OK(read(info, text + have_text, sizeof(text) - 1 - (size_t)have_text))) > 0)
		have_text += n;
	for (char *p = text; (p = strstr(p, "inotify wd:")); p++)
		lines++;
	EQ(lines, MANY);
	close(info);
	close(fd);
}
