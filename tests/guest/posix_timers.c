// SPDX-License-Identifier: MIT
/*
 * POSIX timers by what they do. proves: timer_create timer_settime timer_gettime timer_getoverrun
 * timer_delete
 */
#include "t.h"
#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#ifndef SIGEV_THREAD_ID
#define SIGEV_THREAD_ID 4
#endif
#define MS 1000000L

/* The kernel's calls themselves: the C library keeps threads and numbers of its own. */
static int create(clockid_t c, int notify, int sig, int tid, int *id)
{
	union {
		struct {
			union sigval v;
			int signo, notify, tid;
		} s;
		char pad[64];
	} e;

	memset(&e, 0, sizeof(e));
	e.s.v.sival_int = 4242;
	e.s.signo = sig;
	e.s.notify = notify;
	e.s.tid = tid;
	return (int)syscall(SYS_timer_create, c, &e, id);
}

static int settime(int id, int flags, long value, long interval, struct itimerspec *old)
{
	struct itimerspec n = { { interval / 1000000000, interval % 1000000000 },
				{ value / 1000000000, value % 1000000000 } };

	return (int)syscall(SYS_timer_settime, id, flags, &n, old);
}

static long left(int id)
{
	struct itimerspec i;

	OK(syscall(SYS_timer_gettime, id, &i));
	return i.it_value.tv_sec * 1000000000 + i.it_value.tv_nsec;
}

static void block(int sig, sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, sig);
	OK(sigprocmask(SIG_BLOCK, set, NULL));
}

TEST(one_shot_on_every_clock)
{
	static const clockid_t clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME,
					    11 /* TAI */ };
	siginfo_t i;
	sigset_t s;

	block(SIGUSR1, &s);
	for (unsigned int k = 0; k < 4; k++) {
		struct timespec now;
		int id = -1;

		OK(create(clocks[k], SIGEV_SIGNAL, SIGUSR1, 0, &id));
		EQ(left(id), 0);
		OK(settime(id, 0, 5 * MS, 0, NULL));
		EQ(sigwaitinfo(&s, &i), SIGUSR1);
		EQ(i.si_code, SI_TIMER);
		EQ(i.si_value.sival_int, 4242);
		EQ(i.si_timerid, id);
		EQ(i.si_overrun, 0);
		EQ(left(id), 0);
		/* A time that has passed goes off at once. */
		OK(settime(id, TIMER_ABSTIME, 1, 0, NULL));
		EQ(sigwaitinfo(&s, &i), SIGUSR1);
		OK(clock_gettime(clocks[k], &now));
		OK(settime(id, TIMER_ABSTIME, now.tv_sec * 1000000000L + now.tv_nsec + 100000 * MS,
			   0, NULL));
		CHECK(left(id) > 0 && left(id) <= 100000 * MS);
		OK(syscall(SYS_timer_delete, id));
		ERR(syscall(SYS_timer_delete, id), EINVAL);
	}
	ERR(sigtimedwait(&s, &i, &(struct timespec){ 0, 0 }), EAGAIN);
}

/* What it missed while its signal was not taken is the overrun; only one signal waits. */
TEST(periodic_and_overrun)
{
	siginfo_t i;
	sigset_t s;
	int id;

	block(SIGRTMIN, &s);
	OK(create(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGRTMIN, 0, &id));
	OK(settime(id, 0, 2 * MS, 2 * MS, NULL));
	t_sleep_ms(30);
	EQ(sigwaitinfo(&s, &i), SIGRTMIN);
	CHECK(i.si_overrun >= 10);
	EQ(syscall(SYS_timer_getoverrun, id), i.si_overrun);
	EQ(sigwaitinfo(&s, &i), SIGRTMIN);
	EQ(syscall(SYS_timer_getoverrun, id), i.si_overrun);
	/* The shortest interval there is cannot stop the machine. */
	OK(settime(id, 0, 1, 1, NULL));
	for (int k = 0; k < 50; k++)
		EQ(sigwaitinfo(&s, &i), SIGRTMIN);
	CHECK(i.si_overrun > 0);
	OK(settime(id, 0, 0, 0, NULL));
	EQ(left(id), 0);
	while (sigtimedwait(&s, &i, &(struct timespec){ 0, 0 }) > 0)
		;
	t_sleep_ms(10);
	ERR(sigtimedwait(&s, &i, &(struct timespec){ 0, 0 }), EAGAIN);
}

