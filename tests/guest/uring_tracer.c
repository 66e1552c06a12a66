// SPDX-License-Identifier: MIT
/*
 * Workers of io_uring and a tracer: they are threads of the process that a
 * debugger takes with all others (gdb -p), and leaves as they were.
 * proves: ptrace
 */
#include "uring.h"

#include <dirent.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define SLOT_IP 16	/* user_regs_struct of x86_64 */
#define SLOT_CS 17
#define SLOT_SP 19

/* A process one of whose requests waits in a worker, and the worker, seized and stopped. */
struct traced {
	pid_t pid, tid;
	int from[2], word[2];	/* the request reads FROM; the program ends after a byte of WORD */
};

static volatile sig_atomic_t hits;

static void hit(int sig)
{
	(void)sig;
	hits++;
}

/*
 * The traced program: 7 when its request ends as it should and SIGUSR1, which it blocks, came HITS
 * times.
 */
static void program(const struct traced *t, int wanted)
{
	struct sigaction a = { .sa_handler = hit };
	struct ring r = ring(8);
	struct io_uring_sqe *s;
	sigset_t usr1;
	struct cqe c;
	int out[2];
	char end;

	OK(sigaction(SIGUSR1, &a, NULL));
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	OK(sigprocmask(SIG_BLOCK, &usr1, NULL));
	OK(pipe(out));
	s = sqe(&r, IORING_OP_SPLICE, out[1], 1);
	s->splice_fd_in = t->from[0];
	s->splice_off_in = s->off = (unsigned long long)-1;
	s->len = 1;
	EQ(submit(&r, 1), 1);
	wait_for(&r, 1);
	c = next(&r);
	EQ(read(t->word[0], &end, 1), 1);
	OK(sigprocmask(SIG_UNBLOCK, &usr1, NULL));
	/* The stop may end the request; Linux says what it says to itself. */
	_exit((c.res == 1 || c.res == -EINTR || c.res == -512) && hits == wanted ? 7 : 1);
}

/* A thread of process PID whose name begins with "iou-wrk-"; waits for one. */
static pid_t worker_of(pid_t pid)
{
	for (;;) {
		char path[300], name[32] = "";
		struct dirent *e;
		pid_t tid = 0;
		DIR *d;

		snprintf(path, sizeof(path), "/proc/%d/task", pid);
		d = opendir(path);
		CHECK(d);
		while (!tid && (e = readdir(d))) {
			int fd;

			snprintf(path, sizeof(path), "/proc/%d/task/%s/comm", pid, e->d_name);
			fd = open(path, O_RDONLY);
			if (fd >= 0 && read(fd, name, sizeof(name) - 1) > 0 &&
			    !strncmp(name, "iou-wrk-", 8))
				tid = atoi(e->d_name);
			close(fd);
		}
		closedir(d);
		if (tid)
			return tid;
		sched_yield();
	}
}

static struct traced traced(int wanted)
{
	struct traced t;
	int status;

	OK(pipe(t.from));
	OK(pipe(t.word));
	t.pid = OK(fork());
	if (!t.pid)
		program(&t, wanted);
	t.tid = worker_of(t.pid);
	OK(ptrace(PTRACE_SEIZE, t.tid, 0, 0));
	ERR(ptrace(PTRACE_SEIZE, t.tid, 0, 0), EPERM);
	OK(ptrace(PTRACE_INTERRUPT, t.tid, 0, 0));
	EQ(waitpid(t.tid, &status, __WALL), t.tid);
	EQ(status >> 8, SIGTRAP | PTRACE_EVENT_STOP << 8);
	return t;
}

static void forget(const struct traced *t)
{
	close(t->from[0]);
	close(t->from[1]);
	close(t->word[0]);
	close(t->word[1]);
}

/* Its request and the program end as they would have. */
static void goes_on(const struct traced *t)
{
	int status;

	OK(write(t->from[1], "x", 1));
	OK(write(t->word[1], "x", 1));
	EQ(waitpid(t->pid, &status, 0), t->pid);
	EQ(status, 7 << 8);
	forget(t);
}

