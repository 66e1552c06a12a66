// SPDX-License-Identifier: MIT
/*
 * The scalable vector extension: its registers are a task's own through switches, other CPUs,
 * forks, signals and debuggers; their length is what prctl(2) says. A system call leaves of them
 * what the FPSIMD registers hold. proves: prctl ptrace rt_sigreturn
 */
#include "t.h"

#ifndef __aarch64__
TEST(sve_aarch64)
{
	SKIP("another CPU");
}
#else
#include <asm/hwcap.h>
#include <asm/ptrace.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/uio.h>

#define PRSTATUS 1
#define PRFPREG 2
#define ARM_SVE 0x405
#define MAX 256
#define GROUP (getauxval(AT_HWCAP) & HWCAP_SVE)
#define NEEDS_SVE do { if (!GROUP) SKIP("no SVE"); } while (0)

/* All registers as they lie in frames: Z0-31, P0-15, FFR. */
struct area {
	uint8_t b[32 * MAX + 17 * MAX / 8];
} __attribute__((aligned(16)));

void sve_load(const void *area);
void sve_store(void *area);
/* Loaded; a loop of N; stored. */
void sve_load_spin_store(const void *from, void *to, unsigned long n);
unsigned long sve_length(void);
/* Loaded; then the word at WAIT is not WAS any more; stored. */
void sve_load_wait_store(const void *from, void *to, volatile int *wait, int was);
/* Loaded; a system call; stored. */
long sve_load_call_store(const void *from, void *to, long nr, long a, long b, long c, long d);
/* Loaded; an undefined instruction, or a breakpoint; stored. */
void sve_load_udf_store(const void *from, void *to);
void sve_load_brk_store(const void *from, void *to);
__asm__(".arch armv8-a+sve\n"
	".macro EACH op, base\n"		/* x9: behind the Zs */
	"	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n"
	"	\\op z\\n, [\\base, #\\n, mul vl]\n"
	"	.endr\n"
	"	addvl x9, \\base, #16\n"
	"	addvl x9, x9, #16\n"
	".ifc \\op, ldr\n"
	"	ldr p0, [x9, #16, mul vl]\n"
	"	wrffr p0.b\n"
	".endif\n"
	"	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
	"	\\op p\\n, [x9, #\\n, mul vl]\n"
	"	.endr\n"
	".ifc \\op, str\n"
	"	rdffr p0.b\n"
	"	str p0, [x9, #16, mul vl]\n"
	".endif\n"
	".endm\n"
	/* d8 to d15 are the caller's */
	".macro BEGIN name\n"
	".global \\name\n"
	"\\name:\n"
	"	stp d8, d9, [sp, #-64]!\n"
	"	stp d10, d11, [sp, #16]\n"
	"	stp d12, d13, [sp, #32]\n"
	"	stp d14, d15, [sp, #48]\n"
	".endm\n"
	".macro END\n"
	"	ldp d10, d11, [sp, #16]\n"
	"	ldp d12, d13, [sp, #32]\n"
	"	ldp d14, d15, [sp, #48]\n"
	"	ldp d8, d9, [sp], #64\n"
	"	ret\n"
	".endm\n"
	".text\n"
	"BEGIN sve_load\n"
	"	EACH ldr, x0\n"
	"END\n"
	"BEGIN sve_store\n"
	"	EACH str, x0\n"
	"END\n"
	".global sve_length\n"
	"sve_length:\n"
	"	rdvl x0, #1\n"
	"	ret\n"
	"BEGIN sve_load_spin_store\n"
	"	EACH ldr, x0\n"
	"1:	subs x2, x2, #1\n"
	"	b.ne 1b\n"
	"	EACH str, x1\n"
	"END\n"
	"BEGIN sve_load_wait_store\n"
	"	EACH ldr, x0\n"
	"1:	ldr w4, [x2]\n"
	"	cmp w4, w3\n"
	"	b.eq 1b\n"
	"	EACH str, x1\n"
	"END\n"
	"BEGIN sve_load_call_store\n"
	"	mov x10, x1\n"
	"	mov x8, x2\n"
	"	EACH ldr, x0\n"
	"	mov x0, x3\n"
	"	mov x1, x4\n"
	"	mov x2, x5\n"
	"	mov x3, x6\n"
	"	mov x4, #0\n"
	"	svc #0\n"
	"	EACH str, x10\n"
	"END\n"
	"BEGIN sve_load_udf_store\n"
	"	EACH ldr, x0\n"
	"	udf #0\n"
	"	EACH str, x1\n"
	"END\n"
	"BEGIN sve_load_brk_store\n"
	"	EACH ldr, x0\n"
	"	brk #0\n"
	"	EACH str, x1\n"
	"END\n");

