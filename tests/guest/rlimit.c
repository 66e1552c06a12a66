// SPDX-License-Identifier: MIT
/* Resource limits, by their effect. proves: getrlimit setrlimit prlimit64 getrusage */
#include "t.h"
#include <sys/mman.h>
#include <sys/resource.h>

static void limit(int what, rlim_t soft, rlim_t hard)
{
	struct rlimit rl = { soft, hard };

	OK(setrlimit(what, &rl));
}

TEST(get_and_set)
{
	struct rlimit rl;

	limit(RLIMIT_NOFILE, 100, 200);
	OK(getrlimit(RLIMIT_NOFILE, &rl));
	EQ(rl.rlim_cur, 100);
	EQ(rl.rlim_max, 200);
	rl.rlim_cur = 300;
	ERR(setrlimit(RLIMIT_NOFILE, &rl), EINVAL);
	ERR(setrlimit(99, &rl), EINVAL);
	ERR(getrlimit(99, &rl), EINVAL);
	pid_t pid = OK(fork());

	if (pid == 0) {
		OK(getrlimit(RLIMIT_NOFILE, &rl));
		EQ(rl.rlim_cur, 100);
		OK(setuid(1000));
		rl.rlim_cur = rl.rlim_max = 201;
		ERR(setrlimit(RLIMIT_NOFILE, &rl), EPERM);
		rl.rlim_cur = rl.rlim_max = 150;
		OK(setrlimit(RLIMIT_NOFILE, &rl));
		_exit(0);
	}
	CHECK(t_child_ok(pid));
	struct {
		uint64_t cur, max;
	} n = { 50, 60 }, o;

	OK((int)syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &n, &o));
	EQ(o.cur, 100);
	ERR(syscall(SYS_prlimit64, 999999, RLIMIT_NOFILE, &n, &o), ESRCH);
}

TEST(open_files)
{
	int last = -1, fd;

	limit(RLIMIT_NOFILE, 20, 20);
	while ((fd = open("/dev/null", O_RDONLY)) >= 0)
		last = fd;
	EQ(errno, EMFILE);
	EQ(last, 19);
	ERR(dup(0), EMFILE);
	ERR(dup2(0, 20), EBADF);
	ERR(fcntl(0, F_DUPFD, 20), EINVAL);
	int p[2];

	ERR(pipe(p), EMFILE);
	close(19);
	EQ(dup(0), 19);
}

TEST(file_size)
{
	int fd;
	pid_t pid = OK(fork());

	unlink("/tmp/fsz");
	if (pid == 0) {
		limit(RLIMIT_FSIZE, 1000, 1000);
		fd = OK(open("/tmp/fsz", O_CREAT | O_RDWR, 0600));
		char b[800] = { 0 };

		EQ(write(fd, b, 800), 800);
		EQ(write(fd, b, 800), 200);
		signal(SIGXFSZ, SIG_IGN);
		ERR(write(fd, b, 1), EFBIG);
		ERR(ftruncate(fd, 1001), EFBIG);
		signal(SIGXFSZ, SIG_DFL);
		write(fd, b, 1);
		_exit(0);
	}
	EQ(WTERMSIG(t_wait(pid)), SIGXFSZ);
	unlink("/tmp/fsz");
}

TEST(cpu_time)
{
	long long start = t_now_ns();
	pid_t pid = OK(fork());

	if (pid == 0) {
		limit(RLIMIT_CPU, 1, 1000);	/* a processor that stood still has seconds pass at once */
		for (;;)
			;
	}
	EQ(WTERMSIG(t_wait(pid)), SIGXCPU);
	CHECK(t_now_ns() - start > 700000000);
	pid = OK(fork());
	if (pid == 0) {
		signal(SIGXCPU, SIG_IGN);
		limit(RLIMIT_CPU, 1, 2);
		for (;;)
			;
	}
	EQ(WTERMSIG(t_wait(pid)), SIGKILL);
}

/* As many seconds as are in nanoseconds 7 * 2^64 + 33138688. */
TEST(cpu_time_of_many_years)
{
	struct rusage u;

	if (access("/proc/sys/vm/user_lasting_kbytes", F_OK))
		SKIP("Linux counts in 64 bits");
	limit(RLIMIT_CPU, 129127208516, 129127208516);
	do
		OK(getrusage(RUSAGE_SELF, &u));
	while (u.ru_utime.tv_sec + u.ru_stime.tv_sec == 0 && u.ru_utime.tv_usec + u.ru_stime.tv_usec < 100000);
}

