/* SPDX-License-Identifier: MIT */
/* Units of time and struct timespec64. */
#pragma once

#include <lib/types.h>

#define NSEC_PER_SEC 1000000000LL
#define NSEC_PER_MSEC 1000000LL
#define NSEC_PER_USEC 1000LL
#define USEC_PER_SEC 1000000LL
#define MSEC_PER_SEC 1000LL
#define KTIME_MAX S64_MAX

struct timespec64 {
	s64 tv_sec;
	long tv_nsec;
};

static inline struct timespec64 ns_to_timespec64(s64 ns)
{
	struct timespec64 t = { ns / NSEC_PER_SEC, ns % NSEC_PER_SEC };

	if (t.tv_nsec < 0) {
		t.tv_sec--;
		t.tv_nsec += NSEC_PER_SEC;
	}
	return t;
}

static inline bool timespec64_valid(const struct timespec64 *t)
{
	return t->tv_sec >= 0 && (unsigned long)t->tv_nsec < NSEC_PER_SEC;
}

/* Saturates. T is valid. */
static inline s64 timespec64_to_ns(const struct timespec64 *t)
{
	if (t->tv_sec >= KTIME_MAX / NSEC_PER_SEC)
		return KTIME_MAX;
	return t->tv_sec * NSEC_PER_SEC + t->tv_nsec;
}
