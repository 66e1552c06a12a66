/* SPDX-License-Identifier: MIT */
/* What arch/shared/mm_tlb.c asks. */
#pragma once

#include <arch/mmu.h>
#include "arch/riscv64/rv_priv.h"

struct cpumask;

#define TLB_SLOTS 6
#define TLB_FIRMWARE

/* ASID 0 is the kernel's own, and everybody's where there are too few. */
static inline unsigned int tlb_nr_slots(void)
{
	return rv_nr_asids > TLB_SLOTS ? TLB_SLOTS : 1;
}

static inline unsigned long tlb_asid(unsigned int slot)
{
	return rv_nr_asids > TLB_SLOTS ? slot + 1 : 0;
}

static inline void tlb_flush_kernel(void)
{
	__asm__ volatile("sfence.vma" : : : "memory");
}

static inline void tlb_flush_slot(const struct arch_mm *mm, unsigned int slot)
{
	unsigned long asid = tlb_asid(slot);

	if (asid)
		__asm__ volatile("sfence.vma x0, %0" : : "r"(asid) : "memory");
	else
		tlb_flush_kernel();
}

static inline void tlb_load(const struct arch_mm *mm, unsigned int slot, bool flush)
{
	csr_write(satp, rv_make_satp(virt_to_phys(mm->pgd), tlb_asid(slot)));
	if (flush || !tlb_asid(slot))
		tlb_flush_slot(mm, slot);
}

static inline void tlb_load_kernel(void)
{
	csr_write(satp, rv_make_satp(image_to_phys(kernel_root), 0));
	if (!tlb_asid(0))
		tlb_flush_kernel();
}

static inline bool tlb_pages(unsigned int slot)
{
	return tlb_asid(slot);
}

static inline void tlb_flush_page(unsigned int slot, unsigned long va)
{
	__asm__ volatile("sfence.vma %0, %1" : : "r"(va), "r"(tlb_asid(slot)) : "memory");
}

static inline void tlb_flush_kernel_page(unsigned long va)
{
	__asm__ volatile("sfence.vma %0, x0" : : "r"(va) : "memory");
}

static inline void tlb_flush_local_page(unsigned long va)
{
	tlb_flush_kernel_page(va);
}

static inline void tlb_flush_others(const struct cpumask *targets, unsigned long start, unsigned long end, bool everything)
{
	rv_sbi_sfence(targets, everything ? 0 : start, everything ? ~0UL : end - start);
}

/* mm_icache.c: instructions are fetched anew where the CPU lags behind. */
void tlb_switched(void);
