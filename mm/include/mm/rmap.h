// SPDX-License-Identifier: MIT
#pragma once
/*
 * Reverse mapping: from a folio to all page table entries that map it.
 *
 * File folios: address_space.i_mmap, an interval tree of VMAs by file offset.
 *
 * Anonymous folios: a family. exec makes a new one; fork adds the child's mm to the parent's. A folio
 * maps at the same index in each member that maps it at all (index = VMA's anon_pgoff + distance), so a
 * walk looks one address up in each member's range tree; members that moved anonymous memory
 * (mremap) are searched VMA by VMA. Thus fork and VMA changes cost nothing for the reverse map.
 */
#include <lib/types.h>
#include <lib/list.h>
#include <sched/rwsem.h>
#include <kernel/rcu.h>
#include <mm/folio.h>

struct vma;
struct mm;

struct anon_family {
	atomic_t		refcount;	/* members, and walkers */
	struct rw_semaphore	rwsem;
	struct list_head	members;	/* (rwsem) mm->family_link */
	struct rcu_head		rcu;
};

/* One walk: called for each VMA that may map the folio, with where its first page there would be, page tables kept; false stops. */
struct rmap_walk {
	void *arg;
	bool (*one)(struct folio *folio, struct vma *vma, unsigned long addr, void *arg);
	bool try_lock;		/* give up rather than wait for a lock */
	bool contended;		/* out: some VMA could not be looked at */
};
/* The folio is locked. */
void rmap_walk(struct folio *folio, struct rmap_walk *rw);

/* Remove all mappings of a locked folio. True if none is left. */
#define TTU_IGNORE_MLOCK	1u
bool try_to_unmap(struct folio *folio, unsigned int ttu);
/* Number of mappings that were accessed since the last call, -EAGAIN: their lock is taken (files only); *vm_flags: OR of the VMAs' flags. */
int folio_referenced(struct folio *folio, unsigned long *vm_flags);
/* Write-protect and clean all mappings of a shared file folio, whose pages become dirty where these were; how many were cleaned. */
int folio_mkclean(struct folio *folio);
