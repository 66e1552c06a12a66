/* SPDX-License-Identifier: MIT */
/*
 * The kernel's own page tables. arch_cpu/kernel_maps.h gives
 *   KERNEL_LEAF_LEVEL, KERNEL_IMAGE_LEAF_LEVEL: the largest leaf, 0 a page, for RAM and devices and for the image, whose rights change later;
 *   EARLY_TABLES_LOW, EARLY_TABLES_HIGH: the part of RAM that the first tables map, where the others are made;
 *   KERNEL_WINDOWS_START, KERNEL_WINDOWS_END: where devices are mapped;
 *   kernel_maps_publish(): what lets a CPU see an entry that was not there;
 *   kernel_maps_split(e, level): a large leaf becomes a table of smaller ones, 0, or -EBUSY where that may not be done;
 *   kernel_maps_device(pa, prot): where that is seen without a mapping, or NULL.
 */
#pragma once

#include <arch/pgtable.h>
#include <arch_cpu/kernel_maps.h>

/* A zeroed page for a table. NULL: no memory. */
pte_t *kernel_maps_new_table(void);
/* From now on the page allocator brings tables: all that it may hand out is mapped. */
void kernel_maps_in_use(void);
/* The leaf that maps VA below ROOT, its level in *LEVEL where that is not NULL; NULL: none. */
pte_t *kernel_maps_walk(pte_t *root, unsigned long va, int *level);

/* At boot; they panic where memory does not do. */
void kernel_maps_must(int err, const char *what);
/* All RAM in the direct map; text and constants of the image are read-only there too. */
void kernel_maps_ram(void);
void kernel_maps_image(void);
/* The tables right below the root for [FROM, TO). */
void kernel_maps_reserve(unsigned long from, unsigned long to);
