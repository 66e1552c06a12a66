// SPDX-License-Identifier: MIT
/* Tracing: what a debugger and a tracer of system calls do. proves: ptrace */
#define TEST_LIMIT 60
#include "t.h"
#include <elf.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

#ifndef PTRACE_GET_SYSCALL_INFO
#define PTRACE_GET_SYSCALL_INFO 0x420e
#endif
#define EVENT_STOP 128

struct info {
	uint8_t op, pad[3];
	uint32_t arch;
	uint64_t ip, sp;
	union {
		struct {
			uint64_t nr, args[6];
		} entry;
		struct {
			int64_t rval;
			uint8_t is_error;
		} exit;
	};
};

static long pt(long req, pid_t pid, unsigned long addr, unsigned long data)
{
	return syscall(SYS_ptrace, req, pid, addr, data);
}

/* The next stop of PID, as wait status. */
static int next(pid_t pid)
{
	int status;

	EQ(waitpid(pid, &status, __WALL), pid);
	return status;
}

static void stopped_by(pid_t pid, int sig)
{
	int s = next(pid);

	if (!WIFSTOPPED(s) || s >> 8 != sig)
		FAIL("status %#x, not stopped by %d", s, sig);
}

static void event(pid_t pid, int ev)
{
	int s = next(pid);

	if (s >> 8 != (SIGTRAP | ev << 8))
		FAIL("status %#x, not event %d", s, ev);
}

static unsigned long msg(pid_t pid)
{
	unsigned long m = 0;

	OK(pt(PTRACE_GETEVENTMSG, pid, 0, (unsigned long)&m));
	return m;
}

static void exits(pid_t pid, int code)
{
	int s = next(pid);

	if (!WIFEXITED(s) || WEXITSTATUS(s) != code)
		FAIL("status %#x, not exit %d", s, code);
}

/* A child that is traced and stopped before FN. */
static pid_t traced(int (*fn)(void))
{
	pid_t pid = OK(fork());

	if (pid == 0) {
		if (pt(PTRACE_TRACEME, 0, 0, 0))
			_exit(99);
		raise(SIGSTOP);
		_exit(fn());
	}
	stopped_by(pid, SIGSTOP);
	return pid;
}

static volatile long cell = 0x1122334455667788;

static int cell_is_changed(void)
{
	return cell == 77 ? 7 : 1;
}

TEST(memory)
{
	unsigned long v = 0;
	pid_t pid;

	for (int i = 0; i < 400; i++)  /* areas of their own: the tree of them has levels */
		CHECK(mmap(NULL, 4096, i % 2 ? PROT_READ : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0) != MAP_FAILED);
	pid = traced(cell_is_changed);
	for (unsigned long at = -9; at; at++) {
		ERR(pt(PTRACE_PEEKDATA, pid, at, (unsigned long)&v), EIO);
		ERR(pt(PTRACE_POKEDATA, pid, at, 1), EIO);
	}
	ERR(syscall(SYS_get_mempolicy, &v, NULL, 0, -1, 2 /* MPOL_F_ADDR */), EFAULT);

	OK(pt(PTRACE_PEEKDATA, pid, (unsigned long)&cell, (unsigned long)&v));
	EQ(v, 0x1122334455667788);
	OK(pt(PTRACE_POKEDATA, pid, (unsigned long)&cell, 77));
	EQ(cell, 0x1122334455667788);			/* theirs, not ours */
	ERR(pt(PTRACE_PEEKDATA, pid, 8, (unsigned long)&v), EIO);
	ERR(pt(PTRACE_POKEDATA, pid, 8, 1), EIO);
	ERR(pt(PTRACE_PEEKDATA, pid, (unsigned long)&cell, 8), EFAULT);
	OK(pt(PTRACE_CONT, pid, 0, 0));
	exits(pid, 7);
}

static volatile int got;

static void note(int sig)
{
	got = sig;
}

static int raise_usr1(void)
{
	signal(SIGUSR1, note);
	signal(SIGUSR2, note);
	raise(SIGUSR1);
	return got;
}

/*
 * The tracer sees each signal first: it may swallow it, let it through, put another in its place.
 */
