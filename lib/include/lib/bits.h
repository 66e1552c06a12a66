/* SPDX-License-Identifier: MIT */
/* Single bits and whole words of bits. Bitmaps of any length: <lib/bitmap.h>. */
#pragma once

#include <lib/types.h>

#define BIT(n) (1UL << (n))
#define BIT_ULL(n) (1ULL << (n))
#define GENMASK(h, l) ((~0UL >> (BITS_PER_LONG - 1 - (h))) & (~0UL << (l)))
#define BITS_TO_LONGS(n) (((n) + BITS_PER_LONG - 1) / BITS_PER_LONG)
#define BIT_WORD(n) ((n) / BITS_PER_LONG)
#define BIT_MASK(n) (1UL << ((n) % BITS_PER_LONG))

static inline unsigned int __ffs(unsigned long w) { return (unsigned int)__builtin_ctzl(w); }	/* w != 0 */
static inline unsigned int __fls(unsigned long w) { return 63 - (unsigned int)__builtin_clzl(w); } /* w != 0 */
static inline unsigned int ffz(unsigned long w) { return __ffs(~w); }
static inline int ffs(int w) { return __builtin_ffs(w); }
static inline int fls(unsigned int w) { return w ? 32 - __builtin_clz(w) : 0; }
static inline int fls64(u64 w) { return w ? 64 - __builtin_clzll(w) : 0; }
static inline unsigned int hweight64(u64 w) { return (unsigned int)__builtin_popcountll(w); }
static inline unsigned int hweight32(u32 w) { return (unsigned int)__builtin_popcount(w); }
static inline int ilog2(unsigned long w) { return w ? (int)__fls(w) : -1; }
static inline bool is_power_of_2(unsigned long n) { return n && !(n & (n - 1)); }

static inline unsigned long roundup_pow_of_two(unsigned long n)
{
	return n <= 1 ? 1 : 1UL << fls64(n - 1);
}

static inline unsigned long rounddown_pow_of_two(unsigned long n)
{
	return 1UL << __fls(n);
}

static inline u64 rol64(u64 w, unsigned int s) { return (w << (s & 63)) | (w >> (-s & 63)); }
static inline u32 rol32(u32 w, unsigned int s) { return (w << (s & 31)) | (w >> (-s & 31)); }
static inline u32 ror32(u32 w, unsigned int s) { return (w >> (s & 31)) | (w << (-s & 31)); }
static inline u64 ror64(u64 w, unsigned int s) { return (w >> (s & 63)) | (w << (-s & 63)); }

/* Not atomic. */
static inline void __set_bit(unsigned long n, unsigned long *p) { p[BIT_WORD(n)] |= BIT_MASK(n); }
static inline void __clear_bit(unsigned long n, unsigned long *p) { p[BIT_WORD(n)] &= ~BIT_MASK(n); }
static inline void __change_bit(unsigned long n, unsigned long *p) { p[BIT_WORD(n)] ^= BIT_MASK(n); }

static inline bool test_bit(unsigned long n, const unsigned long *p)
{
	return READ_ONCE(p[BIT_WORD(n)]) >> (n % BITS_PER_LONG) & 1;
}

static inline bool __test_and_set_bit(unsigned long n, unsigned long *p)
{
	bool old = test_bit(n, p);

	__set_bit(n, p);
	return old;
}

static inline bool __test_and_clear_bit(unsigned long n, unsigned long *p)
{
	bool old = test_bit(n, p);

	__clear_bit(n, p);
	return old;
}

/* Atomic; set_bit and clear_bit give no order, the test_and_ kind is fully ordered. */
static inline void set_bit(unsigned long n, unsigned long *p)
{
	__atomic_fetch_or(&p[BIT_WORD(n)], BIT_MASK(n), __ATOMIC_RELAXED);
}

static inline void clear_bit(unsigned long n, unsigned long *p)
{
	__atomic_fetch_and(&p[BIT_WORD(n)], ~BIT_MASK(n), __ATOMIC_RELAXED);
}

static inline void clear_bit_unlock(unsigned long n, unsigned long *p)
{
	__atomic_fetch_and(&p[BIT_WORD(n)], ~BIT_MASK(n), __ATOMIC_RELEASE);
}

static inline bool test_and_set_bit(unsigned long n, unsigned long *p)
{
	bool r = __atomic_fetch_or(&p[BIT_WORD(n)], BIT_MASK(n), __ATOMIC_SEQ_CST) & BIT_MASK(n);

	__atomic_full();
	return r;
}

static inline bool test_and_set_bit_lock(unsigned long n, unsigned long *p)
{
	return __atomic_fetch_or(&p[BIT_WORD(n)], BIT_MASK(n), __ATOMIC_ACQUIRE) & BIT_MASK(n);
}

static inline bool test_and_clear_bit(unsigned long n, unsigned long *p)
{
	bool r = __atomic_fetch_and(&p[BIT_WORD(n)], ~BIT_MASK(n), __ATOMIC_SEQ_CST) & BIT_MASK(n);

	__atomic_full();
	return r;
}
