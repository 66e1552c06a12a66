// SPDX-License-Identifier: MIT
/*
 * The first page tables, made and loaded while the code runs at physical addresses: nothing here may use an address that the linker
 * wrote into memory (no tables of pointers, no switch). The deepest tables that the CPU has are taken: a write of satp with a
 * mode that it lacks changes nothing.
 *
 * early_top is the level-2 table of the top 512 GiB: Sv39's root, else reached through early_level3 (Sv48's root), that from early_level4.
 */
#include <arch/kasan.h>
#include <arch/page.h>
#include <arch/pgtable.h>
#include <arch_cpu/image.h>
#include <kernel/init.h>
#include "arch/riscv64/rv_priv.h"

unsigned int rv_pt_levels __ro_after_init = 3;
unsigned long rv_task_size __ro_after_init, rv_direct_map __ro_after_init, rv_direct_size __ro_after_init, rv_vmemmap __ro_after_init;
u64 kernel_image_pa __ro_after_init;

#define EARLY_TABLE __section(".bss..page_aligned") __aligned(1UL << PAGE_SHIFT)
static pte_t early_level4[PT_ENTRIES] EARLY_TABLE, early_level3[PT_ENTRIES] EARLY_TABLE, early_top[PT_ENTRIES] EARLY_TABLE;
static pte_t early_image[2 * PT_ENTRIES] EARLY_TABLE;
static pte_t early_direct[PT_ENTRIES] EARLY_TABLE;
/* For the image at another place, page by page. */
static pte_t early_pages[(IMAGE_MAX >> 21) + 1][PT_ENTRIES] __section(".init.pgtables") __aligned(1UL << PAGE_SHIFT);
extern char _end[];

/* Sv39's room for RAM ends where the sanitizer's shadow begins, else where vmalloc does. */
#ifdef CONFIG_KASAN
#define SV39_DIRECT_SIZE (96UL << 30)
#else
#define SV39_DIRECT_SIZE (128UL << 30)
#endif

#define GIB_SHIFT 30
#define SV39_DIRECT_GIBS (SV39_DIRECT_SIZE >> GIB_SHIFT)

#define LEAF (RV_PTE_V | RV_PTE_R | RV_PTE_W | RV_PTE_A | RV_PTE_D)

static u64 __init leaf(u64 pa, u64 flags)
{
	return pa >> PAGE_SHIFT << RV_PTE_PPN_SHIFT | LEAF | flags;
}

static u64 __init table(const pte_t *t)
{
	return (u64)t >> PAGE_SHIFT << RV_PTE_PPN_SHIFT | RV_PTE_V;
}

/* The GiB around PA in the direct map of so MANY: entry of TABLE counted from FIRST. */
static void __init map_gib(pte_t *t, unsigned int first, unsigned int many, u64 pa)
{
	u64 n = pa >> GIB_SHIFT;

	if (n < many)
		t[first + n].v = leaf(n << GIB_SHIFT, 0);
}

static bool __init try_mode(unsigned long mode, const pte_t *root)
{
	unsigned long satp = mode << SATP_MODE_SHIFT | (u64)root >> PAGE_SHIFT;

	__asm__ volatile("sfence.vma; csrw satp, %0; sfence.vma" : : "r"(satp) : "memory");
	return csr_read(satp) == satp;
}

static void __init deep(unsigned int levels)
{
	rv_pt_levels = levels;
	rv_task_size = 1UL << 47;
	rv_direct_map = 0xffff800000000000UL;
	rv_direct_size = 1UL << 45;
	rv_vmemmap = 0xffffc00000000000UL;
}

#ifdef CONFIG_KASAN
static pte_t early_shadow_2[PT_ENTRIES] EARLY_TABLE, early_shadow_1[PT_ENTRIES] EARLY_TABLE, early_shadow_0[PT_ENTRIES] EARLY_TABLE;
static char early_shadow[1UL << PAGE_SHIFT] EARLY_TABLE;

