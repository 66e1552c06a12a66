/* SPDX-License-Identifier: MIT */
/* What arch/shared/kernel_maps.h asks. */
#pragma once

extern u32 rv_map_gen;		/* see kernel_pgtable.c */

#define KERNEL_LEAF_LEVEL (ARCH_PT_LEVELS > 3 ? 2 : 1)		/* no leaf in the root */
#define KERNEL_IMAGE_LEAF_LEVEL 0				/* no large leaf is ever split */
#define EARLY_TABLES_LOW (image_to_phys(_text) & ~((1ULL << 30) - 1))
#define EARLY_TABLES_HIGH (EARLY_TABLES_LOW + (1ULL << 30))
#define TEXT_POKE_VA (FIXMAP_END - 16 * PAGE_SIZE)
#define KERNEL_WINDOWS_START FIXMAP_START
#define KERNEL_WINDOWS_END TEXT_POKE_VA
#define kernel_maps_split(e, level) (-EBUSY)
#define kernel_maps_device(pa, prot) NULL

static inline void kernel_maps_publish(void)
{
	__atomic_fetch_add(&rv_map_gen, 1, __ATOMIC_RELEASE);	/* pairs with arch_switch_to's acquire */
	__asm__ volatile("sfence.vma" : : : "memory");
}