/* It has registers of nowhere, which a tracer may write; they are never used. */
TEST(registers)
{
	static unsigned long regs[256];
	struct iovec v = { regs, sizeof(regs) };
	struct traced t = traced(0);

	OK(ptrace(PTRACE_GETREGSET, t.tid, 1 /* NT_PRSTATUS */, &v));
#ifdef __x86_64__
	EQ(regs[SLOT_IP], 0);
	EQ(regs[SLOT_SP], 0);
	EQ(regs[SLOT_CS], 0x33);	/* from which a debugger sees 64 bits */
	regs[SLOT_IP] = 0x1234;
#endif
	OK(ptrace(PTRACE_SETREGSET, t.tid, 1, &v));
	OK(ptrace(PTRACE_DETACH, t.tid, 0, 0));
	goes_on(&t);
}

/* Single steps and stops at system calls are asked for in vain: it makes none. */
TEST(steps)
{
	struct traced t = traced(0);
	int status;

	OK(ptrace(PTRACE_SYSCALL, t.tid, 0, 0));
	OK(ptrace(PTRACE_INTERRUPT, t.tid, 0, 0));
	EQ(waitpid(t.tid, &status, __WALL), t.tid);
	EQ(status >> 8, SIGTRAP | PTRACE_EVENT_STOP << 8);
#ifdef __x86_64__
	OK(ptrace(PTRACE_SINGLESTEP, t.tid, 0, 0));
	OK(ptrace(PTRACE_INTERRUPT, t.tid, 0, 0));
	EQ(waitpid(t.tid, &status, __WALL), t.tid);
	EQ(status >> 8, SIGTRAP | PTRACE_EVENT_STOP << 8);
#endif
	OK(ptrace(PTRACE_DETACH, t.tid, 0, 0));
	goes_on(&t);
}

/* A tracer's signal that it blocks waits there, as its mask says. */
TEST(a_tracers_signal)
{
	struct traced t = traced(0);

	OK(ptrace(PTRACE_DETACH, t.tid, 0, SIGUSR1));
	goes_on(&t);
}

/* It runs no handler: its mask is not the tracer's. */
TEST(a_tracers_mask)
{
	unsigned long long none = 0, m = 1;
	struct traced t = traced(1);

	OK(ptrace(PTRACE_GETSIGMASK, t.tid, 8, &m));
	EQ(m, 0xfffffffffffbfeffULL);
	ERR(ptrace(PTRACE_SETSIGMASK, t.tid, 8, &none), EPERM);
	ERR(ptrace(PTRACE_SETSIGMASK, t.tid, 4, &none), EPERM);
	ERR(ptrace(PTRACE_SETSIGMASK, t.tid, 8, NULL), EPERM);
	OK(ptrace(PTRACE_GETSIGMASK, t.tid, 8, &m));
	EQ(m, 0xfffffffffffbfeffULL);
	OK(ptrace(PTRACE_DETACH, t.tid, 0, 0));
	OK(kill(t.pid, SIGUSR1));
	goes_on(&t);
}

TEST(killed)
{
	struct traced t = traced(0);
	int status;

	OK(kill(t.pid, SIGKILL));
	EQ(waitpid(t.tid, &status, __WALL), t.tid);
	EQ(waitpid(t.pid, &status, 0), t.pid);
	EQ(status, SIGKILL);
	forget(&t);
}

/* A tracer that ends lets it go. */
TEST(the_tracer_ends)
{
	int status, up[2];
	struct traced t;
	pid_t tracer;

	OK(pipe(up));
	tracer = OK(fork());
	if (!tracer) {
		t = traced(0);
		OK(write(up[1], &t, sizeof(t)));
		OK(write(t.from[1], "x", 1));
		OK(write(t.word[1], "x", 1));
		_exit(3);
	}
	EQ(waitpid(tracer, &status, 0), tracer);
	EQ(status, 3 << 8);
	EQ(read(up[0], &t, sizeof(t)), (long)sizeof(t));
	while (!kill(t.pid, 0))		/* a child of nobody here: init has its end */
		sched_yield();
	EQ(errno, ESRCH);
	close(up[0]);
	close(up[1]);
}
