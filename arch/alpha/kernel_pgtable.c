// SPDX-License-Identifier: MIT
/*
 * The kernel's own page tables: vmalloc and the page array. RAM, the image and devices need none, the superpage shows them, with all rights and for
 * ever: what is to be read-only or gone after boot stays. One root holds both halves: the kernel's entries are made at boot and copied
 * into each space.
 */
#include <arch/pgtable.h>
#include <arch/mmu.h>
#include <kernel/init.h>
#include <lib/string.h>
#include "arch/shared/kernel_maps.h"
#include "arch/alpha/alpha_priv.h"

pte_t *kernel_pgd __ro_after_init = kernel_root;

/* Entries that exist from boot on. */
void arch_pt_copy_kernel(pte_t *root)
{
	memcpy(root + ARCH_PT_KERNEL_ROOT_FIRST, kernel_root + ARCH_PT_KERNEL_ROOT_FIRST,
	       (PT_ENTRIES - ARCH_PT_KERNEL_ROOT_FIRST) * sizeof(pte_t));
}

void __init alpha_build_kernel_tables(void)
{
	kernel_maps_reserve(VMALLOC_START, VMALLOC_END);
	kernel_maps_reserve(VMEMMAP_START, VMEMMAP_END);
	kernel_maps_in_use();
}
