/* SPDX-License-Identifier: MIT */
/* Building boot_info's memory map from what firmware says: any order, overlapping, wrong. */
#pragma once

#include <boot/info.h>

/* Adds a piece; more than BOOT_MAP_MAX of them and pieces of no length are dropped. */
void boot_map_add(struct boot_info *bi, phys_addr_t start, u64 size, unsigned int type);
/* Sorts and resolves overlaps: where two disagree, what is not RAM wins. */
void boot_map_finish(struct boot_info *bi);
/* Copies the loader's command line: at most BOOT_CMDLINE_MAX - 1 bytes. */
void boot_set_cmdline(struct boot_info *bi, const char *s, size_t max);
/*
 * Where firmware gives both, the device tree is what is used and ACPI's tables are not; acpi=force or acpi=on turns that round, acpi=off never
 * uses them, nor does acpi=force where there are none. The last one counts.
 */
bool boot_use_acpi(const char *cmdline, bool have_acpi, bool have_dt);
/* The last mem=SIZE of a command line; 0: none that makes sense. */
u64 boot_mem_option(const char *cmdline);
/* The last initrdmem=ADDRESS,SIZE that makes sense: where a loader that has no other way put the initrd. False: none. */
bool boot_initrd_option(const char *cmdline, phys_addr_t *start, u64 *size);
/* Tells memblock: RAM by whole pages; takes the image, the initrd (initrdmem= is heard) and page 0 out of it. */
void boot_map_to_memblock(struct boot_info *bi);
/* mem= of the command line: memblock keeps that much. */
void boot_limit_memory(const struct boot_info *bi);
/* What of the initrd does not lie in RAM is left out, with a line that says so; all of it where its start does not. */
void boot_check_initrd(struct boot_info *bi);
