// SPDX-License-Identifier: MIT
#pragma once
/*
 * A sparse array of pointers indexed by unsigned long: a radix tree of 64-slot nodes with three marks
 * an entry. Look-ups run under RCU; changes under xa_lock. The names follow Linux's XArray.
 *
 * An entry is a pointer aligned to 4 or a value made by xa_mk_value(). NULL means absent.
 */
#include <lib/types.h>
#include <lib/bits.h>
#include <lib/err.h>
#include <kernel/spinlock.h>
#include <kernel/rcu.h>
#include <alloc/gfp.h>

typedef unsigned int xa_mark_t;
#define XA_MARK_0	0u
#define XA_MARK_1	1u
#define XA_MARK_2	2u
#define XA_PRESENT	8u
#define XA_FREE_MARK	XA_MARK_0
#define XA_MARKS	3

#define XA_SHIFT	6
#define XA_SLOTS	(1u << XA_SHIFT)

struct xarray {
	spinlock_t	xa_lock;
	u32		xa_flags;	/* XA_FLAGS_*; bits 16..18: marks of a root entry */
	void __rcu	*xa_head;	/* NULL, the entry at index 0 alone, or a node | 2 (xa_lock; RCU) */
};
#define XA_FLAGS_LOCK_IRQ	1u	/* take the lock with interrupts off */
#define XA_FLAGS_ALLOC		2u	/* xa_alloc starts at 0 */
#define XA_FLAGS_ALLOC1		4u	/* ... at 1 */

#define XARRAY_INIT(name, flags) { .xa_lock = __SPIN_LOCK_UNLOCKED(name.xa_lock), .xa_flags = (flags), .xa_head = NULL }
#define DEFINE_XARRAY(name)		struct xarray name = XARRAY_INIT(name, 0)
#define DEFINE_XARRAY_ALLOC(name)	struct xarray name = XARRAY_INIT(name, XA_FLAGS_ALLOC)
#define DEFINE_XARRAY_ALLOC1(name)	struct xarray name = XARRAY_INIT(name, XA_FLAGS_ALLOC1)

static inline void *xa_mk_value(unsigned long v)
{
	return (void *)((v << 1) | 1);
}
static inline unsigned long xa_to_value(const void *entry)
{
	return (unsigned long)entry >> 1;
}
static inline bool xa_is_value(const void *entry)
{
	return (unsigned long)entry & 1;
}
/* A pointer, neither NULL nor a value. */
static inline bool xa_is_pointer(const void *entry)
{
	return entry && !((unsigned long)entry & 3);
}
/* In a place of xa_slots(): the array has grown meanwhile, and the entry is elsewhere. */
static inline bool xa_is_internal(const void *entry)
{
	return ((unsigned long)entry & 3) == 2;
}
static inline bool xa_is_err(const void *entry)
{
	return IS_ERR(entry);
}
static inline int xa_err(const void *entry)
{
	return IS_ERR(entry) ? (int)PTR_ERR(entry) : 0;
}

#define xa_lock(xa)		spin_lock(&(xa)->xa_lock)
#define xa_unlock(xa)		spin_unlock(&(xa)->xa_lock)
#define xa_lock_irq(xa)		spin_lock_irq(&(xa)->xa_lock)
#define xa_unlock_irq(xa)	spin_unlock_irq(&(xa)->xa_lock)
#define xa_lock_irqsave(xa, f)	spin_lock_irqsave(&(xa)->xa_lock, f)
#define xa_unlock_irqrestore(xa, f) spin_unlock_irqrestore(&(xa)->xa_lock, f)

#define xa_init_flags(xa, flags) do {			\
	spin_lock_init(&(xa)->xa_lock);			\
	(xa)->xa_flags = (flags);			\
	(xa)->xa_head = NULL;				\
} while (0)
#define xa_init(xa)	xa_init_flags(xa, 0)
static inline bool xa_empty(const struct xarray *xa)
{
	return !READ_ONCE(xa->xa_head);
}

/*
 * Where up to *N entries from INDEX on are, one behind the other, to be read by rcu_dereference(); *N: how many, at least one. NULL: these places
 * are empty. An entry that is erased is erased there too; but what was the only entry may move, xa_is_internal() then. Under RCU.
 */
