// SPDX-License-Identifier: MIT
/*
 * The kernel's own page tables: the image, vmalloc, the page array. RAM and devices need none, a window of the CPU shows them. The kernel has a
 * root of its own (PGDH), so address spaces share nothing by copy.
 */
#include <arch/pgtable.h>
#include <arch/mmu.h>
#include <kernel/init.h>
#include "arch/shared/kasan_init.h"
#include "arch/shared/kernel_maps.h"
#include "arch/loongarch64/la64_priv.h"

pte_t *kernel_pgd __ro_after_init = kernel_root;

/* The kernel's root is in its own register. */
void arch_pt_copy_kernel(pte_t *root)
{
}

void __init la64_build_kernel_tables(void)
{
	kernel_maps_image();
	kasan_init_tables();
	csr_write(image_to_phys(kernel_root), CSR_PGDH);
	__asm__ volatile("invtlb 0, $zero, $zero" : : : "memory");
	kernel_maps_in_use();
}
