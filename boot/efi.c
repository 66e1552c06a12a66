// SPDX-License-Identifier: MIT
/* From the EFI stub's hand-off to struct boot_info. The firmware's memory map is the truth about RAM. */
#include <boot/efi.h>
#include <boot/info.h>
#include <boot/memmap.h>
#include <kernel/init.h>
#include <kernel/random.h>
#include <lib/minmax.h>
#include <lib/string.h>

static u64 seed[4] __initdata;

static enum boot_mem_type __init mem_type(u32 type)
{
	switch (type) {
	case EFI_LOADER_CODE:
	case EFI_LOADER_DATA:
	case EFI_BOOT_CODE:
	case EFI_BOOT_DATA:
	case EFI_CONVENTIONAL:
		return BOOT_MEM_RAM;
	case EFI_ACPI_RECLAIM:
		return BOOT_MEM_ACPI;
	case EFI_ACPI_NVS:
		return BOOT_MEM_NVS;
	case EFI_UNUSABLE:
		return BOOT_MEM_BAD;
	case EFI_PERSISTENT:
		return BOOT_MEM_PMEM;
	}
	return BOOT_MEM_RESERVED;
}

/* Descriptors are many more than pieces: neighbours of one kind are joined before they are added. */
static void __init add_map(struct boot_info *bi, const struct efi_handoff *h, const u8 *map)
{
	u64 start = 0, end = 0;
	enum boot_mem_type type = 0;

	if (h->desc_size < sizeof(struct efi_descriptor))
		return;
	for (u64 at = 0; at + h->desc_size <= h->map_size; at += h->desc_size) {
		struct efi_descriptor d;
		u64 size;

		memcpy(&d, map + at, sizeof(d));
		if (check_mul_overflow(d.pages, EFI_PAGE, &size) || d.start > ~0ULL - size)
			continue;
		if (type && d.start == end && mem_type(d.type) == type) {
			end += size;
			continue;
		}
		if (type)
			boot_map_add(bi, start, end - start, type);
		start = d.start;
		end = start + size;
		type = mem_type(d.type);
	}
	if (type)
		boot_map_add(bi, start, end - start, type);
}

void __init boot_efi_look(struct boot_info *bi, const struct efi_handoff *h, const void *map)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < bi->nr_map; i++)		/* of a device tree only what it reserves counts */
		if (bi->map[i].type != BOOT_MEM_RAM)
			bi->map[n++] = bi->map[i];
	bi->nr_map = n;
	add_map(bi, h, map);
	if (h->cmdline[0])
		boot_set_cmdline(bi, h->cmdline, sizeof(h->cmdline));
	if (h->initrd_size) {
		bi->initrd = h->initrd;
		bi->initrd_size = h->initrd_size;
	}
	bi->rsdp = h->rsdp;
	memcpy(seed, h->seed, sizeof(seed));
}

/* As with a device tree's, the firmware is believed. */
static int __init efi_seed_init(void)
{
	u64 any = seed[0] | seed[1] | seed[2] | seed[3];

	if (any)
		add_entropy(seed, sizeof(seed), 8 * sizeof(seed));
	memset(seed, 0, sizeof(seed));
	return 0;
}
INITCALL(early, efi_seed_init);
