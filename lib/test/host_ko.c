// SPDX-License-Identifier: MIT
/* sources: lib/ko.c */
/* Modules' files: what a good one says, and that each lie is refused with its reason. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "lib/test/ko_make.h"
#include <lib/ko.h>

static u8 file[KO_MADE_SIZE];

static void good(void)
{
	struct ko_error e;
	struct ko_section s;
	struct ko_symbol sym;
	struct ko_rela r;
	u32 place[S_COUNT], size[KO_KINDS];
	const char *v;
	struct ko k;
	u64 hash;

	assert(!ko_open(&k, file, ko_make(file), EM_X86_64, &e));
	assert(k.nr_sections == S_COUNT && k.nr_symbols == 4);
	assert(!ko_plan(&k, place, size));
	assert(size[KO_TEXT] == 12 && size[KO_RODATA] == 0 && size[KO_DATA] == 164);
	assert(place[S_TEXT] == 0 && place[S_DATA] == 0 && place[S_BSS] == 64);
	ko_section(&k, S_BSS, &s);
	assert(!strcmp(s.name, ".bss") && !s.data && s.size == 100 && s.kind == KO_DATA);
	ko_symbol(&k, 1, &sym);
	assert(!strcmp(sym.name, "init_module") && sym.section == S_TEXT && sym.function &&
	       !sym.local);
	ko_symbol(&k, 2, &sym);
	assert(!strcmp(sym.name, "printk") && !sym.section && !sym.absolute && !sym.weak);
	assert(ko_nr_relas(&k, S_RELA) == 2 && !ko_nr_relas(&k, S_TEXT));
	ko_rela(&k, S_RELA, 1, &r);
	assert(r.offset == 7 && r.type == R_X86_64_PC32 && r.symbol == 3 && r.addend == -4);
	assert(ko_version(&k, "printk", &hash) && hash == 0x1122334455667788);
	assert(ko_version(&k, "kfree", &hash) && hash == 1 && !ko_version(&k, "print", &hash));
	assert(!strcmp(ko_modinfo(&k, "license", NULL), "MIT") && !ko_modinfo(&k, "lic", NULL));
	v = ko_modinfo(&k, "parm", NULL);
	assert(!strcmp(v, "level:what"));
	v = ko_modinfo(&k, "parm", v);
	assert(!strcmp(v, "more:else") && !ko_modinfo(&k, "parm", v));
}

static void lie(const char *why)
{
	struct ko_error e;
	struct ko k;
	int err = ko_open(&k, file, sizeof(file), EM_X86_64, &e);

	if (err != -ENOEXEC || strcmp(e.what, why)) {
		fprintf(stderr, "%d '%s', not '%s'\n", err, e.what, why);
		abort();
	}
	ko_make(file);
}

#define LIE(change, why) do { change; lie(why); } while (0)
#define H ((Elf64_Ehdr *)(void *)file)
#define SEC(i) ko_made_section(file, i)
#define SYM ((Elf64_Sym *)(void *)(file + 0x180))
#define RELA ((Elf64_Rela *)(void *)(file + 0x60))

static void lies(void)
{
	LIE(H->e_ident[0] = 0, "no ELF file of 64 bits");
	LIE(H->e_type = ET_EXEC, "not relocatable");
	LIE(H->e_machine = EM_AARCH64, "for another CPU");
	LIE(H->e_shnum = 0, "bad count of sections");
	LIE(H->e_shoff = ~0ULL - 63, "section headers beyond the end");
	LIE(H->e_shstrndx = S_COUNT, "no section of names");
	LIE(SEC(S_NAMES)->sh_size--, "bad section of names");
	LIE(SEC(0)->sh_type = SHT_PROGBITS, "the first section is not empty");
	LIE(SEC(S_TEXT)->sh_offset = ~0ULL, "section beyond the end");
	LIE(SEC(S_BSS)->sh_size = KO_MAX_SIZE + 1ULL, "section too large");
	LIE(SEC(S_TEXT)->sh_addralign = 24, "bad alignment");
	LIE(SEC(S_TEXT)->sh_addralign = 2 * KO_MAX_ALIGN, "bad alignment");
	LIE(SEC(S_TEXT)->sh_name = 1000, "section's name beyond the end");
	LIE(SEC(S_TEXT)->sh_flags |= SHF_WRITE, "writable and executable");
	LIE(SEC(S_DATA)->sh_flags |= SHF_TLS, "section of a kind that is not supported");
	LIE(SEC(S_SYMS)->sh_entsize = 16, "bad table of symbols");
	LIE(SEC(S_SYMS)->sh_link = S_DATA, "symbols without names");
	LIE(SEC(S_SYMS)->sh_type = SHT_PROGBITS, "no symbols");
	LIE(SEC(S_INFO)->sh_size--, "bad information");
	LIE(SEC(S_VERSIONS)->sh_size--, "bad versions");
	LIE(SEC(S_VERSIONS)->sh_type = SHT_NOBITS, "bad versions");
	LIE(file[0x53f] = 1, "bad versions");
	LIE(*SEC(S_DATA) = *SEC(S_VERSIONS), "bad versions");
	LIE(SYM[3].st_name = 500, "symbol's name beyond the end");
	LIE(SYM[3].st_shndx = S_COUNT, "symbol in no section");
	LIE(SYM[3].st_size = 5, "symbol beyond its section");
	LIE(SYM[3].st_value = ~0ULL, "symbol beyond its section");
	LIE(SEC(S_RELA)->sh_info = S_COUNT, "bad relocations");
	LIE(SEC(S_RELA)->sh_info = S_BSS, "relocations of zeros");
	LIE(RELA[0].r_offset = 12, "relocation beyond its section");
	LIE(RELA[1].r_info = ELF64_R_INFO(4ULL, 1), "relocation by no symbol");
}

/* No length but the whole is taken: a section ends the file. */
static void cut(void)
{
	struct ko_error e;
	struct ko k;

	for (size_t n = 0; n < sizeof(file); n++)
		assert(ko_open(&k, file, n, EM_X86_64, &e) == -ENOEXEC);
	assert(!ko_open(&k, file, sizeof(file), EM_X86_64, &e));
}

int main(void)
{
	good();
	lies();
	cut();
	return 0;
}
