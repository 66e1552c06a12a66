/* SPDX-License-Identifier: MIT */
/* What arch/shared/kernel_maps.h asks. */
#pragma once

/* A live large leaf is never replaced by a table: that needs break-before-make (Arm ARM, D8.16.1), which would unmap what the CPU may be running on. */
#define KERNEL_LEAF_LEVEL 2
#define KERNEL_IMAGE_LEAF_LEVEL 0
#define EARLY_TABLES_LOW (image_to_phys(_text) & ~((1ULL << 30) - 1))
#define EARLY_TABLES_HIGH (EARLY_TABLES_LOW + (1ULL << 30))
#define TEXT_POKE_VA (FIXMAP_END - 16 * PAGE_SIZE)
#define KERNEL_WINDOWS_START FIXMAP_START
#define KERNEL_WINDOWS_END TEXT_POKE_VA
#define kernel_maps_split(e, level) (-EBUSY)
#define kernel_maps_device(pa, prot) NULL

/* The walker of this CPU sees the new entries before the next access. */
static inline void kernel_maps_publish(void)
{
	__asm__ volatile("dsb ishst; isb" : : : "memory");
}
