// SPDX-License-Identifier: MIT
/*
 * The kernel's own page tables: the image by the rights of its sections, vmalloc, the page array. RAM needs none (the miss handler knows
 * the direct map), devices are reached by physical address. The kernel is context 0 with a root of its own: address spaces share nothing.
 */
#include <arch/pgtable.h>
#include <arch/mmu.h>
#include <kernel/init.h>
#include "arch/shared/kernel_maps.h"
#include "arch/sparc64/sparc_priv.h"

pte_t *kernel_pgd __ro_after_init = kernel_root;

/* The kernel's root is in the trap block. */
void arch_pt_copy_kernel(pte_t *root)
{
}

void __init sparc_build_kernel_tables(void)
{
	kernel_maps_image();
	sparc_empty_tlbs();
	kernel_maps_in_use();
}