TEST(signals_pass_the_tracer)
{
	siginfo_t i;
	pid_t pid = traced(raise_usr1);

	OK(pt(PTRACE_CONT, pid, 0, 0));
	stopped_by(pid, SIGUSR1);
	OK(pt(PTRACE_GETSIGINFO, pid, 0, (unsigned long)&i));
	EQ(i.si_signo, SIGUSR1);
	EQ(i.si_code, SI_TKILL);
	EQ(i.si_pid, pid);
	OK(pt(PTRACE_CONT, pid, 0, 0));
	exits(pid, 0);
	pid = traced(raise_usr1);
	OK(pt(PTRACE_CONT, pid, 0, 0));
	stopped_by(pid, SIGUSR1);
	OK(pt(PTRACE_CONT, pid, 0, SIGUSR1));
	exits(pid, SIGUSR1);
	pid = traced(raise_usr1);
	OK(pt(PTRACE_CONT, pid, 0, 0));
	stopped_by(pid, SIGUSR1);
	OK(pt(PTRACE_CONT, pid, 0, SIGUSR2));
	exits(pid, SIGUSR2);
	pid = traced(raise_usr1);
	OK(pt(PTRACE_CONT, pid, 0, 0));
	stopped_by(pid, SIGUSR1);
	ERR(pt(PTRACE_CONT, pid, 0, 99), EIO);
	OK(pt(PTRACE_CONT, pid, 0, SIGTERM));
	EQ(WTERMSIG(next(pid)), SIGTERM);
}

static int three_calls(void)
{
	syscall(SYS_getppid);
	return syscall(SYS_getpgid, 12345678) == 4711 ? 3 : 4;
}

/* Both ends of every call, and what the tracer changes there. */
TEST(system_calls)
{
	pid_t pid = traced(three_calls);
	bool ppid = false, changed = false;
	struct info k;
	int s;

	OK(pt(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD));
	ERR(pt(PTRACE_SETOPTIONS, pid, 0, 1 << 30), EINVAL);
	OK(pt(PTRACE_SYSCALL, pid, 0, 0));
	for (bool entry = true; s = next(pid), WIFSTOPPED(s); entry = !entry) {
		long n;

		EQ(s >> 8, SIGTRAP | 0x80);
		memset(&k, 0, sizeof(k));
		n = OK(pt(PTRACE_GET_SYSCALL_INFO, pid, sizeof(k), (unsigned long)&k));
		EQ(k.op, entry ? 1 : 2);
		EQ(n, entry ? 80 : 33);
		if (entry && k.entry.nr == SYS_getppid) {
			ppid = true;
		} else if (entry && k.entry.nr == SYS_getpgid) {
			EQ(k.entry.args[0], 12345678);
		} else if (!entry && ppid && k.exit.is_error && k.exit.rval == -ESRCH) {
#ifdef __x86_64__
			struct user_regs_struct r;

			OK(pt(PTRACE_GETREGS, pid, 0, (unsigned long)&r));
			EQ(r.orig_rax, SYS_getpgid);
			EQ(r.rax, -ESRCH);
			EQ(r.rip, k.ip);
			EQ(r.rsp, k.sp);
			r.rax = 4711;
			OK(pt(PTRACE_SETREGS, pid, 0, (unsigned long)&r));
			changed = true;
#endif
		}
		OK(pt(PTRACE_SYSCALL, pid, 0, 0));
	}
	CHECK(ppid);
	EQ(WEXITSTATUS(s), changed ? 3 : 4);
}

#ifdef __x86_64__
static int call_unmade(void)
{
	return syscall(SYS_exit_group, 5) == -1 && errno == ENOSYS ? 6 : 7;
}

