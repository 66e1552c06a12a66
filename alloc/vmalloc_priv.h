// SPDX-License-Identifier: MIT
#pragma once
/* Areas of kernel virtual space, for vmalloc.c and kstack.c. */
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
};

struct varea *varea_alloc(unsigned long size, unsigned long align, gfp_t gfp, const char *what);
void varea_free(struct varea *a);
void vmalloc_run_deferred(void);
/* The area around addr, or NULL. */
struct varea *varea_at(unsigned long addr);