static size_t z_at(unsigned long vl, unsigned int n)
{
	return n * vl;
}

static size_t p_at(unsigned long vl, unsigned int n)
{
	return 32 * vl + n * vl / 8;
}  /* 16: FFR */
static size_t size_of(unsigned long vl)
{
	return p_at(vl, 17);
}

/* Another content for each SEED. FFR has no other values than runs of ones. */
static void fill(struct area *a, unsigned long vl, unsigned int seed)
{
	for (size_t i = 0; i < size_of(vl); i++)
		a->b[i] = (uint8_t)(seed * 37 + i * 11 + (i >> 8) + 1);
	memset(a->b + p_at(vl, 16), 0, vl / 8);
	a->b[p_at(vl, 16)] = (uint8_t)((1u << (1 + seed % 7)) - 1);
}

/* What a system call leaves of it. */
static void only_fpsimd(struct area *a, unsigned long vl)
{
	for (unsigned int n = 0; n < 32; n++)
		memset(a->b + z_at(vl, n) + 16, 0, vl - 16);
	memset(a->b + p_at(vl, 0), 0, 17 * vl / 8);
}

static bool same(const struct area *a, const struct area *b, unsigned long vl)
{
	for (size_t i = 0; i < size_of(vl); i++)
		if (a->b[i] != b->b[i]) {
			printf("length %lu: byte %zu of %zu is %#x, not %#x\n", vl, i, size_of(vl),
			       b->b[i], a->b[i]);
			return false;
		}
	return true;
}

static unsigned long set_vl(unsigned long vl)
{
	EQ(OK(prctl(PR_SVE_SET_VL, vl)) & PR_SVE_VL_LEN_MASK, vl);
	EQ(sve_length(), vl);
	return vl;
}

static unsigned long longest(void)
{
	return (unsigned long)OK(prctl(PR_SVE_SET_VL, SVE_VL_MAX)) & PR_SVE_VL_LEN_MASK;
}

static void is_illegal(void)
{
	__asm__ volatile(".arch armv8-a+sve\n\trdvl x0, #1" : : : "x0");
}

/* One instruction of each word that is promised. */
TEST(what_is_promised_works)
{
	unsigned long cap = getauxval(AT_HWCAP), cap2 = getauxval(AT_HWCAP2);
	uint64_t pfr0, zfr0;

	__asm__("mrs %0, s3_0_c0_c4_0" : "=r"(pfr0));
	__asm__("mrs %0, s3_0_c0_c4_4" : "=r"(zfr0));
	EQ((pfr0 >> 32 & 15) >= 1, !!(cap & HWCAP_SVE));
	if (!GROUP) {
		EQ(zfr0, 0);
		CHECK(!(cap2 & (HWCAP2_SVE2 | HWCAP2_SVEI8MM | HWCAP2_SVEBF16)));
		ERR(prctl(PR_SVE_GET_VL), EINVAL);
		ERR(prctl(PR_SVE_SET_VL, 16), EINVAL);
		EQ(t_call(is_illegal), -SIGILL);
		return;
	}
	EQ((zfr0 & 15) >= 1, !!(cap2 & HWCAP2_SVE2));
	EQ((zfr0 >> 4 & 15) >= 1, !!(cap2 & HWCAP2_SVEAES));
	EQ((zfr0 >> 4 & 15) >= 2, !!(cap2 & HWCAP2_SVEPMULL));
	EQ((zfr0 >> 16 & 15) >= 1, !!(cap2 & HWCAP2_SVEBITPERM));
	EQ((zfr0 >> 20 & 15) >= 1, !!(cap2 & HWCAP2_SVEBF16));
	EQ((zfr0 >> 32 & 15) >= 1, !!(cap2 & HWCAP2_SVESHA3));
	EQ((zfr0 >> 40 & 15) >= 1, !!(cap2 & HWCAP2_SVESM4));
	EQ((zfr0 >> 44 & 15) >= 1, !!(cap2 & HWCAP2_SVEI8MM));
	EQ((zfr0 >> 52 & 15) >= 1, !!(cap2 & HWCAP2_SVEF32MM));
	EQ((zfr0 >> 56 & 15) >= 1, !!(cap2 & HWCAP2_SVEF64MM));
	__asm__ volatile(".arch armv8-a+sve\n\tadd z0.b, z0.b, z1.b" : : : "v0");
	if (cap2 & HWCAP2_SVE2)
		__asm__ volatile(".arch armv8-a+sve2\n\teor3 z0.d, z0.d, z1.d, z2.d" : : : "v0");
	if (cap2 & HWCAP2_SVEAES)
		__asm__ volatile(".arch armv8-a+sve2-aes\n\taese z0.b, z0.b, z1.b" : : : "v0");
	if (cap2 & HWCAP2_SVEPMULL)
		__asm__ volatile(".arch armv8-a+sve2-aes\n\tpmullb z0.q, z1.d, z2.d" : : : "v0");
	if (cap2 & HWCAP2_SVEBITPERM)
		__asm__ volatile(".arch armv8-a+sve2-bitperm\n\tbdep z0.b, z1.b, z2.b" : : : "v0");
	if (cap2 & HWCAP2_SVESHA3)
		__asm__ volatile(".arch armv8-a+sve2-sha3\n\trax1 z0.d, z1.d, z2.d" : : : "v0");
	if (cap2 & HWCAP2_SVESM4)
		__asm__ volatile(".arch armv8-a+sve2-sm4\n\tsm4e z0.s, z0.s, z1.s" : : : "v0");
	if (cap2 & HWCAP2_SVEI8MM)
		__asm__ volatile(".arch armv8-a+sve+i8mm\n\tsmmla z0.s, z1.b, z2.b" : : : "v0");
	if (cap2 & HWCAP2_SVEBF16)
		__asm__ volatile(".arch armv8-a+sve+bf16\n\tbfdot z0.s, z1.h, z2.h" : : : "v0");
	if (cap2 & HWCAP2_SVEF32MM)
		__asm__ volatile(".arch armv8-a+sve+f32mm\n\tfmmla z0.s, z1.s, z2.s" : : : "v0");
	if ((cap2 & HWCAP2_SVEF64MM) && sve_length() >= 32)
		__asm__ volatile(".arch armv8-a+sve+f64mm\n\tfmmla z0.d, z1.d, z2.d" : : : "v0");
}

