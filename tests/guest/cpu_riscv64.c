// SPDX-License-Identifier: MIT
/*
 * What a program is told of the CPU, and that it is true: AT_HWCAP, /proc/cpuinfo and
 * riscv_hwprobe; vector registers, which are a task's own, in signal frames and in ptrace's
 * register sets; code that is written and then flushed. proves: riscv_hwprobe riscv_flush_icache
 * ptrace rt_sigreturn
 */
#include "t.h"
#include "t_vdso.h"

#ifndef __riscv
TEST(cpu_riscv64)
{
	SKIP("another CPU");
}
#else
#include <asm/hwprobe.h>
#include <elf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <ucontext.h>

#ifndef NT_RISCV_VECTOR
#define NT_RISCV_VECTOR 0x901
#endif
#ifndef SYS_riscv_hwprobe
#define SYS_riscv_hwprobe 258
#endif
#ifndef PR_GET_CFI
#define PR_GET_CFI 80
#define PR_SET_CFI 81
#define PR_CFI_BRANCH_LANDING_PADS 0
#define PR_CFI_ENABLE 1UL
#define PR_CFI_DISABLE 2UL
#endif
#define HWCAP(letter) (1UL << ((letter) - 'A'))
#define ALL_CPUS 1024
#define SPIN 500000UL		/* of the time counter */

static long probe(struct riscv_hwprobe *p, size_t n, size_t size, void *cpus, unsigned int flags)
{
	return syscall(SYS_riscv_hwprobe, p, n, size, cpus, flags);
}

static uint64_t ima(void)
{
	struct riscv_hwprobe p = { RISCV_HWPROBE_KEY_IMA_EXT_0, 0 };

	OK(probe(&p, 1, 0, NULL, 0));
	return p.value;
}

TEST(hwprobe)
{
	struct riscv_hwprobe p[3] = { { RISCV_HWPROBE_KEY_BASE_BEHAVIOR, 0 },
				      { 123456, 5 },
				      { RISCV_HWPROBE_KEY_IMA_EXT_0, 0 } };
	unsigned long cap = getauxval(AT_HWCAP), cpus[ALL_CPUS / 64] = { 0 };

	OK(probe(p, 3, 0, NULL, 0));
	EQ(p[0].value, RISCV_HWPROBE_BASE_BEHAVIOR_IMA);
	EQ(p[1].key, -1);		/* not known */
	EQ(p[1].value, 0);
	CHECK(cap & HWCAP('I') && cap & HWCAP('M') && cap & HWCAP('A'));
	EQ(!!(p[2].value & RISCV_HWPROBE_IMA_FD), (cap & HWCAP('F')) && (cap & HWCAP('D')));
	EQ(!!(p[2].value & RISCV_HWPROBE_IMA_C), !!(cap & HWCAP('C')));
	EQ(!!(p[2].value & RISCV_HWPROBE_IMA_V), !!(cap & HWCAP('V')));
	ERR(probe(p, 1, sizeof(cpus), cpus, 0), EINVAL);	/* of no CPU */
	cpus[0] = 1;
	OK(probe(p, 1, sizeof(cpus), cpus, 0));
	ERR(probe(p, 1, 0, NULL, 1u << 5), EINVAL);
	ERR(probe((void *)8, 1, 0, NULL, 0), EFAULT);
	ERR(probe(p, 1, sizeof(cpus), (void *)8, 0), EFAULT);
}

typedef int (*hwprobe_fn)(struct riscv_hwprobe *, size_t, size_t, void *, unsigned int);

static void trapped(int sig)
{
	_exit(99);
}

/* Of some CPUs: the kernel's to say. */
static void ask_of_some(void)
{
	hwprobe_fn ask = vdso_symbol("__vdso_riscv_hwprobe");
	struct riscv_hwprobe p = { RISCV_HWPROBE_KEY_IMA_EXT_0, 0 };
	unsigned long cpu = 1;

	signal(SIGSYS, trapped);
	ask(&p, 1, sizeof(cpu), &cpu, 0);
}

