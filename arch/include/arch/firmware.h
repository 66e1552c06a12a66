/* SPDX-License-Identifier: MIT */
/* Where the firmware's tables are, and how to read them. */
#pragma once

#include <lib/types.h>

/* Physical address of ACPI's RSDP; 0: this machine has none (or none that is sound). */
phys_addr_t arch_acpi_rsdp(void);
/* LEN bytes of firmware data at PA, mapped read-only for ever; NULL when that cannot be. */
const void *arch_map_firmware(u64 pa, size_t len);
