/* SPDX-License-Identifier: MIT */
/*
 * What modules may use of the image: a list, EXPORT(f) beside f. The image keeps a table of it,
 * sorted by the hash of the names (tools/sortexports.py). There are no hashes of types yet: a
 * module is taken by its vermagic alone, so it must come from the same tree.
 */
#pragma once

#include <lib/types.h>

#ifdef CONFIG_MODULES
struct export_entry {
	u64 hash;		/* FNV-1a of the name; 0 until the image is finished */
	s32 place, name;	/* from themselves */
};

#define EXPORT(f) \
	__asm__(".pushsection .rodata.export_names,\"a\"\n\t.Lexport_" #f ": .asciz \"" #f "\"\n\t.popsection\n\t" \
		".pushsection .export,\"a\"\n\t.balign 8\n\t.quad 0\n\t.long " #f " - .\n\t.long .Lexport_" #f " - .\n\t.popsection")

/* The address of what the image exports as NAME; 0: nothing. */
unsigned long export_find(const char *name);
#else
#define EXPORT(f) _Static_assert(1, "")
#endif
