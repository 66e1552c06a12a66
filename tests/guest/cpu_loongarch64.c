// SPDX-License-Identifier: MIT
/*
 * What a program is told of the CPU: AT_HWCAP, CPUCFG and /proc/cpuinfo say the same. Vector
 * registers: a task's own, in signal frames and in ptrace's register sets; the kernel, which copies
 * by them, leaves them as they were. proves: ptrace rt_sigreturn
 */
#include "t.h"

#ifndef __loongarch64
TEST(cpu_loongarch64)
{
	SKIP("another CPU");
}
#else
#include <asm/hwcap.h>
#include <elf.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <ucontext.h>

#ifndef NT_LOONGARCH_CPUCFG
#define NT_LOONGARCH_CPUCFG 0xa00
#endif
#ifndef NT_LOONGARCH_LSX
#define NT_LOONGARCH_LSX 0xa02
#endif
#ifndef NT_LOONGARCH_LASX
#define NT_LOONGARCH_LASX 0xa03
#endif
#ifndef LASX_CTX_MAGIC
#define LASX_CTX_MAGIC 0x41535801
#define LASX_CTX_ALIGN 32
#endif
#define LASX 32			/* bytes of a register */

static uint32_t cpucfg(unsigned int word)
{
	uint32_t v;

	__asm__("cpucfg %0, %1" : "=r"(v) : "r"(word));
	return v;
}

TEST(words_of_cpuinfo)
{
	static const struct {
		const char *name;
		unsigned long cap;
		unsigned int word, bit;
	} w[] = {
		{ " ual", HWCAP_LOONGARCH_UAL, 1, 20 }, { " fpu", HWCAP_LOONGARCH_FPU, 2, 0 },
		{ " lsx", HWCAP_LOONGARCH_LSX, 2, 6 },	{ " lasx", HWCAP_LOONGARCH_LASX, 2, 7 },
		{ " lam", HWCAP_LOONGARCH_LAM, 2, 22 }, { " crc32", HWCAP_LOONGARCH_CRC32, 1, 25 }
	};
	unsigned long cap = getauxval(AT_HWCAP);
	char line[4096];
	FILE *f = fopen("/proc/cpuinfo", "r");

	CHECK(f);
	CHECK(cap & HWCAP_LOONGARCH_CPUCFG);
	do
		CHECK(fgets(line, sizeof(line) - 1, f));
	while (strncmp(line, "Features", 8));
	fclose(f);
	line[strcspn(line, "\n")] = ' ';
	for (size_t i = 0; i < sizeof(w) / sizeof(*w); i++) {
		const char *at = strstr(line, w[i].name);

		while (at && at[strlen(w[i].name)] != ' ')	/* the beginning of a longer name */
			at = strstr(at + 1, w[i].name);
		EQ(!!(cap & w[i].cap), cpucfg(w[i].word) >> w[i].bit & 1);
		EQ(!!at, !!(cap & w[i].cap));
	}
}

/*
 * xr8 to xr11, as words: the assembler takes their names only in a file that may use LASX all over.
 */
static void load(const void *p)
{
	register const void *a __asm__("a0") = p;

	__asm__ volatile(
		".word 0x2c800088\n\t.word 0x2c808089\n\t.word 0x2c81008a\n\t.word 0x2c81808b"
		:
		: "r"(a)
		: "memory", "f8", "f9", "f10", "f11");
}

static void store(void *p)
{
	register void *a __asm__("a0") = p;

	__asm__ volatile(
		".word 0x2cc00088\n\t.word 0x2cc08089\n\t.word 0x2cc1008a\n\t.word 0x2cc1808b"
		:
		: "r"(a)
		: "memory");
}

static unsigned long now(void)
{
	unsigned long t;

	__asm__ volatile("rdtime.d %0, $zero" : "=r"(t));
	return t;
}

static unsigned char mine[4 * LASX] __attribute__((aligned(32))),
	seen[4 * LASX] __attribute__((aligned(32)));
static volatile int told;

static void need_lasx(void)
{
	if (!(getauxval(AT_HWCAP) & HWCAP_LOONGARCH_LASX))
		SKIP("the CPU has no LASX");
	for (size_t i = 0; i < sizeof(mine); i++)
		mine[i] = (unsigned char)(i * 7 + 3);
}

