// SPDX-License-Identifier: MIT
/*
 * The vDSO: runs in user mode, position-independent, touches only its data page (just below its first page) and what the caller
 * gave. What it cannot answer goes to the kernel by a system call.
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
s64 __vdso_time(s64 *out);
long __vdso_getcpu(unsigned int *cpu, unsigned int *node, void *unused);

static inline long syscall2(long nr, long a, long b)
{
	long r;

	__asm__ volatile("syscall" : "=a"(r) : "a"(nr), "D"(a), "S"(b) : "rcx", "r11", "memory");
	return r;
}

static inline u64 read_tsc(void)
{
	unsigned int lo, hi;

	__asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return (u64)hi << 32 | lo;
}

/* The clock in nanoseconds; 0: ask the kernel. */
static inline int read_clock(int clock, u64 *ns)
{
	const volatile struct vdso_data *d = &vvar_page;
	unsigned int seq;
	u64 t;

	do {
		while ((seq = __atomic_load_n(&d->seq, __ATOMIC_ACQUIRE)) & 1)
			__builtin_ia32_pause();
		if (d->mode != VDSO_CLOCK_TSC)
			return 0;
		t = d->base_ns + (u64)(((unsigned __int128)(read_tsc() - d->base_tsc) * d->mult) >> d->shift);
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

s64 __vdso_time(s64 *out)
{
	u64 ns;
	s64 t;

	if (!read_clock(CLOCK_REALTIME, &ns))
		return syscall2(__NR_time, (long)out, 0);
	t = (s64)(ns / 1000000000);
	if (out)
		*out = t;
	return t;
}

/* The limit of a segment that each CPU sets to its number. */
long __vdso_getcpu(unsigned int *cpu, unsigned int *node, void *unused)
{
	unsigned int v;

	__asm__ volatile("lsl %1, %0" : "=r"(v) : "r"(0x7b));
	if (cpu)
		*cpu = v & 0xfff;
	if (node)
		*node = 0;
	return 0;
}

#define ALIAS(name) extern __typeof__(__vdso_##name) name __attribute__((weak, alias("__vdso_" #name)))
ALIAS(clock_gettime);
ALIAS(clock_getres);
ALIAS(gettimeofday);
ALIAS(time);
ALIAS(getcpu);