TEST(lengths)
{
	unsigned long max;
	char text[16] = "";
	long v;
	int fd;

	NEEDS_SVE;
	fd = OK(open("/proc/sys/abi/sve_default_vector_length", O_RDONLY));
	CHECK(read(fd, text, sizeof(text) - 1) > 0);
	EQ(prctl(PR_SVE_GET_VL), atol(text));
	EQ(sve_length(), (unsigned long)atol(text));
	max = longest();
	CHECK(max >= 16 && max <= MAX && max % 16 == 0);
	CHECK(atol(text) == (max < 64 ? (long)max : 64));
	EQ(sve_length(), max);
	for (unsigned long vl = 16; vl <= max; vl += 16) {
		v = OK(prctl(PR_SVE_SET_VL, vl));
		CHECK(v <= (long)vl && v >= 16 && v % 16 == 0);
		EQ(prctl(PR_SVE_GET_VL), v);
		EQ(sve_length(), (unsigned long)v);
	}
	ERR(prctl(PR_SVE_SET_VL, 0), EINVAL);
	ERR(prctl(PR_SVE_SET_VL, 24), EINVAL);
	ERR(prctl(PR_SVE_SET_VL, SVE_VL_MAX + 16), EINVAL);
	ERR(prctl(PR_SVE_SET_VL, 16 | 1 << 16), EINVAL);
	ERR(prctl(PR_SVE_SET_VL, 16 | 1 << 19), EINVAL);
	ERR(prctl(PR_SVE_SET_VL, 16 | 1ul << 32), EINVAL);
	EQ(prctl(PR_SVE_GET_VL), (long)max);
	EQ(prctl(PR_SVE_SET_VL, 16 | PR_SVE_SET_VL_ONEXEC), 16);
	EQ(prctl(PR_SVE_GET_VL), (long)max);
	EQ(prctl(PR_SVE_SET_VL, 16 | PR_SVE_VL_INHERIT), 16 | PR_SVE_VL_INHERIT);
	EQ(prctl(PR_SVE_GET_VL), 16 | PR_SVE_VL_INHERIT);
	EQ(prctl(PR_SVE_SET_VL, max), (long)max);
	EQ(prctl(PR_SVE_GET_VL), (long)max);
}

