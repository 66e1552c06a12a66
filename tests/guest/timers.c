// SPDX-License-Identifier: MIT
/* Clocks and sleeping. proves: clock_gettime clock_settime clock_getres clock_nanosleep nanosleep
 * gettimeofday settimeofday time timer_create timer_settime timer_gettime timer_getoverrun
 * timer_delete times adjtimex clock_adjtime */
#include "t.h"
#include <limits.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/timex.h>

static long long ns(clockid_t c)
{
	struct timespec ts;

	OK(clock_gettime(c, &ts));
	CHECK(ts.tv_nsec >= 0 && ts.tv_nsec < 1000000000);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

TEST(clocks_go_forward)
{
	static const clockid_t c[] = {
		CLOCK_REALTIME, CLOCK_MONOTONIC,       CLOCK_MONOTONIC_RAW,
		CLOCK_BOOTTIME, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE,
		CLOCK_TAI
	};

	for (unsigned int i = 0; i < sizeof(c) / sizeof(*c); i++) {
		long long a = ns(c[i]), b;

		t_sleep_ms(40);
		b = ns(c[i]);
		CHECK(b - a >= 25000000);
		for (int k = 0; k < 1000; k++) {
			a = ns(c[i]);
			CHECK(a >= b);
			b = a;
		}
	}
	ERR(clock_gettime(99, (struct timespec *)&c), EINVAL);
	ERR(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, 8L), EFAULT);
}

/* The vDSO and the system call tell the same time. */
TEST(fast_and_slow_agree)
{
	for (int i = 0; i < 200; i++) {
		struct timespec s;
		long long a = ns(CLOCK_MONOTONIC), m, b;

		syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &s);
		b = ns(CLOCK_MONOTONIC);
		m = s.tv_sec * 1000000000LL + s.tv_nsec;
		CHECK(a <= m && m <= b);
	}
	struct timeval tv, tv2, tv3;

	gettimeofday(&tv, NULL);
	syscall(SYS_gettimeofday, &tv2, NULL);
	gettimeofday(&tv3, NULL);
	CHECK(!timercmp(&tv, &tv2, >) && !timercmp(&tv2, &tv3, >));
	CHECK(time(NULL) >= tv2.tv_sec - 1);		/* that of the last tick */
	CHECK(time(NULL) > 1577836800);		/* 2020: the machine's clock was read */
}

TEST(on_every_cpu_the_same)
{
	int n = sysconf(_SC_NPROCESSORS_ONLN), p[2];
	long long t;

	OK(pipe(p));
	if (n < 2)
		SKIP("one CPU");
	for (int i = 0; i < 4 * n; i++) {
		pid_t pid = OK(fork());

		if (pid == 0) {
			t = ns(CLOCK_MONOTONIC);
			EQ(write(p[1], &t, sizeof(t)), sizeof(t));
			_exit(0);
		}
		EQ(read(p[0], &t, sizeof(t)), sizeof(t));
		CHECK(t <= ns(CLOCK_MONOTONIC));
		t_wait(pid);
	}
}

TEST(resolution)
{
	struct timespec ts;

	OK(clock_getres(CLOCK_MONOTONIC, &ts));
	EQ(ts.tv_sec, 0);
	EQ(ts.tv_nsec, 1);
	OK(clock_getres(CLOCK_REALTIME_COARSE, &ts));
	CHECK(ts.tv_nsec >= 1000000 && ts.tv_nsec <= 10000000);
	OK(clock_getres(CLOCK_MONOTONIC, NULL));
	ERR(clock_getres(99, &ts), EINVAL);
}

TEST(sleeping)
{
	struct timespec ts = { 0, 70000000 };
	long long a = ns(CLOCK_MONOTONIC), d, least = 1000000000;

	OK(nanosleep(&ts, NULL));
	CHECK(ns(CLOCK_MONOTONIC) - a >= 70000000);
	a = ns(CLOCK_MONOTONIC);
	ts.tv_sec = (a + 80000000) / 1000000000;
	ts.tv_nsec = (a + 80000000) % 1000000000;
	EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL), 0);
	CHECK(ns(CLOCK_MONOTONIC) >= a + 80000000);
	EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL), 0);
	ts.tv_nsec = 1000000000;
	ERR(nanosleep(&ts, NULL), EINVAL);
	ts.tv_nsec = 0;
	ts.tv_sec = -1;
	ERR(nanosleep(&ts, NULL), EINVAL);
	EQ(clock_nanosleep(99, 0, &ts, NULL), EINVAL);
	/*
	 * Short ones can be short: one of many, whatever else goes on, ends well before the second
	 * tick.
	 */
	for (int i = 0; i < 100; i++) {
		a = ns(CLOCK_MONOTONIC);
		t_sleep_ms(1);
		d = ns(CLOCK_MONOTONIC) - a;
		least = d < least ? d : least;
	}
	CHECK(least >= 1000000 && least < 20000000);
}

