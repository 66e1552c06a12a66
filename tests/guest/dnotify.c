// SPDX-License-Identifier: MIT
/* Directories that send signals: fcntl(2), F_NOTIFY. proves: fcntl */
#include "t.h"
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>

#ifndef F_NOTIFY
#define F_NOTIFY 1026
#define DN_ACCESS 1
#define DN_MODIFY 2
#define DN_CREATE 4
#define DN_DELETE 8
#define DN_RENAME 0x10
#define DN_ATTRIB 0x20
#define DN_MULTISHOT 0x80000000
#endif
#ifndef F_SETSIG
#define F_SETSIG 10
#endif
#define DIR "/tmp/dn"
#define SIG (SIGRTMIN + 3)

static sigset_t set;

static int start(void)
{
	int fd;

	OK(system("rm -rf " DIR " /tmp/dn2"));
	mkdir(DIR, 0755);
	mkdir(DIR "/sub", 0755);
	mkdir("/tmp/dn2", 0755);
	close(OK(open(DIR "/f", O_CREAT | O_RDWR, 0644)));
	sigemptyset(&set);
	sigaddset(&set, SIG);
	sigaddset(&set, SIGIO);
	OK(sigprocmask(SIG_BLOCK, &set, NULL));
	fd = OK(open(DIR, O_RDONLY | O_DIRECTORY));
	OK(fcntl(fd, F_SETSIG, SIG));
	return fd;
}

/* How many signals are waiting; all are of FD. */
static int signals(int fd)
{
	struct timespec none = { 0, 0 };
	siginfo_t si;
	int n = 0;

	for (; sigtimedwait(&set, &si, &none) > 0; n++)
		CHECK(si.si_signo == SIG && si.si_fd == fd && si.si_code == POLL_MSG);
	return n;
}

static void touch(const char *path)
{
	close(OK(open(path, O_CREAT | O_RDWR, 0644)));
}

TEST(one_event_and_many)
{
	int fd = start();

	OK(fcntl(fd, F_NOTIFY, DN_CREATE));
	EQ(signals(fd), 0);
	touch(DIR "/a");
	touch(DIR "/b");
	EQ(signals(fd), 1);			/* used up by the first */
	OK(fcntl(fd, F_NOTIFY, DN_CREATE | DN_MULTISHOT));
	touch(DIR "/c");
	touch(DIR "/d");
	EQ(signals(fd), 2);
	OK(unlink(DIR "/d"));
	EQ(signals(fd), 0);
	OK(fcntl(fd, F_NOTIFY, DN_DELETE));	/* as well, and still for good */
	OK(unlink(DIR "/c"));
	OK(unlink(DIR "/b"));
	touch(DIR "/b");
	EQ(signals(fd), 3);
	OK(fcntl(fd, F_NOTIFY, 0));
	touch(DIR "/c");
	OK(unlink(DIR "/c"));
	EQ(signals(fd), 0);
}

#define FILES 200

/* Many files of one directory: each is told, and the end of one is that of no other. */
TEST(many_files)
{
	int fds[FILES], n;

	fds[0] = start();
	for (int i = 0; i < FILES; i++) {
		if (i) {
			fds[i] = OK(open(DIR, O_RDONLY | O_DIRECTORY));
			OK(fcntl(fds[i], F_SETSIG, SIG));
		}
		OK(fcntl(fds[i], F_NOTIFY, DN_CREATE | (i % 2 ? DN_MULTISHOT : 0)));
	}
	for (int round = 0; round < 2; round++) {
		char told[1024] = { 0 };
		siginfo_t si;

		touch(round ? DIR "/r1" : DIR "/r0");
		for (n = 0; sigtimedwait(&set, &si, &(struct timespec){ 0, 0 }) > 0; n++)
			EQ(told[si.si_fd]++, 0);
		EQ(n, round ? FILES / 2 : FILES);
		for (int i = 0; i < FILES; i++)
			EQ(told[fds[i]], !round || i % 2);
	}
	for (int i = 0; i < FILES; i += 2)
		OK(fcntl(fds[i], F_NOTIFY, DN_CREATE));	/* once more, where it was used up */
	for (int i = 0; i < FILES - 1; i++)
		close(fds[i]);
	touch(DIR "/r2");
	EQ(signals(fds[FILES - 1]), 1);
	close(fds[FILES - 1]);
}

