// SPDX-License-Identifier: MIT
/*
 * Many files that send a signal about one pipe, and terminals that do: fcntl(2), O_ASYNC, F_SETSIG.
 * proves: fcntl
 */
#include "t.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <termios.h>

#define MANY 300		/* more than are told at once */
#define SIG (SIGRTMIN + 3)

#ifndef F_SETSIG
#define F_SETSIG 10
#endif

static sigset_t set;
static int ends[2], fds[MANY];

static int one_more(void)
{
	char path[40];
	int f;

	sprintf(path, "/proc/self/fd/%d", ends[0]);
	f = OK(open(path, O_RDONLY | O_NONBLOCK));
	OK(fcntl(f, F_SETOWN, getpid()));
	OK(fcntl(f, F_SETSIG, SIG));
	OK(fcntl(f, F_SETFL, O_ASYNC | O_NONBLOCK));
	return f;
}

static void begin(void)
{
	OK(pipe(ends));
	sigemptyset(&set);
	sigaddset(&set, SIG);
	sigaddset(&set, SIGIO);
	OK(sigprocmask(SIG_BLOCK, &set, NULL));
	for (int i = 0; i < MANY; i++)
		fds[i] = one_more();
}

/* A byte comes; which descriptors say so, each at most once: how many. */
static int told(char *by)
{
	struct timespec none = { 0, 0 };
	siginfo_t si;
	int n = 0;
	char c;

	memset(by, 0, 2 * MANY);
	EQ(write(ends[1], "x", 1), 1);
	EQ(read(ends[0], &c, 1), 1);
	for (; sigtimedwait(&set, &si, &none) > 0; n++) {
		CHECK(si.si_signo == SIG && si.si_code == POLL_IN && si.si_fd >= 0 &&
		      si.si_fd < 2 * MANY && !by[si.si_fd]);
		by[si.si_fd] = 1;
	}
	return n;
}

TEST(each_once)
{
	static char by[2 * MANY];

	begin();
	EQ(told(by), MANY);
	/* One in the middle, the first and the last; asked for twice; no more, and again. */
	for (int i = 0; i < MANY; i += 3)
		OK(close(fds[i]));
	for (int i = 1; i < MANY; i += 3) {
		OK(fcntl(fds[i], F_SETFL, O_NONBLOCK));
		OK(fcntl(fds[i], F_SETFL, O_NONBLOCK));
	}
	for (int i = 2; i < MANY; i += 3)
		OK(fcntl(fds[i], F_SETFL, O_ASYNC | O_NONBLOCK));
	EQ(told(by), MANY / 3);
	for (int i = 2; i < MANY; i += 3)
		CHECK(by[fds[i]]);
	for (int i = 1; i < MANY; i += 3)
		OK(fcntl(fds[i], F_SETFL, O_ASYNC | O_NONBLOCK));
	EQ(told(by), MANY / 3 * 2);
}

/* A FIFO open for both is in both of its lists. */
TEST(both_ends)
{
	static char by[2 * MANY];
	char path[40];
	int f;

	begin();
	sprintf(path, "/proc/self/fd/%d", ends[0]);
	f = OK(open(path, O_RDWR | O_NONBLOCK));
	OK(fcntl(f, F_SETOWN, getpid()));
	OK(fcntl(f, F_SETSIG, SIG));
	OK(fcntl(f, F_SETFL, O_ASYNC | O_NONBLOCK));
	OK(fcntl(f, F_SETFL, O_NONBLOCK));
	EQ(told(by), MANY);
	CHECK(!by[f]);
	close(f);
	EQ(told(by), MANY);
}

static atomic_int stop;

static void *come_and_go(void *arg)
{
	/* the other thread has the others */
	for (int i = (int)(long)arg; !stop; i = (i + 2) % MANY) {
		OK(fcntl(fds[i], F_SETFL, O_NONBLOCK));
		OK(fcntl(fds[i], F_SETFL, O_ASYNC | O_NONBLOCK));
		if (i % 5 == 0)
			close(one_more());
	}
	return NULL;
}

TEST(come_and_go_meanwhile)
{
	static char by[2 * MANY];
	struct timespec none = { 0, 0 };
	pthread_t t[2];
	char c;

	begin();
	for (long i = 0; i < 2; i++)
		CHECK(!pthread_create(&t[i], NULL, come_and_go, (void *)i));
	for (int i = 0; i < 100; i++) {
		EQ(write(ends[1], "x", 1), 1);
		EQ(read(ends[0], &c, 1), 1);
		while (sigtimedwait(&set, NULL, &none) > 0)
			;
	}
	stop = 1;
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	while (sigtimedwait(&set, NULL, &none) > 0)
		;
	EQ(told(by), MANY);
}

/* ---- terminals ---- */

