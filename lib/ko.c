// SPDX-License-Identifier: MIT
/*
 * The decoder of modules' files. Every sum is checked; nothing outside [buf, buf + size) is read.
 */
#include <lib/ko.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <abi/errno.h>
#ifdef __KERNEL_OCHRE__
#include <linux/elf.h>
#else
#include <elf.h>
#endif

#ifndef SHF_COMPRESSED
#define SHF_COMPRESSED 0x800
#define SHT_SYMTAB_SHNDX 18
#endif
#define RELA_SYM(info) ((u32)((info) >> 32))
#define RELA_TYPE(info) ((u32)(info))

static int bad(struct ko_error *e, const char *what, const char *section, u64 index)
{
	*e = (struct ko_error){ what, section, index };
	return -ENOEXEC;
}

static void get_shdr(const struct ko *k, u32 i, Elf64_Shdr *s)
{
	memcpy(s, k->buf + k->shoff + (size_t)i * sizeof(*s), sizeof(*s));
}

static void get_sym(const struct ko *k, u32 i, Elf64_Sym *s)
{
	Elf64_Shdr t;

	get_shdr(k, k->symtab, &t);
	memcpy(s, k->buf + t.sh_offset + (size_t)i * sizeof(*s), sizeof(*s));
}

static const char *text_at(const struct ko *k, u32 section, u32 offset)
{
	Elf64_Shdr s;

	get_shdr(k, section, &s);
	return (const char *)k->buf + s.sh_offset + offset;
}

static int check_header(struct ko *k, u16 machine, struct ko_error *e)
{
	Elf64_Ehdr h;
	u64 end;

	if (k->size < sizeof(h))
		return bad(e, "shorter than an ELF header", "", 0);
	memcpy(&h, k->buf, sizeof(h));
	if (memcmp(h.e_ident, ELFMAG, SELFMAG) || h.e_ident[EI_CLASS] != ELFCLASS64 ||
	    h.e_ident[EI_DATA] != ELFDATA2LSB || h.e_ident[EI_VERSION] != EV_CURRENT)
		return bad(e, "no ELF file of 64 bits", "", 0);
	if (h.e_type != ET_REL)
		return bad(e, "not relocatable", "", h.e_type);
	if (h.e_machine != machine)
		return bad(e, "for another CPU", "", h.e_machine);
	if (h.e_shentsize != sizeof(Elf64_Shdr) || h.e_shnum < 2 || h.e_shnum > KO_MAX_SECTIONS)
		return bad(e, "bad count of sections", "", h.e_shnum);
	if (check_add_overflow((u64)h.e_shoff, (u64)h.e_shnum * sizeof(Elf64_Shdr), &end) ||
	    end > k->size)
		return bad(e, "section headers beyond the end", "", h.e_shoff);
	if (!h.e_shstrndx || h.e_shstrndx >= h.e_shnum)
		return bad(e, "no section of names", "", h.e_shstrndx);
	k->shoff = h.e_shoff;
	k->nr_sections = h.e_shnum;
	k->names = h.e_shstrndx;
	return 0;
}

/* A table of texts: each of them, from any offset in it, ends in it. */
static bool holds_texts(const struct ko *k, u32 i)
{
	Elf64_Shdr s;

	get_shdr(k, i, &s);
	return s.sh_type == SHT_STRTAB && s.sh_size && !k->buf[s.sh_offset + s.sh_size - 1];
}

static int check_extents(const struct ko *k, struct ko_error *e)
{
	Elf64_Shdr s;
	u64 end;

	for (u32 i = 0; i < k->nr_sections; i++) {
		get_shdr(k, i, &s);
		if (!i && s.sh_type != SHT_NULL)
			return bad(e, "the first section is not empty", "", s.sh_type);
		if (s.sh_type == SHT_NULL)
			continue;
		if (s.sh_type != SHT_NOBITS &&
		    (check_add_overflow((u64)s.sh_offset, (u64)s.sh_size, &end) || end > k->size))
			return bad(e, "section beyond the end", "", i);
		if (s.sh_size > KO_MAX_SIZE)
			return bad(e, "section too large", "", i);
		if (s.sh_addralign > 1 &&
		    (s.sh_addralign & (s.sh_addralign - 1) ||
		     (s.sh_flags & SHF_ALLOC && s.sh_addralign > KO_MAX_ALIGN)))
			return bad(e, "bad alignment", "", i);
	}
	return 0;
}

/* Of __versions (as kmod reads it): a hash and a name each. */
#define VERSION_SIZE 64
#define VERSION_NAME 8

/* Each name ends in its entry. */
static bool holds_versions(const struct ko *k, const Elf64_Shdr *s)
{
	if (s->sh_type != SHT_PROGBITS || s->sh_size % VERSION_SIZE ||
	    s->sh_size / VERSION_SIZE > KO_MAX_VERSIONS)
		return false;
	for (u64 at = VERSION_SIZE; at <= s->sh_size; at += VERSION_SIZE)
		if (k->buf[s->sh_offset + at - 1])
			return false;
	return true;
}