/* Run by the next one: what this program found when it began. */
TEST(length_in_a_new_program)
{
	const char *s = getenv("WANTED");
	struct area a;

	if (!s)
		return;
	EQ(prctl(PR_SVE_GET_VL), atol(s));
	EQ(sve_length(), (unsigned long)atol(s) & PR_SVE_VL_LEN_MASK);
	sve_store(&a);
	for (size_t i = p_at(sve_length(), 0); i < size_of(sve_length()); i++)
		EQ(a.b[i], 0);
	s = getenv("THEN");
	if (s) {
		setenv("WANTED", s, 1);
		unsetenv("THEN");
		execl("/proc/self/exe", "sve", "length_in_a_new_program", NULL);
		CHECK(!"exec");
	}
}

static long set_in_child;
static char wanted[16], then[16];

static void exec_self(void)
{
	static struct area a;

	fill(&a, sve_length(), 5);
	sve_load(&a);
	prctl(PR_SVE_SET_VL, set_in_child);
	setenv("WANTED", wanted, 1);
	setenv("THEN", then, 1);
	execl("/proc/self/exe", "sve", "length_in_a_new_program", NULL);
}

/* A child that sets LENGTH: what it has after execve, and after one more. */
static void after_exec(long length, long first, long second)
{
	set_in_child = length;
	snprintf(wanted, sizeof(wanted), "%ld", first);
	snprintf(then, sizeof(then), "%ld", second);
	EQ(t_call(exec_self), 0);
}

TEST(lengths_and_execve)
{
	long usual;

	NEEDS_SVE;
	usual = OK(prctl(PR_SVE_GET_VL));
	after_exec(16, usual, usual);
	after_exec(16 | PR_SVE_SET_VL_ONEXEC, 16, usual);
	after_exec(16 | PR_SVE_VL_INHERIT, 16 | PR_SVE_VL_INHERIT, 16 | PR_SVE_VL_INHERIT);
	after_exec(16 | PR_SVE_VL_INHERIT | PR_SVE_SET_VL_ONEXEC, 16 | PR_SVE_VL_INHERIT,
		   16 | PR_SVE_VL_INHERIT);
}

TEST(system_calls_and_fork)
{
	static const unsigned long lengths[] = { 16, 64, 0 };
	static struct area a, b;

	NEEDS_SVE;
	for (unsigned int i = 0; i < 3; i++) {
		unsigned long vl =
			set_vl(lengths[i] && lengths[i] <= longest() ? lengths[i] : longest());
		int status;
		long pid;

		fill(&a, vl, i);
		sve_load_spin_store(&a, &b, 1);
		CHECK(same(&a, &b, vl));
		sve_load_call_store(&a, &b, SYS_getppid, 0, 0, 0, 0);
		only_fpsimd(&a, vl);
		CHECK(same(&a, &b, vl));
		fill(&a, vl, i + 3);
		pid = sve_load_call_store(&a, &b, SYS_clone, SIGCHLD, 0, 0, 0);
		only_fpsimd(&a, vl);
		if (!pid)
			_exit(sve_length() == vl && same(&a, &b, vl) ? 5 : 6);
		CHECK(pid > 0 && same(&a, &b, vl));
		EQ(waitpid((pid_t)pid, &status, 0), (pid_t)pid);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 5);
	}
}

#define KEEPERS 5

/*
 * Has its registers while others have the CPU, until each was interrupted ten times. N 0: FPSIMD
 * alone.
 */
static int keep(unsigned int n, int *done)
{
	unsigned long vl =
		n ? (unsigned long)prctl(PR_SVE_SET_VL, 16ul << (n % 5)) & PR_SVE_VL_LEN_MASK : 16;
	struct rusage u;
	bool mine = false;
	long first = -1;
	static struct area a, b;

	for (unsigned int i = 0;; i++) {
		unsigned long spins = 300000;

		if (n) {
			fill(&a, vl, n * 16 + i);
			sve_load_spin_store(&a, &b, spins);
			if (!same(&a, &b, vl))
				return 6;
		} else {
			uint64_t got;

			__asm__ volatile(
				"dup v17.2d, %2; 1: subs %0, %0, #1; b.ne 1b; umov %1, v17.d[1]"
				: "+r"(spins), "=r"(got)
				: "r"(~(uint64_t)i)
				: "cc", "v17");
			if (got != ~(uint64_t)i)
				return 6;
		}
		getrusage(RUSAGE_SELF, &u);
		if (first < 0)
			first = u.ru_nivcsw;
		if (u.ru_nivcsw - first >= 10 && !mine) {
			mine = true;
			__atomic_add_fetch(done, 1, __ATOMIC_RELAXED);
		}
		if (__atomic_load_n(done, __ATOMIC_RELAXED) == KEEPERS)
			return 5;
	}
}

