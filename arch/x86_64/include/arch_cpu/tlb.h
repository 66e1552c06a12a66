/* SPDX-License-Identifier: MIT */
/* What arch/shared/mm_tlb.c asks. */
#pragma once

#include <arch/irqflags.h>
#include <arch/mmu.h>
#include "arch/x86_64/x86_priv.h"

#define TLB_SLOTS 6
#define CR3_NOFLUSH (1ULL << 63)

static inline unsigned int tlb_nr_slots(void)
{
	return cpu_has(X86_FEATURE_PCID) ? TLB_SLOTS : 1;
}

static inline void tlb_load(const struct arch_mm *mm, unsigned int slot, bool flush)
{
	u64 cr3 = virt_to_phys(mm->pgd);

	if (cpu_has(X86_FEATURE_PCID))
		cr3 |= (slot + 1) | (flush ? 0 : CR3_NOFLUSH);
	write_cr3(cr3);
}

static inline void tlb_load_kernel(void)
{
	write_cr3(image_to_phys(kernel_pgd) | (cpu_has(X86_FEATURE_PCID) ? CR3_NOFLUSH : 0));
}

static inline void tlb_flush_slot(const struct arch_mm *mm, unsigned int slot)
{
	tlb_load(mm, slot, true);
}

static inline void tlb_flush_local_page(unsigned long va) { invlpg(va); }
static inline void tlb_flush_page(unsigned int slot, unsigned long va) { invlpg(va); }
static inline void tlb_flush_kernel_page(unsigned long va) { invlpg(va); }
static inline bool tlb_pages(unsigned int slot) { return true; }
static inline void tlb_switched(void) { }

static inline void tlb_flush_kernel(void)
{
	unsigned long flags = arch_irq_save(), cr4 = read_cr4();

	write_cr4(cr4 ^ CR4_PGE);	/* drops global entries and all PCIDs */
	write_cr4(cr4);
	if (!(cr4 & CR4_PGE))
		write_cr3(read_cr3() & ~CR3_NOFLUSH);
	arch_irq_restore(flags);
}
