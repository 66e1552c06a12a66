// SPDX-License-Identifier: MIT
/*
 * What a program sees of the CPU: registers over calls, signals, switches and forks; the vDSO;
 * thread pointers. proves: rt_sigreturn arch_prctl prctl getcpu clock_getres
 */
#include "t.h"
#include "t_vdso.h"

#ifndef __x86_64__
TEST(cpu_x86)
{
	SKIP("another CPU");
}
#else
#include <asm/prctl.h>
#include <cpuid.h>
#include <elf.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <ucontext.h>

/* ---- the time stamp counter ---- */

static int killed_by(pid_t pid)
{
	int status;

	EQ(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* Who reads it is killed, and so is his child; others on the same CPU are not. */
TEST(time_stamps_can_be_refused)
{
	int to[2], back[2], mode = 0;
	cpu_set_t one;
	pid_t pid, child;
	char c = 0;

	OK(pipe(to));
	OK(pipe(back));
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	OK(sched_setaffinity(0, sizeof(one), &one));
	OK(prctl(PR_GET_TSC, &mode));
	EQ(mode, PR_TSC_ENABLE);
	ERR(prctl(PR_SET_TSC, 3), EINVAL);
	ERR(prctl(PR_GET_TSC, 8), EFAULT);
	pid = OK(fork());
	if (!pid) {
		OK(prctl(PR_SET_TSC, PR_TSC_SIGSEGV));
		OK(prctl(PR_GET_TSC, &mode));
		EQ(mode, PR_TSC_SIGSEGV);
		child = OK(fork());
		if (!child) {
			prctl(PR_GET_TSC, &mode);
			__builtin_ia32_rdtsc();
			_exit(0);
		}
		EQ(killed_by(child), SIGSEGV);
		child = OK(fork());
		if (!child) {
			OK(prctl(PR_SET_TSC, PR_TSC_ENABLE));
			__builtin_ia32_rdtsc();
			_exit(0);
		}
		EQ(killed_by(child), 0);
		for (int i = 0; i < 20; i++) {
			EQ(write(back[1], &c, 1), 1);
			EQ(read(to[0], &c, 1), 1);
		}
		__builtin_ia32_rdtsc();
		_exit(0);
	}
	for (int i = 0; i < 20; i++) {
		EQ(read(back[0], &c, 1), 1);
		CHECK(__builtin_ia32_rdtsc());
		EQ(write(to[1], &c, 1), 1);
	}
	EQ(killed_by(pid), SIGSEGV);
	CHECK(__builtin_ia32_rdtsc());
}

/* ---- registers over a call ---- */

TEST(registers_survive_calls)
{
	for (long i = 0; i < 1000; i++) {
		register long r8 __asm__("r8") = i + 4, r9 __asm__("r9") = i + 5,
				 r10 __asm__("r10") = i + 6;
		register long r12 __asm__("r12") = i + 7, r13 __asm__("r13") = i + 8,
				  r14 __asm__("r14") = i + 9;
		long rdi = i + 1, rsi = i + 2, rdx = i + 3, rax = SYS_getppid, rbx = i + 10;

		__asm__ volatile("syscall"
				 : "+a"(rax), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+b"(rbx), "+r"(r8),
				   "+r"(r9), "+r"(r10), "+r"(r12), "+r"(r13), "+r"(r14)
				 :
				 : "rcx", "r11", "memory");
		CHECK(rdi == i + 1 && rsi == i + 2 && rdx == i + 3 && r8 == i + 4 && r9 == i + 5 &&
		      r10 == i + 6);
		CHECK(r12 == i + 7 && r13 == i + 8 && r14 == i + 9 && rbx == i + 10);
	}
}

TEST(flags_and_rcx_after_call)
{
	unsigned long rcx, r11, ip;

	__asm__ volatile("mov $39, %%eax; syscall; 1: lea 1b(%%rip), %2"
			 : "=c"(rcx), "=r"(r11), "=r"(ip)
			 :
			 : "rax", "r11", "memory");
	CHECK(rcx == ip);
}

/* ---- vector state ---- */

static void set_xmm(unsigned long v)
{
	__asm__ volatile("movq %0, %%xmm6; movq %0, %%xmm15" : : "r"(v));
}

static unsigned long get_xmm6(void)
{
	unsigned long v;

	__asm__ volatile("movq %%xmm6, %0" : "=r"(v));
	return v;
}

static unsigned long get_xmm15(void)
{
	unsigned long v;

	__asm__ volatile("movq %%xmm15, %0" : "=r"(v));
	return v;
}

static long raw_call(long nr)
{
	long r;

	__asm__ volatile("syscall" : "=a"(r) : "a"(nr) : "rcx", "r11", "memory");
	return r;
}

TEST(vectors_survive_switches)
{
	pid_t kids[4];

	for (int k = 0; k < 4; k++) {
		kids[k] = OK(fork());
		if (kids[k])
			continue;
		for (unsigned long i = 0; i < 3000; i++) {
			unsigned long v = i * 4 + (unsigned long)k;

			set_xmm(v);
			raw_call(SYS_sched_yield);
			if (get_xmm6() != v || get_xmm15() != v)
				_exit(1);
		}
		_exit(0);
	}
	for (int k = 0; k < 4; k++) {
		int st;

		OK(waitpid(kids[k], &st, 0));
		EQ(st, 0);
	}
}

TEST(vectors_survive_preemption)
{
	pid_t kids[3];

	for (int k = 0; k < 3; k++) {
		kids[k] = OK(fork());
		if (kids[k])
			continue;
		set_xmm(0x123450 + (unsigned long)k);
		for (unsigned long start = time(NULL), i = 0; time(NULL) < (time_t)start + 2; i++)
			if (get_xmm15() != 0x123450UL + (unsigned long)k)
				_exit(1);
		_exit(0);
	}
	for (int k = 0; k < 3; k++) {
		int st;

		OK(waitpid(kids[k], &st, 0));
		EQ(st, 0);
	}
}

TEST(fork_copies_vectors_and_control)
{
	unsigned int csr = 0x1f80 | 0x6000, got = 0, st;
	unsigned short cw = 0x27f, gotcw;
	pid_t p;

	__asm__ volatile("ldmxcsr %0; fldcw %1" : : "m"(csr), "m"(cw));
	set_xmm(0xabcdef);
	p = (pid_t)raw_call(SYS_fork);
	if (!p) {
		__asm__ volatile("stmxcsr %0; fnstcw %1" : "=m"(got), "=m"(gotcw));
		_exit(get_xmm6() == 0xabcdef && (got & 0x6000) == 0x6000 && gotcw == cw ? 0 : 1);
	}
	CHECK(p > 0);
	csr = 0x1f80;
	cw = 0x37f;
	__asm__ volatile("ldmxcsr %0; fldcw %1" : : "m"(csr), "m"(cw));
	OK(waitpid(p, (int *)&st, 0));
	EQ(st, 0);
}

static int have_avx(void)
{
	unsigned int a, b, c, d;

	return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_AVX) && (c & bit_OSXSAVE);
}

TEST(upper_halves_survive)
{
	unsigned long in[4] = { 1, 2, 3, 4 }, out[4];

	if (!have_avx())
		SKIP("no AVX");
	for (int i = 0; i < 1000; i++) {
		in[3] = (unsigned long)i;
		__asm__ volatile("vmovdqu %0, %%ymm9" : : "m"(in));
		raw_call(SYS_sched_yield);
		__asm__ volatile("vmovdqu %%ymm9, %0" : "=m"(out));
		CHECK(!memcmp(in, out, sizeof(in)));
	}
}

/* ---- signal frames ---- */

static volatile unsigned long seen_ip, seen_flags;
static volatile int handled;

static void clobber(int sig, siginfo_t *si, void *ctx)
{
	unsigned long junk[4] = { 9, 9, 9, 9 };

	handled = sig;
	set_xmm(0xdead);
	if (have_avx())
		__asm__ volatile("vmovdqu %0, %%ymm9" : : "m"(junk));
}

static void catch (int sig, void (*fn)(int, siginfo_t *, void *), int flags)
{
	struct sigaction sa = { .sa_sigaction = fn, .sa_flags = SA_SIGINFO | flags };

	OK(sigaction(sig, &sa, NULL));
}

TEST(handler_keeps_vectors)
{
	unsigned long in[4] = { 5, 6, 7, 8 }, out[4];
	pid_t me = getpid();
	long r;

	catch (SIGUSR1, clobber, 0);
	set_xmm(0x5555);
	if (have_avx())
		__asm__ volatile("vmovdqu %0, %%ymm9" : : "m"(in));
	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "a"(SYS_kill), "D"(me), "S"(SIGUSR1)
			 : "rcx", "r11", "memory");
	EQ(handled, SIGUSR1);
	CHECK(get_xmm6() == 0x5555 && get_xmm15() == 0x5555);
	if (have_avx()) {
		__asm__ volatile("vmovdqu %%ymm9, %0" : "=m"(out));
		CHECK(!memcmp(in, out, sizeof(in)));
	}
}