TEST(preemption)
{
	int *done = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	static struct area a;
	cpu_set_t one;
	int status;

	NEEDS_SVE;
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	OK(sched_setaffinity(0, sizeof(one), &one));
	fill(&a, sve_length(), 99);
	for (unsigned int n = 0; n < KEEPERS; n++) {
		sve_load(&a);
		if (!OK(fork()))
			_exit(keep(n, done));
	}
	for (unsigned int n = 0; n < KEEPERS; n++) {
		CHECK(wait(&status) > 0);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 5);
	}
}

/* Is sent from CPU to CPU while it has them and calls nobody. */
TEST(migration)
{
	volatile int *step =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	static struct area a, b;
	int status;
	pid_t pid;

	NEEDS_SVE;
	if (cpus < 2)
		SKIP("one CPU");
	pid = OK(fork());
	if (!pid) {
		unsigned long vl = longest();

		for (int i = 1; i <= 20; i++) {
			fill(&a, vl, (unsigned int)i);
			step[1] = i;
			sve_load_wait_store(&a, &b, &step[0], i - 1);
			if (!same(&a, &b, vl))
				_exit(6);
		}
		_exit(5);
	}
	for (int i = 1; i <= 20; i++) {
		cpu_set_t there;

		while (step[1] != i && waitpid(pid, &status, WNOHANG) == 0)
			sched_yield();
		if (step[1] != i)
			break;
		CPU_ZERO(&there);
		CPU_SET((size_t)(i % cpus), &there);
		OK(sched_setaffinity(pid, sizeof(there), &there));
		step[0] = i;
		if (i == 20)
			EQ(waitpid(pid, &status, 0), pid);
	}
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 5);
}

/* ---- signals ---- */

struct head {
	uint32_t magic, size;
};

struct records {
	struct head *fp, *sve, *extra, *last;
	uint8_t *end;		/* of what the kernel wrote */
};

static struct records find(ucontext_t *uc)
{
	uint8_t *at = (uint8_t *)uc->uc_mcontext.__reserved,
		*end = at + sizeof(uc->uc_mcontext.__reserved);
	struct records r = { 0 };

	for (;;) {
		struct head *h = (struct head *)at;

		if (at + 16 > end)
			_exit(20);
		if (!h->magic && !h->size && r.extra &&
		    end == (uint8_t *)uc->uc_mcontext.__reserved +
				    sizeof(uc->uc_mcontext.__reserved)) {
			uint64_t where;
			uint32_t size;

			memcpy(&where, (uint8_t *)r.extra + 8, 8);
			memcpy(&size, (uint8_t *)r.extra + 16, 4);
			if (where != (uint64_t)at + 16 || size % 16)
				_exit(21);
			at += 16;
			end = at + size;
			continue;
		}
		if (!h->magic && !h->size)
			break;
		if (h->size < 8 || h->size % 16)
			_exit(22);
		if (h->magic == FPSIMD_MAGIC)
			r.fp = h;
		if (h->magic == SVE_MAGIC)
			r.sve = h;
		if (h->magic == EXTRA_MAGIC)
			r.extra = h;
		at += h->size;
	}
	r.last = (struct head *)at;
	r.end = at + 16;
	return r;
}

static struct area was, is;
static unsigned long its_length;
static void (*change)(struct records *r);
static unsigned int sizes;

static void handler(int sig, siginfo_t *i, void *p)
{
	ucontext_t *uc = p;
	struct records r = find(uc);
	static struct area other;

	(void)i;
	if (!r.fp || !r.sve || ((struct sve_context *)r.sve)->vl != its_length ||
	    ((uint16_t *)r.sve)[5])
		_exit(23);
	if (sig == SIGILL) {
		if (r.sve->size < SVE_SIG_CONTEXT_SIZE(its_length / 16) ||
		    memcmp((uint8_t *)r.sve + SVE_SIG_REGS_OFFSET, was.b, size_of(its_length)))
			_exit(24);
		uc->uc_mcontext.pc += 4;
	} else if (r.sve->size != sizeof(struct sve_context)) {
		_exit(25);			/* it was in a system call */
	}
	for (unsigned int n = 0; n < 32; n++)
		if (sig == SIGILL && memcmp(((struct fpsimd_context *)r.fp)->vregs + n,
					    was.b + z_at(its_length, n), 16))
			_exit(26);
	if (r.end - (uint8_t *)i > (long)getauxval(AT_MINSIGSTKSZ) - 32)
		_exit(27);
	sizes = (unsigned int)(r.end - (uint8_t *)i);
	if (change)
		change(&r);
	fill(&other, its_length, 77);
	sve_load(&other);
}

