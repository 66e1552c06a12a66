// SPDX-License-Identifier: MIT
#pragma once
#include <elf.h>
#include <string.h>
#include <sys/auxv.h>

/* A function of the vDSO; NULL: there is none of that name. */
static inline void *vdso_symbol(const char *name)
{
	char *base = (char *)getauxval(AT_SYSINFO_EHDR);
	Elf64_Ehdr *e = (Elf64_Ehdr *)base;
	Elf64_Phdr *ph;
	Elf64_Dyn *dyn = NULL;
	Elf64_Sym *sym = NULL;
	char *str = NULL;
	unsigned int *hash = NULL;

	if (!base)
		return NULL;
	ph = (Elf64_Phdr *)(base + e->e_phoff);
	for (int i = 0; i < e->e_phnum; i++)
		if (ph[i].p_type == PT_DYNAMIC)
			dyn = (Elf64_Dyn *)(base + ph[i].p_vaddr);
	for (; dyn && dyn->d_tag; dyn++) {
		if (dyn->d_tag == DT_SYMTAB)
			sym = (Elf64_Sym *)(base + dyn->d_un.d_ptr);
		if (dyn->d_tag == DT_STRTAB)
			str = base + dyn->d_un.d_ptr;
		if (dyn->d_tag == DT_HASH)
			hash = (unsigned int *)(base + dyn->d_un.d_ptr);
	}
	for (unsigned int i = 0; hash && i < hash[1]; i++)
		if (!strcmp(str + sym[i].st_name, name))
			return base + sym[i].st_value;
	return NULL;
}