static int check_section(struct ko *k, u32 i, struct ko_error *e)
{
	Elf64_Shdr s, names;
	const char *name;

	get_shdr(k, i, &s);
	get_shdr(k, k->names, &names);
	if (s.sh_name >= names.sh_size)
		return bad(e, "section's name beyond the end", "", i);
	name = text_at(k, k->names, s.sh_name);
	if (s.sh_flags & SHF_ALLOC && s.sh_flags & SHF_WRITE && s.sh_flags & SHF_EXECINSTR)
		return bad(e, "writable and executable", name, i);
	if (s.sh_flags & (SHF_TLS | SHF_COMPRESSED) ||
	    (s.sh_flags & SHF_ALLOC && s.sh_type == SHT_REL) || s.sh_type == SHT_SYMTAB_SHNDX)
		return bad(e, "section of a kind that is not supported", name, i);
	if (s.sh_type == SHT_SYMTAB) {
		if (k->symtab)
			return bad(e, "two tables of symbols", name, i);
		if (s.sh_entsize != sizeof(Elf64_Sym) || s.sh_size % sizeof(Elf64_Sym) ||
		    s.sh_size / sizeof(Elf64_Sym) > KO_MAX_SYMBOLS)
			return bad(e, "bad table of symbols", name, i);
		if (!s.sh_link || s.sh_link >= k->nr_sections || !holds_texts(k, s.sh_link))
			return bad(e, "symbols without names", name, s.sh_link);
		k->symtab = i;
		k->strtab = s.sh_link;
		k->nr_symbols = (u32)(s.sh_size / sizeof(Elf64_Sym));
	}
	if (!strcmp(name, ".modinfo")) {
		if (k->modinfo || s.sh_type != SHT_PROGBITS || !s.sh_size ||
		    k->buf[s.sh_offset + s.sh_size - 1])
			return bad(e, "bad information", name, i);
		k->modinfo = i;
	}
	if (!strcmp(name, "__versions")) {
		if (k->versions || !holds_versions(k, &s))
			return bad(e, "bad versions", name, i);
		k->versions = i;
	}
	return 0;
}

static int check_symbol(const struct ko *k, u32 i, u64 names, struct ko_error *e)
{
	Elf64_Shdr in;
	Elf64_Sym s;
	u64 end;

	get_sym(k, i, &s);
	if (s.st_name >= names)
		return bad(e, "symbol's name beyond the end", "", i);
	if (s.st_shndx == SHN_UNDEF || s.st_shndx == SHN_ABS)
		return 0;
	if (s.st_shndx >= k->nr_sections)
		return bad(e, "symbol in no section", "", i);
	get_shdr(k, s.st_shndx, &in);
	if (check_add_overflow((u64)s.st_value, (u64)s.st_size, &end) ||
	    (in.sh_flags & SHF_ALLOC && end > in.sh_size))
		return bad(e, "symbol beyond its section", text_at(k, k->names, in.sh_name), i);
	return 0;
}

static int check_relas(const struct ko *k, u32 i, const Elf64_Shdr *s, struct ko_error *e)
{
	const char *name = text_at(k, k->names, s->sh_name);
	Elf64_Shdr target;

	if (!s->sh_info || s->sh_info >= k->nr_sections || s->sh_link != k->symtab ||
	    s->sh_entsize != sizeof(Elf64_Rela) || s->sh_size % sizeof(Elf64_Rela))
		return bad(e, "bad relocations", name, i);
	get_shdr(k, s->sh_info, &target);
	if (!(target.sh_flags & SHF_ALLOC) || target.sh_type == SHT_NULL)
		return 0;			/* of debug information: nobody reads them */
	if (target.sh_type == SHT_NOBITS)
		return bad(e, "relocations of zeros", name, i);
	for (u64 n = 0; n < s->sh_size / sizeof(Elf64_Rela); n++) {
		Elf64_Rela r;

		memcpy(&r, k->buf + s->sh_offset + n * sizeof(r), sizeof(r));
		if (r.r_offset >= target.sh_size)
			return bad(e, "relocation beyond its section", name, n);
		if (RELA_SYM(r.r_info) >= k->nr_symbols)
			return bad(e, "relocation by no symbol", name, n);
	}
	return 0;
}

int ko_open(struct ko *k, const void *buf, size_t size, u16 machine, struct ko_error *e)
{
	Elf64_Shdr s;
	int err;

	*k = (struct ko){ .buf = buf, .size = size };
	*e = (struct ko_error){ "", "", 0 };
	err = check_header(k, machine, e);
	if (!err)
		err = check_extents(k, e);
	if (err)
		return err;
	if (!holds_texts(k, k->names))
		return bad(e, "bad section of names", "", k->names);
	for (u32 i = 0; i < k->nr_sections; i++) {
		err = check_section(k, i, e);
		if (err)
			return err;
	}
	if (!k->symtab)
		return bad(e, "no symbols", "", 0);
	get_shdr(k, k->strtab, &s);
	for (u32 i = 0; i < k->nr_symbols; i++) {
		err = check_symbol(k, i, s.sh_size, e);
		if (err)
			return err;
	}
	for (u32 i = 0; i < k->nr_sections; i++) {
		get_shdr(k, i, &s);
		err = s.sh_type == SHT_RELA ? check_relas(k, i, &s, e) : 0;
		if (err)
			return err;
	}
	return 0;
}

