/* SPDX-License-Identifier: MIT */
/*
 * What every boot protocol is turned into: one struct, filled by the first C code of a CPU, read-only after.
 */
#pragma once

#include <lib/types.h>

#define BOOT_CMDLINE_MAX 4096 /* bytes; not a page */
#define BOOT_MAP_MAX 128

enum boot_mem_type {
	BOOT_MEM_RAM = 1,
	BOOT_MEM_RESERVED = 2,
	BOOT_MEM_ACPI = 3,		/* reclaimable once the tables are read; kept */
	BOOT_MEM_NVS = 4,
	BOOT_MEM_BAD = 5,
	BOOT_MEM_PMEM = 7,
};

struct boot_mem {
	phys_addr_t start, end;
	enum boot_mem_type type;
};

struct boot_info {
	const char *protocol;		/* "pvh", "linux64", "bzimage", "image" */
	char cmdline[BOOT_CMDLINE_MAX];
	bool cmdline_cut;		/* the loader's was longer */
	phys_addr_t initrd;		/* 0: none */
	u64 initrd_size;
	phys_addr_t rsdp;		/* ACPI, 0: none known */
	phys_addr_t fdt;		/* device tree, 0: none */
	u64 kaslr_seed;			/* of the device tree; 0: none */
	unsigned int nr_map;
	struct boot_mem map[BOOT_MAP_MAX];	/* as the firmware gave it, sorted, no overlaps */
};

extern struct boot_info boot_info;

/* After arch_console_init: from here on messages are seen. */
void boot_register_console(void);
/* The first C function above arch: memblock knows all RAM, the console prints, this CPU takes traps. */
void __noreturn start_kernel(void);
