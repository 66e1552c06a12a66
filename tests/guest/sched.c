// SPDX-License-Identifier: MIT
// slow: shares of processor time are measured
/* Scheduling, by its effect. proves: sched_setscheduler sched_getscheduler sched_setparam
 * sched_getparam sched_setaffinity sched_getaffinity sched_setattr sched_getattr
 * sched_rr_get_interval sched_get_priority_max sched_get_priority_min sched_yield getpriority
 * setpriority nice getcpu */
#define TEST_LIMIT 55
#include "t.h"
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>

static volatile long *shared;

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	OK(sched_setaffinity(0, sizeof(set), &set));
}

/*
 * A child on CPU 0 that counts in shared[i] until killed; shared[i * 64 + 1] says that it is
 * prepared.
 */
static pid_t spinner(int i, void (*prepare)(void))
{
	pid_t pid = OK(fork());

	if (pid == 0) {
		pin(0);
		if (prepare)
			prepare();
		shared[i * 64 + 1] = 1;
		for (;;)
			shared[i * 64]++;
	}
	return pid;
}

/* CPU time of PID in microseconds. */
static long cpu_us(pid_t pid)
{
	clockid_t clock;
	struct timespec ts;

	EQ(clock_getcpuclockid(pid, &clock), 0);
	OK(clock_gettime(clock, &ts));
	return ts.tv_sec * 1000000L + ts.tv_nsec / 1000;
}

static void setup(void)
{
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED);
}

/* CPU time of PID when it next has some, in microseconds. */
static long next_turn(pid_t pid)
{
	long now, before = cpu_us(pid);

	while ((now = cpu_us(pid)) == before)
		t_sleep_ms(1);
	return now;
}

/* How the CPU time of CPU 0 is shared (microseconds each), once two children have had MS of it
 * together: by the CPU's time and not the wall's, which also runs while the machine below us does
 * something else. With TURNS from a turn of B's to another: a long one, with the CPU stopped by the
 * machine below, is followed by as much longer ones of A's. */
static void race_of(void (*a)(void), void (*b)(void), long ms, bool turns, long *na, long *nb)
{
	pid_t pa, pb;
	long a0, b0;

	setup();
	pa = spinner(0, a);
	pb = spinner(1, b);
	while (!shared[1] || !shared[65])
		t_sleep_ms(10);
	b0 = turns ? next_turn(pb) : cpu_us(pb);
	a0 = cpu_us(pa);
	do {
		t_sleep_ms(50);
		*nb = (turns ? next_turn(pb) : cpu_us(pb)) - b0;
		*na = cpu_us(pa) - a0;
	} while (*na + *nb < ms * 1000);
	CHECK(shared[0] > 0);
	kill(pa, SIGKILL);
	kill(pb, SIGKILL);
	t_wait(pa);
	t_wait(pb);
}

static void race(void (*a)(void), void (*b)(void), long ms, long *na, long *nb)
{
	race_of(a, b, ms, false, na, nb);
}

static void be_nice(void)
{
	EQ(nice(10), 10);
}

static void be_batch(void)
{
	struct sched_param sp = { 0 };

	OK((int)syscall(SYS_sched_setscheduler, 0, SCHED_BATCH, &sp));
}

static void be_idle(void)
{
	struct sched_param sp = { 0 };

	OK((int)syscall(SYS_sched_setscheduler, 0, SCHED_IDLE, &sp));
}

TEST(equals_share)
{
	long a, b;

	race(NULL, NULL, 1000, &a, &b);
	CHECK(a > 0 && b > 0);
	CHECK(a < b * 3 / 2 && b < a * 3 / 2);
	race(NULL, be_batch, 1000, &a, &b);
	CHECK(a < b * 2 && b < a * 2);
}

TEST(nice_gives_way)
{
	long a, b;

	race_of(NULL, be_nice, 3000, true, &a, &b);	/* weights 1024 and 110 */
	CHECK(a > b * 5 && a < b * 18);
}

TEST(idle_class_gives_way)
{
	long a, b;

	race(NULL, be_idle, 3000, &a, &b);	/* weights 1024 and 3 */
	CHECK(a > b * 30);
}