static void with_handler(unsigned long vl)
{
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };

	its_length = set_vl(vl);
	OK(sigaction(SIGILL, &sa, NULL));
	OK(sigaction(SIGUSR1, &sa, NULL));
	fill(&was, its_length, 8);
}

static void change_some(struct records *r)
{
	uint8_t *regs = (uint8_t *)r->sve + SVE_SIG_REGS_OFFSET;

	if (its_length > 16)
		regs[z_at(its_length, 3) + its_length - 1] ^= 0xff;
	regs[z_at(its_length, 5)] ^= 0xff;	   /* the FPSIMD record is preferred */
	((uint8_t *)(((struct fpsimd_context *)r->fp)->vregs + 6))[1] ^= 0xff;
	regs[p_at(its_length, 2)] ^= 0xff;
	regs[p_at(its_length, 16)] = 1;
}

static void change_to_head(struct records *r)
{
	uint32_t left = ((struct sve_context *)r->sve)->head.size;

	CHECK(left > 16);
	r->sve->size = 16;
	memset((uint8_t *)r->sve + 16, 0, 16);
}

TEST(signals)
{
	unsigned long lengths[] = { 16, 32, 64, 128, 0 }, most;

	NEEDS_SVE;
	most = lengths[4] = longest();
	for (unsigned int i = 0; i < 5; i++) {
		if (lengths[i] > most)
			continue;
		with_handler(lengths[i]);
		change = NULL;
		sve_load_udf_store(&was, &is);
		CHECK(same(&was, &is, its_length));
		CHECK(sizes > SVE_SIG_CONTEXT_SIZE(its_length / 16));
		change = change_some;
		sve_load_udf_store(&was, &is);
		if (its_length > 16)
			was.b[z_at(its_length, 3) + its_length - 1] ^= 0xff;
		was.b[z_at(its_length, 6) + 1] ^= 0xff;
		was.b[p_at(its_length, 2)] ^= 0xff;
		was.b[p_at(its_length, 16)] = 1;
		CHECK(same(&was, &is, its_length));
		change = change_to_head;
		sve_load_udf_store(&was, &is);
		only_fpsimd(&was, its_length);
		CHECK(same(&was, &is, its_length));
		change = NULL;
		fill(&was, its_length, 9);
		EQ(sve_load_call_store(&was, &is, SYS_tgkill, getpid(), getpid(), SIGUSR1, 0), 0);
		only_fpsimd(&was, its_length);
		CHECK(same(&was, &is, its_length));
	}
}

static void bad_length(struct records *r)
{
	((struct sve_context *)r->sve)->vl += 16;
}

static void bad_flags(struct records *r)
{
	((uint16_t *)r->sve)[5] = 1;
}

static void bad_sve_size(struct records *r)
{
	r->sve->size -= 32;
	memset((uint8_t *)r->sve + r->sve->size, 0, 16);
}

static void bad_size(struct records *r)
{
	r->sve->size = 0;
}

static void bad_sum(struct records *r)
{
	r->sve->size += 1 << 20;
}

static void bad_unaligned(struct records *r)
{
	r->sve->size += 8;
}

static void bad_kind(struct records *r)
{
	r->last->magic = 0x12345678;
	r->last->size = 16;
}

static void bad_end(struct records *r)
{
	r->last->size = 16;
}

static void bad_no_fp(struct records *r)
{
	r->fp->magic = ESR_MAGIC;
}

static void bad_twice(struct records *r)
{
	r->fp->magic = SVE_MAGIC;
	((struct sve_context *)r->fp)->vl = (uint16_t)its_length;
}

static void bad_place(struct records *r)
{
	((uint64_t *)r->extra)[1] += 16;
}

static void bad_extra_size(struct records *r)
{
	((uint32_t *)r->extra)[4] += 8;
}

static void bad_extra_short(struct records *r)
{
	((uint32_t *)r->extra)[4] -= 16;
}

static void bad_extra_long(struct records *r)
{
	((uint32_t *)r->extra)[4] = 1 << 20;
}

static void bad_extra_end(struct records *r)
{
	((uint32_t *)r->extra)[8] = 1;
}

static void bad_extra_again(struct records *r)
{
	r->sve->magic = EXTRA_MAGIC;
}

static void good(struct records *r)
{
	(void)r;
}

static void take_one(void)
{
	sve_load_udf_store(&was, &is);
	_exit(9);
}

