// SPDX-License-Identifier: MIT
/* The kernel's own page tables. It has a root of its own (TTBR1), so address spaces share nothing by copy. */
#include <arch/pgtable.h>
#include <arch/mmu.h>
#include <kernel/init.h>
#include "arch/shared/kasan_init.h"
#include "arch/shared/kernel_maps.h"
#include "arch/aarch64/a64_priv.h"

pte_t *kernel_pgd __ro_after_init = kernel_root;

/* The kernel's root is in its own register. */
void arch_pt_copy_kernel(pte_t *root)
{
}

void __init a64_build_kernel_tables(void)
{
	kernel_maps_ram();
	kernel_maps_image();
	kasan_init_tables();
	__asm__ volatile("dsb ishst" : : : "memory");
	write_sysreg(image_to_phys(empty_root), ttbr0_el1);
	write_sysreg(image_to_phys(kernel_root), ttbr1_el1);
	isb();
	__asm__ volatile("tlbi vmalle1; dsb nsh; isb" : : : "memory");
	kernel_maps_in_use();
}
