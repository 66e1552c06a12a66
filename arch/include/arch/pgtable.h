/* SPDX-License-Identifier: MIT */
/*
 * Page tables as the CPU walks them, without the names of levels: level 0 holds the entries of base
 * pages, level ARCH_PT_LEVELS - 1 is the root, and an entry (pte_t) has the same type on each level.
 * An entry is one of
 *   none      all zero
 *   present   maps a frame (leaf) or, on levels above 0, names the next table
 *   protnone  a frame that nobody may touch; counts as present and leaf
 *   swap      not present, holds a small type and an offset (migration, hardware poison, markers)
 *
 * The CPU writes young and dirty on its own: an entry that others can see is changed only by the ptep_
 * functions, which are single atomic accesses. Locks are the caller's; so is the TLB flush.
 *
 * A CPU gives, in <arch_cpu/pgtable.h>, with the argument and result types shown here:
 *   ARCH_PT_LEVELS, PT_ENTRIES, typedef pte_t (one u64 named v), PTE_LEAF_LEVELS (bit l set: leaves may stand on l)
 *   unsigned pt_index(unsigned long va, int level)         slot in a table of that level
 *   unsigned long pt_span(int level)                       bytes that one entry of that level covers
 *   bool pte_none pte_present pte_protnone pte_is_swap pte_write pte_exec pte_dirty pte_young pte_user
 *        pte_special (pte_t);  bool pte_leaf(pte_t, int level)
 *   unsigned long pte_pfn(pte_t)                           of a leaf
 *   pte_t pte_make(unsigned long pfn, unsigned prot, int level)   prot 0 makes a protnone entry. Young; clean
 *   pte_t pte_modify(pte_t, unsigned prot, int level)      other rights, same frame, dirty, young, special
 *   pte_t pte_mkclean pte_mkdirty pte_mkold pte_mkyoung pte_wrprotect pte_mkwrite pte_mkspecial (pte_t)
 *   pte_t pte_make_table(phys_addr_t table), pte_t *pte_table(pte_t)      next table, in the direct map
 *   pte_t pte_make_swap(unsigned type, u64 offset), unsigned pte_swap_type(pte_t), u64 pte_swap_offset(pte_t)
 *   PTE_SWAP_TYPES (count), PTE_SWAP_OFFSET_BITS
 *   PTE_NONE                                               constant
 */
#pragma once

#include <arch/page.h>

/* Rights and memory type, for pte_make and pte_modify. */
#define PTE_P_READ (1U << 0)
#define PTE_P_WRITE (1U << 1)
#define PTE_P_EXEC (1U << 2)
#define PTE_P_USER (1U << 3)
#define PTE_P_NOCACHE (1U << 4)		/* device memory */
#define PTE_P_WC (1U << 5)		/* write-combining */
#define PTE_P_GLOBAL (1U << 6)		/* kernel mapping, same in each space */
#define PTE_P_GUARDED (1U << 7)		/* jumps into it go where its code says that they may; see ARCH_PROT_GUARDED */
#define PTE_P_KERNEL (PTE_P_READ | PTE_P_WRITE | PTE_P_GLOBAL)
#define PTE_P_KERNEL_RO (PTE_P_READ | PTE_P_GLOBAL)
#define PTE_P_KERNEL_RX (PTE_P_READ | PTE_P_EXEC | PTE_P_GLOBAL)
#define PTE_P_KERNEL_IO (PTE_P_KERNEL | PTE_P_NOCACHE)

#include <arch_cpu/pgtable.h>

/* The bit of mmap(2)'s and mprotect(2)'s prot that asks for PTE_P_GUARDED; 0: this CPU has no such thing. */
#ifndef ARCH_PROT_GUARDED
#define ARCH_PROT_GUARDED 0UL
#endif

static inline pte_t ptep_read(const pte_t *p)
{
	return (pte_t){ __atomic_load_n(&p->v, __ATOMIC_RELAXED) };
}

/* Publishes an entry: what it points to (a zeroed page, a filled table) is visible before it. */
static inline void ptep_set(pte_t *p, pte_t e)
{
	__atomic_store_n(&p->v, e.v, __ATOMIC_RELEASE);
}

static inline pte_t ptep_xchg(pte_t *p, pte_t e)
{
	return (pte_t){ __atomic_exchange_n(&p->v, e.v, __ATOMIC_ACQ_REL) };
}

/* True when *P was OLD and is now NEW. */
static inline bool ptep_cmpxchg(pte_t *p, pte_t old, pte_t new)
{
	return __atomic_compare_exchange_n(&p->v, &old.v, new.v, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static inline pte_t ptep_clear(pte_t *p)
{
	return ptep_xchg(p, PTE_NONE);
}

static inline bool ptep_test_and_clear_young(pte_t *p)
{
	pte_t old = ptep_read(p);

	while (pte_present(old) && pte_young(old)) {
		if (ptep_cmpxchg(p, old, pte_mkold(old)))
			return true;
		old = ptep_read(p);
	}
	return false;
}

/* Takes the right to write away and keeps what the CPU wrote meanwhile; returns the entry as it was. */
static inline pte_t ptep_wrprotect(pte_t *p)
{
	pte_t old = ptep_read(p);

	while (!ptep_cmpxchg(p, old, pte_wrprotect(old)))
		old = ptep_read(p);
	return old;
}

static inline bool pte_same(pte_t a, pte_t b)
{
	return a.v == b.v;
}

/* The kernel's own root table. */
extern pte_t *kernel_pgd;

/* Fills the kernel half of a fresh root, once: kernel root entries exist from boot and never change. */
void arch_pt_copy_kernel(pte_t *root);

/* First root slot that belongs to the kernel: user tables are the slots below. */
#define PT_USER_ROOT_ENTRIES ARCH_PT_USER_ROOT_ENTRIES
/* First slot of kernel_pgd that the kernel may use: 0 where the kernel has a root of its own. */
#define PT_KERNEL_ROOT_FIRST ARCH_PT_KERNEL_ROOT_FIRST

/*
 * Maps [va, va + size) to pa in the kernel's tables with the largest leaves that alignment allows. Tables come from
 * the upcall pt_alloc_table. 0, -ENOMEM, -EEXIST. May sleep once
 * the scheduler runs. Callers own disjoint ranges; missing tables are installed by compare-and-swap.
 */
int arch_map_kernel(unsigned long va, phys_addr_t pa, size_t size, unsigned prot);
/* Clears the leaves of a range and flushes; tables stay. Splits no leaf: cut where arch_map_kernel joined. */
void arch_unmap_kernel(unsigned long va, size_t size);
/* Without the flush: arch_tlb_flush_kernel_range() comes before the memory or the range is used again. */
void arch_clear_kernel(unsigned long va, size_t size);
/* The entry that maps VA in the kernel's tables, or NULL; *LEVEL is where it stands. */
pte_t *arch_kernel_pte(unsigned long va, int *level);
/* Changes rights of mapped pages (W^X of modules and code), splitting leaves where needed. 0 or -ENOMEM. */
int arch_set_kernel_prot(unsigned long va, size_t size, unsigned prot);
/* An uncached window on device memory that lives for ever or until arch_iounmap. Usable early in boot. */
void __iomem *arch_ioremap(phys_addr_t pa, size_t size, unsigned prot);
void arch_iounmap(void __iomem *p, size_t size);
