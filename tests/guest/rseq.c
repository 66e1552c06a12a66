// SPDX-License-Identifier: MIT
/*
 * Restartable sequences and the barriers that go with them. proves: rseq membarrier
 * rseq_slice_yield
 */
#include "t.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/time.h>

struct area {
	uint32_t cpu_id_start, cpu_id;
	uint64_t cs;
	uint32_t flags, node_id, mm_cid, slice;
	char rest[32];
} __attribute__((aligned(32)));

#define SIG 0x53053053
#define UNREGISTER 1

static __thread struct area area;

static long reg(void *p, unsigned int len, int flags, unsigned int sig)
{
	return syscall(SYS_rseq, p, len, flags, sig);
}

static void need(void)
{
	if (reg(&area, 32, 0, SIG) && errno == ENOSYS)
		SKIP("built without it");
}

TEST(registration)
{
	need();
	EQ(area.cpu_id, (unsigned int)sched_getcpu());
	ERR(reg(&area, 32, 0, SIG), EBUSY);
	ERR(reg(&area, 32, 0, SIG + 1), EPERM);
	ERR(reg(&area, 64, 0, SIG), EINVAL);
	ERR(reg(&area, 32, 8, SIG), EINVAL);
	ERR(reg(&area, 32, UNREGISTER, SIG + 1), EPERM);
	ERR(reg((char *)&area + 32, 32, UNREGISTER, SIG), EINVAL);
	OK(reg(&area, 32, UNREGISTER, SIG));
	EQ((int)area.cpu_id, -1);
	ERR(reg(&area, 32, UNREGISTER, SIG), EINVAL);
	ERR(reg((char *)&area + 4, 32, 0, SIG), EINVAL);
	ERR(reg(&area, 16, 0, SIG), EINVAL);
	ERR(reg((void *)0xffff888000000000UL, 32, 0, SIG), EFAULT);
	OK(reg(&area, 32, 0, SIG));
}