TEST(vector_registers_are_a_tasks_own)
{
	cpu_set_t s;
	pid_t pid;

	need_lasx();
	CPU_ZERO(&s);
	CPU_SET(0, &s);
	OK(sched_setaffinity(0, sizeof(s), &s));
	pid = OK(fork());
	if (!pid)
		memset(mine, 0xa5, sizeof(mine));
	for (int i = 0; i < 20; i++) {
		load(mine);
		/* 10 ms: the other one runs too */
		for (unsigned long end = now() + 1000000; now() < end;)
			;
		store(seen);
		if (memcmp(seen, mine, sizeof(mine))) {
			if (!pid)
				_exit(1);
			FAIL("round %d", i);
		}
	}
	if (!pid)
		_exit(0);
	CHECK(t_child_ok(pid));
}

/* xr0 to xr7, likewise. */
static void load_first(const void *p)
{
	register const void *a __asm__("a0") = p;

	__asm__ volatile(
		".word 0x2c800080\n\t.word 0x2c808081\n\t.word 0x2c810082\n\t.word 0x2c818083\n\t"
		".word 0x2c820084\n\t.word 0x2c828085\n\t.word 0x2c830086\n\t.word 0x2c838087"
		:
		: "r"(a)
		: "memory", "f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7");
}

static void store_first(void *p)
{
	register void *a __asm__("a0") = p;

	__asm__ volatile(
		".word 0x2cc00080\n\t.word 0x2cc08081\n\t.word 0x2cc10082\n\t.word 0x2cc18083\n\t"
		".word 0x2cc20084\n\t.word 0x2cc28085\n\t.word 0x2cc30086\n\t.word 0x2cc38087"
		:
		: "r"(a)
		: "memory");
}

static unsigned char first[8 * LASX] __attribute__((aligned(32))),
	after[8 * LASX] __attribute__((aligned(32)));

#define KEPT(...) do { load_first(first); __VA_ARGS__; store_first(after); EQ(memcmp(first, after, sizeof(first)), 0); } while (0)

TEST(copies_leave_vector_registers_alone)
{
	size_t size = 1 << 20;
	char *a = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int zero = OK(open("/dev/zero", O_RDONLY)),
	    file = OK(open("/tmp/copies", O_RDWR | O_CREAT | O_TRUNC, 0600)), p[2], status = 0;
	ssize_t out = 0, in = 0, cleared = 0, short_of = 0;
	pid_t pid;

	need_lasx();
	for (size_t i = 0; i < sizeof(first); i++)
		first[i] = (unsigned char)(i * 5 + 1);
	CHECK(a != MAP_FAILED && !pipe(p));
	KEPT(for (size_t i = 0; i < size; i += 4096) a[i] = (char)i);   /* pages cleared */
	/* copied both ways, to pages that are there */
	KEPT(out = write(p[1], a, 30000), in = read(p[0], a + 40000, 30000));
	EQ(out, 30000);
	EQ(in, 30000);
	OK(madvise(a + size / 2, size / 2, MADV_DONTNEED));
	KEPT(cleared = read(zero, a + size / 2 - 5000, 90000));	/* and to some that are not */
	EQ(cleared, 90000);
	OK(munmap(a + size / 2, size / 2));
	EQ(write(file, a + 40000, 8000), 8000);
	/* and to the end of what there is */
	KEPT(short_of = pread(file, a + size / 2 - 1000, 8000, 0));
	EQ(short_of, 1000);
	EQ(memcmp(a + size / 2 - 1000, a + 40000, 1000), 0);
	/* pages copied */
	KEPT(pid = fork(); if (!pid) {
		load_first(first);
		a[0] = 1;
		store_first(after);
		_exit(memcmp(first, after, sizeof(first)) != 0);
	});
	EQ(waitpid(OK(pid), &status, 0), pid);
	EQ(status, 0);
	OK(munmap(a, size / 2));
	OK(unlink("/tmp/copies"));
	close(file);
	close(zero);
	close(p[0]);
	close(p[1]);
}

