// SPDX-License-Identifier: MIT
/*
 * Signals to a process of many threads: who takes one, stops and going on, what each undoes, the
 * end.
 */
#include "t.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#define CROWD 150		/* more than are looked at at once */

static pthread_t crowd[CROWD];
static pid_t tids[CROWD];
static pthread_barrier_t ready, go;
static atomic_int took;

static void on_signal(int sig)
{
	atomic_fetch_add(&took, 1);
}

static void mask_of(int sig, sigset_t *s)
{
	sigemptyset(s);
	sigaddset(s, sig);
}

static void start_crowd(void *(*fn)(void *))
{
	pthread_attr_t a;

	pthread_attr_init(&a);
	pthread_attr_setstacksize(&a, 65536);
	pthread_barrier_init(&ready, NULL, CROWD + 1);
	pthread_barrier_init(&go, NULL, CROWD + 1);
	for (long i = 0; i < CROWD; i++)
		EQ(pthread_create(&crowd[i], &a, fn, (void *)i), 0);
	pthread_barrier_wait(&ready);
}

static void join_crowd(void)
{
	for (int i = 0; i < CROWD; i++)
		EQ(pthread_join(crowd[i], NULL), 0);
}

/* ---- who takes a signal ---- */

static int taker;

/* They block SIGUSR1, all but one. */
static void *waits(void *arg)
{
	sigset_t s;

	mask_of(SIGUSR1, &s);
	pthread_sigmask((long)arg == taker ? SIG_UNBLOCK : SIG_BLOCK, &s, NULL);
	pthread_barrier_wait(&ready);
	pthread_barrier_wait(&go);
	return NULL;
}

static void taken_by(int i)
{
	sigset_t s;

	atomic_store(&took, 0);
	taker = i;
	mask_of(SIGUSR1, &s);
	pthread_sigmask(SIG_BLOCK, &s, NULL);
	start_crowd(waits);
	for (int n = 1; n <= 3; n++) {
		OK(kill(getpid(), SIGUSR1));
		while (atomic_load(&took) < n)
			sched_yield();
	}
	pthread_barrier_wait(&go);
	join_crowd();
	EQ(atomic_load(&took), 3);
}

TEST(one_of_many_takes_a_signal)
{
	signal(SIGUSR1, on_signal);
	taken_by(0);
	taken_by(CROWD / 2);
	taken_by(CROWD - 1);
}

/* None takes it; who begins to does. */
TEST(who_unblocks_takes_what_is_pending)
{
	sigset_t s;

	signal(SIGUSR1, on_signal);
	taker = -1;
	mask_of(SIGUSR1, &s);
	pthread_sigmask(SIG_BLOCK, &s, NULL);
	start_crowd(waits);
	OK(kill(getpid(), SIGUSR1));
	EQ(atomic_load(&took), 0);
	pthread_sigmask(SIG_UNBLOCK, &s, NULL);
	EQ(atomic_load(&took), 1);
	/* The caller takes his own at once, where no other does. */
	for (int i = 0; i < 20; i++) {
		OK(kill(getpid(), SIGUSR1));
		EQ(atomic_load(&took), i + 2);
	}
	pthread_barrier_wait(&go);
	join_crowd();
}

TEST(one_of_many_dies_of_a_signal)
{
	sigset_t s;
	int status;
	pid_t p = OK(fork());

	if (!p) {
		taker = CROWD - 1;
		mask_of(SIGUSR1, &s);
		pthread_sigmask(SIG_BLOCK, &s, NULL);
		start_crowd(waits);
		kill(getpid(), SIGUSR1);
		for (;;)
			pause();
	}
	EQ(waitpid(p, &status, 0), p);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
}

/* ---- stopping and going on ---- */

static void *pauses(void *arg)
{
	tids[(long)arg] = gettid();
	pthread_barrier_wait(&ready);
	for (;;)
		pause();
	return NULL;
}

static void *stays(void *arg)
{
	for (;;)
		pause();
	return NULL;
}

/* Some of them make threads, which stay. */
static void *makes(void *arg)
{
	pthread_attr_t a;
	pthread_t t;

	pthread_attr_init(&a);
	pthread_attr_setstacksize(&a, 65536);
	pthread_barrier_wait(&ready);
	if ((long)arg % 16)
		stays(NULL);
	for (int i = 0; i < 20; i++)
		pthread_create(&t, &a, stays, NULL);
	return stays(NULL);
}

