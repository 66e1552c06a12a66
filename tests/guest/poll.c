// SPDX-License-Identifier: MIT
/*
 * Waiting for many files. proves: poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl
 * epoll_wait epoll_pwait epoll_pwait2
 */
/* threads that yield to each other take six seconds of four CPUs, on a host that is free */
#define TEST_LIMIT 60
#include "t.h"
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

TEST(timeouts)
{
	struct timespec ts = { 0, 60000000 };
	long long start = t_now_ns();

	EQ(poll(NULL, 0, 60), 0);
	CHECK(t_now_ns() - start >= 60000000);
	start = t_now_ns();
	EQ(ppoll(NULL, 0, &ts, NULL), 0);
	CHECK(t_now_ns() - start >= 60000000);
	struct timeval tv = { 0, 60000 };

	start = t_now_ns();
	EQ(select(0, NULL, NULL, NULL, &tv), 0);
	CHECK(t_now_ns() - start >= 60000000);
	EQ(poll(NULL, 0, 0), 0);
	struct pollfd pf = { 99, POLLIN, 0 };

	EQ(poll(&pf, 1, -1), 1);
	EQ(pf.revents, POLLNVAL);
	pf.fd = -1;
	EQ(poll(&pf, 1, 0), 0);
	EQ(pf.revents, 0);
	ERR(poll((struct pollfd *)16, 1, 0), EFAULT);
}

TEST(woken)
{
	int p[2];
	pid_t pid;

	OK(pipe(p));
	for (int how = 0; how < 3; how++) {
		char c;

		pid = OK(fork());
		if (pid == 0) {
			t_sleep_ms(80);
			write(p[1], "x", 1);
			_exit(0);
		}
		if (how == 0) {
			struct pollfd pf = { p[0], POLLIN, 0 };

			EQ(poll(&pf, 1, 5000), 1);
		} else if (how == 1) {
			fd_set r;

			FD_ZERO(&r);
			FD_SET(p[0], &r);
			EQ(select(p[0] + 1, &r, NULL, NULL, NULL), 1);
			CHECK(FD_ISSET(p[0], &r));
		} else {
			struct epoll_event ev = { .events = EPOLLIN }, out;
			int ep = OK(epoll_create1(EPOLL_CLOEXEC));

			OK(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev));
			EQ(epoll_wait(ep, &out, 1, 5000), 1);
			close(ep);
		}
		EQ(read(p[0], &c, 1), 1);
		CHECK(t_child_ok(pid));
	}
}

TEST(select_sets)
{
	struct timeval tv = { 0, 0 };
	fd_set r, w;
	int p[2];

	OK(pipe(p));
	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_SET(p[0], &r);
	FD_SET(p[1], &w);
	EQ(select(p[1] + 1, &r, &w, NULL, &tv), 1);
	CHECK(!FD_ISSET(p[0], &r) && FD_ISSET(p[1], &w));
	FD_SET(50, &r);
	ERR(select(51, &r, NULL, NULL, &tv), EBADF);
	ERR(select(-1, NULL, NULL, NULL, &tv), EINVAL);
}

