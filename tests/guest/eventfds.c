// SPDX-License-Identifier: MIT
/*
 * Events, timers and signals as files. proves: eventfd2 eventfd timerfd_create timerfd_settime
 * timerfd_gettime signalfd4 signalfd
 */
#include "t.h"
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

TEST(event_counter)
{
	uint64_t v;
	int fd = OK(eventfd(3, EFD_NONBLOCK));
	struct pollfd pf = { fd, POLLIN | POLLOUT, 0 };

	EQ(read(fd, &v, 8), 8);
	EQ(v, 3);
	ERR(read(fd, &v, 8), EAGAIN);
	EQ(poll(&pf, 1, 0), 1);
	EQ(pf.revents, POLLOUT);
	v = 5;
	EQ(write(fd, &v, 8), 8);
	v = 6;
	EQ(write(fd, &v, 8), 8);
	EQ(read(fd, &v, 8), 8);
	EQ(v, 11);
	v = -1;
	ERR(write(fd, &v, 8), EINVAL);
	v = 0xfffffffffffffffe;
	EQ(write(fd, &v, 8), 8);
	v = 1;
	ERR(write(fd, &v, 8), EAGAIN);
	ERR(read(fd, &v, 4), EINVAL);
	fd = OK(eventfd(2, EFD_SEMAPHORE));
	EQ(read(fd, &v, 8), 8);
	EQ(v, 1);
	EQ(read(fd, &v, 8), 8);
	ERR(eventfd(0, 12345), EINVAL);
}

/* Each write is an edge, if only of 0; a reader makes one for writers. */
TEST(event_edges)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLET };
	int fd = OK(eventfd(1, EFD_NONBLOCK)), ep = OK(epoll_create1(0));
	uint64_t v = 0;

	OK(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
	EQ(epoll_wait(ep, &e, 1, 0), 1);
	EQ(epoll_wait(ep, &e, 1, 0), 0);
	EQ(write(fd, &v, 8), 8);
	EQ(epoll_wait(ep, &e, 1, 0), 1);
	EQ(e.events, EPOLLIN);
	EQ(epoll_wait(ep, &e, 1, 0), 0);
	e.events = EPOLLOUT | EPOLLET;
	OK(epoll_ctl(ep, EPOLL_CTL_MOD, fd, &e));
	EQ(epoll_wait(ep, &e, 1, 0), 1);
	EQ(epoll_wait(ep, &e, 1, 0), 0);
	EQ(read(fd, &v, 8), 8);
	EQ(v, 1);
	EQ(epoll_wait(ep, &e, 1, 0), 1);
	EQ(e.events, EPOLLOUT);
	OK(close(fd));
	OK(close(ep));
}

TEST(event_wakes)
{
	uint64_t v = 1;
	int fd = OK(eventfd(0, 0));
	pid_t pid = OK(fork());

	if (pid == 0) {
		t_sleep_ms(80);
		EQ(write(fd, &v, 8), 8);
		_exit(0);
	}
	EQ(read(fd, &v, 8), 8);
	CHECK(t_child_ok(pid));
}

TEST(timer)
{
	struct itimerspec it = { { 0, 30000000 }, { 0, 50000000 } }, now;
	int fd = OK(timerfd_create(CLOCK_MONOTONIC, 0));
	long long start = t_now_ns();
	uint64_t n;
	struct pollfd pf = { fd, POLLIN, 0 };

	OK(timerfd_settime(fd, 0, &it, NULL));
	EQ(poll(&pf, 1, 0), 0);
	EQ(read(fd, &n, 8), 8);
	CHECK(n >= 1 && t_now_ns() - start >= 50000000);
	t_sleep_ms(100);
	EQ(read(fd, &n, 8), 8);
	CHECK(n >= 3);
	OK(timerfd_gettime(fd, &now));
	EQ(now.it_interval.tv_nsec, 30000000);
	CHECK(now.it_value.tv_sec == 0 && now.it_value.tv_nsec > 0 &&
	      now.it_value.tv_nsec <= 30000000);
	memset(&it, 0, sizeof(it));
	OK(timerfd_settime(fd, 0, &it, &now));
	EQ(now.it_interval.tv_nsec, 30000000);
	EQ(poll(&pf, 1, 50), 0);
	/* At a moment that is over. */
	it.it_value.tv_nsec = 1;
	OK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &it, NULL));
	EQ(read(fd, &n, 8), 8);
	EQ(n, 1);
	it.it_value.tv_nsec = 1000000000;
	ERR(timerfd_settime(fd, 0, &it, NULL), EINVAL);
	ERR(timerfd_create(77, 0), EINVAL);
	ERR(timerfd_create(CLOCK_MONOTONIC, 7), EINVAL);
	fd = OK(timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC));
	ERR(read(fd, &n, 8), EAGAIN);
}