/* Number -1: the call is not made. SYSEMU: none is. */
TEST(calls_not_made)
{
	for (int emu = 0; emu < 2; emu++) {
		pid_t pid = traced(call_unmade);
		struct user_regs_struct r;

		OK(pt(emu ? PTRACE_SYSEMU : PTRACE_SYSCALL, pid, 0, 0));
		for (;;) {
			stopped_by(pid, SIGTRAP);
			OK(pt(PTRACE_GETREGS, pid, 0, (unsigned long)&r));
			EQ(r.rax, -ENOSYS);
			if (r.orig_rax == SYS_exit_group)
				break;
			CHECK(!emu || r.orig_rax != SYS_exit_group);
			OK(pt(PTRACE_SYSCALL, pid, 0, 0));
			stopped_by(pid, SIGTRAP);
			OK(pt(emu ? PTRACE_SYSEMU : PTRACE_SYSCALL, pid, 0, 0));
		}
		if (!emu) {
			r.orig_rax = -1UL;
			OK(pt(PTRACE_SETREGS, pid, 0, (unsigned long)&r));
			OK(pt(PTRACE_CONT, pid, 0, 0));
		} else {
			OK(pt(PTRACE_CONT, pid, 0, 0));
		}
		exits(pid, 6);
	}
}

static int sum(void)
{
	volatile int s = 0;

	for (volatile int i = 0; i < 5; i++)
		s += i;
	syscall(SYS_getppid);
	return s;
}

/*
 * One instruction at a time, also over the one that calls the kernel; the flag that does it is not
 * shown.
 */
TEST(single_step)
{
	pid_t pid = traced(sum);
	struct user_regs_struct r;
	unsigned long last = 0, calls = 0, steps = 0, same = 0;
	int s;

	OK(pt(PTRACE_SINGLESTEP, pid, 0, 0));
	while (s = next(pid), WIFSTOPPED(s) && steps < 5000) {
		unsigned long w;

		EQ(s >> 8, SIGTRAP);
		OK(pt(PTRACE_GETREGS, pid, 0, (unsigned long)&r));
		EQ(r.eflags & 0x100, 0);
		same += r.rip == last;
		last = r.rip;
		OK(pt(PTRACE_PEEKTEXT, pid, r.rip, (unsigned long)&w));
		if ((w & 0xffff) == 0x050f) {   /* syscall: the next stop is right behind it */
			calls++;
			OK(pt(PTRACE_SINGLESTEP, pid, 0, 0));
			if (r.rax == SYS_exit_group) {
				s = next(pid);
				break;
			}
			stopped_by(pid, SIGTRAP);
			OK(pt(PTRACE_GETREGS, pid, 0, (unsigned long)&r));
			EQ(r.rip, last + 2);
		}
		steps++;
		OK(pt(PTRACE_SINGLESTEP, pid, 0, 0));
	}
	CHECK(steps > 30 && calls >= 1 && same == 0);
	CHECK(WIFEXITED(s));
	EQ(WEXITSTATUS(s), 10);
}

static int __attribute__((noinline)) target(int x)
{
	__asm__ volatile("" : "+r"(x));
	return x + 1;
}

static int call_target(void)
{
	return target(20);
}

/* What a debugger's breakpoint is: int3 in the text of the child, run through, taken back. */
TEST(breakpoint)
{
	pid_t pid = traced(call_target);
	struct user_regs_struct r;
	unsigned long at = (unsigned long)target, w;
	siginfo_t i;

	OK(pt(PTRACE_PEEKTEXT, pid, at, (unsigned long)&w));
	OK(pt(PTRACE_POKETEXT, pid, at, (w & ~0xffUL) | 0xcc));
	CHECK(*(unsigned char *)at != 0xcc);
	OK(pt(PTRACE_CONT, pid, 0, 0));
	stopped_by(pid, SIGTRAP);
	OK(pt(PTRACE_GETSIGINFO, pid, 0, (unsigned long)&i));
	EQ(i.si_code, SI_KERNEL);
	OK(pt(PTRACE_GETREGS, pid, 0, (unsigned long)&r));
	EQ(r.rip, at + 1);
	EQ(r.rdi & 0xffffffff, 20);
	r.rip = at;
	r.rdi = 41;
	OK(pt(PTRACE_POKETEXT, pid, at, w));
	OK(pt(PTRACE_SETREGS, pid, 0, (unsigned long)&r));
	OK(pt(PTRACE_CONT, pid, 0, 0));
	exits(pid, 42);
}

static int watched(void)
{
	cell = 5;
	return 0;
}

