// SPDX-License-Identifier: MIT
/* The ELF decoder. Every sum is checked; nothing outside [buf, buf + n) is read. */
#include <lib/elf.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <abi/errno.h>
#ifdef __KERNEL_OCHRE__
#include <linux/elf.h>
#else
#include <elf.h>
#endif

int elf_decode_header(const void *buf, size_t n, u16 machine, u8 data, struct elf_header *out)
{
	Elf64_Ehdr h;

	if (n < sizeof(h))
		return -ENOEXEC;
	memcpy(&h, buf, sizeof(h));
	if (memcmp(h.e_ident, ELFMAG, SELFMAG) || h.e_ident[EI_CLASS] != ELFCLASS64 || h.e_ident[EI_DATA] != data)
		return -ENOEXEC;
	if ((h.e_type != ET_EXEC && h.e_type != ET_DYN) || h.e_machine != machine)
		return -ENOEXEC;
	if (h.e_phentsize != sizeof(Elf64_Phdr) || !h.e_phnum || h.e_phnum > ELF_MAX_PHDRS)
		return -ENOEXEC;
	if (h.e_phoff > (u64)S64_MAX - ELF_MAX_PHDRS * sizeof(Elf64_Phdr))
		return -ENOEXEC;
	out->dyn = h.e_type == ET_DYN;
	out->entry = h.e_entry;
	out->phoff = h.e_phoff;
	out->phnum = h.e_phnum;
	return 0;
}

int elf_machine_of(const void *buf, size_t n)
{
	const u8 *p = buf;
	size_t at = offsetof(Elf64_Ehdr, e_machine);	/* the same in 32-bit files */

	if (n < at + 2 || memcmp(p, ELFMAG, SELFMAG))
		return -1;
	return p[EI_DATA] == ELFDATA2MSB ? p[at] << 8 | p[at + 1] : p[at + 1] << 8 | p[at];
}

const char *elf_machine_name(int machine)
{
	static const struct {
		int machine;
		char name[12];
	} known[] = {
		{ 2, "sparc" }, { 3, "i386" }, { 8, "mips" }, { 20, "ppc" }, { 21, "ppc64" }, { 22, "s390x" }, { 40, "arm" }, { 43, "sparc64" },
		{ 62, "x86_64" }, { 183, "aarch64" }, { 243, "riscv64" }, { 258, "loongarch64" }, { 0x9026, "alpha" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].machine == machine)
			return known[i].name;
	return NULL;
}

static void get_phdr(const void *buf, u32 i, Elf64_Phdr *p)
{
	memcpy(p, (const char *)buf + (size_t)i * sizeof(*p), sizeof(*p));
}

/* That a segment cannot be mapped (its offset is not congruent to its address) is found when it is: by then it is no errno. */
static int check_load(const Elf64_Phdr *p, u64 limit)
{
	u64 end;

	if (p->p_filesz > p->p_memsz || check_add_overflow((u64)p->p_vaddr, (u64)p->p_memsz, &end) || end > limit)
		return -ENOEXEC;
	if (check_add_overflow((u64)p->p_offset, (u64)p->p_filesz, &end) || end > (u64)S64_MAX)
		return -ENOEXEC;
	return 0;
}

int elf_decode_plan(const void *buf, u32 count, u64 phoff, u64 file_size, u64 limit, u64 page_size, struct elf_plan *out)
{
	Elf64_Phdr p;

	*out = (struct elf_plan){ .min_vaddr = U64_MAX, .align = page_size, .start_code = U64_MAX };
	for (u32 i = 0; i < count; i++) {
		get_phdr(buf, i, &p);
		switch (p.p_type) {
		case PT_LOAD:
			if (!p.p_memsz)
				continue;
			if (check_load(&p, limit))
				return -ENOEXEC;
			out->nr_load++;
			out->min_vaddr = min(out->min_vaddr, round_down((u64)p.p_vaddr, page_size));
			out->max_vaddr = max(out->max_vaddr, round_up((u64)p.p_vaddr + p.p_memsz, page_size));
			if (p.p_align > out->align && !(p.p_align & (p.p_align - 1)))
				out->align = p.p_align;
			if (p.p_offset <= phoff && phoff - p.p_offset < p.p_filesz)
				out->phdr_vaddr = p.p_vaddr + (phoff - p.p_offset);
			if ((p.p_flags & PF_X) && p.p_vaddr < out->start_code)
				out->start_code = p.p_vaddr;
			if (p.p_flags & PF_X)
				out->end_code = max(out->end_code, (u64)p.p_vaddr + p.p_filesz);
			out->start_data = max(out->start_data, (u64)p.p_vaddr);
			out->end_data = max(out->end_data, (u64)p.p_vaddr + p.p_filesz);
			out->brk = max(out->brk, (u64)p.p_vaddr + p.p_memsz);
			break;
		case PT_INTERP:
			if (out->interp_size)
				break;		/* the first one counts */
			if (p.p_filesz < 2 || p.p_filesz > ELF_MAX_INTERP || p.p_offset > file_size ||
			    p.p_filesz > file_size - p.p_offset)
				return -ENOEXEC;
			out->interp_offset = p.p_offset;
			out->interp_size = p.p_filesz;
			break;
		case PT_GNU_STACK:
			out->stack = p.p_flags & PF_X ? 2 : 1;
			break;
		}
	}
	if (!out->nr_load)
		return -ENOEXEC;
	if (out->start_code == U64_MAX)
		out->start_code = out->min_vaddr;
	return 0;
}

