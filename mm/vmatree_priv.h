// SPDX-License-Identifier: MIT
#pragma once
/* The range tree's operations, for mm/vma.c and its tests. Writers hold mmap_lock for writing. */
#include <mm/vmatree.h>

/* Memory for nodes; the type stays through an RCU grace period after vt_node_free. */
struct vt_node *vt_node_alloc(void);
void vt_node_free(struct vt_node *n);
/* Bytes from the end of vma->vm_prev (or 0) to what vma needs free below itself. */
unsigned long vt_gap_below(const struct vma *vma);

/* The VMA with the largest start <= addr, or NULL. */
struct vma *vt_floor(const struct vma_tree *t, unsigned long addr);
struct vma *vt_first(const struct vma_tree *t);
/* The same under RCU; NULL also when a change interfered. The result must be validated under its lock. */
struct vma *vt_floor_rcu(const struct vma_tree *t, unsigned long addr);
/* The VMA with the largest start <= addr (smallest start >= addr) that has a gap of LEN bytes below, or NULL. */
struct vma *vt_gap_down(struct vma_tree *t, unsigned long addr, unsigned long len);
struct vma *vt_gap_up(struct vma_tree *t, unsigned long addr, unsigned long len);
/* The gap below the VMA at start grew, other than by vt_insert. To be called if t->searched. */
void vt_gap_grew(struct vma_tree *t, unsigned long start, unsigned long gap);
/* Make sure that so many inserts cannot fail. 0 or -1 (no memory). */
int vt_reserve(struct vma_tree *t, unsigned int inserts);
void vt_unreserve(struct vma_tree *t);
/* vma->vm_prev is set. */
void vt_insert(struct vma_tree *t, unsigned long start, struct vma *vma);
/*
 * Building a tree that nobody sees yet, in ascending order: *leaf is NULL at first. After vt_reserve(t, 1).
 */
void vt_append(struct vma_tree *t, struct vt_node **leaf, unsigned long start, struct vma *vma);
/* start must be in the tree. If the gap below what follows grew, vt_gap_grew must follow. */
void vt_erase(struct vma_tree *t, unsigned long start);
/* Change a start without passing a neighbour. Upwards only if a VMA is then inserted right below. */
void vt_rekey(struct vma_tree *t, unsigned long old_start, unsigned long new_start);
void vt_destroy(struct vma_tree *t);
