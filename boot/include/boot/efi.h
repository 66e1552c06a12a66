/* SPDX-License-Identifier: MIT */
/*
 * What an EFI stub (arch/shared/boot_efi.c) hands to the kernel: the firmware's memory map (UEFI specification 2.10, 7.2) and what it knows beside it.
 */
#pragma once

#include <lib/types.h>

enum { EFI_RESERVED, EFI_LOADER_CODE, EFI_LOADER_DATA, EFI_BOOT_CODE, EFI_BOOT_DATA, EFI_RUNTIME_CODE, EFI_RUNTIME_DATA, EFI_CONVENTIONAL,
       EFI_UNUSABLE, EFI_ACPI_RECLAIM, EFI_ACPI_NVS, EFI_MMIO, EFI_MMIO_PORT, EFI_PAL, EFI_PERSISTENT };
#define EFI_PAGE 4096ULL		/* UEFI's unit; not a page */

struct efi_descriptor {
	u32 type, pad;
	u64 start, virt, pages, attributes;
};

/* What the stub leaves behind, in memory beside the image. Addresses are physical. */
#define EFI_HANDOFF_MAGIC 0x696665206572686fULL
struct efi_handoff {
	u64 magic;
	u64 map, map_size, desc_size;
	u64 fdt, rsdp;			/* 0: the firmware has none */
	u64 initrd, initrd_size;
	u64 seed[4];			/* zeros: the firmware has no randomness */
	char cmdline[4096];		/* not a page; empty: no load options */
};

struct boot_info;
/* The hand-off becomes boot_info's memory map, command line, initrd and RSDP; boot_map_finish() is the caller's. */
void boot_efi_look(struct boot_info *bi, const struct efi_handoff *h, const void *map);