TEST(fifo_runs_first)
{
	struct sched_param sp = { .sched_priority = 10 };
	pid_t pid;

	setup();
	pin(0);
	OK((int)syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &sp));
	EQ(syscall(SYS_sched_getscheduler, 0), SCHED_FIFO);
	pid = OK(fork());
	if (pid == 0) {
		sp.sched_priority = 0;
		OK((int)syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &sp));
		for (;;)
			shared[0]++;
	}
	t_sleep_ms(100);
	CHECK(shared[0] > 0);
	long before = shared[0], end;

	for (end = t_now_ns() + 300000000; t_now_ns() < end;)
		;
	/* Real time is kept to 95 %: a little may pass in a second, not in these 300 ms. */
	CHECK(shared[0] - before < before / 4 + 1000);
	kill(pid, SIGKILL);
	t_wait(pid);
}

TEST(higher_priority_preempts_at_once)
{
	struct sched_param sp = { .sched_priority = 10 };
	int p[2];
	char c;
	pid_t pid;

	setup();
	OK(pipe(p));
	pin(0);
	pid = OK(fork());
	if (pid == 0) {
		sp.sched_priority = 20;
		OK((int)syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &sp));
		EQ(read(p[0], &c, 1), 1);
		shared[0] = 1;
		_exit(0);
	}
	t_sleep_ms(100);
	OK((int)syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &sp));
	EQ(write(p[1], "x", 1), 1);
	EQ(shared[0], 1);			/* it ran before write returned */
	t_wait(pid);
}

/* A thread of the highest priority that never sleeps is taken to another CPU all the same. */
TEST(the_highest_priority_is_moved)
{
	struct sched_param sp = { .sched_priority = 99 };
	cpu_set_t set;
	pid_t pid;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP("one CPU");
	setup();
	pid = OK(fork());
	if (pid == 0) {
		long long end;

		pin(1);
		OK((int)syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &sp));
		end = t_now_ns() + 10000000000ll;
		shared[1] = 1;
		while (!shared[0])
			if (t_now_ns() > end)
				_exit(1);
		_exit(sched_getcpu() == 0 ? 0 : 2);
	}
	while (!shared[1])
		t_sleep_ms(1);
	CPU_ZERO(&set);
	CPU_SET(0, &set);
	OK(sched_setaffinity(pid, sizeof(set), &set));
	shared[0] = 1;
	EQ(t_wait(pid), 0);
}

TEST(round_robin)
{
	struct sched_param sp = { .sched_priority = 5 };
	struct timespec ts;
	pid_t pid[2];
	long a, b;

	setup();
	pin(0);
	sp.sched_priority = 50;
	OK((int)syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &sp));
	for (int i = 0; i < 2; i++) {
		pid[i] = OK(fork());
		if (pid[i] == 0) {
			sp.sched_priority = 5;
			OK((int)syscall(SYS_sched_setscheduler, 0, SCHED_RR, &sp));
			for (;;)
				shared[i * 64]++;
		}
	}
	t_sleep_ms(50);
	OK(sched_rr_get_interval(pid[0], &ts));
	CHECK(ts.tv_sec == 0 && ts.tv_nsec > 0);
	do {
		t_sleep_ms(50);
		a = cpu_us(pid[0]);
		b = cpu_us(pid[1]);
	} while (a + b < 800000);
	CHECK(shared[0] > 0 && shared[64] > 0);
	kill(pid[0], SIGKILL);
	kill(pid[1], SIGKILL);
	t_wait(pid[0]);
	t_wait(pid[1]);
	CHECK(a < b * 4 && b < a * 4);
}

TEST(affinity_holds)
{
	int n = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t set;
	unsigned int cpu;

	for (int i = 0; i < n; i++) {
		pin(i);
		for (int k = 0; k < 20; k++) {
			OK((int)syscall(SYS_getcpu, &cpu, NULL, NULL));
			EQ(cpu, i);
			sched_yield();
		}
		OK(sched_getaffinity(0, sizeof(set), &set));
		EQ(CPU_COUNT(&set), 1);
		CHECK(CPU_ISSET(i, &set));
		pid_t pid = OK(fork());		/* inherited */

		if (pid == 0) {
			OK((int)syscall(SYS_getcpu, &cpu, NULL, NULL));
			_exit(cpu == (unsigned int)i ? 0 : 1);
		}
		CHECK(t_child_ok(pid));
	}
	CPU_ZERO(&set);
	ERR(sched_setaffinity(0, sizeof(set), &set), EINVAL);
	CPU_SET(1000, &set);
	ERR(sched_setaffinity(0, sizeof(set), &set), EINVAL);
	ERR(sched_setaffinity(999999, sizeof(set), &set), ESRCH);
	ERR(syscall(SYS_sched_getaffinity, 0, 1, &set), EINVAL);
}

