// SPDX-License-Identifier: MIT
/* Many files that send a signal about one pipe: fcntl(2), O_ASYNC, F_SETSIG. proves: fcntl */
#include "t.h"
#include <pthread.h>
#include <stdatomic.h>

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
		CHECK(si.si_signo == SIG && si.si_code == POLL_IN && si.si_fd >= 0 && si.si_fd < 2 * MANY && !by[si.si_fd]);
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
	for (int i = (int)(long)arg; !stop; i = (i + 2) % MANY) {	/* the other thread has the others */
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