static void heard(int sig)
{
}

/* A sleep of the longest time does not return at once. */
TEST(sleeping_for_ever)
{
	struct itimerval often = { { 0, 20000 }, { 0, 20000 } };
	struct timespec ts = { LONG_MAX, 999999999 }, rest = { 0, 0 };
	struct sigaction sa = { .sa_handler = heard };

	OK(sigaction(SIGALRM, &sa, NULL));
	OK(setitimer(ITIMER_REAL, &often, NULL));
	ERR(nanosleep(&ts, &rest), EINTR);
	CHECK(rest.tv_sec > 9000000000 && rest.tv_sec < 9223372037);
	rest.tv_sec = 0;
	EQ(clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, &rest), EINTR);
	CHECK(rest.tv_sec > 9000000000 && rest.tv_sec < 9223372037);
	EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, &rest), EINTR);
}

TEST(cpu_clocks)
{
	long long p = ns(CLOCK_PROCESS_CPUTIME_ID), t = ns(CLOCK_THREAD_CPUTIME_ID), w;

	t_sleep_ms(200);
	CHECK(ns(CLOCK_PROCESS_CPUTIME_ID) - p < 100000000);
	for (w = ns(CLOCK_MONOTONIC); ns(CLOCK_MONOTONIC) - w < 200000000;)
		;
	CHECK(ns(CLOCK_PROCESS_CPUTIME_ID) - p > 60000000);
	CHECK(ns(CLOCK_THREAD_CPUTIME_ID) - t > 60000000);
	struct tms tms;

	CHECK(times(&tms) > 0);
	CHECK(tms.tms_utime + tms.tms_stime >= 5);
}

TEST(setting_the_clock)
{
	struct timespec ts, was;
	long long mono = ns(CLOCK_MONOTONIC);

	OK(clock_gettime(CLOCK_REALTIME, &was));
	ts = was;
	ts.tv_sec += 100000;
	OK(clock_settime(CLOCK_REALTIME, &ts));
	CHECK(time(NULL) >= ts.tv_sec - 1 && time(NULL) - ts.tv_sec < 50000);
	CHECK(ns(CLOCK_MONOTONIC) - mono < 50000 * 1000000000LL);
	was.tv_sec += 1;
	OK(clock_settime(CLOCK_REALTIME, &was));
	ERR(clock_settime(CLOCK_MONOTONIC, &ts), EINVAL);
	pid_t pid = OK(fork());

	if (pid == 0) {
		OK(setuid(1000));
		ERR(clock_settime(CLOCK_REALTIME, &was), EPERM);
		_exit(0);
	}
	CHECK(t_child_ok(pid));
}

/*
 * Who sets the clock moves moments, not spans of time: neither timer goes off, a timer for a moment
 * does.
 */
TEST(setting_the_clock_spares_spans)
{
	struct itimerspec span = { .it_value.tv_sec = 5000 }, left;
	struct sigevent se = { .sigev_notify = SIGEV_NONE };
	int fd = OK(timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK)),
	    moment = OK(timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK));
	struct timespec was, ts;
	uint64_t n;
	timer_t id;

	OK(timer_create(CLOCK_REALTIME, &se, &id));
	OK(timer_settime(id, 0, &span, NULL));
	OK(timerfd_settime(fd, 0, &span, NULL));
	OK(clock_gettime(CLOCK_REALTIME, &was));
	span.it_value.tv_sec = was.tv_sec + 5000;
	OK(timerfd_settime(moment, TFD_TIMER_ABSTIME, &span, NULL));
	ts = was;
	ts.tv_sec += 100000;
	OK(clock_settime(CLOCK_REALTIME, &ts));
	OK(timer_gettime(id, &left));
	ssize_t a = read(fd, &n, 8), b;

	t_sleep_ms(20);
	b = read(moment, &n, 8);
	was.tv_sec += 1;
	OK(clock_settime(CLOCK_REALTIME, &was));
	CHECK(left.it_value.tv_sec > 4900);
	EQ(a, -1);
	EQ(b, 8);
}

TEST(sleeping_by_a_threads_own_time)
{
	struct timespec ts = { 0, 1000 };

	ERR(syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &ts, NULL), EOPNOTSUPP);
}

