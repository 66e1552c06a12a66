// SPDX-License-Identifier: MIT
#pragma once
/*
 * The range tree of an address space: a B-tree of VMAs by start address, changed in place under
 * mmap_lock inside a sequence count. Readers without the lock run under RCU, check the count before
 * they follow each pointer, and give up when it moved (nodes and VMAs come from caches that are
 * type-safe by RCU, so a stale pointer is never wild).
 *
 * Each node bounds the gaps below its VMAs, so that a search for room passes over whole nodes. The bound
 * may be too high, never too low: a gap that grows raises the bounds on its path, a gap that shrinks
 * changes nothing, and a search that finds nothing in a node corrects its bound. A change raises or
 * outdates one bound per level, which one search corrects, so n changes and searches cost O(n log n)
 * together. All bounds are infinite until the first search: a tree that is never searched pays nothing.
 * RCU readers do not look at bounds.
 */
#include <lib/types.h>

#define VT_SLOTS	15
#define VT_MAX_DEPTH	8

struct vma;

struct vt_node {
	u16 nr;				/* used slots */
	u16 level;			/* 0: slots are VMAs */
	u32 pad;
	unsigned long gap;		/* no gap below a VMA in here is larger (mmap_lock for writing) */
	unsigned long key[VT_SLOTS];	/* lowest address below the slot (slot 0: a lower bound) */
	void *slot[VT_SLOTS];
};

struct vma_tree {
	unsigned int	seq;		/* odd while a change is under way */
	unsigned int	reserve_nr;
	struct vt_node	*root;		/* NULL: empty */
	struct vt_node	*reserve;	/* preallocated nodes, linked by slot[0] */
	bool		searched;	/* bounds may be finite: growth must raise them (mmap_lock for writing) */
};