static void change(int sig, siginfo_t *si, void *ctx)
{
	ucontext_t *u = ctx;

	/* FXSAVE layout: xmm6 is at 160 + 6 * 16. */
	if (u->uc_mcontext.fpregs)
		*(unsigned long *)((char *)u->uc_mcontext.fpregs + 160 + 96) = 0x7777;
	u->uc_mcontext.gregs[REG_RAX] = 4242;
	handled = 1;
}

TEST(frame_changes_take_effect)
{
	long r;

	catch (SIGUSR1, change, 0);
	set_xmm(1);
	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "a"(SYS_kill), "D"(getpid()), "S"(SIGUSR1)
			 : "rcx", "r11", "memory");
	EQ(r, 4242);
	CHECK(get_xmm6() == 0x7777);
}

struct sw_bytes {
	unsigned int magic1, extended_size;
	unsigned long xfeatures;
	unsigned int xstate_size;
};
static volatile struct sw_bytes sw;
static volatile unsigned int magic2;
static volatile unsigned long frame_at, uc_flags, fp_at;

static void look(int sig, siginfo_t *si, void *ctx)
{
	ucontext_t *u = ctx;
	char *fp = (char *)u->uc_mcontext.fpregs;

	memcpy((void *)&sw, fp + 464, sizeof(sw));
	if (sw.magic1 == 0x46505853)
		magic2 = *(unsigned int *)(fp + sw.xstate_size);
	uc_flags = u->uc_flags;
	fp_at = (unsigned long)fp;
	__asm__ volatile("mov %%rsp, %0" : "=r"(frame_at));
}