/* The vDSO answers for all CPUs by itself, and as the call does. */
TEST(hwprobe_without_a_call)
{
	hwprobe_fn ask = vdso_symbol("__vdso_riscv_hwprobe");
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_riscv_hwprobe, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { 4, code };
	struct riscv_hwprobe a[40], b[40];

	CHECK(ask);
	for (int i = 0; i < 40; i++)
		a[i] = b[i] = (struct riscv_hwprobe){ i - 4, 7 };
	OK(probe(a, 40, 0, NULL, 0));
	OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	OK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog));
	EQ(ask(b, 40, 0, NULL, 0), 0);
	CHECK(!memcmp(a, b, sizeof(a)));
	EQ(t_call(ask_of_some), 99);
}

TEST(hwprobe_which_cpus)
{
	struct riscv_hwprobe p = { RISCV_HWPROBE_KEY_IMA_EXT_0, RISCV_HWPROBE_IMA_C };
	unsigned long cpus[ALL_CPUS / 64] = { 0 };

	OK(probe(&p, 1, sizeof(cpus), cpus, RISCV_HWPROBE_WHICH_CPUS));
	CHECK(cpus[0] & 1);
	p = (struct riscv_hwprobe){ RISCV_HWPROBE_KEY_MVENDORID, 0xdeadbeefdeadbeef };
	OK(probe(&p, 1, sizeof(cpus), cpus, RISCV_HWPROBE_WHICH_CPUS));
	EQ(cpus[0], 0);
	cpus[0] = 1;
	p.key = 123456;
	OK(probe(&p, 1, sizeof(cpus), cpus, RISCV_HWPROBE_WHICH_CPUS));
	EQ(p.key, -1);
	EQ(cpus[0], 0);
	ERR(probe(&p, 1, 0, NULL, RISCV_HWPROBE_WHICH_CPUS), EINVAL);
}

/*
 * Landing pads and shadow stacks (shadow_stack.c) are neither used nor promised, also where the CPU
 * has them.
 */
TEST(user_cfi)
{
	unsigned long v = 7;
	struct riscv_hwprobe p = { RISCV_HWPROBE_KEY_IMA_EXT_1, ~0UL };
	char line[4096];
	FILE *f = fopen("/proc/cpuinfo", "r");
	int seen = 0;

	ERR(prctl(PR_GET_CFI, PR_CFI_BRANCH_LANDING_PADS, &v, 0, 0), EINVAL);
	ERR(prctl(PR_SET_CFI, PR_CFI_BRANCH_LANDING_PADS, PR_CFI_ENABLE, 0, 0), EINVAL);
	ERR(prctl(PR_SET_CFI, PR_CFI_BRANCH_LANDING_PADS, PR_CFI_DISABLE, 0, 0), EINVAL);
	ERR(prctl(PR_GET_CFI, 1, &v, 0, 0), EINVAL);
	ERR(prctl(PR_SET_CFI, PR_CFI_BRANCH_LANDING_PADS, PR_CFI_ENABLE, 1, 1), EINVAL);
	EQ(v, 7);
	CHECK(!(ima() & RISCV_HWPROBE_EXT_ZICFILP));
	OK(probe(&p, 1, 0, NULL, 0));
	EQ(p.key, RISCV_HWPROBE_KEY_IMA_EXT_1);
	CHECK(!(p.value & RISCV_HWPROBE_EXT_ZICFISS));
	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		CHECK(!strstr(line, "zicfi"));
		seen += !!strstr(line, "zicsr");
	}
	CHECK(seen);
	fclose(f);
}

TEST(words_of_cpuinfo)
{
	static const struct {
		const char *name;
		uint64_t bit;
	} w[] = { { "_zba", RISCV_HWPROBE_EXT_ZBA },
		  { "_zbb", RISCV_HWPROBE_EXT_ZBB },
		  { "_zbs", RISCV_HWPROBE_EXT_ZBS },
		  { "_zicond", RISCV_HWPROBE_EXT_ZICOND },
		  { "_zacas", RISCV_HWPROBE_EXT_ZACAS } };
	char line[4096];
	FILE *f = fopen("/proc/cpuinfo", "r");
	uint64_t bits = ima();

	CHECK(f);
	do
		CHECK(fgets(line, sizeof(line) - 1, f));
	while (strncmp(line, "isa\t", 4));
	fclose(f);
	CHECK(strstr(line, ": rv64im"));
	line[strcspn(line, "_")] = ',';
	EQ(!!memchr(strchr(line, ':') + 6, 'v', strcspn(strchr(line, ':') + 6, ",")),
	   !!(getauxval(AT_HWCAP) & HWCAP('V')));
	for (char *c = line; *c; c++)
		*c = *c == ',' ? '_' : *c;
	for (size_t i = 0; i < sizeof(w) / sizeof(*w); i++)
		EQ(!!strstr(line, w[i].name), !!(bits & w[i].bit));
}