void ko_section(const struct ko *k, u32 i, struct ko_section *out)
{
	Elf64_Shdr s;

	get_shdr(k, i, &s);
	*out = (struct ko_section){
		.name = text_at(k, k->names, s.sh_name),
		.data = s.sh_type == SHT_NOBITS || s.sh_type == SHT_NULL ? NULL :
									   k->buf + s.sh_offset,
		.size = s.sh_type == SHT_NULL ? 0 : s.sh_size,
		.align = s.sh_addralign && s.sh_type != SHT_NULL ? s.sh_addralign : 1,
		.type = s.sh_type,
		.target = s.sh_type == SHT_RELA ? s.sh_info : 0,
		.kind = s.sh_type == SHT_NULL || !(s.sh_flags & SHF_ALLOC) ? KO_NOT_LOADED :
			s.sh_flags & SHF_EXECINSTR			   ? KO_TEXT :
			s.sh_flags & SHF_WRITE				   ? KO_DATA :
									     KO_RODATA,
	};
}

void ko_symbol(const struct ko *k, u32 i, struct ko_symbol *out)
{
	Elf64_Sym s;

	get_sym(k, i, &s);
	*out = (struct ko_symbol){
		.name = text_at(k, k->strtab, s.st_name),
		.value = s.st_value,
		.size = s.st_size,
		.section = s.st_shndx == SHN_ABS ? 0 : s.st_shndx,
		.absolute = s.st_shndx == SHN_ABS,
		.weak = s.st_info >> 4 == STB_WEAK,
		.local = s.st_info >> 4 == STB_LOCAL,
		.function = (s.st_info & 15) == STT_FUNC,
	};
}

u32 ko_nr_relas(const struct ko *k, u32 i)
{
	Elf64_Shdr s, target;

	get_shdr(k, i, &s);
	if (s.sh_type != SHT_RELA)
		return 0;
	get_shdr(k, s.sh_info, &target);
	return target.sh_flags & SHF_ALLOC && target.sh_type != SHT_NULL ?
		       (u32)(s.sh_size / sizeof(Elf64_Rela)) :
		       0;
}

void ko_rela(const struct ko *k, u32 section, u32 i, struct ko_rela *out)
{
	Elf64_Shdr s;
	Elf64_Rela r;

	get_shdr(k, section, &s);
	memcpy(&r, k->buf + s.sh_offset + (size_t)i * sizeof(r), sizeof(r));
	*out = (struct ko_rela){ r.r_offset, RELA_TYPE(r.r_info), RELA_SYM(r.r_info), r.r_addend };
}

const char *ko_modinfo(const struct ko *k, const char *key, const char *after)
{
	size_t len = strlen(key);
	const char *p, *end;
	Elf64_Shdr s;

	if (!k->modinfo)
		return NULL;
	get_shdr(k, k->modinfo, &s);
	p = (const char *)k->buf + s.sh_offset;
	end = p + s.sh_size;
	if (after)
		p = after + strlen(after) + 1;
	for (; p < end; p += strlen(p) + 1)
		if (!strncmp(p, key, len) && p[len] == '=')
			return p + len + 1;
	return NULL;
}

bool ko_version(const struct ko *k, const char *name, u64 *hash)
{
	Elf64_Shdr s;

	if (!k->versions)
		return false;
	get_shdr(k, k->versions, &s);
	for (u64 at = s.sh_offset; at < s.sh_offset + s.sh_size; at += VERSION_SIZE) {
		if (strcmp((const char *)k->buf + at + VERSION_NAME, name))
			continue;
		memcpy(hash, k->buf + at, sizeof(*hash));
		return true;
	}
	return false;
}

int ko_plan(const struct ko *k, u32 *place, u32 *size)
{
	struct ko_section s;

	for (int kind = 0; kind < KO_KINDS; kind++)
		size[kind] = 0;
	for (u32 i = 0; i < k->nr_sections; i++) {
		place[i] = 0;
		ko_section(k, i, &s);
		if (s.kind == KO_NOT_LOADED)
			continue;
		place[i] = round_up(size[s.kind], (u32)s.align);
		if (s.size > KO_MAX_SIZE - place[i])
			return -ENOEXEC;
		size[s.kind] = place[i] + (u32)s.size;
		if (size[s.kind] > KO_MAX_SIZE - KO_MAX_ALIGN)
			return -ENOEXEC;
	}
	return 0;
}