TEST(processes)
{
	pid_t pid = OK(fork());

	if (pid == 0) {
		int n = 0;
		pid_t kids[10];

		limit(RLIMIT_NPROC, 5, 5);
		OK(setuid(4321));
		while (n < 10 && (kids[n] = fork()) >= 0) {
			if (kids[n] == 0)
				for (;;)
					pause();
			n++;
		}
		EQ(errno, EAGAIN);
		EQ(n, 4);
		for (int i = 0; i < n; i++) {
			kill(kids[i], SIGKILL);
			t_wait(kids[i]);
		}
		_exit(0);
	}
	CHECK(t_child_ok(pid));
}

static int try_exec(void)
{
	execl("/proc/self/exe/x", "x", (char *)NULL);
	return errno;
}

/*
 * A program that became a user's who has too many processes does not start another; one that was
 * his does, and so does one that could fork since.
 */
TEST(exec_past_the_limit)
{
	for (int other = 0; other < 2; other++) {
		pid_t pid = OK(fork());

		if (!pid) {
			pid_t kids[2];

			OK(setuid(other ? 0 : 4322));
			for (int i = 0; i < 2; i++) {
				kids[i] = OK(fork());
				if (!kids[i]) {
					OK(setuid(4322));
					for (;;)
						pause();
				}
				t_until_asleep(kids[i]);
			}
			limit(RLIMIT_NPROC, 1, 2);
			OK(setuid(4322));
			EQ(try_exec(), other ? EAGAIN : ENOTDIR);
			ERR(fork(), EAGAIN);
			EQ(try_exec(), other ? EAGAIN : ENOTDIR);
			OK(kill(kids[0], SIGKILL));
			t_wait(kids[0]);
			EQ(try_exec(), other ? EAGAIN : ENOTDIR);
			OK(kill(kids[1], SIGKILL));
			t_wait(kids[1]);
			EQ(try_exec(), ENOTDIR);
			_exit(0);
		}
		CHECK(t_child_ok(pid));
	}
}

TEST(pending_signals)
{
	union sigval v = { 0 };
	sigset_t set;
	int n = 0;

	limit(RLIMIT_SIGPENDING, 10, 10);
	sigfillset(&set);
	OK(sigprocmask(SIG_BLOCK, &set, NULL));
	while (n < 1000 && sigqueue(getpid(), SIGRTMIN, v) == 0)
		n++;
	EQ(errno, EAGAIN);
	CHECK(n >= 5 && n <= 10);
}

TEST(usage)
{
	struct rusage a, b, k;
	volatile long n = 0;
	long long end;
	char *p;

	OK(getrusage(RUSAGE_SELF, &a));
	for (end = t_now_ns() + 250000000; t_now_ns() < end;)
		n++;
	p = mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < 4 << 20; i += 4096)
		p[i] = 1;
	for (int i = 0; i < 5; i++)
		t_sleep_ms(5);
	OK(getrusage(RUSAGE_SELF, &b));
	long us = (b.ru_utime.tv_sec - a.ru_utime.tv_sec) * 1000000 + b.ru_utime.tv_usec -
		  a.ru_utime.tv_usec + (b.ru_stime.tv_sec - a.ru_stime.tv_sec) * 1000000 +
		  b.ru_stime.tv_usec - a.ru_stime.tv_usec;

	CHECK(us > 80000 && us < 1500000);
	CHECK(b.ru_minflt - a.ru_minflt >= 100);	/* large pages may take fewer than 1024 */
	CHECK(b.ru_maxrss >= 4096);
	CHECK(b.ru_nvcsw - a.ru_nvcsw >= 5);
	pid_t pid = OK(fork());

	if (pid == 0) {
		for (end = t_now_ns() + 200000000; t_now_ns() < end;)
			n++;
		_exit(0);
	}
	OK(getrusage(RUSAGE_CHILDREN, &a));
	t_wait(pid);
	OK(getrusage(RUSAGE_CHILDREN, &k));
	CHECK(k.ru_utime.tv_usec + k.ru_stime.tv_usec + 1000000 * k.ru_utime.tv_sec -
		      a.ru_utime.tv_usec >
	      60000);
	ERR(getrusage(77, &a), EINVAL);
}

TEST(core_and_name)
{
	limit(RLIMIT_CORE, 0, 0);
	pid_t pid = OK(fork());

	if (pid == 0)
		abort();
	int st = t_wait(pid);

	EQ(WTERMSIG(st), SIGABRT);
	CHECK(!WCOREDUMP(st));
}
