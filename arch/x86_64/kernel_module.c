// SPDX-License-Identifier: MIT
/*
 * Relocations of modules (System V ABI, AMD64 supplement, 4.4). Modules lie within 2 GiB of the
 * image, so calls need no veneers.
 */
#include <arch/module_reloc.h>
#include <lib/string.h>

enum { R_64 = 1, R_PC32 = 2, R_PLT32 = 4, R_32 = 10, R_32S = 11, R_PC64 = 24 };

enum module_reloc arch_module_relocate(const struct module_fix *f)
{
	size_t width = f->type == R_64 || f->type == R_PC64 ? 8 : 4;
	u32 type = f->type;
	u64 value = f->value;

	if (type != R_64 && type != R_PC32 && type != R_PLT32 && type != R_32 && type != R_32S &&
	    type != R_PC64)
		return MODULE_RELOC_UNKNOWN;
	if (f->room < width)
		return MODULE_RELOC_ROOM;
	if (type == R_PC32 || type == R_PLT32 || type == R_PC64)
		value -= f->pc;
	if (type == R_32 ? value != (u32)value : width == 4 && (s64)value != (s32)value)
		return MODULE_RELOC_RANGE;
	memcpy(f->at, &value, width);
	return MODULE_RELOC_DONE;
}

bool arch_module_may_be_far(u32 type)
{
	return false;
}
