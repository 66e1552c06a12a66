// SPDX-License-Identifier: MIT
/* sources: lib/ko.c */
/* fuzz: -max_len=4096 */
/* Modules' files: any file is refused with a reason, or what it says lies within it. */
#include <assert.h>
#include <errno.h>
#include "lib/test/fuzz.h"
#include "lib/test/ko_make.h"
#include <lib/ko.h>

static u64 sum;		/* so that each byte is read */

static void read_text(const struct ko *k, const char *s)
{
	const char *base = (const char *)k->buf;

	assert(s >= base && s + strlen(s) < base + k->size);
}

static void check_section(const struct ko *k, u32 i, const u32 *size)
{
	struct ko_section s;

	ko_section(k, i, &s);
	read_text(k, s.name);
	assert(s.align && !(s.align & (s.align - 1)));
	assert(s.kind == KO_NOT_LOADED || (s.size <= size[s.kind] && s.align <= KO_MAX_ALIGN));
	if (s.data) {
		assert(s.data >= k->buf && s.size <= k->size - (size_t)(s.data - k->buf));
		for (u64 n = 0; n < s.size; n++)
			sum += s.data[n];
	}
	for (u32 n = 0; n < ko_nr_relas(k, i); n++) {
		struct ko_section target;
		struct ko_rela r;

		ko_rela(k, i, n, &r);
		ko_section(k, s.target, &target);
		assert(target.data && target.kind != KO_NOT_LOADED && r.offset < target.size &&
		       r.symbol < k->nr_symbols);
	}
}

static void check_symbol(const struct ko *k, u32 i)
{
	struct ko_section in;
	struct ko_symbol s;

	ko_symbol(k, i, &s);
	read_text(k, s.name);
	assert(s.section < k->nr_sections);
	ko_section(k, s.section, &in);
	assert(!s.section || in.kind == KO_NOT_LOADED ||
	       (s.value <= in.size && s.size <= in.size - s.value));
}

static void fuzz_one(const u8 *p, size_t n)
{
	struct ko_error e = { 0 };
	u32 *place, size[KO_KINDS];
	struct ko k;
	u64 hash;
	int err = ko_open(&k, p, n, EM_X86_64, &e);

	assert(!err || (err == -ENOEXEC && *e.what && e.section));
	if (err) {
		sum += strlen(e.section);
		return;
	}
	assert(!*e.what && k.nr_sections >= 2 && k.nr_sections <= KO_MAX_SECTIONS &&
	       k.nr_symbols <= KO_MAX_SYMBOLS);
	place = malloc(k.nr_sections * sizeof(*place));
	if (!ko_plan(&k, place, size)) {
		for (u32 i = 0; i < k.nr_sections; i++)
			check_section(&k, i, size);
		for (u32 i = 0; i < k.nr_symbols; i++)
			check_symbol(&k, i);
	}
	if (ko_version(&k, "printk", &hash))
		sum += hash;
	for (const char *v = NULL; (v = ko_modinfo(&k, "parm", v));)
		read_text(&k, v);
	free(place);
}

static size_t fuzz_seed(unsigned int i, u8 *buf)
{
	size_t n = ko_make(buf);

	switch (i) {
	case 0:
		return n;
	case 1: /* without information, and with a section that is not loaded and has relocations */
		ko_made_section(buf, S_INFO)->sh_name = 0;
		ko_made_section(buf, S_TEXT)->sh_flags = 0;
		return n;
	case 2:		/* two sections on the same bytes */
		ko_made_section(buf, S_DATA)->sh_offset = 0x40;
		ko_made_section(buf, S_BSS)->sh_size = KO_MAX_SIZE;
		return n;
	}
	return 0;
}