static pid_t crowd_of(void *(*fn)(void *))
{
	int p[2];
	pid_t pid;

	OK(pipe(p));
	pid = OK(fork());
	if (!pid) {
		start_crowd(fn);
		OK((int)write(p[1], tids, sizeof(tids)));
		for (;;)
			pause();
	}
	for (size_t n = 0; n < sizeof(tids);) {
		ssize_t r = read(p[0], (char *)tids + n, sizeof(tids) - n);

		CHECK(r > 0);
		n += (size_t)r;
	}
	close(p[0]);
	close(p[1]);
	return pid;
}

static char state_of(pid_t p, const char *tid)
{
	char path[64], line[512], *at;
	ssize_t n;
	int f;

	snprintf(path, sizeof(path), "/proc/%d/task/%s/stat", p, tid);
	f = open(path, O_RDONLY);
	if (f < 0)
		return 'X';
	n = read(f, line, sizeof(line) - 1);
	close(f);
	if (n <= 0)
		return 'X';
	line[n] = 0;
	at = strrchr(line, ')');
	CHECK(at);
	return at[2];
}

/* How many threads of P are stopped, and how many are not. */
static void count_states(pid_t p, int *stopped, int *others)
{
	char path[64], buf[4096];
	long n;
	int f;

	*stopped = *others = 0;
	snprintf(path, sizeof(path), "/proc/%d/task", p);
	f = OK(open(path, O_RDONLY | O_DIRECTORY));
	while ((n = syscall(SYS_getdents64, f, buf, sizeof(buf))) > 0)
		for (long at = 0; at < n; at += *(unsigned short *)(buf + at + 16)) {
			char *name = buf + at + 19, state;

			if (*name == '.')
				continue;
			state = state_of(p, name);
			*stopped += state == 'T';
			*others += state != 'T' && state != 'X' && state != 'Z';
		}
	close(f);
}

static void stops(pid_t p)
{
	int status, stopped, others;

	EQ(waitpid(p, &status, WUNTRACED), p);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	count_states(p, &stopped, &others);
	EQ(others, 0);
	CHECK(stopped > CROWD);
}

static void goes_on(pid_t p)
{
	int status, stopped, others;

	EQ(waitpid(p, &status, WCONTINUED), p);
	CHECK(WIFCONTINUED(status));
	do
		count_states(p, &stopped, &others);
	while (stopped);
	CHECK(others > CROWD);
}

static void dies(pid_t p)
{
	int status;

	OK(kill(p, SIGKILL));
	do
		EQ(waitpid(p, &status, 0), p);
	while (!WIFSIGNALED(status));
	EQ(WTERMSIG(status), SIGKILL);
}

static atomic_int children_stopped, children_continued;

static void on_child(int sig, siginfo_t *i, void *uc)
{
	atomic_fetch_add(i->si_code == CLD_STOPPED ? &children_stopped : &children_continued,
			 i->si_code == CLD_STOPPED || i->si_code == CLD_CONTINUED);
}

/* All have stopped when the parent is told, once; all go on. */
TEST(many_threads_stop_and_go_on)
{
	struct sigaction a = { .sa_sigaction = on_child, .sa_flags = SA_SIGINFO | SA_RESTART };
	pid_t p = crowd_of(pauses);

	OK(sigaction(SIGCHLD, &a, NULL));
	for (int i = 1; i <= 3; i++) {
		OK(kill(p, SIGSTOP));
		stops(p);
		while (atomic_load(&children_stopped) < i)
			sched_yield();
		OK(kill(p, SIGCONT));
		goes_on(p);
		while (atomic_load(&children_continued) < i)
			sched_yield();
	}
	dies(p);
	EQ(atomic_load(&children_stopped), 3);
	EQ(atomic_load(&children_continued), 3);
}

