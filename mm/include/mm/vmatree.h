// SPDX-License-Identifier: MIT
#pragma once
/*
 * The range tree of an address space: a B-tree of VMAs by start address, changed in place under
 * mmap_lock inside a sequence count. Readers without the lock run under RCU, check the count before
 * they follow each pointer, and give up when it moved (nodes and VMAs come from caches that are
 * type-safe by RCU, so a stale pointer is never wild).
 */
#include <lib/types.h>

#define VT_SLOTS	15
#define VT_MAX_DEPTH	8

struct vma;

struct vt_node {
	u16 nr;				/* used slots */
	u16 level;			/* 0: slots are VMAs */
	u32 pad;
	void *unused;
	unsigned long key[VT_SLOTS];	/* lowest address below the slot (slot 0: a lower bound) */
	void *slot[VT_SLOTS];
};

struct vma_tree {
	unsigned int	seq;		/* odd while a change is under way */
	unsigned int	reserve_nr;
	struct vt_node	*root;		/* NULL: empty */
	struct vt_node	*reserve;	/* preallocated nodes, linked by slot[0] */
};