TEST(setting_again)
{
	struct itimerspec old;
	int id;

	OK(create(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0, &id));
	OK(settime(id, 0, 100000 * MS, 7 * MS, &old));
	EQ(old.it_value.tv_sec, 0);
	EQ(old.it_value.tv_nsec, 0);
	OK(settime(id, 0, 3 * MS, 3 * MS, &old));
	CHECK(old.it_value.tv_sec >= 98 && old.it_value.tv_sec <= 100);
	EQ(old.it_interval.tv_nsec, 7 * MS);
	/* Without a signal it can only be asked; it goes round all the same. */
	t_sleep_ms(10);
	CHECK(left(id) > 0 && left(id) <= 3 * MS);
	OK(settime(id, 0, 1, 0, NULL));
	t_sleep_ms(1);
	EQ(left(id), 0);
}

static pid_t tid;
static volatile pid_t handled_by;
static volatile int hits;

static void note(int sig)
{
	(void)sig;
	handled_by = (pid_t)syscall(SYS_gettid);
	hits++;
}

static void *thread(void *arg)
{
	sigset_t none;

	sigemptyset(&none);
	__atomic_store_n(&tid, (pid_t)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	(void)arg;
	while (hits < 3)
		sigsuspend(&none);
	return NULL;
}

TEST(to_one_thread)
{
	struct sigaction sa = { .sa_handler = note };
	pthread_t t;
	sigset_t s;
	int id;

	OK(sigaction(SIGUSR1, &sa, NULL));
	block(SIGUSR1, &s);
	EQ(pthread_create(&t, NULL, thread, NULL), 0);
	while (!__atomic_load_n(&tid, __ATOMIC_SEQ_CST))
		sched_yield();
	sigprocmask(SIG_UNBLOCK, &s, NULL);  /* we could take it too, but it is not for us */
	OK(create(CLOCK_MONOTONIC, SIGEV_SIGNAL | SIGEV_THREAD_ID, SIGUSR1, tid, &id));
	OK(settime(id, 0, MS, MS, NULL));
	EQ(pthread_join(t, NULL), 0);
	EQ(handled_by, tid);
	ERR(create(CLOCK_MONOTONIC, SIGEV_SIGNAL | SIGEV_THREAD_ID, SIGUSR1, getppid(), &id),
	    EINVAL);
}

static void burn(void)
{
	for (volatile int i = 0; i < 10000; i++)
		;
}

/* Clocks of processor time go on while one works, not while one sleeps. */
TEST(processor_time)
{
	struct sigaction sa = { .sa_handler = note };
	struct timespec a, b;
	int id;

	OK(sigaction(SIGUSR1, &sa, NULL));
	OK(create(CLOCK_PROCESS_CPUTIME_ID, SIGEV_SIGNAL, SIGUSR1, 0, &id));
	OK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a));
	OK(settime(id, 0, 30 * MS, 0, NULL));
	t_sleep_ms(60);
	CHECK(left(id) <= 30 * MS);
	OK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b));
	/* a busy host makes even sleeping dear */
	if ((b.tv_sec - a.tv_sec) * 1000000000L + b.tv_nsec - a.tv_nsec < 30 * MS)
		EQ(hits, 0);
	while (!hits)
		burn();
	OK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b));
	CHECK((b.tv_sec - a.tv_sec) * 1000000000L + b.tv_nsec - a.tv_nsec >= 30 * MS);
	OK(syscall(SYS_timer_delete, id));
	OK(create(CLOCK_THREAD_CPUTIME_ID, SIGEV_SIGNAL, SIGUSR1, 0, &id));
	OK(settime(id, 0, 10 * MS, 10 * MS, NULL));
	while (hits < 4)
		burn();
	OK(syscall(SYS_timer_delete, id));
}

/* The second time is later than any that there is. */
TEST(the_longest_interval)
{
	struct sigaction sa = { .sa_handler = note };
	int id, before;

	if (access("/proc/sys/vm/user_lasting_kbytes", F_OK))
		SKIP("Linux counts in 64 bits");
	OK(sigaction(SIGUSR1, &sa, NULL));
	OK(create(CLOCK_PROCESS_CPUTIME_ID, SIGEV_SIGNAL, SIGUSR1, 0, &id));
	before = hits;
	OK(settime(id, 0, 1, 0x7fffffffffffffff, NULL));
	for (struct timespec t = { 0, 0 }; hits == before || (!t.tv_sec && t.tv_nsec < 100 * MS);) {
		burn();
		OK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t));
	}
	CHECK(left(id) > 9000000000000000000);
	EQ(hits, before + 1);
	OK(syscall(SYS_timer_delete, id));
}

