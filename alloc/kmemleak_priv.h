/* SPDX-License-Identifier: MIT */
/* Between the leak scanner's records (kmemleak.c) and its search (kmemleak_scan.c). */
#pragma once

#include <alloc/kmemleak.h>

struct varea;

/* Where an object is. */
struct kmemleak_place {
	unsigned long start;
	size_t size;			/* that may be pointed to: of a slab's object all that it has */
	const struct kmem_cache *cache;	/* of a slab */
	struct varea *area;		/* of kernel addresses; neither: a large kmalloc */
};
typedef void (*kmemleak_fn)(struct kmemleak_object *o, const struct kmemleak_place *p, void *arg);

/* Calls FN on the live object that holds ADDR, which stays that object meanwhile: a spinning lock is held. False: there is none. */
bool kmemleak_with(unsigned long addr, kmemleak_fn fn, void *arg);
/* The same without holding it still, of a slab's object, live or not: what is there may be over by now, and O is only to be read. Preemption off. */
struct kmemleak_object *kmemleak_peek(unsigned long addr, struct kmemleak_place *p);
/* The head of the block that PAGE is in, as far as can be said without holding it. NULL: there is none. */
struct page *kmemleak_head(struct page *page);
/* Changes flags of an object that is held still. False: it is another one by now. */
bool kmemleak_change(struct kmemleak_object *o, u32 clear, u32 set);
unsigned int kmemleak_frames(const struct kmemleak_object *o, unsigned long *out);

/* What new objects are marked with, so that a scan under way passes them by; 0: none is. */
extern u32 kmemleak_scan_now;
/* Objects that are no leak though nothing points to them: each scan starts from them, too. */
extern atomic_t kmemleak_nr_roots;
