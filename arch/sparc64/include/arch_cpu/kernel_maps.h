/* SPDX-License-Identifier: MIT */
/* What arch/shared/kernel_maps.h asks. */
#pragma once

#define KERNEL_LEAF_LEVEL 0		/* the miss handlers know base pages only */
#define KERNEL_IMAGE_LEAF_LEVEL 0
#define EARLY_TABLES_LOW 0
#define EARLY_TABLES_HIGH memblock.limit
#define KERNEL_WINDOWS_START DIRECT_MAP_START	/* none */
#define KERNEL_WINDOWS_END DIRECT_MAP_START
#define kernel_maps_publish() do { } while (0)
#define kernel_maps_split(e, level) (-EBUSY)
/* Devices are reached by physical address (<arch_cpu/io.h>). */
#define kernel_maps_device(pa, prot) ((void __iomem *)(pa))
