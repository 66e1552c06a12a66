// SPDX-License-Identifier: MIT
/* Waiting for children. proves: wait4 waitid vfork */
#include "t.h"
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>

TEST(which_child)
{
	pid_t a = OK(fork()), b;
	int status;

	if (a == 0)
		_exit(1);
	b = OK(fork());
	if (b == 0)
		_exit(2);
	EQ(waitpid(b, &status, 0), b);
	EQ(WEXITSTATUS(status), 2);
	EQ(waitpid(-1, &status, 0), a);
	EQ(WEXITSTATUS(status), 1);
	ERR(waitpid(-1, &status, 0), ECHILD);
	ERR(waitpid(a, &status, 0), ECHILD);
	ERR(waitpid(-1, &status, 0x100), EINVAL);
}

TEST(no_hang)
{
	int p[2], status;
	pid_t pid;

	OK(pipe(p));
	pid = OK(fork());
	if (pid == 0) {
		char c;

		read(p[0], &c, 1);
		_exit(5);
	}
	EQ(waitpid(pid, &status, WNOHANG), 0);
	EQ(write(p[1], "x", 1), 1);
	EQ(waitpid(pid, &status, 0), pid);
	EQ(WEXITSTATUS(status), 5);
}

TEST(waitid_and_nowait)
{
	siginfo_t si;
	pid_t pid = OK(fork());

	if (pid == 0)
		_exit(9);
	memset(&si, 0, sizeof(si));
	OK(waitid(P_PID, pid, &si, WEXITED | WNOWAIT));
	EQ(si.si_pid, pid);
	EQ(si.si_status, 9);
	EQ(si.si_code, CLD_EXITED);
	EQ(si.si_signo, SIGCHLD);
	OK(waitid(P_ALL, 0, &si, WEXITED));
	EQ(si.si_pid, pid);
	ERR(waitid(P_ALL, 0, &si, WEXITED), ECHILD);
	ERR(waitid(P_PID, pid, &si, 0), EINVAL);
	pid = OK(fork());
	if (pid == 0)
		kill(getpid(), SIGKILL);
	OK(waitid(P_PID, pid, &si, WEXITED));
	EQ(si.si_code, CLD_KILLED);
	EQ(si.si_status, SIGKILL);
}

/* The other bytes of the siginfo_t stay as they were. */
TEST(waitid_writes_its_fields_alone)
{
	unsigned char b[sizeof(siginfo_t)];
	siginfo_t *si = (siginfo_t *)b;
	size_t from = offsetof(siginfo_t, si_pid), end = from + 3 * sizeof(int);
	pid_t pid = OK(fork());

	if (pid == 0)
		_exit(9);
	memset(b, 0xa5, sizeof(b));
	OK(waitid(P_PID, pid, si, WEXITED));
	EQ(si->si_signo, SIGCHLD);
	EQ(si->si_errno, 0);
	EQ(si->si_code, CLD_EXITED);
	EQ(si->si_pid, pid);
	EQ(si->si_uid, getuid());
	EQ(si->si_status, 9);
	for (size_t i = 3 * sizeof(int); i < sizeof(b); i++)
		if (i < from || i >= end)
			EQ(b[i], 0xa5);
}

TEST(stop_and_continue)
{
	siginfo_t si;
	int status;
	pid_t pid = OK(fork());

	if (pid == 0)
		for (;;)
			pause();
	OK(kill(pid, SIGSTOP));
	EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK(WIFSTOPPED(status));
	EQ(WSTOPSIG(status), SIGSTOP);
	EQ(waitpid(pid, &status, WUNTRACED | WNOHANG), 0);	/* told once */
	OK(kill(pid, SIGCONT));
	EQ(waitpid(pid, &status, WCONTINUED), pid);
	CHECK(WIFCONTINUED(status));
	OK(kill(pid, SIGTSTP));
	OK(waitid(P_PID, pid, &si, WSTOPPED));
	EQ(si.si_code, CLD_STOPPED);
	EQ(si.si_status, SIGTSTP);
	OK(kill(pid, SIGKILL));		/* kills a stopped one */
	EQ(waitpid(pid, &status, 0), pid);
	EQ(WTERMSIG(status), SIGKILL);
}