static volatile int hits;
static volatile siginfo_t info;

static void on_timer(int sig, siginfo_t *si, void *uc)
{
	hits++;
	*(siginfo_t *)&info = *si;
}

TEST(posix_timers)
{
	struct sigaction sa = { .sa_sigaction = on_timer, .sa_flags = SA_SIGINFO };
	struct sigevent se = { .sigev_notify = SIGEV_SIGNAL,
			       .sigev_signo = SIGUSR1,
			       .sigev_value.sival_int = 31 };
	struct itimerspec it = { { 0, 20000000 }, { 0, 50000000 } }, now;
	sigset_t set;
	timer_t id;

	OK(sigaction(SIGUSR1, &sa, NULL));
	if (timer_create(CLOCK_MONOTONIC, &se, &id) < 0 && errno == ENOSYS)
		SKIP("no timer_create");
	OK(timer_gettime(id, &now));
	EQ(now.it_value.tv_nsec, 0);
	OK(timer_settime(id, 0, &it, NULL));
	OK(timer_gettime(id, &now));
	CHECK(now.it_value.tv_nsec > 0 && now.it_value.tv_nsec <= 50000000);
	while (hits < 3)
		pause();
	EQ(info.si_code, SI_TIMER);
	EQ(info.si_value.sival_int, 31);
	/* While it is blocked the times it would have gone off are counted. */
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	OK(sigprocmask(SIG_BLOCK, &set, NULL));
	t_sleep_ms(200);
	siginfo_t si;

	EQ(sigwaitinfo(&set, &si), SIGUSR1);
	CHECK(timer_getoverrun(id) >= 4);
	OK(timer_delete(id));
	ERR(syscall(SYS_timer_delete, 12345), EINVAL);
	ERR(syscall(SYS_timer_settime, 12345, 0, &it, NULL), EINVAL);
	se.sigev_notify = 77;
	ERR(timer_create(CLOCK_MONOTONIC, &se, &id), EINVAL);
	se.sigev_notify = SIGEV_NONE;
	OK(timer_create(CLOCK_MONOTONIC, &se, &id));
}

TEST(adjtimex_reads_and_checks)
{
	struct timex tx = { 0 };
	time_t now;

	now = time(NULL);
	CHECK(adjtimex(&tx) >= 0);
	CHECK(tx.time.tv_sec >= now && tx.time.tv_sec <= time(NULL) + 1);
	CHECK(tx.tick >= 9000 && tx.tick <= 11000);
	tx.modes = ADJ_SETOFFSET;
	for (unsigned int i = 0; i < 3; i++) {
		/* The last one times 1000 is 384 again. */
		tx.time.tv_usec = (const long[]){ -1, 1000000, 18446744073709552 }[i];
		ERR(adjtimex(&tx), EINVAL);
	}
	tx.modes = ADJ_SETOFFSET | ADJ_NANO;
	tx.time.tv_usec = 1000000000;
	ERR(adjtimex(&tx), EINVAL);
	/* none of them moved the clock */
	CHECK(time(NULL) >= now && time(NULL) - now < tx.time.tv_sec);
}

static int set_to(time_t s)
{
	return clock_settime(CLOCK_REALTIME, &(struct timespec){ .tv_sec = s });
}

#define LATEST 8277292035LL	/* from a second more on, 64-bit nanoseconds overflow within 30 years */

static void set_badly(int why)
{
	ERR(set_to(LATEST + 1), EINVAL);
	ERR(set_to(1LL << 34), EINVAL);
	ERR(set_to(LONG_MAX), EINVAL);
	ERR(set_to(-1), EINVAL);
	ERR(syscall(SYS_settimeofday, &(struct timeval){ .tv_sec = LATEST + 1 }, NULL), EINVAL);
	ERR(syscall(SYS_settimeofday, NULL, &(struct timezone){ .tz_minuteswest = 901 }), why);
}

TEST(times_out_of_range)
{
	struct timex tx = { .modes = ADJ_SETOFFSET, .time.tv_sec = LATEST };
	struct timespec was;
	pid_t pid;

	OK(clock_gettime(CLOCK_REALTIME, &was));
	set_badly(EINVAL);
	ERR(adjtimex(&tx), EINVAL);
	tx.time.tv_sec = -LATEST;
	ERR(adjtimex(&tx), EINVAL);
	ERR(set_to(0), EINVAL);			/* before boot */
	CHECK(time(NULL) - was.tv_sec < 100);
	OK(set_to(LATEST));
	CHECK(time(NULL) >= LATEST - 1);
	OK(clock_settime(CLOCK_REALTIME, &was));
	pid = OK(fork());
	if (pid == 0) {
		OK(setuid(1000));
		/* the time is looked at before the right to set it, the zone after */
		set_badly(EPERM);
		_exit(0);
	}
	CHECK(t_child_ok(pid));
}