TEST(epoll_modes)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = 0x1122334455667788 }, out[4];
	int ep = OK(epoll_create1(0)), p[2];
	char c;

	OK(pipe(p));
	OK(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev));
	ERR(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev), EEXIST);
	EQ(epoll_wait(ep, out, 4, 0), 0);
	EQ(write(p[1], "ab", 2), 2);
	for (int i = 0; i < 3; i++) {		/* level: said as long as it is so */
		EQ(epoll_wait(ep, out, 4, 0), 1);
		CHECK(out[0].data.u64 == 0x1122334455667788 && out[0].events == EPOLLIN);
	}
	ev.events = EPOLLIN | EPOLLET;
	OK(epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &ev));
	EQ(epoll_wait(ep, out, 4, 0), 1);
	EQ(epoll_wait(ep, out, 4, 0), 0);	/* edge: once */
	EQ(write(p[1], "c", 1), 1);
	EQ(epoll_wait(ep, out, 4, 0), 1);
	EQ(epoll_wait(ep, out, 4, 0), 0);
	ev.events = EPOLLIN | EPOLLONESHOT;
	OK(epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &ev));
	EQ(epoll_wait(ep, out, 4, 0), 1);
	EQ(epoll_wait(ep, out, 4, 0), 0);
	EQ(write(p[1], "d", 1), 1);
	EQ(epoll_wait(ep, out, 4, 0), 0);
	OK(epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &ev));
	EQ(epoll_wait(ep, out, 4, 0), 1);
	OK(epoll_ctl(ep, EPOLL_CTL_DEL, p[0], NULL));
	ERR(epoll_ctl(ep, EPOLL_CTL_DEL, p[0], NULL), ENOENT);
	ERR(epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &ev), ENOENT);
	EQ(epoll_wait(ep, out, 4, 0), 0);
	while (fcntl(p[0], F_SETFL, O_NONBLOCK), read(p[0], &c, 1) == 1)
		;
	ev.events = EPOLLIN;
	OK(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev));
	close(p[1]);
	EQ(epoll_wait(ep, out, 4, 0), 1);
	CHECK(out[0].events & EPOLLHUP);
	close(p[0]);				/* the last close takes it out */
	EQ(epoll_wait(ep, out, 4, 0), 0);
}

TEST(epoll_errors)
{
	struct epoll_event ev = { .events = EPOLLIN }, out;
	int ep = OK(epoll_create1(0)), ep2 = OK(epoll_create1(0)), fd;

	ERR(epoll_create1(77), EINVAL);
#ifdef SYS_epoll_create
	ERR(syscall(SYS_epoll_create, 0), EINVAL);
#endif
	ERR(epoll_ctl(ep, EPOLL_CTL_ADD, ep, &ev), EINVAL);
	ERR(epoll_ctl(ep, 77, ep2, &ev), EINVAL);
	ERR(epoll_ctl(ep, EPOLL_CTL_ADD, 99, &ev), EBADF);
	fd = OK(open("/tmp", O_RDONLY));
	ERR(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev), EPERM);
	OK(epoll_ctl(ep, EPOLL_CTL_ADD, ep2, &ev));
	ERR(epoll_ctl(ep2, EPOLL_CTL_ADD, ep, &ev), ELOOP);
	ERR(epoll_wait(ep, &out, 0, 0), EINVAL);
	ERR(epoll_wait(fd, &out, 1, 0), EINVAL);
}

TEST(epoll_nested)
{
	struct epoll_event ev = { .events = EPOLLIN }, out;
	int inner = OK(epoll_create1(0)), outer = OK(epoll_create1(0)), p[2];
	struct pollfd pf = { outer, POLLIN, 0 };

	OK(pipe(p));
	OK(epoll_ctl(inner, EPOLL_CTL_ADD, p[0], &ev));
	OK(epoll_ctl(outer, EPOLL_CTL_ADD, inner, &ev));
	EQ(poll(&pf, 1, 0), 0);
	EQ(write(p[1], "x", 1), 1);
	EQ(poll(&pf, 1, 1000), 1);
	EQ(epoll_wait(outer, &out, 1, 0), 1);
}

/* ---- two waiters and what is ready ---- */

#define WAITERS 3
static int shared_ep, got_total, go_round, done_round, rounds;

