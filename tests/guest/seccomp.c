// SPDX-License-Identifier: MIT
/* Filters of system calls by what they let through. proves: seccomp */
#include "t.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>

#define NR (offsetof(struct seccomp_data, nr))
#define ARG(n) (offsetof(struct seccomp_data, args) + 8 * (n))
#define RET(v) BPF_STMT(BPF_RET | BPF_K, v)
#define LOAD(off) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, off)

static long install(unsigned int flags, struct sock_filter *f, unsigned short n)
{
	struct sock_fprog p = { n, f };

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &p);
}

/* A filter that gives ACTION for call NR, and allows all others. */
static long forbid(unsigned int flags, int nr, unsigned int action)
{
	struct sock_filter f[] = { LOAD(NR),
				   BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)nr, 0, 1),
				   RET(action), RET(SECCOMP_RET_ALLOW) };

	return install(flags, f, 4);
}

static void no_new_privs(void)
{
	OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

static char *status_line(const char *key)
{
	static char b[4096];
	int fd = OK(open("/proc/self/status", O_RDONLY));
	ssize_t n = OK(read(fd, b, sizeof(b) - 1));
	char *p;

	close(fd);
	b[n] = 0;
	p = strstr(b, key);
	CHECK(p);
	return p + strlen(key);
}

TEST(errno_answers)
{
	EQ(prctl(PR_GET_SECCOMP), 0);
	OK(forbid(0, SYS_getpgid, SECCOMP_RET_ERRNO | 77));
	EQ(prctl(PR_GET_SECCOMP), 2);
	ERR(syscall(SYS_getpgid, 0), 77);
	CHECK(getppid() > 0);
	OK(forbid(0, SYS_getsid, SECCOMP_RET_ERRNO | 0));
	EQ(syscall(SYS_getsid, 0), 0);   /* an errno of 0 is success without doing it */
	OK(forbid(0, SYS_getuid, SECCOMP_RET_ERRNO | 0xffff));
	ERR(syscall(SYS_getuid), 4095);
	EQ(atoi(status_line("Seccomp:")), 2);
	EQ(atoi(status_line("Seccomp_filters:")), 3);
}

/* Of several answers the strictest counts, whoever came first. */
TEST(filters_add_up)
{
	OK(forbid(0, SYS_getpgid, SECCOMP_RET_ERRNO | 5));
	OK(forbid(0, SYS_getpgid, SECCOMP_RET_ERRNO | 6));
	ERR(syscall(SYS_getpgid, 0), 6);			/* equals: the newest */
	OK(forbid(0, SYS_getpgid, SECCOMP_RET_LOG));
	ERR(syscall(SYS_getpgid, 0), 6);
	OK(forbid(0, SYS_getppid, SECCOMP_RET_LOG));
	CHECK(syscall(SYS_getppid) > 0);
}

TEST(arguments_are_seen)
{
	struct sock_filter f[] = {
		LOAD(NR),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_dup3, 0, 5),
		LOAD(ARG(1) + 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x11, 0, 3),
		LOAD(ARG(1)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x22, 0, 1),
		RET(SECCOMP_RET_ERRNO | 9),
		RET(SECCOMP_RET_ALLOW),
	};
	struct sock_filter arch[] = { LOAD(offsetof(struct seccomp_data, arch)),
				      BPF_STMT(BPF_ALU | BPF_XOR | BPF_K,
#ifdef __x86_64__
					       AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
					       AUDIT_ARCH_AARCH64
#elif defined(__riscv)
					       AUDIT_ARCH_RISCV64
#else
					       AUDIT_ARCH_LOONGARCH64
#endif
					       ),
				      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
				      RET(SECCOMP_RET_ALLOW), RET(SECCOMP_RET_KILL_PROCESS) };

	OK(install(0, f, 8));
	ERR(syscall(SYS_dup3, 0, 0x1100000022UL, 0), 9);
	ERR(syscall(SYS_dup3, 99, 0x1100000023UL, 0), EBADF);
	OK(install(0, arch, 5));
	CHECK(getppid() > 0);
}

static int status_of(void (*fn)(void))
{
	pid_t pid = OK(fork());

	if (pid == 0) {
		fn();
		_exit(0);
	}
	return t_wait(pid);
}

static void killed(void)
{
	forbid(0, SYS_getpgid, SECCOMP_RET_KILL_PROCESS);
	signal(SIGSYS, SIG_IGN);
	syscall(SYS_getpgid, 0);
}

static void killed_unknown(void)
{
	forbid(0, SYS_getpgid, 0x00010000);		/* no action there is */
	syscall(SYS_getpgid, 0);
}

static volatile pid_t victim;

static void *one_thread(void *arg)
{
	(void)arg;
	victim = (pid_t)syscall(SYS_gettid);
	syscall(SYS_getpgid, 0);
	_exit(1);
}

static void killed_thread(void)
{
	pthread_t t;

	forbid(0, SYS_getpgid, SECCOMP_RET_KILL_THREAD);
	if (pthread_create(&t, NULL, one_thread, NULL))
		_exit(2);
	while (!victim || !syscall(SYS_tgkill, getpid(), victim, 0))
		sched_yield();
	_exit(33);					/* the others live */
}

