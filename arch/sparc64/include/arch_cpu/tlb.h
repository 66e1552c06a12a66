/* SPDX-License-Identifier: MIT */
/* What arch/shared/mm_tlb.c asks. Context 0 is the kernel's; a space that is loaded has the secondary one. */
#pragma once

#include <arch/mmu.h>
#include "arch/sparc64/sparc_priv.h"

#define TLB_SLOTS 64		/* of 8191; the TLB has as many entries */

/* WHERE: an address, and what of it (DEMAP_). */
static inline void tlb_demap(unsigned long where)
{
	asi_write(0, ASI_DTLB_DEMAP, where);
	asi_write(0, ASI_ITLB_DEMAP, where);
}

static inline void tlb_load_root(phys_addr_t root, u64 context)
{
	trap_block.user_root = root;
	trap_block.context = context;
	asi_write(context, ASI_DMMU, MMU_SECONDARY);
}

static inline unsigned int tlb_nr_slots(void) { return TLB_SLOTS; }
static inline bool tlb_pages(unsigned int slot) { return true; }
static inline void tlb_switched(void) { }

static inline void tlb_flush_slot(const struct arch_mm *mm, unsigned int slot) { tlb_demap(DEMAP_CONTEXT | DEMAP_SECONDARY); }

static inline void tlb_load(const struct arch_mm *mm, unsigned int slot, bool flush)
{
	tlb_load_root(virt_to_phys(mm->pgd), slot + 1);
	if (flush)
		tlb_flush_slot(mm, slot);
}

static inline void tlb_load_kernel(void) { tlb_load_root(image_to_phys(empty_root), 0); }

static inline void tlb_flush_local_page(unsigned long va) { tlb_demap((va & PAGE_MASK) | DEMAP_SECONDARY); }
static inline void tlb_flush_page(unsigned int slot, unsigned long va) { tlb_flush_local_page(va); }
static inline void tlb_flush_kernel_page(unsigned long va) { tlb_demap(va | DEMAP_NUCLEUS); }
/* A demap of the context would take the locked entry of the miss handlers too, which is the last. */
static inline void tlb_flush_kernel(void)
{
	asi_write(0, ASI_DTLB_DEMAP, DEMAP_CONTEXT | DEMAP_NUCLEUS);
	for (unsigned long i = 0; i < TLB_ENTRIES - 1; i++)
		asi_write(0, ASI_ITLB_ENTRY, i * 8);
}