static void *take_one(void *unused)
{
	for (int r = 1; r <= rounds; r++) {
		struct epoll_event ev;

		while (__atomic_load_n(&go_round, __ATOMIC_ACQUIRE) < r)
			sched_yield();
		/* As many are ready as wait, each takes one: nobody is left waiting. */
		if (epoll_wait(shared_ep, &ev, 1, -1) == 1) {
			char c;

			if (read(ev.data.fd, &c, 1) == 1)
				__atomic_fetch_add(&got_total, 1, __ATOMIC_SEQ_CST);
		}
		__atomic_fetch_add(&done_round, 1, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

TEST(epoll_shared)
{
	pthread_t th[WAITERS];
	int p[WAITERS][2];

	rounds = 400;
	shared_ep = OK(epoll_create1(0));
	for (int i = 0; i < WAITERS; i++) {
		struct epoll_event ev = { .events = EPOLLIN | EPOLLET };

		OK(pipe2(p[i], O_NONBLOCK));
		ev.data.fd = p[i][0];
		OK(epoll_ctl(shared_ep, EPOLL_CTL_ADD, p[i][0], &ev));
		EQ(pthread_create(&th[i], NULL, take_one, NULL), 0);
	}
	for (int r = 1; r <= rounds; r++) {
		__atomic_store_n(&go_round, r, __ATOMIC_RELEASE);
		for (int i = 0; i < WAITERS; i++)
			EQ(write(p[i][1], "x", 1), 1);
		while (__atomic_load_n(&done_round, __ATOMIC_ACQUIRE) < r * WAITERS)
			sched_yield();
		EQ(got_total, r * WAITERS);
	}
	for (int i = 0; i < WAITERS; i++)
		pthread_join(th[i], NULL);
}

/* Level-triggered: what one waiter leaves wakes the next. */
static void *see_one(void *unused)
{
	struct epoll_event ev;

	if (epoll_wait(shared_ep, &ev, 1, -1) == 1)
		__atomic_fetch_add(&got_total, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

TEST(epoll_level_wakes_all)
{
	struct epoll_event ev = { .events = EPOLLIN };
	pthread_t th[WAITERS];
	int p[2];

	shared_ep = OK(epoll_create1(0));
	OK(pipe(p));
	OK(epoll_ctl(shared_ep, EPOLL_CTL_ADD, p[0], &ev));
	for (int i = 0; i < WAITERS; i++)
		EQ(pthread_create(&th[i], NULL, see_one, NULL), 0);
	t_sleep_ms(50);
	EQ(write(p[1], "x", 1), 1);
	for (int i = 0; i < WAITERS; i++)
		pthread_join(th[i], NULL);
	EQ(got_total, WAITERS);
}

static void nothing(int sig)
{
}

TEST(mask_while_waiting)
{
	struct sigaction sa = { .sa_handler = nothing };
	struct timespec ts = { 5, 0 };
	sigset_t block, none;
	int ep = OK(epoll_create1(0));
	struct epoll_event out;

	OK(sigaction(SIGUSR1, &sa, NULL));
	sigemptyset(&none);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	OK(sigprocmask(SIG_BLOCK, &block, NULL));
	raise(SIGUSR1);
	ERR(ppoll(NULL, 0, &ts, &none), EINTR);
	raise(SIGUSR1);
	ERR(pselect(0, NULL, NULL, NULL, &ts, &none), EINTR);
	raise(SIGUSR1);
	ERR(epoll_pwait(ep, &out, 1, 5000, &none), EINTR);
	raise(SIGUSR1);
	ERR(syscall(SYS_epoll_pwait2, ep, &out, 1, &ts, &none, 8), EINTR);
}

/* With this personality the time that was given stays as it was. */
TEST(sticky_timeouts)
{
	struct timespec ts = { 0, 20000000 };

	OK(personality(STICKY_TIMEOUTS));
	EQ(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &ts, NULL), 0);
	EQ(ts.tv_nsec, 20000000);
	OK(personality(0));
	EQ(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &ts, NULL), 0);
	EQ(ts.tv_nsec, 0);
#ifdef SYS_select
	struct timeval tv = { 0, 20000 };

	OK(personality(STICKY_TIMEOUTS));
	EQ(syscall(SYS_select, 0, NULL, NULL, NULL, &tv), 0);
	EQ(tv.tv_usec, 20000);
	OK(personality(0));
	EQ(syscall(SYS_select, 0, NULL, NULL, NULL, &tv), 0);
	EQ(tv.tv_usec, 0);
#endif
}

/* ---- more that wait than are woken up at once ---- */

#define CROWD 300

static int crowd[CROWD];

static void gather(int fd, unsigned int more)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLET | more };

	for (int i = 0; i < CROWD; i++) {
		crowd[i] = OK(epoll_create1(0));
		OK(epoll_ctl(crowd[i], EPOLL_CTL_ADD, fd, &e));
	}
}

static int told(int wait)
{
	struct epoll_event e;
	int n = 0;

	for (int i = 0; i < CROWD; i++)
		n += OK(epoll_wait(crowd[i], &e, 1, wait));
	return n;
}

static void disperse(void)
{
	for (int i = 0; i < CROWD; i++)
		close(crowd[i]);
}

TEST(all_of_a_crowd_are_told)
{
	struct itimerspec s = { .it_value = { 0, 1000 } };
	int e = OK(eventfd(0, EFD_NONBLOCK)), t = OK(timerfd_create(CLOCK_MONOTONIC, 0)), p[2],
	    u[2];
	uint64_t n = 1;

	gather(e, 0);
	EQ(told(0), 0);
	EQ(write(e, &n, 8), 8);
	EQ(told(0), CROWD);
	EQ(told(0), 0);
	disperse();
	gather(t, 0);
	OK(timerfd_settime(t, 0, &s, NULL));
	EQ(told(-1), CROWD);
	disperse();
	OK(pipe(p));
	gather(p[0], 0);
	EQ(write(p[1], "x", 1), 1);
	EQ(told(0), CROWD);
	disperse();
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, u));
	gather(u[0], 0);
	EQ(write(u[1], "x", 1), 1);
	EQ(told(0), CROWD);
	/* The other end goes: all hear of it. */
	close(u[1]);
	EQ(told(0), CROWD);
	disperse();
	close(e);
	close(t);
	close(p[0]);
	close(p[1]);
	close(u[0]);
}

