/* SPDX-License-Identifier: MIT */
/*
 * What the vDSOs have in common: runs in user mode, position-independent, touches only its data page (just below its first page) and what the
 * caller gave. What it cannot answer goes to the kernel by a system call. A CPU's vdso.c includes vdso_types.h, gives VDSO(name), the function's
 * name; syscall2; vdso_relax(), between two looks at a word that changes; vdso_now(), the monotonic clock in nanoseconds; and then includes this.
 */
#pragma once

int VDSO(clock_gettime)(int clock, struct timespec64 *ts);
int VDSO(clock_getres)(int clock, struct timespec64 *ts);
int VDSO(gettimeofday)(struct timeval64 *tv, struct timezone *tz);

/* The clock in nanoseconds; 0: ask the kernel. */
static inline int read_clock(int clock, u64 *ns)
{
	const volatile struct vdso_data *d = &vvar_page;
	unsigned int seq;
	u64 t;

	do {
		while ((seq = __atomic_load_n(&d->seq, __ATOMIC_ACQUIRE)) & 1)
			vdso_relax();
		if (!d->ready)
			return 0;
		t = vdso_now(&d->clock);
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

int VDSO(clock_gettime)(int clock, struct timespec64 *ts)
{
	u64 ns;

	if ((unsigned int)clock < 32 && (OURS >> clock & 1) && read_clock(clock, &ns)) {
		ts->tv_sec = (s64)(ns / 1000000000);
		ts->tv_nsec = (s64)(ns % 1000000000);
		return 0;
	}
	return (int)syscall2(__NR_clock_gettime, clock, (long)ts);
}

int VDSO(clock_getres)(int clock, struct timespec64 *ts)
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

int VDSO(gettimeofday)(struct timeval64 *tv, struct timezone *tz)
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
