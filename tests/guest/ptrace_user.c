// SPDX-License-Identifier: MIT
/*
 * A stopped child's registers word by word (ptrace(2)): what of struct user is not kept reads 0,
 * selectors and debug registers take what Linux takes, bases are told by PTRACE_ARCH_PRCTL.
 * proves: ptrace
 */
#include "t.h"
#if defined(__x86_64__)
#include <asm/ldt.h>
#include <asm/prctl.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

#define DR6_FIXED 0xffff0ff0ul

static pid_t child;

static long req(long request, unsigned long addr, void *data)
{
	return syscall(SYS_ptrace, request, child, addr, data);
}

static void start(void)
{
	int status;

	child = OK(fork());
	if (!child) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		_exit(0);
	}
	EQ(waitpid(child, &status, 0), child);
	CHECK(WIFSTOPPED(status));
}

static void end(void)
{
	kill(child, SIGKILL);
	EQ(waitpid(child, NULL, 0), child);
}

TEST(rest_of_struct_user)
{
	static const size_t zero[] = { offsetof(struct user, u_fpvalid),
				       offsetof(struct user, start_code), 912, 920 };
	unsigned long v;

	start();
	for (size_t i = 0; i < sizeof(zero) / sizeof(zero[0]); i++) {
		v = 1;
		OK(req(PTRACE_PEEKUSER, zero[i], &v));
		EQ(v, 0);
		ERR(req(PTRACE_POKEUSER, zero[i], NULL), EIO);
	}
	ERR(req(PTRACE_PEEKUSER, 928, &v), EIO);	/* the end of the kernel's struct user */
	ERR(req(PTRACE_PEEKUSER, 4, &v), EIO);
	end();
}

TEST(selectors)
{
	struct user_regs_struct g, h;

	start();
	OK(req(PTRACE_GETREGS, 0, &g));
	h = g;
	h.cs = 0;
	ERR(req(PTRACE_SETREGS, 0, &h), EIO);
	h = g;
	h.ss = 0;
	ERR(req(PTRACE_SETREGS, 0, &h), EIO);
	h = g;
	h.ds = 0x10;
	ERR(req(PTRACE_SETREGS, 0, &h), EIO);
	h = g;
	h.gs = 0x10;
	ERR(req(PTRACE_SETREGS, 0, &h), EIO);
	ERR(req(PTRACE_POKEUSER, offsetof(struct user, regs.es), (void *)0x10), EIO);
	OK(req(PTRACE_POKEUSER, offsetof(struct user, regs.es), (void *)0x2b));
	OK(req(PTRACE_SETREGS, 0, &g));
	end();
}

TEST(debug_registers)
{
	unsigned long v, dr7 = offsetof(struct user, u_debugreg[7]),
			 dr6 = offsetof(struct user, u_debugreg[6]);

	start();
	OK(req(PTRACE_POKEUSER, dr7, (void *)0x2000));
	OK(req(PTRACE_PEEKUSER, dr7, &v));
	EQ(v, 0x2000);
	OK(req(PTRACE_POKEUSER, dr7, (void *)0x100000000));
	OK(req(PTRACE_PEEKUSER, dr6, &v));
	EQ(v, DR6_FIXED);
	OK(req(PTRACE_POKEUSER, dr6, (void *)(DR6_FIXED | 1)));
	OK(req(PTRACE_PEEKUSER, dr6, &v));
	EQ(v, DR6_FIXED | 1);
	ERR(req(PTRACE_POKEUSER, offsetof(struct user, u_debugreg[4]), (void *)1), EIO);
	end();
}

TEST(bases)
{
	struct user_regs_struct g;
	struct user_desc d;
	unsigned long v = 0;

	start();
	OK(req(PTRACE_ARCH_PRCTL, (unsigned long)&v, (void *)ARCH_GET_FS));
	OK(req(PTRACE_GETREGS, 0, &g));
	EQ(v, g.fs_base);
	OK(req(PTRACE_ARCH_PRCTL, 0x1234000, (void *)ARCH_SET_GS));
	OK(req(PTRACE_ARCH_PRCTL, (unsigned long)&v, (void *)ARCH_GET_GS));
	EQ(v, 0x1234000);
	ERR(req(PTRACE_ARCH_PRCTL, 1ul << 63, (void *)ARCH_SET_FS), EPERM);
	ERR(req(PTRACE_ARCH_PRCTL, 0, (void *)0x9999), EINVAL);
	memset(&d, 0xff, sizeof(d));
	OK(req(PTRACE_GET_THREAD_AREA, 12, &d));
	EQ(d.entry_number, 12);
	EQ(d.seg_not_present, 1);
	ERR(req(PTRACE_GET_THREAD_AREA, 3, &d), EINVAL);
	ERR(req(PTRACE_GET_THREAD_AREA, -1ul, &d), EIO);
	end();
}
#else
TEST(none)
{
	SKIP("struct user is another one");
}
#endif
