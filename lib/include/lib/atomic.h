/* SPDX-License-Identifier: MIT */
/*
 * Atomic integers and memory order, on the compiler's C11 builtins. As in the field: operations that
 * return a value are fully ordered unless they say _relaxed, _acquire or _release; those that return
 * nothing give no order at all.
 */
#pragma once

#include <lib/types.h>

typedef struct { s32 counter; } atomic_t;
typedef struct { s64 counter; } atomic64_t;
typedef atomic64_t atomic_long_t;

#define ATOMIC_INIT(i) { (i) }
#define ATOMIC64_INIT(i) { (i) }

#define smp_mb() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)
#define smp_load_acquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define smp_store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define smp_store_mb(x, v) do { WRITE_ONCE(x, v); smp_mb(); } while (0)
#define smp_mb__before_atomic() smp_mb()
#define smp_mb__after_atomic() smp_mb()

#define xchg(p, v) ({								\
	__typeof__(*(p)) __xc = __atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST); \
	__atomic_full();							\
	__xc; })
#define xchg_acquire(p, v) __atomic_exchange_n((p), (v), __ATOMIC_ACQUIRE)
#define xchg_release(p, v) __atomic_exchange_n((p), (v), __ATOMIC_RELEASE)
#define xchg_relaxed(p, v) __atomic_exchange_n((p), (v), __ATOMIC_RELAXED)

#define __cmpxchg(p, o, n, order) ({						\
	__typeof__(*(p)) __cx_old = (o);					\
	__atomic_compare_exchange_n((p), &__cx_old, (n), false, order, __ATOMIC_RELAXED); \
	__cx_old; })
#define cmpxchg(p, o, n) ({							\
	__typeof__(*(p)) __cx_old = (o);					\
	__atomic_compare_exchange_n((p), &__cx_old, (n), false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
	__atomic_full();							\
	__cx_old; })
#define cmpxchg_acquire(p, o, n) ({						\
	__typeof__(*(p)) __cx_old = (o);					\
	__atomic_compare_exchange_n((p), &__cx_old, (n), false, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE); \
	__cx_old; })
#define cmpxchg_release(p, o, n) __cmpxchg(p, o, n, __ATOMIC_RELEASE)
#define cmpxchg_relaxed(p, o, n) __cmpxchg(p, o, n, __ATOMIC_RELAXED)
/* On failure *OP is what was found. */
#define try_cmpxchg(p, op, n) ({						\
	bool __tc = __atomic_compare_exchange_n((p), (op), (n), false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
	__atomic_full();							\
	__tc; })
#define try_cmpxchg_acquire(p, op, n) \
	__atomic_compare_exchange_n((p), (op), (n), false, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE)
#define try_cmpxchg_release(p, op, n) \
	__atomic_compare_exchange_n((p), (op), (n), false, __ATOMIC_RELEASE, __ATOMIC_RELAXED)
#define try_cmpxchg_relaxed(p, op, n) \
	__atomic_compare_exchange_n((p), (op), (n), false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)

