/* SPDX-License-Identifier: MIT */
/* What arch/shared/mm_tlb.c asks. */
#pragma once

#include <arch/mmu.h>
#include "arch/loongarch64/la64_priv.h"

#define TLB_SLOTS 64		/* of 1023; ASID 0 is the empty space's */
#define INV_ALL_GLOBAL 2
#define INV_ASID 4
#define INV_ASID_PAGE 5
#define INV_GLOBAL_PAGE 6

static inline unsigned int tlb_nr_slots(void) { return TLB_SLOTS; }
static inline bool tlb_pages(unsigned int slot) { return true; }
static inline void tlb_switched(void) { }

static inline void tlb_flush_slot(const struct arch_mm *mm, unsigned int slot)
{
	__asm__ volatile("invtlb %0, %1, $zero" : : "i"(INV_ASID), "r"((u64)slot + 1) : "memory");
}

static inline void tlb_load(const struct arch_mm *mm, unsigned int slot, bool flush)
{
	csr_write(slot + 1, CSR_ASID);
	csr_write(virt_to_phys(mm->pgd), CSR_PGDL);
	if (flush)
		tlb_flush_slot(mm, slot);
}

static inline void tlb_load_kernel(void)
{
	csr_write(0, CSR_ASID);
	csr_write(image_to_phys(empty_root), CSR_PGDL);
}

static inline void tlb_flush_page(unsigned int slot, unsigned long va)
{
	__asm__ volatile("invtlb %0, %1, %2" : : "i"(INV_ASID_PAGE), "r"((u64)slot + 1), "r"(va) : "memory");
}

static inline void tlb_flush_local_page(unsigned long va)
{
	__asm__ volatile("invtlb %0, %1, %2" : : "i"(INV_ASID_PAGE), "r"(csr_read(CSR_ASID) & 0x3ff), "r"(va) : "memory");
}

static inline void tlb_flush_kernel_page(unsigned long va)
{
	__asm__ volatile("invtlb %0, $zero, %1" : : "i"(INV_GLOBAL_PAGE), "r"(va) : "memory");
}

static inline void tlb_flush_kernel(void)
{
	__asm__ volatile("invtlb %0, $zero, $zero" : : "i"(INV_ALL_GLOBAL) : "memory");
}