TEST(frame_layout)
{
	catch (SIGUSR1, look, 0);
	OK(raise(SIGUSR1));
	CHECK(fp_at % 64 == 0);
	CHECK(uc_flags & 2);			/* UC_SIGCONTEXT_SS */
	if (!have_avx())
		return;
	EQ(sw.magic1, 0x46505853);
	EQ(magic2, 0x46505845);
	CHECK(sw.xfeatures & 4);
	EQ(sw.extended_size, sw.xstate_size + 4);
	CHECK(uc_flags & 1);			/* UC_FP_XSTATE */
}

/* ---- ptrace's view of the same registers ---- */

static unsigned char image[65536];

static int regset(pid_t pid, int request, long type, size_t len)
{
	struct iovec v = { image, len };

	return (int)ptrace(request, pid, (void *)type, &v) ? -1 : (int)v.iov_len;
}

static void stop_with_registers(const unsigned long *ymm)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	set_xmm(0x1234);
	if (have_avx())
		__asm__ volatile("vmovdqu %0, %%ymm9" : : "m"(*(const char(*)[32])ymm));
	raw_call(SYS_getpid);
	__asm__ volatile("syscall"
			 :
			 : "a"(SYS_kill), "D"(getpid()), "S"(SIGSTOP)
			 : "rcx", "r11", "memory");
}

TEST(ptrace_sets_legacy_registers)
{
	unsigned long in[4] = { 11, 12, 13, 14 }, out[4];
	unsigned int bad = 0xffffffff, old;
	pid_t pid = OK(fork());
	int status;

	if (!pid) {
		stop_with_registers(in);
		if (have_avx())
			__asm__ volatile("vmovdqu %%ymm9, %0" : "=m"(out));
		_exit(get_xmm6() == 0x99 && get_xmm15() == 0x1234 &&
				      (!have_avx() || !memcmp(in, out, sizeof(in))) ?
			      0 :
			      1);
	}
	OK(waitpid(pid, &status, 0));
	CHECK(WIFSTOPPED(status));
	EQ(regset(pid, PTRACE_GETREGSET, NT_PRFPREG, sizeof(image)), 512);
	CHECK(*(unsigned long *)(image + 160 + 6 * 16) == 0x1234);
	/* Reserved bits of MXCSR: refused, and nothing is changed. */
	memcpy(&old, image + 24, 4);
	memcpy(image + 24, &bad, 4);
	*(unsigned long *)(image + 160 + 15 * 16) = 0xbad;
	EQ(regset(pid, PTRACE_SETREGSET, NT_PRFPREG, 512), -1);
	EQ(errno, EINVAL);
	memcpy(image + 24, &old, 4);
	*(unsigned long *)(image + 160 + 15 * 16) = 0x1234;
	*(unsigned long *)(image + 160 + 6 * 16) = 0x99;
	EQ(regset(pid, PTRACE_SETREGSET, NT_PRFPREG, 512), 512);
	OK((int)ptrace(PTRACE_CONT, pid, NULL, NULL));
	OK(waitpid(pid, &status, 0));
	EQ(status, 0);
}

