// SPDX-License-Identifier: MIT
#pragma once
/* Inside the slab allocator. */
#include <alloc/slab.h>
#include <alloc/kmemleak.h>
#include <alloc/page.h>
#include <kernel/spinlock.h>
#include <lib/list.h>

/*
 * A slab is one block of pages cut into equal slots; struct slab is its struct page under another
 * name. Free slots form a list: each holds, at cache->free_offset, the number of the next one.
 * While a slab of a type-safe cache waits for its grace period, flags and links hold an rcu_head.
 */
struct slab {
	atomic_t	refcount;
	atomic_t	type;		/* PAGE_TYPE_SLAB */
	u64		cache;		/* struct kmem_cache * */
	u16		flags;		/* low bits of the page's flags (PG_head) */
	u16		inuse;		/* (cache->lock) slots handed out */
	u16		free;		/* (cache->lock) slot number + 1 of the first free, 0: none */
	u16		on_list;	/* (cache->lock) */
	u32		next, prev;	/* (cache->lock) partial list, by frame number */
};
_Static_assert(sizeof(struct slab) == sizeof(struct page), "struct slab overlays struct page");

#define SLAB_MAX_CACHES	192
#define SHEAF_MAX	30

/* One CPU's sheaf of a cache. busy: an interrupt that finds it set goes to the slabs. */
struct slab_cpu {
	u8		busy;
	u8		pad[3];
	u32		nr;
	void		*obj[];		/* cache->capacity */
};

struct kmem_cache {
	u32		id;		/* row in slab_cpus; constant */
	u32		capacity;	/* of a sheaf */
	u32		slot_size;	/* from one object to the next */
	u32		object_size;
	u32		flags;
	u32		free_offset;
	u32		recip;		/* offset * recip >> 32 = slot number */
	u16		objs_per_slab;
	u8		order;
	u8		poison;		/* CONFIG_DEBUG: freed objects are filled and checked */
	void		(*ctor)(void *);
	const char	*name;
	spinlock_t	lock;		/* interrupts off */
	u32		partial;	/* (lock) frame of the first slab with free slots */
	u32		nr_partial;	/* (lock) */
	u32		nr_empty;	/* (lock) of them wholly free */
	unsigned long	nr_slabs;	/* (lock) */
	unsigned long	inuse;		/* (lock) objects out of slabs, in sheaves or live */
	struct list_head list;		/* (slab_list_lock) */
};

/* The leak scanner's records lie behind the last slot, at the end of the slab. */
#ifdef CONFIG_KMEMLEAK
#define SLAB_RECORD sizeof(struct kmemleak_object)
static inline struct kmemleak_object *slab_record(const struct kmem_cache *c, void *base, unsigned int slot)
{
	return (struct kmemleak_object *)((char *)base + (PAGE_SIZE << c->order)) - c->objs_per_slab + slot;
}
/* A page of backtraces counts among the slabs' pages. */
void slab_count_page(void);
#else
#define SLAB_RECORD 0
#endif