static void strict(void)
{
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
	(void)!write(99, "", 0);
	syscall(SYS_exit, 7);
}

static void strict_more(void)
{
	syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL);
	syscall(SYS_getpid);
}

TEST(killing)
{
	int s = status_of(killed);

	CHECK(WIFSIGNALED(s) && WTERMSIG(s) == SIGSYS);
	s = status_of(killed_unknown);
	CHECK(WIFSIGNALED(s) && WTERMSIG(s) == SIGSYS);
	s = status_of(killed_thread);
	CHECK(WIFEXITED(s) && WEXITSTATUS(s) == 33);
	s = status_of(strict);
	CHECK(WIFEXITED(s) && WEXITSTATUS(s) == 7);
	s = status_of(strict_more);
	CHECK(WIFSIGNALED(s) && WTERMSIG(s) == SIGKILL);
}

static void killed_traced(void)
{
	OK(ptrace(PTRACE_TRACEME, 0, 0, 0));
	raise(SIGSTOP);
	killed();
}

static void killed_thread_traced(void)
{
	OK(ptrace(PTRACE_TRACEME, 0, 0, 0));
	raise(SIGSTOP);
	forbid(0, SYS_getpgid, SECCOMP_RET_KILL_THREAD);
	syscall(SYS_getpgid, 0);		/* of the only one */
}

/* How FN ends, whose tracer keeps every signal back that it sees. */
static int status_when_swallowed(void (*fn)(void), int *sigsys)
{
	pid_t pid = OK(fork());
	int s;

	if (pid == 0) {
		fn();
		_exit(0);
	}
	for (*sigsys = 0;;) {
		EQ(waitpid(pid, &s, 0), pid);
		if (!WIFSTOPPED(s))
			return s;
		*sigsys += WSTOPSIG(s) == SIGSYS;
		OK(ptrace(PTRACE_CONT, pid, 0, 0));
	}
}

TEST(a_tracer_cannot_keep_it_alive)
{
	int n, s = status_when_swallowed(killed_traced, &n);

	CHECK(WIFSIGNALED(s) && WTERMSIG(s) == SIGSYS);
	EQ(n, 0);			/* it is not even asked */
	s = status_when_swallowed(killed_thread_traced, &n);
	CHECK(WIFSIGNALED(s) && WTERMSIG(s) == SIGSYS);
	EQ(n, 0);
}

TEST(an_init_is_killed)
{
	int n, s;

	OK(unshare(CLONE_NEWPID));
	s = status_when_swallowed(killed_traced, &n);
	CHECK(WIFSIGNALED(s) && WTERMSIG(s) == SIGSYS);
	EQ(n, 0);
}

static volatile siginfo_t seen;

static void trapped(int sig, siginfo_t *i, void *ctx)
{
	(void)ctx;
	CHECK(sig == SIGSYS);
	memcpy((void *)&seen, i, sizeof(*i));
}

/* SIGSYS tells of the call, which was not made. */
TEST(trap)
{
	struct sigaction sa = { .sa_sigaction = trapped, .sa_flags = SA_SIGINFO };

	OK(sigaction(SIGSYS, &sa, NULL));
	OK(forbid(0, SYS_getpgid, SECCOMP_RET_TRAP | 123));
	syscall(SYS_getpgid, 0);
	EQ(seen.si_signo, SIGSYS);
	EQ(seen.si_code, 1 /* SYS_SECCOMP */);
	EQ(seen.si_errno, 123);
	EQ(seen.si_syscall, SYS_getpgid);
	CHECK(seen.si_call_addr != NULL);
}

/* Children and programs keep filters; nobody without rights adds one. */
TEST(inherited)
{
	pid_t pid;

	OK(forbid(0, SYS_getpgid, SECCOMP_RET_ERRNO | 8));
	pid = OK(fork());
	if (pid == 0) {
		ERR(syscall(SYS_getpgid, 0), 8);
		OK(forbid(0, SYS_getsid, SECCOMP_RET_ERRNO | 9));
		_exit(0);
	}
	CHECK(t_child_ok(pid));
	CHECK(syscall(SYS_getsid, 0) >= 0);		/* the child's own stays its own */
	OK(setuid(1234));
	ERR(forbid(0, SYS_getppid, SECCOMP_RET_ERRNO | 1), EACCES);
	no_new_privs();
	OK(forbid(0, SYS_getppid, SECCOMP_RET_ERRNO | 1));
	ERR(syscall(SYS_getppid), 1);
}

static int go[2], answer[2];

static void *waits(void *arg)
{
	char c;

	if (arg)
		OK(forbid(0, SYS_getuid, SECCOMP_RET_ERRNO | 1));
	*(volatile pid_t *)&seen = (pid_t)syscall(SYS_gettid);
	CHECK(write(answer[1], "x", 1) == 1);
	CHECK(read(go[0], &c, 1) == 1);
	errno = 0;
	syscall(SYS_getpgid, 0);
	c = (char)errno;
	CHECK(write(answer[1], &c, 1) == 1);
	return NULL;
}