TEST(ptrace_of_xsave_state)
{
	unsigned long in[4] = { 0 };
	unsigned int a, b, c = 0, d;
	pid_t pid = OK(fork());
	int status, n;

	if (!pid) {
		stop_with_registers(in);
		_exit(get_xmm6() == 0x77 ? 0 : 1);
	}
	OK(waitpid(pid, &status, 0));
	__get_cpuid(1, &a, &b, &c, &d);
	n = regset(pid, PTRACE_GETREGSET, NT_X86_XSTATE, sizeof(image));
	if (c & bit_OSXSAVE) {
		CHECK(n >= 576);
		/* the compacted form, and bytes that mean nothing yet */
		for (int i = 0; i < 3; i++) {
			int at = i == 0 ? 512 + 15 : i == 1 ? 512 + 16 : 575;

			image[at] = i ? 1 : 0x80;
			EQ(regset(pid, PTRACE_SETREGSET, NT_X86_XSTATE, (size_t)n), -1);
			EQ(errno, EINVAL);
			image[at] = 0;
		}
		*(unsigned long *)(image + 160 + 6 * 16) = 0x77;
		EQ(regset(pid, PTRACE_SETREGSET, NT_X86_XSTATE, (size_t)n), n);
	} else {
		EQ(n, -1);
		EQ(errno, ENODEV);
		EQ(regset(pid, PTRACE_SETREGSET, NT_X86_XSTATE, 576), -1);
		EQ(errno, ENODEV);
		EQ(regset(pid, PTRACE_GETREGSET, NT_PRFPREG, sizeof(image)), 512);
		*(unsigned long *)(image + 160 + 6 * 16) = 0x77;
		EQ(regset(pid, PTRACE_SETREGSET, NT_PRFPREG, 512), 512);
	}
	OK((int)ptrace(PTRACE_CONT, pid, NULL, NULL));
	OK(waitpid(pid, &status, 0));
	EQ(status, 0);
}

static char alt[65536];

static void on_alt(int sig, siginfo_t *si, void *ctx)
{
	char here;
	stack_t st;

	handled = &here >= alt && &here < alt + sizeof(alt);
	sigaltstack(NULL, &st);
	if (!(st.ss_flags & SS_ONSTACK))
		handled = 0;
	_exit(handled ? 0 : 1);
}

TEST(stack_overflow_on_alternate_stack)
{
	stack_t st = { .ss_sp = alt, .ss_size = sizeof(alt) };
	int status;
	pid_t p = OK(fork());

	if (!p) {
		sigaltstack(&st, NULL);
		catch (SIGSEGV, on_alt, SA_ONSTACK);
		__asm__ volatile("mov $0x1000, %rsp; push $0");
		_exit(2);
	}
	OK(waitpid(p, &status, 0));
	EQ(status, 0);
}

/* ---- nonsense from the user ---- */

static int dies_by(void (*fn)(void))
{
	int st;
	pid_t p = fork();

	if (!p) {
		fn();
		_exit(0);
	}
	waitpid(p, &st, 0);
	return WIFSIGNALED(st) ? WTERMSIG(st) : 0;
}

static unsigned long poison;
static int poison_reg;

static void poisoner(int sig, siginfo_t *si, void *ctx)
{
	ucontext_t *u = ctx;

	u->uc_mcontext.gregs[poison_reg] = (greg_t)poison;
}

static void return_to_poison(void)
{
	catch (SIGUSR1, poisoner, 0);
	raise(SIGUSR1);
}