/* The sanitizer's shadow, until the kernel has tables of its own: one page for all, which functions scribble on. */
static void __init map_shadow(void)
{
	unsigned int end = pt_index(KASAN_SHADOW_END, 2);

	for (unsigned int i = 0; i < PT_ENTRIES; i++) {
		early_shadow_0[i].v = leaf((u64)early_shadow, 0);
		early_shadow_1[i].v = table(early_shadow_0);
		early_shadow_2[i].v = table(early_shadow_1);
	}
	for (unsigned int i = end - 32; i < end; i++)		/* of the top 256 GiB */
		early_top[i].v = table(early_shadow_1);
	for (unsigned int i = pt_index((0xffff800000000000UL >> 3) + KASAN_SHADOW_OFFSET, 3); i < PT_ENTRIES - 1; i++)
		early_level3[i].v = table(early_shadow_2);
}
#else
static void __init map_shadow(void) { }
#endif

void __init rv_early_tables(phys_addr_t fdt)
{
	u64 pa = kernel_image_pa, end = (u64)_end;

	for (u64 i = 0; pa + (i << 21) < end; i++)
		early_image[i].v = leaf(pa + (i << 21), RV_PTE_X);
	early_top[PT_ENTRIES - 2].v = table(early_image);	/* KERNEL_IMAGE_VA: 2 GiB below the end */
	early_top[PT_ENTRIES - 1].v = table(early_image + PT_ENTRIES);

	map_shadow();
	map_gib(early_direct, 0, PT_ENTRIES, pa);
	map_gib(early_direct, 0, PT_ENTRIES, fdt);
	early_level3[0x100].v = table(early_direct);
	early_level3[PT_ENTRIES - 1].v = table(early_top);
	early_level3[pa >> 39 & 0xff].v = leaf(pa >> 39 << 39, RV_PTE_X);
	early_level4[PT_ENTRIES - 1].v = table(early_level3);
	early_level4[0].v = leaf(0, RV_PTE_X);
	deep(5);
	if (try_mode(SATP_SV39 + 2, early_level4))
		return;
	rv_pt_levels = 4;
	if (try_mode(SATP_SV39 + 1, early_level3))
		return;

	rv_pt_levels = 3;
	rv_task_size = 1UL << 38;
	rv_direct_map = 0xffffffc000000000UL;
	rv_direct_size = SV39_DIRECT_SIZE;
	rv_vmemmap = 0xfffffff000000000UL;
	map_gib(early_top, 0x100, SV39_DIRECT_GIBS, pa);
	map_gib(early_top, 0x100, SV39_DIRECT_GIBS, fdt);
	early_top[pa >> GIB_SHIFT & 0xff].v = leaf(pa >> GIB_SHIFT << GIB_SHIFT, RV_PTE_X);
	if (try_mode(SATP_SV39, early_top))
		return;
	for (;;)
		__asm__ volatile("wfi");
}

void __init rv_early_image(unsigned long va)
{
	unsigned long first = (va - KERNEL_IMAGE_VA) >> 21, pa = image_to_phys(_text);

	for (; pa < image_to_phys(_end); pa += PAGE_SIZE, va += PAGE_SIZE) {
		unsigned long piece = (va - KERNEL_IMAGE_VA) >> 21;

		early_image[piece] = pte_make_table(image_to_phys(early_pages[piece - first]));
		early_pages[piece - first][pt_index(va, 0)].v = leaf(pa, RV_PTE_X);
	}
	__asm__ volatile("sfence.vma" : : : "memory");
}

/* The table and slot of the early direct map that a device's window is put into (kernel_console.c). */
pte_t *__init rv_early_gib(phys_addr_t pa)
{
	u64 n = pa >> GIB_SHIFT;

	if (n >= (rv_pt_levels == 3 ? SV39_DIRECT_GIBS : PT_ENTRIES))
		return NULL;
	return rv_pt_levels == 3 ? &early_top[0x100 + n] : &early_direct[n];
}
