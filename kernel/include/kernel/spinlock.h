/* SPDX-License-Identifier: MIT */
/*
 * Spinning locks. spinlock_t is a queued lock in 4 bytes: taken with one compare-exchange when free, and in order of
 * arrival, each waiter spinning on a line of its own, when not. Holding one disables preemption; one that an interrupt
 * handler takes too is held with interrupts off everywhere (_irq, _irqsave). rwlock_t: many readers or one
 * writer, fair between both.
 */
#pragma once

#include <lib/atomic.h>
#include <lib/bits.h>
#include <kernel/bug.h>
#include <kernel/lockdep.h>
#include <kernel/preempt.h>
#include <arch/cpu.h>
#include <lib/byteorder.h>

typedef struct spinlock {
	union {
		u32 val;		/* locked:8 | pending:8 | tail:16 (index:2, cpu + 1:14) */
		struct {
			u8 __above[LOW_BYTE_AT(4)];
			u8 locked;
		};
	};
#ifdef CONFIG_LOCKDEP
	struct lockdep_map map;
#endif
} spinlock_t;

#ifdef CONFIG_LOCKDEP
#define __SPIN_LOCK_UNLOCKED(lname) { .val = 0, .map = { .name = LOCK_NAME(#lname) } }
#define __lock_map(l) (&(l)->map)
#define spin_lock_init(l) do {							\
	static struct lock_class_key __key;					\
	(l)->val = 0;								\
	lockdep_init_map(&(l)->map, LOCK_NAME(#l), &__key);				\
} while (0)
#else
#define __SPIN_LOCK_UNLOCKED(lname) { .val = 0 }
#define __lock_map(l) NULL
#define spin_lock_init(l) do { (l)->val = 0; } while (0)
#endif
#define DEFINE_SPINLOCK(x) spinlock_t x = __SPIN_LOCK_UNLOCKED(x)

/*
 * True on a virtual machine whose host may hold a CPU up: waiters take a free lock in any order. In a queue all wait for the one whose
 * turn it is, and the host may not be running that one.
 */
extern bool spin_unfair;

/* A hint to the CPU that it spins. */
#define spin_relax() cpu_relax()
void spin_lock_slow(spinlock_t *l, u32 val);

static __always_inline void __raw_spin_lock(spinlock_t *l)
{
	u32 old = 0;

	if (unlikely(!try_cmpxchg_acquire(&l->val, &old, 1U)))
		spin_lock_slow(l, old);
}

static __always_inline bool __raw_spin_trylock(spinlock_t *l)
{
	u32 old = READ_ONCE(l->val);

	return !old && try_cmpxchg_acquire(&l->val, &old, 1U);
}

static __always_inline void __raw_spin_unlock(spinlock_t *l)
{
	smp_store_release(&l->locked, 0);
}

static __always_inline void spin_lock(spinlock_t *l)
{
	preempt_disable();
	lock_acquire(__lock_map(l), 0, false, 0, false, _THIS_IP_);
	__raw_spin_lock(l);
	__acquire(l);
}

/* A second lock of the class that is already held, on purpose and in a fixed order. */
static __always_inline void spin_lock_nested(spinlock_t *l, int subclass)
{
	preempt_disable();
	lock_acquire(__lock_map(l), subclass, false, 0, false, _THIS_IP_);
	__raw_spin_lock(l);
	__acquire(l);
}

static __always_inline bool spin_trylock(spinlock_t *l)
{
	preempt_disable();
	if (likely(__raw_spin_trylock(l))) {
		lock_acquire(__lock_map(l), 0, true, 0, false, _THIS_IP_);
		__acquire(l);
		return true;
	}
	preempt_enable();
	return false;
}

static __always_inline void spin_unlock(spinlock_t *l)
{
	__release(l);
	lock_release(__lock_map(l), _THIS_IP_);
	__raw_spin_unlock(l);
	preempt_enable();
}

static __always_inline void spin_lock_irq(spinlock_t *l)
{
	local_irq_disable();
	spin_lock(l);
}

static __always_inline void spin_unlock_irq(spinlock_t *l)
{
	__release(l);
	lock_release(__lock_map(l), _THIS_IP_);
	__raw_spin_unlock(l);
	local_irq_enable();
	preempt_enable();
}

static __always_inline unsigned long __spin_lock_irqsave(spinlock_t *l)
{
	unsigned long flags;

	local_irq_save(flags);
	spin_lock(l);
	return flags;
}

#define spin_lock_irqsave(l, flags) do { (flags) = __spin_lock_irqsave(l); } while (0)

static __always_inline void spin_unlock_irqrestore(spinlock_t *l, unsigned long flags)
{
	__release(l);
	lock_release(__lock_map(l), _THIS_IP_);
	__raw_spin_unlock(l);
	local_irq_restore(flags);
	preempt_enable();
}

#define spin_trylock_irqsave(l, flags) ({					\
	local_irq_save(flags);							\
	bool __got = spin_trylock(l);						\
	if (!__got)								\
		local_irq_restore(flags);					\
	__got; })