TEST(sigreturn_to_impossible_places)
{
	static const unsigned long ips[] = { 0x800000000000UL,
					     0x8000000000000000UL,
					     0xffffffff80000000UL,
					     0xffff888000000000UL,
					     ~0UL,
					     0x7ffffffff000UL };

	poison_reg = REG_RIP;
	for (size_t i = 0; i < sizeof(ips) / sizeof(ips[0]); i++) {
		poison = ips[i];
		EQ(dies_by(return_to_poison), SIGSEGV);
	}
	poison_reg = REG_RSP;
	poison = 0xffffffff80000000UL;
	CHECK(dies_by(return_to_poison));
}

static void bad_sigreturn(void)
{
	__asm__ volatile("mov $0x10, %rsp; mov $15, %eax; syscall");
}

static void jump_away(void)
{
	__asm__ volatile("mov $0x8000000000000000, %rax; jmp *%rax");
}

static void privileged(void)
{
	__asm__ volatile("cli");
}

static void port_io(void)
{
	__asm__ volatile("outb %al, $0x80");
}

static void halt(void)
{
	__asm__ volatile("hlt");
}

static void invalid(void)
{
	__asm__ volatile("ud2");
}

static void divide(void)
{
	__asm__ volatile("xor %%edx, %%edx; xor %%ecx, %%ecx; mov $1, %%eax; div %%ecx"
			 :
			 :
			 : "eax", "ecx", "edx");
}

static void breakpoint(void)
{
	__asm__ volatile("int3");
}

static void soft_int(void)
{
	__asm__ volatile("int $0x81");
}

static void kernel_read(void)
{
	*(volatile char *)0xffffffff80100000UL;
}

static void null_call(void)
{
	((void (*)(void))0)();
}

static void single_step(void)
{
	__asm__ volatile("pushfq; orl $0x100, (%rsp); popfq; nop");
}

TEST(faults_become_signals)
{
	EQ(dies_by(bad_sigreturn), SIGSEGV);
	EQ(dies_by(jump_away), SIGSEGV);
	EQ(dies_by(privileged), SIGSEGV);
	EQ(dies_by(port_io), SIGSEGV);
	EQ(dies_by(halt), SIGSEGV);
	EQ(dies_by(invalid), SIGILL);
	EQ(dies_by(divide), SIGFPE);
	EQ(dies_by(breakpoint), SIGTRAP);
	EQ(dies_by(soft_int), SIGSEGV);
	EQ(dies_by(kernel_read), SIGSEGV);
	EQ(dies_by(null_call), SIGSEGV);
	EQ(dies_by(single_step), SIGTRAP);
}

static siginfo_t last;

static void keep(int sig, siginfo_t *si, void *ctx)
{
	ucontext_t *u = ctx;

	last = *si;
	seen_ip = (unsigned long)u->uc_mcontext.gregs[REG_TRAPNO];
	seen_flags = (unsigned long)u->uc_mcontext.gregs[REG_ERR];
	/* both faulting instructions below are two bytes long */
	u->uc_mcontext.gregs[REG_RIP] += 2;
}

TEST(fault_details)
{
	catch (SIGSEGV, keep, 0);
	__asm__ volatile("mov %%eax, (%%rbx)" : : "b"(0x10UL), "a"(0) : "memory");
	EQ(last.si_code, SEGV_MAPERR);
	CHECK(last.si_addr == (void *)0x10);
	EQ(seen_ip, 14);
	EQ(seen_flags & 7, 6);			/* write, user, not present */
	catch (SIGILL, keep, 0);
	__asm__ volatile("ud2");
	EQ(last.si_code, ILL_ILLOPN);
	EQ(seen_ip, 6);
}

TEST(kernel_addresses_are_refused)
{
	static const unsigned long at[] = { 0xffffffff80100000UL, 0xffff888000000000UL,
					    0x800000000000UL, 0x7ffffffff000UL, ~0UL - 8 };

	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		ERR(syscall(SYS_clock_gettime, 5, at[i]), EFAULT);
		ERR(syscall(SYS_rt_sigprocmask, SIG_BLOCK, at[i], NULL, 8), EFAULT);
	}
}

/* ---- thread pointers ---- */