TEST(watchpoint)
{
	pid_t pid = traced(watched);
	size_t dr = offsetof(struct user, u_debugreg);
	unsigned long v;
	siginfo_t i;

	OK(pt(PTRACE_POKEUSER, pid, dr, (unsigned long)&cell));
	OK(pt(PTRACE_POKEUSER, pid, dr + 7 * 8, 1 | 0xd0000));  /* 8 bytes, writes, this task */
	OK(pt(PTRACE_CONT, pid, 0, 0));
	stopped_by(pid, SIGTRAP);
	OK(pt(PTRACE_GETSIGINFO, pid, 0, (unsigned long)&i));
	EQ(i.si_code, TRAP_HWBKPT);
	OK(pt(PTRACE_PEEKUSER, pid, dr + 6 * 8, (unsigned long)&v));
	EQ(v & 0xf, 1);
	OK(pt(PTRACE_PEEKDATA, pid, (unsigned long)&cell, (unsigned long)&v));
	EQ(v, 5);
	OK(pt(PTRACE_POKEUSER, pid, dr + 7 * 8, 0));
	OK(pt(PTRACE_CONT, pid, 0, 0));
	exits(pid, 0);
	ERR(pt(PTRACE_PEEKUSER, getppid(), 0, (unsigned long)&v), ESRCH);
}

static int fp_sum(void)
{
	double d = 1.5;

	__asm__ volatile(
		"movsd %0, %%xmm3; mov %1, %%eax; mov %2, %%edi; mov $10, %%esi; syscall; movsd %%xmm3, %0"
		: "+m"(d)
		: "i"(SYS_kill), "r"(getpid())
		: "rax", "rcx", "r11", "rdi", "rsi", "xmm3", "memory");
	return (int)d;
}

TEST(register_sets)
{
	unsigned char x[8192];
	struct user_regs_struct r, r2;
	struct user_fpregs_struct fp;
	struct iovec v = { &r2, sizeof(r2) };
	double d;
	pid_t pid = traced(fp_sum);

	OK(pt(PTRACE_CONT, pid, 0, 0));
	stopped_by(pid, SIGUSR1);
	OK(pt(PTRACE_GETREGS, pid, 0, (unsigned long)&r));
	OK(pt(PTRACE_GETREGSET, pid, NT_PRSTATUS, (unsigned long)&v));
	EQ(v.iov_len, sizeof(r2));
	CHECK(!memcmp(&r, &r2, sizeof(r)));
	v.iov_len = 16;
	OK(pt(PTRACE_GETREGSET, pid, NT_PRSTATUS, (unsigned long)&v));
	EQ(v.iov_len, 16);
	v.iov_len = 12;
	ERR(pt(PTRACE_GETREGSET, pid, NT_PRSTATUS, (unsigned long)&v), EINVAL);
	v.iov_len = 16;
	ERR(pt(PTRACE_GETREGSET, pid, 0x7777, (unsigned long)&v), EINVAL);
	v.iov_base = (void *)8;
	ERR(pt(PTRACE_GETREGSET, pid, NT_PRSTATUS, (unsigned long)&v), EFAULT);
	OK(pt(PTRACE_GETFPREGS, pid, 0, (unsigned long)&fp));
	memcpy(&d, &fp.xmm_space[12], 8);
	CHECK(d == 1.5);
	v.iov_base = x;
	v.iov_len = sizeof(x);
	if (!pt(PTRACE_GETREGSET, pid, NT_X86_XSTATE, (unsigned long)&v)) {
		CHECK(v.iov_len >= 576);
		memcpy(&d, x + 160 + 3 * 16, 8);
		CHECK(d == 1.5);
		d = 33.5;
		memcpy(x + 160 + 3 * 16, &d, 8);
		OK(pt(PTRACE_SETREGSET, pid, NT_X86_XSTATE, (unsigned long)&v));
	} else {
		d = 33.5;
		memcpy(&fp.xmm_space[12], &d, 8);
		OK(pt(PTRACE_SETFPREGS, pid, 0, (unsigned long)&fp));
	}
	OK(pt(PTRACE_CONT, pid, 0, 0));
	exits(pid, 33);
}
#endif

static int family(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(11);
	waitpid(pid, &status, 0);
	pid = t_vfork();
	if (pid == 0)
		_exit(12);
	waitpid(pid, &status, 0);
	return 13;
}

/*
 * Children are traced from their first instruction; the tracer learns their numbers, and of the
 * ends.
 */
