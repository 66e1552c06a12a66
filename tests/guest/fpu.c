// SPDX-License-Identifier: MIT
/*
 * Floating-point and vector registers stay exactly as they are: over switches, signals, fork, and
 * in new programs.
 */
#define TEST_LIMIT 60
#include "t.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>

#ifdef __x86_64__
#include <immintrin.h>
#include <cpuid.h>

static int have_avx(void)
{
	unsigned int a, b, c, d;

	return __get_cpuid(1, &a, &b, &c, &d) && c & bit_AVX && c & bit_OSXSAVE;
}

struct regs {
	unsigned char v[16][32];
	unsigned int mxcsr;
	unsigned short fcw;
	double st[4];
} __attribute__((aligned(64)));

static void fill(struct regs *r, unsigned int seed)
{
	for (unsigned int i = 0; i < sizeof(r->v); i++)
		(&r->v[0][0])[i] = rand_r(&seed);
	r->mxcsr = 0x1f80 | (seed & 3) << 13;
	r->fcw = 0x37f | (seed & 3) << 10;
	for (int i = 0; i < 4; i++)
		r->st[i] = rand_r(&seed) * 1.25;
}

/*
 * Loads all of them, does what FN says without the compiler in between using any, and stores them
 * again.
 */
__attribute__((target("avx"), noinline)) static void with_avx(const struct regs *in,
							      struct regs *out, void (*fn)(void))
{
	__asm__ volatile(
		"fninit; fldcw %c[fcw](%[in]); ldmxcsr %c[mx](%[in])\n"
		"fldl %c[st](%[in]); fldl %c[st]+8(%[in]); fldl %c[st]+16(%[in]); fldl %c[st]+24(%[in])\n"
		"vmovups 0(%[in]),%%ymm0; vmovups 32(%[in]),%%ymm1; vmovups 64(%[in]),%%ymm2; vmovups 96(%[in]),%%ymm3\n"
		"vmovups 128(%[in]),%%ymm4; vmovups 160(%[in]),%%ymm5; vmovups 192(%[in]),%%ymm6; vmovups 224(%[in]),%%ymm7\n"
		"vmovups 256(%[in]),%%ymm8; vmovups 288(%[in]),%%ymm9; vmovups 320(%[in]),%%ymm10; vmovups 352(%[in]),%%ymm11\n"
		"vmovups 384(%[in]),%%ymm12; vmovups 416(%[in]),%%ymm13; vmovups 448(%[in]),%%ymm14; vmovups 480(%[in]),%%ymm15\n"
		"pushq %[out]; subq $8,%%rsp; call *%[fn]; addq $8,%%rsp; popq %%rcx\n"
		"vmovups %%ymm0,0(%%rcx); vmovups %%ymm1,32(%%rcx); vmovups %%ymm2,64(%%rcx); vmovups %%ymm3,96(%%rcx)\n"
		"vmovups %%ymm4,128(%%rcx); vmovups %%ymm5,160(%%rcx); vmovups %%ymm6,192(%%rcx); vmovups %%ymm7,224(%%rcx)\n"
		"vmovups %%ymm8,256(%%rcx); vmovups %%ymm9,288(%%rcx); vmovups %%ymm10,320(%%rcx); vmovups %%ymm11,352(%%rcx)\n"
		"vmovups %%ymm12,384(%%rcx); vmovups %%ymm13,416(%%rcx); vmovups %%ymm14,448(%%rcx); vmovups %%ymm15,480(%%rcx)\n"
		"fstpl %c[st]+24(%%rcx); fstpl %c[st]+16(%%rcx); fstpl %c[st]+8(%%rcx); fstpl %c[st](%%rcx)\n"
		"stmxcsr %c[mx](%%rcx); fnstcw %c[fcw](%%rcx); fninit; vzeroupper\n" ::[in] "r"(in),
		[out] "r"(out), [fn] "r"(fn), [fcw] "i"(offsetof(struct regs, fcw)),
		[mx] "i"(offsetof(struct regs, mxcsr)), [st] "i"(offsetof(struct regs, st))
		: "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "xmm0",
		  "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
		  "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
	unsigned int mx = 0x1f80;

	__asm__ volatile("ldmxcsr %0" ::"m"(mx));
}

/* System calls by hand: they use general registers alone. */
__attribute__((target("general-regs-only"), noinline)) static void yield(void)
{
	for (int i = 0; i < 20; i++) {
		long r = SYS_sched_yield;

		__asm__ volatile("syscall" : "+a"(r)::"rcx", "r11", "memory");
	}
}

static volatile pid_t self_pid;

__attribute__((target("general-regs-only"), noinline)) static void signal_self(void)
{
	long r = SYS_kill;

	__asm__ volatile("syscall"
			 : "+a"(r)
			 : "D"((long)self_pid), "S"((long)SIGUSR1)
			 : "rcx", "r11", "memory");
}

__attribute__((target("general-regs-only"), noinline)) static void spin(void)
{
	for (volatile long i = 0; i < 3000000; i++)
		;
}

static int same(const struct regs *a, const struct regs *b)
{
	return !memcmp(a->v, b->v, sizeof(a->v)) && (a->mxcsr & ~0x3f) == (b->mxcsr & ~0x3f) &&
	       a->fcw == b->fcw && !memcmp(a->st, b->st, sizeof(a->st));
}

static void *worker(void *arg)
{
	struct regs in, out;

	for (int i = 0; i < 200; i++) {
		fill(&in, i * 64 + (long)arg);
		with_avx(&in, &out, i % 4 ? yield : spin);
		if (!same(&in, &out))
			return (void *)1;
	}
	return NULL;
}

TEST(over_switches)
{
	pthread_t t[4];
	void *r;

	if (!have_avx())
		SKIP("no AVX");
	for (long i = 0; i < 4; i++)
		EQ(pthread_create(&t[i], NULL, worker, (void *)i), 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], &r);
		CHECK(!r);
	}
}

