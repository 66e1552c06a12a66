// SPDX-License-Identifier: MIT
#pragma once
/*
 * Reverse mapping: from a folio to all page table entries that map it.
 *
 * File folios: address_space.i_mmap, an interval tree of VMAs by file offset.
 * Anonymous folios: an anon_vma, created at the first fault of a VMA. fork() gives the child's VMA its
 * own anon_vma below the parent's and links it to all of the parent's (struct anon_vma_chain), so a
 * folio's anon_vma finds every VMA that can map it. All anon_vmas of one family share the root's lock.
 */
#include <lib/types.h>
#include <lib/list.h>
#include <lib/rbtree.h>
#include <sched/rwsem.h>
#include <mm/folio.h>
#include <arch/pgtable.h>

struct vma;
struct mm;

struct anon_vma {
	struct anon_vma		*root;
	struct rw_semaphore	rwsem;		/* of the root: guards all trees of the family */
	atomic_t		refcount;
	unsigned long		num_children;	/* (root->rwsem) */
	unsigned long		num_active_vmas; /* (root->rwsem) */
	struct anon_vma		*parent;
	struct rb_root_cached	rb_root;	/* of anon_vma_chain, interval tree */
};

struct anon_vma_chain {
	struct vma		*vma;
	struct anon_vma		*anon_vma;
	struct list_head	same_vma;	/* (mmap_lock) */
	struct rb_node		rb;		/* (root->rwsem) */
	unsigned long		subtree_last;
};

/* One walk: called for each VMA that may map the folio; false stops. */
struct rmap_walk {
	void *arg;
	bool (*one)(struct folio *folio, struct vma *vma, unsigned long addr, void *arg);
	bool try_lock;		/* give up rather than wait for the tree's lock */
	bool contended;		/* out */
};
/* The folio is locked. */
void rmap_walk(struct folio *folio, struct rmap_walk *rw);

/* Remove all mappings of a locked folio. True if none is left. */
#define TTU_IGNORE_MLOCK	1u
#define TTU_DISCARD_LAZYFREE	2u
#define TTU_SYNC		4u
bool try_to_unmap(struct folio *folio, unsigned int ttu);
/* Number of mappings that were accessed since the last call; *vm_flags: OR of the VMAs' flags. */
int folio_referenced(struct folio *folio, unsigned long *vm_flags);
/* Write-protect and clean all mappings of a shared file folio; how many were cleaned. */
int folio_mkclean(struct folio *folio);

int anon_vma_prepare(struct vma *vma);
int anon_vma_clone(struct vma *dst, struct vma *src);
int anon_vma_fork(struct vma *child, struct vma *parent);
void unlink_anon_vmas(struct vma *vma);
void __put_anon_vma(struct anon_vma *av);
