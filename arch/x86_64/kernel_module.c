// SPDX-License-Identifier: MIT
/*
 * Relocations of modules (System V ABI, AMD64 supplement, 4.4). Modules lie within 2 GiB of the
 * image, so calls need no veneers.
 */
#include <arch/module.h>
#include <lib/string.h>

enum { R_64 = 1, R_PC32 = 2, R_PLT32 = 4, R_32 = 10, R_32S = 11, R_PC64 = 24 };

enum module_reloc arch_module_relocate(u8 *at, u64 room, u32 type, u64 value)
{
	size_t width = type == R_64 || type == R_PC64 ? 8 : 4;

	if (type != R_64 && type != R_PC32 && type != R_PLT32 && type != R_32 && type != R_32S &&
	    type != R_PC64)
		return MODULE_RELOC_UNKNOWN;
	if (room < width)
		return MODULE_RELOC_ROOM;
	if (type == R_PC32 || type == R_PLT32 || type == R_PC64)
		value -= (u64)(unsigned long)at;
	if (type == R_32 ? value != (u32)value : width == 4 && (s64)value != (s32)value)
		return MODULE_RELOC_RANGE;
	memcpy(at, &value, width);
	return MODULE_RELOC_DONE;
}
