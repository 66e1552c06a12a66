// SPDX-License-Identifier: MIT
/*
 * Each primitive of the kernel's memory order, alone in a function, for tools/check-order: what the compiler makes of it for a CPU is
 * to be what README.md's table of that CPU says. tests/litmus has the proofs that these orders suffice.
 */
#include <arch/barrier.h>
#include <kernel/rcu.h>
#include <kernel/refcount.h>
#include <kernel/seqlock.h>
#include <kernel/spinlock.h>

#define P(type, name, ...) type name(__VA_ARGS__); type name(__VA_ARGS__)

/* The C library of memory order. */
P(u32, read_once, u32 *p) { return READ_ONCE(*p); }
P(void, write_once, u32 *p, u32 v) { WRITE_ONCE(*p, v); }
P(u32, load_acquire, u32 *p) { return smp_load_acquire(p); }
P(unsigned long, load_acquire_long, unsigned long *p) { return smp_load_acquire(p); }
P(void, store_release, u32 *p, u32 v) { smp_store_release(p, v); }
P(void, store_release_long, unsigned long *p, unsigned long v) { smp_store_release(p, v); }
P(void, mb_smp, void) { smp_mb(); }
P(void, rmb_smp, void) { smp_rmb(); }
P(void, wmb_smp, void) { smp_wmb(); }
P(void, store_mb, u32 *p, u32 v) { smp_store_mb(*p, v); }

/* Devices. */
P(void, mb_device, void) { mb(); }
P(void, rmb_device, void) { rmb(); }
P(void, wmb_device, void) { wmb(); }
P(void, rmb_dma, void) { dma_rmb(); }
P(void, wmb_dma, void) { dma_wmb(); }

/* Read, change and write. */
P(void, add_relaxed, atomic_t *v, int i) { atomic_add(i, v); }
P(void, add_relaxed_long, atomic64_t *v, s64 i) { atomic64_add(i, v); }
P(int, add_return, atomic_t *v, int i) { return atomic_add_return(i, v); }
P(s64, add_return_long, atomic64_t *v, s64 i) { return atomic64_add_return(i, v); }
P(int, fetch_or, atomic_t *v, int i) { return atomic_fetch_or(i, v); }
P(u32, exchange, u32 *p, u32 v) { return xchg(p, v); }
P(u32, exchange_acquire, u32 *p, u32 v) { return xchg_acquire(p, v); }
P(u32, exchange_release, u32 *p, u32 v) { return xchg_release(p, v); }
P(u32, exchange_relaxed, u32 *p, u32 v) { return xchg_relaxed(p, v); }
P(u32, compare_exchange, u32 *p, u32 o, u32 n) { return cmpxchg(p, o, n); }
P(u32, compare_exchange_acquire, u32 *p, u32 o, u32 n) { return cmpxchg_acquire(p, o, n); }
P(u32, compare_exchange_release, u32 *p, u32 o, u32 n) { return cmpxchg_release(p, o, n); }
P(u32, compare_exchange_relaxed, u32 *p, u32 o, u32 n) { return cmpxchg_relaxed(p, o, n); }

/* Locks, without the count that keeps the CPU. */
P(void, spinlock_lock, spinlock_t *l) { __raw_spin_lock(l); }
P(bool, spinlock_trylock, spinlock_t *l) { return __raw_spin_trylock(l); }
P(void, spinlock_unlock, spinlock_t *l) { __raw_spin_unlock(l); }
P(void, rwlock_read_lock, rwlock_t *l) { read_lock(l); }
P(void, rwlock_read_unlock, rwlock_t *l) { read_unlock(l); }
P(void, rwlock_write_lock, rwlock_t *l) { write_lock(l); }
P(void, rwlock_write_unlock, rwlock_t *l) { write_unlock(l); }
P(void, bit_lock, unsigned long *p) { bit_spin_lock(0, p); }
P(void, bit_unlock, unsigned long *p) { bit_spin_unlock(0, p); }

/* Sequence counts. */
P(u32, seqcount_begin, seqcount_t *s) { return raw_read_seqcount(s); }
P(bool, seqcount_retry, seqcount_t *s, u32 v) { return read_seqcount_retry(s, v); }
P(void, seqcount_write_begin, seqcount_t *s) { raw_write_seqcount_begin(s); }
P(void, seqcount_write_end, seqcount_t *s) { raw_write_seqcount_end(s); }

/* RCU, reference counts, a ring's indices are load_acquire and store_release. */
struct shown { u32 value; };
P(u32, rcu_reader, struct shown __rcu **p) { return rcu_dereference_raw(*p)->value; }
P(void, rcu_publish, struct shown __rcu **p, struct shown *v) { rcu_assign_pointer(*p, v); }
P(void, refcount_get, refcount_t *r) { refcount_inc(r); }
P(bool, refcount_get_live, refcount_t *r) { return refcount_inc_not_zero(r); }
P(bool, refcount_put, refcount_t *r) { return refcount_dec_and_test(r); }
