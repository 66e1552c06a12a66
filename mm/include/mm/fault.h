// SPDX-License-Identifier: MIT
#pragma once
/*
 * Page faults. Device and special mappings take
 * part through struct vm_operations. The entry is mm_handle_fault() (prototype in arch/upcalls.h).
 */
#include <lib/types.h>
#include <kernel/spinlock.h>
#include <arch/pgtable.h>
#include <arch/upcalls.h>

struct pt_regs;
struct vma;
struct mm;
struct folio;

/* What the access was: FAULT_WRITE, FAULT_EXEC, FAULT_USER, FAULT_PRESENT come from arch. More: */
#define FAULT_REMOTE		0x100u	/* on behalf of another process */
#define FAULT_UNSHARE		0x200u	/* break COW for a read pin */
#define FAULT_VMA_LOCK		0x400u	/* only the VMA's lock is held, not mmap_lock */
#define FAULT_FORCE		0x1000u	/* ptrace: write to a read-only private mapping */

/* Results of a fault handler. */
typedef unsigned int vm_fault_t;
#define VM_FAULT_OOM		0x0001u
#define VM_FAULT_SIGBUS		0x0002u
#define VM_FAULT_MAJOR		0x0004u
#define VM_FAULT_SIGSEGV	0x0040u
#define VM_FAULT_NOPAGE		0x0100u	/* handler installed the entry itself */
#define VM_FAULT_LOCKED		0x0200u	/* vmf->folio is locked */
#define VM_FAULT_RETRY		0x0400u	/* lock was dropped, try again */
#define VM_FAULT_DONE_COW	0x1000u
#define VM_FAULT_ERROR		(VM_FAULT_OOM | VM_FAULT_SIGBUS | VM_FAULT_SIGSEGV)

struct vm_fault {
	struct vma *vma;
	unsigned long address;		/* page-aligned */
	unsigned long real_address;
	unsigned int flags;		/* FAULT_* */
	pgoff_t pgoff;			/* index in the file */
	pte_t *pmd;			/* entry that points to the page table */
	pte_t *pte;			/* mapped entry (ptl held), or NULL */
	pte_t orig_pte;
	spinlock_t *ptl;
	struct page *page;		/* out: the page to map, referenced */
	struct page *cow_page;		/* private copy being made */
	pte_t *prealloc;		/* page table page for fault-around */
};

struct vm_operations {
	void (*open)(struct vma *vma);		/* VMA copied (fork, split) */
	void (*close)(struct vma *vma);
	int (*may_split)(struct vma *vma, unsigned long addr);
	int (*mremap)(struct vma *vma);
	int (*mprotect)(struct vma *vma, unsigned long start, unsigned long end, unsigned long newflags);
	/* Set vmf->page (referenced, maybe locked: VM_FAULT_LOCKED). */
	vm_fault_t (*fault)(struct vm_fault *vmf);
	/* Map what is cached in [start, end] pages around. Under RCU, ptl not held. */
	vm_fault_t (*map_pages)(struct vm_fault *vmf, pgoff_t start, pgoff_t end);
	/* First write to a page of a shared mapping. VM_FAULT_LOCKED on success. */
	vm_fault_t (*page_mkwrite)(struct vm_fault *vmf);
	vm_fault_t (*pfn_mkwrite)(struct vm_fault *vmf);
	/* ptrace access to device memory. */
	int (*access)(struct vma *vma, unsigned long addr, void *buf, int len, int write);
	const char *(*name)(struct vma *vma);
};

/* Resolve a fault; the caller holds mmap_lock (or the VMA lock with FAULT_VMA_LOCK). */
vm_fault_t handle_mm_fault(struct vma *vma, unsigned long addr, unsigned int flags);

/* For drivers' mmap: map physical memory or pages. Under mmap_lock for writing. */
int remap_pfn_range(struct vma *vma, unsigned long addr, unsigned long pfn, unsigned long size,
		    unsigned int prot);
int vm_insert_page(struct vma *vma, unsigned long addr, struct page *page);
vm_fault_t vmf_insert_pfn(struct vma *vma, unsigned long addr, unsigned long pfn);
