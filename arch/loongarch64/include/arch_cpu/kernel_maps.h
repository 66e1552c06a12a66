/* SPDX-License-Identifier: MIT */
/* What arch/shared/kernel_maps.h asks. */
#pragma once

#define KERNEL_LEAF_LEVEL 0		/* tlb_refill knows base pages only */
#define KERNEL_IMAGE_LEAF_LEVEL 0
#define EARLY_TABLES_LOW 0
#define EARLY_TABLES_HIGH memblock.limit
#define KERNEL_WINDOWS_START FIXMAP_START
#define KERNEL_WINDOWS_END FIXMAP_END
#define kernel_maps_publish() do { } while (0)
#define kernel_maps_split(e, level) (-EBUSY)
/* Devices are seen through the CPU's window for them. */
#define kernel_maps_device(pa, prot) ((prot) == PTE_P_KERNEL_IO ? (void __iomem *)(DEVICE_MAP_START + (pa)) : NULL)