/* Of a signal, and of the end of a process; the group that had a crowd ends with it. */
TEST(all_of_a_crowd_hear_of_signals)
{
	sigset_t one;
	int s, p;
	pid_t pid;

	sigemptyset(&one);
	sigaddset(&one, SIGUSR1);
	OK(sigprocmask(SIG_BLOCK, &one, NULL));
	s = OK(signalfd(-1, &one, 0));
	gather(s, 0);
	EQ(told(0), 0);
	OK(kill(getpid(), SIGUSR1));
	EQ(told(-1), CROWD);
	OK(kill(getpid(), SIGUSR1));
	disperse();
	pid = OK(fork());
	if (!pid) {
		gather(OK(signalfd(-1, &one, 0)), 0);
		OK(kill(getpid(), SIGUSR1));
		_exit(0);
	}
	p = OK((int)syscall(SYS_pidfd_open, pid, 0));
	gather(p, 0);
	EQ(told(-1), CROWD);
	CHECK(t_child_ok(pid));
	disperse();
	close(p);
	close(s);
}

/* Watches come and go while all are told: nobody is forgotten, nothing is broken. */
TEST(a_crowd_changes_while_it_is_told)
{
	volatile int *stop =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int e = OK(eventfd(0, EFD_NONBLOCK));
	pid_t pid[2];
	uint64_t n = 1;

	gather(e, 0);
	for (int k = 0; k < 2; k++) {
		pid[k] = OK(fork());
		if (pid[k])
			continue;
		for (int i = k; !*stop; i = (i + 7) % CROWD) {
			struct epoll_event ev = { .events = EPOLLIN | (k ? EPOLLEXCLUSIVE : 0) };
			int own = OK(epoll_create1(0));

			OK(epoll_ctl(own, EPOLL_CTL_ADD, e, &ev));
			if (i % 2)
				OK(epoll_ctl(own, EPOLL_CTL_DEL, e, NULL));
			close(own);
		}
		_exit(0);
	}
	for (int round = 0; round < 100; round++) {
		EQ(write(e, &n, 8), 8);
		EQ(told(0), CROWD);
	}
	*stop = 1;
	for (int k = 0; k < 2; k++)
		CHECK(t_child_ok(pid[k]));
	disperse();
	close(e);
	munmap((void *)stop, 4096);
}