TEST(gs_base)
{
	static unsigned long cell = 0x1234;
	unsigned long v = 0, old;

	OK(syscall(SYS_arch_prctl, ARCH_GET_GS, &old));
	OK(syscall(SYS_arch_prctl, ARCH_SET_GS, &cell));
	for (int i = 0; i < 100; i++) {
		raw_call(SYS_sched_yield);
		__asm__ volatile("mov %%gs:0, %0" : "=r"(v));
		EQ(v, 0x1234);
	}
	OK(syscall(SYS_arch_prctl, ARCH_GET_GS, &v));
	CHECK(v == (unsigned long)&cell);
	OK(syscall(SYS_arch_prctl, ARCH_SET_GS, old));
	ERR(syscall(SYS_arch_prctl, ARCH_SET_GS, 1UL << 63), EPERM);
	ERR(syscall(SYS_arch_prctl, 0x9999, 0), EINVAL);
}

TEST(fsgsbase_instructions)
{
	unsigned long fs, v;

	if (!(getauxval(AT_HWCAP2) & 2))
		SKIP("no FSGSBASE");
	OK(syscall(SYS_arch_prctl, ARCH_GET_FS, &fs));
	__asm__ volatile("rdfsbase %0" : "=r"(v));
	CHECK(v == fs);
	for (unsigned long i = 1; i < 200; i++) {
		__asm__ volatile("wrgsbase %0" : : "r"(i << 12));
		raw_call(SYS_sched_yield);
		__asm__ volatile("rdgsbase %0" : "=r"(v));
		CHECK(v == i << 12);
	}
}

/* ---- the vDSO ---- */

typedef int (*gettime_fn)(clockid_t, struct timespec *);

static long ns(const struct timespec *t)
{
	return t->tv_sec * 1000000000L + t->tv_nsec;
}

TEST(vdso_agrees_with_kernel)
{
	gettime_fn get = (gettime_fn)vdso_symbol("__vdso_clock_gettime");
	static const clockid_t ids[] = {
		CLOCK_REALTIME, CLOCK_MONOTONIC,       CLOCK_BOOTTIME,		CLOCK_MONOTONIC_RAW,
		CLOCK_TAI,	CLOCK_REALTIME_COARSE, CLOCK_PROCESS_CPUTIME_ID
	};

	if (!get)
		SKIP("no vDSO");
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		for (int n = 0; n < 200; n++) {
			struct timespec a, b, c;

			OK(syscall(SYS_clock_gettime, ids[i], &a));
			EQ(get(ids[i], &b), 0);
			OK(syscall(SYS_clock_gettime, ids[i], &c));
			CHECK(ns(&a) <= ns(&b) && ns(&b) <= ns(&c));
		}
	CHECK(get(12345, &(struct timespec){ 0 }) == -EINVAL);
}

TEST(vdso_other_functions)
{
	int (*gtod)(struct timeval *, void *) =
		(int (*)(struct timeval *, void *))vdso_symbol("__vdso_gettimeofday");
	long (*gettime)(long *) = (long (*)(long *))vdso_symbol("__vdso_time");
	long (*getcpu_fn)(unsigned int *, unsigned int *, void *) =
		(long (*)(unsigned int *, unsigned int *, void *))vdso_symbol("__vdso_getcpu");
	gettime_fn res = (gettime_fn)vdso_symbol("__vdso_clock_getres");
	struct timeval tv;
	struct timespec ts;
	unsigned int cpu = 99, node = 99;
	cpu_set_t one;
	long t;

	if (!gtod || !gettime || !getcpu_fn || !res)
		SKIP("not all of them");
	EQ(gtod(&tv, NULL), 0);
	t = gettime(NULL);
	CHECK(t >= tv.tv_sec - 1 && t <= time(NULL) && tv.tv_usec < 1000000);
	EQ(res(CLOCK_MONOTONIC, &ts), 0);
	CHECK(ts.tv_sec == 0 && ts.tv_nsec > 0);
	CPU_ZERO(&one);
	OK(syscall(SYS_getcpu, &cpu, &node, NULL));
	CPU_SET(cpu, &one);
	OK(sched_setaffinity(0, sizeof(one), &one));
	EQ(getcpu_fn(&cpu, &node, NULL), 0);
	CHECK(CPU_ISSET(cpu, &one));
}

TEST(vdso_cannot_be_written)
{
	char *base = (char *)getauxval(AT_SYSINFO_EHDR);

	if (!base)
		SKIP("no vDSO");
	ERR(syscall(SYS_getcpu, base, NULL, NULL), EFAULT);
}
#endif
