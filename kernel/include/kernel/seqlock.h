/* SPDX-License-Identifier: MIT */
/*
 * Sequence counts: a reader copies, then asks whether a writer was at work meanwhile, and if so does it again.
 * Writers are serialised by a lock of their own (seqlock_t brings one) and must not be preempted.
 */
#pragma once

#include <kernel/spinlock.h>

typedef struct seqcount {
	u32 seq;
} seqcount_t;

#define SEQCNT_ZERO(x) { 0 }
#define seqcount_init(s) ((s)->seq = 0)

static inline u32 raw_read_seqcount(const seqcount_t *s) { return smp_load_acquire(&s->seq); }

/* Waits for the writer at work. The count that it leaves. */
__saves_registers u32 seqcount_wait(const seqcount_t *s);

static inline u32 read_seqcount_begin(const seqcount_t *s)
{
	u32 v = smp_load_acquire(&s->seq);

	return likely(!(v & 1)) ? v : seqcount_wait(s);
}

/* Pairs with the barriers in write_seqcount_begin and _end. */
static inline bool read_seqcount_retry(const seqcount_t *s, u32 start)
{
	smp_rmb();
	return unlikely(READ_ONCE(s->seq) != start);
}

static inline void raw_write_seqcount_begin(seqcount_t *s)
{
	WRITE_ONCE(s->seq, s->seq + 1);
	smp_wmb();
}

static inline void raw_write_seqcount_end(seqcount_t *s)
{
	smp_wmb();
	WRITE_ONCE(s->seq, s->seq + 1);
}

static inline void write_seqcount_begin(seqcount_t *s) { preempt_disable(); raw_write_seqcount_begin(s); }
static inline void write_seqcount_end(seqcount_t *s) { raw_write_seqcount_end(s); preempt_enable(); }

/* Every reader that began before this sees a change. */
static inline void write_seqcount_invalidate(seqcount_t *s)
{
	smp_wmb();
	WRITE_ONCE(s->seq, s->seq + 2);
}

typedef struct {
	seqcount_t seqcount;
	spinlock_t lock;
} seqlock_t;

#define __SEQLOCK_UNLOCKED(l) { { 0 }, __SPIN_LOCK_UNLOCKED(l) }
#define DEFINE_SEQLOCK(x) seqlock_t x = __SEQLOCK_UNLOCKED(x)
#define seqlock_init(l) do { seqcount_init(&(l)->seqcount); spin_lock_init(&(l)->lock); } while (0)
static inline u32 read_seqbegin(const seqlock_t *l) { return read_seqcount_begin(&l->seqcount); }
static inline bool read_seqretry(const seqlock_t *l, u32 s) { return read_seqcount_retry(&l->seqcount, s); }
static inline void write_seqlock(seqlock_t *l) { spin_lock(&l->lock); raw_write_seqcount_begin(&l->seqcount); }
static inline void write_sequnlock(seqlock_t *l) { raw_write_seqcount_end(&l->seqcount); spin_unlock(&l->lock); }
#define write_seqlock_irqsave(l, f) do { spin_lock_irqsave(&(l)->lock, f); raw_write_seqcount_begin(&(l)->seqcount); } while (0)
#define write_sequnlock_irqrestore(l, f) do { raw_write_seqcount_end(&(l)->seqcount); spin_unlock_irqrestore(&(l)->lock, f); } while (0)
#define read_seqlock_excl(l) spin_lock(&(l)->lock)
#define read_sequnlock_excl(l) spin_unlock(&(l)->lock)
