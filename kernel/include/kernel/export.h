/* SPDX-License-Identifier: MIT */
/*
 * What modules may use of the image: a list, EXPORT(f) beside f. The image keeps a table of it,
 * sorted by the hash of the names (tools/sortexports.py). Each entry has a hash of the type of what
 * is exported (tools/mktypes.py), by which a module made for another one is refused. What is
 * exported is declared in a public header.
 */
#pragma once

#include <lib/types.h>

#ifdef CONFIG_MODULES
struct export_entry {
	u64 hash;		/* FNV-1a of the name; 0 until the image is finished */
	u64 type;		/* the same; what mktypes.py says */
	s32 place, name;	/* from themselves */
};

#ifdef MODULE
/*
 * In a module: tools/mkexports.py makes its table, of the types that these pointers have; they are
 * not in the file that loads.
 */
#define EXPORT(f) \
	extern __typeof__(f) *__exported_##f; __typeof__(f) *__exported_##f __section(".discard.exports")
#else
#define EXPORT(f) \
	__asm__(".pushsection .rodata.export_names,\"a\"\n\t.Lexport_" #f ": .asciz \"" #f "\"\n\t.popsection\n\t" \
		".pushsection .export,\"a\"\n\t.balign 8\n\t.quad 0, 0\n\t.long " #f " - .\n\t.long .Lexport_" #f " - .\n\t.popsection")
#endif

/* The address of what the image exports as NAME, with the hash of its type to TYPE; 0: nothing. */
unsigned long export_find(const char *name, u64 *type);
/* The same of N entries at TABLE, sorted by their hashes. */
unsigned long export_find_in(const struct export_entry *table, size_t n, const char *name,
			     u64 *type);

/*
 * The same for modules in Rust, which may use rust/module/exports alone. There are no types: each
 * such module says which kernel crate it was made with, and rust_kernel_hash is the image's (of its
 * metadata: all types of the crate, and of what it uses of C). No two names have the
 * same hash.
 */
struct rust_export {
	u32 hash_low, hash_high;
	s32 place;		/* from itself */
};
extern const char rust_kernel_hash[];	/* 64 digits */
unsigned long export_find_rust(const char *name);
#else
#define EXPORT(f) _Static_assert(1, "")
#endif

/* What the debug kernel alone has: its checks, which inline functions call. */
#ifdef CONFIG_DEBUG
#define EXPORT_DEBUG(f) EXPORT(f)
#else
#define EXPORT_DEBUG(f) _Static_assert(1, "")
#endif
