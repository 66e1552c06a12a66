// SPDX-License-Identifier: MIT
/*
 * The kernel's own page tables. All roots share the kernel's half: its entries exist from boot on and never change, so the tables below them are
 * made for all that the kernel will ever map.
 *
 * A CPU may remember that an entry was not there. New mappings raise rv_map_gen, and a CPU that switches tasks and lags behind
 * forgets what it knew (sched_switch.c): so stacks, which nobody could fault on, are safe. Everything else faults and is
 * found good (mm_fault.c).
 */
#include <arch/pgtable.h>
#include <arch/mmu.h>
#include <lib/string.h>
#include <kernel/init.h>
#include "arch/shared/kasan_init.h"
#include "arch/shared/kernel_maps.h"
#include "arch/riscv64/rv_priv.h"

pte_t *kernel_pgd __ro_after_init = kernel_root;
u32 rv_map_gen;
u64 rv_pte_nc __ro_after_init, rv_pte_io __ro_after_init;
unsigned long rv_secondary_satp[2] __ro_after_init;	/* what another CPU loads before and after its jump to the linked addresses */

#define ROOT (ARCH_PT_LEVELS - 1)

/* The root's slots in use, so that a new space need not copy all 256. */
static u16 root_slots[PT_ENTRIES - PT_KERNEL_ROOT_FIRST] __ro_after_init;
static unsigned int nr_root_slots __ro_after_init;

void arch_pt_copy_kernel(pte_t *root)
{
	for (unsigned int i = 0; i < nr_root_slots; i++)
		root[root_slots[i]] = kernel_root[root_slots[i]];
}

/* Where another CPU's first instructions lie, at the address that they lie at. */
static void __init make_idmap(void)
{
	unsigned long at = image_to_phys(_text) & ~(pt_span(ROOT) - 1);

	memcpy(idmap_root, kernel_root, PAGE_SIZE);
	idmap_root[pt_index(at, ROOT)] = pte_make(PFN_DOWN(at), PTE_P_READ | PTE_P_EXEC, ROOT);
	rv_secondary_satp[0] = rv_make_satp(image_to_phys(idmap_root), 0);
	rv_secondary_satp[1] = rv_make_satp(image_to_phys(kernel_root), 0);
}

void __init rv_build_kernel_tables(void)
{
	kernel_maps_ram();
	kernel_maps_image();
	kernel_maps_reserve(VMALLOC_START, VMALLOC_END);
	kernel_maps_reserve(VMEMMAP_START, VMEMMAP_START + rv_direct_size / PAGE_SIZE * 64);	/* a struct page has 64 bytes */
	kernel_maps_reserve(FIXMAP_START, FIXMAP_END);
	kernel_maps_reserve(MODULES_START, MODULES_END);
	kasan_init_tables();
	for (unsigned int i = PT_KERNEL_ROOT_FIRST; i < PT_ENTRIES; i++)
		if (!pte_none(kernel_root[i]))
			root_slots[nr_root_slots++] = (u16)i;
	make_idmap();
	csr_write(satp, rv_make_satp(image_to_phys(kernel_root), 0));
	__asm__ volatile("sfence.vma" : : : "memory");
	kernel_maps_in_use();
}