TEST(time_zone)
{
	struct timezone set = { -60, 1 }, z = { 0 }, none = { 0 };

	OK(syscall(SYS_settimeofday, NULL, &none));
	OK(syscall(SYS_settimeofday, NULL, &set));
	OK(syscall(SYS_gettimeofday, NULL, &z));
	OK(syscall(SYS_settimeofday, NULL, &none));
	EQ(z.tz_minuteswest, -60);
	EQ(z.tz_dsttime, 1);
}

static const struct itimerspec long_ago = { .it_value.tv_nsec = 1 };

/* How often it went off; minus the errno. */
static int count_of(int fd)
{
	uint64_t n;

	return read(fd, &n, sizeof(n)) == sizeof(n) ? (int)n : -errno;
}

static bool is_past(struct itimerspec *s)
{
	struct timespec now;

	OK(clock_gettime(CLOCK_MONOTONIC, &now));
	s->it_value = (struct timespec){ .tv_sec = now.tv_sec - 1, .tv_nsec = now.tv_nsec };
	return s->it_value.tv_sec > 0;
}

/* It has gone off when the call returns, by whatever means one looks. */
TEST(timers_for_times_gone_by)
{
	static const clockid_t clocks[] = { CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME };
	struct itimerspec s = { .it_interval.tv_nsec = 100000000 }, left;
	int fd, n;

	for (int i = 0; i < 300; i++) {
		fd = OK(timerfd_create(clocks[i % 3], TFD_NONBLOCK));
		OK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &long_ago, NULL));
		EQ(count_of(fd), 1);
		EQ(count_of(fd), -EAGAIN);
		OK(timerfd_gettime(fd, &left));
		EQ(left.it_value.tv_sec + left.it_value.tv_nsec, 0);
		close(fd);
	}
	fd = OK(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
	while (!is_past(&s))
		t_sleep_ms(100);
	OK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &s, NULL));
	n = count_of(fd);
	CHECK(n >= 11 && n < 100);		/* all of its intervals */
	OK(timerfd_gettime(fd, &left));
	CHECK(left.it_value.tv_nsec > 0 && left.it_value.tv_nsec <= 100000000);
}

static volatile sig_atomic_t alarms;

static void count_alarm(int sig)
{
	alarms++;
}

TEST(signals_of_times_gone_by)
{
	static const clockid_t clocks[] = { CLOCK_MONOTONIC, CLOCK_REALTIME,
					    CLOCK_PROCESS_CPUTIME_ID };
	struct itimerspec left;
	timer_t id;

	signal(SIGALRM, count_alarm);
	alarm(0);
	for (int i = 0; i < 300; i++) {
		OK(timer_create(clocks[i % 3], NULL, &id));
		OK(timer_settime(id, TIMER_ABSTIME, &long_ago, NULL));
		EQ(alarms, i + 1);
		OK(timer_gettime(id, &left));
		EQ(left.it_value.tv_sec + left.it_value.tv_nsec, 0);
		OK(timer_delete(id));
	}
}

/* A step of the clock cancels; who sets the timer anew before a read is told by that. */
TEST(canceled_by_a_step)
{
	const int how = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
	struct itimerspec far = { .it_value.tv_sec = 8000000000LL }, none = { 0 };
	int fd = OK(timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK));
	struct timespec now;

	OK(timerfd_settime(fd, how, &far, NULL));
	OK(clock_gettime(CLOCK_REALTIME, &now));
	OK(clock_settime(CLOCK_REALTIME, &now));
	EQ(count_of(fd), -ECANCELED);
	EQ(count_of(fd), -EAGAIN);
	OK(clock_gettime(CLOCK_REALTIME, &now));
	OK(clock_settime(CLOCK_REALTIME, &now));
	ERR(timerfd_settime(fd, how, &far, NULL), ECANCELED);
	EQ(count_of(fd), -EAGAIN);
	OK(clock_gettime(CLOCK_REALTIME, &now));
	OK(clock_settime(CLOCK_REALTIME, &now));
	OK(timerfd_settime(fd, 0, &none, NULL));
	EQ(count_of(fd), -EAGAIN);
}
