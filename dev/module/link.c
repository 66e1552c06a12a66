// SPDX-License-Identifier: MIT
/*
 * From a file's sections to memory that runs. Sections are a list of what is supported: one with
 * another name, which the module would rely on (exception tables, branch sites, per-CPU variables),
 * refuses the module. Where a CPU's branches do not reach all of the image (<arch/module.h>) the
 * text ends with veneers, as many as it has other places to branch to.
 */
#include <abi/errno.h>
#include <alloc/modmem.h>
#include <alloc/slab.h>
#include <arch/module.h>
#include <kernel/export.h>
#include <kernel/printk.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include "dev/module/module_priv.h"

/* Names, or with a dot at the end what names begin with. */
static const char *const supported[] = {
	".text",
	".text.",
	".init.text",
	".exit.text",
	".rodata",
	".rodata.",
	".data",
	".data.rel.",
	".data.once",
	".data..read_mostly",
	".data..cacheline_aligned",
	".init.data",
	".init.rodata",
	".bss",
	".bss.",
	".modinfo",
	".module_param",
	".note.",
	".export",
	"__ksymtab_strings",
	"__versions",
#ifdef ARCH_MODULE_ALTERNATIVES
	".alternatives",
#endif
};

static bool is_supported(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(supported); i++) {
		size_t n = strlen(supported[i]);

		if (!strcmp(name, supported[i]) ||
		    (supported[i][n - 1] == '.' && !strncmp(name, supported[i], n)))
			return true;
	}
	return false;
}

static int check_sections(struct module *m, const struct ko *k)
{
	struct ko_section s;

	for (u32 i = 0; i < k->nr_sections; i++) {
		ko_section(k, i, &s);
		if (s.kind != KO_NOT_LOADED && s.size && !is_supported(s.name)) {
			pr_err("%s: section %s is not supported in a module\n", m->name, s.name);
			return -ENOEXEC;
		}
	}
	return 0;
}

static u8 *place_of(const struct module *m, const struct ko_section *s, u32 place)
{
	return (u8 *)m->part[s->kind] + place;
}

/* The address of what the module imports as NAME, which must have the type that it expects. */
static int import(struct module *m, const struct ko *k, const char *name, u64 *address)
{
	u64 has, should;
	int err = 0;

	if (m->is_rust) {
		*address = export_find_rust(name);
		return *address ? 0 : -ENOENT;
	}
	*address = export_find(name, &has) ?: module_find_export(m, name, &has, &err);
	if (!*address)
		return err ?: -ENOENT;
	if (!ko_version(k, name, &should)) {
		pr_err("%s: no version of symbol %s\n", m->name, name);
		return -EINVAL;
	}
	if (has != should) {
		pr_err("%s: disagrees about version of symbol %s: it has 0x%016llx, the kernel 0x%016llx\n",
		       m->name, name, (unsigned long long)should, (unsigned long long)has);
		return -EINVAL;
	}
	return 0;
}

/* The address of each symbol, to VALUE. */
static int resolve(struct module *m, const struct ko *k, const u32 *place, u64 *value)
{
	struct ko_section in;
	struct ko_symbol s;
	int err;

	for (u32 i = 1; i < k->nr_symbols; i++) {
		ko_symbol(k, i, &s);
		value[i] = s.value;
		if (s.absolute)
			continue;
		if (!s.section) {
			err = import(m, k, s.name, &value[i]);
			if (!err || (err == -ENOENT && s.weak))
				continue;
			if (err == -ENOENT)
				pr_err("%s: unknown symbol %s\n", m->name, s.name);
			return err;
		}
		ko_section(k, s.section, &in);
		if (in.kind == KO_NOT_LOADED)
			continue;		/* a relocation by it is refused */
		value[i] += (u64)(unsigned long)place_of(m, &in, place[s.section]);
		if (in.kind != KO_TEXT)
			continue;
		if (!strcmp(s.name, "init_module") && !s.local)
			m->init = (int (*)(void))(unsigned long)value[i];
		if (!strcmp(s.name, "cleanup_module") && !s.local)
			m->exit = (void (*)(void))(unsigned long)value[i];
	}
	return 0;
}

static int refuse(const struct module *m, const struct ko_section *target, const struct ko_rela *r,
		  const struct ko_symbol *s, const char *why)
{
	pr_err("%s: relocation of type %u at %s+%#llx by symbol '%s': %s\n", m->name, r->type,
	       target->name, (unsigned long long)r->offset, s->name, why);
	return -ENOEXEC;
}

/* Relocation R of the section TARGET, whose bytes begin at BASE. */
static struct module_fix fix_of(const struct module *m, const struct ko_section *target, u8 *base,
				const struct ko_rela *r, u64 value, u32 veneer)
{
	struct module_fix f = { .at = base + r->offset,
				.pc = (u64)(unsigned long)(base + r->offset),
				.room = target->size - r->offset,
				.value = value + (u64)r->addend,
				.type = r->type };

	if (veneer && !r->addend) {
		f.veneer = (u8 *)m->part[KO_TEXT] + veneer;
		f.veneer_pc = (u64)(unsigned long)f.veneer;
	}
	return f;
}

