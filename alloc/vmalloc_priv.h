// SPDX-License-Identifier: MIT
#pragma once
/* Areas of kernel virtual space, for vmalloc.c and kstack.c. */
#include <alloc/kmemleak.h>
#include <lib/rbtree.h>
#include <lib/types.h>

struct page;

struct varea {
	struct rb_node rb;		/* (area_lock) */
	unsigned long start, size;	/* guard page included */
	unsigned long gap, max_gap;	/* (area_lock) hole in front; largest in this subtree */
	struct page **pages;		/* owned pages, or NULL */
	unsigned int nr_pages;
	const char *what;
#ifdef CONFIG_KMEMLEAK
	struct kmemleak_object leak;
#endif
};

struct varea *varea_alloc(unsigned long size, unsigned long align, gfp_t gfp, const char *what);
void varea_free(struct varea *a);
void vmalloc_run_deferred(void);
/* The area around addr, or NULL. */
struct varea *varea_at(unsigned long addr);

#ifdef CONFIG_KMEMLEAK
/* Calls FN on the area that holds ADDR, if there is one, with area_lock held. */
void varea_with(unsigned long addr, void (*fn)(struct varea *a, void *arg), void *arg);
/* The start of the first area at ADDR or above; 0: there is none. */
unsigned long varea_next(unsigned long addr);
/* The area is about to lose its pages. */
void varea_dying(struct varea *a);
#else
static inline void varea_dying(struct varea *a) { }
#endif