TEST(follows_the_cpu)
{
	cpu_set_t all, one;
	pid_t pid;

	need();
	OK(sched_getaffinity(0, sizeof(all), &all));
	for (int c = 0; c < 64; c++) {
		if (!CPU_ISSET(c, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(c, &one);
		OK(sched_setaffinity(0, sizeof(one), &one));
		EQ(area.cpu_id, c);
		EQ(area.cpu_id_start, c);
		pid = OK(fork());		/* a child has its parent's registration */
		if (pid == 0)
			_exit(area.cpu_id == (unsigned int)c && reg(&area, 32, 0, SIG) == -1 &&
					      errno == EBUSY ?
				      0 :
				      1);
		CHECK(t_child_ok(pid));
	}
}

#ifdef __x86_64__
static volatile int signals, in_sequence;

static void note(int sig)
{
	(void)sig;
	signals++;
}

/*
 * Stays in the sequence until it is sent to the abort address: 1. Or 0, should it fall out at the
 * end.
 */
static int until_aborted(struct area *a)
{
	int aborted = 0;

	__asm__ volatile(".pushsection __rseq_cs, \"aw\"\n\t"
			 ".balign 32\n"
			 "3:	.long 0, 0\n\t"
			 ".quad 1f, 2f - 1f, 4f\n\t"
			 ".popsection\n\t"
			 "leaq 3b(%%rip), %%rax\n\t"
			 "movq %%rax, 8(%1)\n"
			 "1:	movl $1, %2\n\t"
			 "cmpl $77, 4(%1)\n\t"
			 "jne 1b\n"
			 "2:	jmp 5f\n\t"
			 ".byte 0x0f, 0xb9, 0x3d\n\t" /* ud1, with the signature as its operand */
			 ".long 0x53053053\n"
			 "4:	movl $1, %0\n"
			 "5:\n"
			 : "+r"(aborted), "+r"(a), "+m"(in_sequence)
			 :
			 : "rax", "memory", "cc");
	return aborted;
}

TEST(a_signal_aborts)
{
	struct itimerval it = { { 0, 3000 }, { 0, 3000 } };
	struct sigaction sa = { .sa_handler = note };

	need();
	OK(sigaction(SIGALRM, &sa, NULL));
	OK(setitimer(ITIMER_REAL, &it, NULL));
	for (int i = 0; i < 5; i++) {
		EQ(until_aborted(&area), 1);
		EQ(area.cs, 0);
	}
}

static void *on_its_own(void *arg)
{
	struct area *mine = &area;

	OK(reg(mine, 32, 0, SIG));
	EQ(until_aborted(mine), 1);
	return arg;
}

/* Being switched away from aborts: here to whoever else wants the CPU. */
TEST(a_switch_aborts)
{
	cpu_set_t one;
	pthread_t t;

	need();
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	OK(sched_setaffinity(0, sizeof(one), &one));
	EQ(pthread_create(&t, NULL, on_its_own, NULL), 0);
	while (!in_sequence)
		sched_yield();
	sched_yield();
	EQ(pthread_join(t, NULL), 0);
}

TEST(a_barrier_aborts)
{
	pthread_t t;
	long q = syscall(SYS_membarrier, 0, 0, 0);

	need();
	if (q < 0 || !(q & 128))
		SKIP("no such barrier");
	ERR(syscall(SYS_membarrier, 128, 0, 0), EPERM);
	OK(syscall(SYS_membarrier, 256, 0, 0));
	EQ(pthread_create(&t, NULL, on_its_own, NULL), 0);
	while (!in_sequence)
		sched_yield();
	OK(syscall(SYS_membarrier, 128, 0, 0));
	EQ(pthread_join(t, NULL), 0);
}

/* An abort address without the signature is nobody's. */
TEST(wrong_signature)
{
	struct itimerval it = { { 0, 3000 }, { 0, 3000 } };
	struct sigaction sa = { .sa_handler = note };
	int st;
	pid_t pid;

	if (reg(&area, 32, 0, 0x12345678) && errno == ENOSYS)
		SKIP("built without it");
	pid = OK(fork());
	if (pid == 0) {
		OK(sigaction(SIGALRM, &sa, NULL));
		OK(setitimer(ITIMER_REAL, &it, NULL));
		until_aborted(&area);
		_exit(0);
	}
	st = t_wait(pid);
	CHECK(WIFSIGNALED(st) && WTERMSIG(st) == SIGSEGV);
}
#endif

TEST(barriers)
{
	long q = OK(syscall(SYS_membarrier, 0, 0, 0));

	ERR(syscall(SYS_membarrier, 8, 0, 0), EPERM);
	ERR(syscall(SYS_membarrier, 0, 1, 0), EINVAL);
	ERR(syscall(SYS_membarrier, 1 << 30, 0, 0), EINVAL);
	OK(syscall(SYS_membarrier, 16, 0, 0));
	OK(syscall(SYS_membarrier, 8, 0, 0));
	OK(syscall(SYS_membarrier, 1, 0, 0));
	OK(syscall(SYS_membarrier, 4, 0, 0));
	OK(syscall(SYS_membarrier, 2, 0, 0));
	if (q & 32) {
		ERR(syscall(SYS_membarrier, 32, 0, 0), EPERM);
		OK(syscall(SYS_membarrier, 64, 0, 0));
		OK(syscall(SYS_membarrier, 32, 0, 0));
	}
	if (q & 512)
		EQ(syscall(SYS_membarrier, 512, 0, 0), 4 | 16 | (q & 32 ? 64 : 0));
}

/* ---- extended slices ---- */

#define PR_RSEQ_SLICE_EXTENSION 79
#define GET 1
#define SET 2
#define AVAILABLE 0x10
#define ENABLED 0x20
#define REQUEST 0
#define GRANTED 1

static volatile unsigned char *control(void)
{
	return (volatile unsigned char *)&area.slice;
}

static void need_slices(void)
{
	need();
	if (prctl(PR_RSEQ_SLICE_EXTENSION, GET, 0, 0, 0) < 0 &&
	    (errno == EINVAL || errno == 524 /* ENOTSUPP */))
		SKIP("built without it");
}

static void tamper(void)
{
	area.flags = 0;
	prctl(PR_RSEQ_SLICE_EXTENSION, SET, 0, 0, 0);
}

TEST(slices_are_asked_for)
{
	need_slices();
	EQ(area.flags, AVAILABLE);
	EQ(prctl(PR_RSEQ_SLICE_EXTENSION, GET, 0, 0, 0), 0);
	OK(prctl(PR_RSEQ_SLICE_EXTENSION, SET, 1, 0, 0));
	EQ(area.flags, AVAILABLE | ENABLED);
	EQ(prctl(PR_RSEQ_SLICE_EXTENSION, GET, 0, 0, 0), 1);
	EQ(t_call(tamper), -SIGSEGV);
	OK(prctl(PR_RSEQ_SLICE_EXTENSION, SET, 0, 0, 0));
	EQ(area.flags, AVAILABLE);
	EQ(syscall(SYS_rseq_slice_yield), 0);		/* nothing was granted */
	ERR(prctl(PR_RSEQ_SLICE_EXTENSION, SET, 2, 0, 0), EINVAL);
	ERR(prctl(PR_RSEQ_SLICE_EXTENSION, GET, 1, 0, 0), EINVAL);
	ERR(prctl(PR_RSEQ_SLICE_EXTENSION, 3, 0, 0, 0), EINVAL);
	ERR(prctl(PR_RSEQ_SLICE_EXTENSION, SET, 1, 1, 0), EINVAL);
	OK(reg(&area, 32, UNREGISTER, SIG));
	EQ(area.flags, 0);
	ERR(prctl(PR_RSEQ_SLICE_EXTENSION, SET, 1, 0, 0), ENXIO);
	area.slice = 77;
	OK(reg(&area, 32, 2 /* RSEQ_FLAG_SLICE_EXT_DEFAULT_ON */, SIG));
	EQ(area.flags, AVAILABLE | ENABLED);
	EQ(area.slice, 0);
}

/*
 * Asks, until it was granted something: true. Or until the kernel answered without a grant, or
 * there was no need: false.
 */
static bool ask(void)
{
	volatile unsigned char *c = control();

	c[REQUEST] = 1;
	for (int i = 0; i < 1000000; i++)
		if (c[GRANTED])
			return true;
	return false;
}

static void *occupy(void *stop)
{
	while (!*(volatile int *)stop)
		;
	return NULL;
}

/*
 * Another wants the CPU all the time: who asks is not preempted at once, but soon, and can give the
 * rest back.
 */
TEST(slices_are_extended)
{
	volatile unsigned char *c = control();
	int stop = 0, yielded = 0, ended = 0;
	pthread_t t;
	cpu_set_t one;

	need_slices();
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	OK(sched_setaffinity(0, sizeof(one), &one));
	EQ(pthread_create(&t, NULL, occupy, &stop), 0);
	while (ask())
		;					/* not asked for by prctl(2) yet */
	EQ(c[REQUEST], 1);
	OK(prctl(PR_RSEQ_SLICE_EXTENSION, SET, 1, 0, 0));
	while (yielded < 3 || ended < 3) {
		if (!ask())
			continue;
		if (yielded < 3) {
			yielded += (int)syscall(SYS_rseq_slice_yield);
		} else {
			while (c[GRANTED])
				;			/* for a moment only */
			ended++;
			EQ(syscall(SYS_rseq_slice_yield), 0);
		}
	}
	/* Any call ends it, and is no yield. */
	while (!ask())
		;
	syscall(SYS_getppid);
	EQ(c[GRANTED], 0);
	EQ(syscall(SYS_rseq_slice_yield), 0);
	stop = 1;
	EQ(pthread_join(t, NULL), 0);
}