static void on_alarm(int sig, siginfo_t *si, void *uc)
{
	static const unsigned char zeros[4 * LASX] __attribute__((aligned(32)));
	/* The records stand behind the general registers (asm/sigcontext.h). */
	struct sctx_info *t =
		(void *)((struct sigcontext *)(void *)&((ucontext_t *)uc)->uc_mcontext)
			->sc_extcontext;
	unsigned char *regs = (unsigned char *)(t + 1);

	told = 2;
	if (t->magic != LASX_CTX_MAGIC || ((uintptr_t)regs & (LASX_CTX_ALIGN - 1)) ||
	    memcmp(regs + 8 * LASX, mine, sizeof(mine)))
		return;
	t = (void *)((char *)t + t->size);
	if (t->magic || t->size)		/* the empty record ends it */
		return;
	regs[9 * LASX + 20] = 0x77;
	load(zeros);
	told = 1;
}

TEST(vector_registers_in_a_signal_frame)
{
	struct sigaction sa = { .sa_sigaction = on_alarm, .sa_flags = SA_SIGINFO };
	struct itimerval soon = { .it_value.tv_usec = 10000 };

	need_lasx();
	OK(sigaction(SIGALRM, &sa, NULL));
	OK(setitimer(ITIMER_REAL, &soon, NULL));
	load(mine);
	while (!told)
		;
	store(seen);
	EQ(told, 1);
	EQ(seen[LASX + 20], 0x77);		/* as the handler left it */
	seen[LASX + 20] = mine[LASX + 20];
	CHECK(!memcmp(seen, mine, sizeof(mine)));
}

static int get(pid_t pid, int set, void *buf, size_t size)
{
	struct iovec v = { buf, size };

	OK((int)ptrace(PTRACE_GETREGSET, pid, set, &v));
	return (int)v.iov_len;
}

static void put(pid_t pid, int set, void *buf, size_t size)
{
	struct iovec v = { buf, size };

	OK((int)ptrace(PTRACE_SETREGSET, pid, set, &v));
}

TEST(register_sets)
{
	unsigned long regs[45];
	struct {
		uint64_t f[32], fcc;
		uint32_t fcsr;
	} fp;
	unsigned char lsx[32 * 16], lasx[32 * LASX];
	uint32_t cfg[64];
	volatile int *go =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t pid;

	need_lasx();
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
		_exit(d != 7.0 || s != 0x4321 || seen[0] != 0x99 || seen[16] != 0x88 ||
		      memcmp(seen + 1, mine + 1, 15) ||
		      memcmp(seen + 17, mine + 17, sizeof(mine) - 17));
	}
	while (!go[0])
		t_sleep_ms(1);
	OK((int)ptrace(PTRACE_SEIZE, pid, NULL, NULL));
	OK((int)ptrace(PTRACE_INTERRUPT, pid, NULL, NULL));
	EQ(waitpid(pid, &status, 0), pid);
	EQ(get(pid, NT_PRSTATUS, regs, sizeof(regs)), sizeof(regs));
	EQ(regs[28], 0x1234);				/* s5 */
	regs[28] = 0x4321;
	put(pid, NT_PRSTATUS, regs, sizeof(regs));
	CHECK(get(pid, NT_PRFPREG, &fp, sizeof(fp)) >= 33 * 8 + 4);
	EQ(fp.f[25], 0x4004000000000000);		/* fs1, 2.5 */
	fp.f[25] = 0x401c000000000000;
	put(pid, NT_PRFPREG, &fp, sizeof(fp));
	EQ(get(pid, NT_LOONGARCH_LASX, lasx, sizeof(lasx)), sizeof(lasx));
	CHECK(!memcmp(lasx + 8 * LASX, mine, sizeof(mine)));
	lasx[8 * LASX + 16] = 0x88;
	put(pid, NT_LOONGARCH_LASX, lasx, sizeof(lasx));
	EQ(get(pid, NT_LOONGARCH_LSX, lsx, sizeof(lsx)), sizeof(lsx));
	CHECK(!memcmp(lsx + 8 * 16, mine, 16));
	lsx[8 * 16] = 0x99;
	put(pid, NT_LOONGARCH_LSX, lsx, sizeof(lsx));	/* the upper halves stay */
	EQ(get(pid, NT_LOONGARCH_CPUCFG, cfg, sizeof(cfg)), sizeof(cfg));
	EQ(cfg[2], cpucfg(2));
	go[0] = 2;
	OK((int)ptrace(PTRACE_DETACH, pid, NULL, NULL));
	CHECK(t_child_ok(pid));
}
#endif
