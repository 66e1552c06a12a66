/* SPDX-License-Identifier: MIT */
/*
 * What arch/shared/mm_tlb.c asks. Address-space numbers are not used (QEMU's PALcode has none): each change of tables drops what is not the same
 * in all spaces.
 */
#pragma once

#include <arch/mmu.h>
#include "arch/alpha/alpha_priv.h"

#define TLB_SLOTS 1

static inline unsigned int tlb_nr_slots(void) { return 1; }
static inline bool tlb_pages(unsigned int slot) { return true; }
static inline void tlb_switched(void) { }

static inline void tlb_load(const struct arch_mm *mm, unsigned int slot, bool flush) { alpha_load_root(mm->pgd); }
static inline void tlb_load_kernel(void) { alpha_load_root(kernel_root); }

static inline void tlb_flush_slot(const struct arch_mm *mm, unsigned int slot) { pal_tbi(TBI_SPACE, 0); }
static inline void tlb_flush_page(unsigned int slot, unsigned long va) { pal_tbi(TBI_PAGE, va); }
static inline void tlb_flush_local_page(unsigned long va) { pal_tbi(TBI_PAGE, va); }
static inline void tlb_flush_kernel_page(unsigned long va) { pal_tbi(TBI_PAGE, va); }
static inline void tlb_flush_kernel(void) { pal_tbi(TBI_ALL, 0); }