static int relocate_target(struct module *m, const struct ko *k, u32 i,
			   const struct ko_section *target, u8 *base, const u64 *value,
			   const u32 *veneer, const struct module_halves *halves)
{
	struct ko_section in;
	struct ko_symbol sym;
	struct ko_rela r;

	for (u32 n = 0; n < ko_nr_relas(k, i); n++) {
		enum module_reloc done;
		struct module_fix f;

		ko_rela(k, i, n, &r);
		ko_symbol(k, r.symbol, &sym);
		ko_section(k, sym.section, &in);
		if (sym.section && in.kind == KO_NOT_LOADED)
			return refuse(m, target, &r, &sym, "it is not loaded");
		f = fix_of(m, target, base, &r, value[r.symbol], veneer[r.symbol]);
		module_join_halves(halves, &f);
		done = arch_module_relocate(&f);
		if (done == MODULE_RELOC_UNKNOWN)
			return refuse(m, target, &r, &sym, "not supported");
		if (done == MODULE_RELOC_ROOM)
			return refuse(m, target, &r, &sym, "beyond the section's end");
		if (done == MODULE_RELOC_RANGE)
			return refuse(m, target, &r, &sym, "out of range");
		if (done == MODULE_RELOC_ALONE)
			return refuse(m, target, &r, &sym, "its first half is missing");
	}
	return 0;
}

static int relocate_section(struct module *m, const struct ko *k, u32 i, const u32 *place,
			    const u64 *value, const u32 *veneer)
{
	struct ko_section s, target;
	struct module_halves halves;
	u8 *base;
	int err;

	ko_section(k, i, &s);
	if (!ko_nr_relas(k, i))
		return 0;
	ko_section(k, s.target, &target);
	base = place_of(m, &target, place[s.target]);
	err = module_find_first_halves(k, i, (u64)(unsigned long)base, value, &halves);
	if (!err)
		err = relocate_target(m, k, i, &target, base, value, veneer, &halves);
	kvfree(halves.half);
	return err;
}

/*
 * Room for veneers at the text's end: one for each symbol of another place that a branch goes to.
 * VENEER, one for each symbol, is its offset in the text; 0: none.
 */
static void plan_veneers(struct module *m, const struct ko *k, u32 *veneer)
{
	struct ko_section s, target;
	struct ko_symbol sym;
	struct ko_rela r;

	for (u32 i = 0; ARCH_MODULE_VENEER && i < k->nr_sections; i++) {
		ko_section(k, i, &s);
		ko_section(k, s.target, &target);
		for (u32 n = 0; target.kind == KO_TEXT && n < ko_nr_relas(k, i); n++) {
			ko_rela(k, i, n, &r);
			ko_symbol(k, r.symbol, &sym);
			if (sym.section || veneer[r.symbol] || !arch_module_may_be_far(r.type))
				continue;
			veneer[r.symbol] = round_up(m->size[KO_TEXT], 4U);
			m->size[KO_TEXT] = veneer[r.symbol] + ARCH_MODULE_VENEER;
		}
	}
}

static int apply_alternatives(struct module *m, const struct ko *k, const u32 *place)
{
#ifdef ARCH_MODULE_ALTERNATIVES
	struct ko_section s;

	for (u32 i = 0; i < k->nr_sections; i++) {
		ko_section(k, i, &s);
		if (s.kind == KO_NOT_LOADED || !s.size || strcmp(s.name, ".alternatives"))
			continue;
		if (!arch_module_apply_alternatives(place_of(m, &s, place[i]), s.size,
						    m->part[KO_TEXT], m->size[KO_TEXT])) {
			pr_err("%s: alternatives are malformed\n", m->name);
			return -ENOEXEC;
		}
	}
#endif
	return 0;
}

static int copy_sections(struct module *m, const struct ko *k, const u32 *place)
{
	struct ko_section s;

	for (int kind = 0; kind < KO_KINDS; kind++) {
		if (!m->size[kind])
			continue;
		m->part[kind] = modmem_alloc(m->size[kind]);
		if (!m->part[kind])
			return -ENOMEM;
		m->owner.part[kind] =
			(struct owner_part){ (unsigned long)m->part[kind], m->size[kind] };
	}
	for (u32 i = 0; i < k->nr_sections; i++) {
		ko_section(k, i, &s);
		if (s.kind == KO_NOT_LOADED)
			continue;
		if (s.data)
			memcpy(place_of(m, &s, place[i]), s.data, s.size);
		if (!strcmp(s.name, ".export") && !m->exports) {
			if (s.size % sizeof(struct export_entry) ||
			    s.align < __alignof__(struct export_entry))
				return -ENOEXEC;
			m->exports = (const void *)place_of(m, &s, place[i]);
			m->nr_exports = (u32)(s.size / sizeof(struct export_entry));
		}
		if (!strcmp(s.name, ".module_param") && !m->params) {
			if (s.size % sizeof(struct module_param) ||
			    s.align < __alignof__(struct module_param))
				return -ENOEXEC;
			m->params = (const void *)place_of(m, &s, place[i]);
			m->nr_params = (u32)(s.size / sizeof(struct module_param));
		}
	}
	return 0;
}