#define VECTOR(code) ".option push\n\t.option arch, +v\n\t" code "\n\t.option pop"

static size_t vlenb(void)
{
	size_t n;

	__asm__ volatile("csrr %0, 0xc22" : "=r"(n));
	return n;
}

/* v8 to v15. No system call may come between the two: it forgets them. */
static void load(const void *p)
{
	__asm__ volatile(VECTOR("vl8re8.v v8, (%0)") : : "r"(p) : "memory");
}

static void store(void *p)
{
	__asm__ volatile(VECTOR("vs8r.v v8, (%0)") : : "r"(p) : "memory");
}

static unsigned long now(void)
{
	unsigned long t;

	__asm__ volatile("rdtime %0" : "=r"(t));
	return t;
}

static unsigned char mine[8 * 1024] __attribute__((aligned(16))),
	seen[8 * 1024] __attribute__((aligned(16)));
static volatile int told;

static void need_vector(void)
{
	if (!(getauxval(AT_HWCAP) & HWCAP('V')))
		SKIP("the CPU has no vector registers");
	CHECK(vlenb() <= 1024);
	for (size_t i = 0; i < sizeof(mine); i++)
		mine[i] = (unsigned char)(i * 7 + 3);
}

static void one_cpu(void)
{
	cpu_set_t s;

	CPU_ZERO(&s);
	CPU_SET(0, &s);
	OK(sched_setaffinity(0, sizeof(s), &s));
}

static void spin(void)
{
	for (unsigned long end = now() + SPIN; now() < end && !told;)
		;
}

TEST(vector_registers_are_a_tasks_own)
{
	pid_t pid;

	need_vector();
	one_cpu();
	pid = OK(fork());
	if (!pid)
		memset(mine, 0xa5, sizeof(mine));
	for (int i = 0; i < 20; i++) {
		load(mine);
		for (unsigned long end = now() + SPIN / 5; now() < end;)
			;
		store(seen);
		if (memcmp(seen, mine, 8 * vlenb())) {
			if (!pid)
				_exit(1);
			FAIL("round %d", i);
		}
	}
	if (!pid)
		_exit(0);
	CHECK(t_child_ok(pid));
}

/* What lies behind the registers of a signal frame (asm/sigcontext.h, asm/ptrace.h). */
struct frame_tail {
	uint32_t magic, size;
	unsigned long vstart, vl, vtype, vcsr, vlenb;
	unsigned char *data;
};

static void on_alarm(int sig, siginfo_t *si, void *uc)
{
	static const unsigned char zeros[8 * 1024] __attribute__((aligned(16)));
	struct frame_tail *t = (void *)((char *)&((ucontext_t *)uc)->uc_mcontext + 256 + 520);

	told = 2;
	if (t->magic != 0x53465457 || t->vlenb != vlenb() ||
	    memcmp(t->data + 8 * vlenb(), mine, 8 * vlenb()))
		return;
	t->data[9 * vlenb()] = 0x77;
	load(zeros);
	told = 1;
}

TEST(vector_registers_in_a_signal_frame)
{
	struct sigaction sa = { .sa_sigaction = on_alarm, .sa_flags = SA_SIGINFO };
	struct itimerval soon = { .it_value.tv_usec = 10000 };

	need_vector();
	OK(sigaction(SIGALRM, &sa, NULL));
	OK(setitimer(ITIMER_REAL, &soon, NULL));
	load(mine);
	while (!told)
		;
	store(seen);
	EQ(told, 1);
	EQ(seen[vlenb()], 0x77);		/* as the handler left it */
	seen[vlenb()] = mine[vlenb()];
	CHECK(!memcmp(seen, mine, 8 * vlenb()));
}

static unsigned char set[40 + 32 * 1024] __attribute__((aligned(16)));