bool elf_next_load(const void *buf, u32 count, u32 *i, struct elf_segment *out)
{
	Elf64_Phdr p;

	while (*i < count) {
		get_phdr(buf, (*i)++, &p);
		if (p.p_type != PT_LOAD || !p.p_memsz)
			continue;
		*out = (struct elf_segment){ p.p_offset, p.p_vaddr, p.p_filesz, p.p_memsz, p.p_flags };
		return true;
	}
	return false;
}

bool elf_find_properties(const void *buf, u32 count, u64 *offset, u64 *size)
{
	Elf64_Phdr p;

	for (u32 i = 0; i < count; i++) {
		get_phdr(buf, i, &p);
		if (p.p_type != PT_GNU_PROPERTY)
			continue;
		*offset = p.p_offset;
		*size = p.p_filesz;
		return true;
	}
	return false;
}

#define NOTE_PROPERTIES 5	/* among those of "GNU" */

/* One note; its properties are in ascending order, each padded to 8 bytes (Linux ABI for program properties). */
int elf_property_word(const void *buf, size_t n, u32 type, u32 *v)
{
	const char *p = buf;
	struct { u32 type, size; } pr;
	u32 last = 0;
	bool any = false;
	Elf64_Nhdr h;

	*v = 0;
	if (n < sizeof(h) + 4)
		return -ENOEXEC;
	memcpy(&h, p, sizeof(h));
	if (h.n_type != NOTE_PROPERTIES || h.n_namesz != 4 || memcmp(p + sizeof(h), "GNU", 4) || h.n_descsz > n - sizeof(h) - 4)
		return -ENOEXEC;
	p += sizeof(h) + 4;
	n = h.n_descsz;
	while (n) {
		size_t step;

		if (n < sizeof(pr))
			return -ENOEXEC;
		memcpy(&pr, p, sizeof(pr));
		if (pr.size > n - sizeof(pr) || (any && pr.type <= last))
			return -ENOEXEC;
		step = sizeof(pr) + (((size_t)pr.size + 7) & ~(size_t)7);
		if (step > n)
			return -ENOEXEC;
		if (pr.type == type) {
			if (pr.size != 4)
				return -ENOEXEC;
			memcpy(v, p + sizeof(pr), 4);
		}
		last = pr.type;
		any = true;
		p += step;
		n -= step;
	}
	return 0;
}

#define NOTE_BUILD_ID 3		/* among those of "GNU" */

size_t elf_build_id(const void *buf, size_t n, u8 *id)
{
	const char *p = buf;
	Elf64_Nhdr h;

	while (n >= sizeof(h)) {
		size_t name, desc;

		memcpy(&h, p, sizeof(h));
		p += sizeof(h);
		n -= sizeof(h);
		name = ((size_t)h.n_namesz + 3) & ~(size_t)3;
		desc = ((size_t)h.n_descsz + 3) & ~(size_t)3;
		if (name > n || desc > n - name)
			break;
		if (h.n_type == NOTE_BUILD_ID && h.n_namesz == 4 && !memcmp(p, "GNU", 4) && h.n_descsz && h.n_descsz <= ELF_BUILD_ID_MAX) {
			memcpy(id, p + name, h.n_descsz);
			return h.n_descsz;
		}
		p += name + desc;
		n -= name + desc;
	}
	return 0;
}