/* SIZE bytes at P lie in M's memory of KIND. */
static bool is_inside(const struct module *m, enum ko_kind kind, const void *p, size_t size)
{
	unsigned long at = (unsigned long)p - m->owner.part[kind].start;

	return m->size[kind] >= size && at <= m->size[kind] - size;
}

static int check_params(const struct module *m)
{
	for (u32 i = 0; i < m->nr_params; i++) {
		const struct module_param *p = &m->params[i];

		if (!is_inside(m, KO_RODATA, p->name, 1) || p->type > PARAM_charp ||
		    !is_inside(m, KO_DATA, p->value,
			       p->type == PARAM_charp ? sizeof(char *) :
			       p->type == PARAM_bool  ? 1 :
							sizeof(int))) {
			pr_err("%s: parameter %u is malformed\n", m->name, i);
			return -ENOEXEC;
		}
	}
	return 0;
}

/* What is exported and its name lie in the module; the name ends there. */
static int check_exports(const struct module *m)
{
	const char *end = (const char *)m->part[KO_RODATA] + m->size[KO_RODATA];

	for (u32 i = 0; i < m->nr_exports; i++) {
		const struct export_entry *e = &m->exports[i];
		const char *name = (const char *)&e->name + e->name;
		const char *place = (const char *)&e->place + e->place;

		if (!is_inside(m, KO_RODATA, name, 1) || !memchr(name, 0, (size_t)(end - name)) ||
		    (!is_inside(m, KO_TEXT, place, 1) && !is_inside(m, KO_RODATA, place, 1) &&
		     !is_inside(m, KO_DATA, place, 1))) {
			pr_err("%s: export %u is malformed\n", m->name, i);
			return -ENOEXEC;
		}
	}
	return 0;
}

/* What .modinfo says of KEY, by copy, to *TO. */
static int note_text(const struct ko *k, const char *key, char **to)
{
	const char *text = ko_modinfo(k, key, NULL);

	*to = text ? kstrdup(text, GFP_KERNEL) : NULL;
	return text && !*to ? -ENOMEM : 0;
}

static int note_sections(struct module *m, const struct ko *k, const u32 *place)
{
	struct module_section *to;
	struct ko_section s;

	to = m->sections = kvcalloc(k->nr_sections, sizeof(*to), GFP_KERNEL);
	for (u32 i = 0; to && i < k->nr_sections; i++) {
		ko_section(k, i, &s);
		if (s.kind == KO_NOT_LOADED || !s.size || strlen(s.name) >= sizeof(to->name))
			continue;
		strscpy(to->name, s.name, sizeof(to->name));
		to->start = (unsigned long)place_of(m, &s, place[i]);
		to++;
		m->nr_sections++;
	}
	return to ? 0 : -ENOMEM;
}

static int protect(const struct module *m)
{
	int err;

	if (m->part[KO_TEXT])
		arch_module_text_written(m->part[KO_TEXT], m->size[KO_TEXT]);
	err = m->part[KO_TEXT] ? modmem_protect(m->part[KO_TEXT], MODMEM_TEXT) : 0;

	return err ?: m->part[KO_RODATA] ? modmem_protect(m->part[KO_RODATA], MODMEM_RODATA) : 0;
}

int module_link(struct module *m, const struct ko *k)
{
	u32 *place = kvcalloc(k->nr_sections, sizeof(*place), GFP_KERNEL);
	u64 *value = kvcalloc(k->nr_symbols + 1, sizeof(*value), GFP_KERNEL);
	u32 *veneer = kvcalloc(k->nr_symbols + 1, sizeof(*veneer), GFP_KERNEL);
	int err = -ENOMEM;

	if (place && value && veneer)
		err = check_sections(m, k);
	if (!err)
		err = ko_plan(k, place, m->size);
	if (!err)
		plan_veneers(m, k, veneer);
	if (!err)
		err = copy_sections(m, k, place);
	if (!err)
		err = resolve(m, k, place, value);
	for (u32 i = 0; !err && i < k->nr_sections; i++)
		err = relocate_section(m, k, i, place, value, veneer);
	if (!err)
		err = apply_alternatives(m, k, place);
	if (!err)
		err = check_params(m);
	if (!err)
		err = check_exports(m);
	if (!err)
		err = note_sections(m, k, place);
	if (!err)
		err = note_text(k, "version", &m->version) ?:
			      note_text(k, "srcversion", &m->srcversion);
	if (!err)
		err = protect(m);
	kvfree(place);
	kvfree(value);
	kvfree(veneer);
	return err;
}
