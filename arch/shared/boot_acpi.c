// SPDX-License-Identifier: MIT
/* ACPI's tables, where firmware gave them. They need not lie in RAM that is mapped: their pages join the direct map, read-only. */
#include <boot/info.h>
#include <arch/firmware.h>
#include <arch/pgtable.h>

phys_addr_t arch_acpi_rsdp(void)
{
	return boot_info.rsdp;
}

const void *arch_map_firmware(u64 pa, size_t len)
{
	for (u64 at = pa & PAGE_MASK; at < pa + len; at += PAGE_SIZE) {
		unsigned long va = (unsigned long)phys_to_virt(at);

		if (at >= 1ULL << 46)
			return NULL;
		if (!arch_kernel_pte(va, NULL) && arch_map_kernel(va, at, PAGE_SIZE, PTE_P_KERNEL_RO))
			return NULL;
	}
	return phys_to_virt(pa);
}