TEST(events_of_children)
{
	pid_t pid = traced(family), child;

	OK(pt(PTRACE_SETOPTIONS, pid, 0,
	      PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE |
		      PTRACE_O_TRACEEXIT));
	OK(pt(PTRACE_CONT, pid, 0, 0));
	event(pid, PTRACE_EVENT_FORK);
	child = (pid_t)msg(pid);
	stopped_by(child, SIGSTOP);
	OK(pt(PTRACE_CONT, child, 0, 0));
	event(child, PTRACE_EVENT_EXIT);
	EQ(msg(child), 11 << 8);
	OK(pt(PTRACE_CONT, pid, 0, 0));
	OK(pt(PTRACE_CONT, child, 0, 0));
	exits(child, 11);				/* seen by us, then by its parent */
	stopped_by(pid, SIGCHLD);
	OK(pt(PTRACE_CONT, pid, 0, SIGCHLD));
	event(pid, PTRACE_EVENT_VFORK);
	child = (pid_t)msg(pid);
	stopped_by(child, SIGSTOP);
	OK(pt(PTRACE_CONT, pid, 0, 0));
	OK(pt(PTRACE_CONT, child, 0, 0));
	event(child, PTRACE_EVENT_EXIT);
	OK(pt(PTRACE_CONT, child, 0, 0));
	/* Its end and the parent's going on come in either order. */
	for (int left = 2; left;) {
		int s;
		pid_t who = OK(waitpid(-1, &s, __WALL));

		if (who == child) {
			CHECK(WIFEXITED(s) && WEXITSTATUS(s) == 12);
			left--;
		} else {
			EQ(who, pid);
			if (s >> 8 == (SIGTRAP | PTRACE_EVENT_VFORK_DONE << 8)) {
				EQ(msg(pid), child);
				left--;
			} else {
				EQ(s >> 8, SIGCHLD);
			}
			OK(pt(PTRACE_CONT, pid, 0, 0));
		}
	}
	for (;;) {
		int s = next(pid);

		if (s >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8))
			break;
		EQ(s >> 8, SIGCHLD);
		OK(pt(PTRACE_CONT, pid, 0, 0));
	}
	EQ(msg(pid), 13 << 8);
	OK(pt(PTRACE_CONT, pid, 0, 0));
	exits(pid, 13);
}

static int run_self(void)
{
	char self[200];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[n] = 0;
	execl(self, self, "no such test", (char *)NULL);
	return 1;
}

TEST(events_of_exec)
{
	pid_t pid = traced(run_self);

	OK(pt(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXEC));
	OK(pt(PTRACE_CONT, pid, 0, 0));
	event(pid, PTRACE_EVENT_EXEC);
	EQ(msg(pid), pid);
	OK(pt(PTRACE_CONT, pid, 0, 0));
	exits(pid, 0);
	pid = traced(run_self);				/* without the option: a plain SIGTRAP */
	OK(pt(PTRACE_CONT, pid, 0, 0));
	stopped_by(pid, SIGTRAP);
	OK(pt(PTRACE_CONT, pid, 0, 0));
	exits(pid, 0);
}

static pid_t looping(void)
{
	pid_t pid = OK(fork());

	if (pid == 0)
		for (;;)
			sched_yield();
	return pid;
}

static int tracer_of(pid_t pid)
{
	char path[40], buf[2000], *p;
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	fd = OK(open(path, O_RDONLY));
	n = OK(read(fd, buf, sizeof(buf) - 1));
	close(fd);
	buf[n] = 0;
	p = strstr(buf, "TracerPid:");
	CHECK(p);
	return atoi(p + 10);
}