__attribute__((target("avx"))) static void clobber(int sig)
{
	unsigned int mx = 0x7f80;

	__asm__ volatile(
		"vpcmpeqd %%xmm0,%%xmm0,%%xmm0; vinsertf128 $1,%%xmm0,%%ymm0,%%ymm1; vmovaps %%ymm1,%%ymm15; vmovaps %%ymm1,%%ymm7;"
		"fninit; fld1; fld1; ldmxcsr %0" ::"m"(mx)
		: "xmm0", "xmm1", "xmm15", "xmm7");
}

TEST(over_a_signal_handler)
{
	struct regs in, out;

	if (!have_avx())
		SKIP("no AVX");
	self_pid = getpid();
	signal(SIGUSR1, clobber);
	for (int i = 0; i < 50; i++) {
		fill(&in, i);
		with_avx(&in, &out, signal_self);
		CHECK(same(&in, &out));
	}
}

/* The frame lies where no page is yet: its registers are stored while faults are served. */
TEST(in_a_frame_on_new_pages)
{
	struct regs in, out;
	stack_t ss = { .ss_size = 65536 };
	struct sigaction sa = { .sa_handler = clobber, .sa_flags = SA_ONSTACK };

	if (!have_avx())
		SKIP("no AVX");
	self_pid = getpid();
	OK(sigaction(SIGUSR1, &sa, NULL));
	for (int i = 0; i < 20; i++) {
		ss.ss_sp = mmap(NULL, ss.ss_size, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		OK(sigaltstack(&ss, NULL));
		fill(&in, i);
		with_avx(&in, &out, signal_self);
		CHECK(same(&in, &out));
		munmap(ss.ss_sp, ss.ss_size);
	}
}

/* What a handler does to the image of the registers in its frame. */
static enum { KEEP, BAD_COMPONENT, BAD_HEADER, NO_AVX, LEGACY, NONE, ELSEWHERE } deed;
static unsigned char *image_copy;

__attribute__((target("general-regs-only"))) static void change_image(int sig, siginfo_t *si,
								      void *ctx)
{
	ucontext_t *uc = ctx;
	unsigned char *f = (unsigned char *)uc->uc_mcontext.fpregs;
	struct {
		unsigned int magic1, size;
		unsigned long features;
		unsigned int xstate_size;
	} *sw = (void *)(f + 464);
	unsigned long *bv = (unsigned long *)(f + 512);

	CHECK((*bv & 3) == 3);
	EQ(sw->magic1, 0x46505853);
	EQ(*(unsigned int *)(f + sw->xstate_size), 0x46505845);
	switch (deed) {
	case KEEP:
		break;
	case BAD_COMPONENT:
		*bv |= 1UL << 62;
		break;
	case BAD_HEADER:
		bv[2] = 1;
		break;
	case NO_AVX:
		sw->features = 3;
		break;
	case LEGACY:
		sw->magic1 = 0;
		break;
	case NONE:
		uc->uc_mcontext.fpregs = NULL;
		break;
	case ELSEWHERE:
		for (unsigned int i = 0; i < sw->size; i++)
			image_copy[i] = f[i];
		uc->uc_mcontext.fpregs = (void *)image_copy;
		break;
	}
}

static int segv_of(int what)
{
	struct regs in, out;
	int status;
	pid_t p = OK(fork());

	if (!p) {
		deed = what;
		self_pid = getpid();
		fill(&in, 1);
		with_avx(&in, &out, signal_self);
		_exit(0);
	}
	OK(waitpid(p, &status, 0));
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
}

TEST(image_that_a_handler_changes)
{
	struct regs in, out;
	struct sigaction sa = { .sa_sigaction = change_image, .sa_flags = SA_SIGINFO };

	if (!have_avx())
		SKIP("no AVX");
	image_copy = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	self_pid = getpid();
	OK(sigaction(SIGUSR1, &sa, NULL));
	fill(&in, 7);
	deed = KEEP;
	with_avx(&in, &out, signal_self);
	CHECK(same(&in, &out));
	deed = ELSEWHERE;
	with_avx(&in, &out, signal_self);
	CHECK(same(&in, &out));
	/* What the image is said not to hold, or is behind an old one, takes its initial state. */
	for (deed = NO_AVX; deed <= LEGACY; deed++) {
		with_avx(&in, &out, signal_self);
		EQ(out.mxcsr & ~0x3f, in.mxcsr & ~0x3f);
		for (int i = 0; i < 16; i++) {
			CHECK(!memcmp(out.v[i], in.v[i], 16));
			for (int k = 16; k < 32; k++)
				EQ(out.v[i][k], 0);
		}
	}
	deed = NONE;
	with_avx(&in, &out, signal_self);
	EQ(out.mxcsr, 0x1f80);
	for (int i = 0; i < 16; i++)
		for (int k = 0; k < 32; k++)
			EQ(out.v[i][k], 0);
	CHECK(segv_of(BAD_COMPONENT));
	CHECK(segv_of(BAD_HEADER));
}

__attribute__((target("general-regs-only"), noinline)) static void forked(void)
{
	long r = SYS_fork;

	__asm__ volatile("syscall" : "+a"(r)::"rcx", "r11", "memory");
	self_pid = r;
}

TEST(over_fork)
{
	struct regs in, out;

	if (!have_avx())
		SKIP("no AVX");
	for (int i = 0; i < 10; i++) {
		fill(&in, i + 99);
		with_avx(&in, &out, forked);
		if (self_pid == 0)
			_exit(same(&in, &out) ? 0 : 1);
		CHECK(same(&in, &out));
		CHECK(t_child_ok(self_pid));
	}
}

/*
 * A handler starts with clean registers, as the ABI wants them, and leaves those of the program as
 * they were.
 */
static volatile unsigned int handler_mxcsr, handler_fcw;
static volatile unsigned long handler_xmm15 = 1;

static void look(int sig)
{
	unsigned int mx;
	unsigned short cw;
	unsigned long x;

	__asm__ volatile("movq %%xmm15, %2; stmxcsr %0; fnstcw %1" : "=m"(mx), "=m"(cw), "=r"(x));
	handler_mxcsr = mx;
	handler_fcw = cw;
	handler_xmm15 = x;
}

TEST(a_handler_starts_afresh)
{
	unsigned int mx = 0x9f80, mx_after;	/* flush to zero */
	unsigned short cw = 0x027f, cw_after;	/* 53 bits of precision */
	unsigned long x = 0x1122334455667788, x_after;

	signal(SIGUSR1, look);
	__asm__ volatile("movq %3, %%xmm15; ldmxcsr %4; fldcw %5\n\t"
			 "syscall\n\t"
			 "movq %%xmm15, %0; stmxcsr %1; fnstcw %2; fninit"
			 : "=&r"(x_after), "=m"(mx_after), "=m"(cw_after)
			 : "r"(x), "m"(mx), "m"(cw), "a"(SYS_kill), "D"(getpid()), "S"(SIGUSR1)
			 : "rcx", "r11", "memory", "xmm15");
	EQ(handler_mxcsr, 0x1f80);
	EQ(handler_fcw, 0x037f);
	EQ(handler_xmm15, 0);
	EQ(mx_after, mx);
	EQ(cw_after, cw);
	EQ(x_after, x);
}

TEST(general_registers_over_a_system_call)
{
	unsigned long rbx = 0x1111, r12 = 0x2222, r15 = 0x3333, r8 = 0x4444, rdi = 0x5555;
	long r = SYS_getpid;
	register unsigned long x8 __asm__("r8") = r8;
	register unsigned long x12 __asm__("r12") = r12;
	register unsigned long x15 __asm__("r15") = r15;

	__asm__ volatile("syscall"
			 : "+a"(r), "+b"(rbx), "+D"(rdi), "+r"(x8), "+r"(x12), "+r"(x15)::"rcx",
			   "r11", "memory");
	EQ(r, getpid());
	CHECK(rbx == 0x1111 && rdi == 0x5555 && x8 == 0x4444 && x12 == 0x2222 && x15 == 0x3333);
	signal(SIGUSR1, look);
	raise(SIGUSR1);
	EQ(handler_mxcsr & ~0x3f, 0x1f80);
}

TEST(arithmetic_is_right)
{
	volatile double a = 1.0, b = 3.0;
	volatile long double c = 1.0L, d = 3.0L;
	double x = 0;

	CHECK(a / b * b > 0.999999999999 && c / d * d > 0.9999999999999L);
	for (int i = 1; i < 100000; i++)
		x += 1.0 / ((double)i * i);
	CHECK(x > 1.6449 && x < 1.64494);
}
#else
TEST(nothing)
{
	SKIP("not written for this CPU");
}
#endif