TEST(all_cpus_work)
{
	int n = sysconf(_SC_NPROCESSORS_ONLN);
	pid_t pid[64];

	if (n == 1)
		SKIP("one CPU");
	setup();
	for (int i = 0; i < n && i < 8; i++) {
		pid[i] = OK(fork());
		if (pid[i] == 0)
			for (;;) {
				unsigned int cpu;

				syscall(SYS_getcpu, &cpu, NULL, NULL);
				shared[i * 32] = cpu + 1;
			}
	}
	/* As many spinners as CPUs: they end up with one each (else the time limit strikes). */
	unsigned long all = n >= 8 ? 8 : n, seen;

	do {
		seen = 0;
		t_sleep_ms(20);
		for (unsigned long i = 0; i < all; i++)
			if (shared[i * 32])
				seen |= 1ul << (shared[i * 32] - 1);
	} while ((unsigned long)__builtin_popcountl(seen) != all);
	for (unsigned long i = 0; i < all; i++) {
		CHECK(cpu_us(pid[i]) > 0);
		kill(pid[i], SIGKILL);
		t_wait(pid[i]);
	}
}

TEST(priorities_and_rights)
{
	struct sched_param sp = { .sched_priority = 10 };

	EQ(getpriority(PRIO_PROCESS, 0), 0);
	OK(setpriority(PRIO_PROCESS, 0, 5));
	EQ(getpriority(PRIO_PROCESS, 0), 5);
	OK(setpriority(PRIO_PROCESS, 0, 100));
	EQ(getpriority(PRIO_PROCESS, 0), 19);
	OK(setpriority(PRIO_PROCESS, 0, -100));
	EQ(getpriority(PRIO_PROCESS, 0), -20);
	ERR(setpriority(PRIO_PROCESS, 999999, 0), ESRCH);
	ERR(setpriority(77, 0, 0), EINVAL);
	EQ(syscall(SYS_sched_get_priority_max, SCHED_FIFO), 99);
	EQ(syscall(SYS_sched_get_priority_min, SCHED_RR), 1);
	EQ(syscall(SYS_sched_get_priority_max, SCHED_OTHER), 0);
	ERR(syscall(SYS_sched_get_priority_max, 77), EINVAL);
	ERR(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &sp), EINVAL);
	ERR(syscall(SYS_sched_setscheduler, 0, 77, &sp), EINVAL);
	sp.sched_priority = 100;
	ERR(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &sp), EINVAL);
	OK(setpriority(PRIO_PROCESS, 0, 0));
	OK(setuid(1000));
	sp.sched_priority = 1;
	ERR(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &sp), EPERM);
	ERR(setpriority(PRIO_PROCESS, 0, -1), EACCES);
	OK(setpriority(PRIO_PROCESS, 0, 3));
	ERR(setpriority(PRIO_PROCESS, 0, 2), EACCES);
}

struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};

TEST(attributes)
{
	struct attr a = { .size = sizeof(a), .policy = SCHED_BATCH, .nice = 7 }, b;

	OK((int)syscall(SYS_sched_setattr, 0, &a, 0));
	memset(&b, 0, sizeof(b));
	OK((int)syscall(SYS_sched_getattr, 0, &b, sizeof(b), 0));
	EQ(b.policy, SCHED_BATCH);
	EQ(b.nice, 7);
	ERR(syscall(SYS_sched_getattr, 0, &b, 10, 0), EINVAL);
	ERR(syscall(SYS_sched_setattr, 0, &a, 1), EINVAL);
	a.flags = 1;				/* reset on fork */
	OK((int)syscall(SYS_sched_setattr, 0, &a, 0));
	pid_t pid = OK(fork());

	if (pid == 0) {
		OK((int)syscall(SYS_sched_getattr, 0, &b, sizeof(b), 0));
		EQ(b.policy, SCHED_BATCH);
		EQ(b.flags & 1, 0);
		_exit(0);
	}
	CHECK(t_child_ok(pid));
}

TEST(load_average_rises)
{
	double a = -1;
	pid_t pid[3];
	FILE *f;

	setup();
	for (int i = 0; i < 3; i++)
		pid[i] = spinner(i, NULL);
	t_sleep_ms(11000);
	f = fopen("/proc/loadavg", "r");
	CHECK(f);
	EQ(fscanf(f, "%lf", &a), 1);
	fclose(f);
	for (int i = 0; i < 3; i++) {
		kill(pid[i], SIGKILL);
		t_wait(pid[i]);
	}
	CHECK(a > 0.2);
}