TEST(attach_and_detach)
{
	pid_t pid = looping();
	unsigned long v;
	int status;

	ERR(pt(PTRACE_CONT, pid, 0, 0), ESRCH);		/* not traced */
	ERR(pt(PTRACE_ATTACH, getpid(), 0, 0), EPERM);
	ERR(pt(PTRACE_ATTACH, 0x3fffffff, 0, 0), ESRCH);
	EQ(tracer_of(pid), 0);
	OK(pt(PTRACE_ATTACH, pid, 0, 0));
	EQ(tracer_of(pid), getpid());
	ERR(pt(PTRACE_ATTACH, pid, 0, 0), EPERM);
	stopped_by(pid, SIGSTOP);
	OK(pt(PTRACE_PEEKDATA, pid, (unsigned long)&cell, (unsigned long)&v));
	OK(pt(PTRACE_CONT, pid, 0, 0));
	ERR(pt(PTRACE_PEEKDATA, pid, (unsigned long)&cell, (unsigned long)&v), ESRCH); /* it runs */
	OK(kill(pid, SIGUSR1));
	stopped_by(pid, SIGUSR1);
	OK(pt(PTRACE_DETACH, pid, 0, 0));
	EQ(tracer_of(pid), 0);
	EQ(waitpid(pid, &status, WNOHANG | WUNTRACED), 0);	/* it goes on */
	/* One that is stopped already is taken over as it stands. */
	OK(kill(pid, SIGSTOP));
	EQ(waitpid(pid, &status, WUNTRACED), pid);
	OK(pt(PTRACE_ATTACH, pid, 0, 0));
	stopped_by(pid, SIGSTOP);
	OK(pt(PTRACE_DETACH, pid, 0, 0));		/* and is left so */
	EQ(waitpid(pid, &status, WNOHANG), 0);
	OK(kill(pid, SIGKILL));
	EQ(WTERMSIG(next(pid)), SIGKILL);
}

TEST(rights)
{
	pid_t pid = looping(), other;
	int status;

	other = OK(fork());
	if (other == 0) {
		if (setgid(1234) || setuid(1234))
			_exit(1);
		ERR(pt(PTRACE_ATTACH, pid, 0, 0), EPERM);
		ERR(pt(PTRACE_SEIZE, pid, 0, 0), EPERM);
		_exit(0);
	}
	EQ(waitpid(other, &status, 0), other);
	EQ(status, 0);
	OK(kill(pid, SIGKILL));
	t_wait(pid);
}

/*
 * Seized, a task is not stopped; PTRACE_INTERRUPT stops it, and stops of its group are told from
 * signals.
 */
TEST(seize)
{
	pid_t pid = looping();
	siginfo_t i;
	int status;

	ERR(pt(PTRACE_SEIZE, pid, 1, 0), EIO);
	ERR(pt(PTRACE_SEIZE, pid, 0, 1 << 30), EIO);
	OK(pt(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACEFORK));
	EQ(waitpid(pid, &status, WNOHANG | __WALL), 0);
	ERR(pt(PTRACE_LISTEN, pid, 0, 0), ESRCH);
	OK(pt(PTRACE_INTERRUPT, pid, 0, 0));
	event(pid, EVENT_STOP);
	OK(pt(PTRACE_GETSIGINFO, pid, 0, (unsigned long)&i));
	EQ(i.si_code, SIGTRAP | EVENT_STOP << 8);
	OK(pt(PTRACE_LISTEN, pid, 0, 0));
	ERR(pt(PTRACE_CONT, pid, 0, 0), ESRCH); /* it listens, and is not ours to move */
	OK(pt(PTRACE_INTERRUPT, pid, 0, 0));
	event(pid, EVENT_STOP);
	OK(pt(PTRACE_CONT, pid, 0, 0));
	OK(kill(pid, SIGKILL));
	EQ(WTERMSIG(next(pid)), SIGKILL);
}