TEST(each_event)
{
	int fd = start(), f = OK(open(DIR "/f", O_RDWR));
	char c = 'x';

	OK(fcntl(fd, F_NOTIFY, DN_MODIFY | DN_MULTISHOT));
	EQ(write(f, &c, 1), 1);
	EQ(signals(fd), 1);
	EQ(pread(f, &c, 1, 0), 1);
	OK(chmod(DIR "/f", 0600));
	EQ(signals(fd), 0);
	OK(fcntl(fd, F_NOTIFY, DN_ATTRIB | DN_ACCESS | DN_MULTISHOT));
	EQ(pread(f, &c, 1, 0), 1);
	OK(chmod(DIR "/f", 0644));
	OK(chmod(DIR, 0700));			/* itself too */
	EQ(signals(fd), 3);
	OK(fcntl(fd, F_NOTIFY, 0));
	/*
	 * In one directory a new name is a renaming; between two, an end here and a beginning
	 * there.
	 */
	OK(fcntl(fd, F_NOTIFY, DN_RENAME | DN_MULTISHOT));
	OK(rename(DIR "/f", DIR "/g"));
	EQ(signals(fd), 1);
	OK(rename(DIR "/g", "/tmp/dn2/g"));
	OK(rename("/tmp/dn2/g", DIR "/f"));
	EQ(signals(fd), 0);
	OK(fcntl(fd, F_NOTIFY, 0));
	OK(fcntl(fd, F_NOTIFY, DN_DELETE | DN_MULTISHOT));
	OK(rename(DIR "/f", "/tmp/dn2/g"));
	EQ(signals(fd), 1);
	OK(fcntl(fd, F_NOTIFY, 0));
	OK(fcntl(fd, F_NOTIFY, DN_CREATE | DN_MULTISHOT));
	OK(rename("/tmp/dn2/g", DIR "/f"));
	touch(DIR "/sub/deep");			/* not of this directory */
	EQ(signals(fd), 1);
}

TEST(ends_with_its_descriptor)
{
	int fd = start(), other = OK(dup(fd)), third;
	pid_t pid;

	/* The child's table is another: what it closes ends nothing. */
	OK(fcntl(fd, F_NOTIFY, DN_CREATE | DN_MULTISHOT));
	pid = OK(fork());
	if (pid == 0) {
		close(fd);
		_exit(0);
	}
	t_wait(pid);
	touch(DIR "/e1");
	EQ(signals(fd), 1);
	/* In one's own any descriptor of the file counts. */
	close(other);
	touch(DIR "/e2");
	EQ(signals(fd), 0);
	/* A file opened anew is another. */
	third = OK(open(DIR, O_RDONLY));
	OK(fcntl(third, F_SETSIG, SIG));
	OK(fcntl(fd, F_NOTIFY, DN_CREATE | DN_MULTISHOT));
	OK(fcntl(third, F_NOTIFY, DN_CREATE));
	close(fd);
	touch(DIR "/e3");
	EQ(signals(third), 1);
	close(third);
}

TEST(errors_and_default_signal)
{
	struct timespec none = { 0, 0 };
	int fd = start(), f = OK(open(DIR "/f", O_RDWR)), path = OK(open(DIR, O_PATH));
	siginfo_t si;

	ERR(fcntl(f, F_NOTIFY, DN_CREATE), ENOTDIR);
	OK(fcntl(f, F_NOTIFY, 0));
	ERR(fcntl(path, F_NOTIFY, DN_CREATE), EBADF);
	ERR(fcntl(999, F_NOTIFY, DN_CREATE), EBADF);
	OK(fcntl(fd, F_SETSIG, 0));
	OK(fcntl(fd, F_NOTIFY, DN_CREATE));
	touch(DIR "/s");
	EQ(sigtimedwait(&set, &si, &none), SIGIO);
	unlink(DIR "/s");
}

static _Atomic bool stop;

static void *work(void *arg)
{
	while (!stop) {
		int f = open(DIR "/w", O_CREAT | O_RDWR, 0644);

		close(f);
		unlink(DIR "/w");
	}
	return arg;
}

/* Watches begin and end while events come. */
TEST(races)
{
	long long end = t_now_ns() + 500000000;
	pthread_t t[2];
	int first = start();

	for (int i = 0; i < 2; i++)
		EQ(pthread_create(&t[i], NULL, work, NULL), 0);
	while (t_now_ns() < end) {
		int fd = OK(open(DIR, O_RDONLY));

		OK(fcntl(fd, F_NOTIFY, DN_CREATE | DN_DELETE | (end & 1 ? DN_MULTISHOT : 0)));
		OK(fcntl(first, F_NOTIFY, DN_CREATE));
		end ^= 1;
		close(fd);
	}
	stop = true;
	for (int i = 0; i < 2; i++)
		EQ(pthread_join(t[i], NULL), 0);
}