/* An ignored timer goes on; heard again, it is there. */
TEST(ignored_and_heard_again)
{
	struct sigaction sa = { .sa_handler = note };
	int id;

	signal(SIGUSR1, SIG_IGN);
	OK(create(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 0, &id));
	OK(settime(id, 0, MS, MS, NULL));
	t_sleep_ms(20);
	OK(sigaction(SIGUSR1, &sa, NULL));
	while (hits < 2)
		pause();
	OK(syscall(SYS_timer_delete, id));
}

/* Deleted, its pending signal does not come any more and nothing is left of it. */
TEST(deleted_while_pending)
{
	siginfo_t i;
	sigset_t s;
	int id;

	block(SIGUSR1, &s);
	for (int k = 0; k < 300; k++) {
		OK(create(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 0, &id));
		OK(settime(id, 0, 1000 * (k % 60), 1000, NULL));
		if (k % 3 == 0)
			sched_yield();
		OK(syscall(SYS_timer_delete, id));
	}
	while (sigtimedwait(&s, &i, &(struct timespec){ 0, 0 }) > 0)
		;
	t_sleep_ms(2);
	ERR(sigtimedwait(&s, &i, &(struct timespec){ 0, 0 }), EAGAIN);
}

/* Neither a child nor a new program has them. */
TEST(not_inherited)
{
	char self[200], arg[20];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	struct itimerspec it;
	pid_t pid;
	int id;

	self[n > 0 ? n : 0] = 0;
	if (getenv("TIMER_ID")) {
		ERR(syscall(SYS_timer_gettime, atoi(getenv("TIMER_ID")), &it), EINVAL);
		t_sleep_ms(20);
		return;
	}
	OK(create(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 0, &id));
	pid = OK(fork());
	if (pid == 0) {
		ERR(syscall(SYS_timer_gettime, id, &it), EINVAL);
		OK(create(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 0, &id));
		OK(settime(id, 0, 10 * MS, 10 * MS, NULL));
		sigset_t s;
		block(SIGUSR1, &s);		/* should it come, the program sleeps on */
		snprintf(arg, sizeof(arg), "%d", id);
		setenv("TIMER_ID", arg, 1);
		execl(self, self, "not_inherited", (char *)NULL);
		_exit(9);
	}
	CHECK(t_child_ok(pid));
}

TEST(errors)
{
	struct itimerspec bad = { { 0, 0 }, { 0, 1000000000 } }, neg = { { 0, 0 }, { -1, 0 } };
	struct rlimit none = { 0, 0 };
	siginfo_t i;
	sigset_t s;
	int id, other;

	ERR(create(CLOCK_MONOTONIC, 77, SIGUSR1, 0, &id), EINVAL);
	ERR(create(CLOCK_MONOTONIC, SIGEV_SIGNAL, 65, 0, &id), EINVAL);
	ERR(create(CLOCK_MONOTONIC, SIGEV_SIGNAL, 0, 0, &id), EINVAL);
	ERR(create(99, SIGEV_SIGNAL, SIGUSR1, 0, &id), EINVAL);
	ERR(create(CLOCK_MONOTONIC_RAW, SIGEV_SIGNAL, SIGUSR1, 0, &id), EOPNOTSUPP);
	ERR(create(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 0, (int *)8), EFAULT);
	ERR(syscall(SYS_timer_create, CLOCK_MONOTONIC, 8, &id), EFAULT);
	OK(create(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 0, &id));
	ERR(syscall(SYS_timer_settime, id, 0, &bad, NULL), EINVAL);
	ERR(syscall(SYS_timer_settime, id, 0, &neg, NULL), EINVAL);
	ERR(syscall(SYS_timer_settime, id, 0, NULL, NULL), EINVAL);
	ERR(syscall(SYS_timer_settime, id, 0, 8, NULL), EFAULT);
	ERR(syscall(SYS_timer_gettime, id, 8), EFAULT);
	ERR(syscall(SYS_timer_gettime, 12345, &bad), EINVAL);
	ERR(syscall(SYS_timer_getoverrun, 12345), EINVAL);
	EQ(syscall(SYS_timer_getoverrun, id), 0);
	/* Without a description it is SIGALRM with its own number. */
	block(SIGALRM, &s);
	OK(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &other));
	CHECK(other != id);
	OK(settime(other, 0, 1, 0, NULL));
	EQ(sigwaitinfo(&s, &i), SIGALRM);
	EQ(i.si_value.sival_int, other);
	/* Each has a queued signal of its own, which counts. */
	OK(setrlimit(RLIMIT_SIGPENDING, &none));
	OK(setuid(1234));
	ERR(create(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 0, &id), EAGAIN);
}
