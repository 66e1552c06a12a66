// SPDX-License-Identifier: MIT
/*
 * The kernel's own page tables. x86_build_kernel_tables makes them once, from the memory map: the direct map of RAM (never
 * executable), the image by the rights of its sections, and the root slots of vmalloc and of the struct page array,
 * so that root entries never change afterwards and every address space can share them by copy.
 */
#include <arch/pgtable.h>
#include <arch/kasan.h>
#include <arch/mmu.h>
#include <abi/errno.h>
#include <kernel/bug.h>
#include <lib/memblock.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include "arch/shared/kasan_init.h"
#include "arch/shared/kernel_maps.h"
#include "arch/x86_64/x86_priv.h"

unsigned long page_offset_base __ro_after_init = DIRECT_MAP_DEFAULT;
unsigned long kernel_image_delta __ro_after_init = KERNEL_IMAGE_VA;
static pte_t root_page[PT_ENTRIES] __section(".bss..page_aligned") __aligned(PAGE_SIZE);
pte_t *kernel_pgd __ro_after_init = root_page;

/* Replaces a large leaf by a table of smaller ones with the same rights. */
int kernel_maps_split(pte_t *e, int level)
{
	pte_t old = ptep_read(e);
	u64 flags = old.v & ~X86_PTE_FRAME;
	u64 frame = old.v & X86_PTE_FRAME & ~(pt_span(level) - 1);
	pte_t *t = kernel_maps_new_table();

	if (!t)
		return -ENOMEM;
	if (level == 1)
		flags &= ~X86_PTE_PS;
	for (unsigned int i = 0; i < PT_ENTRIES; i++)
		t[i].v = (frame + i * pt_span(level - 1)) | flags;
	ptep_set(e, pte_make_table(kaddr_to_phys(t)));
	return 0;
}

void arch_pt_copy_kernel(pte_t *root)
{
	memcpy(root + PT_USER_ROOT_ENTRIES, kernel_pgd + PT_USER_ROOT_ENTRIES,
	       (PT_ENTRIES - PT_USER_ROOT_ENTRIES) * sizeof(pte_t));
}

/* RAM by its ranges; the legacy MiB, holes and ROMs included, is one piece. */
static void __init map_ram(void)
{
	phys_addr_t done = 0;

	for (unsigned int i = 0; i < memblock.memory.nr; i++) {
		phys_addr_t s = memblock.memory.r[i].start, e = memblock.memory.r[i].end;

		if (s < 0x100000)
			s = 0;
		if (s == 0x100000 || e < 0x100000) {	/* joined to the MiB below */
			s = 0;
			e = max(e, (phys_addr_t)0x100000);
			if (i + 1 < memblock.memory.nr && memblock.memory.r[i + 1].start <= 0x100000)
				continue;
		}
		s = max(s, done);
		if (s < e)
			kernel_maps_must(arch_map_kernel((unsigned long)phys_to_virt(s), s, e - s, PTE_P_KERNEL), "RAM");
		done = max(done, e);
	}
}

void __init x86_build_kernel_tables(void)
{
	unsigned long text_alias;

	map_ram();
	kernel_maps_reserve(VMALLOC_START, VMALLOC_START + 1);
	kernel_maps_reserve(VMEMMAP_START, VMEMMAP_START + 1);
	kernel_maps_image();
	kasan_init_tables();
	write_cr3(image_to_phys(kernel_pgd));
	kernel_maps_in_use();
	/* Text and constants are read-only through the direct map too. */
	text_alias = (unsigned long)phys_to_virt(image_to_phys(_text));
	kernel_maps_must(arch_set_kernel_prot(text_alias, (size_t)(__end_rodata - _text), PTE_P_KERNEL_RO), "alias");
}

static_assert(IST_AREA(NR_CPUS) <= KERNEL_WINDOWS_START, "the stacks of all CPUs fit");

/* The IST stacks of CPU, with the unmapped page below each. */
void x86_map_ist(unsigned int cpu)
{
	for (unsigned int i = IST_DF; i < IST_COUNT; i++) {
		phys_addr_t pa = memblock_alloc_phys(IST_STACK_SIZE, PAGE_SIZE);

		if (!pa)
			panic("boot: no memory for CPU %u's stacks", cpu);
		kernel_maps_must(arch_map_kernel(IST_TOP(cpu, i) - IST_STACK_SIZE, pa, IST_STACK_SIZE, PTE_P_KERNEL), "stacks");
	}
	kernel_maps_must(arch_kasan_populate(IST_AREA(cpu), IST_AREA(cpu + 1) - IST_AREA(cpu)), "the stacks' shadow");
}