void __rcu **xa_slots(struct xarray *xa, unsigned long index, unsigned int *n);
/* Under RCU or the lock. (xa_load takes rcu_read_lock itself.) */
void *xa_load(struct xarray *xa, unsigned long index);
bool xa_get_mark(struct xarray *xa, unsigned long index, xa_mark_t mark);
static inline bool xa_marked(const struct xarray *xa, xa_mark_t mark)
{
	return xa->xa_flags >> (16 + mark) & 1;
}
/* First entry at *index..max that has the filter mark (XA_PRESENT: any); sets *index. */
void *xa_find(struct xarray *xa, unsigned long *index, unsigned long max, xa_mark_t filter);
void *xa_find_after(struct xarray *xa, unsigned long *index, unsigned long max, xa_mark_t filter);
/* Consecutive search: up to n present entries from *index..max, their indices in idx (may be NULL). RCU. */
unsigned int xa_extract_batch(struct xarray *xa, unsigned long *index, unsigned long max, xa_mark_t filter,
			      void **out, unsigned long *idx, unsigned int n);
/* First absent index in [index, max], or max + 1 (0 on wrap). */
unsigned long xa_find_hole(struct xarray *xa, unsigned long index, unsigned long max);

#define xa_for_each(xa, index, entry) \
	for ((index) = 0, (entry) = xa_find(xa, &(index), ULONG_MAX, XA_PRESENT); (entry); \
	     (entry) = xa_find_after(xa, &(index), ULONG_MAX, XA_PRESENT))
#define xa_for_each_start(xa, index, entry, start) \
	for ((index) = (start), (entry) = xa_find(xa, &(index), ULONG_MAX, XA_PRESENT); (entry); \
	     (entry) = xa_find_after(xa, &(index), ULONG_MAX, XA_PRESENT))
#define xa_for_each_marked(xa, index, entry, filter) \
	for ((index) = 0, (entry) = xa_find(xa, &(index), ULONG_MAX, filter); (entry); \
	     (entry) = xa_find_after(xa, &(index), ULONG_MAX, filter))

/*
 * Changes. xa_* take the lock; __xa_* want it held (they may drop and retake it to allocate if gfp
 * allows sleeping). The old entry or ERR_PTR(-ENOMEM).
 */
void *xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp);
void *__xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp);
void *xa_erase(struct xarray *xa, unsigned long index);
void *__xa_erase(struct xarray *xa, unsigned long index);
void *xa_cmpxchg(struct xarray *xa, unsigned long index, void *old, void *entry, gfp_t gfp);
void *__xa_cmpxchg(struct xarray *xa, unsigned long index, void *old, void *entry, gfp_t gfp);
int xa_insert(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp);	/* -EBUSY if present */
int __xa_insert(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp);
void xa_set_mark(struct xarray *xa, unsigned long index, xa_mark_t mark);
void xa_clear_mark(struct xarray *xa, unsigned long index, xa_mark_t mark);
void __xa_set_mark(struct xarray *xa, unsigned long index, xa_mark_t mark);
void __xa_clear_mark(struct xarray *xa, unsigned long index, xa_mark_t mark);

/*
 * One entry at 2^ORDER indices from INDEX on, a multiple of that; ORDER is at most XA_SHIFT. The lock is held.
 *
 * -EBUSY: one of them is taken. May drop the lock, as above.
 */
int __xa_insert_run(struct xarray *xa, unsigned long index, unsigned int order, void *entry, gfp_t gfp);
/* All of them are there. */
void __xa_erase_run(struct xarray *xa, unsigned long index, unsigned int order);
void __xa_set_mark_run(struct xarray *xa, unsigned long index, unsigned int order, xa_mark_t mark);
void __xa_clear_mark_run(struct xarray *xa, unsigned long index, unsigned int order, xa_mark_t mark);
/* FIRST, FIRST + STEP, ... take the place of the same entry there, without a change of marks. */
void __xa_split_run(struct xarray *xa, unsigned long index, unsigned int order, void *first, size_t step);

struct xa_limit {
	u32 min, max;
};
#define XA_LIMIT(lo, hi)	((struct xa_limit){ .min = (lo), .max = (hi) })
#define xa_limit_32b		XA_LIMIT(0, ~0u)
#define xa_limit_31b		XA_LIMIT(0, 0x7fffffffu)
/* Store at the lowest free index in limit: 0, -EBUSY, -ENOMEM. Cyclic: 1 if it wrapped. */
int xa_alloc(struct xarray *xa, u32 *id, void *entry, struct xa_limit limit, gfp_t gfp);
int xa_alloc_cyclic(struct xarray *xa, u32 *id, void *entry, struct xa_limit limit, u32 *next, gfp_t gfp);
/* Drop all nodes; entries stay the caller's. */
void xa_destroy(struct xarray *xa);
void xarray_init(void);
