// SPDX-License-Identifier: MIT
/*
 * The CPU's breakpoints and watchpoints, as a debugger sets them: they stop where they should, say
 * what it was, and are nobody else's. proves: ptrace
 */
#include "t.h"

#ifndef __aarch64__
TEST(debug_aarch64)
{
	SKIP("another CPU");
}
#else
#include <asm/ptrace.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#ifndef NT_ARM_HW_BREAK
#define NT_ARM_HW_BREAK 0x402
#define NT_ARM_HW_WATCH 0x403
#endif
#define NT_PRSTATUS_ 1
#define BREAK (1 | 0xf << 5)
#define STORES(bytes) (1 | 2 << 3 | (bytes) << 5)
#define LOADS(bytes) (1 | 1 << 3 | (bytes) << 5)

static volatile int called, word[4];

__attribute__((noinline, aligned(16))) static void called_one(void)
{
	called++;
}

__attribute__((noinline)) static void called_two(void)
{
	called_one();
}

static long set(pid_t pid, int kind, unsigned long addr, unsigned int ctrl, unsigned int slot)
{
	struct user_hwdebug_state s = { 0 };
	struct iovec iov = { &s, offsetof(struct user_hwdebug_state, dbg_regs) +
					 (slot + 1) * sizeof(s.dbg_regs[0]) };

	s.dbg_regs[slot].addr = addr;
	s.dbg_regs[slot].ctrl = ctrl;
	return ptrace(PTRACE_SETREGSET, pid, (void *)(long)kind, &iov);
}

static struct user_hwdebug_state get(pid_t pid, int kind)
{
	struct user_hwdebug_state s;
	struct iovec iov = { &s, sizeof(s) };

	OK(ptrace(PTRACE_GETREGSET, pid, (void *)(long)kind, &iov));
	EQ(iov.iov_len, sizeof(s));
	return s;
}

/* A child that is stopped, and then calls FN and ends with 5. */
static pid_t child(void (*fn)(void))
{
	int status;
	pid_t pid = OK(fork());

	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		fn();
		_exit(5);
	}
	EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	return pid;
}

/*
 * Goes on to the next stop: its siginfo's address where it is TRAP_HWBKPT; 0 at an ordinary end
 * with 5.
 */
static unsigned long next(pid_t pid)
{
	siginfo_t i;
	int status;

	OK(ptrace(PTRACE_CONT, pid, 0, 0));
	EQ(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status)) {
		EQ(WEXITSTATUS(status), 5);
		return 0;
	}
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
	OK(ptrace(PTRACE_GETSIGINFO, pid, 0, &i));
	EQ(i.si_code, 4);			/* TRAP_HWBKPT */
	return (unsigned long)i.si_addr;
}

static unsigned long pc_of(pid_t pid)
{
	struct user_pt_regs r;
	struct iovec iov = { &r, sizeof(r) };

	OK(ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS_, &iov));
	return r.pc;
}

TEST(breakpoints)
{
	unsigned long at = (unsigned long)called_one;
	pid_t pid = child(called_two);

	CHECK((get(pid, NT_ARM_HW_BREAK).dbg_info & 0xff) >= 2 &&
	      (get(pid, NT_ARM_HW_BREAK).dbg_info >> 8) >= 6);
	OK(set(pid, NT_ARM_HW_BREAK, at, BREAK, 1));
	EQ(get(pid, NT_ARM_HW_BREAK).dbg_regs[1].addr, at);
	EQ(get(pid, NT_ARM_HW_BREAK).dbg_regs[1].ctrl, BREAK);
	EQ(get(pid, NT_ARM_HW_WATCH).dbg_regs[1].ctrl, 0);
	EQ(next(pid), at);
	EQ(pc_of(pid), at);
	EQ(next(pid), at);			/* it is there still */
	OK(set(pid, NT_ARM_HW_BREAK, at, 0, 1));
	EQ(next(pid), 0);
}

static void store(void)
{
	int v = word[0];

	word[1] = v + 1;
	word[2] = 7;
}

TEST(watchpoints)
{
	pid_t pid = child(store);

	OK(set(pid, NT_ARM_HW_WATCH, (unsigned long)&word[2], STORES(0xf), 0));
	EQ(next(pid), (unsigned long)&word[2]);
	OK(set(pid, NT_ARM_HW_WATCH, 0, 0, 0));
	EQ(next(pid), 0);
	pid = child(store);			/* what is only loaded is not stored */
	OK(set(pid, NT_ARM_HW_WATCH, (unsigned long)&word[0], STORES(0xf), 0));
	EQ(next(pid), 0);
	pid = child(store);
	OK(set(pid, NT_ARM_HW_WATCH, (unsigned long)&word[0], LOADS(0xf), 1));
	EQ(next(pid), (unsigned long)&word[0]);
	OK(set(pid, NT_ARM_HW_WATCH, 0, 0, 1));
	EQ(next(pid), 0);
}

static void let_the_kernel_store(void)
{
	int fds[2];

	if (pipe(fds) || write(fds[1], "abcd", 4) != 4 || read(fds[0], (void *)&word[2], 4) != 4)
		_exit(6);
}

static void fork_and_call(void)
{
	sigset_t chld;
	int status;
	pid_t pid;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);	/* or it stops here, too */
	pid = fork();
	if (!pid) {
		called_one();
		_exit(3);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 3)
		_exit(6);
}

/* The kernel's own stores, other tasks and children go by. */
TEST(nobody_elses)
{
	pid_t pid = child(let_the_kernel_store);

	OK(set(pid, NT_ARM_HW_WATCH, (unsigned long)&word[2], STORES(0xf), 0));
	word[2] = 1;
	EQ(next(pid), 0);
	pid = child(fork_and_call);
	OK(set(pid, NT_ARM_HW_BREAK, (unsigned long)called_one, BREAK, 0));
	called_one();
	EQ(next(pid), 0);
}

TEST(what_cannot_be)
{
	unsigned long at = (unsigned long)called_one;
	pid_t pid = child(called_two);

	ERR(set(pid, NT_ARM_HW_BREAK, at, STORES(0xf), 0), EINVAL);
	ERR(set(pid, NT_ARM_HW_WATCH, at, BREAK, 0), EINVAL);
	ERR(set(pid, NT_ARM_HW_BREAK, at, 1, 0), EINVAL);
	ERR(set(pid, NT_ARM_HW_BREAK, ~0xffful, BREAK, 0), EINVAL);
	ERR(set(pid, NT_ARM_HW_WATCH, at, STORES(0x5), 0), EINVAL);
	ERR(set(pid, NT_ARM_HW_WATCH, (unsigned long)&word[0] | 7, STORES(0xff), 0), EINVAL);
	ERR(set(pid, NT_ARM_HW_BREAK, at, BREAK, 15),
	    (get(pid, NT_ARM_HW_BREAK).dbg_info & 0xff) > 15 ? 0 : ENOSPC);
	EQ(next(pid), 0);
}
#endif
