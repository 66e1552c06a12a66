// SPDX-License-Identifier: MIT
/*
 * The vDSO: runs in user mode, position-independent, touches only its data page (just below its first page) and what the caller
 * gave. What it cannot answer goes to the kernel by a system call. Signal handlers return through it.
 */
#include <linux/time.h>
#include <asm/unistd.h>
#include <arch_cpu/vdso_data.h>

typedef unsigned long long u64;
typedef long long s64;

struct timespec64 {
	s64 tv_sec, tv_nsec;
};
struct timeval64 {
	s64 tv_sec, tv_usec;
};

int __vdso_clock_gettime(int clock, struct timespec64 *ts);
int __vdso_clock_getres(int clock, struct timespec64 *ts);
int __vdso_gettimeofday(struct timeval64 *tv, struct timezone *tz);
int __vdso_getcpu(unsigned int *cpu, unsigned int *node, void *unused);
int __vdso_flush_icache(void *start, void *end, unsigned long flags);
int __vdso_riscv_hwprobe(void *pairs, unsigned long count, unsigned long size, unsigned long *cpus, unsigned int flags);

/* Unwinders know this sequence: the frame below is described by the signal context. */
__asm__(".pushsection .text.sigreturn, \"ax\"\n"
	"	.globl __vdso_rt_sigreturn\n"
	"	.type __vdso_rt_sigreturn, %function\n"
	"__vdso_rt_sigreturn:\n"
	"	.option push\n"
	"	.option norvc\n"
	"	li a7, 139\n"			/* __NR_rt_sigreturn */
	"	ecall\n"
	"	.option pop\n"
	"	.size __vdso_rt_sigreturn, . - __vdso_rt_sigreturn\n"
	".popsection");
_Static_assert(__NR_rt_sigreturn == 139, "the number above");

static inline long syscall5(long nr, long a, long b, long c, long d, long e)
{
	register long a7 __asm__("a7") = nr;
	register long a0 __asm__("a0") = a;
	register long a1 __asm__("a1") = b;
	register long a2 __asm__("a2") = c;
	register long a3 __asm__("a3") = d;
	register long a4 __asm__("a4") = e;

	__asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4) : "memory");
	return a0;
}

static inline long syscall2(long nr, long a, long b)
{
	return syscall5(nr, a, b, 0, 0, 0);
}

/* The clock in nanoseconds; 0: ask the kernel. */
static inline int read_clock(int clock, u64 *ns)
{
	const volatile struct vdso_data *d = &vvar_page;
	unsigned int seq;
	u64 t;

	do {
		while ((seq = __atomic_load_n(&d->seq, __ATOMIC_ACQUIRE)) & 1)
			__asm__ volatile(".4byte 0x0100000f");	/* pause */
		if (!d->ready)
			return 0;
		__asm__ volatile("fence rw, i; rdtime %0; fence i, rw" : "=r"(t) : : "memory");
		t = (u64)((unsigned __int128)(t - d->base) * d->mult >> 32);
		switch (clock) {
		case CLOCK_REALTIME:
			t += (u64)d->wall_ns;
			break;
		case CLOCK_TAI:
			t += (u64)(d->wall_ns + d->tai_s * 1000000000LL);
			break;
		case CLOCK_BOOTTIME:
			t += (u64)d->boot_ns;
			break;
		}
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (d->seq != seq);
	*ns = t;
	return 1;
}

#define OURS (1U << CLOCK_REALTIME | 1U << CLOCK_MONOTONIC | 1U << CLOCK_MONOTONIC_RAW | 1U << CLOCK_BOOTTIME | 1U << CLOCK_TAI)

int __vdso_clock_gettime(int clock, struct timespec64 *ts)
{
	u64 ns;

	if ((unsigned int)clock < 32 && (OURS >> clock & 1) && read_clock(clock, &ns)) {
		ts->tv_sec = (s64)(ns / 1000000000);
		ts->tv_nsec = (s64)(ns % 1000000000);
		return 0;
	}
	return (int)syscall2(__NR_clock_gettime, clock, (long)ts);
}

int __vdso_clock_getres(int clock, struct timespec64 *ts)
{
	if ((unsigned int)clock < 32 && (OURS >> clock & 1)) {
		if (ts) {
			ts->tv_sec = 0;
			ts->tv_nsec = 1;
		}
		return 0;
	}
	return (int)syscall2(__NR_clock_getres, clock, (long)ts);
}

int __vdso_gettimeofday(struct timeval64 *tv, struct timezone *tz)
{
	u64 ns;

	if (tv) {
		if (!read_clock(CLOCK_REALTIME, &ns))
			return (int)syscall2(__NR_gettimeofday, (long)tv, (long)tz);
		tv->tv_sec = (s64)(ns / 1000000000);
		tv->tv_usec = (s64)(ns % 1000000000 / 1000);
	}
	if (tz) {
		tz->tz_minuteswest = vvar_page.tz_minuteswest;
		tz->tz_dsttime = vvar_page.tz_dsttime;
	}
	return 0;
}

int __vdso_getcpu(unsigned int *cpu, unsigned int *node, void *unused)
{
	return (int)syscall2(__NR_getcpu, (long)cpu, (long)node);
}

int __vdso_flush_icache(void *start, void *end, unsigned long flags)
{
	return (int)syscall5(__NR_riscv_flush_icache, (long)start, (long)end, (long)flags, 0, 0);
}

int __vdso_riscv_hwprobe(void *pairs, unsigned long count, unsigned long size, unsigned long *cpus, unsigned int flags)
{
	return (int)syscall5(__NR_riscv_hwprobe, (long)pairs, (long)count, (long)size, (long)cpus, flags);
}