TEST(frames_that_are_refused)
{
	static void (*const bad[])(struct records *) = { bad_length, bad_flags, bad_sve_size,
							 bad_size,   bad_sum,	bad_unaligned,
							 bad_kind,   bad_end,	bad_no_fp,
							 bad_twice },
						  (*const bad_extra[])(struct records *) = {
							  bad_place,	   bad_extra_size,
							  bad_extra_short, bad_extra_long,
							  bad_extra_end,   bad_extra_again
						  };
	unsigned long most;

	NEEDS_SVE;
	most = longest();
	with_handler(32 < most ? 32 : most);
	change = good;
	EQ(t_call(take_one), 9);
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		change = bad[i];
		if (t_call(take_one) != -SIGSEGV) {
			printf("number %u\n", i);
			CHECK(!"a bad frame was taken");
		}
	}
	if (SVE_SIG_CONTEXT_SIZE(most / 16) < 4096 /* not a page */)
		return;
	with_handler(most);
	change = good;
	EQ(t_call(take_one), 9);
	for (unsigned int i = 0; i < sizeof(bad_extra) / sizeof(*bad_extra); i++) {
		change = bad_extra[i];
		if (t_call(take_one) != -SIGSEGV) {
			printf("number %u of those with extra_context\n", i);
			CHECK(!"a bad frame was taken");
		}
	}
}

static size_t stack_size;

static void take_on_stack(void)
{
	static uint8_t room[65536] __attribute__((aligned(16)));
	stack_t s = { .ss_sp = room + sizeof(room) - stack_size, .ss_size = stack_size };
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK };

	OK(sigaltstack(&s, NULL));
	OK(sigaction(SIGILL, &sa, NULL));
	take_one();
}

/*
 * Stacks may be shorter than the longest frame, programs that use no SVE have shorter ones; then
 * there is no signal.
 */
TEST(alternate_stacks)
{
	NEEDS_SVE;
	with_handler(longest());
	change = NULL;
	stack_size = getauxval(AT_MINSIGSTKSZ) + 4096 /* not a page: the handler's */;
	EQ(t_call(take_on_stack), 9);
	sve_load_udf_store(&was, &is);
	stack_size = sizes - 16;
	if (stack_size >= 5120)
		EQ(t_call(take_on_stack), -SIGSEGV);
}

/* ---- ptrace ---- */

struct set {
	struct user_sve_header h;
	uint8_t b[SVE_PT_SVE_SIZE(16, SVE_PT_REGS_SVE)];
};

static long get(pid_t pid, long kind, void *p, size_t n)
{
	struct iovec v = { p, n };

	return ptrace(PTRACE_GETREGSET, pid, (void *)kind, &v) ? -1 : (long)v.iov_len;
}

static long set(pid_t pid, long kind, const void *p, size_t n)
{
	struct iovec v = { (void *)p, n };

	return ptrace(PTRACE_SETREGSET, pid, (void *)kind, &v);
}

/* On over the breakpoint that it stands at. */
static void go_on(pid_t pid)
{
	struct user_pt_regs u;

	OK(get(pid, PRSTATUS, &u, sizeof(u)));
	u.pc += 4;
	OK(set(pid, PRSTATUS, &u, sizeof(u)));
	OK(ptrace(PTRACE_CONT, pid, 0, 0));
}

static void stops(pid_t pid, int sig)
{
	int status;

	EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == sig);
}

struct shared {
	struct area from, to;
	unsigned long length;
};

static void traced(struct shared *s)
{
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	raise(SIGSTOP);
	for (;;) {
		sve_load_brk_store(&s->from, &s->to);
		s->length = sve_length();
	}
}

