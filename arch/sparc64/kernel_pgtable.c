// SPDX-License-Identifier: MIT
/*
 * The kernel's own page tables: the image by the rights of its sections, vmalloc, the page array. RAM needs none (the miss handler knows
 * the direct map), devices are reached by physical address. The kernel is context 0 with a root of its own: address spaces share nothing.
 */
#include <arch/pgtable.h>
#include <arch/irqflags.h>
#include <arch/mmu.h>
#include <kernel/init.h>
#include "arch/shared/kernel_maps.h"
#include "arch/sparc64/sparc_priv.h"

pte_t *kernel_pgd __ro_after_init = kernel_root;

/* The kernel's root is in the trap block. */
void arch_pt_copy_kernel(pte_t *root)
{
}

/*
 * The miss handlers themselves may not miss: one locked entry of 64 KiB shows the trap table and the code that it branches to, to be executed
 * alone. All other entries go.
 */
static void __init empty_tlbs(void)
{
	unsigned long flags = arch_irq_save(), va = (unsigned long)trap_table & ~0xffffUL;

	asi_write(va, ASI_IMMU, MMU_TAG);
	asi_write(TTE_VALID | TTE_64K | va | TTE_LOCKED | TTE_CACHED | TTE_PRIV, ASI_ITLB_ENTRY, (TLB_ENTRIES - 1) * 8);
	for (unsigned long i = 0; i < TLB_ENTRIES; i++) {
		asi_write(0, ASI_DTLB_ENTRY, i * 8);
		if (i < TLB_ENTRIES - 1)
			asi_write(0, ASI_ITLB_ENTRY, i * 8);
	}
	arch_irq_restore(flags);
}

void __init sparc_build_kernel_tables(void)
{
	kernel_maps_image();
	empty_tlbs();
	kernel_maps_in_use();
}