static int open_pty(int *slave)
{
	int m = OK(open("/dev/ptmx", O_RDWR | O_NOCTTY)), n, zero = 0;
	char name[40];

	OK(ioctl(m, TIOCSPTLCK, &zero));
	OK(ioctl(m, TIOCGPTN, &n));
	snprintf(name, sizeof(name), "/dev/pts/%d", n);
	*slave = OK(open(name, O_RDWR | O_NOCTTY | O_NONBLOCK));
	return m;
}

static void listen_to(int fd)
{
	OK(ioctl(fd, FIOASYNC, &(int){ 1 }));
	CHECK(fcntl(fd, F_GETFL) & O_ASYNC);
	OK(fcntl(fd, F_SETSIG, SIG));
}

static void deaf(int fd)
{
	OK(ioctl(fd, FIOASYNC, &(int){ 0 }));
	CHECK(!(fcntl(fd, F_GETFL) & O_ASYNC));
}

/* How many signals come with CODE, the first within 5 s if there is to be one. */
static int hear(int code, bool some)
{
	struct timespec wait = { some ? 5 : 0, 0 };
	siginfo_t si;
	int n = 0;

	for (; sigtimedwait(&set, &si, &wait) > 0; n++) {
		EQ(si.si_signo, SIG);
		EQ(si.si_code, code);
		wait.tv_sec = 0;
	}
	return n;
}

static void block(void)
{
	sigemptyset(&set);
	sigaddset(&set, SIG);
	sigaddset(&set, SIGIO);
	OK(sigprocmask(SIG_BLOCK, &set, NULL));
}

TEST(a_terminal_has_something_to_read)
{
	struct termios t;
	int m, s;
	char c;

	block();
	m = open_pty(&s);
	OK(fcntl(s, F_SETFL, O_ASYNC | O_NONBLOCK));
	CHECK(fcntl(s, F_GETFL) & O_ASYNC);
	EQ(fcntl(s, F_GETOWN), getpid());  /* who asked, if it is nobody's controlling terminal */
	OK(fcntl(s, F_SETSIG, SIG));
	EQ(write(m, "a", 1), 1);			/* not a line yet */
	EQ(write(m, "b\n", 2), 2);
	EQ(hear(POLL_IN, true), 1);
	OK(tcgetattr(s, &t));
	cfmakeraw(&t);
	OK(tcsetattr(s, TCSANOW, &t));
	EQ(write(m, "c", 1), 1);
	EQ(hear(POLL_IN, true), 1);
	deaf(s);
	EQ(write(m, "d", 1), 1);
	while (read(s, &c, 1) < 0 || c != 'd')
		;
	EQ(hear(POLL_IN, false), 0);
	/* The other end. */
	listen_to(m);
	EQ(write(s, "out", 3), 3);
	EQ(hear(POLL_IN, true), 1);
}

TEST(a_terminal_has_room)
{
	static char many[100000];
	int m, s;

	block();
	m = open_pty(&s);
	listen_to(s);
	while (write(s, many, sizeof(many)) > 0)
		;
	EQ(errno, EAGAIN);
	EQ(hear(POLL_OUT, false), 0);
	OK(fcntl(m, F_SETFL, O_NONBLOCK));
	while (read(m, many, sizeof(many)) > 0)
		;
	CHECK(hear(POLL_OUT, true) > 0);
}

/* Whose terminal it is hears, the foreground group; after a hang-up nobody, and nobody can ask. */
TEST(a_terminal_of_a_session)
{
	int m, s;

	block();
	OK(setsid());
	m = open_pty(&s);
	OK(ioctl(s, TIOCSCTTY, 0));
	listen_to(s);
	EQ(fcntl(s, F_GETOWN), -getpgrp());
	deaf(s);
	OK(fcntl(s, F_SETOWN, getpid()));
	listen_to(s);
	EQ(fcntl(s, F_GETOWN), getpid());		/* who was named stays */
	signal(SIGHUP, SIG_IGN);
	close(m);
	CHECK(!(fcntl(s, F_GETFL) & O_ASYNC));
	ERR(ioctl(s, FIOASYNC, &(int){ 1 }), ENOTTY);
	EQ(hear(POLL_IN, false), 0);
}

TEST(devices_that_take_it)
{
	static const char *const names[] = { "/dev/random", "/dev/urandom", "/dev/rtc0" };

	for (unsigned int i = 0; i < sizeof(names) / sizeof(*names); i++) {
		int fd = open(names[i], O_RDONLY);

		if (fd < 0 && i == 2)
			break;				/* no clock here */
		OK(fd);
		OK(fcntl(fd, F_SETFL, O_ASYNC));
		CHECK(fcntl(fd, F_GETFL) & O_ASYNC);
		deaf(fd);
		close(fd);
	}
	ERR(ioctl(OK(open("/dev/null", O_RDONLY)), FIOASYNC, &(int){ 1 }), ENOTTY);
}