TEST(register_sets)
{
	unsigned long regs[32];
	struct {
		uint64_t f[32];
		uint32_t fcsr;
	} fp;
	struct iovec v = { regs, sizeof(regs) };
	volatile int *go =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	size_t n = vlenb();
	int status;
	pid_t pid;

	need_vector();
	CHECK((void *)go != MAP_FAILED);
	pid = OK(fork());
	if (!pid) {
		register double d __asm__("fs1") = 2.5;
		register long s __asm__("s5") = 0x1234;

		load(mine);
		__asm__ volatile("" : "+f"(d), "+r"(s));
		go[0] = 1;
		while (go[0] == 1)
			;
		__asm__ volatile("" : "+f"(d), "+r"(s));
		store(seen);
		_exit(d != 7.0 || s != 0x4321 || seen[0] != 0x99 ||
		      memcmp(seen + 1, mine + 1, 8 * n - 1));
	}
	while (!go[0])
		t_sleep_ms(1);
	OK((int)ptrace(PTRACE_SEIZE, pid, NULL, NULL));
	OK((int)ptrace(PTRACE_INTERRUPT, pid, NULL, NULL));
	EQ(waitpid(pid, &status, 0), pid);
	OK((int)ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &v));
	EQ(v.iov_len, sizeof(regs));
	EQ(regs[21], 0x1234);
	regs[21] = 0x4321;
	OK((int)ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &v));
	/* gdb learns so how wide they are: a set of 33 words of 4 bytes is not one of these. */
	v = (struct iovec){ &fp, 33 * 4 };
	EQ((int)ptrace(PTRACE_GETREGSET, pid, NT_PRFPREG, &v), -1);
	EQ(errno, EINVAL);
	v = (struct iovec){ &fp, 33 * 8 };
	OK((int)ptrace(PTRACE_GETREGSET, pid, NT_PRFPREG, &v));
	EQ(v.iov_len, 33 * 8);
	EQ(fp.f[9], 0x4004000000000000);		/* fs1, 2.5 */
	fp.f[9] = 0x401c000000000000;
	OK((int)ptrace(PTRACE_SETREGSET, pid, NT_PRFPREG, &v));
	v = (struct iovec){ set, sizeof(set) };
	OK((int)ptrace(PTRACE_GETREGSET, pid, NT_RISCV_VECTOR, &v));
	EQ(v.iov_len, 40 + 32 * n);
	EQ(((unsigned long *)set)[4], n);
	CHECK(!memcmp(set + 40 + 8 * n, mine, 8 * n));
	set[40 + 8 * n] = 0x99;
	OK((int)ptrace(PTRACE_SETREGSET, pid, NT_RISCV_VECTOR, &v));
	((unsigned long *)set)[4] = n + 8;		/* registers of another length */
	ERR((int)ptrace(PTRACE_SETREGSET, pid, NT_RISCV_VECTOR, &v), EINVAL);
	go[0] = 2;
	OK((int)ptrace(PTRACE_DETACH, pid, NULL, NULL));
	CHECK(t_child_ok(pid));
}

static uint32_t *code;
static volatile int turn;

static void *caller(void *arg)
{
	for (int i = 1; i <= 200; i++) {
		while (turn != 2 * i - 1)
			sched_yield();
		if (((int (*)(void))(void *)code)() != i)
			return (void *)1L;
		turn = 2 * i;
	}
	return NULL;
}

TEST(code_that_is_written)
{
	pthread_t t;
	void *bad;

	code = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
	CHECK(code != MAP_FAILED);
	code[1] = 0x00008067;				/* ret */
	EQ(pthread_create(&t, NULL, caller, NULL), 0);
	for (int i = 1; i <= 200; i++) {
		code[0] = 0x00000513 | (uint32_t)i << 20;	/* li a0, i */
		OK(syscall(SYS_riscv_flush_icache, code, code + 2, 0));
		EQ(((int (*)(void))(void *)code)(), i);
		turn = 2 * i - 1;
		for (long end = t_now_ns() + 5000000000L; turn != 2 * i && t_now_ns() < end;)
			sched_yield();
		EQ(turn, 2 * i);
	}
	pthread_join(t, &bad);
	CHECK(!bad);
	OK(syscall(SYS_riscv_flush_icache, code, code + 2, 1));
	ERR(syscall(SYS_riscv_flush_icache, code, code + 2, 2), EINVAL);
}
#endif