TEST(debuggers)
{
	struct shared *s =
		mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct user_fpsimd_state f;
	unsigned long vl, most;
	static struct area a;
	static struct set x;
	pid_t pid;

	NEEDS_SVE;
	most = longest();
	vl = set_vl(most < 48 ? most : 48);
	pid = OK(fork());
	if (!pid)
		traced(s);
	stops(pid, SIGSTOP);
	/* It has not used any yet. */
	EQ(get(pid, ARM_SVE, &x, sizeof(x)), (long)SVE_PT_SIZE(vl / 16, SVE_PT_REGS_FPSIMD));
	CHECK(x.h.flags == SVE_PT_REGS_FPSIMD && x.h.vl == vl && x.h.max_vl == most);
	EQ(x.h.size, SVE_PT_SIZE(vl / 16, SVE_PT_REGS_FPSIMD));
	EQ(x.h.max_size, SVE_PT_SIZE(most / 16, SVE_PT_REGS_SVE));
	fill(&s->from, vl, 1);
	OK(ptrace(PTRACE_CONT, pid, 0, 0));
	stops(pid, SIGTRAP);
	EQ(get(pid, ARM_SVE, &x, sizeof(x)), (long)SVE_PT_SIZE(vl / 16, SVE_PT_REGS_SVE));
	CHECK(x.h.flags == SVE_PT_REGS_SVE && x.h.size == SVE_PT_SIZE(vl / 16, SVE_PT_REGS_SVE) &&
	      x.h.vl == vl);
	CHECK(!memcmp((uint8_t *)&x + SVE_PT_SVE_OFFSET, s->from.b, size_of(vl)));
	EQ(get(pid, PRFPREG, &f, sizeof(f)), (long)sizeof(f));
	for (unsigned int n = 0; n < 32; n++)
		CHECK(!memcmp(&f.vregs[n], s->from.b + z_at(vl, n), 16));

	/* Other registers of the same length, and the control words. */
	fill(&a, vl, 2);
	memcpy((uint8_t *)&x + SVE_PT_SVE_OFFSET, a.b, size_of(vl));
	*(uint32_t *)((uint8_t *)&x + SVE_PT_SVE_FPSR_OFFSET(vl / 16)) = 1u << 27;
	OK(set(pid, ARM_SVE, &x, x.h.size));
	EQ(get(pid, PRFPREG, &f, sizeof(f)), (long)sizeof(f));
	EQ(f.fpsr, 1u << 27);
	CHECK(!memcmp(&f.vregs[9], a.b + z_at(vl, 9), 16));
	go_on(pid);
	stops(pid, SIGTRAP);
	CHECK(same(&a, &s->to, vl) && s->length == vl);

	/* The FPSIMD registers in their own form leave nothing else. */
	OK(get(pid, PRFPREG, &f, sizeof(f)));
	memset(&f.vregs[4], 0x5a, 16);
	OK(set(pid, PRFPREG, &f, sizeof(f)));
	a = s->from;
	only_fpsimd(&a, vl);
	memset(a.b + z_at(vl, 4), 0x5a, 16);
	go_on(pid);
	stops(pid, SIGTRAP);
	CHECK(same(&a, &s->to, vl));
	memset(&x, 0, sizeof(x));
	x.h.vl = (uint16_t)vl;
	x.h.flags = SVE_PT_REGS_FPSIMD | SVE_PT_VL_INHERIT;
	memset(&f.vregs[4], 0xa5, 16);
	memcpy((uint8_t *)&x + SVE_PT_FPSIMD_OFFSET, &f, sizeof(f));
	OK(set(pid, ARM_SVE, &x, SVE_PT_SIZE(vl / 16, SVE_PT_REGS_FPSIMD)));
	EQ(get(pid, ARM_SVE, &x, sizeof(x)), (long)SVE_PT_SIZE(vl / 16, SVE_PT_REGS_FPSIMD));
	EQ(x.h.flags, SVE_PT_REGS_FPSIMD | SVE_PT_VL_INHERIT);
	memset(a.b + z_at(vl, 4), 0xa5, 16);
	go_on(pid);
	stops(pid, SIGTRAP);
	CHECK(same(&a, &s->to, vl));

	/* Another length. */
	vl = 16;
	fill(&a, vl, 3);
	x.h.vl = 16;
	x.h.flags = SVE_PT_REGS_SVE;
	memcpy((uint8_t *)&x + SVE_PT_SVE_OFFSET, a.b, size_of(vl));
	OK(set(pid, ARM_SVE, &x, SVE_PT_SIZE(1, SVE_PT_REGS_SVE)));
	go_on(pid);
	stops(pid, SIGTRAP);
	CHECK(same(&a, &s->to, vl) && s->length == vl);

	/* What is refused. */
	OK(get(pid, ARM_SVE, &x, sizeof(x)));
	ERR(set(pid, ARM_SVE, &x, 8), EINVAL);
	ERR(set(pid, ARM_SVE, &x, 24), EINVAL);
	x.h.flags |= 8;
	ERR(set(pid, ARM_SVE, &x, x.h.size), EINVAL);
	x.h.flags = SVE_PT_REGS_SVE;
	x.h.vl = 24;
	ERR(set(pid, ARM_SVE, &x, x.h.size), EINVAL);
	x.h.vl = 512;
	ERR(set(pid, ARM_SVE, &x, x.h.size), EIO);
	ERR(get(pid, ARM_SVE, &x, 8), EINVAL);
	EQ(get(pid, ARM_SVE, &x, 16), 16);
	OK(kill(pid, SIGKILL));
	EQ(waitpid(pid, NULL, 0), pid);
}
#endif
