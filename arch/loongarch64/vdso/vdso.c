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

/* Unwinders know this sequence: the frame below is described by the signal context. The no-op before it is theirs too. */
__asm__(".pushsection .text.sigreturn, \"ax\"\n"
	"	.rept 8\n"
	"	nop\n"
	"	.endr\n"
	"	.globl __vdso_rt_sigreturn\n"
	"	.type __vdso_rt_sigreturn, %function\n"
	"__vdso_rt_sigreturn:\n"
	"	ori $a7, $zero, 139\n"		/* __NR_rt_sigreturn */
	"	syscall 0\n"
	"	.size __vdso_rt_sigreturn, . - __vdso_rt_sigreturn\n"
	".popsection");
_Static_assert(__NR_rt_sigreturn == 139, "the number above");

static inline long syscall2(long nr, long a, long b)
{
	register long a7 __asm__("$a7") = nr;
	register long a0 __asm__("$a0") = a;
	register long a1 __asm__("$a1") = b;

	__asm__ volatile("syscall 0" : "+r"(a0) : "r"(a7), "r"(a1)
			 : "memory", "$t0", "$t1", "$t2", "$t3", "$t4", "$t5", "$t6", "$t7", "$t8");
	return a0;
}

/* The clock in nanoseconds; 0: ask the kernel. */
static inline int read_clock(int clock, u64 *ns)
{
	const volatile struct vdso_data *d = &vvar_page;
	unsigned int seq;
	u64 t;

	do {
		while ((seq = __atomic_load_n(&d->seq, __ATOMIC_ACQUIRE)) & 1)
			__asm__ volatile("" : : : "memory");
		if (!d->ready)
			return 0;
		__asm__ volatile("rdtime.d %0, $zero" : "=r"(t) : : "memory");
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

/* The counter's other half is the CPU's number, as the kernel set it. */
int __vdso_getcpu(unsigned int *cpu, unsigned int *node, void *unused)
{
	u64 id;

	__asm__ volatile("rdtime.d $zero, %0" : "=r"(id));
	if (cpu)
		*cpu = (unsigned int)id;
	if (node)
		*node = 0;
	return 0;
}
