// SPDX-License-Identifier: MIT
/* sources: lib/elf.c */
/* fuzz: -max_len=1024 */
/* ELF files (exec, build IDs): any file gives a plan within its limits or is refused. */
#include <assert.h>
#include <elf.h>
#include <errno.h>
#include "lib/test/fuzz.h"
#include <lib/elf.h>

#define LIMIT 0x7ffffffff000ULL
#define PAGE 4096ULL

static void check_plan(const u8 *phdrs, u32 count, u64 size, const struct elf_plan *plan)
{
	struct elf_segment s;
	u32 i = 0, n = 0;

	while (elf_next_load(phdrs, count, &i, &s)) {
		assert(s.filesz <= s.memsz);
		assert(s.offset + s.filesz >= s.offset);	/* beyond the file's end is SIGBUS when it is touched */
		assert(s.vaddr + s.memsz >= s.vaddr && s.vaddr + s.memsz <= LIMIT);
		assert(plan->min_vaddr <= s.vaddr && s.vaddr + s.memsz <= plan->max_vaddr);
		n++;
	}
	assert(n == plan->nr_load);
	assert(!(plan->min_vaddr % PAGE) && !(plan->max_vaddr % PAGE));
	assert(plan->align >= PAGE && !(plan->align & (plan->align - 1)));
	assert(plan->interp_size <= ELF_MAX_INTERP && plan->interp_offset + plan->interp_size <= size);
}

static void fuzz_one(const u8 *p, size_t n)
{
	struct elf_header h;
	struct elf_plan plan;
	u8 *phdrs, id[ELF_BUILD_ID_MAX];
	u64 offset, note;
	u32 word;

	assert(elf_build_id(p, n, id) <= ELF_BUILD_ID_MAX);
	assert(!elf_property_word(p, n, 0xc0000000, &word) || !word || n > 16);
	if (elf_decode_header(p, n, EM_X86_64, ELFDATA2LSB, &h))
		return;
	assert(h.phnum && h.phnum <= ELF_MAX_PHDRS);
	if (h.phoff > n || (u64)h.phnum * sizeof(Elf64_Phdr) > n - h.phoff)
		return;
	phdrs = malloc(h.phnum * sizeof(Elf64_Phdr));
	memcpy(phdrs, p + h.phoff, h.phnum * sizeof(Elf64_Phdr));
	if (!elf_decode_plan(phdrs, h.phnum, h.phoff, n, LIMIT, PAGE, &plan))
		check_plan(phdrs, h.phnum, n, &plan);
	if (elf_find_properties(phdrs, h.phnum, &offset, &note) && offset <= n && note <= n - offset)
		elf_property_word(p + offset, note, 0xc0000000, &word);
	free(phdrs);
}

static size_t fuzz_seed(unsigned int i, u8 *buf)
{
	Elf64_Ehdr *e = (void *)buf;
	Elf64_Phdr *p = (void *)(buf + 64);

	if (i == 3) {	/* notes: another, then the ID */
		static const struct {
			Elf64_Nhdr other;
			char name[8];
			Elf64_Nhdr h;
			char gnu[4];
			u8 id[20];
		} notes = { { 5, 0, 3 }, "other", { 4, 20, 3 }, "GNU", { 1, 2, 3, [19] = 20 } };
		u8 id[ELF_BUILD_ID_MAX];

		memcpy(buf, &notes, sizeof(notes));
		assert(elf_build_id(buf, sizeof(notes), id) == 20 && !memcmp(id, notes.id, 20));
		assert(!elf_build_id(buf, sizeof(notes) - 1, id));
		return sizeof(notes);
	}
	if (i == 4) {	/* properties: two, the second is asked for */
		static const u32 note[] = { 4, 32, 5, 0x554e47, 0xc0000000, 4, 5, 0, 0xc0008002, 4, 7, 0 };
		u32 v;

		memcpy(buf, note, sizeof(note));
		assert(!elf_property_word(buf, sizeof(note), 0xc0008002, &v) && v == 7);
		assert(!elf_property_word(buf, sizeof(note), 0xc0000001, &v) && !v);
		assert(elf_property_word(buf, sizeof(note) - 1, 0xc0008002, &v) == -ENOEXEC);
		return sizeof(note);
	}
	if (i > 4)
		return 0;
	memset(buf, 0, 1024);
	memcpy(e->e_ident, "\177ELF\2\1\1", 7);
	e->e_type = i ? ET_DYN : ET_EXEC;
	e->e_machine = EM_X86_64;
	e->e_version = 1;
	e->e_entry = 0x400100;
	e->e_phoff = 64;
	e->e_ehsize = 64;
	e->e_phentsize = sizeof(*p);
	*p++ = (Elf64_Phdr){ PT_PHDR, PF_R, 64, 0x400040, 0x400040, 56 * 4, 56 * 4, 8 };
	if (i == 1) {
		*p++ = (Elf64_Phdr){ PT_INTERP, PF_R, 600, 0x400258, 0x400258, 8, 8, 1 };
		memcpy(buf + 600, "/lib/ld", 8);
	}
	*p++ = (Elf64_Phdr){ PT_LOAD, PF_R | PF_X, 0, 0x400000, 0x400000, 700, i == 2 ? 0x8000 : 700, PAGE };	/* the second lies in the first */
	*p++ = (Elf64_Phdr){ PT_LOAD, PF_R | PF_W, 700, 0x4012bc, 0x4012bc, 324, 0x2000, i == 2 ? 0x200000 : PAGE };
	*p++ = (Elf64_Phdr){ PT_GNU_STACK, PF_R | PF_W | (i ? 0 : PF_X), 0, 0, 0, 0, 0, 16 };
	e->e_phnum = (u16)(p - (Elf64_Phdr *)(buf + 64));
	return 1024;
}