/* TSYNC takes the other threads along, unless one has a filter of its own. */
TEST(all_threads)
{
	pthread_t t;
	char c;

	OK(pipe(go));
	OK(pipe(answer));
	EQ(pthread_create(&t, NULL, waits, NULL), 0);
	EQ(read(answer[0], &c, 1), 1);
	OK(forbid(SECCOMP_FILTER_FLAG_TSYNC, SYS_getpgid, SECCOMP_RET_ERRNO | 66));
	EQ(write(go[1], "x", 1), 1);
	EQ(read(answer[0], &c, 1), 1);
	EQ(c, 66);
	EQ(pthread_join(t, NULL), 0);
	EQ(pthread_create(&t, NULL, waits, (void *)1), 0);
	EQ(read(answer[0], &c, 1), 1);
	EQ(forbid(SECCOMP_FILTER_FLAG_TSYNC, SYS_getsid, SECCOMP_RET_ERRNO | 1),
	   *(volatile pid_t *)&seen);
	CHECK(syscall(SYS_getsid, 0) >= 0);		/* and then nobody has it */
	ERR(forbid(SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH, SYS_getsid,
		   SECCOMP_RET_ERRNO | 1),
	    ESRCH);
	EQ(write(go[1], "x", 1), 1);
	EQ(read(answer[0], &c, 1), 1);
	EQ(pthread_join(t, NULL), 0);
}

/* A tracer decides; without one the call does not exist. */
TEST(tracer)
{
	pid_t pid = OK(fork());
	unsigned long m = 0;
	int s;

	if (pid == 0) {
		OK(forbid(0, SYS_getpgid, SECCOMP_RET_TRACE | 55));
		ERR(syscall(SYS_getpgid, 0), ENOSYS);
		OK(ptrace(PTRACE_TRACEME, 0, 0, 0));
		raise(SIGSTOP);
		_exit(syscall(SYS_getpgid, 0) >= 0 ? 44 : 1);
	}
	EQ(waitpid(pid, &s, 0), pid);
	CHECK(WIFSTOPPED(s) && WSTOPSIG(s) == SIGSTOP);
	OK(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESECCOMP));
	OK(ptrace(PTRACE_CONT, pid, 0, 0));
	EQ(waitpid(pid, &s, 0), pid);
	EQ(s >> 8, SIGTRAP | PTRACE_EVENT_SECCOMP << 8);
	OK(ptrace(PTRACE_GETEVENTMSG, pid, 0, &m));
	EQ(m, 55);
	OK(ptrace(PTRACE_CONT, pid, 0, 0));
	EQ(waitpid(pid, &s, 0), pid);
	EQ(WEXITSTATUS(s), 44);
}

TEST(errors)
{
	struct sock_filter loop[] = { BPF_STMT(BPF_JMP | BPF_JA, 5), RET(0) },
			   no_end[] = { LOAD(NR) };
	struct sock_filter far[] = { LOAD(sizeof(struct seccomp_data)), RET(0) },
			   odd[] = { LOAD(2), RET(0) };
	struct sock_filter byte[] = { BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), RET(0) },
			   ind[] = { BPF_STMT(BPF_LD | BPF_W | BPF_IND, 0), RET(0) };
	struct sock_filter mem[] = { BPF_STMT(BPF_LD | BPF_MEM, 1), RET(0) },
			   ok[] = { RET(SECCOMP_RET_ALLOW) };
	static struct sock_filter big[4096];
	unsigned int a = SECCOMP_RET_TRAP;
	int n = 0;

	ERR(install(0, loop, 2), EINVAL);
	ERR(install(0, no_end, 1), EINVAL);
	ERR(install(0, far, 2), EINVAL);
	ERR(install(0, odd, 2), EINVAL);
	ERR(install(0, byte, 2), EINVAL);
	ERR(install(0, ind, 2), EINVAL);
	ERR(install(0, mem, 2), EINVAL);
	ERR(install(0, ok, 0), EINVAL);
	ERR(install(0, ok, 4097), EINVAL);
	ERR(install(0, (void *)8, 1), EFAULT);
	ERR(install(1 << 20, ok, 1), EINVAL);
	ERR(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, 8), EFAULT);
	ERR(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 1, NULL), EINVAL);
	ERR(syscall(SYS_seccomp, 99, 0, NULL), EINVAL);
	OK(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &a));
	a = 0x12340000;
	ERR(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &a), EOPNOTSUPP);
	ERR(prctl(PR_SET_SECCOMP, 9), EINVAL);
	EQ(prctl(PR_GET_SECCOMP), 0);			/* none of these left anything */
	for (int i = 0; i < 4096; i++)
		big[i] = (struct sock_filter)RET(SECCOMP_RET_ALLOW);
	while (!install(0, big, 4096))
		n++;
	EQ(errno, ENOMEM);
	/* 32768 instructions, as a kernel counts them, and four more a filter */
	CHECK(n >= 3 && n <= 7);
	ERR(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL), EINVAL);
}
