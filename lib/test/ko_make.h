/* SPDX-License-Identifier: MIT */
/*
 * A module's file for tests: text with two relocations, data, zeros, information, three symbols,
 * two versions.
 */
#pragma once

#include <elf.h>
#include <string.h>
#include <lib/types.h>

enum { S_NULL, S_TEXT, S_RELA, S_DATA, S_BSS, S_INFO, S_SYMS, S_STR, S_NAMES, S_VERSIONS, S_COUNT };
#define KO_MADE_SIZE 0x580

static inline Elf64_Shdr *ko_made_section(u8 *buf, u32 i)
{
	return (Elf64_Shdr *)(void *)(buf + 0x280) + i;
}

static inline size_t ko_make(u8 *buf)
{
	static const char names[] =
		"\0.text\0.rela.text\0.data\0.bss\0.modinfo\0.symtab\0.strtab\0.shstrtab\0__versions";
	static const char strings[] = "\0init_module\0printk\0level";
	static const char info[] = "name=one\0license=MIT\0parm=level:what\0parm=more:else";
	Elf64_Ehdr *h = (void *)buf;
	Elf64_Sym *sym = (void *)(buf + 0x180);
	Elf64_Rela *rela = (void *)(buf + 0x60);

	memset(buf, 0, KO_MADE_SIZE);
	*h = (Elf64_Ehdr){ .e_ident = "\177ELF\2\1\1",
			   .e_type = ET_REL,
			   .e_machine = EM_X86_64,
			   .e_version = 1,
			   .e_shoff = 0x280,
			   .e_ehsize = 64,
			   .e_shentsize = sizeof(Elf64_Shdr),
			   .e_shnum = S_COUNT,
			   .e_shstrndx = S_NAMES };
	memcpy(buf + 0x40, "\xe8\0\0\0\0\x8b\x05\0\0\0\0\xc3", 12);
	rela[0] = (Elf64_Rela){ 1, ELF64_R_INFO(2ULL, R_X86_64_PLT32), -4 };
	rela[1] = (Elf64_Rela){ 7, ELF64_R_INFO(3ULL, R_X86_64_PC32), -4 };
	memcpy(buf + 0xa0, "\7\0\0\0", 4);
	memcpy(buf + 0xc0, info, sizeof(info));
	memcpy(buf + 0x100, strings, sizeof(strings));
	memcpy(buf + 0x120, names, sizeof(names));
	sym[1] = (Elf64_Sym){ 1, ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), 0, S_TEXT, 0, 12 };
	sym[2] = (Elf64_Sym){ 13, ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE), 0, SHN_UNDEF, 0, 0 };
	sym[3] = (Elf64_Sym){ 20, ELF64_ST_INFO(STB_LOCAL, STT_OBJECT), 0, S_DATA, 0, 4 };
	*ko_made_section(buf, S_TEXT) = (Elf64_Shdr){
		1, SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, 0, 0x40, 12, 0, 0, 16, 0
	};
	*ko_made_section(buf, S_RELA) =
		(Elf64_Shdr){ 7, SHT_RELA, SHF_INFO_LINK, 0, 0x60, 48, S_SYMS, S_TEXT, 8, 24 };
	*ko_made_section(buf, S_DATA) =
		(Elf64_Shdr){ 18, SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, 0, 0xa0, 4, 0, 0, 4, 0 };
	*ko_made_section(buf, S_BSS) =
		(Elf64_Shdr){ 24, SHT_NOBITS, SHF_ALLOC | SHF_WRITE, 0, 0xa0, 100, 0, 0, 64, 0 };
	*ko_made_section(buf, S_INFO) =
		(Elf64_Shdr){ 29, SHT_PROGBITS, 0, 0, 0xc0, sizeof(info), 0, 0, 1, 0 };
	*ko_made_section(buf, S_SYMS) = (Elf64_Shdr){ 38,    SHT_SYMTAB,       0,     0,
						      0x180, 4 * sizeof(*sym), S_STR, 3,
						      8,     sizeof(*sym) };
	*ko_made_section(buf, S_STR) =
		(Elf64_Shdr){ 46, SHT_STRTAB, 0, 0, 0x100, sizeof(strings), 0, 0, 1, 0 };
	*ko_made_section(buf, S_NAMES) =
		(Elf64_Shdr){ 54, SHT_STRTAB, 0, 0, 0x120, sizeof(names), 0, 0, 1, 0 };
	*ko_made_section(buf, S_VERSIONS) =
		(Elf64_Shdr){ 64, SHT_PROGBITS, 0, 0, 0x500, 128, 0, 0, 1, 0 };
	memcpy(buf + 0x500, "\x88\x77\x66\x55\x44\x33\x22\x11printk", 15);
	memcpy(buf + 0x540, "\1\0\0\0\0\0\0\0kfree", 14);
	return KO_MADE_SIZE;
}
