/* SPDX-License-Identifier: MIT */
/* Reference counts that saturate instead of wrapping, and report use after the last put. */
#pragma once

#include <lib/atomic.h>
#include <kernel/bug.h>

typedef struct { atomic_t refs; } refcount_t;

#define REFCOUNT_INIT(n) { ATOMIC_INIT(n) }
#define REFCOUNT_SATURATED (S32_MIN / 2)
void refcount_report(refcount_t *r, const char *what);

static inline void refcount_set(refcount_t *r, int n) { atomic_set(&r->refs, n); }
static inline unsigned int refcount_read(const refcount_t *r) { return (unsigned int)atomic_read(&r->refs); }

static inline void refcount_add(int i, refcount_t *r)
{
	int old = __atomic_fetch_add(&r->refs.counter, i, __ATOMIC_RELAXED);

	if (unlikely(old <= 0 || old + i < 0))
		refcount_report(r, "increment of a dead or saturated count");
}

static inline void refcount_inc(refcount_t *r) { refcount_add(1, r); }

static inline bool __must_check refcount_inc_not_zero(refcount_t *r)
{
	int old = atomic_read(&r->refs);

	do {
		if (!old)
			return false;
	} while (!__atomic_compare_exchange_n(&r->refs.counter, &old, old + 1, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	if (unlikely(old < 0))
		refcount_report(r, "increment of a saturated count");
	return true;
}

static inline bool __must_check refcount_sub_and_test(int i, refcount_t *r)
{
	int old = __atomic_fetch_sub(&r->refs.counter, i, __ATOMIC_RELEASE);

	if (likely(old > i))
		return false;
	if (likely(old == i)) {
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		return true;
	}
	refcount_report(r, "decrement below zero");
	return false;
}

static inline bool __must_check refcount_dec_and_test(refcount_t *r) { return refcount_sub_and_test(1, r); }
static inline void refcount_dec(refcount_t *r)
{
	if (unlikely(refcount_sub_and_test(1, r)))
		refcount_report(r, "decrement to zero without a release");
}

static inline bool refcount_dec_not_one(refcount_t *r)
{
	int old = atomic_read(&r->refs);

	do {
		if (old == 1)
			return false;
	} while (!__atomic_compare_exchange_n(&r->refs.counter, &old, old - 1, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
	return true;
}