TEST(stop_of_the_group)
{
	pid_t pid = looping();
	siginfo_t i;
	int s;

	OK(pt(PTRACE_SEIZE, pid, 0, 0));
	OK(kill(pid, SIGTSTP));
	stopped_by(pid, SIGTSTP); /* the signal, that can still be kept away */
	OK(pt(PTRACE_CONT, pid, 0, SIGTSTP));
	s = next(pid);
	EQ(s >> 8, SIGTSTP | EVENT_STOP << 8);		/* the stop itself */
	OK(pt(PTRACE_GETSIGINFO, pid, 0, (unsigned long)&i));
	EQ(i.si_code >> 8, EVENT_STOP);
	OK(pt(PTRACE_LISTEN, pid, 0, 0));		/* stays stopped, as without a tracer */
	EQ(waitpid(pid, &s, WNOHANG | __WALL), 0);
	OK(kill(pid, SIGCONT));
	event(pid, EVENT_STOP);				/* told that it goes on */
	OK(pt(PTRACE_CONT, pid, 0, 0));
	stopped_by(pid, SIGCONT);
	OK(pt(PTRACE_CONT, pid, 0, SIGCONT));
	OK(kill(pid, SIGKILL));
	EQ(WTERMSIG(next(pid)), SIGKILL);
	/* By the old way a stop has no siginfo. */
	pid = looping();
	OK(pt(PTRACE_ATTACH, pid, 0, 0));
	stopped_by(pid, SIGSTOP);
	OK(pt(PTRACE_CONT, pid, 0, SIGSTOP));
	stopped_by(pid, SIGSTOP);
	ERR(pt(PTRACE_GETSIGINFO, pid, 0, (unsigned long)&i), EINVAL);
	OK(kill(pid, SIGKILL));
	EQ(WTERMSIG(next(pid)), SIGKILL);
}

TEST(siginfo_and_mask)
{
	pid_t pid = traced(raise_usr1);
	unsigned long long m = 0;
	siginfo_t i;

	OK(pt(PTRACE_GETSIGMASK, pid, 8, (unsigned long)&m));
	ERR(pt(PTRACE_GETSIGMASK, pid, 4, (unsigned long)&m), EINVAL);
	m = ~0ULL;
	OK(pt(PTRACE_SETSIGMASK, pid, 8, (unsigned long)&m));
	m = 0;
	OK(pt(PTRACE_GETSIGMASK, pid, 8, (unsigned long)&m));
	EQ(m >> (SIGUSR2 - 1) & 1, 1);
	EQ(m >> (SIGKILL - 1) & 1, 0);
	m = 0;
	OK(pt(PTRACE_SETSIGMASK, pid, 8, (unsigned long)&m));
	OK(pt(PTRACE_CONT, pid, 0, 0));
	stopped_by(pid, SIGUSR1);
	OK(pt(PTRACE_GETSIGINFO, pid, 0, (unsigned long)&i));
	i.si_value.sival_int = 55;
	OK(pt(PTRACE_SETSIGINFO, pid, 0, (unsigned long)&i));
	memset(&i, 0, sizeof(i));
	OK(pt(PTRACE_GETSIGINFO, pid, 0, (unsigned long)&i));
	EQ(i.si_value.sival_int, 55);
	OK(pt(PTRACE_KILL, pid, 0, 0));
	EQ(WTERMSIG(next(pid)), SIGKILL);
}

static pid_t tids[2];
static int go[2];

static void *thread(void *arg)
{
	char c;

	(void)arg;
	CHECK(read(go[0], &c, 1) == 1);
	return NULL;
}

static int threaded(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, thread, NULL))
		return 1;
	if (write(go[1], "x", 1) != 1)
		return 2;
	pthread_join(t, NULL);
	return 21;
}

/* Threads are tracees of their own: they stop, and end, each by itself. */
TEST(threads)
{
	bool thread_ended = false;
	pid_t pid, tid = 0;

	OK(pipe(go));
	pid = traced(threaded);
	OK(pt(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACECLONE));
	OK(pt(PTRACE_CONT, pid, 0, 0));
	event(pid, PTRACE_EVENT_CLONE);
	tid = (pid_t)msg(pid);
	CHECK(tid != pid);
	tids[0] = tid;
	stopped_by(tid, SIGSTOP);
	EQ(tracer_of(tid), getpid());
	OK(pt(PTRACE_CONT, tid, 0, 0));
	OK(pt(PTRACE_CONT, pid, 0, 0));
	for (;;) {
		int s;
		pid_t who = OK(waitpid(-1, &s, __WALL));

		if (who == tid) {
			CHECK(WIFEXITED(s));
			thread_ended = true;
			continue;
		}
		EQ(who, pid);
		if (WIFEXITED(s)) {
			EQ(WEXITSTATUS(s), 21);
			break;
		}
		OK(pt(PTRACE_CONT, pid, 0, 0));
	}
	CHECK(thread_ended);
}