TEST(core_flag_and_signals)
{
	static const int sigs[] = { SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGALRM, SIGPIPE };

	for (unsigned int i = 0; i < sizeof(sigs) / sizeof(*sigs); i++) {
		int status;
		pid_t pid = OK(fork());

		if (pid == 0) {
			kill(getpid(), sigs[i]);
			_exit(0);
		}
		EQ(waitpid(pid, &status, 0), pid);
		CHECK(WIFSIGNALED(status));
		EQ(WTERMSIG(status), sigs[i]);
	}
}

TEST(groups)
{
	int status;
	pid_t a = OK(fork()), b;

	if (a == 0) {
		setpgid(0, 0);
		_exit(3);
	}
	setpgid(a, a);
	b = OK(fork());
	if (b == 0)
		_exit(4);
	EQ(waitpid(-a, &status, 0), a);
	EQ(waitpid(0, &status, 0), b);
	ERR(waitpid(-a, &status, 0), ECHILD);
}

TEST(ignored_children_reap_themselves)
{
	int status;
	pid_t pid;

	signal(SIGCHLD, SIG_IGN);
	pid = OK(fork());
	if (pid == 0)
		_exit(0);
	ERR(waitpid(pid, &status, 0), ECHILD);
	for (int i = 0; i < 100 && !kill(pid, 0); i++)
		t_sleep_ms(10);
	ERR(kill(pid, 0), ESRCH);
}

TEST(orphans_go_to_init)
{
	int p[2], got = 0;

	OK(pipe(p));
	if (OK(fork()) == 0) {
		if (fork() == 0) {
			int ppid;

			for (int i = 0; i < 500 && getppid() != 1; i++)
				t_sleep_ms(10);
			ppid = getppid();
			write(p[1], &ppid, sizeof(ppid));
		}
		_exit(0);
	}
	t_wait(-1);
	EQ(read(p[0], &got, sizeof(got)), sizeof(got));
	EQ(got, 1);
}

TEST(vfork_shares_and_waits)
{
	volatile int x = 1;
	pid_t pid = t_vfork();

	if (pid == 0) {
		x = 2;
		_exit(0);
	}
	EQ(x, 2);
	CHECK(t_child_ok(pid));
}

TEST(usage_of_a_child)
{
	struct rusage ru;
	int status;
	pid_t pid = OK(fork());

	if (pid == 0) {
		long long end = t_now_ns() + 200000000;
		volatile long n = 0;

		volatile char *m = malloc(4 << 20);

		for (long i = 0; i < 4 << 20; i += 512)
			m[i] = 1;
		while (t_now_ns() < end)
			n++;
		_exit(0);
	}
	EQ(wait4(pid, &status, 0, &ru), pid);
	long us = ru.ru_utime.tv_sec * 1000000 + ru.ru_utime.tv_usec +
		  ru.ru_stime.tv_sec * 1000000 + ru.ru_stime.tv_usec;

	CHECK(us > 50000 && us < 2000000);
	CHECK(ru.ru_maxrss >= 4096);
}

struct clone_words {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
};

static pid_t clone3_with(uint64_t exit_signal)
{
	struct clone_words a = { .exit_signal = exit_signal };

	return (pid_t)syscall(SYS_clone3, &a, sizeof(a));
}

static void ends_with(pid_t pid, int code)
{
	int status;

	if (!pid)
		_exit(code);
	EQ(waitpid(OK(pid), &status, 0x40000000 /* __WALL */), pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == code);
}

/*
 * The last signal and none at all may tell of an end; clone(2) and clone3(2) refuse what is no
 * signal.
 */
TEST(signal_of_the_end)
{
	signal(64, SIG_IGN);
	ends_with((pid_t)syscall(SYS_clone, 0, 0, NULL, NULL, NULL), 4);
	ends_with((pid_t)syscall(SYS_clone, 64, 0, NULL, NULL, NULL), 5);
	ends_with(clone3_with(0), 6);
	ends_with(clone3_with(64), 7);
	for (unsigned long sig = 65; sig < 256; sig++) {
		ERR(syscall(SYS_clone, sig, 0, NULL, NULL, NULL), EINVAL);
		ERR(clone3_with(sig), EINVAL);
	}
	ERR(syscall(SYS_clone, CLONE_THREAD | CLONE_SIGHAND | CLONE_VM | 65, 0, NULL, NULL, NULL),
	    EINVAL);
	ERR(clone3_with(1ul << 32 | SIGCHLD), EINVAL);
}

