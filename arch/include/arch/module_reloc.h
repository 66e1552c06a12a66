/* SPDX-License-Identifier: MIT */
/*
 * Relocations of modules, one at a time. Pure: what lies where is the caller's, and the bytes that
 * are changed need not lie where they will run.
 */
#pragma once

#include <lib/types.h>

enum module_reloc {
	MODULE_RELOC_DONE,
	MODULE_RELOC_UNKNOWN,
	MODULE_RELOC_RANGE,
	MODULE_RELOC_ROOM,
	MODULE_RELOC_ALONE	/* a second half without a first one */
};

struct module_fix {
	u8 *at;			/* the bytes to change */
	u64 pc;			/* where they will lie */
	u64 room;		/* bytes from AT to the section's end */
	u64 value;		/* the symbol's, with the addend */
	u32 type;		/* of the CPU's ELF supplement */
	/* room for a veneer to VALUE, for a branch that does not reach it; NULL: none */
	u8 *veneer;
	u64 veneer_pc;		/* where that will lie */
	u64 first; /* of a second half, if HAS_FIRST: how far the first one's symbol is from it */
	bool has_first;
};

/* Does F. Nothing is changed where the answer is not DONE. */
enum module_reloc arch_module_relocate(const struct module_fix *f) __must_check;
/* TYPE is that of a branch which may need a veneer. */
bool arch_module_may_be_far(u32 type);
/*
 * Where ARCH_MODULE_PAIRS is defined: TYPE is half a pair whose second half has the address of the
 * first one for its value.
 */
bool arch_module_is_first_half(u32 type);
bool arch_module_is_second_half(u32 type);