/* What settime says was set before; and that to ask loses no expiration. */
TEST(timer_asked)
{
	struct itimerspec it = { { 50, 0 }, { 100, 0 } }, old;
	int fd = OK(timerfd_create(CLOCK_MONOTONIC, 0));
	char path[64], text[400];
	FILE *f;
	uint64_t n;

	OK(timerfd_settime(fd, 0, &it, &old));
	EQ(old.it_value.tv_sec + old.it_value.tv_nsec + old.it_interval.tv_sec, 0);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	CHECK(f = fopen(path, "r"));
	text[fread(text, 1, sizeof(text) - 1, f)] = 0;
	fclose(f);
	CHECK(strstr(text, "\nit_value: (9") && strstr(text, "\nit_interval: (50, 0)\n"));
	it = (struct itimerspec){ { 0, 10000000 }, { 0, 1000000 } };
	OK(timerfd_settime(fd, 0, &it, &old));
	CHECK(old.it_value.tv_sec >= 90 && old.it_interval.tv_sec == 50);
	t_sleep_ms(60);
	OK(timerfd_gettime(fd, &old));
	CHECK(old.it_value.tv_sec == 0 && old.it_value.tv_nsec <= 10000000);
	EQ(read(fd, &n, 8), 8);
	CHECK(n >= 6);
	/* Disarmed, nothing is left. */
	it = (struct itimerspec){ { 0, 0 }, { 0, 0 } };
	OK(timerfd_settime(fd, 0, &it, NULL));
	OK(timerfd_gettime(fd, &old));
	EQ(old.it_value.tv_sec + old.it_value.tv_nsec, 0);
}

TEST(signals_as_file)
{
	struct signalfd_siginfo si;
	union sigval v = { .sival_int = 99 };
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN);
	OK(sigprocmask(SIG_BLOCK, &set, NULL));
	fd = OK(signalfd(-1, &set, SFD_NONBLOCK));
	struct pollfd pf = { fd, POLLIN, 0 };

	ERR(read(fd, &si, sizeof(si)), EAGAIN);
	raise(SIGUSR1);
	EQ(poll(&pf, 1, 0), 1);
	EQ(read(fd, &si, sizeof(si)), sizeof(si));
	EQ(si.ssi_signo, SIGUSR1);
	EQ(si.ssi_pid, getpid());
	sigqueue(getpid(), SIGRTMIN, v);
	EQ(read(fd, &si, sizeof(si)), sizeof(si));
	EQ(si.ssi_int, 99);
	ERR(read(fd, &si, 10), EINVAL);
	sigemptyset(&set);
	EQ(signalfd(fd, &set, 0), fd);
	raise(SIGUSR1);
	EQ(poll(&pf, 1, 0), 0);
}

/* A signal about a file, whatever its number. */
TEST(signal_of_a_file_as_file)
{
	struct signalfd_siginfo si;
	static const int sigs[] = { 0, SIGIO, SIGUSR1 };
	int p[2], fd;
	sigset_t set;
	char c;

	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN);
	OK(sigprocmask(SIG_BLOCK, &set, NULL));
	fd = OK(signalfd(-1, &set, SFD_NONBLOCK));
	OK(pipe(p));
	OK(fcntl(p[0], F_SETOWN, getpid()));
	OK(fcntl(p[0], F_SETFL, O_ASYNC));
	for (int i = 0; i < 4; i++) {
		OK(fcntl(p[0], F_SETSIG, i < 3 ? sigs[i] : SIGRTMIN));
		EQ(write(p[1], "x", 1), 1);
		EQ(read(fd, &si, sizeof(si)), sizeof(si));
		EQ(si.ssi_signo, i < 2 ? SIGIO : i == 2 ? SIGUSR1 : SIGRTMIN);
		if (i > 0) {
			EQ(si.ssi_code, 1);		/* POLL_IN */
			EQ(si.ssi_fd, p[0]);
			EQ(si.ssi_band, POLLIN | POLLRDNORM);
			EQ(si.ssi_pid, 0);
		}
		EQ(read(p[0], &c, 1), 1);
	}
}

static int shared;

static void *set_often(void *arg)
{
	struct itimerspec far = { { 0, 0 }, { 2000000000, 0 } };

	for (int i = 0; i < 2000; i++)
		OK(timerfd_settime(shared, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far,
				   NULL));
	return NULL;
}

/*
 * Two set one timer; it is gone from the list of those that hear of a new time when it is closed.
 */
TEST(timer_set_by_two)
{
	pthread_t t[2];
	struct timespec now;
	uint64_t n;

	for (int round = 0; round < 3; round++) {
		shared = OK(timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK));
		for (int i = 0; i < 2; i++)
			pthread_create(&t[i], NULL, set_often, NULL);
		for (int i = 0; i < 2; i++)
			pthread_join(t[i], NULL);
		OK(clock_gettime(CLOCK_REALTIME, &now));
		OK(clock_settime(CLOCK_REALTIME, &now));
		ERR(read(shared, &n, 8), ECANCELED);
		close(shared);
		OK(clock_settime(CLOCK_REALTIME, &now));
	}
}
