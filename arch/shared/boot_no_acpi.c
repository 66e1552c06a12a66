// SPDX-License-Identifier: MIT
/* ACPI's tables are not read on this CPU. */
#include <arch/firmware.h>

phys_addr_t arch_acpi_rsdp(void)
{
	return 0;
}

const void *arch_map_firmware(u64 pa, size_t len)
{
	return NULL;
}
