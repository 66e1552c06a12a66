/* SPDX-License-Identifier: MIT */
/* What arch/shared/kernel_maps.h asks. */
#pragma once

#define KERNEL_LEAF_LEVEL 0		/* what a granularity hint joins is of no use here */
#define KERNEL_IMAGE_LEAF_LEVEL 0
#define EARLY_TABLES_LOW 0
#define EARLY_TABLES_HIGH memblock.limit
#define KERNEL_WINDOWS_START DEVICE_MAP_START	/* none */
#define KERNEL_WINDOWS_END DEVICE_MAP_START
#define kernel_maps_publish() do { } while (0)
#define kernel_maps_split(e, level) (-EBUSY)
/* Devices are seen through the superpage whatever kind of memory is wanted: their half of it is never cached. */
#define kernel_maps_device(pa, prot) ((void __iomem __force *)(DIRECT_MAP_START + (pa)))
