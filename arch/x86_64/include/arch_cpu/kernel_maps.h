/* SPDX-License-Identifier: MIT */
/* What arch/shared/kernel_maps.h asks. */
#pragma once

#define KERNEL_LEAF_LEVEL (pte_has_1g ? 2 : 1)
#define KERNEL_IMAGE_LEAF_LEVEL KERNEL_LEAF_LEVEL	/* leaves are split where rights differ */
#define EARLY_TABLES_LOW 0
#define EARLY_TABLES_HIGH (1ULL << 30)
#define KERNEL_WINDOWS_START (FIXMAP_START + 0x3000000)	/* above the stacks of NR_CPUS CPUs: IST_AREA */
#define KERNEL_WINDOWS_END (FIXMAP_END - 0x20000)
#define kernel_maps_publish() do { } while (0)
#define kernel_maps_device(pa, prot) NULL
int kernel_maps_split(pte_t *e, int level);
