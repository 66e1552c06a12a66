/* SPDX-License-Identifier: MIT */
/*
 * Kernel modules' files: relocatable ELF (System V ABI, gabi chapter 4), decoded once into checked
 * values. Pure: what comes in is bytes.
 *
 * ko_open() looks at everything that the other functions read later; these cannot fail, given
 * indices below the counts. The file's bytes are read in place and must not change meanwhile: the
 * caller has a private copy.
 */
#pragma once

#include <lib/types.h>

#define KO_MAX_SECTIONS 4096U		/* not a page */
#define KO_MAX_SYMBOLS 65536U
#define KO_MAX_VERSIONS 4096U		/* not a page */
#define KO_MAX_ALIGN 4096U		/* not a page: the smallest page that a CPU has */
#define KO_MAX_SIZE (64U << 20)		/* bytes that a module may occupy by one kind of rights */

/* By the rights that memory has in the end: what a section that is loaded belongs to. */
enum ko_kind { KO_TEXT, KO_RODATA, KO_DATA, KO_KINDS, KO_NOT_LOADED = KO_KINDS };

struct ko {
	const u8 *buf;
	size_t size;
	u64 shoff;
	u32 nr_sections, nr_symbols;
	u32 names;			/* section of the sections' names */
	u32 symtab, strtab;		/* sections */
	u32 modinfo, versions;		/* the same; 0: none */
};

struct ko_section {
	const char *name;
	const u8 *data;			/* NULL: no bytes in the file (zeros) */
	u64 size, align;		/* a power of two, at least 1 */
	u32 type, target;		/* target: of relocations, the section that they change */
	enum ko_kind kind;
};

struct ko_symbol {
	const char *name;
	u64 value, size;		/* within its section */
	u32 section;			/* 0: undefined */
	bool absolute, weak, local, function;
};

struct ko_rela {
	u64 offset;			/* in its target; below its size */
	u32 type, symbol;
	s64 addend;
};

/*
 * What is wrong, for one line of a log: WHAT, in section SECTION (its name; "" none) at INDEX (of a
 * section, symbol or relocation).
 */
struct ko_error {
	const char *what, *section;
	u64 index;
};

/*
 * 0; -ENOEXEC: no relocatable file for MACHINE (little-endian, 64 bits), or malformed; E says how.
 */
int ko_open(struct ko *k, const void *buf, size_t size, u16 machine, struct ko_error *e)
	__must_check;
void ko_section(const struct ko *k, u32 i, struct ko_section *s);
void ko_symbol(const struct ko *k, u32 i, struct ko_symbol *s);
/* Relocations in section I; 0 where it has none, or is for a section that is not loaded. */
u32 ko_nr_relas(const struct ko *k, u32 i);
void ko_rela(const struct ko *k, u32 section, u32 i, struct ko_rela *r);
/*
 * The value of KEY among the texts of .modinfo after AFTER (NULL: the first); NULL: there is none.
 */
const char *ko_modinfo(const struct ko *k, const char *key, const char *after);
/* The hash of the type that the file expects of what it imports as NAME. False: it says none. */
bool ko_version(const struct ko *k, const char *name, u64 *hash);
/*
 * Where each section comes to lie: PLACE (one for each section) is its offset in the memory of its
 * kind, SIZE[KO_KINDS] how much that is. 0; -ENOEXEC: too large.
 */
int ko_plan(const struct ko *k, u32 *place, u32 *size) __must_check;