TEST(exit_codes_are_eight_bits)
{
	pid_t pid = OK(fork());

	if (pid == 0)
		_exit(0x1234);
	EQ(WEXITSTATUS(t_wait(pid)), 0x34);
}

static pid_t first_thread_has;

/*
 * What a second thread may wait for: its own children alone with __WNOTHREAD, those of all threads
 * without.
 */
static void *second_thread(void *arg)
{
	pid_t own = (pid_t)syscall(SYS_clone, SIGCHLD, 0, NULL, NULL, NULL);
	int ok;

	if (!own)
		_exit(0);
	ok = waitpid(first_thread_has, NULL, __WNOTHREAD) == -1 && errno == ECHILD;
	ok = ok && waitpid(-1, NULL, __WNOTHREAD) == own;
	ok = ok && waitpid(-1, NULL, __WNOTHREAD) == -1 && errno == ECHILD;
	ok = ok && waitpid(first_thread_has, NULL, 0) == first_thread_has;
	ok = ok && waitpid(first_thread_has, NULL, 0) == -1 && errno == ECHILD;
	_exit(ok ? 7 : 8);
}

TEST(children_of_another_thread)
{
	pid_t pid = OK(fork());
	pthread_t t;

	if (pid == 0) {
		first_thread_has = fork();
		if (!first_thread_has)
			_exit(0);
		if (pthread_create(&t, NULL, second_thread, NULL))
			_exit(9);
		for (;;)
			pause();
	}
	EQ(WEXITSTATUS(t_wait(pid)), 7);
}

#define ORPHANS 1000

/* More children than a parent hands over at a time, of both kinds, go to the subreaper. */
TEST(many_orphans)
{
	int p[2], n = 0;
	pid_t pid;
	char c;

	OK(prctl(PR_SET_CHILD_SUBREAPER, 1));
	OK(pipe(p));
	pid = OK(fork());
	if (pid == 0) {
		close(p[1]);
		for (int i = 0; i < ORPHANS; i++)
			if (!fork()) {
				if (i & 1)
					_exit(3);
				_exit(read(p[0], &c, 1) == 0 ? 3 : 4);
			}
		_exit(0);
	}
	EQ(t_wait(pid), 0);
	close(p[0]);
	close(p[1]);
	for (int status; waitpid(-1, &status, 0) > 0; n++)
		EQ(WEXITSTATUS(status), 3);
	EQ(n, ORPHANS);
	EQ(errno, ECHILD);
}

static volatile int started;

static void *one_of_many(void *arg)
{
	__atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
	for (;;)
		pause();
	return NULL;
}

#define THREADS 200

/* More threads than are killed at a time: by exit_group of one of them, and by a signal. */
TEST(many_threads_end)
{
	for (int how = 0; how < 2; how++) {
		pid_t pid = OK(fork());
		int status;

		if (pid == 0) {
			pthread_attr_t small;
			pthread_t t;

			pthread_attr_init(&small);
			pthread_attr_setstacksize(&small, 16384);
			for (int i = 0; i < THREADS; i++)
				if (pthread_create(&t, &small, one_of_many, NULL))
					_exit(1);
			while (__atomic_load_n(&started, __ATOMIC_SEQ_CST) < THREADS)
				sched_yield();
			if (how)
				kill(getpid(), SIGTERM);
			_exit(9);
		}
		EQ(waitpid(pid, &status, 0), pid);
		if (how)
			CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
		else
			EQ(WEXITSTATUS(status), 9);
	}
}

static void *ends_later(void *code)
{
	t_sleep_ms(30);
	syscall(SYS_exit, (long)code);
	return NULL;
}

/* Of a process that nothing ended as a whole: the thread that ends last says how. */
TEST(the_last_threads_code)
{
	pthread_t t;
	siginfo_t si;
	pid_t pid = OK(fork());
	int status;

	if (!pid) {
		EQ(pthread_create(&t, NULL, ends_later, (void *)5L), 0);
		syscall(SYS_exit, 3);
	}
	OK(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT));
	EQ(si.si_code, CLD_EXITED);
	EQ(si.si_status, 5);
	status = t_wait(pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 5);
}
