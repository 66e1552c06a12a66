// SPDX-License-Identifier: MIT
#pragma once
/* The range tree's operations, for mm/vma.c and its tests. Writers hold mmap_lock for writing. */
#include <mm/vmatree.h>

/* Memory for nodes; the type stays through an RCU grace period after vt_node_free. */
struct vt_node *vt_node_alloc(void);
void vt_node_free(struct vt_node *n);

/* The VMA with the largest start <= addr, or NULL. */
struct vma *vt_floor(const struct vma_tree *t, unsigned long addr);
struct vma *vt_first(const struct vma_tree *t);
/* The same under RCU; NULL also when a change interfered. The result must be validated under its lock. */
struct vma *vt_floor_rcu(const struct vma_tree *t, unsigned long addr);
/* Make sure that so many inserts cannot fail. 0 or -1 (no memory). */
int vt_reserve(struct vma_tree *t, unsigned int inserts);
void vt_unreserve(struct vma_tree *t);
void vt_insert(struct vma_tree *t, unsigned long start, struct vma *vma);
/*
 * Building a tree that nobody sees yet, in ascending order: *leaf is NULL at first. After vt_reserve(t, 1).
 */
void vt_append(struct vma_tree *t, struct vt_node **leaf, unsigned long start, struct vma *vma);
/* start must be in the tree. */
void vt_erase(struct vma_tree *t, unsigned long start);
/* Change a start without passing a neighbour. */
void vt_rekey(struct vma_tree *t, unsigned long old_start, unsigned long new_start);
void vt_destroy(struct vma_tree *t);