/* The tracer's end: tracees go on, or with PTRACE_O_EXITKILL go with it. */
TEST(end_of_the_tracer)
{
	for (int kill_it = 0; kill_it < 2; kill_it++) {
		pid_t pid = looping(), tracer = OK(fork());
		int s;

		if (tracer == 0) {
			OK(pt(PTRACE_SEIZE, pid, 0, kill_it ? PTRACE_O_EXITKILL : 0));
			OK(pt(PTRACE_INTERRUPT, pid, 0, 0));
			CHECK(waitpid(pid, &s, __WALL) == pid);
			_exit(0);
		}
		CHECK(t_child_ok(tracer));
		if (kill_it) {
			EQ(WTERMSIG(next(pid)), SIGKILL);
			continue;
		}
		EQ(tracer_of(pid), 0);
		OK(kill(pid, SIGTERM));
		EQ(WTERMSIG(next(pid)), SIGTERM);
	}
}

/* A process that somebody else traces is reaped by both: first the tracer, then its parent. */
TEST(two_who_wait)
{
	int p[2], s;
	pid_t pid, tracer;
	char c;

	OK(pipe(p));
	pid = OK(fork());
	if (pid == 0) {
		close(p[1]);
		/* until everybody has closed the other end */
		_exit(read(p[0], &c, 1) == 0 ? 31 : 1);
	}
	tracer = OK(fork());
	if (tracer == 0) {
		OK(pt(PTRACE_SEIZE, pid, 0, 0));
		close(p[1]);
		CHECK(waitpid(pid, &s, __WALL) == pid);
		_exit(WIFEXITED(s) ? WEXITSTATUS(s) : 1);
	}
	/* While it is traced, it is no zombie to us until its tracer saw that. */
	while (tracer_of(pid) != tracer)
		sched_yield();
	close(p[1]);
	EQ(waitpid(tracer, &s, 0), tracer);
	EQ(WEXITSTATUS(s), 31);
	exits(pid, 31);
}

TEST(memory_by_file)
{
	pid_t pid = traced(cell_is_changed);
	char path[40];
	long v = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = OK(open(path, O_RDWR));
	EQ(pread(fd, &v, 8, (off_t)&cell), 8);
	EQ(v, 0x1122334455667788);
	v = 77;
	EQ(pwrite(fd, &v, 8, (off_t)&cell), 8);
	OK(pt(PTRACE_CONT, pid, 0, 0));
	exits(pid, 7);
}

/* Many tracees that are killed in every state leave nothing behind. */
TEST(killed_anywhere)
{
	for (int i = 0; i < 60; i++) {
		pid_t pid = traced(three_calls);
		int s = 0;

		OK(pt(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD));
		for (int k = 0; k < i % 7; k++) {
			OK(pt(PTRACE_SYSCALL, pid, 0, 0));
			s = next(pid);
			if (!WIFSTOPPED(s))
				break;
		}
		if (i && WIFEXITED(s))
			continue;
		if (i % 2)
			OK(pt(PTRACE_SYSCALL, pid, 0, 0));
		kill(pid, SIGKILL);
		do
			s = next(pid);
		while (WIFSTOPPED(s));
		CHECK(WIFSIGNALED(s) || WIFEXITED(s));
	}
}

static void *ask_to_be_traced(void *ready)
{
	if (pt(PTRACE_TRACEME, 0, 0, 0))
		_exit(1);
	*(pid_t *)ready = gettid();
	for (;;)
		pause();
}

/*
 * A thread that asked to be traced is its process's parent's to wait for: until then the process,
 * killed, does not end.
 */
TEST(a_thread_asks)
{
	volatile pid_t *tid =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid = fork();
	siginfo_t i;
	int status;

	if (!pid) {
		pthread_t t;

		if (pthread_create(&t, NULL, ask_to_be_traced, (void *)tid))
			_exit(2);
		for (;;)
			pause();
	}
	while (!*tid)
		sched_yield();
	kill(pid, SIGKILL);
	OK(waitid(P_PID, (id_t)*tid, &i, WEXITED | WNOWAIT | __WALL));	/* it is dead */
	EQ(waitpid(pid, &status, WNOHANG | __WALL), 0);
	EQ(waitpid(-1, &status, __WALL), *tid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	EQ(next(pid), SIGKILL);
}
