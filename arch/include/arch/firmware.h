/* SPDX-License-Identifier: MIT */
/* Where the firmware's tables are, and how to read them. */
#pragma once

#include <lib/types.h>

/* Physical address of ACPI's RSDP; 0: this machine has none (or none that is sound). */
phys_addr_t arch_acpi_rsdp(void);
/* LEN bytes of firmware data at PA, mapped read-only for ever; NULL when that cannot be. */
const void *arch_map_firmware(u64 pa, size_t len);

struct fdt;
/* The device tree that the machine was started with; NULL: it has none. */
const struct fdt *arch_fdt(void);
/* The irq of a device-tree node's I-th interrupt, masked as yet. -ENOENT (it names none), -EINVAL, -ENOSPC. */
int arch_fdt_irq(int node, unsigned int i);
