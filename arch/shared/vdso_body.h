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

static inline s64 ahead_of_monotonic(const volatile struct vdso_data *d, int clock)
{
	return (unsigned int)clock < VDSO_CLOCKS ? d->ahead_ns[clock] : VDSO_ASK;
}

/* The clock in nanoseconds; 0: ask the kernel. What is read while the page changes is read again: an odd sequence number is none that ends it. */
static inline int read_clock(int clock, u64 *ns)
{
	const volatile struct vdso_data *d = &vvar_page;
	unsigned int seq;
	s64 ahead;
	u64 t;

	for (;;) {
		seq = __atomic_load_n(&d->seq, __ATOMIC_ACQUIRE) & ~1U;
		ahead = ahead_of_monotonic(d, clock);
		if (ahead == VDSO_ASK)
			return 0;
		t = vdso_now(&d->clock) + (u64)ahead;
		__asm__ volatile("" : "+r"(t));		/* now: it takes fewer registers than its parts would over the rest */
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (__builtin_expect(d->seq == seq, 1))
			break;
		vdso_relax();
	}
	*ns = t;
	return 1;
}

int VDSO(clock_gettime)(int clock, struct timespec64 *ts)
{
	u64 ns;

	if (read_clock(clock, &ns)) {
		ts->tv_sec = (s64)(ns / 1000000000);
		ts->tv_nsec = (s64)(ns % 1000000000);
		return 0;
	}
	return (int)syscall2(__NR_clock_gettime, clock, (long)ts);
}

int VDSO(clock_getres)(int clock, struct timespec64 *ts)
{
	if (ahead_of_monotonic(&vvar_page, clock) != VDSO_ASK) {
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