static inline bool spin_is_locked(const spinlock_t *l) { return READ_ONCE(l->locked); }
#define assert_spin_locked(l) WARN_ON(!spin_is_locked(l))

typedef struct rwlock {
	u32 cnts;		/* readers << 9 | writer waiting 0x100 | writer 0xff */
	spinlock_t wait;	/* those who wait stand here in line */
} rwlock_t;

#define __RW_LOCK_UNLOCKED(lname) { .cnts = 0, .wait = __SPIN_LOCK_UNLOCKED(lname) }
#define DEFINE_RWLOCK(x) rwlock_t x = __RW_LOCK_UNLOCKED(x)
#define rwlock_init(l) do { (l)->cnts = 0; spin_lock_init(&(l)->wait); } while (0)

#define RW_WRITER 0xffU
#define RW_WAITING 0x100U
#define RW_READER 0x200U
void read_lock_slow(rwlock_t *l);
void write_lock_slow(rwlock_t *l);

static __always_inline void read_lock(rwlock_t *l)
{
	preempt_disable();
	lock_acquire(__lock_map(&l->wait), 0, false, 2, false, _THIS_IP_);
	if (unlikely(__atomic_add_fetch(&l->cnts, RW_READER, __ATOMIC_ACQUIRE) & (RW_WRITER | RW_WAITING)))
		read_lock_slow(l);
	__acquire(l);
}

static __always_inline void read_unlock(rwlock_t *l)
{
	__release(l);
	lock_release(__lock_map(&l->wait), _THIS_IP_);
	__atomic_sub_fetch(&l->cnts, RW_READER, __ATOMIC_RELEASE);
	preempt_enable();
}

static __always_inline void write_lock(rwlock_t *l)
{
	u32 old = 0;

	preempt_disable();
	lock_acquire(__lock_map(&l->wait), 0, false, 0, false, _THIS_IP_);
	if (unlikely(!try_cmpxchg_acquire(&l->cnts, &old, RW_WRITER)))
		write_lock_slow(l);
	__acquire(l);
}

static __always_inline void write_unlock(rwlock_t *l)
{
	__release(l);
	lock_release(__lock_map(&l->wait), _THIS_IP_);
	__atomic_and_fetch(&l->cnts, ~RW_WRITER, __ATOMIC_RELEASE);
	preempt_enable();
}

static __always_inline void read_lock_irq(rwlock_t *l) { local_irq_disable(); read_lock(l); }
static __always_inline void write_lock_irq(rwlock_t *l) { local_irq_disable(); write_lock(l); }
static __always_inline void read_unlock_irq(rwlock_t *l)
{
	preempt_disable();
	read_unlock(l);
	local_irq_enable();
	preempt_enable();
}

static __always_inline void write_unlock_irq(rwlock_t *l)
{
	preempt_disable();
	write_unlock(l);
	local_irq_enable();
	preempt_enable();
}

#define read_lock_irqsave(l, f) do { local_irq_save(f); read_lock(l); } while (0)
#define write_lock_irqsave(l, f) do { local_irq_save(f); write_lock(l); } while (0)
static __always_inline void read_unlock_irqrestore(rwlock_t *l, unsigned long f)
{
	preempt_disable();
	read_unlock(l);
	local_irq_restore(f);
	preempt_enable();
}

static __always_inline void write_unlock_irqrestore(rwlock_t *l, unsigned long f)
{
	preempt_disable();
	write_unlock(l);
	local_irq_restore(f);
	preempt_enable();
}

/* Until the bit is clear. */
__saves_registers void bit_spin_wait(int nr, const unsigned long *p);

/* A lock in one bit of a word, for objects too small for a lock of their own. */
static inline void bit_spin_lock(int nr, unsigned long *p)
{
	preempt_disable();
	while (unlikely(test_and_set_bit_lock(nr, p))) {
		preempt_enable();
		bit_spin_wait(nr, p);
		preempt_disable();
	}
	__acquire(p);
}

static inline bool bit_spin_trylock(int nr, unsigned long *p)
{
	preempt_disable();
	if (!test_and_set_bit_lock(nr, p)) {
		__acquire(p);
		return true;
	}
	preempt_enable();
	return false;
}

static inline void bit_spin_unlock(int nr, unsigned long *p)
{
	__release(p);
	clear_bit_unlock(nr, p);
	preempt_enable();
}