/* A stop that comes before all go on, and SIGCONT before all have stopped: the last one counts. */
TEST(the_last_of_stop_and_go_on_counts)
{
	int status, stopped, others;
	pid_t p = crowd_of(pauses);

	for (int i = 0; i < 4; i++) {
		for (int n = 0; n < 5; n++) {
			OK(kill(p, SIGSTOP));
			OK(kill(p, SIGCONT));
		}
		OK(kill(p, SIGSTOP));
		do
			EQ(waitpid(p, &status, WUNTRACED | WCONTINUED), p);
		while (!WIFSTOPPED(status) || (count_states(p, &stopped, &others), others));
		OK(kill(p, SIGCONT));
		do
			count_states(p, &stopped, &others);
		while (stopped);
	}
	OK(kill(p, SIGSTOP));
	dies(p);
}

/* A thread that is made as they stop, stops with them. */
TEST(threads_are_made_meanwhile)
{
	int status, stopped, others;
	pid_t p = crowd_of(makes);

	for (int i = 0; i < 5; i++) {
		OK(kill(p, SIGSTOP));
		EQ(waitpid(p, &status, WUNTRACED), p);
		CHECK(WIFSTOPPED(status));
		count_states(p, &stopped, &others);
		EQ(others, 0);
		OK(kill(p, SIGCONT));
	}
	dies(p);
}

/* ---- what they undo ---- */

static int undone, undoes;

static void *has_one_of_its_own(void *arg)
{
	sigset_t s, pending;
	siginfo_t i;
	struct timespec no = { 0, 0 };

	EQ(raise(undone), 0);
	sigpending(&pending);
	EQ(sigismember(&pending, undone), 1);
	pthread_barrier_wait(&ready);
	pthread_barrier_wait(&go);		/* the other one was sent */
	if ((long)arg & 1) {
		sigpending(&pending);
		EQ(sigismember(&pending, undone), 0);
	} else {
		mask_of(undone, &s);
		ERR(sigtimedwait(&s, &i, &no), EAGAIN);
	}
	raise(undone);
	sigpending(&pending);
	EQ(sigismember(&pending, undone), 1);
	return NULL;
}

static void undo(int one, int by)
{
	sigset_t s;

	undone = one;
	undoes = by;
	signal(SIGTSTP, on_signal);
	signal(SIGCONT, on_signal);
	mask_of(SIGTSTP, &s);
	sigaddset(&s, SIGCONT);
	OK(sigprocmask(SIG_BLOCK, &s, NULL));
	start_crowd(has_one_of_its_own);
	OK(kill(getpid(), undoes));
	pthread_barrier_wait(&go);
	join_crowd();
}

TEST(going_on_undoes_stops_of_threads)
{
	undo(SIGTSTP, SIGCONT);
}
TEST(stops_undo_going_on_of_threads)
{
	undo(SIGCONT, SIGTSTP);
}

/* ---- one of them is traced ---- */

/* What it stops for next; signals that it takes for all of them pass. */
static int next_stop(pid_t traced)
{
	int status;

	for (;;) {
		EQ(waitpid(traced, &status, __WALL), traced);
		if (!WIFSTOPPED(status) || status >> 16)
			return status;
		OK((int)ptrace(PTRACE_CONT, traced, NULL, (void *)(long)WSTOPSIG(status)));
	}
}

TEST(one_of_many_is_traced)
{
	pid_t p = crowd_of(pauses), traced = tids[CROWD - 10];
	int status;

	OK((int)ptrace(PTRACE_SEIZE, traced, NULL, NULL));
	for (int i = 0; i < 3; i++) {
		OK(kill(p, SIGSTOP));
		EQ(next_stop(traced) >> 8, SIGSTOP | PTRACE_EVENT_STOP << 8);
		EQ(waitpid(p, &status, WUNTRACED), p);
		CHECK(WIFSTOPPED(status));
		OK((int)ptrace(PTRACE_LISTEN, traced, NULL, NULL));
		OK(kill(p, SIGCONT));
		EQ(next_stop(traced) >> 8, SIGTRAP | PTRACE_EVENT_STOP << 8);
		OK((int)ptrace(PTRACE_CONT, traced, NULL, NULL));
		EQ(waitpid(p, &status, WCONTINUED), p);
		CHECK(WIFCONTINUED(status));
	}
	OK(kill(p, SIGKILL));
	CHECK(WIFSIGNALED(next_stop(traced)));
	EQ(waitpid(p, &status, 0), p);
	CHECK(WIFSIGNALED(status));
}
