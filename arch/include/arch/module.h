/* SPDX-License-Identifier: MIT */
/* What a CPU does for modules. Only of CPUs with CONFIG_MODULES. */
#pragma once

#include <lib/types.h>

/* The ELF machine, and the CPU's word in vermagic. */
#include <arch_cpu/module.h>

enum module_reloc {
	MODULE_RELOC_DONE,
	MODULE_RELOC_UNKNOWN,
	MODULE_RELOC_RANGE,
	MODULE_RELOC_ROOM
};
/*
 * Changes the bytes at AT, of which ROOM are in the section, by a relocation of TYPE to VALUE (the
 * symbol's, with the addend). The section runs where it lies. Nothing is changed where the answer
 * is not DONE.
 */
enum module_reloc arch_module_relocate(u8 *at, u64 room, u32 type, u64 value);
