/* SPDX-License-Identifier: MIT */
/*
 * ELF files, decoded once into checked values (System V ABI, gabi chapter 4 and 5). Pure: what comes in is bytes.
 */
#pragma once

#include <lib/types.h>

#define ELF_MAX_PHDRS 1024U
#define ELF_BUILD_ID_MAX 20U
#define ELF_MAX_INTERP 4096U	/* bytes; not a page */

struct elf_header {
	bool dyn;		/* ET_DYN: may be placed anywhere */
	u64 entry;		/* as the file says */
	u64 phoff;
	u32 phnum;
};

struct elf_segment {
	u64 offset, vaddr, filesz, memsz;
	u32 flags;		/* PF_* */
};

struct elf_plan {
	u64 min_vaddr, max_vaddr;	/* page-rounded span of all loadable segments */
	u64 align;			/* the largest p_align that is a power of two, at least a page */
	u64 interp_offset, interp_size;	/* size 0: none; the NUL is counted */
	u64 phdr_vaddr;			/* where the program headers are in memory; 0: nowhere */
	u64 start_code, end_code, start_data, end_data, brk;
	u32 nr_load;
	u8 stack;			/* 0: not said, 1: not executable, 2: executable */
};

/* 0; -ENOEXEC: not for this MACHINE and byte order, or malformed. N bytes at BUF. */
int elf_decode_header(const void *buf, size_t n, u16 machine, u8 data, struct elf_header *out);
/* The CPU that an ELF file of either size and byte order is for, by its first N bytes: EM_*; -1: it is none. */
int elf_machine_of(const void *buf, size_t n);
/* As uname would call it; NULL: not known. */
const char *elf_machine_name(int machine);
/* The COUNT program headers at BUF of a file of FILE_SIZE bytes that lies below LIMIT in memory. 0, -ENOEXEC. */
int elf_decode_plan(const void *buf, u32 count, u64 phoff, u64 file_size, u64 limit, u64 page_size, struct elf_plan *out);
/* The next loadable segment at or after index *I, which moves on; false: no more. */
bool elf_next_load(const void *buf, u32 count, u32 *i, struct elf_segment *out);
/* Where the GNU properties' note is, of the COUNT program headers at BUF. False: the file has none. */
bool elf_find_properties(const void *buf, u32 count, u64 *offset, u64 *size);
/* The word of the property TYPE in that note, N bytes at BUF, in *V; 0 there: it is not in it. 0, -ENOEXEC (malformed). */
int elf_property_word(const void *buf, size_t n, u32 type, u32 *v);
/* The GNU build ID among the notes, N bytes at BUF: its length, and it in ID (ELF_BUILD_ID_MAX bytes); 0: none. */
size_t elf_build_id(const void *buf, size_t n, u8 *id);