#define OCHRE_ATOMIC_OPS(pre, T, I)							\
static inline I pre##_read(const T *v) { return __atomic_load_n(&v->counter, __ATOMIC_RELAXED); } \
static inline I pre##_read_acquire(const T *v) { return __atomic_load_n(&v->counter, __ATOMIC_ACQUIRE); } \
static inline void pre##_set(T *v, I i) { __atomic_store_n(&v->counter, i, __ATOMIC_RELAXED); } \
static inline void pre##_set_release(T *v, I i) { __atomic_store_n(&v->counter, i, __ATOMIC_RELEASE); } \
static inline void pre##_add(I i, T *v) { (void)__atomic_fetch_add(&v->counter, i, __ATOMIC_RELAXED); } \
static inline void pre##_sub(I i, T *v) { (void)__atomic_fetch_sub(&v->counter, i, __ATOMIC_RELAXED); } \
static inline void pre##_inc(T *v) { (void)__atomic_fetch_add(&v->counter, 1, __ATOMIC_RELAXED); } \
static inline void pre##_dec(T *v) { (void)__atomic_fetch_sub(&v->counter, 1, __ATOMIC_RELAXED); } \
static inline void pre##_or(I i, T *v) { (void)__atomic_fetch_or(&v->counter, i, __ATOMIC_RELAXED); } \
static inline void pre##_and(I i, T *v) { (void)__atomic_fetch_and(&v->counter, i, __ATOMIC_RELAXED); } \
static inline void pre##_andnot(I i, T *v) { (void)__atomic_fetch_and(&v->counter, ~i, __ATOMIC_RELAXED); } \
static inline I pre##_add_return(I i, T *v) { I r = __atomic_add_fetch(&v->counter, i, __ATOMIC_SEQ_CST); __atomic_full(); return r; } \
static inline I pre##_sub_return(I i, T *v) { I r = __atomic_sub_fetch(&v->counter, i, __ATOMIC_SEQ_CST); __atomic_full(); return r; } \
static inline I pre##_inc_return(T *v) { I r = __atomic_add_fetch(&v->counter, 1, __ATOMIC_SEQ_CST); __atomic_full(); return r; } \
static inline I pre##_dec_return(T *v) { I r = __atomic_sub_fetch(&v->counter, 1, __ATOMIC_SEQ_CST); __atomic_full(); return r; } \
static inline I pre##_fetch_add(I i, T *v) { I r = __atomic_fetch_add(&v->counter, i, __ATOMIC_SEQ_CST); __atomic_full(); return r; } \
static inline I pre##_fetch_sub(I i, T *v) { I r = __atomic_fetch_sub(&v->counter, i, __ATOMIC_SEQ_CST); __atomic_full(); return r; } \
static inline I pre##_fetch_or(I i, T *v) { I r = __atomic_fetch_or(&v->counter, i, __ATOMIC_SEQ_CST); __atomic_full(); return r; } \
static inline I pre##_fetch_and(I i, T *v) { I r = __atomic_fetch_and(&v->counter, i, __ATOMIC_SEQ_CST); __atomic_full(); return r; } \
static inline I pre##_fetch_andnot(I i, T *v) { I r = __atomic_fetch_and(&v->counter, ~i, __ATOMIC_SEQ_CST); __atomic_full(); return r; } \
static inline bool pre##_dec_and_test(T *v) { I r = __atomic_sub_fetch(&v->counter, 1, __ATOMIC_SEQ_CST); __atomic_full(); return r == 0; } \
static inline bool pre##_inc_and_test(T *v) { I r = __atomic_add_fetch(&v->counter, 1, __ATOMIC_SEQ_CST); __atomic_full(); return r == 0; } \
static inline bool pre##_sub_and_test(I i, T *v) { I r = __atomic_sub_fetch(&v->counter, i, __ATOMIC_SEQ_CST); __atomic_full(); return r == 0; } \
static inline I pre##_xchg(T *v, I i) { I r = __atomic_exchange_n(&v->counter, i, __ATOMIC_SEQ_CST); __atomic_full(); return r; } \
static inline I pre##_cmpxchg(T *v, I o, I n)						\
{											\
	__atomic_compare_exchange_n(&v->counter, &o, n, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
	__atomic_full();								\
	return o;									\
}											\
static inline bool pre##_try_cmpxchg(T *v, I *o, I n)					\
{											\
	bool r = __atomic_compare_exchange_n(&v->counter, o, n, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
											\
	__atomic_full();								\
	return r;									\
}											\
static inline bool pre##_try_cmpxchg_acquire(T *v, I *o, I n)				\
{											\
	return __atomic_compare_exchange_n(&v->counter, o, n, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED); \
}											\
/* Adds A unless the value is U; true when it did. */					\
static inline bool pre##_add_unless(T *v, I a, I u)					\
{											\
	I c = pre##_read(v);								\
											\
	do {										\
		if (c == u)								\
			return false;							\
	} while (!pre##_try_cmpxchg(v, &c, c + a));					\
	return true;									\
}											\
static inline bool pre##_inc_not_zero(T *v) { return pre##_add_unless(v, 1, 0); }

OCHRE_ATOMIC_OPS(atomic, atomic_t, s32)
OCHRE_ATOMIC_OPS(atomic64, atomic64_t, s64)
OCHRE_ATOMIC_OPS(atomic_long, atomic_long_t, s64)
